"""What a battery really is, which its BMS cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from tools.simulator.battery import Battery

_WEAK = 0.06
"""A cell that holds so much less than the others, as a share, is weak."""
_SOUND = 0.03
_UNBALANCED = 0.04
"""Cells whose missing charge differs by so much of the capacity are out of balance."""
_BALANCED = 0.025


class Condition(StrEnum):
    """What is true of the cells. `unclear` is between two: neither answer is wrong."""

    BALANCED = "balanced"
    UNBALANCED = "unbalanced"
    WEAK_CELL = "weak_cell"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Truth:
    """The condition, unit and cell (from 1) that it is about, and the imbalance in Ah."""

    condition: Condition
    unit: int
    cell: int
    imbalance: float


def left(battery: Battery) -> float:
    """Return the Ah that can be taken until the first cell is empty.

    Where the BMS has just found the battery full that is its capacity.
    """
    return min(cell.charge * cell.capacity for cell in battery.cells)


def truth(battery: Battery) -> Truth:
    """Return what is true of a battery's cells now."""
    places = [
        (unit, number, cell)
        for unit, row in enumerate(battery.units, 1)
        for number, cell in enumerate(row.cells, 1)
    ]
    capacity = median(cell.capacity for _, _, cell in places)
    smallest = min(places, key=lambda place: place[2].capacity)
    lacking = [(1 - cell.charge) * cell.capacity for _, _, cell in places]
    imbalance = max(lacking) - min(lacking)
    middle = median(lacking)
    outermost = max(range(len(places)), key=lambda index: abs(lacking[index] - middle))
    short, apart = 1 - smallest[2].capacity / capacity, imbalance / capacity
    if short > _WEAK and apart < short:
        return Truth(Condition.WEAK_CELL, smallest[0], smallest[1], imbalance)
    if short < _SOUND and apart > _UNBALANCED:
        unit, number, _ = places[outermost]
        return Truth(Condition.UNBALANCED, unit, number, imbalance)
    sound = short < _SOUND and apart < _BALANCED
    condition = Condition.BALANCED if sound else Condition.UNCLEAR
    return Truth(condition, smallest[0], smallest[1], imbalance)
