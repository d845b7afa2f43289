"""How many cells each unit has, which one message that is short of some does not change."""

from __future__ import annotations

from ..state import PerUnit

_RUNNING = 5


class Shapes:
    """Believes that units have another number of cells when it is told several times running."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, int]] = {}

    def is_believed(self, unit: int, cells: int, known: int | None) -> bool:
        """Tell whether a unit has so many cells, where it was known to have others, or none."""
        if known is None or cells == known:
            self._told.pop(unit, None)
            return True
        before, count = self._told.get(unit, (cells, 0))
        count = count + 1 if before == cells else 1
        self._told[unit] = cells, count
        if count < _RUNNING:
            return False
        del self._told[unit]
        return True


class Rows:
    """How many cells all units have; others when they are told several times running."""

    def __init__(self) -> None:
        self.known: list[int] = []
        self._told: list[int] = []
        self._running = 0

    def add(self, table: PerUnit | None) -> bool:
        """Take what was told of all cells; tell whether they are others than those known."""
        if table is None:
            return False
        rows = [len(row) for row in table.units]
        if rows == self.known:
            self._running = 0
            return False
        self._running = self._running + 1 if rows == self._told else 1
        self._told = rows
        if self.known and self._running < _RUNNING:
            return False
        before, self.known, self._running = self.known, rows, 0
        return bool(before)
