"""Whether cells are weak or out of balance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..bms import Update


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


class Diagnosing:
    """Finds out whether a cell is weak or the battery is out of balance."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.diagnosis = Diagnosis(Finding.NOT_ENOUGH_DATA, None, None, (), None, None)

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""

    def balancing_hours(self, amperes: float) -> float | None:
        """Return the hours of balancing with a current in A that are still needed."""
        return None
