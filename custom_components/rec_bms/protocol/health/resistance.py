"""How the resistance of cells changes, and whether a connection has come loose.

The BMS works out a cell's resistance (RINT) as the ratio of a change of voltage to a change of
current between two of its measurements, which are a second apart, where the current changed by
more than 20 A, and tells a moving average (REC's manual of the Active BMS 4S, page 10). So it tells
the same numbers again until such a step has come: only a unit whose numbers have changed was read
anew. A voltage is told to 1 mV, so that at 20 A a resistance is no finer than some 0.05 mΩ. What is
between two cells' wires, a busbar and its screws, is part of one of them.

A measurement that is far too high fades from such an average little by little, while a loose
connection stays. That is one cell's alone: what all cells of the battery have in common, the cold
and a bad reading, is taken out. An empty cell's resistance rises as well, so that it is not looked
at.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from ..bms import Update
from ..state import State
from .arrhenius import ENERGY, ENERGY_SPREAD, coldness
from .connections import Connections
from .kept import entries
from .resistance_past import (
    KEPT,
    MOST_CELLS,
    RECENT,
    Logarithms,
    Loose,
    Past,
    Reading,
    Suspicion,
    logarithm,
    middle,
)
from .shape import Shapes

_READINGS_APART = 240.0
_KEPT_APART, _FIRST_KEPT_APART = 6 * 3600.0, 3600.0
_FIRST_KEPT = 5

_HIGHER, _BACK = math.log(2.0), math.log(1.5)
_RUNNING = 3
"""Readings one after the other that make a step."""
_FADES = 0.85
"""Of the first of these readings, below which one is but what is left of it."""
_BACK_RUNNING, _BACK_FOR = 10, 86400.0
"""Those that end it, and the seconds that they take: a bad contact is good at times."""
_LEAST_RISE = 1e-4
"""Ω: twice what the BMS can tell. Of good cells some have 0.06 mΩ."""
_DEVIATIONS = 7.5
"""Median deviations of a cell's past: five standard deviations, were they normal."""
_FEWEST_OTHERS = 2

_DOUBTFUL = 0.1
"""Of a change's logarithm, two standard deviations."""
_EMPTY = 0.3
"""The share of the way from CMIN to CMAX below which a cell is nearly empty."""
_AVERAGED_OUT = 5
"""Readings until the BMS's average has forgotten an empty cell."""
_MOST_UNITS = 16
_WARMER = 1.0
"""°C above the highest temperature that the BMS knows: a sensor that is not there."""


@dataclass(frozen=True, slots=True)
class Step:
    """A sudden step of a cell: how many times as much, Ω before and now, since a Unix time.

    The resistances are those at 25 °C, and what all cells have in common is taken out.
    """

    unit: int
    cell: int
    times: float
    before: float
    now: float
    at: float


class Resistances:
    """Compares each cell with its own past, at 25 °C.

    A gap matters to nothing here: a reading is one whenever it was taken.
    """

    def __init__(self, longest_gap: float) -> None:
        self.steps: tuple[Step, ...] = ()
        self._connections = Connections(longest_gap)
        self._shapes = Shapes()
        self._units: dict[int, Past] = {}
        self._seen: object = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        self._read(update.state, now)
        if self._connections.add(update, now, partial(self._own, update.state)):
            self._show()

    def _read(self, state: State, now: float) -> None:
        """Take the BMS's own measurement."""
        table = state.cell_resistances
        # Until it is asked again, a BMS on a line has the very same table.
        if table is None or table is self._seen:
            return
        self._seen = table
        for number, row in enumerate(table.units[:_MOST_UNITS], 1):
            if 1 <= len(row) <= MOST_CELLS:
                self._take(number, row, state, now)

    def change(self, unit: int, cell: int) -> float | None:
        """Return by which fraction a cell's resistance changed; None while it cannot be told."""
        past = self._units.get(unit)
        if past is None or past.first is None or not past.recent or not 1 <= cell <= past.cells:
            return None
        colder = median(one.coldness for one in past.recent) - past.first.coldness
        if 2 * abs(colder) * ENERGY_SPREAD > _DOUBTFUL:
            return None
        before = past.first.at_reference(cell - 1)
        now = middle((one.at_reference(cell - 1) for one in past.recent), RECENT - 1)
        return None if before is None or now is None else math.expm1(now - before)

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {
            "units": {str(number): past.as_dict() for number, past in self._units.items()},
            "connections": self._connections.as_dict(),
        }

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        known = entries(kept)
        units = entries(known.get("units"))
        for number in range(1, _MOST_UNITS + 1):
            if (past := Past.of(units.get(str(number)))) is not None:
                self._units[number] = past
        self._connections.restore(known.get("connections"))
        self._show()

    def _own(self, state: State, unit: int) -> Sequence[float | None]:
        """Return the Ω that each cell of a unit has now, if its connection is good."""
        past, celsius = self._units.get(unit), _temperature(state, unit)
        if past is None:
            return ()
        cold = 0.0 if celsius is None else max(coldness(celsius), 0.0) * ENERGY
        return tuple(None if one is None else math.exp(one + cold) for one in past.own)

    def _show(self) -> None:
        """Show what was found either way."""
        found = {
            (unit, cell): Step(unit, cell, one.now / one.before, one.before, one.now, one.at)
            for unit, cell, one in self._connections.loose
        }
        for unit, past in self._units.items():
            for index, at, before, now in past.shaking.loose:
                found[unit, index + 1] = Step(unit, index + 1, now / before, before, now, at)
            for index, loose in past.loose.items():
                found[unit, index + 1] = _step(unit, index + 1, loose)
        self.steps = tuple(found[place] for place in sorted(found))

    def _take(self, number: int, row: Sequence[float | None], state: State, now: float) -> None:
        """Take what was told of a unit, if it was read anew."""
        past = self._units.get(number)
        if not self._shapes.is_believed(number, len(row), None if past is None else past.cells):
            return
        if past is None or past.cells != len(row):
            past = self._units[number] = Past(len(row))
        past.no_later_than(now)
        if row == past.told or not _is_due(past.read_at, now, _READINGS_APART):
            return
        past.told, past.read_at = tuple(row), now
        logarithms = tuple(map(logarithm, row))
        celsius = _temperature(state, number)
        if celsius is None or not _was_measured(logarithms):
            return
        _watch_empty(past, number, state, logarithms)
        told = (None if n in past.empty else one for n, one in enumerate(logarithms))
        reading = Reading(celsius, tuple(told))
        self._judge(past, reading, now)
        past.shaking.add([reading.at_reference(cell) for cell in range(past.cells)], now)
        self._show()

    def _judge(self, past: Past, reading: Reading, now: float) -> None:
        """Compare a reading with the past, and have it become that."""
        if not past.normal:
            past.work_out()
        told = (reading.at_reference(cell) for cell in range(past.cells))
        higher = [
            None if one is None or normal is None else one - normal
            for one, normal in zip(told, past.normal, strict=True)
        ]
        for rise in _rises(past.normal, higher):
            is_unusual = rise.is_high and rise.by > _DEVIATIONS * past.deviation(rise.cell)
            _follow(past, rise, now, is_unusual=is_unusual)
        past.recent = [*past.recent[1 - RECENT :], reading]
        apart = _FIRST_KEPT_APART if len(past.past) < _FIRST_KEPT else _KEPT_APART
        if _is_due(past.kept_at, now, apart):
            past.kept_at = now
            past.keep(reading)
            past.work_out()
            if past.first is None and len(past.past) == KEPT:
                past.begin()


def _step(unit: int, cell: int, loose: Loose) -> Step:
    before, now = math.exp(loose.before), math.exp(loose.now)
    return Step(unit, cell, now / before, before, now, loose.at)


@dataclass(frozen=True, slots=True)
class _Rise:
    """By how much a cell, from 0, rose on its own, and what it had before: in logarithms."""

    cell: int
    before: float
    by: float

    @property
    def is_high(self) -> bool:
        """Whether that is much, and more than the BMS's resolution makes."""
        return self.by > _HIGHER and self.ohms > _LEAST_RISE

    @property
    def ohms(self) -> float:
        """By how many Ω it rose."""
        return math.exp(self.before) * math.expm1(self.by)


def _rises(normal: Sequence[float | None], higher: Sequence[float | None]) -> Iterator[_Rise]:
    """Yield those cells of which it can be told."""
    known = sorted(one for one in higher if one is not None)
    if len(known) <= _FEWEST_OTHERS:
        return
    for cell, (before, by) in enumerate(zip(normal, higher, strict=True)):
        if before is not None and by is not None:
            # What the others have less is no proof that this one has more.
            yield _Rise(cell, before, by - max(_median_without(known, by), 0.0))


def _median_without(ordered: Sequence[float], value: float) -> float:
    """Return the median of numbers in order without one of them."""
    left = len(ordered) - 1
    position = bisect_left(ordered, value)
    low, high = (left - 1) // 2, left // 2
    return (ordered[low + (low >= position)] + ordered[high + (high >= position)]) / 2


def _follow(past: Past, rise: _Rise, now: float, *, is_unusual: bool) -> None:
    """Conclude from what a cell has now."""
    cell = rise.cell
    if (loose := past.loose.get(cell)) is not None:
        loose.now = loose.before + rise.by
        _follow_back(past, cell, loose, now, is_back=rise.by <= _BACK)
    elif not is_unusual:
        past.suspicions.pop(cell, None)
    else:
        suspicion = past.suspicions.get(cell)
        if suspicion is None or rise.ohms < _FADES * suspicion.ohms:
            suspicion = past.suspicions[cell] = Suspicion(now, rise.ohms)
        suspicion.readings += 1
        if suspicion.readings >= _RUNNING:
            del past.suspicions[cell]
            past.loose[cell] = Loose(suspicion.at, rise.before, rise.before + rise.by)


def _follow_back(past: Past, cell: int, loose: Loose, now: float, *, is_back: bool) -> None:
    loose.back_at = loose.back_at if loose.back else now
    loose.back = loose.back + 1 if is_back else 0
    if loose.back >= _BACK_RUNNING and now - loose.back_at >= _BACK_FOR:
        del past.loose[cell]


def _is_due(last: float | None, now: float, apart: float) -> bool:
    return last is None or now - last >= apart


def _was_measured(logarithms: Logarithms) -> bool:
    """Tell whether these were measured: a BMS may begin with the same for all."""
    known = {one for one in logarithms if one is not None}
    return len(known) > 1 or len(logarithms) == len(known) == 1


def _temperature(state: State, unit: int) -> float | None:
    """Return a unit's highest temperature in °C; None where it is not known.

    A sensor that shows more than the BMS's highest temperature is one that is not there.
    """
    table, highest = state.temperatures, state.max_temperature
    row = table.units[unit - 1] if table is not None and unit <= len(table.units) else ()
    most = math.inf if highest is None else highest + _WARMER
    known = [value for value in row if value is not None and value <= most]
    return max(known) if known else highest


def _watch_empty(past: Past, unit: int, state: State, logarithms: Logarithms) -> None:
    """Note which cells are nearly empty, by their voltage less what the current makes of it."""
    for cell in tuple(past.empty):
        past.empty[cell] -= 1
        if past.empty[cell] <= 0:
            del past.empty[cell]
    low, high = state.settings.get("cmin"), state.settings.get("cmax")
    table, amperes = state.cell_voltages, state.current
    if low is None or high is None or table is None or amperes is None:
        return
    least = low + _EMPTY * (high - low)
    for cell, one in enumerate(logarithms):
        volts = table.get(unit, cell + 1)
        if one is not None and volts is not None and volts - amperes * math.exp(one) < least:
            past.empty[cell] = _AVERAGED_OUT
