"""When a battery was last full, and what its BMS then put right.

A BMS counts current, and puts its count at 100 % when a cell has reached CHAR while charging. So a
battery is full when the BMS tells 100 % and its highest cell is, or was just now, at CHAR. The
count alone is not enough: it stops at 100 % wherever the battery is, and an owner may set it
(SOCS). Source: docs/decisions.md.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..bms import Update
from ..energy import Flow, Flown
from ..plausible import CHARGE_FRACTION, Bounds
from ..state import State
from .kept import amount, entries, not_after, number

_FULL = 0.9995
"""What is shown as 100.0 %."""
_NOT_FULL = 0.99
"""Below it another full charge may come: a count that flickers around 100 % is one."""
_AT_END = 0.02
_NEAR_END = 0.05
"""V below CHAR at which a cell has reached it: a poll sees it a little earlier, or later, rested.
The wider one is for a count that has jumped to 100 %, which is a sign of its own."""
_JUMP = 0.005
_JUST_NOW = 900.0
"""Seconds."""
_SET_APART = 0.05
"""By which SOCS, once it has changed, differs from the count where it was set: there are units on
which it follows the count, a minute or two behind it."""
_HIDDEN = 0.01
"""What may be hidden between two measurements, a fraction of CAPA: more makes a jump uncertain."""
_HOLDS = 3600.0
"""Seconds after which a battery that is held full was full anew."""
_BRIDGED = 900.0
"""Seconds over which the BMS's own count stands in for what was not heard."""
_DEEP_ENOUGH = 0.95
"""A count that did not go below it had little to go wrong in."""
_LARGE = 0.05
_RUNNING = 3
_KEPT = 10
_ANY_CORRECTION: Bounds = (-10, 1.1)
"""A count that stands at 100 % while charge comes in may be off by more than all of it."""
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Correction:
    """By which fraction the state of charge was put right, at a Unix time."""

    at: float
    by: float


@dataclass(frozen=True, slots=True)
class _Noted:
    """The BMS's count, a fraction, up to which all charge is counted, and its Unix time."""

    count: float
    at: float


class FullCharge:
    """Follows one battery from full to full.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, longest_gap: float) -> None:
        self.last: float | None = None
        """Unix time at which the battery was last seen to be full."""
        self.charged: float | None = None
        self.discharged: float | None = None
        """Ah since then; None where some of it was not heard."""
        self.corrections: tuple[Correction, ...] = ()
        """The last few, of charges after which the count had something to go wrong in."""
        self._flow = Flow(longest_gap)
        self._measured_at: float | None = None
        self._noted: _Noted | None = None
        self._is_behind = False
        self._end = _EndOfCharge()
        self._count = _Reckoning()
        self._is_full = False
        self._lowest = 1.0
        self._setting: float | None = None
        self._was_set = False

    @property
    def correction(self) -> float | None:
        """By which fraction the count was last put right; negative where it was too high."""
        return self.corrections[-1].by if self.corrections else None

    @property
    def drifts(self) -> bool:
        """Whether three corrections running were large, and of one sign."""
        last = [each.by for each in self.corrections[-_RUNNING:]]
        return len(last) == _RUNNING and (min(last) > _LARGE or max(last) < -_LARGE)

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s; the same measurement counts once."""
        state = update.state
        self._look_for_a_set(state)
        if update.measured_at != self._measured_at:
            self._measured_at = update.measured_at
            flown = self._flow.add(state.current, update.measured_at, continuous=update.continuous)
            self._add_up(flown, state, now)
            self._count.add(state, flown, update.measured_at)
            self._end.add(state, update.measured_at)
            self._look(state.state_of_charge, now)
        self._correct(now)

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept, in JSON's types."""
        return {
            "last": self.last,
            "charged": self.charged,
            "discharged": self.discharged,
            "corrections": [asdict(each) for each in self.corrections],
            "noted": None if self._noted is None else asdict(self._noted),
            "is_full": self._is_full,
            "lowest": self._lowest,
            "was_set": self._was_set,
        }

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        known = entries(kept)
        self.last = amount(known.get("last"))
        charged, discharged = amount(known.get("charged")), amount(known.get("discharged"))
        whole = None not in (self.last, charged, discharged)
        self.charged, self.discharged = (charged, discharged) if whole else (None, None)
        self.corrections = _corrections(known.get("corrections"))
        self._noted = _noted(known.get("noted"))
        self._is_full = known.get("is_full") is True
        lowest = number(known.get("lowest"), CHARGE_FRACTION)
        self._lowest = 1.0 if lowest is None else lowest
        self._was_set = known.get("was_set") is True

    def _look_for_a_set(self, state: State) -> None:
        """Notice that the count was set: what it is put right by after that is not its own."""
        before, setting = self._setting, state.settings.get("socs")
        if setting is None:
            return
        self._setting = setting
        count = state.state_of_charge
        if before not in (None, setting) and count is not None:
            self._was_set |= abs(setting - count) > _SET_APART

    def _look(self, count: float | None, now: float) -> None:
        """Find out whether the battery is full."""
        if count is None:
            return
        if count < _NOT_FULL and self._is_full:
            self._is_full, self._end = False, _EndOfCharge()
        if count >= _FULL and self._end.was_reached(self._count.has_jumped, self._measured_at):
            self._fill(count, now)
        else:
            self._lowest = min(self._lowest, count)

    def _fill(self, count: float, now: float) -> None:
        if not self._is_full:
            self._judge(now)
            self._lowest, self._was_set = 1.0, False
        elif self.last is not None and now - self.last < _HOLDS:
            return
        self._is_full = True
        self.last = now
        self.charged = self.discharged = 0.0
        self._noted, self._is_behind = _Noted(count, now), False

    def _judge(self, now: float) -> None:
        """Keep by how much the count is put right, where that is certain."""
        by = self._count.put_right_by
        if by is None or self._was_set:
            return
        if self._lowest < _DEEP_ENOUGH or abs(by) > _LARGE:
            self.corrections = (*self.corrections, Correction(now, by))[-_KEPT:]

    def _add_up(self, flown: Flown | None, state: State, now: float) -> None:
        """Count the charge since the battery was full."""
        if self.charged is None or self.discharged is None:
            return
        count = state.state_of_charge
        if flown is None:
            self._is_behind = True
        if self._is_behind or flown is None:
            self._catch_up(count, state.settings.get("capa"), now)
        else:
            self.charged += flown.charged / _SECONDS_PER_HOUR
            self.discharged += flown.discharged / _SECONDS_PER_HOUR
        if not self._is_behind:
            self._noted = None if count is None else _Noted(count, now)

    def _catch_up(self, count: float | None, capacity: float | None, now: float) -> None:
        """Take what was not heard from the BMS's own count, over a short time."""
        noted = self._noted
        if noted is None or not 0 <= now - noted.at <= _BRIDGED:
            self.charged = self.discharged = None
        elif count is None or capacity is None:
            return
        elif self.charged is not None and self.discharged is not None:
            came_in = (count - noted.count) * capacity
            self.charged += max(came_in, 0.0)
            self.discharged += max(-came_in, 0.0)
        self._is_behind = False

    def _correct(self, now: float) -> None:
        """Leave no time in the future: the clock may have been set back."""
        if self.last is not None:
            self.last = not_after(self.last, now)
        if self._noted is not None and self._noted.at > now:
            self._noted = None
        if self.corrections and self.corrections[-1].at > now:
            self.corrections = tuple(
                replace(each, at=not_after(each.at, now)) for each in self.corrections
            )


class _EndOfCharge:
    """When the highest cell was last at, or near, the voltage where charging ends."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._near: float | None = None

    def add(self, state: State, measured_at: float) -> None:
        """Take a measurement, by the event loop's clock."""
        volts, end = state.max_cell_voltage, state.settings.get("char")
        if volts is None or end is None:
            return
        if volts >= end - _NEAR_END:
            self._near = measured_at
        if volts >= end - _AT_END:
            self._at = measured_at

    def was_reached(self, has_jumped: bool, measured_at: float | None) -> bool:
        """Tell whether a cell was there just now; near it is enough where the count has jumped."""
        reached = self._near if has_jumped else self._at
        return (
            reached is not None
            and measured_at is not None
            and 0 <= measured_at - reached <= _JUST_NOW
        )


class _Reckoning:
    """Goes on counting where the BMS's own count has come to 100 %, or was put there.

    By what that differs from 100 % when the battery is full, the BMS has put its count right.
    """

    def __init__(self) -> None:
        self._count: float | None = None
        self._hidden = 0.0
        self._amperes: float | None = None
        self._measured_at = 0.0

    @property
    def put_right_by(self) -> float | None:
        """The fraction; None where it is not certain."""
        return None if self._count is None or self._hidden > _HIDDEN else 1 - self._count

    @property
    def has_jumped(self) -> bool:
        """Whether the BMS tells more than it can have counted."""
        by = self.put_right_by
        return by is not None and by > _JUMP

    def add(self, state: State, flown: Flown | None, measured_at: float) -> None:
        """Take what the BMS tells, and what has flown since the last time."""
        amperes, self._amperes = self._amperes, state.current
        seconds, self._measured_at = measured_at - self._measured_at, measured_at
        told, capacity = state.state_of_charge, state.settings.get("capa")
        if told is not None and told < _FULL:
            self._count, self._hidden = told, 0.0
            return
        if told is None or flown is None or not capacity or self._count is None:
            self._count = None
            return
        whole = capacity * _SECONDS_PER_HOUR
        self._count += (flown.charged - flown.discharged) / whole
        # It can be off by that, as the current may have changed at any time between the two.
        changed = abs((state.current or 0.0) - (amperes or 0.0)) * seconds / 2
        self._hidden = max(self._hidden, changed / whole)


def _corrections(kept: object) -> tuple[Correction, ...]:
    """Return the newest that can be read: what comes before a gap in them is not running on."""
    found: list[Correction] = []
    for each in reversed(kept if isinstance(kept, list) else []):
        known = entries(each)
        at, by = amount(known.get("at")), number(known.get("by"), _ANY_CORRECTION)
        if at is None or by is None:
            break
        found.append(Correction(at, by))
    return tuple(reversed(found[:_KEPT]))


def _noted(kept: object) -> _Noted | None:
    known = entries(kept)
    count, at = number(known.get("count"), CHARGE_FRACTION), amount(known.get("at"))
    return None if count is None or at is None else _Noted(count, at)
