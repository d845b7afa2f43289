"""When a battery is at rest: its current has been small for so long that its cells have settled.

Small is below C/50, by CAPA, which a current sensor that is off by some tenths of an ampere does
not pass. What is left of a cell's recovery after 20 minutes is some mV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..bms import Update

_SMALL = 1 / 50
"""C."""
SETTLED = 1200.0
"""Seconds after which cells have settled."""
_CLOCK_JUMP = 60.0
"""Seconds. A clock that is put right by less is left alone, so that `since` does not flicker."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A battery at rest, whose current has been small since a Unix time."""

    since: float


class RestWatch:
    """Tells whether one battery is at rest.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, longest_gap: float) -> None:
        self.rest: Rest | None = None
        """None while current flows, or flowed lately, or where that is not known."""
        self._longest_gap = longest_gap
        self._capacity: float | None = None
        self._small_from: float | None = None
        self._last: float | None = None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        state, at = update.state, update.measured_at
        # A setting that is not told for a while is what it was.
        self._capacity = state.settings.get("capa") or self._capacity
        before, self._last = self._last, at
        if not self._is_small(state.current):
            self._small_from, self.rest = None, None
            return
        if self._small_from is None or before is None or not self._goes_on(before, update):
            self._small_from = at
        settled = at - self._small_from
        if settled < SETTLED:
            self.rest = None
        elif self.rest is None or abs(now - settled - self.rest.since) > _CLOCK_JUMP:
            self.rest = Rest(now - settled)

    def _is_small(self, amperes: float | None) -> bool:
        if amperes is None or self._capacity is None:
            return False
        return abs(amperes) < self._capacity * _SMALL

    def _goes_on(self, before: float, update: Update) -> bool:
        """Tell whether the battery was heard since the measurement before."""
        apart = update.measured_at - before
        return apart >= 0 and (apart <= self._longest_gap or update.continuous)

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept: nothing, since nobody knows what flowed meanwhile."""
        return {}

    def restore(self, kept: object) -> None:
        """Take what was kept, which is nothing."""
