"""Spreads of cell voltages that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Place:
    """A cell; unit and cell count from 1."""

    unit: int
    cell: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the cells were apart in V, at a Unix time."""

    volts: float
    at: float
    lowest: Place
    highest: Place


class Spreads:
    """Takes spreads at rest and where charging ends."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.rest: Spread | None = None
        self.top: Spread | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
