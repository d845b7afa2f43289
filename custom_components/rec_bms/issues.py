"""Repair issues: an error that stays, and a line that needs too many tries."""

from __future__ import annotations

from collections import deque

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .coordinator import RecBmsConfigEntry
from .protocol.errors import error_name
from .protocol.models import ErrorState

_ERROR_LASTS = 60.0
_WINDOW = 900.0
_FEWEST_EXCHANGES = 50
_FEWEST_IN_LONG = 20
_LONG = 600.0
_BAD_SHARE = 0.10
_GOOD_SHARE = 0.05


class IssueWatch:
    """Raises issues about one BMS, and takes them back when they are settled."""

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Watch the coordinator of an entry until it is unloaded."""
        self._hass = hass
        self._entry = entry
        self._coordinator = entry.runtime_data
        self._number: int | None = None
        self._number_since = 0.0
        self._raised: ErrorState | None = None
        self._polls: deque[tuple[float, int, int]] = deque()
        entry.async_on_unload(self._coordinator.async_add_listener(self.review))
        entry.async_on_unload(self._take_back_all)

    @callback
    def review(self) -> None:
        """Look at what the last poll told."""
        if not self._coordinator.last_update_success:
            return
        now = self._hass.loop.time()
        self._review_error(now)
        self._review_line(now)

    def _review_error(self, now: float) -> None:
        """Go by the number: one error may wander from cell to cell."""
        if (error := self._coordinator.data.readings.error) is None:
            return
        number = error.number if error.present else None
        if number != self._number:
            self._number, self._number_since = number, now
            self._raised = None
            ir.async_delete_issue(self._hass, DOMAIN, self._error_id)
        if error.present and now - self._number_since >= _ERROR_LASTS:
            self._raise_error(error)

    def _raise_error(self, error: ErrorState) -> None:
        if self._raised == error:
            return
        self._raised = error
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._error_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=f"error_{error_name(error.number)}",
            translation_placeholders={
                "title": self._entry.title,
                "number": str(error.number),
                "unit": str(error.unit),
                "location": str(error.location),
            },
        )

    def _review_line(self, now: float) -> None:
        data = self._coordinator.data
        self._polls.append((now, data.exchanges, data.repeated_exchanges))
        while self._polls[0][0] < now - _WINDOW:
            self._polls.popleft()
        then, exchanges_then, repeated_then = self._polls[0]
        exchanges = data.exchanges - exchanges_then
        # Who polls seldom has to look longer.
        if exchanges < (_FEWEST_IN_LONG if now - then >= _LONG else _FEWEST_EXCHANGES):
            return
        share = (data.repeated_exchanges - repeated_then) / exchanges
        if share > _BAD_SHARE:
            self._raise_line(share)
        elif share < _GOOD_SHARE:
            ir.async_delete_issue(self._hass, DOMAIN, self._line_id)

    def _raise_line(self, share: float) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._line_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="bad_line",
            translation_placeholders={
                "title": self._entry.title,
                "percent": f"{share * 100:.0f}",
            },
        )

    @property
    def _error_id(self) -> str:
        return f"error_{self._entry.entry_id}"

    @property
    def _line_id(self) -> str:
        return f"line_{self._entry.entry_id}"

    @callback
    def _take_back_all(self) -> None:
        ir.async_delete_issue(self._hass, DOMAIN, self._error_id)
        ir.async_delete_issue(self._hass, DOMAIN, self._line_id)
