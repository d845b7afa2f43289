"""When a battery is at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update


@dataclass(frozen=True, slots=True)
class Rest:
    """A battery at rest since a Unix time."""

    since: float


class RestWatch:
    """Tells whether one battery is at rest."""

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self.rest: Rest | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
