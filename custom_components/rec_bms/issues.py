"""Repair issues: an error that stays, a line that needs too many tries, a BMS read twice."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .changes import changes_issue_id
from .const import DOMAIN
from .coordinator import RecBmsConfigEntry
from .health_issues import is_about_health
from .protocol.alarms import ErrorWatch, error_name
from .protocol.state import ErrorState

_WINDOW = 900.0
_FEWEST_EXCHANGES = 50
_FEWEST_IN_LONG = 20
_LONG = 600.0
_BAD_SHARE = 0.10
_GOOD_SHARE = 0.05


class IssueWatch:
    """Raises issues about one BMS, and takes them back when they are settled.

    There is one for each error number, so that one that was ignored hides no other.
    """

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Watch the coordinator of an entry until it is unloaded."""
        self._hass = hass
        self._entry = entry
        self._coordinator = entry.runtime_data
        self._told = _numbers_told(hass, entry)
        self._errors = ErrorWatch(self._told)
        self._seen: ErrorState | None = None
        self._updates: deque[tuple[float, int, int]] = deque()
        entry.async_on_unload(self._coordinator.async_add_listener(self.review))
        entry.async_on_unload(partial(async_take_back, hass, entry))
        self._review_errors(hass.loop.time())
        self._review_ways()

    @callback
    def review(self) -> None:
        """Look at what the last poll told."""
        if not self._coordinator.last_update_success:
            return
        now = self._hass.loop.time()
        self._review_errors(now)
        self._review_line(now)
        self._review_ways()

    def _review_errors(self, now: float) -> None:
        """Go by the number: one error may wander from cell to cell."""
        error = self._coordinator.data.state.error
        # What was not read anew was not reported again.
        if error is None or error is self._seen:
            return
        self._seen = error
        self._errors.update(error, now)
        for number in self._told.difference(self._errors.there):
            self._told.remove(number)
            ir.async_delete_issue(self._hass, DOMAIN, _error_id(self._entry, number))
        for lasting in self._errors.lasting:
            self._raise_error(lasting)

    def _raise_error(self, error: ErrorState) -> None:
        self._told.add(error.number)
        key, placeholders = _error_text(self._entry, error)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            _error_id(self._entry, error.number),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    def _review_line(self, now: float) -> None:
        update = self._coordinator.data
        self._updates.append((now, update.exchanges, update.repeated_exchanges))
        while self._updates[0][0] < now - _WINDOW:
            self._updates.popleft()
        # What the first one counted lies before the time that is looked at.
        counted = [*self._updates][1:]
        exchanges = sum(each[1] for each in counted)
        # Who polls seldom has to look longer.
        long = now - self._updates[0][0] >= _LONG
        if exchanges < (_FEWEST_IN_LONG if long else _FEWEST_EXCHANGES):
            return
        share = sum(each[2] for each in counted) / exchanges
        if share > _BAD_SHARE:
            self._warn(_line_id(self._entry), "bad_line", percent=f"{share * 100:.0f}")
        elif share < _GOOD_SHARE:
            ir.async_delete_issue(self._hass, DOMAIN, _line_id(self._entry))

    def _review_ways(self) -> None:
        """Tell of a serial line beside the WiFi module, which is itself the line's master."""
        if CONF_HOST not in self._entry.data:
            return
        serial = self._coordinator.data.state.serial_number
        other = None if serial is None else _over_a_line(self._hass, serial)
        if other is None:
            ir.async_delete_issue(self._hass, DOMAIN, _ways_id(self._entry))
            return
        self._warn(_ways_id(self._entry), "two_ways", other=other.title, serial=str(serial))

    def _warn(self, issue_id: str, key: str, **placeholders: str) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"title": self._entry.title, **placeholders},
        )


@callback
def async_take_back(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Take back what its owner has not ignored: Home Assistant would forget that he did."""
    for issue in _issues_of(hass, entry):
        if issue.dismissed_version is None:
            ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_errors(
    hass: HomeAssistant, entry: RecBmsConfigEntry
) -> list[tuple[str, dict[str, str]]] | None:
    """Return text and placeholders of the error that the BMS reports, and of others in turn.

    Returns None where the BMS does not tell.
    """
    error = entry.runtime_data.data.state.error
    if error is None or not error.present:
        return None if error is None else []
    texts = {error.number: _error_text(entry, error)}
    for issue in _issues_of(hass, entry):
        number = _error_number(entry, issue)
        if number is not None and issue.active and issue.translation_key is not None:
            text = issue.translation_key, issue.translation_placeholders or {}
            texts.setdefault(number, text)
    return [*texts.values()]


@callback
def async_review_members(hass: HomeAssistant, entry: ConfigEntry[Any], gone: int) -> None:
    """Tell that members of a bank were deleted, or take that back where none is missing."""
    if not gone:
        ir.async_delete_issue(hass, DOMAIN, _members_id(entry))
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        _members_id(entry),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="bank_member_gone",
        translation_placeholders={"title": entry.title, "gone": str(gone)},
    )


@callback
def async_delete_issues(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete all issues of an entry, ignored or not."""
    for issue in _issues_of(hass, entry):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


def _issues_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[ir.IssueEntry]:
    return [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        and (
            issue.issue_id
            in (_line_id(entry), _ways_id(entry), _members_id(entry), changes_issue_id(entry))
            or _error_number(entry, issue) is not None
            or is_about_health(entry, issue.issue_id)
        )
    ]


def _numbers_told(hass: HomeAssistant, entry: RecBmsConfigEntry) -> set[int]:
    """Return the numbers of the errors that there are issues about, as of ignored ones."""
    numbers = (_error_number(entry, issue) for issue in _issues_of(hass, entry))
    return {number for number in numbers if number is not None}


def _error_number(entry: ConfigEntry[Any], issue: ir.IssueEntry) -> int | None:
    number = issue.issue_id.removeprefix(_error_id(entry, ""))
    return int(number) if number.isdecimal() else None


def _error_text(entry: RecBmsConfigEntry, error: ErrorState) -> tuple[str, dict[str, str]]:
    """Return what says what an error is and what to do: the key of its text, its placeholders."""
    unit = entry.runtime_data.data.state.position(error.unit)
    return f"error_{error_name(error.number)}", {
        "title": entry.title,
        "number": str(error.number),
        "unit": "?" if unit is None else str(unit),
        "location": "?" if error.location is None else str(error.location),
    }


def _error_id(entry: ConfigEntry[Any], number: int | str) -> str:
    return f"error_{entry.entry_id}_{number}"


def _line_id(entry: ConfigEntry[Any]) -> str:
    return f"line_{entry.entry_id}"


def _ways_id(entry: ConfigEntry[Any]) -> str:
    return f"ways_{entry.entry_id}"


def _members_id(entry: ConfigEntry[Any]) -> str:
    return f"members_{entry.entry_id}"


def _over_a_line(hass: HomeAssistant, serial_number: int) -> RecBmsConfigEntry | None:
    """Return the entry that reads a BMS of that serial number over a serial line."""
    entries: list[RecBmsConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        if CONF_PORT not in entry.data:
            continue
        if entry.runtime_data.data.state.serial_number == serial_number:
            return entry
    return None
