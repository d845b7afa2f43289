"""Sensors of settings that the way to the BMS tells and cannot change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfRatio

from .coordinator import RecBmsCoordinator
from .entity import Candidate, RecBmsEntity
from .number import NUMBERS, in_digits_of_the_bms
from .protocol.rs485.instructions import BY_CODE, SETTINGS
from .select import SELECTS


def _decimals(step: float | None) -> int:
    """Return how many decimals a setting has that goes by steps."""
    return max(-int(Decimal(str(step or 1)).normalize().as_tuple().exponent), 0)


_QUANTITIES = tuple(
    SensorEntityDescription(
        key=each.key,
        translation_key=each.key,
        device_class=None if each.device_class is None else SensorDeviceClass(each.device_class),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=each.entity_registry_enabled_default,
        native_unit_of_measurement=each.native_unit_of_measurement,
        suggested_display_precision=_decimals(each.native_step),
    )
    for each in NUMBERS
)
_CHOICES = tuple(
    SensorEntityDescription(
        key=each.key,
        translation_key=each.key,
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=list(SETTINGS[each.key].choices.values()),
    )
    for each in SELECTS
)


def setting_sensors(coordinator: RecBmsCoordinator, shown: Collection[str]) -> Iterable[Candidate]:
    """Yield a sensor for each setting that is neither `shown` already nor can be set."""
    for each in (*_QUANTITIES, *_CHOICES):
        if each.key not in shown and each.key not in coordinator.bms.settings:
            yield Candidate(
                each.key,
                frozenset({each.key}),
                partial(RecBmsSettingSensor, coordinator, each),
                each.entity_registry_enabled_default,
            )


class RecBmsSettingSensor(RecBmsEntity, SensorEntity):
    """Shows one setting as the BMS has it."""

    def __init__(
        self, coordinator: RecBmsCoordinator, description: SensorEntityDescription
    ) -> None:
        super().__init__(coordinator, description, frozenset({description.key}))

    @property
    @override
    def native_value(self) -> float | str | None:
        """The value in the entity's unit, or the choice; one outside its list is not known."""
        key = self.entity_description.key
        value = self.coordinator.data.state.settings.get(key)
        if value is None:
            return None
        if self.device_class is SensorDeviceClass.ENUM:
            return SETTINGS[key].choices.get(int(value))
        if BY_CODE[key.upper()].whole_number:
            return int(value)
        scale = 100 if self.native_unit_of_measurement == UnitOfRatio.PERCENTAGE else 1
        return in_digits_of_the_bms(value * scale)

    @override
    def _content(self) -> object:
        return self.native_value
