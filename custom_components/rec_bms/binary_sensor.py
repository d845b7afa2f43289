"""Binary sensors: is something wrong, is the battery being charged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear
from .protocol.models import Readings

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

_NOTICEABLE_AMPERES = 0.01
"""What the BMS can resolve; less is a rest."""


@dataclass(frozen=True, kw_only=True)
class RecBmsBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor: the instruction it shows and what that says."""

    needs: frozenset[str]
    value: Callable[[Readings], bool | None]


def _problem(readings: Readings) -> bool | None:
    return None if readings.error is None else readings.error.present


def _charging(readings: Readings) -> bool | None:
    if readings.main is None or readings.main.current is None:
        return None
    return readings.main.current >= _NOTICEABLE_AMPERES


BINARY_SENSORS = (
    RecBmsBinarySensorDescription(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        needs=frozenset({"ERRO"}),
        value=_problem,
    ),
    RecBmsBinarySensorDescription(
        key="charging",
        device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
        needs=frozenset({"LCD1"}),
        value=_charging,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors for what the BMS tells."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        for each in BINARY_SENSORS:
            yield Candidate(each.key, each.needs, partial(RecBmsBinarySensor, coordinator, each))

    await async_add_as_they_appear(entry, Platform.BINARY_SENSOR, candidates, async_add_entities)


class RecBmsBinarySensor(RecBmsEntity, BinarySensorEntity):
    """A yes or no about the battery."""

    entity_description: RecBmsBinarySensorDescription

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsBinarySensorDescription
    ) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, description, description.needs)

    @property
    @override
    def is_on(self) -> bool | None:
        """What the BMS told."""
        return self.entity_description.value(self.coordinator.data.readings)

    @override
    def _content(self) -> object:
        return self.is_on
