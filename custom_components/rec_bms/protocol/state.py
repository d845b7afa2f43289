"""What a BMS told, by quantity and in the line's units, whatever way it came.

A quantity that was not told is absent: `has` tells. None stands for one that was told, but cannot
be: not finite, or far outside what a cell, a sensor or a percentage can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from .clock import Clock


class Quantity(StrEnum):
    """What a BMS may tell, apart from its settings, which go by their keys; fields of `State`."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    STATE_OF_CHARGE = "state_of_charge"
    STATE_OF_HEALTH = "state_of_health"
    CONSUMED_CHARGE = "consumed_charge"
    MIN_CELL_VOLTAGE = "min_cell_voltage"
    MAX_CELL_VOLTAGE = "max_cell_voltage"
    MAX_TEMPERATURE = "max_temperature"
    MIN_CELL = "min_cell"
    MAX_CELL = "max_cell"
    HOTTEST_SENSOR = "hottest_sensor"
    CELL_VOLTAGES = "cell_voltages"
    CELL_RESISTANCES = "cell_resistances"
    TEMPERATURES = "temperatures"
    BMS_TEMPERATURE = "bms_temperature"
    BALANCING = "balancing"
    CLOCK = "clock"
    REFERENCE_VOLTAGE = "reference_voltage"
    ERROR = "error"
    SERIAL_NUMBER = "serial_number"
    MODEL = "model"
    SOFTWARE_VERSION = "software_version"
    HARDWARE_VERSION = "hardware_version"


_QUANTITIES = frozenset(Quantity)
_NO_SETTINGS: Mapping[str, float | None] = MappingProxyType({})
_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Location:
    """A cell or a temperature sensor: the BMS address of its unit and its number there, from 1.

    `position` is the unit's, from 1, where it is known without its address.
    """

    unit: int | None
    number: int
    position: int | None = None


@dataclass(frozen=True, slots=True)
class PerUnit:
    """A row per unit, a value per cell or sensor: V, Ω, °C, or whether it is being balanced."""

    units: tuple[tuple[float | None, ...], ...]

    def get(self, unit: int, number: int) -> float | None:
        """Return the value of cell or sensor `number` of `unit`, both from 1; None if absent."""
        return self.units[unit - 1][number - 1] if self.has(unit, number) else None

    def has(self, unit: int, number: int) -> bool:
        """Tell whether there is such a cell or sensor."""
        return 1 <= unit <= len(self.units) and 1 <= number <= len(self.units[unit - 1])

    def __iter__(self) -> Iterator[tuple[int, int, float | None]]:
        """Yield unit, number and value, in order."""
        for unit, row in enumerate(self.units, 1):
            for number, value in enumerate(row, 1):
                yield unit, number, value


@dataclass(frozen=True, slots=True)
class ErrorState:
    """The error that a BMS reports, or none.

    `number` is REC's error number, `unit` the BMS address of the unit and `location` the cell or
    sensor, None where those are not told; they mean something while `present`.
    """

    present: bool
    unit: int | None
    number: int
    location: int | None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one BMS: V, A (positive while charging), Ah, °C, Ω, fractions of 1."""

    voltage: float | None = None
    current: float | None = None
    state_of_charge: float | None = None
    state_of_health: float | None = None
    consumed_charge: float | None = None
    """Ah since the last full charge."""
    min_cell_voltage: float | None = None
    max_cell_voltage: float | None = None
    max_temperature: float | None = None
    min_cell: Location | None = None
    max_cell: Location | None = None
    hottest_sensor: Location | None = None
    cell_voltages: PerUnit | None = None
    cell_resistances: PerUnit | None = None
    temperatures: PerUnit | None = None
    """Those of the battery's sensors."""
    bms_temperature: float | None = None
    """That of the BMS itself."""
    balancing: PerUnit | None = None
    """Whether each cell is being balanced: a bool, None where that is not known."""
    clock: Clock | None = None
    reference_voltage: float | None = None
    error: ErrorState | None = None
    serial_number: int | None = None
    model: str | None = None
    software_version: str | None = None
    hardware_version: str | None = None
    settings: Mapping[str, float | None] = _NO_SETTINGS
    """By key; counters that can be set are among them, and what newer units tell of outputs."""
    address: int | None = None
    """The BMS's own address, where it has one."""
    unit_addresses: tuple[int, ...] = ()
    """The addresses of all units, in their order, where they are told."""
    told: Mapping[str, object] = field(default=_NOTHING, repr=False)
    """All that was told, by quantity or by a setting's key."""

    @classmethod
    def of(
        cls,
        told: Mapping[str, Any],
        address: int | None = None,
        unit_addresses: tuple[int, ...] = (),
    ) -> Self:
        """Return the state of a BMS that told these quantities and settings."""
        return cls(
            **{quantity: value for quantity, value in told.items() if quantity in _QUANTITIES},
            settings=MappingProxyType(
                {key: value for key, value in told.items() if key not in _QUANTITIES}
            ),
            address=address,
            unit_addresses=unit_addresses,
            told=MappingProxyType(dict(told)),
        )

    def has(self, quantity: str) -> bool:
        """Tell whether a quantity, or the setting of that key, was told."""
        return quantity in self.told

    @property
    def power(self) -> float | None:
        """Voltage times current in W, positive while charging."""
        return product(self.voltage, self.current)

    @property
    def shape(self) -> object:
        """What was told, and of which cells and sensors; it changes when such come or go."""
        tables = [value for value in self.told.values() if isinstance(value, PerUnit)]
        return frozenset(self.told), [
            [value is not None for value in row] for table in tables for row in table.units
        ]

    def position(self, address: int | None) -> int | None:
        """Return which unit, from 1, an address that a BMS tells stands for; None if not certain.

        The units of a master that is before or after them all have the addresses from 1. How a
        master in their midst counts is not known, and a wrong unit is worse than none. A position
        that was told before, None included, stays what it is.
        """
        if address in self.unit_addresses:
            return self.unit_addresses.index(address) + 1
        if (cells := self.cell_voltages) is None:
            return 1 if address is not None and address == self.address else None
        units = len(cells.units)
        if units == 1:
            return 1
        if address is None or self.address is None or 1 < self.address <= units:
            return None
        return address if 1 <= address <= units else None


def product(*factors: float | None) -> float | None:
    """Return the product of what is known; None where any factor is not."""
    result = 1.0
    for factor in factors:
        if factor is None:
            return None
        result *= factor
    return result
