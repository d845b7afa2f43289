"""Whether cells are weak or out of balance.

At the end of a charge it shows what each cell lacks against the first that is full, near empty what
is left in each. Between the two the same charge went through all cells, so what a cell lacks and
what is left in it together say by how much it is smaller than the others:

- a cell that is among the first at both ends is small: weak;
- a cell that is behind at the top, or ahead there and not the first at the bottom, is as large as
  the others, but out of balance with them.

What lies between is left open, and what was found before stands: a diagnosis is changed by what is
certain only. Cells at the end of a charge are looked at twice before they are called unbalanced.

Of LiFePO4 the steep ends of the curve alone can be read, so what a cell lacks is known up to some
percent; what is more shows near empty, where the others have so much more left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Any

from ..bms import Update
from ..plausible import Bounds
from ..state import PerUnit, State
from .kept import amount, entries, not_after, number, position
from .open_circuit import at_least_left_in, lacks, left_in
from .rest import RestWatch
from .shape import Rows
from .spread import FullWatch, Place, all_cells, in_order, place

_IRON = (3, 4)
_APART = {3: 0.045, 4: 0.045}
_APART_OTHERWISE = 0.055
"""The part of the charge that a cell lacks when it is out of balance; and what all may lack when
they are in balance. Between the two nothing is certain: curves differ."""
_TOGETHER = 0.028
_SMALLER = 0.05
"""The part by which a weak cell is smaller than the others; and by which a sound one may be."""
_SOUND = 0.035
_SMALLER_AT_THE_BOTTOM = 0.025
"""What of that has to show near empty: what was ahead at the top may have been balanced since."""
_BEHIND = 0.02
"""What a cell may lack against the others to be among the first that are full."""
_SETTLES = 1.5
"""By how much a lasting current lifts a cell more than its resistance says."""
_NEARLY_FULL = 0.93
_A_PART: Bounds = (0.0, 1.0)


class Finding(StrEnum):
    """What is found."""

    BALANCED = "balanced"
    UNBALANCED = "unbalanced"
    WEAK_CELL = "weak_cell"
    NOT_ENOUGH_DATA = "not_enough_data"


class Reason(StrEnum):
    """Why it is found."""

    SAME_CELL_FIRST_AT_BOTH_ENDS = "same_cell_first_at_both_ends"
    DIFFERENT_CELLS_FIRST = "different_cells_first"
    CELLS_CLOSE_TOGETHER = "cells_close_together"
    NOT_FULL_YET = "not_full_yet"
    NOT_EMPTY_YET = "not_empty_yet"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, of which cell, why, and the imbalance in Ah."""

    finding: Finding
    unit: int | None
    cell: int | None
    reasons: tuple[Reason, ...]
    imbalance: float | None
    at: float | None


NOTHING_YET = Diagnosis(Finding.NOT_ENOUGH_DATA, None, None, (Reason.NOT_FULL_YET,), None, None)


@dataclass(frozen=True, slots=True)
class _Smallest:
    """The cell (from 0) that was first near empty: by which part it is smaller than the others.

    `more_left` is what the others then had left more than it.
    """

    index: int
    by: float
    more_left: float


class _Ends:
    """Finds the cells' voltages at the end of a charge, and where the first rests near empty."""

    def __init__(self, longest_gap: float) -> None:
        self._full = FullWatch()
        self._watch = RestWatch(longest_gap)
        self._awaits_rest = False
        self._was_full = False

    def top(self, update: Update, now: float, chemistry: float) -> list[float] | None:
        """Take an update; return the volts of all cells, without current, once a charge ended."""
        self._watch.add(update, now)
        iron = int(chemistry) in _IRON
        cells = self._full.add(update)
        began, self._was_full = self._full.is_full and not self._was_full, self._full.is_full
        if cells is not None and (iron or self._full.is_small):
            self._awaits_rest = False
            return self._without_current(cells, update.state)
        if iron:
            # At rest the steep end of its curve goes away within hours.
            return None
        self._awaits_rest = self._awaits_rest or began
        charge = update.state.state_of_charge
        if charge is None or charge < _NEARLY_FULL:
            self._awaits_rest = False
        if not self._awaits_rest or self._watch.rest is None:
            return None
        resting = all_cells(update.state)
        self._awaits_rest = resting is None
        return None if resting is None else in_order(resting)

    def bottom(self, state: State, chemistry: float) -> list[float] | None:
        """Return the volts of all cells while the first rests near empty."""
        lowest = state.min_cell_voltage
        if self._watch.rest is None or lowest is None or left_in(chemistry, lowest) is None:
            return None
        cells = all_cells(state)
        return None if cells is None else in_order(cells)

    def _without_current(self, cells: PerUnit, state: State) -> list[float]:
        """Return volts less what the last current made of each cell's resistance."""
        table = state.cell_resistances
        known = {} if table is None else {(unit, cell): ohms for unit, cell, ohms in table}
        amperes = self._full.amperes * _SETTLES
        return [
            (volts or 0.0) - amperes * (known.get((unit, cell)) or 0.0)
            for unit, cell, volts in cells
        ]


class Diagnosing:
    """Finds out whether a cell is weak or the battery is out of balance.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    `is_loose` tells whether a connection may be: then a cell seems to be full before the others.
    """

    def __init__(self, longest_gap: float, is_loose: Callable[[], bool] = lambda: False) -> None:
        self.diagnosis = NOTHING_YET
        self._is_loose = is_loose
        self._ends = _Ends(longest_gap)
        self._chemistry: float | None = None
        self._capacity: float | None = None
        self._rows = Rows()
        self._lacks: list[float] | None = None
        self._left: list[float] | None = None
        self._smallest: _Smallest | None = None
        self._apart_before = False

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        state = update.state
        self._chemistry = state.settings.get("chem") or self._chemistry
        self._capacity = state.settings.get("capa") or self._capacity
        if self._chemistry is None:
            return
        self._look_at_rows(state)
        if (at := self.diagnosis.at) is not None and at > now:
            self.diagnosis = replace(self.diagnosis, at=not_after(at, now))
        top = self._ends.top(update, now, self._chemistry)
        if top is not None and len(top) == sum(self._rows.known) and not self._is_loose():
            self._be_full(top, now)
        bottom = self._ends.bottom(state, self._chemistry)
        if bottom is not None and len(bottom) == sum(self._rows.known):
            self._be_empty(bottom)

    def balancing_hours(self, amperes: float) -> float | None:
        """Return the hours of balancing with a current in A that are still needed."""
        found = self.diagnosis
        if found.finding is not Finding.UNBALANCED or found.imbalance is None or amperes <= 0:
            return None
        return found.imbalance / amperes

    # -- the two ends ----------------------------------------------------------------------------

    def _look_at_rows(self, state: State) -> None:
        """Begin anew with another battery, or more of it."""
        if self._rows.add(state.cell_voltages):
            self.diagnosis = NOTHING_YET
            self._lacks = self._left = self._smallest = None
            self._apart_before = False

    def _be_empty(self, volts: list[float]) -> None:
        """Note what is left in each cell, where the first is emptiest."""
        if self._left is not None and self._chemistry is not None:
            lowest = at_least_left_in(self._chemistry, min(volts))
            if lowest is None or lowest >= min(self._left):
                return
        left = [at_least_left_in(self._chemistry or 0.0, each) for each in volts]
        known = [each for each in left if each is not None]
        self._left = known if len(known) == len(volts) else None

    def _be_full(self, volts: list[float], now: float) -> None:
        """Note what each cell lacks, compare with what was left, and find what that means."""
        highest = max(volts)
        lacking = [lacks(self._chemistry or 0.0, each, highest) for each in volts]
        known = [each for each in lacking if each is not None]
        if len(known) < len(volts):
            return
        before, self._lacks = self._lacks, known
        if self._left is not None and before is not None:
            self._smallest = _smallest(self._left, [before, known]) or self._smallest
        # Without a full before it, cells may have been balanced since: that looks like a weak one.
        self._left = None
        self._find(now)

    # -- what it means ---------------------------------------------------------------------------

    def _find(self, now: float) -> None:
        assert self._lacks is not None
        lacking, smallest = self._lacks, self._smallest
        middle, most, least = median(lacking), max(lacking), min(lacking)
        limit = _APART.get(int(self._chemistry or 0), _APART_OTHERWISE)
        apart, before = most - least >= limit, self._apart_before
        self._apart_before = apart
        sound = smallest is not None and smallest.by <= _SOUND
        behind = most - middle >= middle - least
        found = self.diagnosis
        if apart and not before and found.at is not None:
            return
        if apart and before and behind:
            self._say_unbalanced(lacking.index(most), now)
        elif smallest is not None and smallest.by >= _SMALLER:
            self._say_weak(smallest.index, now)
        elif apart and before and sound:
            self._say_unbalanced(lacking.index(least), now)
        elif sound and (found.finding is Finding.BALANCED or most - least <= _TOGETHER):
            self._say(Finding.BALANCED, None, (Reason.CELLS_CLOSE_TOGETHER,), now)
        else:
            self._say(Finding.NOT_ENOUGH_DATA, None, (Reason.NOT_EMPTY_YET,), now)

    def _say_weak(self, index: int, now: float) -> None:
        self._say(Finding.WEAK_CELL, index, (Reason.SAME_CELL_FIRST_AT_BOTH_ENDS,), now)

    def _say_unbalanced(self, index: int, now: float) -> None:
        self._say(Finding.UNBALANCED, index, (Reason.DIFFERENT_CELLS_FIRST,), now)

    def _say(
        self, finding: Finding, index: int | None, reasons: tuple[Reason, ...], now: float
    ) -> None:
        where = None if index is None else _place(self._rows.known, index)
        self.diagnosis = Diagnosis(
            finding,
            None if where is None else where.unit,
            None if where is None else where.cell,
            reasons,
            self._imbalance(index),
            now,
        )

    def _imbalance(self, index: int | None) -> float | None:
        """Return by how many Ah cells are out of balance; None where that cannot be told."""
        if self._lacks is None or self._capacity is None:
            return None
        apart, smallest = max(self._lacks) - min(self._lacks), self._smallest
        if int(self._chemistry or 0) in _IRON and apart >= _APART[3]:
            # More than the steep end of the curve shows: the other end may.
            if smallest is None or smallest.index != index:
                return None
            apart = max(apart, smallest.more_left)
        return apart * self._capacity

    # -- memory ----------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        found, smallest = self.diagnosis, self._smallest
        return {
            "cells": self._rows.known,
            "lacks": _parts(self._lacks),
            "left": _parts(self._left),
            "smallest": smallest and [smallest.index, smallest.by, smallest.more_left],
            "apart": self._apart_before,
            "finding": found.finding.value,
            "unit": found.unit,
            "cell": found.cell,
            "reasons": [reason.value for reason in found.reasons],
            "imbalance": found.imbalance,
            "at": found.at,
        }

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        told = entries(kept)
        rows = told.get("cells")
        counts = [position(count) for count in rows] if isinstance(rows, list) else []
        known = [count for count in counts if count is not None]
        if not known or len(known) < len(counts):
            return
        self._rows.known = known
        self._lacks = _read_parts(told.get("lacks"), sum(known))
        self._left = _read_parts(told.get("left"), sum(known))
        self._smallest = _read_smallest(told.get("smallest"), sum(known))
        self._apart_before = told.get("apart") is True
        self.diagnosis = _read_diagnosis(told) or NOTHING_YET


def _smallest(left: list[float], tops: Sequence[list[float]]) -> _Smallest | None:
    """Return which cell is smallest, by what was left in all and the tops before and after.

    None where the first that was empty was behind at the top: then it says nothing of its size.
    """
    index = left.index(min(left))
    ahead = [median(_others(top, index)) - top[index] for top in tops]
    if -min(ahead) > _BEHIND:
        return None
    more_left = median(_others(left, index)) - left[index]
    if more_left < _SMALLER_AT_THE_BOTTOM:
        return _Smallest(index, min(more_left, _SOUND), more_left)
    return _Smallest(index, more_left + min(ahead), more_left)


def _others(values: list[float], index: int) -> list[float]:
    return [*values[:index], *values[index + 1 :]]


def _place(rows: list[int], index: int) -> Place:
    return place(PerUnit(tuple((None,) * count for count in rows)), index)


def _parts(values: list[float] | None) -> list[float] | None:
    return None if values is None else [round(value, 4) for value in values]


def _read_parts(kept: object, count: int) -> list[float] | None:
    """Return parts of a charge, one for each cell; None unless all can be read."""
    if not isinstance(kept, list) or len(kept) != count:
        return None
    known = [part for each in kept if (part := number(each, _A_PART)) is not None]
    return known if len(known) == count else None


def _read_smallest(kept: object, count: int) -> _Smallest | None:
    if not isinstance(kept, list) or len(kept) != 3:
        return None
    index, by = number(kept[0], (0, count - 1)), number(kept[1], (-1.0, 1.0))
    more_left = number(kept[2], _A_PART)
    if index is None or by is None or more_left is None or index != int(index):
        return None
    return _Smallest(int(index), by, more_left)


def _read_diagnosis(told: Any) -> Diagnosis | None:
    """Return a diagnosis that was kept; None unless all of it can be read."""
    at, reasons = amount(told.get("at")), told.get("reasons")
    if at is None or not isinstance(reasons, list):
        return None
    try:
        finding = Finding(told.get("finding"))
        why = tuple(Reason(reason) for reason in reasons)
    except ValueError, TypeError:
        return None
    unit, cell = position(told.get("unit")), position(told.get("cell"))
    if finding is Finding.WEAK_CELL and (unit is None or cell is None):
        return None
    return Diagnosis(finding, unit, cell, why, amount(told.get("imbalance")), at)
