"""Binary sensors: is something wrong, is the battery being charged."""

from __future__ import annotations

from collections.abc import Iterable
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

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

_MAIN_DATA = frozenset({"LCD1"})
_ERROR = frozenset({"ERRO"})

PROBLEM = BinarySensorEntityDescription(key="problem", device_class=BinarySensorDeviceClass.PROBLEM)
CHARGING = BinarySensorEntityDescription(
    key="charging", device_class=BinarySensorDeviceClass.BATTERY_CHARGING
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors for what the BMS tells."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        yield Candidate(PROBLEM.key, _ERROR, partial(RecBmsProblem, coordinator))
        yield Candidate(CHARGING.key, _MAIN_DATA, partial(RecBmsCharging, coordinator))

    await async_add_as_they_appear(entry, Platform.BINARY_SENSOR, candidates, async_add_entities)


class RecBmsProblem(RecBmsEntity, BinarySensorEntity):
    """Whether the BMS reports an error."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, PROBLEM, _ERROR)

    @property
    @override
    def is_on(self) -> bool | None:
        """What the BMS told."""
        error = self.coordinator.data.readings.error
        return None if error is None else error.present

    @override
    def _content(self) -> object:
        return self.is_on


class RecBmsCharging(RecBmsEntity, BinarySensorEntity):
    """Whether current flows into the battery; what is next to nothing changes nothing."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, CHARGING, _MAIN_DATA)
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
        if (main := self.coordinator.data.readings.main) is not None:
            self._charging.add(main.current)

    @override
    def _content(self) -> object:
        return self.is_on
