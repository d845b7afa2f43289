"""Connections that were bad before the battery was known: they have no past to be compared with.

A loose contact is good at one time and bad at another, so that its cell's resistance goes up and
down while those of the other cells stay as they are. A cell that is worn, or has a cable where
others have a busbar, has more than the others and keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

from .kept import amount, entries, not_after, number

_SWING = math.log(1.5)
_LEAST_SWING = 2e-4
"""Ω: 2 W at 100 A, and four times what the BMS can tell."""
_LEAST_STEPS = 16.0
"""Of the usual steps of the others, which are their noise."""
_USUAL = 16
"""Readings that tell what is usual."""
_SWINGS = 4
"""One bad measurement makes two of them as it fades from the BMS's average."""
_FOR, _WITHIN = 86400.0, 14 * 86400.0
"""Seconds: bad measurements come together, a contact stays bad."""
_MOST_OF_OTHERS = 1
_STILL, _STILL_FOR = 100, 86400.0
"""Readings that end it, and the seconds that they take at least."""
_FEWEST_CELLS = 3
_LOGARITHMS = (-15.0, 15.0)


@dataclass(frozen=True, slots=True)
class _Others:
    """The middle one of the other cells, as the logarithm of its Ω, and their usual step in Ω."""

    middle: float
    step: float

    def is_swing(self, low: float, high: float) -> bool:
        """Tell whether a change is more than the BMS's resolution and noise make.

        Noise is as many Ω of each cell, or as large a part.
        """
        part = self.step / math.exp(self.middle)
        if high - low <= max(_SWING, _LEAST_STEPS * part):
            return False
        rise = math.exp(high + self.middle) - math.exp(low + self.middle)
        return rise > max(_LEAST_SWING, _LEAST_STEPS * self.step)


@dataclass(slots=True)
class _Cell:
    """A cell's resistance, as a logarithm of how many times the others' it is, and its turns."""

    told: float | None = None
    """The last reading."""
    count: int = 0
    """Readings since the start; those that were kept count as enough."""
    step: float = 0.0
    """By how many Ω it usually changes from one reading to the next."""
    low: float = math.inf
    high: float = -math.inf
    """The ends between which it was since it last turned."""
    rises: bool | None = None
    """The way of the last swing; None before there was one."""
    swings: list[float] = field(default_factory=list)
    """Unix times of the last ones."""
    still: int = 0
    """Readings since then."""
    shakes: bool = False

    def read(self, told: float, others: float) -> None:
        """Take a reading, and the others' logarithm."""
        self.count += 1
        self.still += 1
        if self.told is not None:
            step = abs(math.exp(told + others) - math.exp(self.told + others))
            self.step += (step - self.step) / min(self.count - 1, _USUAL)
        self.told = told

    def follow(self, told: float, others: _Others, now: float) -> None:
        """Look at a Unix time whether it has turned."""
        if self.count <= _USUAL:
            return
        if self.rises is not True and others.is_swing(self.low, told):
            self._turn(now, rises=True)
            self.high = told
        elif self.rises is not False and others.is_swing(told, self.high):
            self._turn(now, rises=False)
            self.low = told
        self.low, self.high = min(self.low, told), max(self.high, told)

    def _turn(self, now: float, *, rises: bool) -> None:
        self.rises, self.still = rises, 0
        self.swings = [*self.swings[1 - _SWINGS :], now]

    def come_to_rest(self, now: float) -> None:
        """Forget that it shook once it has had good contact for long."""
        for_long = self.still >= _STILL and now - self.swings[-1] >= _STILL_FOR
        if for_long and not self.rises:
            self.swings, self.shakes = [], False

    def swings_since(self, at: float) -> int:
        """Return how many of the last swings came at a Unix time or later."""
        return sum(swing >= at for swing in self.swings)

    def no_later_than(self, now: float) -> None:
        """Have nothing be later than a Unix time: the clock may have been put back."""
        self.swings = [not_after(at, now) for at in self.swings]

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        if self.told is None or self.count <= _USUAL:
            return {}
        told = [float(f"{one:.4g}") for one in (self.told, self.step, self.low, self.high)]
        kept: dict[str, Any] = {"told": told}
        if self.swings:
            kept |= {"rises": self.rises, "swings": self.swings}
        if self.shakes:
            kept["still"] = self.still
        return kept

    @classmethod
    def of(cls, kept: object) -> Self:
        """Return what was kept, as far as it can be read."""
        known = entries(kept)
        match _numbers(known.get("told")):
            case [told, step, low, high] if low <= told <= high and step >= 0:
                cell = cls(told, _USUAL, step, low, high)
            case _:
                return cls()
        rises, swings = known.get("rises"), known.get("swings")
        if isinstance(rises, bool) and isinstance(swings, list):
            cell.rises = rises
            cell.swings = [at for one in swings if (at := amount(one)) is not None][-_SWINGS:]
        still = amount(known.get("still"))
        cell.shakes = still is not None and len(cell.swings) == _SWINGS
        cell.still = int(still or 0)
        return cell


class Shaking:
    """Looks for a cell of one unit whose resistance goes up and down. Cells count from 0."""

    def __init__(self) -> None:
        self._cells: list[_Cell] = []
        self._middle = 0.0

    @property
    def loose(self) -> Iterator[tuple[int, float, float, float]]:
        """Cells that shake, since which Unix time, and the least and the most of their Ω."""
        for place, cell in enumerate(self._cells):
            if cell.shakes:
                low, high = (math.exp(end + self._middle) for end in (cell.low, cell.high))
                yield place, cell.swings[0], low, high

    def add(self, logarithms: Sequence[float | None], now: float) -> None:
        """Take all cells' resistances in Ω as logarithms, at a Unix time in s."""
        known = [one for one in logarithms if one is not None]
        if len(known) < max(len(logarithms), _FEWEST_CELLS):
            return
        if len(self._cells) != len(known):
            self._cells = [_Cell() for _ in known]
        middles = [median(_without(known, place)) for place in range(len(known))]
        told = [own - middle for own, middle in zip(known, middles, strict=True)]
        for cell, times, middle in zip(self._cells, told, middles, strict=True):
            cell.no_later_than(now)
            cell.read(times, middle)
        steps = [cell.step for cell in self._cells]
        for place, cell in enumerate(self._cells):
            others = _Others(middles[place], median(_without(steps, place)))
            cell.follow(told[place], others, now)
        for cell in self._cells:
            if cell.shakes:
                cell.come_to_rest(now)
            else:
                cell.shakes = self._begins(cell, now)
        self._middle = median(known)

    def _begins(self, cell: _Cell, now: float) -> bool:
        """Tell whether a cell has gone up and down several times, and the others have not."""
        if len(cell.swings) < _SWINGS or not _FOR <= now - cell.swings[0] <= _WITHIN:
            return False
        others = (one.swings_since(now - _WITHIN) for one in self._cells if one is not cell)
        return max(others) <= _MOST_OF_OTHERS

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {"middle": self._middle, "cells": [cell.as_dict() for cell in self._cells]}

    @classmethod
    def of(cls, kept: object, cells: int) -> Self:
        """Return what was kept of so many cells; nothing where that cannot be read."""
        known, shaking = entries(kept), cls()
        rows, middle = known.get("cells"), number(known.get("middle"), _LOGARITHMS)
        if isinstance(rows, list) and len(rows) == cells and middle is not None:
            shaking._cells = [_Cell.of(row) for row in rows]
            shaking._middle = middle
        return shaking


def _without(values: Sequence[float], place: int) -> list[float]:
    return [*values[:place], *values[place + 1 :]]


def _numbers(kept: object) -> list[float]:
    rows = kept if isinstance(kept, list) else []
    return [one for each in rows if (one := number(each, _LOGARITHMS)) is not None]
