"""Sensors: what the BMS measures and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bank import BankConfigEntry, is_bank
from .bank_sensor import bank_sensors
from .const import UNIT_AMPERE_HOURS, UNIT_MILLIOHM
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear
from .flow_sensor import ENERGIES, TIMES, RecBmsEnergySensor, RecBmsTimeSensor
from .health_cells import HEALTH_TABLES, RecBmsHealthTableSensor
from .health_sensor import health_sensors
from .newer_sensor import newer_sensors
from .protocol.alarms import ErrorNumber, error_name
from .protocol.bms import Update
from .protocol.capacity import usable_capacity
from .protocol.state import Quantity, State, product
from .setting_sensor import setting_sensors
from .table import RecBmsTableDescription, RecBmsTableEntity, Tables, where

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

ERROR_NONE = "no_error"
ERROR_OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class RecBmsSensorDescription(SensorEntityDescription):
    """A sensor: its value, the quantities that takes, and to how many digits the BMS knows it."""

    value_fn: Callable[[Update], float | str | None]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    """Quantities for the attributes alone: without them there is still a value."""
    attributes_fn: Callable[[State], dict[str, Any]] | None = None
    digits: int | None = None
    polled_only: bool = False
    """Whether it says something about polling, and so nothing of a BMS that tells by itself."""


@dataclass(frozen=True, kw_only=True)
class RecBmsTableSensorDescription(RecBmsTableDescription, SensorEntityDescription):
    """A sensor for each cell or temperature sensor of each unit."""

    scale: float = 1.0
    digits: int


def _percent(fraction: float | None) -> float | None:
    return product(fraction, 100)


def _spread(state: State) -> float | None:
    if state.max_cell_voltage is None or state.min_cell_voltage is None:
        return None
    return state.max_cell_voltage - state.min_cell_voltage


def _remaining_capacity(state: State) -> float | None:
    return product(state.settings.get("capa"), state.state_of_charge)


def _discharge_power(state: State) -> float | None:
    """Return the power in W, positive while discharging; nothing is never less than nothing."""
    watts = state.power
    return None if watts is None else 0.0 - watts


def _stored_energy(state: State) -> float | None:
    return product(_remaining_capacity(state), state.voltage, 0.001)


def _as_text(number: int | None) -> str | None:
    """Return a number that counts nothing as the text that it is."""
    return None if number is None else str(number)


def _error(state: State) -> str | None:
    if state.error is None:
        return None
    return error_name(state.error.number) if state.error.present else ERROR_NONE


def _error_details(state: State) -> dict[str, Any]:
    error = state.error
    if error is None or not error.present:
        return {"number": None, "unit": None, "location": None}
    return {
        "number": error.number,
        "unit": state.position(error.unit),
        "location": error.location,
    }


_MEASUREMENT = SensorStateClass.MEASUREMENT
_COUNT = SensorStateClass.TOTAL_INCREASING
_DIAGNOSTIC = EntityCategory.DIAGNOSTIC

SENSORS: tuple[RecBmsSensorDescription, ...] = (
    RecBmsSensorDescription(
        key="state_of_charge",
        device_class=SensorDeviceClass.BATTERY,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        digits=1,
        required=frozenset({Quantity.STATE_OF_CHARGE}),
        value_fn=lambda data: _percent(data.state.state_of_charge),
    ),
    RecBmsSensorDescription(
        key="state_of_health",
        translation_key="state_of_health",
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        digits=1,
        required=frozenset({Quantity.STATE_OF_HEALTH}),
        value_fn=lambda data: _percent(data.state.state_of_health),
    ),
    RecBmsSensorDescription(
        key="voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=2,
        digits=3,
        required=frozenset({Quantity.VOLTAGE}),
        value_fn=lambda data: data.state.voltage,
    ),
    RecBmsSensorDescription(
        key="current",
        device_class=SensorDeviceClass.CURRENT,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=2,
        digits=2,
        required=frozenset({Quantity.CURRENT}),
        value_fn=lambda data: data.state.current,
    ),
    RecBmsSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        digits=1,
        required=frozenset({Quantity.VOLTAGE, Quantity.CURRENT}),
        value_fn=lambda data: data.state.power,
    ),
    RecBmsSensorDescription(
        key="discharge_power",
        translation_key="discharge_power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        digits=1,
        required=frozenset({Quantity.VOLTAGE, Quantity.CURRENT}),
        value_fn=lambda data: _discharge_power(data.state),
    ),
    RecBmsSensorDescription(
        key="stored_energy",
        translation_key="stored_energy",
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        digits=2,
        required=frozenset({Quantity.STATE_OF_CHARGE, Quantity.VOLTAGE, "capa"}),
        value_fn=lambda data: _stored_energy(data.state),
    ),
    RecBmsSensorDescription(
        key="usable_capacity",
        translation_key="usable_capacity",
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        digits=2,
        required=frozenset(
            {
                Quantity.VOLTAGE,
                Quantity.MIN_CELL_VOLTAGE,
                Quantity.MAX_CELL_VOLTAGE,
                Quantity.CELL_VOLTAGES,
                Quantity.STATE_OF_HEALTH,
                "capa",
                "chem",
            }
        ),
        value_fn=lambda data: usable_capacity(data.state),
    ),
    RecBmsSensorDescription(
        key="remaining_capacity",
        translation_key="remaining_capacity",
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=1,
        digits=1,
        required=frozenset({Quantity.STATE_OF_CHARGE, "capa"}),
        value_fn=lambda data: _remaining_capacity(data.state),
    ),
    RecBmsSensorDescription(
        key="consumed_charge",
        translation_key="consumed_charge",
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=1,
        required=frozenset({Quantity.CONSUMED_CHARGE}),
        value_fn=lambda data: data.state.consumed_charge,
    ),
    RecBmsSensorDescription(
        key="min_cell_voltage",
        translation_key="min_cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        required=frozenset({Quantity.MIN_CELL_VOLTAGE}),
        value_fn=lambda data: data.state.min_cell_voltage,
        optional=frozenset({Quantity.MIN_CELL}),
        attributes_fn=lambda state: where(state, state.min_cell, "cell"),
    ),
    RecBmsSensorDescription(
        key="max_cell_voltage",
        translation_key="max_cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        required=frozenset({Quantity.MAX_CELL_VOLTAGE}),
        value_fn=lambda data: data.state.max_cell_voltage,
        optional=frozenset({Quantity.MAX_CELL}),
        attributes_fn=lambda state: where(state, state.max_cell, "cell"),
    ),
    RecBmsSensorDescription(
        key="cell_voltage_delta",
        translation_key="cell_voltage_delta",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        required=frozenset({Quantity.MIN_CELL_VOLTAGE, Quantity.MAX_CELL_VOLTAGE}),
        value_fn=lambda data: _spread(data.state),
    ),
    RecBmsSensorDescription(
        key="max_temperature",
        translation_key="max_temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        digits=1,
        required=frozenset({Quantity.MAX_TEMPERATURE}),
        value_fn=lambda data: data.state.max_temperature,
        optional=frozenset({Quantity.HOTTEST_SENSOR}),
        attributes_fn=lambda state: where(state, state.hottest_sensor, "sensor"),
    ),
    RecBmsSensorDescription(
        key="error",
        translation_key="error",
        device_class=SensorDeviceClass.ENUM,
        options=[ERROR_NONE, *(number.name.lower() for number in ErrorNumber), ERROR_OTHER],
        required=frozenset({Quantity.ERROR}),
        value_fn=lambda data: _error(data.state),
        attributes_fn=_error_details,
    ),
    RecBmsSensorDescription(
        key="serial_number",
        translation_key="serial_number",
        entity_category=_DIAGNOSTIC,
        required=frozenset({Quantity.SERIAL_NUMBER}),
        value_fn=lambda data: _as_text(data.state.serial_number),
    ),
    RecBmsSensorDescription(
        key="cycles",
        translation_key="cycles",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        required=frozenset({"cycl"}),
        value_fn=lambda data: data.state.settings.get("cycl"),
    ),
    RecBmsSensorDescription(
        key="overvoltage_count",
        translation_key="overvoltage_count",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        required=frozenset({"vmax"}),
        value_fn=lambda data: data.state.settings.get("vmax"),
    ),
    RecBmsSensorDescription(
        key="undervoltage_count",
        translation_key="undervoltage_count",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        required=frozenset({"vmin"}),
        value_fn=lambda data: data.state.settings.get("vmin"),
    ),
    RecBmsSensorDescription(
        key="bms_temperature",
        translation_key="bms_temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        digits=1,
        required=frozenset({Quantity.BMS_TEMPERATURE}),
        value_fn=lambda data: data.state.bms_temperature,
    ),
    RecBmsSensorDescription(
        key="reference_voltage",
        translation_key="reference_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=4,
        required=frozenset({Quantity.REFERENCE_VOLTAGE}),
        value_fn=lambda data: data.state.reference_voltage,
    ),
    RecBmsSensorDescription(
        key="poll_duration",
        translation_key="poll_duration",
        device_class=SensorDeviceClass.DURATION,
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        digits=0,
        required=frozenset(),
        polled_only=True,
        value_fn=lambda data: product(data.duration, 1000),
    ),
    RecBmsSensorDescription(
        key="line_errors",
        translation_key="line_errors",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        required=frozenset(),
        value_fn=lambda data: data.line_errors,
    ),
    RecBmsSensorDescription(
        key="retries",
        translation_key="retries",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        required=frozenset(),
        polled_only=True,
        value_fn=lambda data: data.retries,
    ),
)

TABLES: tuple[RecBmsTableSensorDescription, ...] = (
    RecBmsTableSensorDescription(
        key="cell_voltage",
        translation_key="cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        quantity=Quantity.CELL_VOLTAGES,
        table_fn=lambda state: state.cell_voltages,
        placeholder="cell",
    ),
    RecBmsTableSensorDescription(
        key="cell_resistance",
        translation_key="cell_resistance",
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=UNIT_MILLIOHM,
        suggested_display_precision=3,
        scale=1000,
        digits=3,
        quantity=Quantity.CELL_RESISTANCES,
        table_fn=lambda state: state.cell_resistances,
        placeholder="cell",
    ),
    RecBmsTableSensorDescription(
        key="temperature",
        translation_key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        digits=1,
        quantity=Quantity.TEMPERATURES,
        table_fn=lambda state: state.temperatures,
        placeholder="sensor",
        only_plausible=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry | BankConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors for what the BMS tells, and for what it told before, or those of a bank."""
    if is_bank(entry):
        async_add_entities(bank_sensors(entry.runtime_data, SENSORS))
        return
    coordinator = entry.runtime_data
    is_polled = coordinator.bms.update_interval is not None
    tables = Tables(entry, TABLES)
    health_tables = Tables(entry, HEALTH_TABLES)
    shown = {key for each in SENSORS for key in each.required if len(each.required) == 1}

    def candidates() -> Iterable[Candidate]:
        for each in SENSORS:
            if each.polled_only and not is_polled:
                continue
            make = partial(RecBmsSensor, coordinator, each)
            enabled = each.entity_registry_enabled_default
            yield Candidate(each.key, each.required, make, enabled)
        yield from tables.candidates(RecBmsTableSensor)
        yield from setting_sensors(coordinator, shown)
        yield from newer_sensors(coordinator)
        yield from health_sensors(coordinator)
        yield from health_tables.candidates(RecBmsHealthTableSensor)

    awaited = tables.awaited | health_tables.awaited
    await async_add_as_they_appear(
        entry, Platform.SENSOR, candidates, async_add_entities, awaited=awaited
    )
    async_add_entities(RecBmsEnergySensor(coordinator, each) for each in ENERGIES)
    async_add_entities(RecBmsTimeSensor(coordinator, each) for each in TIMES)


class RecBmsSensor(RecBmsEntity, SensorEntity):
    """A sensor of the battery as a whole."""

    entity_description: RecBmsSensorDescription

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsSensorDescription
    ) -> None:
        super().__init__(
            coordinator, description, description.required, optional=description.optional
        )

    @property
    @override
    def native_value(self) -> float | str | None:
        """What the BMS told, to what it can resolve."""
        value = self.entity_description.value_fn(self.coordinator.data)
        digits = self.entity_description.digits
        if digits is None or not isinstance(value, float):
            return value
        return round(value, digits)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Where it was measured."""
        attributes_fn = self.entity_description.attributes_fn
        return None if attributes_fn is None else attributes_fn(self.coordinator.data.state)

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


class RecBmsTableSensor(RecBmsTableEntity, SensorEntity):
    """A sensor of one cell, or one of the battery's temperature sensors."""

    entity_description: RecBmsTableSensorDescription

    @property
    @override
    def native_value(self) -> float | None:
        """What the BMS told, to what it can resolve."""
        description = self.entity_description
        value = self.told
        return None if value is None else round(value * description.scale, description.digits)

    @override
    def _content(self) -> object:
        return self.native_value
