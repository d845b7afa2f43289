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
from homeassistant.const import UnitOfElectricPotential
from homeassistant.core import callback

from .coordinator import RecBmsCoordinator
from .entity import Candidate, RecBmsEntity
from .protocol.health.headroom import HeadroomWatch, Side
from .protocol.state import Quantity
from .table import where


@dataclass(frozen=True, kw_only=True)
class RecBmsHeadroomDescription(SensorEntityDescription):
    """A sensor of what is left at one end: the cell that is first there, and where it is told."""

    side: Side
    voltage: Quantity
    cell: Quantity


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


def health_sensors(coordinator: RecBmsCoordinator) -> Iterable[Candidate]:
    """Yield a sensor for each thing that is worked out of what this BMS tells."""
    for each in HEADROOMS:
        required = frozenset({each.voltage, each.side.limits[0]})
        yield Candidate(
            each.key, required, partial(RecBmsHeadroomSensor, coordinator, each, required)
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
        self._watch = HeadroomWatch(description.side, coordinator.bms.longest_gap)
        self._watch.add(coordinator.data)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self.coordinator.last_update_success:
            self._watch.add(self.coordinator.data)
        super()._handle_coordinator_update()

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
