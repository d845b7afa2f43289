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
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear
from .protocol.charging import Charging
from .protocol.state import Quantity, State

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class RecBmsBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor: whether it is on, and the quantities that takes."""

    value_fn: Callable[[State], bool | None]
    required: frozenset[str]


BINARY_SENSORS = (
    RecBmsBinarySensorDescription(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda state: None if state.error is None else state.error.present,
        required=frozenset({Quantity.ERROR}),
    ),
)
CHARGING = BinarySensorEntityDescription(
    key="charging", device_class=BinarySensorDeviceClass.BATTERY_CHARGING
)
_CURRENT = frozenset({Quantity.CURRENT})


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors for what the BMS tells."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        for each in BINARY_SENSORS:
            make = partial(RecBmsBinarySensor, coordinator, each)
            yield Candidate(each.key, each.required, make, each.entity_registry_enabled_default)
        yield Candidate(CHARGING.key, _CURRENT, partial(RecBmsCharging, coordinator))

    await async_add_as_they_appear(entry, Platform.BINARY_SENSOR, candidates, async_add_entities)


class RecBmsBinarySensor(RecBmsEntity, BinarySensorEntity):
    """Something that the BMS tells to be so or not."""

    entity_description: RecBmsBinarySensorDescription

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsBinarySensorDescription
    ) -> None:
        super().__init__(coordinator, description, description.required)

    @property
    @override
    def is_on(self) -> bool | None:
        """What the BMS told."""
        return self.entity_description.value_fn(self.coordinator.data.state)

    @override
    def _content(self) -> object:
        return self.is_on


class RecBmsCharging(RecBmsEntity, BinarySensorEntity):
    """Whether current flows into the battery; what is next to nothing changes nothing."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        super().__init__(coordinator, CHARGING, _CURRENT)
        self._charging = Charging()

    @property
    @override
    def is_on(self) -> bool | None:
        """What is made of the currents so far."""
        return self._charging.is_on

    @override
    async def async_added_to_hass(self) -> None:
        """Begin with the present current, whatever was told before a restart."""
        self._follow()
        await super().async_added_to_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._follow()
        super()._handle_coordinator_update()

    def _follow(self) -> None:
        state = self.coordinator.data.state
        if state.has(Quantity.CURRENT):
            self._charging.add(state.current)

    @override
    def _content(self) -> object:
        return self.is_on
