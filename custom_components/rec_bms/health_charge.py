"""Sensors of what a battery was charged with and what it holds."""

from __future__ import annotations

from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfRatio

from .const import UNIT_AMPERE_HOURS
from .health_entity import RecBmsHealthDescription, moment, rounded, stamp
from .protocol.health.record import Health
from .protocol.state import Quantity, State

_FULL = frozenset({Quantity.STATE_OF_CHARGE, Quantity.CURRENT, Quantity.MAX_CELL_VOLTAGE, "char"})
_SCALE = frozenset({"capa"})
_COUNT = _SCALE | {"socs"}
"""With a count that was set by hand, which is no correction of the BMS's own."""
_CAPACITY = _FULL | _SCALE | {Quantity.CELL_VOLTAGES, "chem"}
_SMALL = 100.0
"""Ah of a battery of which tenths of an Ah are worth telling: a thousandth of it is."""


def _ampere_hours(amount: float | None, state: State) -> float | None:
    """Return Ah to what is worth telling."""
    capacity = state.settings.get("capa")
    return rounded(amount, 1 if capacity is not None and capacity < _SMALL else 0)


def _since_full(health: Health, state: State) -> float | None:
    charged, discharged = health.full.charged, health.full.discharged
    if charged is None or discharged is None:
        return None
    return _ampere_hours(charged - discharged, state)


def _ways_since_full(health: Health, state: State) -> dict[str, Any]:
    charged, discharged = health.full.charged, health.full.discharged
    return {
        "charged": _ampere_hours(charged, state),
        "discharged": _ampere_hours(discharged, state),
    }


def _correction_at(health: Health, _: State) -> dict[str, Any]:
    corrections = health.full.corrections
    return {"at": stamp(corrections[-1].at) if corrections else None}


def _capacity(health: Health, _: State) -> float | None:
    measured = health.capacity.measured
    return None if measured is None else round(measured.capacity, 1)


def _basis(health: Health, _: State) -> dict[str, Any]:
    """Return what the capacity was measured between, in %, how well, and when."""
    measured = health.capacity.measured
    if measured is None:
        return dict.fromkeys(("uncertainty", "from", "to", "measured_at"))
    return {
        "uncertainty": round(measured.uncertainty, 1),
        "from": round(measured.start * 100),
        "to": round(measured.end * 100),
        "measured_at": stamp(measured.at),
    }


def _health(health: Health, state: State) -> float | None:
    return rounded(health.capacity.health(state.settings.get("capa")), 1, 100)


CHARGES = (
    RecBmsHealthDescription(
        key="last_full_charge",
        translation_key="last_full_charge",
        device_class=SensorDeviceClass.TIMESTAMP,
        required=_FULL,
        optional=_SCALE,
        value_fn=lambda health, _: moment(health.full.last),
    ),
    RecBmsHealthDescription(
        key="charge_since_full",
        translation_key="charge_since_full",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        required=_FULL,
        optional=_SCALE,
        value_fn=_since_full,
        attributes_fn=_ways_since_full,
    ),
    RecBmsHealthDescription(
        key="state_of_charge_correction",
        translation_key="state_of_charge_correction",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        required=_FULL,
        optional=_COUNT,
        value_fn=lambda health, _: rounded(health.full.correction, 1, 100),
        attributes_fn=_correction_at,
    ),
    RecBmsHealthDescription(
        key="measured_capacity",
        translation_key="measured_capacity",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UNIT_AMPERE_HOURS,
        suggested_display_precision=1,
        required=_CAPACITY,
        value_fn=_capacity,
        attributes_fn=_basis,
    ),
    RecBmsHealthDescription(
        key="measured_health",
        translation_key="measured_health",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=1,
        required=_CAPACITY,
        value_fn=_health,
    ),
)
