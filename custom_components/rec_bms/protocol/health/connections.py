"""Connections that have come loose, found without the BMS's own measurement of resistances.

The BMS measures resistances where the current changes by more than 20 A within a second; in a small
battery it never does. But from one poll to the next, a cell whose connection is bad moves away from
the others as the current changes, stays there, and comes back when it changes back: by the
resistance that it has more than they. What cells have in common, their curve and the cold, does not
show in that. A cell that goes on moving while the current stays is at an end of its curve, so what
it does until the next poll is taken off; and what only one way of a change shows is none, as where
charging stops and such a cell falls off, or balancing ends. So the lesser of both ways counts.

How much a cell has of its own is what the BMS tells; it need not be fresh.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

from ..bms import Update
from ..plausible import Bounds
from ..state import PerUnit
from .kept import amount, entries, not_after, number, position
from .shape import Shapes

_NOISE = 0.0035
"""V by which a cell's distance to the others changes of itself between three polls, twice that
between them less once that at each end: a BMS errs by 1 to 1.3 mV."""
_POLLS = 3
_MOST_FOLLOWS = 1.5
"""How much longer before a change than after it: where polls come in bursts, noise would grow."""
_STAYS = 0.5
"""The part of a change of the current by which it may change until the next poll."""
_LEAST_CHANGE, _LEAST_SHARE = 1.0, 1 / 200
"""A, and C, of change that tell something."""
_IN_USE = 1 / 50
"""C."""
_LONG = 8 * 3600.0
"""Seconds of use after which a reading need not be of the finest."""
_FINE = 0.25
"""Of a cell's resistance: the standard deviation of a reading."""
_KEPT = 15
_ENOUGH = 4
_RUNNING = 3
"""Readings one after the other that make a connection loose, or tight again."""
_LEAST_RISE = 1e-4
"""Ω."""
_DEVIATIONS, _BACK_DEVIATIONS = 5.0, 2.0
_MEDIAN_DEVIATIONS = 7.5
"""Five standard deviations, were they normal."""
_BACK = 0.5
"""The part of its own resistance that a cell may have more and be as before."""
_MOST_UNITS, _MOST_CELLS = 16, 24
_FEWEST_CELLS = 3
_ANY = (-math.inf, math.inf)
_OHMS = (-1.0, 1.0)
_SUMS = (0.0, math.inf)

type Own = Callable[[int], Sequence[float | None]]
"""Returns the Ω that each cell of a unit, from 1, has now of its own, as far as that is known."""


@dataclass(slots=True)
class LooseConnection:
    """Ω of a cell before and now, since a Unix time; and readings running that were as before."""

    at: float
    before: float
    now: float
    back: int = 0


@dataclass(frozen=True, slots=True)
class _Sample:
    """A current in A and the cells' voltages, at a time in s."""

    at: float
    amperes: float
    table: PerUnit


@dataclass(frozen=True, slots=True)
class _Change:
    """Three polls: the current changed from the first to the second, and stayed until the third."""

    first: _Sample
    second: _Sample
    third: _Sample

    @property
    def amperes(self) -> float:
        """By how much the current changed."""
        return self.second.amperes - self.first.amperes

    @property
    def follows(self) -> float:
        """What of a motion after the change belongs to it, were it even."""
        return (self.second.at - self.first.at) / (self.third.at - self.second.at)

    @property
    def told(self) -> float:
        """By how much the current changed, less what it changed evenly."""
        return self.amperes - self.follows * (self.third.amperes - self.second.amperes)

    def is_enough(self, least: float) -> bool:
        """Tell whether the current changed by so many A, and stayed."""
        amperes = abs(self.amperes)
        if amperes < least or self.follows > _MOST_FOLLOWS:
            return False
        return abs(self.third.amperes - self.second.amperes) <= _STAYS * amperes


@dataclass(slots=True)
class _Changes:
    """Sums over the changes of the current one way, A², and of these and the cells', A x V."""

    squares: float
    products: list[float]

    @property
    def deviation(self) -> float:
        """The standard deviation, in Ω, of what they tell of a cell."""
        return _NOISE / math.sqrt(self.squares) if self.squares else math.inf

    def add(self, change: _Change, cells: Sequence[Sequence[float]]) -> None:
        """Take a change of the current, and all cells' distances to the others in V at each poll.

        The current's change is taken like the cells', less what followed until the next poll.
        """
        amperes, follows = change.told, change.follows
        self.squares += amperes * amperes
        products = self.products
        for cell, (first, second, third) in enumerate(zip(*cells, strict=True)):
            products[cell] += amperes * (second - first - follows * (third - second))

    def as_list(self) -> list[Any]:
        """Return what is to be kept."""
        return [_short(self.squares), [_short(one) for one in self.products]]

    @classmethod
    def of(cls, kept: object, cells: int) -> Self:
        """Return what was kept of so many cells; nothing where it cannot be read."""
        match kept:
            case [squares, [*products]] if len(products) == cells:
                told = [one for each in products if (one := number(each, _ANY)) is not None]
                if (known := amount(squares)) is not None and len(told) == cells:
                    return cls(known, told)
        return cls(0.0, [0.0] * cells)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The Ω that each cell of a unit has more than the others, and their standard deviation."""

    ohms: Sequence[float]
    deviation: float


@dataclass(slots=True)
class _Unit:
    """What is followed of one unit. Cells count from 0 here."""

    cells: int
    up: _Changes
    down: _Changes
    use: float = 0.0
    past: list[list[float]] = field(default_factory=list)
    suspicions: dict[int, tuple[float, int]] = field(default_factory=dict)
    """Unix time and number of readings running that were too high."""
    loose: dict[int, LooseConnection] = field(default_factory=dict)

    @classmethod
    def new(cls, cells: int) -> Self:
        """Return a unit that nothing is known of."""
        return cls(cells, _Changes(0.0, [0.0] * cells), _Changes(0.0, [0.0] * cells))

    @property
    def deviation(self) -> float:
        """The standard deviation of a reading in Ω."""
        return max(self.up.deviation, self.down.deviation)

    def is_fine(self, own: Sequence[float | None]) -> bool:
        """Tell whether it is enough for a reading, of cells of so many Ω."""
        known = [ohms for ohms in own if ohms is not None]
        if not known or math.isinf(self.deviation):
            return False
        enough = median(known) if self.use >= _LONG else min(known)
        return self.deviation <= _FINE * enough

    def read(self) -> _Reading:
        """Return what has come together, and begin anew."""
        up, down, deviation = self.up, self.down, self.deviation
        ohms = [
            min(first / up.squares, second / down.squares)
            for first, second in zip(up.products, down.products, strict=True)
        ]
        self.up, self.down = _Changes(0.0, [0.0] * self.cells), _Changes(0.0, [0.0] * self.cells)
        self.use = 0.0
        return _Reading(ohms, deviation)

    def usual(self, cell: int) -> float | None:
        """Return the Ω that a cell usually has more than the others."""
        return median(row[cell] for row in self.past) if len(self.past) >= _ENOUGH else None

    def scatter(self, cell: int, usual: float) -> float:
        """Return the median deviation from that."""
        return median(abs(row[cell] - usual) for row in self.past)

    def keep(self, reading: Sequence[float], usual: Sequence[float | None]) -> None:
        """Have a reading be part of the past, with what is usual of cells that are not."""
        unusual = self.suspicions.keys() | self.loose.keys()
        row = [
            instead if cell in unusual and instead is not None else told
            for cell, (told, instead) in enumerate(zip(reading, usual, strict=True))
        ]
        self.past = [*self.past[1 - _KEPT :], row]

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {
            "cells": self.cells,
            "up": self.up.as_list(),
            "down": self.down.as_list(),
            "use": self.use,
            "past": [[_short(ohms) for ohms in row] for row in self.past],
            "suspicions": [[cell, at, count] for cell, (at, count) in self.suspicions.items()],
            "loose": [
                [cell, one.at, one.before, one.now, one.back] for cell, one in self.loose.items()
            ],
        }

    @classmethod
    def of(cls, kept: object) -> Self | None:
        """Return what was kept, as far as it can be read; None where not even the cells can."""
        known = entries(kept)
        cells = position(known.get("cells"))
        if cells is None or cells > _MOST_CELLS:
            return None
        unit = cls(
            cells, _Changes.of(known.get("up"), cells), _Changes.of(known.get("down"), cells)
        )
        unit.use = amount(known.get("use")) or 0.0
        unit.past = list(_rows(known.get("past"), cells, _OHMS))[-_KEPT:]
        for cell, at, count in unit._of_cells(known.get("suspicions"), 3):
            unit.suspicions[int(cell)] = at, int(count)
        for cell, at, before, ohms, back in unit._of_cells(known.get("loose"), 5):
            if before > 0:
                unit.loose[int(cell)] = LooseConnection(at, before, ohms, int(back))
        return unit

    def no_later_than(self, now: float) -> None:
        """Have nothing be later than a Unix time: the clock may have been put back."""
        for cell, (at, count) in self.suspicions.items():
            self.suspicions[cell] = not_after(at, now), count
        for loose in self.loose.values():
            loose.at = not_after(loose.at, now)

    def _of_cells(self, kept: object, count: int) -> Iterator[list[float]]:
        return (row for row in _rows(kept, count, _SUMS) if row[0] in range(self.cells))


class Connections:
    """Looks for cells that move away from the others as the current changes.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self._shapes = Shapes()
        self._units: dict[int, _Unit] = {}
        self._samples: deque[_Sample] = deque(maxlen=_POLLS)
        self._capacity: float | None = None

    @property
    def loose(self) -> Iterator[tuple[int, int, LooseConnection]]:
        """Unit and cell, from 1, of those that are loose."""
        for place, unit in sorted(self._units.items()):
            for cell, loose in sorted(unit.loose.items()):
                yield place, cell + 1, loose

    def add(self, update: Update, now: float, own: Own) -> bool:
        """Take what the BMS told at a Unix time in s; tell whether anything was concluded."""
        state = update.state
        self._capacity = state.settings.get("capa") or self._capacity
        table, amperes = state.cell_voltages, state.current
        if table is None or amperes is None or self._capacity is None:
            self._samples.clear()
            return False
        if self._samples and table is self._samples[-1].table:
            # The cells were not read anew, as the current was.
            return False
        if self._samples and not self._goes_on(self._samples[-1], update):
            self._samples.clear()
        self._samples.append(_Sample(update.measured_at, amperes, table))
        self._count_use()
        if len(self._samples) < _POLLS:
            return False
        change = _Change(*self._samples)
        if not change.is_enough(max(_LEAST_CHANGE, _LEAST_SHARE * self._capacity)):
            return False
        concluded = [_conclude(unit, own(place), now) for place, unit in self._take(change)]
        return any(concluded)

    def _count_use(self) -> None:
        """Count for how long the battery has been in use since the sample before."""
        samples = self._samples
        if len(samples) > 1 and abs(samples[-1].amperes) >= _IN_USE * (self._capacity or 0.0):
            for unit in self._units.values():
                unit.use += samples[-1].at - samples[-2].at

    def _goes_on(self, last: _Sample, update: Update) -> bool:
        """Tell whether the battery was heard since the measurement before."""
        apart = update.measured_at - last.at
        return apart > 0 and (apart <= self._longest_gap or update.continuous)

    def _take(self, change: _Change) -> Iterator[tuple[int, _Unit]]:
        """Take how the cells moved with a change of the current; yield the units that did."""
        tables = (change.first.table, change.second.table, change.third.table)
        rows = zip(*(table.units[:_MOST_UNITS] for table in tables), strict=False)
        for place, row in enumerate(rows, 1):
            cells = len(row[-1])
            told = [one for each in row if (one := _distances(each)) is not None]
            if len(told) < _POLLS or any(len(one) != cells for one in told):
                continue
            unit = self._units.get(place)
            if not self._shapes.is_believed(place, cells, None if unit is None else unit.cells):
                continue
            if unit is None or unit.cells != cells:
                unit = self._units[place] = _Unit.new(cells)
            (unit.up if change.amperes > 0 else unit.down).add(change, told)
            yield place, unit

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {str(place): unit.as_dict() for place, unit in self._units.items()}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        known = entries(kept)
        for place in range(1, _MOST_UNITS + 1):
            if (unit := _Unit.of(known.get(str(place)))) is not None:
                self._units[place] = unit


def _conclude(unit: _Unit, own: Sequence[float | None], now: float) -> bool:
    """Make a reading of what has come together, if it is fine enough; tell whether it was."""
    if len(own) != unit.cells or not unit.is_fine(own):
        return False
    unit.no_later_than(now)
    reading = unit.read()
    usual = [unit.usual(cell) for cell in range(unit.cells)]
    for cell, (before, ohms) in enumerate(zip(usual, own, strict=True)):
        if before is not None and ohms is not None:
            _follow(unit, _Rise(cell, reading.ohms[cell] - before, ohms, reading.deviation), now)
    unit.keep(reading.ohms, usual)
    return True


@dataclass(frozen=True, slots=True)
class _Rise:
    """By how many Ω a cell, from 0, has moved from the others; what it has of its own; how sure."""

    cell: int
    ohms: float
    own: float
    deviation: float


def _follow(unit: _Unit, rise: _Rise, now: float) -> None:
    """Conclude from what a cell has now."""
    cell = rise.cell
    if (loose := unit.loose.get(cell)) is not None:
        loose.now = loose.before + max(rise.ohms, 0.0)
        is_back = rise.ohms <= max(_BACK * loose.before, _BACK_DEVIATIONS * rise.deviation)
        loose.back = loose.back + 1 if is_back else 0
        if loose.back >= _RUNNING:
            del unit.loose[cell]
    elif not _is_unusual(unit, rise):
        unit.suspicions.pop(cell, None)
    else:
        at, count = unit.suspicions.pop(cell, (now, 0))
        if count + 1 < _RUNNING:
            unit.suspicions[cell] = at, count + 1
        else:
            unit.loose[cell] = LooseConnection(at, rise.own, rise.own + rise.ohms)


def _is_unusual(unit: _Unit, rise: _Rise) -> bool:
    """Tell whether a cell has more than twice what it had, beyond doubt."""
    least = max(rise.own, _LEAST_RISE, _DEVIATIONS * rise.deviation)
    if rise.ohms <= least:
        return False
    usual = unit.usual(rise.cell)
    return usual is not None and rise.ohms > _MEDIAN_DEVIATIONS * unit.scatter(rise.cell, usual)


def _distances(row: Sequence[float | None]) -> list[float] | None:
    """Return how far each cell of a unit is from its middle one in V; None unless all are known."""
    known = [volts for volts in row if volts is not None]
    if len(known) < len(row) or not _FEWEST_CELLS <= len(row) <= _MOST_CELLS:
        return None
    middle = median(known)
    return [volts - middle for volts in known]


def _rows(kept: object, length: int, bounds: Bounds) -> Iterator[list[float]]:
    """Yield lists of so many numbers within bounds; others are left out."""
    for row in kept if isinstance(kept, list) else []:
        if isinstance(row, list) and len(row) == length:
            read = [one for each in row if (one := number(each, bounds)) is not None]
            if len(read) == length:
                yield read


def _short(value: float) -> float:
    return float(f"{value:.5g}")
