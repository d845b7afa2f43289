"""Sensors of how the battery is: what is worked out of what the BMS tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfTemperature,
)
from homeassistant.core import callback

from .coordinator import RecBmsCoordinator
from .entity import Candidate, RecBmsEntity
from .health_cells import CELLS
from .health_charge import CHARGES
from .health_diagnosis import DIAGNOSIS, RecBmsDiagnosisSensor
from .health_entity import RecBmsHealthSensor
from .health_lifetime import LIFETIME
from .protocol.health.headroom import Side
from .protocol.health.limits import (
    CurrentLimit,
    Way,
    count_setting,
    current_limit,
    temperature_spread,
)
from .protocol.state import Quantity
from .table import where


@dataclass(frozen=True, kw_only=True)
class RecBmsHeadroomDescription(SensorEntityDescription):
    """A sensor of what is left at one end: the cell that is first there, and where it is told."""

    side: Side
    voltage: Quantity
    cell: Quantity


@dataclass(frozen=True, kw_only=True)
class RecBmsCurrentLimitDescription(SensorEntityDescription):
    """A sensor of the most current that is asked for, one way."""

    way: Way


HEADROOMS = tuple(
    RecBmsHeadroomDescription(
        key=f"headroom_{side}",
        translation_key=f"headroom_{side}",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.MILLIVOLT,
        suggested_display_precision=0,
        side=side,
        voltage=voltage,
        cell=cell,
    )
    for side, voltage, cell in (
        (Side.HIGH, Quantity.MAX_CELL_VOLTAGE, Quantity.MAX_CELL),
        (Side.LOW, Quantity.MIN_CELL_VOLTAGE, Quantity.MIN_CELL),
    )
)


SPREAD = SensorEntityDescription(
    key="temperature_spread",
    translation_key="temperature_spread",
    device_class=SensorDeviceClass.TEMPERATURE_DELTA,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfTemperature.CELSIUS,
    suggested_display_precision=1,
)

CURRENT_LIMITS = tuple(
    RecBmsCurrentLimitDescription(
        key=f"{way}_current_limit",
        translation_key=f"{way}_current_limit",
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        way=way,
    )
    for way in Way
)


def health_sensors(coordinator: RecBmsCoordinator) -> Iterable[Candidate]:
    """Yield a sensor for each thing that is worked out of what this BMS tells."""
    state = coordinator.data.state
    for each in HEADROOMS:
        required = frozenset({each.voltage, each.side.limits[0]})
        yield Candidate(
            each.key, required, partial(RecBmsHeadroomSensor, coordinator, each, required)
        )
    if temperature_spread(state) is not None:
        yield Candidate(
            SPREAD.key,
            frozenset({Quantity.TEMPERATURES}),
            partial(RecBmsTemperatureSpreadSensor, coordinator),
        )
    # Which of two settings counts the inverters is only known once one of them is told.
    if count := count_setting(state):
        for limit in CURRENT_LIMITS:
            yield Candidate(
                limit.key,
                limit.way.settings(count),
                partial(RecBmsCurrentLimitSensor, coordinator, limit, count),
            )
    for found in (*CHARGES, *CELLS, *LIFETIME):
        yield Candidate(found.key, found.required, partial(RecBmsHealthSensor, coordinator, found))
    yield Candidate(
        DIAGNOSIS.key, DIAGNOSIS.required, partial(RecBmsDiagnosisSensor, coordinator, DIAGNOSIS)
    )


class RecBmsHeadroomSensor(RecBmsEntity, SensorEntity):
    """How far the first cell is from the BMS's own limit, in mV; negative beyond it."""

    entity_description: RecBmsHeadroomDescription

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: RecBmsHeadroomDescription,
        required: frozenset[str],
    ) -> None:
        optional = frozenset({description.cell, Quantity.CURRENT, *description.side.limits})
        super().__init__(coordinator, description, required, optional=optional - required)
        self._watch = coordinator.headroom[description.side]

    @property
    @override
    def native_value(self) -> int | None:
        """What is left, to one mV."""
        headroom = self._watch.headroom
        return None if headroom is None else round(headroom.volts * 1000)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Which cell it is, which limit comes first, and when."""
        headroom, state = self._watch.headroom, self.coordinator.data.state
        location = getattr(state, self.entity_description.cell)
        return {
            **where(state, location, "cell"),
            "limit": None if headroom is None else headroom.limit,
            "minutes": None if headroom is None else headroom.minutes,
        }

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


class RecBmsTemperatureSpreadSensor(RecBmsEntity, SensorEntity):
    """By how much the battery's temperature sensors differ."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        super().__init__(coordinator, SPREAD, frozenset({Quantity.TEMPERATURES}))

    @property
    @override
    def native_value(self) -> float | None:
        """The highest less the lowest, to what the BMS resolves."""
        spread = temperature_spread(self.coordinator.data.state)
        return None if spread is None else round(spread, 1)

    @override
    def _content(self) -> object:
        return self.native_value


class RecBmsCurrentLimitSensor(RecBmsEntity, SensorEntity):
    """The most current that the BMS asks its inverters for, worked out of its settings."""

    entity_description: RecBmsCurrentLimitDescription

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: RecBmsCurrentLimitDescription,
        count: str,
    ) -> None:
        super().__init__(coordinator, description, description.way.settings(count))
        self._count = count

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        # A newer unit is asked for its own count only after the first poll. From then on it counts,
        # also while it is not told.
        count = count_setting(self.coordinator.data.state)
        if count == "strn" != self._count:
            self._count = count
            self._seen = ()
        super()._handle_coordinator_update()

    @property
    def _limit(self) -> CurrentLimit | None:
        state = self.coordinator.data.state
        return current_limit(state, self.entity_description.way, self._count)

    @property
    @override
    def native_value(self) -> float | None:
        """The smaller of what battery and inverters may have, to 0.1 A."""
        return None if (limit := self._limit) is None else round(limit.amperes, 1)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Which setting it comes from."""
        return {"limited_by": None if (limit := self._limit) is None else limit.limited_by}

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes
