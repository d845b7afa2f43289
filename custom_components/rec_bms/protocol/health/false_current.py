"""A current that is none."""

from __future__ import annotations

from typing import Any

from ..bms import Update


class FalseCurrent:
    """Finds an offset of the current sensor."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.offset: float | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
