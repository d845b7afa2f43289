"""What a battery has been through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Extreme:
    """A cell voltage in V, when (Unix time) and where it was; positions from 1."""

    volts: float
    at: float
    unit: int | None
    cell: int | None


@dataclass(frozen=True, slots=True)
class Deepest:
    """The lowest state of charge, a fraction, and its Unix time."""

    state_of_charge: float
    at: float


class Lifetime:
    """Adds up the life of one battery."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.since: float | None = None
        self.highest: Extreme | None = None
        self.lowest: Extreme | None = None
        self.deepest: Deepest | None = None
        self.charged = 0.0
        self.discharged = 0.0
        self.seconds_above = 0.0
        self.seconds_below = 0.0

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""

    def reset(self, now: float) -> None:
        """Begin anew."""
