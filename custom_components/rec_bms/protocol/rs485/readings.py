"""What the answer to one instruction says, and which quantities of a BMS that tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from typing import Any

from ..state import ErrorState, Location, PerUnit, Quantity
from .instructions import INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class MainData:
    """LCD1: volts, amperes (positive while charging), °C, and fractions from 0 to 1."""

    min_cell_voltage: float | None
    max_cell_voltage: float | None
    current: float | None
    max_temperature: float | None
    voltage: float | None
    state_of_charge: float | None
    state_of_health: float | None


@dataclass(frozen=True, slots=True)
class Extremes:
    """LCD3: where the extremes are, and the Ah consumed since the last full charge."""

    min_cell: Location | None
    max_cell: Location | None
    max_temperature: Location | None
    consumed_charge: float | None


@dataclass(frozen=True, slots=True)
class BmsTemperature:
    """BTEM: the temperature of the BMS itself in °C."""

    temperature: float | None


type Reading = (
    MainData | Extremes | PerUnit | BmsTemperature | ErrorState | float | str | time | date | None
)
"""One instruction's decoded answer. Whole numbers are ints, which are floats to a type checker."""

_TOGETHER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {Quantity.BALANCING: ("WCBI", "CELL"), Quantity.CLOCK: ("TIME", "DATE")}
)
"""What only several instructions together tell."""

_TELLS_OTHERWISE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "LCD1": (
            Quantity.MIN_CELL_VOLTAGE,
            Quantity.MAX_CELL_VOLTAGE,
            Quantity.CURRENT,
            Quantity.MAX_TEMPERATURE,
            Quantity.VOLTAGE,
            Quantity.STATE_OF_CHARGE,
            Quantity.STATE_OF_HEALTH,
        ),
        "LCD3": (
            Quantity.MIN_CELL,
            Quantity.MAX_CELL,
            Quantity.HOTTEST_SENSOR,
            Quantity.CONSUMED_CHARGE,
        ),
        "CELL": (Quantity.CELL_VOLTAGES,),
        "RINT": (Quantity.CELL_RESISTANCES,),
        "PTEM": (Quantity.TEMPERATURES,),
        "BTEM": (Quantity.BMS_TEMPERATURE,),
        "ERRO": (Quantity.ERROR,),
        "REFC": (Quantity.REFERENCE_VOLTAGE,),
        "*IDN": (Quantity.MODEL,),
        "SWVR": (Quantity.SOFTWARE_VERSION,),
        "HWVR": (Quantity.HARDWARE_VERSION,),
        "SERI": (Quantity.SERIAL_NUMBER,),
        "WCBI": (),
        "TIME": (),
        "DATE": (),
    }
)
_TELLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {row.code: _TELLS_OTHERWISE.get(row.code, (row.key,)) for row in INSTRUCTIONS}
)
CODE_OF: Mapping[str, str] = MappingProxyType(
    {quantity: code for code, quantities in _TELLS.items() for quantity in quantities}
)
"""The instruction that tells a quantity by itself, or the setting of a key."""


def codes_of(quantity: str) -> tuple[str, ...]:
    """Return the instructions that tell a quantity; none where it comes another way."""
    if quantity in _TOGETHER:
        return _TOGETHER[quantity]
    return (CODE_OF[quantity],) if quantity in CODE_OF else ()


def tells(code: str, told: Mapping[str, Any]) -> bool:
    """Tell whether anything of what an instruction reads was told, by quantity or key."""
    return any(quantity in told for quantity in _TELLS.get(code, ()))


def reading_of(code: str, told: Mapping[str, Any]) -> Reading:
    """Return what an instruction would read in a BMS that told these quantities."""
    values = [told.get(quantity) for quantity in _TELLS[code]]
    match code:
        case "LCD1":
            return MainData(*values)
        case "LCD3":
            return Extremes(*values)
        case "BTEM":
            return BmsTemperature(*values)
    reading: Reading = values[0]
    return reading


def told_by(code: str, reading: Reading) -> dict[str, object]:
    """Return what a reading tells, by quantity or by a setting's key."""
    match reading:
        case MainData(low, high, current, temperature, volts, charge, health):
            values: tuple[object, ...] = (low, high, current, temperature, volts, charge, health)
        case Extremes(low, high, hot, consumed):
            values = (low, high, hot, consumed)
        case BmsTemperature(temperature):
            values = (temperature,)
        case _:
            values = (reading,) if _TELLS[code] else ()
    return dict(zip(_TELLS[code], values, strict=True))


def balancing(cell: Reading, voltages: PerUnit | None) -> PerUnit | None:
    """Return which cells are balanced, by WCBI's number and CELL; None where it is not known.

    WCBI tells no unit, so of several nothing is known; nor of a cell that there is not.
    """
    if voltages is None or len(voltages.units) != 1:
        return None
    numbers = range(1, len(voltages.units[0]) + 1)
    if cell is not None and cell not in numbers:
        return None
    return PerUnit((tuple(number == cell for number in numbers),))
