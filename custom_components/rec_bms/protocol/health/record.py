"""All that is followed of one battery over the years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..bms import Update
from .diagnosis import Diagnosing, Finding
from .drift import Drift
from .false_current import FalseCurrent
from .full import FullCharge
from .lifetime import Lifetime
from .measured import MeasuredCapacity, Offset
from .resistance import Resistances
from .spread import Spreads


class _Part(Protocol):
    """What follows one side of a battery, and is kept for years."""

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept, in JSON's types."""

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""


class Health:
    """What is found out about one battery.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, longest_gap: float) -> None:
        self.lifetime = Lifetime(longest_gap)
        self.full = FullCharge(longest_gap)
        self.spreads = Spreads(longest_gap)
        self.drift = Drift(longest_gap)
        self.diagnosing = Diagnosing(longest_gap, self._is_loose)
        self.capacity = MeasuredCapacity(longest_gap, self._is_loose, self._is_weak)
        self.resistances = Resistances(longest_gap)
        self.false_current = FalseCurrent(longest_gap, self._offset_by_cycles)

    def _is_loose(self) -> bool:
        """Tell whether a connection may be loose: under current its cell is not what it seems."""
        return bool(self.resistances.steps)

    def _is_weak(self) -> bool:
        """Tell whether a cell is weak, so that it is the first that is empty."""
        return self.diagnosing.diagnosis.finding is Finding.WEAK_CELL

    def _offset_by_cycles(self) -> Offset | None:
        """Return what cycles from full to full have shown of the current sensor."""
        return self.capacity.offset

    @property
    def _parts(self) -> Mapping[str, _Part]:
        """All of them, by the names under which they are kept."""
        return vars(self)

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        for part in self._parts.values():
            part.add(update, now)

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept, in JSON's types."""
        return {name: part.as_dict() for name, part in self._parts.items()}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        if isinstance(kept, Mapping):
            for name, part in self._parts.items():
                part.restore(kept.get(name))
