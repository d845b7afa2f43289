"""What a BMS told us, as frozen dataclasses in the line's units.

Nothing here depends on the line: another way to the same readings fills the same models. None
stands for a value that the BMS gave but that cannot be: not finite, or far outside what a cell, a
sensor or a percentage can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


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

    @property
    def power(self) -> float | None:
        """Voltage times current in W, positive while charging."""
        if self.voltage is None or self.current is None:
            return None
        return self.voltage * self.current


@dataclass(frozen=True, slots=True)
class Location:
    """A cell or a temperature sensor: the BMS address of its unit and its number there, from 1."""

    unit: int
    number: int


@dataclass(frozen=True, slots=True)
class Extremes:
    """LCD3: where the extremes are, and the Ah consumed since the last full charge."""

    min_cell: Location
    max_cell: Location
    max_temperature: Location
    consumed_charge: int


@dataclass(frozen=True, slots=True)
class PerUnit:
    """CELL, RINT or PTEM: a row per unit, a value per cell or sensor: V, Ω or °C."""

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
class BmsTemperature:
    """BTEM: the temperature of the BMS itself in °C."""

    temperature: float | None


@dataclass(frozen=True, slots=True)
class ErrorState:
    """ERRO: the error that the BMS reports, or none.

    `number` is REC's error number, `unit` the BMS address of the unit and `location` the cell or
    sensor; they mean something while `present`.
    """

    present: bool
    unit: int
    number: int
    location: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a BMS says it is; None for what it does not tell."""

    model: str
    software_version: str | None = None
    hardware_version: str | None = None


type Reading = MainData | Extremes | PerUnit | BmsTemperature | ErrorState | float | str | None
"""One instruction's decoded answer. Whole numbers are ints, which are floats to a type checker."""


@dataclass(frozen=True, slots=True)
class Readings:
    """The last readings of one BMS, by instruction code; what is absent is not known."""

    values: Mapping[str, Reading] = field(default_factory=lambda: MappingProxyType({}))
    address: int | None = None
    """The BMS's own address, where it has one."""

    def has(self, code: str) -> bool:
        """Tell whether there is a reading for an instruction."""
        return code in self.values

    @property
    def layout(self) -> object:
        """What there are readings of; it changes when cells, sensors or answers come or go."""
        tables = [value for value in self.values.values() if isinstance(value, PerUnit)]
        return frozenset(self.values), [
            [value is not None for value in row] for table in tables for row in table.units
        ]

    @property
    def main(self) -> MainData | None:
        """What LCD1 told."""
        return self._get("LCD1", MainData)

    @property
    def extremes(self) -> Extremes | None:
        """What LCD3 told."""
        return self._get("LCD3", Extremes)

    @property
    def cell_voltages(self) -> PerUnit | None:
        """The voltage of each cell in V."""
        return self._get("CELL", PerUnit)

    @property
    def cell_resistances(self) -> PerUnit | None:
        """The internal resistance of each cell in Ω."""
        return self._get("RINT", PerUnit)

    @property
    def temperatures(self) -> PerUnit | None:
        """The temperature at each of the battery's sensors in °C."""
        return self._get("PTEM", PerUnit)

    @property
    def bms_temperature(self) -> float | None:
        """The temperature of the BMS in °C."""
        reading = self._get("BTEM", BmsTemperature)
        return None if reading is None else reading.temperature

    @property
    def error(self) -> ErrorState | None:
        """What ERRO told."""
        return self._get("ERRO", ErrorState)

    def position(self, address: int | None) -> int | None:
        """Return which unit, from 1, an address in LCD3 or ERRO stands for; None if not certain.

        The units of a master that is before or after them all have the addresses from 1. How a
        master in their midst counts is not known, and a wrong unit is worse than none. A position
        that was told before, None included, stays what it is.
        """
        if (cells := self.cell_voltages) is None:
            return 1 if address is not None and address == self.address else None
        units = len(cells.units)
        if units == 1:
            return 1
        if address is None or self.address is None or 1 < self.address <= units:
            return None
        return address if 1 <= address <= units else None

    def number(self, code: str) -> float | None:
        """Return a single value in the line's unit."""
        value = self.values.get(code)
        return value if isinstance(value, int | float) else None

    def text(self, code: str) -> str | None:
        """Return a text such as a version."""
        return self._get(code, str)

    def _get[T](self, code: str, kind: type[T]) -> T | None:
        value = self.values.get(code)
        return value if isinstance(value, kind) else None
