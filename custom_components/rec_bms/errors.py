"""Tells of errors that appear and are gone, once each, whether anything shows them or not."""

from __future__ import annotations

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.signal_type import SignalType

from .const import DOMAIN
from .coordinator import RecBmsConfigEntry
from .hearing import async_when_heard
from .protocol.state import ErrorState, Quantity

APPEARED = "appeared"
CLEARED = "cleared"

SIGNAL_ERROR = SignalType[RecBmsConfigEntry, str, ErrorState](f"{DOMAIN}_error")
"""Is sent with an entry, what became of an error, and the error."""


class ErrorTeller:
    """Tells when the BMS begins and when it ceases to report an error.

    What was told last is kept over restarts and power cuts, so that an error is told of once. What
    changed while Home Assistant was down is told when it has started: earlier, no automation hears.
    """

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Tell until the entry is unloaded; its entities are there."""
        self._hass = hass
        self._entry = entry
        async_when_heard(hass, entry, self._begin)

    @callback
    def _begin(self) -> None:
        stop = self._entry.runtime_data.async_add_listener(self._tell_change)
        self._entry.async_on_unload(stop)
        self._tell_change()

    @callback
    def _tell_change(self) -> None:
        """Tell that the old error is gone, that a new one is there, or both.

        An error that wanders from cell to cell is still the same.
        """
        coordinator = self._entry.runtime_data
        state = coordinator.data.state
        error = state.error if state.has(Quantity.ERROR) else None
        if error is None or not coordinator.last_update_success:
            return
        before, now = coordinator.memory.told, error if error.present else None
        if _number(now) == _number(before):
            return
        coordinator.memory.keep_told(now)
        if before is not None:
            self._tell(CLEARED, before)
        if now is not None:
            self._tell(APPEARED, now)

    def _tell(self, what: str, error: ErrorState) -> None:
        async_dispatcher_send(self._hass, SIGNAL_ERROR, self._entry, what, error)


def _number(error: ErrorState | None) -> int | None:
    return None if error is None else error.number
