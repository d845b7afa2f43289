"""How cells drift apart, over months.

How far each cell is from the median of all is noted where that can be compared: at rest and where
charging ends, as `spread` has it, and each for itself. Through these points goes the line of Theil
and Sen, the median of the slopes between any two of them, which a third of bad points does not
move. It is a drift when Kendall's test says that it is no chance, with as many cells as there are,
and when it has moved a cell by more than temperature, balancing and the taper of a charge do.

Sources: P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968);
M. G. Kendall, Rank Correlation Methods (1948), for the variance of the sum of signs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import Any

from ..bms import Update
from ..state import PerUnit
from .kept import amount, entries, number, position
from .shape import Rows
from .spread import FullWatch, Place, RestingCells, in_order, place

DAY = 86_400.0
MONTH = 365.25 / 12 * DAY
_EVERY = 2.5 * DAY
_MOST = 72
"""Points that are kept: some six months."""
_FEWEST = 12
_SHORTEST = 30 * DAY
_CHANCE = 0.001
"""How often chance may name a cell of a battery."""
_GRAIN = 0.0001
"""V to which deviations are kept."""
_LEAST = {"top": 0.02, "rest": 0.004}
"""V by which a cell must have moved; where charging ends first, since small differences show there,
and at rest where none shows there, or not any longer."""
_HINT = 0.4
"""The share of that which the last third must have moved from the first, on a straight line two
thirds of it: most cells are seen to stay where they are without looking at every two points."""
_FAR_BEHIND = 0.1
"""V below the others where charging ends: such a cell is off the steep end of its curve. Small
differences of the others then show more than its drift."""
_FAR: tuple[float, float] = (-50_000, 50_000)
"""Grains that a cell can be away from the others."""


@dataclass(frozen=True, slots=True)
class Drifting:
    """The cell that drifts most, in V a month, since a Unix time."""

    unit: int
    cell: int
    volts_a_month: float
    since: float


@dataclass(frozen=True, slots=True)
class _Point:
    """Each cell's deviation from the median, in grains, at a Unix time."""

    at: float
    grains: tuple[int, ...]


class _Series:
    """Points of one kind, and what they say."""

    def __init__(self, least: float) -> None:
        self.points: list[_Point] = []
        self.slopes: tuple[float | None, ...] = ()
        """V a month of each cell; None where it is no drift."""
        self._least = least

    @property
    def is_enough(self) -> bool:
        """Whether there are enough points over enough time."""
        points = self.points
        return len(points) >= _FEWEST and points[-1].at - points[0].at >= _SHORTEST

    def certain(self, *, is_steep: bool) -> list[tuple[float, int]]:
        """Return drifts in V a month and the cells, from 0, that have them.

        On a steep end only those of cells far behind, where there are such.
        """
        last = self.points[-1].grains if self.points and is_steep else ()
        behind = {cell for cell, each in enumerate(last) if each * _GRAIN < -_FAR_BEHIND}
        return [
            (by, cell)
            for cell, by in enumerate(self.slopes)
            if by is not None and (not behind or cell in behind)
        ]

    def add(self, cells: list[float], now: float) -> None:
        """Take the cells' voltages in V at a Unix time, unless there is a point of these days."""
        self.points = [point for point in self.points if point.at <= now]
        if self.points and now - self.points[-1].at < _EVERY:
            return
        middle = median(cells)
        grains = tuple(round((volts - middle) / _GRAIN) for volts in cells)
        self.points = [*self.points[1 - _MOST :], _Point(now, grains)]
        self.work_out()

    def work_out(self) -> None:
        """Find the drift of each cell."""
        if not self.is_enough:
            self.slopes = ()
            return
        times = [point.at for point in self.points]
        columns = list(zip(*(point.grains for point in self.points), strict=True))
        chance = NormalDist().inv_cdf(1 - _CHANCE / 2 / len(columns))
        self.slopes = tuple(_drift(times, column, chance, self._least) for column in columns)


class Drift:
    """Follows how far each cell is from the others, over months."""

    def __init__(self, longest_gap: float) -> None:
        self.most: Drifting | None = None
        """None while no cell certainly drifts."""
        self._resting = RestingCells(longest_gap)
        self._full = FullWatch()
        self._rows = Rows()
        self._series = {key: _Series(least) for key, least in _LEAST.items()}

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        if self._rows.add(update.state.cell_voltages):
            # Another battery, or more of it: its median is another one.
            self._series = {key: _Series(least) for key, least in _LEAST.items()}
            self.most = None
        if (cells := self._resting.add(update, now)) is not None:
            self._take("rest", cells, now)
        if (cells := self._full.add(update)) is not None and self._full.is_small:
            self._take("top", cells, now)

    def of_cell(self, unit: int, cell: int) -> float | None:
        """Return the drift of a cell in V a month; None while it is none that is certain."""
        rows = self._rows.known
        if not 1 <= unit <= len(rows) or not 1 <= cell <= rows[unit - 1]:
            return None
        index = sum(rows[: unit - 1]) + cell - 1
        slopes = (series.slopes[index] for series in self._series.values() if series.slopes)
        return next((slope for slope in slopes if slope is not None), None)

    def _take(self, kind: str, cells: PerUnit, now: float) -> None:
        if [len(row) for row in cells.units] != self._rows.known:
            return
        self._series[kind].add(in_order(cells), now)
        self.most = self._most()

    def _most(self) -> Drifting | None:
        for kind, series in self._series.items():
            certain = series.certain(is_steep=kind == "top")
            if certain:
                by, index = max(certain, key=lambda each: abs(each[0]))
                where = _place(self._rows.known, index)
                return Drifting(where.unit, where.cell, by, series.points[0].at)
        return None

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        series = {
            key: [[round(point.at), *point.grains] for point in one.points]
            for key, one in self._series.items()
        }
        return {"cells": self._rows.known, **series}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        told = entries(kept)
        rows = told.get("cells")
        counts = [position(count) for count in rows] if isinstance(rows, list) else []
        known = [count for count in counts if count is not None]
        self._rows.known = known if len(known) == len(counts) else []
        for key, series in self._series.items():
            series.points = _read_points(told.get(key), sum(self._rows.known))
            series.work_out()
        self.most = self._most()


def _drift(
    times: list[float], grains: tuple[int, ...], chance: float, least: float
) -> float | None:
    """Return the slope in V a month; None unless it is beyond chance and `least` V in all."""
    third = len(grains) // 3
    moved = abs(median(grains[-third:]) - median(grains[:third])) * _GRAIN
    if moved < _HINT * least:
        return None
    slopes: list[float] = []
    balance = 0
    for later in range(1, len(times)):
        at, value = times[later], grains[later]
        for earlier in range(later):
            step = value - grains[earlier]
            slopes.append(step / (at - times[earlier]))
            balance += (step > 0) - (step < 0)
    count = len(times)
    error = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    slope = median(slopes) * _GRAIN
    if abs(balance) <= chance * error or abs(slope) * (times[-1] - times[0]) < least:
        return None
    return slope * MONTH


def _place(rows: list[int], index: int) -> Place:
    return place(PerUnit(tuple((None,) * count for count in rows)), index)


def _read_points(kept: object, cells: int) -> list[_Point]:
    """Return the points that can be read, of so many cells, in the order of time."""
    points: list[_Point] = []
    for row in kept[-_MOST:] if isinstance(kept, list) and cells else ():
        if not isinstance(row, list) or len(row) != cells + 1:
            continue
        at = amount(row[0])
        grains = [number(each, _FAR) for each in row[1:]]
        known = tuple(round(each) for each in grains if each is not None)
        if at is not None and len(known) == cells and (not points or at > points[-1].at):
            points.append(_Point(at, known))
    return points
