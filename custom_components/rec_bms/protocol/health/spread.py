"""Spreads of cell voltages that can be compared with those of last month.

How far cells are apart says little without saying when: under load it is their resistance, and in
the steep parts of a cell's curve a tenth of a percent of charge is tens of mV. So a spread is taken
in two situations only, which come again and again:

- at rest (`rest`), with a state of charge between 30 and 90 %, where the curve of every chemistry
  is even, as the mean of some updates; a count can be wrong, so that LiFePO4 cells must rest on
  the flat part of their curve as well;
- where charging ends (`top`): the BMS has put its count to 100 %, the highest cell is at CHAR, and
  what still flows is below C/10. There the spread is imbalance: the steep end of the curve shows
  tenths of a percent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from ..bms import Update
from ..plausible import CELL_VOLTS, CHARGE_FRACTION
from ..state import PerUnit, State
from .kept import amount, entries, not_after, number, position
from .rest import RestWatch

_DAY = 86_400.0
_LOWEST_CHARGE = 0.3
_HIGHEST_CHARGE = 0.9
_FLAT = {3: (3.2, 3.355), 4: (3.2, 3.355)}
"""V between which cells rest there. Above, a cell that loses charge comes nearer to the others."""
_SAMPLES = 10
"""Updates of which the mean is taken: one mV and noise of one or two are less then."""
_FULL = 0.9995
_REARMS = 0.99
_NEAR = {3: 0.03, 4: 0.03}
_NEAR_OTHERWISE = 0.01
"""V below CHAR at which a cell is there. For LiFePO4 that is a quarter of a percent of charge, for
the others one percent."""
_STEEP_FROM = {3: 3.45, 4: 3.45}
"""V from which on a curve is steep. Where a charge of LiFePO4 ends below, full is percents off from
one time to the next, and cells that are out of balance look as if they were not."""
_SMALL = 0.1
"""C. Where more flows, resistances tell cells apart."""
_FRESH = 600.0
_USUAL_DROP = 0.1
"""V that 1 C makes of a cell's resistance, of which nothing is known."""
_AGREES = 0.01
"""V by which the highest of all cells may be off the highest cell that came with the current."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cell; unit and cell count from 1."""

    unit: int
    cell: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the cells were apart in V, at a Unix time.

    `state_of_charge` is what the BMS then held it to be, as a fraction.
    """

    volts: float
    at: float
    lowest: Place
    highest: Place
    state_of_charge: float | None = None


class RestingCells:
    """Takes the voltages of all cells at rest, once a rest and once a day."""

    def __init__(self, longest_gap: float) -> None:
        self._watch = RestWatch(longest_gap)
        self._taken_at: float | None = None
        self._chemistry: float | None = None
        self._sums: list[list[float]] = []
        self._count = 0

    def add(self, update: Update, now: float) -> PerUnit | None:
        """Take what the BMS told; return the cells' mean voltages when a rest has shown them."""
        self._watch.add(update, now)
        self._chemistry = update.state.settings.get("chem") or self._chemistry
        if self._watch.rest is None:
            self._taken_at = None
            self._count = 0
            return None
        if self._taken_at is not None and 0 <= update.measured_at - self._taken_at < _DAY:
            return None
        cells = self._even_cells(update.state)
        if cells is None:
            self._count = 0
            return None
        return self._mean(cells, update.measured_at)

    def _even_cells(self, state: State) -> PerUnit | None:
        """Return the voltages of all cells; None unless they are where their curve is even."""
        charge = state.state_of_charge
        if charge is None or not _LOWEST_CHARGE <= charge <= _HIGHEST_CHARGE:
            return None
        cells, flat = all_cells(state), _FLAT.get(int(self._chemistry or 0))
        if cells is None or flat is None:
            return cells
        return cells if all(flat[0] <= volts <= flat[1] for volts in in_order(cells)) else None

    def _mean(self, cells: PerUnit, at: float) -> PerUnit | None:
        """Add cells to the mean; return it once it is one of enough."""
        if not self._count or [len(row) for row in self._sums] != [len(row) for row in cells.units]:
            self._count, self._sums = 0, [[0.0] * len(row) for row in cells.units]
        for sums, row in zip(self._sums, cells.units, strict=True):
            for index, volts in enumerate(row):
                sums[index] += volts or 0.0
        self._count += 1
        if self._count < _SAMPLES:
            return None
        mean = PerUnit(tuple(tuple(each / _SAMPLES for each in sums) for sums in self._sums))
        self._count, self._taken_at = 0, at
        return mean


class FullWatch:
    """Tells when a charge has ended and the battery is full by the BMS's own rule."""

    def __init__(self) -> None:
        self.is_full = False
        """Whether the BMS says 100 % and the highest cell is, or was just now, where that is."""
        self._char: float | None = None
        self._capacity: float | None = None
        self._chemistry: float | None = None
        self._armed = True
        self.near_at: float | None = None
        """When, on the loop's clock, current last flowed into a battery so full."""
        self.amperes = 0.0
        """A that flowed when the cells were told that are returned."""
        self.lifted_by = 0.0
        """V by which that current then lifted a cell through its resistance, at the most."""
        self._cells: PerUnit | None = None

    def add(self, update: Update) -> PerUnit | None:
        """Take what the BMS told; return the cells' voltages once a charge has ended.

        They are those of the last update at which current still flowed in.
        """
        state = update.state
        self._learn(state)
        self._look(state, update.measured_at)
        charge = state.state_of_charge
        recent = self.near_at is not None and 0 <= update.measured_at - self.near_at <= _FRESH
        self.is_full = recent and charge is not None and charge >= _FULL
        if charge is not None and charge < _REARMS:
            self._armed = True
        if not self.is_full or not self._armed or self._cells is None:
            return None
        self._armed = False
        return self._cells

    @property
    def is_small(self) -> bool:
        """Whether that was so little that cells can be compared."""
        return self.amperes <= (self._capacity or 0.0) * _SMALL

    def _learn(self, state: State) -> None:
        settings = state.settings
        self._char = settings.get("char") or self._char
        self._capacity = settings.get("capa") or self._capacity
        self._chemistry = settings.get("chem") or self._chemistry

    def _look(self, state: State, at: float) -> None:
        """See whether the highest cell is where charging ends, while current flows in."""
        highest, amperes = state.max_cell_voltage, state.current
        if self._char is None or self._capacity is None or highest is None or amperes is None:
            return
        chemistry = int(self._chemistry or 0)
        if self._char < _STEEP_FROM.get(chemistry, 0.0):
            return
        near = _NEAR.get(chemistry, _NEAR_OTHERWISE)
        if highest < self._char - near or amperes <= 0:
            return
        if self.near_at is not None and not 0 <= at - self.near_at <= _FRESH:
            self._cells = None
        self.near_at = at
        self.lifted_by = amperes * _ohms(state, self._capacity)
        if (cells := all_cells(state)) is not None:
            self._cells, self.amperes = cells, amperes


class Spreads:
    """Takes spreads at rest and where charging ends."""

    def __init__(self, longest_gap: float) -> None:
        self.rest: Spread | None = None
        self.top: Spread | None = None
        self._resting = RestingCells(longest_gap)
        self._full = FullWatch()

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        charge = update.state.state_of_charge
        self.rest, self.top = _not_after(self.rest, now), _not_after(self.top, now)
        if (cells := self._resting.add(update, now)) is not None:
            self.rest = _spread(cells, now, charge)
        if (cells := self._full.add(update)) is not None and self._full.is_small:
            self.top = _spread(cells, now, charge)

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        both = {"rest": self.rest, "top": self.top}
        return {key: asdict(spread) for key, spread in both.items() if spread is not None}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        told = entries(kept)
        self.rest, self.top = _read(told.get("rest")), _read(told.get("top"))


def _ohms(state: State, capacity: float) -> float:
    """Return the highest resistance of a cell in Ω; a usual one where none is known."""
    known = [ohms for _, _, ohms in state.cell_resistances or () if ohms is not None]
    return max(known, default=_USUAL_DROP / capacity)


def all_cells(state: State) -> PerUnit | None:
    """Return the voltages of all cells; None unless all are known and of now."""
    cells, highest = state.cell_voltages, state.max_cell_voltage
    if cells is None or highest is None:
        return None
    known = [volts for row in cells.units for volts in row if volts is not None]
    if len(known) < 2 or len(known) < sum(map(len, cells.units)):
        return None
    return cells if abs(max(known) - highest) <= _AGREES else None


def place(cells: PerUnit, index: int) -> Place:
    """Return which cell has an index, from 0, in the order of all cells."""
    for unit, row in enumerate(cells.units, 1):
        if index < len(row):
            return Place(unit, index + 1)
        index -= len(row)
    msg = f"no cell has the index {index}"
    raise IndexError(msg)


def in_order(cells: PerUnit) -> list[float]:
    """Return the voltages of all cells, all of which are known, in V."""
    return [volts for row in cells.units for volts in row if volts is not None]


def _spread(cells: PerUnit, now: float, charge: float | None) -> Spread:
    volts = in_order(cells)
    low, high = min(volts), max(volts)
    lowest, highest = place(cells, volts.index(low)), place(cells, volts.index(high))
    return Spread(high - low, now, lowest, highest, charge)


def _not_after(spread: Spread | None, now: float) -> Spread | None:
    """Return a spread whose time is not in the future, which it is where the clock was ahead."""
    if spread is None or spread.at <= now:
        return spread
    return replace(spread, at=not_after(spread.at, now))


def _read(kept: object) -> Spread | None:
    """Return a spread that was kept; None unless all of it can be read."""
    told = entries(kept)
    volts, at = number(told.get("volts"), CELL_VOLTS), amount(told.get("at"))
    lowest, highest = _read_place(told.get("lowest")), _read_place(told.get("highest"))
    if volts is None or at is None or lowest is None or highest is None:
        return None
    charge = number(told.get("state_of_charge"), CHARGE_FRACTION)
    return Spread(volts, at, lowest, highest, charge)


def _read_place(kept: object) -> Place | None:
    told = entries(kept)
    unit, cell = position(told.get("unit")), position(told.get("cell"))
    return None if unit is None or cell is None else Place(unit, cell)
