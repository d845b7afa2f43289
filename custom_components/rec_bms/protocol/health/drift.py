"""How cells drift apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Drifting:
    """The cell that drifts most, in V a month, since a Unix time."""

    unit: int
    cell: int
    volts_a_month: float
    since: float


class Drift:
    """Follows how far each cell is from the others, over months."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.most: Drifting | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""

    def of_cell(self, unit: int, cell: int) -> float | None:
        """Return the drift of a cell in V a month; None while it cannot be told."""
        return None
