"""What a battery has been through.

Cell voltages and state of charge are the BMS's own, and count once they were measured twice
running: of two measurements the one that goes less far is certain, whatever disturbed the other.
Charge is counted from the current, which is taken to change evenly between two measurements; over
gaps nothing is. The limits are those set at the time (CMAX, CMIN).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..alarms import ErrorNumber
from ..bms import Update
from ..energy import Flow
from ..plausible import CELL_VOLTS, CHARGE_FRACTION
from ..state import Location, State
from .headroom import Side
from .kept import amount, entries, not_after, number, position

_SECONDS_PER_HOUR = 3600
_SAME_VOLTS = 0.02
"""By which a cell may differ from the highest or lowest one, of which it is told a moment later."""
_MISMEASURED = frozenset(
    {ErrorNumber.CELLS_OR_ADDRESS, ErrorNumber.COMMUNICATION, ErrorNumber.CELL_MEASUREMENT}
)
"""Errors with which the BMS says that it does not know its cells' voltages."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """A cell voltage in V, when (Unix time) and where it was; positions from 1."""

    volts: float
    at: float
    unit: int | None
    cell: int | None


@dataclass(frozen=True, slots=True)
class Deepest:
    """The lowest state of charge, a fraction, and its Unix time."""

    state_of_charge: float
    at: float


class _End:
    """What there was at one end: how far a cell went, and how long one was beyond its limit."""

    def __init__(self, side: Side) -> None:
        self.extreme: Extreme | None = None
        self.seconds = 0.0
        self._side = side
        self._sign = 1 if side is Side.HIGH else -1
        self._limit = "cmax" if side is Side.HIGH else "cmin"
        self._before: Extreme | None = None
        self._was_beyond = False

    def add(self, state: State, now: float, elapsed: float | None) -> None:
        """Take what was measured `elapsed` s after the last time; None after a gap."""
        before, was_beyond = self._before, self._was_beyond
        self._before = seen = self._seen(state, now)
        limit = state.settings.get(self._limit)
        self._was_beyond = (
            seen is not None and limit is not None and self._sign * seen.volts > self._sign * limit
        )
        if elapsed is None or before is None or seen is None:
            return
        self._take(min(before, seen, key=self._how_far))
        if was_beyond and self._was_beyond:
            self.seconds += elapsed

    def correct(self, now: float) -> None:
        """Leave no time in the future."""
        if self.extreme is not None and self.extreme.at > now:
            self.extreme = replace(self.extreme, at=now)

    def _take(self, certain: Extreme) -> None:
        if self.extreme is None or self._how_far(certain) > self._how_far(self.extreme):
            self.extreme = certain

    def _how_far(self, extreme: Extreme) -> float:
        return self._sign * extreme.volts

    def _seen(self, state: State, now: float) -> Extreme | None:
        volts = self._side.first_cell(state)
        error = state.error
        if volts is None or (error is not None and error.present and error.number in _MISMEASURED):
            return None
        where = state.max_cell if self._side is Side.HIGH else state.min_cell
        return Extreme(volts, now, *_place(state, where, volts))


class Lifetime:
    """Adds up the life of one battery, since counting began.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self._clear()

    def _clear(self) -> None:
        self.since: float | None = None
        """Unix time."""
        self.deepest: Deepest | None = None
        self.charged = 0.0
        self.discharged = 0.0
        """Ah."""
        self._high = _End(Side.HIGH)
        self._low = _End(Side.LOW)
        self._flow = Flow(self._longest_gap)
        self._measured_at: float | None = None
        self._depth_before: Deepest | None = None

    @property
    def highest(self) -> Extreme | None:
        """The highest voltage that a cell ever had."""
        return self._high.extreme

    @property
    def lowest(self) -> Extreme | None:
        """The lowest voltage that a cell ever had."""
        return self._low.extreme

    @property
    def seconds_above(self) -> float:
        """For how long the highest cell was above CMAX."""
        return self._high.seconds

    @property
    def seconds_below(self) -> float:
        """For how long the lowest cell was below CMIN."""
        return self._low.seconds

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s; the same measurement counts once."""
        if update.measured_at != self._measured_at:
            elapsed = self._elapsed(update)
            self._count(update)
            self._high.add(update.state, now, elapsed)
            self._low.add(update.state, now, elapsed)
            self._look_how_deep(update.state.state_of_charge, now, elapsed)
        self._correct(now)

    def reset(self, now: float) -> None:
        """Forget all, and count from a Unix time in s."""
        self._clear()
        self.since = now

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept, in JSON's types."""
        kept = (self.highest, self.lowest, self.deepest)
        highest, lowest, deepest = (each and asdict(each) for each in kept)
        return {
            "since": self.since,
            "highest": highest,
            "lowest": lowest,
            "deepest": deepest,
            "charged": self.charged,
            "discharged": self.discharged,
            "seconds_above": self.seconds_above,
            "seconds_below": self.seconds_below,
        }

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        known = entries(kept)
        self._clear()
        self.since = amount(known.get("since"))
        self._high.extreme = _extreme(known.get("highest"))
        self._low.extreme = _extreme(known.get("lowest"))
        self.deepest = _deepest(known.get("deepest"))
        self.charged = amount(known.get("charged")) or 0.0
        self.discharged = amount(known.get("discharged")) or 0.0
        self._high.seconds = amount(known.get("seconds_above")) or 0.0
        self._low.seconds = amount(known.get("seconds_below")) or 0.0

    def _correct(self, now: float) -> None:
        """Leave no time in the future: the clock may have been set back."""
        self.since = now if self.since is None else not_after(self.since, now)
        self._high.correct(now)
        self._low.correct(now)
        if self.deepest is not None and self.deepest.at > now:
            self.deepest = replace(self.deepest, at=now)

    def _elapsed(self, update: Update) -> float | None:
        """Return the s since the last measurement; None where the battery was not heard since."""
        before, self._measured_at = self._measured_at, update.measured_at
        if before is None or update.measured_at < before:
            return None
        elapsed = update.measured_at - before
        return elapsed if update.continuous or elapsed <= self._longest_gap else None

    def _count(self, update: Update) -> None:
        flown = self._flow.add(
            update.state.current, update.measured_at, continuous=update.continuous
        )
        if flown is not None:
            self.charged += flown.charged / _SECONDS_PER_HOUR
            self.discharged += flown.discharged / _SECONDS_PER_HOUR

    def _look_how_deep(self, charge: float | None, now: float, elapsed: float | None) -> None:
        before = self._depth_before
        self._depth_before = seen = None if charge is None else Deepest(charge, now)
        if elapsed is None or before is None or seen is None:
            return
        certain = max(before, seen, key=lambda each: each.state_of_charge)
        if self.deepest is None or certain.state_of_charge < self.deepest.state_of_charge:
            self.deepest = certain


def _place(state: State, where: Location | None, volts: float) -> tuple[int | None, int | None]:
    """Return unit and cell of a voltage; None for both where they are not certain.

    Where a cell is, and all cells' voltages, are told by requests of their own, and may be older.
    """
    unit = None if where is None else where.position or state.position(where.unit)
    if where is None or unit is None:
        return None, None
    cells = state.cell_voltages
    if cells is not None:
        told = cells.get(unit, where.number)
        if told is None or abs(told - volts) > _SAME_VOLTS:
            return None, None
    return unit, where.number


def _extreme(kept: object) -> Extreme | None:
    known = entries(kept)
    volts, at = number(known.get("volts"), CELL_VOLTS), amount(known.get("at"))
    if volts is None or at is None:
        return None
    unit, cell = position(known.get("unit")), position(known.get("cell"))
    return Extreme(volts, at, unit, cell) if unit and cell else Extreme(volts, at, None, None)


def _deepest(kept: object) -> Deepest | None:
    known = entries(kept)
    charge, at = number(known.get("state_of_charge"), CHARGE_FRACTION), amount(known.get("at"))
    return None if charge is None or at is None else Deepest(charge, at)
