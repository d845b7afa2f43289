"""What a BMS tells over its line, without the line: the same values in the same rounding.

Arrays are float32s, as they are on the line, and settings go through the text that the BMS writes
and the integration's own codec. `tests/simulator/test_health_readings.py` compares all of it with
what that codec makes of the simulator's responses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import INSTRUCTIONS
from custom_components.rec_bms.protocol.state import ErrorState, Location, PerUnit, Quantity, State
from tools.simulator import BMS
from tools.simulator.guard import Measured, Place

SLOW_EVERY = 300.0
"""Seconds between two readings of the resistances, as the integration asks for them."""

_SETTINGS = tuple(row for row in INSTRUCTIONS if row.settable and not row.newer)
_NO_ERROR = ErrorState(present=False, unit=0, number=0, location=0)


class Reader:
    """Reads one BMS from poll to poll; settings in turn, one each time."""

    def __init__(self, bms: BMS) -> None:
        """Read all settings."""
        self._bms = bms
        self._turn = 0
        self._settings = {row.key: self._read(index) for index, row in enumerate(_SETTINGS)}
        self._resistances: PerUnit | None = None
        self._resistances_at = 0.0

    def state(self, now: float) -> State:
        """Return what a poll at a time in s finds."""
        bms = self._bms
        self._turn = (self._turn + 1) % len(_SETTINGS)
        self._settings[_SETTINGS[self._turn].key] = self._read(self._turn)
        measured = bms.sample()
        low, high, hot = measured.lowest_cell(), measured.highest_cell(), measured.hottest()
        told = self._arrays(measured, low.value, high.value, hot.value)
        told |= self._extremes(low, high, hot)
        if self._resistances is None or now - self._resistances_at >= SLOW_EVERY:
            self._resistances, self._resistances_at = as_told(bms.resistances()), now
        told[Quantity.CELL_RESISTANCES] = self._resistances
        error = bms.error
        told[Quantity.ERROR] = _NO_ERROR if error is None else self._error(*error)
        settings = MappingProxyType(self._settings.copy())
        return State(
            **told,
            settings=settings,
            address=bms.address,
            told=MappingProxyType({**told, **settings}),
        )

    def _read(self, index: int) -> Any:
        row = _SETTINGS[index]
        return decode(row, (self._bms.written(row.code).encode("ascii"),))

    def _arrays(
        self, measured: Measured, lowest: float, highest: float, warmest: float
    ) -> dict[str, Any]:
        """Return what LCD1, CELL, PTEM and BTEM tell."""
        bms = self._bms
        told = [lowest, highest, measured.current, warmest, measured.voltage]
        low, high, current, hottest, volts, charge, health, board = float32s(
            [*told, bms.charge, bms.health, measured.board]
        )
        return {
            Quantity.MIN_CELL_VOLTAGE: low,
            Quantity.MAX_CELL_VOLTAGE: high,
            Quantity.CURRENT: current,
            Quantity.MAX_TEMPERATURE: hottest,
            Quantity.VOLTAGE: volts,
            Quantity.STATE_OF_CHARGE: charge,
            Quantity.STATE_OF_HEALTH: health,
            Quantity.CELL_VOLTAGES: as_told(measured.volts),
            Quantity.TEMPERATURES: as_told(measured.celsius),
            Quantity.BMS_TEMPERATURE: board,
        }

    def _extremes(self, low: Place, high: Place, hot: Place) -> dict[str, Any]:
        """Return what LCD3 tells."""
        return {
            Quantity.MIN_CELL: self._location(low),
            Quantity.MAX_CELL: self._location(high),
            Quantity.HOTTEST_SENSOR: self._location(hot),
            Quantity.CONSUMED_CHARGE: min(max(round(self._bms.consumed), 0), 0xFFFF),
        }

    def _location(self, place: Place) -> Location:
        return Location(self._bms.unit_address(place.unit), place.number)

    def _error(self, number: int, unit: int, location: int) -> ErrorState:
        return ErrorState(
            present=True, unit=self._bms.unit_address(unit), number=number, location=location
        )


def float32s(values: list[float]) -> tuple[float, ...]:
    """Return values as an array of float32s carries them."""
    form = f"<{len(values)}f"
    return struct.unpack(form, struct.pack(form, *values))


def as_told(table: Iterable[list[float]]) -> PerUnit:
    """Return a table of a row for each unit as it is told."""
    return PerUnit(tuple(float32s(row) for row in table))
