"""What all entities of a BMS have in common."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import batched
from operator import is_
from typing import override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, MANUFACTURER
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator

_ENTITIES_AT_ONCE = 5
_ABSENT = object()


class RecBmsEntity(CoordinatorEntity[RecBmsCoordinator]):
    """An entity that shows what one BMS tells.

    `required` are the quantities that it shows: they are asked for while it is enabled, and it is
    available while all of them are told. Those that are `optional` are asked for, too.
    """

    _attr_has_entity_name = True

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: EntityDescription,
        required: frozenset[str],
        *,
        optional: frozenset[str] = frozenset(),
        unit: int = 1,
    ) -> None:
        """Hang on the device of a unit, which for unit 1 is the main device."""
        super().__init__(coordinator, context=required | optional)
        self.entity_description = description
        self._required = required
        self._quantities = required | optional
        self._seen: tuple[object, ...] = ()
        self._shown: object = None
        entry_id = coordinator.config_entry.entry_id
        self._attr_unique_id = f"{entry_id}_{description.key}"
        self._attr_device_info = _device_info(coordinator, unit)

    @property
    @override
    def available(self) -> bool:
        """Whether the BMS is there and has told what this entity shows."""
        state = self.coordinator.data.state
        return super().available and all(map(state.has, self._required))

    @override
    async def async_added_to_hass(self) -> None:
        """Remember what Home Assistant is about to write first."""
        await super().async_added_to_hass()
        self._shown = self._now_shown()

    @abstractmethod
    def _content(self) -> object:
        """Return all that makes this entity's state worth writing again when it changes."""

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write a state only when it is another one."""
        if self._sees_the_same():
            return
        if (shown := self._now_shown()) != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()

    def _sees_the_same(self) -> bool:
        """Tell whether nothing that this entity shows has been told since it looked last."""
        told = self.coordinator.data.state.told
        read = (told.get(quantity, _ABSENT) for quantity in self._quantities)
        before, self._seen = self._seen, (self.coordinator.last_update_success, *read)
        return len(before) > 1 and all(map(is_, before, self._seen, strict=True))

    def _now_shown(self) -> object:
        return (self._content(),) if self.available else None


def _device_info(coordinator: RecBmsCoordinator, unit: int) -> DeviceInfo:
    entry = coordinator.config_entry
    if unit == 1:
        return DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})
    return DeviceInfo(
        identifiers={(DOMAIN, f"{entry.entry_id}_{unit}")},
        manufacturer=MANUFACTURER,
        translation_key="unit",
        translation_placeholders={"main": entry.title, "number": str(unit)},
        via_device_id=coordinator.main_device_id,
    )


def unit_of_device(entry: RecBmsConfigEntry, device: DeviceEntry) -> int | None:
    """Return the number of the child unit that a device stands for, None for the main device."""
    for domain, identifier in device.identifiers:
        number = identifier.removeprefix(f"{entry.entry_id}_")
        if domain == DOMAIN and number.isdecimal():
            return int(number)
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that could be: its key, the quantities it requires, and how to make it."""

    key: str
    required: frozenset[str]
    make: Callable[[], RecBmsEntity]
    enabled: bool = True
    """Whether it is enabled when it is new."""


async def async_add_as_they_appear(
    entry: RecBmsConfigEntry,
    platform: Platform,
    candidates: Callable[[], Iterable[Candidate]],
    async_add_entities: AddConfigEntryEntitiesCallback,
    *,
    awaited: frozenset[str] = frozenset(),
) -> None:
    """Add entities once the BMS has told what they show, now or later.

    `awaited` are quantities that are asked for because of what they may tell later.

    One that is in the registry already comes back, if it is among the candidates, whether the BMS
    tells what it shows or not.
    """
    coordinator = entry.runtime_data
    registry = er.async_get(coordinator.hass)
    added: set[str] = set()
    seen_shape: object = None

    def wanted(candidate: Candidate) -> bool:
        unique_id = f"{entry.entry_id}_{candidate.key}"
        if registry.async_get_entity_id(platform, DOMAIN, unique_id) is not None:
            return candidate.key not in added
        # Never there before, or deleted with its unit, which is back.
        return all(map(coordinator.data.state.has, candidate.required))

    def hoped_for() -> Iterable[str]:
        """Yield what would have to be told for an entity that is not there yet."""
        for candidate in candidates():
            unique_id = f"{entry.entry_id}_{candidate.key}"
            if candidate.enabled and not registry.async_get_entity_id(platform, DOMAIN, unique_id):
                yield from candidate.required

    def new_ones() -> list[Candidate]:
        nonlocal seen_shape
        if (shape := coordinator.data.state.shape) == seen_shape:
            return []
        seen_shape = shape
        return [candidate for candidate in candidates() if wanted(candidate)]

    async def add(new: list[Candidate]) -> None:
        for batch in batched(new, _ENTITIES_AT_ONCE, strict=False):
            if entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
                return
            # Others may have been here meanwhile.
            missing = [candidate for candidate in batch if wanted(candidate)]
            added.update(candidate.key for candidate in missing)
            async_add_entities(candidate.make() for candidate in missing)
            # Home Assistant adds a batch in one go; others have their turn before the next.
            await asyncio.sleep(0)

    @callback
    def add_later() -> None:
        if new := new_ones():
            entry.async_create_task(coordinator.hass, add(new), f"{entry.title} add {platform}")

    coordinator.hopes.append(hoped_for)
    await add(new_ones())
    entry.async_on_unload(coordinator.async_add_listener(add_later, awaited))
