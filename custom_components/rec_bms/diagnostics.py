"""Diagnostics: what somebody needs to see who is asked for help with a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from .bank import BankConfigEntry, is_bank
from .coordinator import RecBmsConfigEntry
from .protocol.errors import without_query


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: RecBmsConfigEntry | BankConfigEntry
) -> dict[str, Any]:
    """Return settings, readings, counters and the last frames of an entry's line.

    Of a bank, return what each of its members told it.

    Of an entry that is not set up there is only what it was given, its state and why.
    """
    given = {
        "data": _without_secrets(entry.data),
        "options": dict(entry.options),
        "state": entry.state.value,
        "reason": without_query(entry.reason or ""),
    }
    if entry.state is not ConfigEntryState.LOADED:
        return given
    if is_bank(entry):
        return {**given, **entry.runtime_data.diagnostics()}
    coordinator = entry.runtime_data
    return {
        **given,
        "available": coordinator.last_update_success,
        "poll_duration_s": _rounded(coordinator.data.duration),
        **coordinator.bms.diagnostics(),
        "health": coordinator.health.as_dict(),
    }


def _without_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where in its owner's network a module is, and the key in an ESPHome URL."""
    redacted: dict[str, Any] = async_redact_data(dict(data), [CONF_HOST])
    if CONF_PORT in redacted:
        redacted[CONF_PORT] = without_query(redacted[CONF_PORT])
    return redacted


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
