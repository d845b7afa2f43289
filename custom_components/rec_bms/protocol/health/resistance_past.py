"""The resistances that the cells of one unit had, as far as they are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

from ..plausible import DEGREES
from .arrhenius import ENERGY, coldness
from .kept import amount, entries, not_after, number
from .shaking import Shaking

MOST_CELLS = 24
KEPT = 15
RECENT = 3
_ENOUGH = 5
"""Readings of its past that a cell is compared with."""
_POSSIBLE_OHMS = (1e-6, 0.1)
"""What a cell with its connection may have. Before it has measured anything, a BMS tells 0."""

type Logarithms = tuple[float | None, ...]


def logarithm(ohms: object) -> float | None:
    """Return the logarithm of a resistance in Ω; None for one that cannot be."""
    value = number(ohms, _POSSIBLE_OHMS)
    return None if value is None else math.log(value)


def middle(values: Iterable[float | None], fewest: int = 1) -> float | None:
    """Return the median of what is known, None if that is too little."""
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= fewest else None


@dataclass(frozen=True, slots=True)
class Reading:
    """The logarithms of a unit's resistances in Ω as they were told, and its temperature in °C."""

    celsius: float
    logarithms: Logarithms

    @property
    def coldness(self) -> float:
        """How much colder than 25 °C it was, in mol/J."""
        return coldness(self.celsius)

    def at_reference(self, cell: int) -> float | None:
        """Return the logarithm that a cell, from 0, would have at 25 °C."""
        told = self.logarithms[cell]
        return None if told is None else told - ENERGY * self.coldness

    def as_list(self) -> list[Any]:
        """Return what is to be kept."""
        ohms = (None if one is None else math.exp(one) for one in self.logarithms)
        return [round(self.celsius, 2), [one and float(f"{one:.4g}") for one in ohms]]

    @classmethod
    def of(cls, kept: object, cells: int) -> Self | None:
        """Return what was kept of so many cells; None if it cannot be read."""
        match kept:
            case [celsius, [*ohms]] if len(ohms) == cells:
                if (degrees := number(celsius, DEGREES)) is not None:
                    return cls(degrees, tuple(map(logarithm, ohms)))
        return None


@dataclass(slots=True)
class Suspicion:
    """Readings running that were too high, and the first's Unix time and Ω above what is normal."""

    at: float
    ohms: float
    readings: int = 0


@dataclass(slots=True)
class Loose:
    """A connection that is loose since a Unix time.

    `before` and `now` are logarithms at 25 °C. `back` counts the readings running, since
    `back_at`, that were as before.
    """

    at: float
    before: float
    now: float
    back: int = 0
    back_at: float = 0.0


@dataclass(slots=True)
class Past:
    """What is kept of one unit. Cells count from 0 here; times are Unix times."""

    cells: int
    told: Logarithms = ()
    """The last reading, by which a new one is known."""
    read_at: float | None = None
    kept_at: float | None = None
    past: list[Reading] = field(default_factory=list)
    """Readings hours apart; where a cell was too high, what it would have had."""
    recent: list[Reading] = field(default_factory=list)
    first: Reading | None = None
    """What changes are changes of: the medians of what was kept first."""
    suspicions: dict[int, Suspicion] = field(default_factory=dict)
    loose: dict[int, Loose] = field(default_factory=dict)
    empty: dict[int, int] = field(default_factory=dict)
    """Cells that were nearly empty, and for how many readings that still tells."""
    shaking: Shaking = field(default_factory=Shaking)
    normal: Logarithms = ()
    """The logarithms that cells usually have at 25 °C."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {
            "told": list(self.told),
            "read_at": self.read_at,
            "kept_at": self.kept_at,
            "past": [one.as_list() for one in self.past],
            "recent": [one.as_list() for one in self.recent],
            "first": self.first and self.first.as_list(),
            "suspicions": [
                [cell, one.at, one.ohms, one.readings] for cell, one in self.suspicions.items()
            ],
            "loose": [
                [cell, one.at, math.exp(one.before), math.exp(one.now), one.back, one.back_at]
                for cell, one in self.loose.items()
            ],
            "empty": [[cell, left] for cell, left in self.empty.items()],
            "shaking": self.shaking.as_dict(),
        }

    @classmethod
    def of(cls, kept: object) -> Self | None:
        """Return what was kept, as far as it can be read; None where not even the cells can."""
        known = entries(kept)
        told = known.get("told")
        if not isinstance(told, list) or not 1 <= len(told) <= MOST_CELLS:
            return None
        past = cls(len(told), tuple(amount(ohms) for ohms in told))
        past.read_at, past.kept_at = amount(known.get("read_at")), amount(known.get("kept_at"))
        past.past = past._readings(known.get("past"))[-KEPT:]
        past.recent = past._readings(known.get("recent"))[-RECENT:]
        past.first = Reading.of(known.get("first"), past.cells)
        for cell, (at, ohms, readings) in past._of_cells(known.get("suspicions"), 3):
            past.suspicions[cell] = Suspicion(at, ohms, int(readings))
        for cell, (at, *both, back, back_at) in past._of_cells(known.get("loose"), 5):
            before, now = map(logarithm, both)
            if before is not None and now is not None:
                past.loose[cell] = Loose(at, before, now, int(back), back_at)
        for cell, (left,) in past._of_cells(known.get("empty"), 1):
            past.empty[cell] = int(left)
        past.shaking = Shaking.of(known.get("shaking"), past.cells)
        return past

    def work_out(self) -> None:
        """Work out what is normal of each cell."""
        self.normal = tuple(
            middle((one.at_reference(cell) for one in self.past), _ENOUGH)
            for cell in range(self.cells)
        )

    @property
    def own(self) -> Logarithms:
        """The logarithms that cells have at 25 °C; before there is a past, what was told last."""
        if not self.recent:
            return ()
        last = self.recent[-1].logarithms
        usual = self.normal or (None,) * self.cells
        return tuple(last[cell] if one is None else one for cell, one in enumerate(usual))

    def deviation(self, cell: int) -> float:
        """Return the median deviation of a cell from what is normal of it."""
        normal = self.normal[cell]
        told = (one.at_reference(cell) for one in self.past)
        return middle(abs(one - (normal or one)) for one in told if one is not None) or 0.0

    def keep(self, reading: Reading) -> None:
        """Have a reading be part of the past, with what is normal of cells that are not."""
        as_if = self._at(reading.coldness)
        unusual = self.suspicions.keys() | self.loose.keys()
        logarithms = tuple(
            instead if told is None or (cell in unusual and instead is not None) else told
            for cell, (told, instead) in enumerate(zip(reading.logarithms, as_if, strict=True))
        )
        self.past = [*self.past[1 - KEPT :], Reading(reading.celsius, logarithms)]

    def begin(self) -> None:
        """Have changes be changes of what is normal now."""
        celsius = median(one.celsius for one in self.past)
        self.first = Reading(celsius, self._at(coldness(celsius)))

    def _at(self, cold: float) -> Logarithms:
        """Return what would be told if all were normal."""
        return tuple(None if one is None else one + ENERGY * cold for one in self.normal)

    def no_later_than(self, now: float) -> None:
        """Have nothing be later than a Unix time: the clock may have been put back."""
        self.read_at = self.read_at and not_after(self.read_at, now)
        self.kept_at = self.kept_at and not_after(self.kept_at, now)
        for suspicion in self.suspicions.values():
            suspicion.at = not_after(suspicion.at, now)
        for loose in self.loose.values():
            loose.at, loose.back_at = not_after(loose.at, now), not_after(loose.back_at, now)

    def _readings(self, kept: object) -> list[Reading]:
        rows = kept if isinstance(kept, list) else []
        readings = (Reading.of(row, self.cells) for row in rows)
        return [one for one in readings if one is not None]

    def _of_cells(self, kept: object, count: int) -> Iterator[tuple[int, list[float]]]:
        for row in kept if isinstance(kept, list) else []:
            if not isinstance(row, list) or len(row) != 1 + count:
                continue
            read = [one for each in row if (one := amount(each)) is not None]
            if len(read) == len(row) and read[0] in range(self.cells):
                yield int(read[0]), read[1:]
