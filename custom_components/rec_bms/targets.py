"""Which BMSs the target of a trigger or a condition means, and following them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.helpers.typing import ConfigType

from .bank import is_bank
from .const import CONF_MEMBERS, DOMAIN, LOGGER
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator


@callback
def targeted_entries(hass: HomeAssistant, target: ConfigType) -> list[RecBmsConfigEntry]:
    """Return the BMSs of which a target means a device or an entity, whether those are enabled.

    Any unit's device and any entity stand for the BMS as a whole, and a bank for its batteries.
    """
    entries = hass.config_entries.async_entries(DOMAIN)
    named = _named(hass, target, entries)
    members = {
        entry_id
        for bank in entries
        if is_bank(bank) and bank.entry_id in named
        for entry_id in bank.data[CONF_MEMBERS]
    }
    meant = named | members
    return [entry for entry in entries if entry.entry_id in meant and not is_bank(entry)]


def _named(
    hass: HomeAssistant, target: ConfigType, entries: list[ConfigEntry[Any]]
) -> set[str | None]:
    """Return the ids of the entries, banks as well, that a target names directly."""
    selected = async_extract_referenced_entity_ids(
        hass, TargetSelection(target), expand_group=False, primary_entities_only=False
    )
    entities, devices = er.async_get(hass), dr.async_get(hass)
    named = {
        entity.config_entry_id
        for entity_id in selected.referenced | selected.indirectly_referenced
        if (entity := entities.async_get(entity_id)) is not None and entity.platform == DOMAIN
    }
    for entry in entries:
        its_devices = dr.async_entries_for_config_entry(devices, entry.entry_id)
        if not selected.referenced_devices.isdisjoint(device.id for device in its_devices):
            named.add(entry.entry_id)
    return named


class Followed:
    """The BMSs that a target means, followed through reloads and renaming until `stop`.

    `look` is called with an entry at first, with each update, and when its state changes. While
    they are followed, the quantities are asked for, whether an entity shows them or not.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        target: ConfigType,
        quantities: frozenset[str] = frozenset(),
        look: Callable[[RecBmsConfigEntry], None] = lambda _: None,
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin to follow; `forget` is called with the id of an entry that is followed no more."""
        self._hass = hass
        self._target = target
        self._quantities = quantities
        self._look = look
        self._forget = forget
        self._entries: dict[str, RecBmsConfigEntry] = {}
        self._listened: dict[str, tuple[RecBmsCoordinator, CALLBACK_TYPE]] = {}
        self._stops: list[CALLBACK_TYPE] = [
            async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed),
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._entity_changed),
            hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._registry_changed),
            hass.bus.async_listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._registry_changed),
        ]
        self._resolve()

    @property
    def entries(self) -> list[RecBmsConfigEntry]:
        """The entries that are followed."""
        return [*self._entries.values()]

    @callback
    def stop(self) -> None:
        """Follow no more, and forget all."""
        while self._stops:
            self._stops.pop()()
        while self._entries:
            self._lose(self._entries.popitem()[0])

    def _resolve(self) -> None:
        now = {entry.entry_id: entry for entry in targeted_entries(self._hass, self._target)}
        before, self._entries = self._entries, now
        for entry_id in before.keys() - now.keys():
            self._lose(entry_id)
        for entry_id in now.keys() - before.keys():
            self._see(now[entry_id])

    def _see(self, entry: RecBmsConfigEntry) -> None:
        """Listen to an entry's present coordinator, and look."""
        coordinator = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
        listened = self._listened.get(entry.entry_id)
        if listened is not None and listened[0] is not coordinator:
            self._leave(entry.entry_id)
            listened = None
        if coordinator is not None and listened is None:
            stop = coordinator.async_add_listener(lambda: self._look(entry), self._quantities)
            self._listened[entry.entry_id] = (coordinator, stop)
        self._look(entry)

    def _leave(self, entry_id: str) -> None:
        if (listened := self._listened.pop(entry_id, None)) is not None:
            listened[1]()

    def _lose(self, entry_id: str) -> None:
        self._leave(entry_id)
        self._forget(entry_id)

    @callback
    def _entry_changed(self, _: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain != DOMAIN:
            return
        was_followed = entry.entry_id in self._entries
        self._resolve()
        if was_followed and entry.entry_id in self._entries:
            self._see(entry)

    @callback
    def _entity_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Resolve anew; an entity that is new means nothing but to who names it.

        A battery may have some five hundred of them, and its device is there before.
        """
        named = TargetSelection(self._target).entity_ids
        if event.data["action"] != "create" or event.data["entity_id"] in named:
            self._resolve()

    @callback
    def _registry_changed(self, _: Event[Any]) -> None:
        self._resolve()


@callback
def warn_where_nobody_is_meant(hass: HomeAssistant, target: ConfigType) -> None:
    """Say that what an automation names is no BMS: nothing would ever happen."""
    if not targeted_entries(hass, target):
        LOGGER.warning("There is no REC BMS among %s, which an automation names", target)


def main_device_id(hass: HomeAssistant, entry: RecBmsConfigEntry) -> str | None:
    """Return the id of the device that stands for a BMS as a whole."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    main = (each.id for each in devices if (DOMAIN, entry.entry_id) in each.identifiers)
    return next(main, None)
