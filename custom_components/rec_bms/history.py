"""What a BMS's settings were, and who changed them: snapshots, one after the other.

Values are in the line's unit, as the BMS gave them; settings go by their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from .protocol.restoring import CALIBRATION, COUNTERS, same

_UNNAMED_AT_MOST = 200
_COUNTS_BY_ITSELF = COUNTERS | {"SOCS"}
"""What changes without anybody changing it."""
NOT_REPORTED = _COUNTS_BY_ITSELF | CALIBRATION
"""What may be changed elsewhere without a repair issue."""
_ABOUT = 1e-3
"""Share of a value: one in the last of the four digits that a BMS may give of what it was sent."""


class Reason(StrEnum):
    """Why there is a snapshot."""

    FIRST = "first"
    HOME_ASSISTANT = "home_assistant"
    ELSEWHERE = "elsewhere"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting's value before and after."""

    old: float
    new: float

    def as_list(self) -> list[float]:
        """Return both, to be kept or told."""
        return [self.old, self.new]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All settings at a time (UTC); `user` is the name of who changed something."""

    time: datetime
    reason: Reason
    values: Mapping[str, float]
    changes: Mapping[str, Change] = field(default_factory=dict)
    name: str | None = None
    user: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can keep."""
        return {**self.summary(), "values": dict(self.values)}

    def summary(self) -> dict[str, Any]:
        """Return what a list of snapshots tells of it."""
        return {
            "name": self.name,
            "time": self.time.isoformat(),
            "reason": str(self.reason),
            "user": self.user,
            "changes": {code: change.as_list() for code, change in self.changes.items()},
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was kept. Raises what is raised by something else."""
        return cls(
            time=datetime.fromisoformat(kept["time"]),
            reason=Reason(kept["reason"]),
            values={code: _number(value) for code, value in kept["values"].items()},
            changes={
                code: Change(_number(old), _number(new))
                for code, (old, new) in kept["changes"].items()
            },
            name=kept["name"],
            user=kept["user"],
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """A value that is about to be set, or was sent and not read back; `user` is who wanted it."""

    value: float
    user: str | None

    def explains(self, value: float) -> bool:
        """Tell whether a value that is found may be what became of it."""
        return abs(value - self.value) <= _ABOUT * abs(self.value)


@dataclass(frozen=True, slots=True)
class Report:
    """A change that was made elsewhere, to which its owner has not said anything yet."""

    change: Change
    time: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """Which BMS it is, as far as it tells."""

    model: str | None = None
    serial_number: int | None = None

    def is_another(self, other: Unit) -> bool:
        """Tell whether two cannot be one BMS, which new software may have given another name."""
        if self.serial_number is not None and other.serial_number is not None:
            return self.serial_number != other.serial_number
        return None not in (self.model, other.model) and self.model != other.model

    def with_more(self, other: Unit) -> Unit:
        """Return what both tell of one BMS."""
        return Unit(
            self.model if other.model is None else other.model,
            self.serial_number if other.serial_number is None else other.serial_number,
        )


class History:
    """The snapshots of one entry, oldest first; it is told things as they happen."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.reports: dict[str, Report] = {}
        self._intents: dict[str, tuple[Intent, ...]] = {}
        self._unit = Unit()
        self._values: dict[str, float] = {}

    @property
    def values(self) -> Mapping[str, float]:
        """The values that this BMS told last, whenever that was."""
        return self._values

    def meet(self, unit: Unit) -> bool:
        """Be told which BMS it is, and tell whether that is news.

        Another BMS has changed nothing: its values are first ones, and what was kept of its
        predecessor stays, to be restored to it.
        """
        if unit.is_another(self._unit):
            self._values.clear()
            self.reports.clear()
            self._intents.clear()
            self._unit = unit
            return True
        before, self._unit = self._unit, self._unit.with_more(unit)
        return self._unit != before

    def intend(self, code: str, intent: Intent) -> None:
        """Be told of a value before it is sent."""
        self._intents[code] = (*self._intents.get(code, ()), intent)

    def withdraw(self, code: str, intent: Intent) -> None:
        """Be told that the value was not sent after all, or what became of it."""
        left = tuple(each for each in self._intents.pop(code, ()) if each is not intent)
        if left:
            self._intents[code] = left

    def read(self, values: Mapping[str, float], now: datetime) -> bool:
        """Be told what was read, and tell whether anything of it is to be kept.

        What was sent before and not read back explains what is found now.
        """
        if not self._values:
            return self._begin(values, now)
        changed = False
        others: dict[str, float] = {}
        for code, value in values.items():
            intents = self._intents.pop(code, ())
            changed = changed or bool(intents)
            if intent := next((each for each in intents if each.explains(value)), None):
                self.changed({code: value}, now, Reason.HOME_ASSISTANT, intent.user)
            else:
                others[code] = value
        return self.changed(others, now, Reason.ELSEWHERE) or changed

    def changed(
        self, values: Mapping[str, float], now: datetime, reason: Reason, user: str | None = None
    ) -> bool:
        """Keep values, and tell whether any of them is news.

        One that was never told before has not changed: it joins what was kept last.
        """
        new = {code: value for code, value in values.items() if code not in self._values}
        changes = {
            code: Change(self._values[code], value)
            for code, value in values.items()
            if code not in new and not same(self._values[code], value)
        }
        self._values.update(new)
        self._values.update({code: change.new for code, change in changes.items()})
        if new:
            self._complete(new)
        # Counting is no change of a setting, and 200 snapshots of it would leave no others.
        by_itself = reason is Reason.ELSEWHERE and changes.keys() <= _COUNTS_BY_ITSELF
        if not changes or by_itself:
            return bool(new)
        self._add(now, reason, changes, user)
        return True

    def name(self, name: str | None, values: Mapping[str, float], now: datetime) -> Snapshot:
        """Keep values that were just read, under a name."""
        snapshot = Snapshot(self._time(now), Reason.NAMED, dict(values), {}, name)
        self._append(snapshot)
        return snapshot

    def find(self, wanted: str) -> Snapshot | None:
        """Return the snapshot of a name, or of a time as it is listed."""
        for snapshot in self.snapshots:
            if snapshot.name == wanted:
                return snapshot
        try:
            time = datetime.fromisoformat(wanted)
        except ValueError:
            return None
        if time.tzinfo is None:
            return None
        return next((each for each in self.snapshots if each.time == time), None)

    def accept(self, reports: Mapping[str, Report]) -> None:
        """Be told that the owner wants these changes to stay; newer ones he has not seen."""
        for code, report in reports.items():
            if self.reports.get(code) == report:
                del self.reports[code]

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can keep."""
        return {
            "model": self._unit.model,
            "serial_number": self._unit.serial_number,
            "values": dict(self._values),
            "snapshots": [snapshot.as_dict() for snapshot in self.snapshots],
            "intents": {
                code: [asdict(intent) for intent in intents]
                for code, intents in self._intents.items()
            },
            "reports": {
                code: {"change": report.change.as_list(), "time": report.time.isoformat()}
                for code, report in self.reports.items()
            },
        }

    @classmethod
    def from_dict(cls, kept: Any) -> Self:
        """Return what was kept. Raises ValueError where it is something else."""
        history = cls()
        try:
            history._unit = Unit(kept["model"], kept["serial_number"])
            history._values = {code: _number(value) for code, value in kept["values"].items()}
            history.snapshots = [Snapshot.from_dict(each) for each in kept["snapshots"]]
            history._intents = {
                code: tuple(Intent(_number(each["value"]), each["user"]) for each in intents)
                for code, intents in kept["intents"].items()
            }
            history.reports = {
                code: Report(
                    Change(*map(_number, each["change"])), datetime.fromisoformat(each["time"])
                )
                for code, each in kept["reports"].items()
            }
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            raise ValueError(f"these are no snapshots: {err!r}") from err
        if history._values and not history.snapshots:
            raise ValueError("these are values of no snapshot")
        return history

    def _begin(self, values: Mapping[str, float], now: datetime) -> bool:
        if not values:
            return False
        self._values.update(values)
        self._append(Snapshot(self._time(now), Reason.FIRST, dict(values)))
        return True

    def _complete(self, values: Mapping[str, float]) -> None:
        """Have what was told for the first time join what was kept last by itself."""
        last = self.snapshots[-1]
        if last.reason is not Reason.NAMED:
            self.snapshots[-1] = replace(last, values={**last.values, **values})

    def _add(
        self, now: datetime, reason: Reason, changes: dict[str, Change], user: str | None
    ) -> None:
        time = self._time(now)
        self._append(Snapshot(time, reason, dict(self._values), changes, user=user))
        for code, change in changes.items():
            self._report(code, change, time, reason)

    def _report(self, code: str, change: Change, time: datetime, reason: Reason) -> None:
        """Remember what the owner is to be asked about; what he has changed himself is answered."""
        before = self.reports.pop(code, None)
        if reason is not Reason.ELSEWHERE or code in NOT_REPORTED:
            return
        old = change.old if before is None else before.change.old
        if not same(old, change.new):
            self.reports[code] = Report(Change(old, change.new), time)

    def _append(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        unnamed = [each for each in self.snapshots if each.name is None]
        for old in unnamed[:-_UNNAMED_AT_MOST]:
            self.snapshots.remove(old)

    def _time(self, now: datetime) -> datetime:
        """Return a time that no other snapshot has, by which it is therefore known."""
        taken = {snapshot.time for snapshot in self.snapshots}
        while now in taken:
            now += timedelta(microseconds=1)
        return now


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value
