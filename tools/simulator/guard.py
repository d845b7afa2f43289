"""What a BMS watches over: limits with hysteresis, the errors they raise, what may flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

HIGH, LOW, SPREAD, HOT, BOARD_HOT, COLD, SENSOR = 1, 2, 3, 4, 5, 7, 8
"""Numbers of the errors that the simulated physics can raise by itself."""

_STOPS_CHARGE = {1, 4, 5, 7}
_STOPS_DISCHARGE = {2, 4, 5}
_CELL_HEAT_HYSTERESIS = 2.0
"""Kelvin: the BMS has no setting for it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was measured: unit and cell (or sensor) from 1, and the value."""

    unit: int
    number: int
    value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of measurements: volts and °C as lists for each unit, A, °C of the board."""

    volts: list[list[float]]
    celsius: list[list[float]]
    current: float
    board: float

    def highest_cell(self) -> Place:
        """Return the cell of the highest voltage."""
        return _outermost(self.volts, max)

    def lowest_cell(self) -> Place:
        """Return the cell of the lowest voltage."""
        return _outermost(self.volts, min)

    def hottest(self) -> Place:
        """Return the warmest sensor."""
        return _outermost(self.celsius, max)

    def coldest(self) -> Place:
        """Return the coldest sensor."""
        return _outermost(self.celsius, min)

    @property
    def voltage(self) -> float:
        """Voltage of the pack, V."""
        return math.fsum(volts for unit in self.volts for volts in unit)


_NOWHERE = Place(1, 0, 20.0)


def _outermost(table: list[list[float]], of: Callable[[Iterable[float]], float]) -> Place:
    """Return the first place of the highest, or the lowest, value; nowhere where there is none."""
    rows = [row for row in table if row]
    if len(rows) == len(table) == 1:
        value = of(rows[0])
        return Place(1, rows[0].index(value) + 1, value)
    if not rows:
        return _NOWHERE
    value = of([of(row) for row in rows])
    unit, row = next((unit, row) for unit, row in enumerate(table, 1) if value in row)
    return Place(unit, row.index(value) + 1, value)


class Guard:
    """Errors that are on, and what they and the soft limits let through.

    `found` are errors by the BMS's own limits, `forced` those that somebody raised by hand; both
    map a number to the unit and the cell or sensor. `charge_ended` is set when a cell has reached
    CHAR until it has fallen by CHIS and the charge by SOCH; `protected` when one has reached CLOW
    until it has risen by MINH.
    """

    def __init__(self, settings: dict[str, float]) -> None:
        self._settings = settings
        self.found: dict[int, tuple[int, int]] = {}
        self.forced: dict[int, tuple[int, int]] = {}
        self.charge_ended = False
        self.protected = False

    @property
    def errors(self) -> Mapping[int, tuple[int, int]]:
        """All errors that are on: forced ones first, the last one raised in front."""
        if not self.forced and not self.found:
            return {}
        return dict(reversed(self.forced.items())) | dict(sorted(self.found.items()))

    def current_error(self) -> tuple[int, int, int] | None:
        """Return number, unit and location of the error that the BMS shows, None without one."""
        for number, (unit, location) in self.errors.items():
            return number, unit, location
        return None

    @property
    def may_charge(self) -> bool:
        """Whether the BMS lets current in."""
        return not self.charge_ended and not _STOPS_CHARGE & self.errors.keys()

    @property
    def may_discharge(self) -> bool:
        """Whether the BMS lets current out."""
        return not self.protected and not _STOPS_DISCHARGE & self.errors.keys()

    def look(self, measured: Measured, charge: float) -> set[int]:
        """Compare with the limits; return the errors that are new. `charge` is 0 to 1."""
        known = set(self.found)
        keep = self._settings
        high, low = measured.highest_cell(), measured.lowest_cell()
        hot, cold = measured.hottest(), measured.coldest()
        spread = Place(low.unit, low.number, high.value - low.value)
        board = Place(1, 0, measured.board)
        self._above(HIGH, high, keep["CMAX"], keep["MAXH"])
        self._below(LOW, low, keep["CMIN"], keep["MINH"])
        self._above(SPREAD, spread, keep["RAZL"], keep["RAZL"] / 4)
        self._above(HOT, hot, keep["TMAX"], _CELL_HEAT_HYSTERESIS)
        self._above(BOARD_HOT, board, keep["TBAL"], keep["BMTH"])
        self._below(COLD, cold, keep["TMIN"], _CELL_HEAT_HYSTERESIS)
        self._soft_limits(high.value, low.value, charge)
        return set(self.found) - known

    def _soft_limits(self, high: float, low: float, charge: float) -> None:
        keep = self._settings
        if high >= keep["CHAR"]:
            self.charge_ended = True
        elif high < keep["CHAR"] - keep["CHIS"] and charge < 1 - keep["SOCH"]:
            self.charge_ended = False
        if low <= keep["CLOW"]:
            self.protected = True
        elif low > keep["CLOW"] + keep["MINH"]:
            self.protected = False

    def _above(self, number: int, place: Place, limit: float, hysteresis: float) -> None:
        if place.value > limit:
            self.found[number] = (place.unit, place.number)
        elif place.value < limit - hysteresis:
            self.found.pop(number, None)

    def _below(self, number: int, place: Place, limit: float, hysteresis: float) -> None:
        if place.value < limit:
            self.found[number] = (place.unit, place.number)
        elif place.value > limit + hysteresis:
            self.found.pop(number, None)
