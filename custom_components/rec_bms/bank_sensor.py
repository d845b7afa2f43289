"""Sensors of a bank: what its batteries measure and hold as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.sensor import RestoreSensor, SensorEntity

from .bank import BankCoordinator, BankUpdate
from .bank_entity import BankEntity, where
from .flow_sensor import ENERGIES, TIMES, RecBmsFlowDescription, async_added_up
from .protocol.bank import (
    Bank,
    Extreme,
    current,
    highest_cell,
    hottest_sensor,
    lowest_cell,
    power,
    spread,
    state_of_charge,
    stored_energy,
    time_left,
    voltage,
)
from .protocol.energy import EnergyMeter, SmoothedCurrent
from .protocol.state import Quantity, product

if TYPE_CHECKING:
    from .sensor import RecBmsSensorDescription

_POWER = frozenset({Quantity.VOLTAGE, Quantity.CURRENT})
_CHARGE = frozenset({Quantity.STATE_OF_CHARGE, Quantity.CURRENT, "capa"})


@dataclass(frozen=True, kw_only=True)
class BankReading:
    """What a sensor of a bank shows; how, its like of a single BMS describes under that key."""

    key: str
    required: frozenset[str]
    value_fn: Callable[[Bank], float | None]
    extreme_fn: Callable[[Bank], Extreme | None] | None = None
    """What says at which battery it is; `part` is what an extreme's number counts."""
    part: str = "cell"


def _value(extreme: Extreme | None) -> float | None:
    return None if extreme is None else extreme.value


READINGS = (
    BankReading(
        key="state_of_charge",
        required=frozenset({Quantity.STATE_OF_CHARGE, "capa"}),
        value_fn=lambda bank: product(state_of_charge(bank), 100),
    ),
    BankReading(
        key="voltage",
        required=frozenset({Quantity.VOLTAGE}),
        value_fn=voltage,
    ),
    BankReading(
        key="current",
        required=frozenset({Quantity.CURRENT}),
        value_fn=current,
    ),
    BankReading(
        key="power",
        required=_POWER,
        value_fn=power,
    ),
    BankReading(
        key="stored_energy",
        required=frozenset({Quantity.STATE_OF_CHARGE, Quantity.VOLTAGE, "capa"}),
        value_fn=stored_energy,
    ),
    BankReading(
        key="min_cell_voltage",
        required=frozenset({Quantity.MIN_CELL_VOLTAGE}),
        value_fn=lambda bank: _value(lowest_cell(bank)),
        extreme_fn=lowest_cell,
    ),
    BankReading(
        key="max_cell_voltage",
        required=frozenset({Quantity.MAX_CELL_VOLTAGE}),
        value_fn=lambda bank: _value(highest_cell(bank)),
        extreme_fn=highest_cell,
    ),
    BankReading(
        key="cell_voltage_delta",
        required=frozenset({Quantity.MIN_CELL_VOLTAGE, Quantity.MAX_CELL_VOLTAGE}),
        value_fn=spread,
    ),
    BankReading(
        key="max_temperature",
        required=frozenset({Quantity.MAX_TEMPERATURE}),
        value_fn=lambda bank: _value(hottest_sensor(bank)),
        extreme_fn=hottest_sensor,
        part="sensor",
    ),
)


def bank_sensors(
    coordinator: BankCoordinator, of_one: Iterable[RecBmsSensorDescription]
) -> Iterable[SensorEntity]:
    """Yield a bank's sensors; `of_one` describes those of a single BMS."""
    described = {description.key: description for description in of_one}
    for reading in READINGS:
        yield BankSensor(coordinator, described[reading.key], reading)
    for energy in ENERGIES:
        yield BankEnergySensor(coordinator, energy)
    for time in TIMES:
        yield BankTimeSensor(coordinator, time)


class BankSensor(BankEntity, SensorEntity):
    """A sensor of all batteries as one."""

    entity_description: RecBmsSensorDescription

    def __init__(
        self,
        coordinator: BankCoordinator,
        description: RecBmsSensorDescription,
        reading: BankReading,
    ) -> None:
        super().__init__(coordinator, description, reading.required)
        self._reading = reading

    @property
    @override
    def native_value(self) -> float | None:
        """What the batteries have together, to what one of them can resolve."""
        value = self._reading.value_fn(self.coordinator.data.bank)
        return None if value is None else round(value, self.entity_description.digits)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Where it was measured."""
        if (extreme_fn := self._reading.extreme_fn) is None:
            return None
        update = self.coordinator.data
        return where(update, extreme_fn(update.bank), self._reading.part)

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


class BankEnergySensor(BankEntity, RestoreSensor):
    """Energy into the bank or out of it, added up here and kept over restarts.

    What flows from one battery of the bank into another is neither.
    """

    entity_description: RecBmsFlowDescription

    def __init__(self, coordinator: BankCoordinator, description: RecBmsFlowDescription) -> None:
        super().__init__(coordinator, description, _POWER)
        # What may be bridged, the coordinator knows, since members come and go.
        self._meter = EnergyMeter(description.direction, longest_gap=0)

    @property
    @override
    def native_value(self) -> float:
        """What was added up so far, to one Wh."""
        return round(self._meter.kwh, 3)

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was added up before."""
        self._meter.kwh = await async_added_up(self, self.coordinator.memory)
        await super().async_added_to_hass()

    @override
    def _follow(self, update: BankUpdate) -> None:
        if not update.bank.is_complete:
            return
        self._meter.add(power(update.bank), update.measured_at, continuous=update.continuous)
        self.coordinator.memory.keep_energy(
            self.entity_description.key, self._meter.kwh, update.period
        )

    @override
    def _content(self) -> object:
        return self.native_value


class BankTimeSensor(BankEntity, SensorEntity):
    """Time until the bank is full or empty, if the current stays as it has been lately."""

    entity_description: RecBmsFlowDescription

    def __init__(self, coordinator: BankCoordinator, description: RecBmsFlowDescription) -> None:
        super().__init__(coordinator, description, _CHARGE)
        self._current = SmoothedCurrent()

    @property
    @override
    def native_value(self) -> int | None:
        """Minutes, or nothing while the bank is not going that way."""
        if (amperes := self._current.amperes) is None:
            return None
        bank = self.coordinator.data.bank
        return time_left(bank, self.entity_description.direction, amperes)

    @override
    def _follow(self, update: BankUpdate) -> None:
        self._current.add(current(update.bank), update.measured_at)

    @override
    def _content(self) -> object:
        return self.native_value
