"""What a battery really holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Measured:
    """Capacity and its uncertainty (95 %) in Ah, between two states of charge, at a Unix time."""

    capacity: float
    uncertainty: float
    start: float
    end: float
    at: float


class MeasuredCapacity:
    """Counts charge between two certain states of charge."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.measured: Measured | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""

    def health(self, capacity: float | None) -> float | None:
        """Return the measured part of a rated capacity in Ah."""
        return None
