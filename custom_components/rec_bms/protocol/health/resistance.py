"""How the resistance of cells changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Step:
    """A sudden step of a cell: how many times as much, Ω before and now, since a Unix time."""

    unit: int
    cell: int
    times: float
    before: float
    now: float
    at: float


class Resistances:
    """Compares each cell with its own past, at 25 °C."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.steps: tuple[Step, ...] = ()

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""

    def change(self, unit: int, cell: int) -> float | None:
        """Return by which fraction a cell's resistance changed; None while it cannot be told."""
        return None
