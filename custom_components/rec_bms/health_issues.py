"""Repair issues about a battery's health: what was found that its owner has to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import RecBmsConfigEntry
from .protocol.health.measured import Measured
from .protocol.health.resistance import Step
from .protocol.state import Quantity

_CORRECTIONS = 3
"""How many the issue about drift names."""
_WATCHED = frozenset({Quantity.CELL_RESISTANCES})
"""What is asked for although no entity shows it: a loose connection can burn."""


@dataclass(frozen=True, slots=True)
class _Issue:
    key: str
    placeholders: Mapping[str, str]
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    data: Mapping[str, str | float] | None = None
    """What its dialog needs; None of one that has none."""


class HealthIssueWatch:
    """Raises an issue for each finding, and takes it back when the finding is gone."""

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Watch the coordinator of an entry until it is unloaded."""
        self._hass = hass
        self._entry = entry
        self._coordinator = entry.runtime_data
        self._raised: dict[str, _Issue] | None = None
        entry.async_on_unload(self._coordinator.async_add_listener(self.review, _WATCHED))
        self.review()

    @callback
    def review(self) -> None:
        """Look at what is found by now; while the BMS is away that is what was found before."""
        if not self._coordinator.last_update_success:
            return
        found = dict(self._found())
        if found == self._raised:
            return
        self._raised = found
        for issue_id in _ids(self._hass, self._entry) - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        for issue_id, issue in found.items():
            self._raise(issue_id, issue)

    def _raise(self, issue_id: str, issue: _Issue) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data=None if issue.data is None else dict(issue.data),
            is_fixable=issue.data is not None,
            severity=issue.severity,
            translation_key=issue.key,
            translation_placeholders={"title": self._entry.title, **issue.placeholders},
        )

    def _found(self) -> Iterator[tuple[str, _Issue]]:
        """Yield each issue by its id."""
        health, entry_id = self._coordinator.health, self._entry.entry_id
        if health.full.drifts:
            corrections = health.full.corrections[-_CORRECTIONS:]
            told = ", ".join(f"{each.by * 100:+.0f} %" for each in corrections)
            placeholders = {"times": str(len(corrections)), "corrections": told}
            yield f"drift_{entry_id}", _Issue("state_of_charge_drifts", placeholders)
        for step in health.resistances.steps:
            yield f"{_loose_id(self._entry)}{step.unit}_{step.cell}", _loose(step)
        if (offset := health.false_current.offset) is not None:
            placeholders = {"offset": f"{offset:+.2f}"}
            yield f"false_current_{entry_id}", _Issue("false_current", placeholders)
        if (issue := self._capacity()) is not None:
            yield capacity_issue_id(self._entry), issue

    def _capacity(self) -> _Issue | None:
        """Return the offer to set CAPA to what was measured, where that is another and may be."""
        coordinator = self._coordinator
        measured = coordinator.health.capacity.measured
        present = coordinator.data.state.settings.get("capa")
        if measured is None or present is None or "capa" not in coordinator.bms.settings:
            return None
        if not coordinator.changes_allowed:
            return None
        if abs(measured.capacity - present) <= measured.uncertainty:
            return None
        return _differs(self._entry, measured, present)


def _loose(step: Step) -> _Issue:
    return _Issue(
        "loose_connection",
        {
            "unit": str(step.unit),
            "cell": str(step.cell),
            "before": f"{step.before * 1000:.2f}",
            "now": f"{step.now * 1000:.2f}",
            "times": f"{step.times:.1f}",
        },
        ir.IssueSeverity.ERROR,
    )


def _differs(entry: ConfigEntry[Any], measured: Measured, present: float) -> _Issue:
    # What a finger would type: the setting takes no more digits than that.
    capacity = round(measured.capacity, 1)
    time = dt_util.as_local(dt_util.utc_from_timestamp(measured.at))
    return _Issue(
        "capacity_differs",
        {
            "measured": f"{capacity:g}",
            "uncertainty": f"{measured.uncertainty:.1f}",
            "start": f"{measured.start * 100:.0f}",
            "end": f"{measured.end * 100:.0f}",
            "time": time.strftime("%Y-%m-%d"),
            "present": f"{present:g}",
        },
        data={"entry_id": entry.entry_id, "capacity": capacity},
    )


def capacity_issue_id(entry: ConfigEntry[Any]) -> str:
    """Return the id of the issue that offers to set an entry's CAPA."""
    return f"capacity_{entry.entry_id}"


def _loose_id(entry: ConfigEntry[Any]) -> str:
    return f"loose_{entry.entry_id}_"


def is_about_health(entry: ConfigEntry[Any], issue_id: str) -> bool:
    """Tell whether an issue of that id is about the health of an entry's battery."""
    entry_id = entry.entry_id
    whole = (f"drift_{entry_id}", f"false_current_{entry_id}", capacity_issue_id(entry))
    return issue_id in whole or issue_id.startswith(_loose_id(entry))


def _ids(hass: HomeAssistant, entry: ConfigEntry[Any]) -> set[str]:
    """Return the ids of all issues about an entry's health, those that are ignored included."""
    issues = ir.async_get(hass).issues
    return {
        issue_id
        for domain, issue_id in issues
        if domain == DOMAIN and is_about_health(entry, issue_id)
    }
