"""What the answer to one instruction says, and which quantities of a BMS that tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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

    min_cell: Location
    max_cell: Location
    max_temperature: Location
    consumed_charge: int


@dataclass(frozen=True, slots=True)
class BmsTemperature:
    """BTEM: the temperature of the BMS itself in °C."""

    temperature: float | None


type Reading = MainData | Extremes | PerUnit | BmsTemperature | ErrorState | float | str | None
"""One instruction's decoded answer. Whole numbers are ints, which are floats to a type checker."""

_TELLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
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
        **{row.code: (row.key,) for row in INSTRUCTIONS if row.settable},
    }
)
CODE_OF: Mapping[str, str] = MappingProxyType(
    {quantity: code for code, quantities in _TELLS.items() for quantity in quantities}
)
"""The instruction that tells a quantity, or the setting of a key."""


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
            values = (reading,)
    return dict(zip(_TELLS[code], values, strict=True))
