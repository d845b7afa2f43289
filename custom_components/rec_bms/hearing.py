"""When automations hear what is told: not before Home Assistant has started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

_HEARD_AFTER = 5.0
"""Seconds after Home Assistant's start in which automations and their ways to tell get ready."""


@callback
def async_when_heard(hass: HomeAssistant, entry: ConfigEntry, begin: Callable[[], None]) -> None:
    """Have something begin to tell: now, or soon after Home Assistant's start.

    Nothing begins any more once the entry is unloaded.
    """

    @callback
    def begin_soon(_: HomeAssistant) -> None:
        @callback
        def begin_now(_: datetime) -> None:
            begin()

        entry.async_on_unload(async_call_later(hass, _HEARD_AFTER, begin_now))

    if hass.state is CoreState.running:
        begin()
    else:
        entry.async_on_unload(async_at_started(hass, begin_soon))
