"""Sensors of what only newer units tell: their outputs, calibration and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfElectricPotential, UnitOfTime
from homeassistant.util import dt as dt_util

from .coordinator import RecBmsCoordinator
from .entity import Candidate, RecBmsEntity
from .protocol.clock import Clock
from .protocol.outputs import Mode, Task, task
from .protocol.state import Quantity
from .setting_sensor import RecBmsSettingSensor


def _value(
    key: str,
    *,
    unit: str | None = None,
    device_class: SensorDeviceClass | None = None,
    precision: int | None = None,
    enabled: bool = False,
) -> SensorEntityDescription:
    """Describe a value that is shown as the BMS has it."""
    return SensorEntityDescription(
        key=key,
        translation_key=key,
        device_class=device_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        native_unit_of_measurement=unit,
        suggested_display_precision=precision,
    )


@dataclass(frozen=True, kw_only=True)
class RecBmsClockDescription(SensorEntityDescription):
    """A sensor of the BMS's clock: what it makes of what the clock said."""

    value_fn: Callable[[Clock], datetime | int | None]


def _in_utc(clock: Clock) -> datetime | None:
    """Return what the clock said; None for what is beyond the calendar in UTC."""
    try:
        return dt_util.as_utc(clock.time)
    except OverflowError:
        return None


def _ahead(clock: Clock) -> int:
    """Return the whole s, which is all that it tells, that the clock is ahead of our time."""
    return round(clock.deviation(dt_util.get_default_time_zone()))


_VOLT = UnitOfElectricPotential.VOLT
_VOLTAGE = SensorDeviceClass.VOLTAGE

# What an output watches, and so its unit, is its task's.
VALUES = (
    _value("ubdi", unit=_VOLT, device_class=_VOLTAGE, precision=3, enabled=True),
    _value("re1l"),
    _value("re1h"),
    _value("re1v"),
    _value("op2l"),
    _value("op2h"),
    _value("op2v"),
    _value("cal1", unit=_VOLT, device_class=_VOLTAGE, precision=5),
    _value("cal2", unit=_VOLT, device_class=_VOLTAGE, precision=5),
    _value("cal3", unit=_VOLT, device_class=_VOLTAGE, precision=5),
    _value("cal4", unit=_VOLT, device_class=_VOLTAGE, precision=5),
    _value("rsbr"),
)
TASKS = tuple(
    SensorEntityDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        options=list(Mode),
    )
    for key in ("re1t", "op2t")
)
CLOCKS = (
    RecBmsClockDescription(
        key="clock",
        translation_key="clock",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_in_utc,
    ),
    RecBmsClockDescription(
        key="clock_deviation",
        translation_key="clock_deviation",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        value_fn=_ahead,
    ),
)


def newer_sensors(coordinator: RecBmsCoordinator) -> Iterable[Candidate]:
    """Yield a sensor for each thing that only newer units tell."""
    for value in VALUES:
        yield _candidate(value, value.key, partial(RecBmsSettingSensor, coordinator, value))
    for each in TASKS:
        yield _candidate(each, each.key, partial(RecBmsTaskSensor, coordinator, each))
    for clock in CLOCKS:
        yield _candidate(clock, Quantity.CLOCK, partial(RecBmsClockSensor, coordinator, clock))


def _candidate(
    description: SensorEntityDescription, required: str, make: Callable[[], RecBmsEntity]
) -> Candidate:
    enabled = description.entity_registry_enabled_default
    return Candidate(description.key, frozenset({required}), make, enabled)


class RecBmsTaskSensor(RecBmsEntity, SensorEntity):
    """Shows what an output goes by; a task that cannot be, or is not known, is unknown."""

    def __init__(
        self, coordinator: RecBmsCoordinator, description: SensorEntityDescription
    ) -> None:
        super().__init__(coordinator, description, frozenset({description.key}))

    @property
    def _task(self) -> Task | None:
        return task(self.coordinator.data.state.settings.get(self.entity_description.key))

    @property
    @override
    def native_value(self) -> str | None:
        """What the output goes by."""
        told = self._task
        return None if told is None else told.mode

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """When the output is on, whether it is, and what it goes off at."""
        if (told := self._task) is None:
            return {"above": None, "output": None, "errors": None, "raw": None}
        return {
            "above": told.above,
            "output": told.output,
            "errors": list(told.errors),
            "raw": told.raw,
        }

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


class RecBmsClockSensor(RecBmsEntity, SensorEntity):
    """Shows something of the BMS's clock."""

    entity_description: RecBmsClockDescription

    def __init__(self, coordinator: RecBmsCoordinator, description: RecBmsClockDescription) -> None:
        super().__init__(coordinator, description, frozenset({Quantity.CLOCK}))

    @property
    @override
    def native_value(self) -> datetime | int | None:
        """What the clock said when it was read."""
        clock = self.coordinator.data.state.clock
        return None if clock is None else self.entity_description.value_fn(clock)

    @override
    def _content(self) -> object:
        return self.native_value
