"""Sensors that follow the current over many polls: energy in and out, time left."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy, UnitOfTime
from homeassistant.core import callback

from .coordinator import RecBmsCoordinator
from .entity import RecBmsEntity
from .memory import Memory
from .protocol.energy import Direction, EnergyMeter, SmoothedCurrent, minutes_left
from .protocol.state import Quantity

_POWER = frozenset({Quantity.VOLTAGE, Quantity.CURRENT})
_CHARGE = frozenset({Quantity.STATE_OF_CHARGE, Quantity.CURRENT, "capa"})


@dataclass(frozen=True, kw_only=True)
class RecBmsFlowDescription(SensorEntityDescription):
    """A sensor that follows the current one way over many polls."""

    direction: Direction


ENERGIES = tuple(
    RecBmsFlowDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        direction=direction,
    )
    for key, direction in (
        ("energy_charged", Direction.CHARGING),
        ("energy_discharged", Direction.DISCHARGING),
    )
)

TIMES = tuple(
    RecBmsFlowDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=1,
        direction=direction,
    )
    for key, direction in (
        ("time_to_full", Direction.CHARGING),
        ("time_to_empty", Direction.DISCHARGING),
    )
)


async def async_added_up(sensor: RestoreSensor, memory: Memory) -> float:
    """Return the kWh that a sensor had added up: of two records the higher, as a total grows."""
    kwh = memory.energy(sensor.entity_description.key)
    last = await sensor.async_get_last_sensor_data()
    if last is not None and isinstance(last.native_value, int | float | Decimal):
        kwh = max(kwh, float(last.native_value))
    return kwh


class RecBmsEnergySensor(RecBmsEntity, RestoreSensor):
    """Energy in or out, added up here, since the BMS does not; kept over restarts."""

    entity_description: RecBmsFlowDescription

    def __init__(self, coordinator: RecBmsCoordinator, description: RecBmsFlowDescription) -> None:
        super().__init__(coordinator, description, _POWER)
        self._meter = EnergyMeter(description.direction, coordinator.bms.longest_gap)

    @property
    @override
    def native_value(self) -> float:
        """What was added up so far, to one Wh."""
        return round(self._meter.kwh, 3)

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from what was added up before."""
        await super().async_added_to_hass()
        self._meter.kwh = await async_added_up(self, self.coordinator.memory)
        self._add()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._add()
        super()._handle_coordinator_update()

    def _add(self) -> None:
        data = self.coordinator.data
        if self.coordinator.last_update_success and all(map(data.state.has, _POWER)):
            self._meter.add(data.state.power, data.measured_at, continuous=data.continuous)
            self.coordinator.memory.keep_energy(
                self.entity_description.key, self._meter.kwh, data.period
            )

    @override
    def _content(self) -> object:
        return self.native_value


class RecBmsTimeSensor(RecBmsEntity, SensorEntity):
    """Time until the battery is full or empty, if the current stays as it has been lately."""

    entity_description: RecBmsFlowDescription

    def __init__(self, coordinator: RecBmsCoordinator, description: RecBmsFlowDescription) -> None:
        super().__init__(
            coordinator,
            description,
            _CHARGE,
        )
        self._current = SmoothedCurrent()
        self._follow()

    @property
    @override
    def native_value(self) -> int | None:
        """Minutes, or nothing while the battery is not going that way."""
        state = self.coordinator.data.state
        capacity, amperes = state.settings.get("capa"), self._current.amperes
        if capacity is None or state.state_of_charge is None or amperes is None:
            return None
        direction = self.entity_description.direction
        return minutes_left(direction, capacity, state.state_of_charge, amperes)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._follow()
        super()._handle_coordinator_update()

    def _follow(self) -> None:
        data = self.coordinator.data
        if data.state.has(Quantity.CURRENT):
            self._current.add(data.state.current, data.measured_at)

    @override
    def _content(self) -> object:
        return self.native_value
