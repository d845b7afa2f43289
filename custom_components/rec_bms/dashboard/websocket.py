"""Tells the dashboard which entities belong to which BMS, cell and setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import voluptuous as vol
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..bank import is_bank
from ..const import CONF_MEMBERS, CONF_WIRING, DOMAIN
from ..entity import unit_of_device
from ..protocol.settings import Setting


@callback
def async_setup_websocket(hass: HomeAssistant, settings: Iterable[Setting]) -> None:
    """Register the command; `settings` are all that a BMS may have, in their order."""
    groups = _groups(settings)

    @websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/layout"})
    @callback
    def layout(
        hass: HomeAssistant,
        connection: websocket_api.ActiveConnection,
        message: dict[str, Any],
    ) -> None:
        result = {
            "batteries": _batteries(hass, connection.user),
            "banks": _banks(hass, connection.user),
            "settings": groups,
        }
        connection.send_result(message["id"], result)

    websocket_api.async_register_command(hass, layout)


def _batteries(hass: HomeAssistant, user: User) -> list[dict[str, Any]]:
    """Return what the registries know, so that a BMS that is away still has its place."""
    return [
        {
            **_registered(hass, entry, user),
            "way": "wifi" if CONF_HOST in entry.data else "serial",
        }
        for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        if not is_bank(entry)
    ]


def _banks(hass: HomeAssistant, user: User) -> list[dict[str, Any]]:
    """Return the banks, with the entries that each is made of."""
    return [
        {
            **_registered(hass, entry, user),
            "wiring": entry.data[CONF_WIRING],
            "members": entry.data[CONF_MEMBERS],
        }
        for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        if is_bank(entry)
    ]


def _registered(hass: HomeAssistant, entry: ConfigEntry, user: User) -> dict[str, Any]:
    """Return an entry's devices, and those of its entities that a user may read."""
    may_read = user.permissions.check_entity
    return {
        "entry_id": entry.entry_id,
        "title": entry.title,
        "devices": _devices(hass, entry),
        "entities": {
            key: entity_id
            for key, entity_id in _entities(hass, entry)
            if may_read(entity_id, POLICY_READ)
        },
    }


def _devices(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, int]:
    """Return the number of the unit that each device stands for."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return {device.id: unit_of_device(entry, device) or 1 for device in devices}


def _entities(hass: HomeAssistant, entry: ConfigEntry) -> Iterable[tuple[str, str]]:
    """Yield key and id of each enabled entity; the key is what follows the entry in unique_id."""
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    for each in registered:
        if not each.disabled:
            yield each.unique_id.removeprefix(f"{entry.entry_id}_"), each.entity_id


def _groups(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    """Return the keys of the settings in their order and groups."""
    groups: dict[str, list[str]] = {}
    for setting in settings:
        groups.setdefault(setting.category.lower(), []).append(setting.key)
    return [{"category": category, "keys": keys} for category, keys in groups.items()]
