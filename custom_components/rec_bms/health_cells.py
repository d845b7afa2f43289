"""Sensors of how far a battery's cells are apart, and of how each changes over the months."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfElectricPotential, UnitOfRatio

from .const import UNIT_MILLIVOLTS_A_MONTH
from .health_entity import RecBmsHealthDescription, rounded, stamp
from .protocol.health.record import Health
from .protocol.health.spread import Spread
from .protocol.state import Quantity, State
from .table import RecBmsTableDescription, RecBmsTableEntity

CELLS_COMPARED = frozenset(
    {Quantity.CELL_VOLTAGES, Quantity.CURRENT, Quantity.STATE_OF_CHARGE, "capa"}
)
"""What it takes to know cells at rest, or where charging ends; that takes `END_OF_CHARGE`, too."""
END_OF_CHARGE = frozenset({"char", "chem"})


@dataclass(frozen=True, kw_only=True)
class RecBmsHealthTableDescription(RecBmsTableDescription, SensorEntityDescription):
    """A sensor of what was found out about each cell of each unit."""

    found_fn: Callable[[Health, int, int], float | None]
    """Takes unit and cell, from 1."""
    scale: float
    digits: int


def _millivolts(spread: Spread | None) -> int | None:
    return None if spread is None else round(spread.volts * 1000)


def _places(spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return dict.fromkeys(("at", "lowest_unit", "lowest_cell", "highest_unit", "highest_cell"))
    return {
        "at": stamp(spread.at),
        "lowest_unit": spread.lowest.unit,
        "lowest_cell": spread.lowest.cell,
        "highest_unit": spread.highest.unit,
        "highest_cell": spread.highest.cell,
    }


def _most(health: Health) -> float | None:
    most = health.drift.most
    return None if most is None else rounded(most.volts_a_month, 1, 1000)


def _most_drifting(health: Health, _: State) -> dict[str, Any]:
    most = health.drift.most
    if most is None:
        return dict.fromkeys(("unit", "cell", "since"))
    return {"unit": most.unit, "cell": most.cell, "since": stamp(most.since)}


_SPREAD: dict[str, Any] = {
    "device_class": SensorDeviceClass.VOLTAGE,
    "state_class": SensorStateClass.MEASUREMENT,
    "entity_category": EntityCategory.DIAGNOSTIC,
    "native_unit_of_measurement": UnitOfElectricPotential.MILLIVOLT,
    "suggested_display_precision": 0,
}

CELLS = (
    RecBmsHealthDescription(
        key="cell_spread_rest",
        translation_key="cell_spread_rest",
        **_SPREAD,
        required=CELLS_COMPARED,
        optional=frozenset({"chem"}),
        value_fn=lambda health, _: _millivolts(health.spreads.rest),
        attributes_fn=lambda health, _: _places(health.spreads.rest),
    ),
    RecBmsHealthDescription(
        key="cell_spread_top",
        translation_key="cell_spread_top",
        **_SPREAD,
        required=CELLS_COMPARED | END_OF_CHARGE,
        value_fn=lambda health, _: _millivolts(health.spreads.top),
        attributes_fn=lambda health, _: _places(health.spreads.top),
    ),
    RecBmsHealthDescription(
        key="most_drifting_cell",
        translation_key="most_drifting_cell",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UNIT_MILLIVOLTS_A_MONTH,
        suggested_display_precision=1,
        required=CELLS_COMPARED,
        optional=END_OF_CHARGE,
        value_fn=lambda health, _: _most(health),
        attributes_fn=_most_drifting,
    ),
)

HEALTH_TABLES = (
    RecBmsHealthTableDescription(
        key="cell_drift",
        translation_key="cell_drift",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UNIT_MILLIVOLTS_A_MONTH,
        suggested_display_precision=1,
        scale=1000,
        digits=1,
        quantity=Quantity.CELL_VOLTAGES,
        table_fn=lambda state: state.cell_voltages,
        placeholder="cell",
        found_fn=lambda health, unit, cell: health.drift.of_cell(unit, cell),
    ),
    RecBmsHealthTableDescription(
        key="cell_resistance_change",
        translation_key="cell_resistance_change",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        scale=100,
        digits=0,
        quantity=Quantity.CELL_RESISTANCES,
        table_fn=lambda state: state.cell_resistances,
        placeholder="cell",
        found_fn=lambda health, unit, cell: health.resistances.change(unit, cell),
    ),
)


class RecBmsHealthTableSensor(RecBmsTableEntity, SensorEntity):
    """Something that was found out about one cell; unknown until it was."""

    entity_description: RecBmsHealthTableDescription

    @property
    @override
    def native_value(self) -> float | None:
        """What was found, to what can be known."""
        description = self.entity_description
        found = description.found_fn(self.coordinator.health, self._unit, self._number)
        return rounded(found, description.digits, description.scale)

    @override
    def _content(self) -> object:
        return self.native_value
