"""Has Home Assistant reload an entry soon after one of its entities was enabled."""

from __future__ import annotations

from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType

_SECONDS = 2


async def async_setup(_hass: HomeAssistant, _config: ConfigType) -> bool:
    """Leave whoever enables several in a row less time than the half minute of people."""
    config_entries.RELOAD_AFTER_UPDATE_DELAY = _SECONDS
    return True
