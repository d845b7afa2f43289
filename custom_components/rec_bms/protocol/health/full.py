"""When a battery was last full, and what its BMS then put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Correction:
    """By which fraction the state of charge was put right, at a Unix time."""

    at: float
    by: float


class FullCharge:
    """Follows one battery from full to full."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.last: float | None = None
        self.charged: float | None = None
        self.discharged: float | None = None
        self.correction: float | None = None
        self.corrections: tuple[Correction, ...] = ()
        self.drifts = False

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
