"""Sensors: what the BMS measures and counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    Platform,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import BmsData, RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear
from .flow_sensor import ENERGIES, TIMES, RecBmsEnergySensor, RecBmsTimeSensor
from .protocol.errors import ErrorNumber, error_name
from .protocol.state import Extremes, Location, MainData, PerUnit, Readings

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

UNIT_AMPERE_HOURS = "Ah"
UNIT_MILLIOHM = "mΩ"
ERROR_NONE = "no_error"
ERROR_OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class RecBmsSensorDescription(SensorEntityDescription):
    """A sensor: the instructions it shows, its value, and to how many digits the BMS knows it."""

    needs: frozenset[str]
    value: Callable[[BmsData], float | str | None]
    attributes: Callable[[Readings], dict[str, Any]] | None = None
    also: frozenset[str] = frozenset()
    """Instructions for the attributes alone: without them there is still a value."""
    digits: int | None = None


@dataclass(frozen=True, kw_only=True)
class RecBmsTableDescription(SensorEntityDescription):
    """A sensor for each cell or temperature sensor of each unit."""

    code: str
    table: Callable[[Readings], PerUnit | None]
    placeholder: str
    scale: float = 1.0
    digits: int
    only_plausible: bool = False
    """Leave out what has no value: some units answer for sensors that are not fitted."""


def _main(pick: Callable[[MainData], float | None], scale: float = 1.0) -> dict[str, Any]:
    def value(data: BmsData) -> float | None:
        picked = None if (main := data.readings.main) is None else pick(main)
        return None if picked is None else picked * scale

    return {"needs": frozenset({"LCD1"}), "value": value}


def _single(code: str) -> dict[str, Any]:
    return {"needs": frozenset({code}), "value": lambda data: data.readings.number(code)}


def _product(*factors: float | None) -> float | None:
    product = 1.0
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


def _spread(main: MainData) -> float | None:
    if main.max_cell_voltage is None or main.min_cell_voltage is None:
        return None
    return main.max_cell_voltage - main.min_cell_voltage


def _remaining_capacity(data: BmsData) -> float | None:
    main = data.readings.main
    return _product(data.readings.number("CAPA"), main.state_of_charge if main else None)


def _stored_energy(data: BmsData) -> float | None:
    main = data.readings.main
    return _product(_remaining_capacity(data), main.voltage if main else None, 0.001)


def _consumed_charge(data: BmsData) -> float | None:
    return None if (extremes := data.readings.extremes) is None else extremes.consumed_charge


def _where(pick: Callable[[Extremes], Location], number: str) -> dict[str, Any]:
    """Return what a sensor needs to tell at which unit, by position, and cell or sensor it is."""

    def attributes(readings: Readings) -> dict[str, Any]:
        if (extremes := readings.extremes) is None:
            return {"unit": None, number: None}
        location = pick(extremes)
        return {"unit": readings.position(location.unit), number: location.number}

    return {"also": frozenset({"LCD3"}), "attributes": attributes}


def _error(data: BmsData) -> str | None:
    if (error := data.readings.error) is None:
        return None
    if not error.present:
        return ERROR_NONE
    return error_name(error.number)


def _error_details(readings: Readings) -> dict[str, Any]:
    error = readings.error
    if error is None or not error.present:
        return {"number": None, "unit": None, "location": None}
    return {
        "number": error.number,
        "unit": readings.position(error.unit),
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
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        digits=1,
        **_main(lambda main: main.state_of_charge, 100),
    ),
    RecBmsSensorDescription(
        key="state_of_health",
        translation_key="state_of_health",
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        digits=1,
        **_main(lambda main: main.state_of_health, 100),
    ),
    RecBmsSensorDescription(
        key="voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=2,
        digits=3,
        **_main(lambda main: main.voltage),
    ),
    RecBmsSensorDescription(
        key="current",
        device_class=SensorDeviceClass.CURRENT,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=2,
        digits=2,
        **_main(lambda main: main.current),
    ),
    RecBmsSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        digits=1,
        **_main(lambda main: main.power),
    ),
    RecBmsSensorDescription(
        key="stored_energy",
        translation_key="stored_energy",
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        digits=2,
        needs=frozenset({"LCD1", "CAPA"}),
        value=_stored_energy,
    ),
    RecBmsSensorDescription(
        key="remaining_capacity",
        translation_key="remaining_capacity",
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=1,
        digits=1,
        needs=frozenset({"LCD1", "CAPA"}),
        value=_remaining_capacity,
    ),
    RecBmsSensorDescription(
        key="consumed_charge",
        translation_key="consumed_charge",
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=1,
        needs=frozenset({"LCD3"}),
        value=_consumed_charge,
    ),
    RecBmsSensorDescription(
        key="min_cell_voltage",
        translation_key="min_cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        **_where(lambda extremes: extremes.min_cell, "cell"),
        **_main(lambda main: main.min_cell_voltage),
    ),
    RecBmsSensorDescription(
        key="max_cell_voltage",
        translation_key="max_cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        **_where(lambda extremes: extremes.max_cell, "cell"),
        **_main(lambda main: main.max_cell_voltage),
    ),
    RecBmsSensorDescription(
        key="cell_voltage_delta",
        translation_key="cell_voltage_delta",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        **_main(_spread),
    ),
    RecBmsSensorDescription(
        key="max_temperature",
        translation_key="max_temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        digits=1,
        **_where(lambda extremes: extremes.max_temperature, "sensor"),
        **_main(lambda main: main.max_temperature),
    ),
    RecBmsSensorDescription(
        key="error",
        translation_key="error",
        device_class=SensorDeviceClass.ENUM,
        options=[ERROR_NONE, *(number.name.lower() for number in ErrorNumber), ERROR_OTHER],
        needs=frozenset({"ERRO"}),
        value=_error,
        attributes=_error_details,
    ),
    RecBmsSensorDescription(
        key="cycles",
        translation_key="cycles",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        **_single("CYCL"),
    ),
    RecBmsSensorDescription(
        key="overvoltage_count",
        translation_key="overvoltage_count",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        **_single("VMAX"),
    ),
    RecBmsSensorDescription(
        key="undervoltage_count",
        translation_key="undervoltage_count",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        **_single("VMIN"),
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
        needs=frozenset({"BTEM"}),
        value=lambda data: data.readings.bms_temperature,
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
        **_single("REFC"),
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
        needs=frozenset(),
        value=lambda data: data.poll_duration * 1000,
    ),
    RecBmsSensorDescription(
        key="line_errors",
        translation_key="line_errors",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        needs=frozenset(),
        value=lambda data: data.line_errors,
    ),
    RecBmsSensorDescription(
        key="retries",
        translation_key="retries",
        state_class=_COUNT,
        entity_category=_DIAGNOSTIC,
        entity_registry_enabled_default=False,
        needs=frozenset(),
        value=lambda data: data.retries,
    ),
)

TABLES: tuple[RecBmsTableDescription, ...] = (
    RecBmsTableDescription(
        key="cell_voltage",
        translation_key="cell_voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        digits=3,
        code="CELL",
        table=lambda readings: readings.cell_voltages,
        placeholder="cell",
    ),
    RecBmsTableDescription(
        key="cell_resistance",
        translation_key="cell_resistance",
        state_class=_MEASUREMENT,
        entity_category=_DIAGNOSTIC,
        native_unit_of_measurement=UNIT_MILLIOHM,
        suggested_display_precision=3,
        scale=1000,
        digits=3,
        code="RINT",
        table=lambda readings: readings.cell_resistances,
        placeholder="cell",
    ),
    RecBmsTableDescription(
        key="temperature",
        translation_key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        digits=1,
        code="PTEM",
        table=lambda readings: readings.temperatures,
        placeholder="sensor",
        only_plausible=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors for what the BMS tells, and for what it told before."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        for each in SENSORS:
            make = partial(RecBmsSensor, coordinator, each)
            enabled = each.entity_registry_enabled_default
            yield Candidate(each.key, each.needs, make, enabled)
        for table in TABLES:
            for unit, number in sorted(_places(entry, table)):
                yield Candidate(
                    f"{table.key}_{unit}_{number}",
                    frozenset({table.code}),
                    partial(RecBmsTableSensor, coordinator, table, unit, number),
                )

    def tables_hoped_for() -> Iterable[str]:
        """Yield the tables of which not even one cell or sensor is known."""
        return (table.code for table in TABLES if not _places(entry, table))

    coordinator.hopes.append(tables_hoped_for)
    awaited = frozenset(table.code for table in TABLES if _is_awaited(entry, table))
    await async_add_as_they_appear(
        entry, Platform.SENSOR, candidates, async_add_entities, awaited=awaited
    )
    async_add_entities(RecBmsEnergySensor(coordinator, each) for each in ENERGIES)
    async_add_entities(RecBmsTimeSensor(coordinator, each) for each in TIMES)


def _places(entry: RecBmsConfigEntry, description: RecBmsTableDescription) -> set[tuple[int, int]]:
    """Return unit and number of each cell or sensor: those told of, else those known from before.

    What the BMS has no more is left out, and can be deleted: Home Assistant lets its owner delete
    what nobody provides.
    """
    if (table := description.table(entry.runtime_data.data.readings)) is None:
        return set(_known_places(entry, description))
    return {
        (unit, number)
        for unit, number, value in table
        if value is not None or not description.only_plausible
    }


def _is_awaited(entry: RecBmsConfigEntry, description: RecBmsTableDescription) -> bool:
    """Tell whether a table is to be asked for although none of its sensors shows it.

    Those that read nothing sensible at the start, but may at any time, are not there to want it.
    """
    if description.table(entry.runtime_data.data.readings) is None:
        return False
    known = _known_places(entry, description)
    places = _places(entry, description)
    enabled = {place for place, is_enabled in known.items() if is_enabled}
    return not enabled <= places or not (known or places)


def _known_places(
    entry: RecBmsConfigEntry, description: RecBmsTableDescription
) -> dict[tuple[int, int], bool]:
    """Return unit and number of each cell or sensor in the registry, and whether it is enabled."""
    place = re.compile(rf"{entry.entry_id}_{description.key}_(\d+)_(\d+)")
    registry = er.async_get(entry.runtime_data.hass)
    places = {}
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        # Not every key that begins like a table's is a cell's: cell_voltage_delta.
        if found := place.fullmatch(known.unique_id):
            places[int(found[1]), int(found[2])] = not known.disabled
    return places


class RecBmsSensor(RecBmsEntity, SensorEntity):
    """A sensor of the battery as a whole."""

    entity_description: RecBmsSensorDescription

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsSensorDescription
    ) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, description, description.needs, also=description.also)

    @property
    @override
    def native_value(self) -> float | str | None:
        """What the BMS told, to what it can resolve."""
        value = self.entity_description.value(self.coordinator.data)
        digits = self.entity_description.digits
        if digits is None or not isinstance(value, float):
            return value
        return round(value, digits)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Where it was measured."""
        attributes = self.entity_description.attributes
        return None if attributes is None else attributes(self.coordinator.data.readings)

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


class RecBmsTableSensor(RecBmsEntity, SensorEntity):
    """A sensor of one cell, or one of the battery's temperature sensors."""

    entity_description: RecBmsTableDescription

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: RecBmsTableDescription,
        unit: int,
        number: int,
    ) -> None:
        """Sit on the device of the unit."""
        single = replace(description, key=f"{description.key}_{unit}_{number}")
        super().__init__(coordinator, single, frozenset({description.code}), unit=unit)
        self._attr_translation_placeholders = {description.placeholder: str(number)}
        self._unit = unit
        self._number = number

    @property
    @override
    def available(self) -> bool:
        """Whether the BMS tells of this cell or sensor at all."""
        table = self.entity_description.table(self.coordinator.data.readings)
        return super().available and table is not None and table.has(self._unit, self._number)

    @property
    @override
    def native_value(self) -> float | None:
        """What the BMS told, to what it can resolve."""
        description = self.entity_description
        table = description.table(self.coordinator.data.readings)
        value = None if table is None else table.get(self._unit, self._number)
        return None if value is None else round(value * description.scale, description.digits)

    @override
    def _content(self) -> object:
        return self.native_value
