"""Sensors of what a battery has been through since it was followed, or since this was reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    EntityCategory,
    UnitOfElectricPotential,
    UnitOfRatio,
    UnitOfTime,
)

from .const import UNIT_AMPERE_HOURS
from .health_entity import RecBmsHealthDescription, stamp
from .protocol.health.lifetime import Extreme
from .protocol.health.record import Health
from .protocol.state import Quantity, State

_SECONDS_AN_HOUR = 3600


def _volts(extreme: Extreme | None) -> float | None:
    return None if extreme is None else round(extreme.volts, 3)


def _where(extreme: Extreme | None) -> dict[str, Any]:
    if extreme is None:
        return dict.fromkeys(("at", "unit", "cell"))
    return {"at": stamp(extreme.at), "unit": extreme.unit, "cell": extreme.cell}


def _deepest(health: Health) -> float | None:
    deepest = health.lifetime.deepest
    return None if deepest is None else round(deepest.state_of_charge * 100, 1)


def _deepest_at(health: Health, _: State) -> dict[str, Any]:
    deepest = health.lifetime.deepest
    return {"at": None if deepest is None else stamp(deepest.at)}


def _extreme(
    key: str, of: Callable[[Health], Extreme | None], voltage: Quantity, cell: Quantity
) -> RecBmsHealthDescription:
    return RecBmsHealthDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.VOLTAGE,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=3,
        required=frozenset({voltage}),
        optional=frozenset({cell}),
        value_fn=lambda health, _: _volts(of(health)),
        attributes_fn=lambda health, _: _where(of(health)),
    )


def _since(health: Health, _: State) -> dict[str, Any]:
    return {"since": stamp(health.lifetime.since)}


def _charge(key: str, of: Callable[[Health], float]) -> RecBmsHealthDescription:
    return RecBmsHealthDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=0,
        required=frozenset({Quantity.CURRENT}),
        value_fn=lambda health, _: round(of(health)),
        attributes_fn=_since,
    )


def _time(
    key: str, of: Callable[[Health], float], voltage: Quantity, limit: str
) -> RecBmsHealthDescription:
    return RecBmsHealthDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=1,
        required=frozenset({voltage, limit}),
        value_fn=lambda health, _: round(of(health) / _SECONDS_AN_HOUR, 2),
    )


LIFETIME = (
    _extreme(
        "highest_cell_voltage_ever",
        lambda health: health.lifetime.highest,
        Quantity.MAX_CELL_VOLTAGE,
        Quantity.MAX_CELL,
    ),
    _extreme(
        "lowest_cell_voltage_ever",
        lambda health: health.lifetime.lowest,
        Quantity.MIN_CELL_VOLTAGE,
        Quantity.MIN_CELL,
    ),
    RecBmsHealthDescription(
        key="deepest_discharge",
        translation_key="deepest_discharge",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        required=frozenset({Quantity.STATE_OF_CHARGE}),
        value_fn=lambda health, _: _deepest(health),
        attributes_fn=_deepest_at,
    ),
    _charge("lifetime_charged", lambda health: health.lifetime.charged),
    _charge("lifetime_discharged", lambda health: health.lifetime.discharged),
    _time(
        "time_above_limits",
        lambda health: health.lifetime.seconds_above,
        Quantity.MAX_CELL_VOLTAGE,
        "cmax",
    ),
    _time(
        "time_below_limits",
        lambda health: health.lifetime.seconds_below,
        Quantity.MIN_CELL_VOLTAGE,
        "cmin",
    ),
)
