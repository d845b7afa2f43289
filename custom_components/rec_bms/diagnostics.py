"""Diagnostics: what somebody needs to see who is asked for help with a line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .coordinator import RecBmsConfigEntry
from .protocol.errors import without_query
from .protocol.rs485.instructions import BY_CODE
from .protocol.state import Reading


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
    connection = coordinator.client.connection
    values = coordinator.data.readings.values
    return {
        **given,
        "available": coordinator.last_update_success,
        "poll_duration_s": round(coordinator.data.poll_duration, 3),
        "supported_instructions": sorted(values),
        "unsupported_instructions": sorted(coordinator.schedule.unsupported),
        "readings": {c: _plain(v) for c, v in values.items() if not BY_CODE[c].settable},
        "settings": {c: _plain(v) for c, v in values.items() if BY_CODE[c].settable},
        "counters": connection.counters.as_dict(),
        "trace": [f"{each.time.isoformat()} {each}" for each in connection.trace],
    }


def _plain(reading: Reading) -> Any:
    if reading is None or isinstance(reading, float | int | str):
        return reading
    return asdict(reading)
