"""What battery health may show of this package's BMSs, by rules of this module's own.

They are never full, never empty and never at rest, and their cells' voltages are not those of a
battery: so most of it must show nothing for as long as a soak goes on.
"""

from __future__ import annotations

import re
from collections import defaultdict

from .flow import Main

# Key: place in LCD1's response, factor, decimals shown.
_EXTREMES = {
    "lowest_cell_voltage_ever": (0, 1, 3),
    "highest_cell_voltage_ever": (1, 1, 3),
    "deepest_discharge": (5, 100, 1),
}
_TIMES = ("time_above_limits", "time_below_limits")
_DIAGNOSIS = "diagnosis"
_NOTHING = (
    *("last_full_charge", "charge_since_full", "state_of_charge_correction"),
    *("measured_capacity", "measured_health"),
    *("cell_spread_rest", "cell_spread_top", "most_drifting_cell"),
)
_NOTHING_OF_A_CELL = re.compile(r"(cell_drift|cell_resistance_change)_(\d+)_(\d+)")
_HALF_A_HUNDREDTH = 0.00501
"""In h: times are shown to a hundredth."""


def knows(key: str) -> bool:
    """Tell whether there is a rule here for what an entity may show."""
    known = (*_EXTREMES, *_TIMES, _DIAGNOSIS, *_NOTHING)
    return key in known or _NOTHING_OF_A_CELL.fullmatch(key) is not None


class Life:
    """Follows one BMS from poll to poll."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last = 0.0
        self._read: defaultdict[str, set[float]] = defaultdict(set)

    def polled(self, main: Main) -> None:
        """Take what the next poll has read."""
        if self._began is None:
            self._began = main.read_at
        self._last = main.read_at
        for key, (place, factor, decimals) in _EXTREMES.items():
            self._read[key].add(round(main.values[place] * factor, decimals))

    def may_show(self, key: str, state: str) -> bool:
        """Tell whether an entity may show a state that is one."""
        if key == _DIAGNOSIS:
            return state == "not_enough_data"
        if self._began is None:
            return False
        if key in _EXTREMES:
            return float(state) in self._read[key]
        if key in _TIMES:
            hours = (self._last - self._began) / 3600
            return 0 <= float(state) <= hours + _HALF_A_HUNDREDTH
        return False
