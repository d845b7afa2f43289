"""Diagnostics: what somebody needs to see who is asked for help with a line."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .coordinator import RecBmsConfigEntry
from .protocol.errors import without_query


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: RecBmsConfigEntry
) -> dict[str, Any]:
    """Return settings, readings, counters and the last frames of an entry's line.

    Of an entry that is not set up there is only what it was given, its state and why.
    """
    given = {
        "data": {**entry.data, "port": without_query(entry.data["port"])},
        "options": dict(entry.options),
        "state": entry.state.value,
        "reason": without_query(entry.reason or ""),
    }
    if entry.state is not ConfigEntryState.LOADED:
        return given
    coordinator = entry.runtime_data
    return {
        **given,
        "available": coordinator.last_update_success,
        "poll_duration_s": round(coordinator.data.duration, 3),
        **coordinator.bms.diagnostics(),
    }
