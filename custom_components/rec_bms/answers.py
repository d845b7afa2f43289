"""What is told of a battery in words, read from its entities as their owner sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, async_rounded_state
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_FRIENDLY_NAME,
    ATTR_ICON,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_translate_state
from homeassistant.util import dt as dt_util

from .bank import is_bank
from .const import CONF_MEMBERS, DOMAIN
from .issues import async_errors
from .words import issue_texts

type Answer = dict[str, Any]

_CHARGE: Final = (
    "state_of_charge",
    "charging",
    "power",
    "current",
    "voltage",
    "stored_energy",
    "usable_capacity",
    "remaining_capacity",
    "time_to_full",
    "time_to_empty",
)
_HEALTH: Final = (
    "diagnosis",
    "state_of_health",
    "measured_health",
    "measured_capacity",
    "last_full_charge",
    "most_drifting_cell",
    "headroom_high",
    "headroom_low",
    "min_cell_voltage",
    "max_cell_voltage",
    "cell_voltage_delta",
    "balancing",
    "max_temperature",
    "temperature_spread",
    "bms_temperature",
    "cycles",
    "overvoltage_count",
    "undervoltage_count",
)
_PARTS: Final = {
    "cell_voltage": "cell",
    "cell_resistance": "cell",
    "temperature": "sensor",
}
"""Tables of entities, and what they have one for."""
_PLACE: Final = re.compile(rf"({'|'.join(_PARTS)})_(\d+)_(\d+)")
_OF_ALL_ENTITIES: Final = frozenset(
    {
        ATTR_DEVICE_CLASS,
        ATTR_FRIENDLY_NAME,
        ATTR_ICON,
        ATTR_UNIT_OF_MEASUREMENT,
        "options",
        "state_class",
    }
)
"""Attributes that tell how an entity is to be shown."""


@callback
def batteries(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return what can be asked about: BMSs and banks that are not disabled."""
    return hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)


def _members(hass: HomeAssistant, bank: ConfigEntry[Any]) -> list[ConfigEntry[Any]]:
    members = map(hass.config_entries.async_get_entry, bank.data[CONF_MEMBERS])
    return [member for member in members if member is not None]


@callback
def without_banks(
    hass: HomeAssistant, entries: Iterable[ConfigEntry[Any]]
) -> list[ConfigEntry[Any]]:
    """Return each battery once, those of banks in place of the banks."""
    once: dict[str, ConfigEntry[Any]] = {}
    for entry in entries:
        for each in _members(hass, entry) if is_bank(entry) else [entry]:
            once[each.entry_id] = each
    return [*once.values()]


@callback
def name_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> str:
    """Return what a battery is called: as its owner named its device."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    named = (each.name_by_user for each in devices if (DOMAIN, entry.entry_id) in each.identifiers)
    return next(named, None) or entry.title


@callback
def silence(entry: ConfigEntry[Any]) -> str | None:
    """Return why nothing is known of a battery now, None where something is."""
    if entry.state is not ConfigEntryState.LOADED:
        return "Home Assistant has no connection to it"
    if is_bank(entry):
        update = entry.runtime_data.data
        members = zip(update.names, update.bank.members, strict=True)
        away = [name or "one that was deleted" for name, told in members if told is None]
        return f"nothing is known of these of its batteries: {', '.join(away)}" if away else None
    return None if entry.runtime_data.last_update_success else "Home Assistant does not hear it"


@callback
def of_charge(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Answer:
    """Return how full a battery is, what flows, and how long it lasts."""
    age = hass.loop.time() - entry.runtime_data.data.measured_at
    members = [name_of(hass, member) for member in _members(hass, entry)] if is_bank(entry) else []
    return {
        **({"bank_of": members} if members else {}),
        "seconds_since_measured": round(age),
        **_readings(hass, entry, _CHARGE),
    }


@callback
def of_errors(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Answer:
    """Return the errors that the BMS reports, each with what it does and what to do."""
    errors = async_errors(hass, entry)
    if errors is None:
        return {"errors": STATE_UNKNOWN}
    texts = [issue_texts(hass, key, placeholders) for key, placeholders in errors]
    return {"errors": [{"error": title, "advice": advice} for title, advice in texts]}


@callback
def of_health(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Answer:
    """Return how far the battery is from its limits, and how it ages."""
    return _readings(hass, entry, _HEALTH)


@callback
def of_cells(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Answer:
    """Return what was measured at each cell and each temperature sensor."""
    entity_ids = _entity_ids(hass, entry)
    places = (found for key in entity_ids if (found := _PLACE.fullmatch(key)))
    answer: dict[str, dict[str, str]] = {}
    for place in sorted(places, key=lambda found: (found[1], int(found[2]), int(found[3]))):
        if (state := hass.states.get(entity_ids[place[0]])) is not None:
            where = f"unit {place[2]} {_PARTS[place[1]]} {place[3]}"
            answer.setdefault(place[1], {})[where] = _shown(hass, state)
    return answer


def _readings(hass: HomeAssistant, entry: ConfigEntry[Any], keys: Iterable[str]) -> Answer:
    """Return what the entities of these keys show, as far as there are any."""
    entity_ids = _entity_ids(hass, entry)
    states = {key: hass.states.get(entity_ids[key]) for key in keys if key in entity_ids}
    return {key: _reading(hass, state) for key, state in states.items() if state is not None}


def _entity_ids(hass: HomeAssistant, entry: ConfigEntry[Any]) -> dict[str, str]:
    """Return the ids of a battery's entities by key: what follows the entry in unique ids."""
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        each.unique_id.removeprefix(f"{entry.entry_id}_"): each.entity_id for each in registered
    }


def _reading(hass: HomeAssistant, state: State) -> Answer:
    """Return what an entity shows, with its attributes."""
    attributes = state.attributes.items()
    own = {name: value for name, value in attributes if name not in _OF_ALL_ENTITIES}
    return {"state": _shown(hass, state), **own}


def _shown(hass: HomeAssistant, state: State) -> str:
    """Return what an entity shows, in its owner's unit and in words; one that is away, nothing."""
    if state.state in (STATE_UNKNOWN, STATE_UNAVAILABLE):
        return STATE_UNKNOWN
    kind = state.attributes.get(ATTR_DEVICE_CLASS)
    moment = dt_util.parse_datetime(state.state) if kind == SensorDeviceClass.TIMESTAMP else None
    if moment is not None:
        return dt_util.as_local(moment).isoformat(timespec="minutes")
    if unit := state.attributes.get(ATTR_UNIT_OF_MEASUREMENT):
        return f"{async_rounded_state(hass, state.entity_id, state)} {unit}"
    registered = er.async_get(hass).async_get(state.entity_id)
    key = registered.translation_key if registered else None
    return async_translate_state(hass, state.state, state.domain, DOMAIN, key, kind)
