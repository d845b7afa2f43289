"""What the config flow asks about a bank, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .bank import is_bank, is_read_twice
from .const import CONF_MEMBERS, CONF_WIRING, DOMAIN
from .protocol.bank import Wiring

FEWEST_MEMBERS = 2


@dataclass(frozen=True, slots=True)
class BankData:
    """A bank as it is asked for: the entry ids of its members, and how they are wired."""

    members: tuple[str, ...]
    wiring: Wiring

    @property
    def unique_id(self) -> str:
        """One set of members is one bank, however they are wired and in whatever order."""
        return f"bank:{','.join(sorted(self.members))}"

    @property
    def entry_data(self) -> dict[str, Any]:
        """What a config entry keeps."""
        return {CONF_MEMBERS: list(self.members), CONF_WIRING: str(self.wiring)}


def batteries(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return the entries that may be members of a bank, disabled ones included."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return [entry for entry in entries if not is_bank(entry)]


def bank_form(entries: Iterable[ConfigEntry[Any]], *, adding: bool) -> vol.Schema:
    """Ask which batteries are wired together and how, and what a new bank is to be called."""
    options = [SelectOptionDict(value=entry.entry_id, label=entry.title) for entry in entries]
    fields: dict[vol.Marker, Any] = {vol.Required(CONF_NAME): TextSelector()} if adding else {}
    fields[vol.Required(CONF_MEMBERS)] = SelectSelector(
        SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
    )
    fields[vol.Required(CONF_WIRING, default=str(Wiring.PARALLEL))] = SelectSelector(
        SelectSelectorConfig(
            options=[str(wiring) for wiring in Wiring],
            mode=SelectSelectorMode.LIST,
            translation_key=CONF_WIRING,
        )
    )
    return vol.Schema(fields)


def bank_of(user_input: Mapping[str, Any]) -> BankData:
    """Return the bank that a user asks for; a battery that is named twice is one."""
    members = tuple(dict.fromkeys(user_input[CONF_MEMBERS]))
    return BankData(members, Wiring(user_input[CONF_WIRING]))


def what_is_wrong(
    entries: Iterable[ConfigEntry[Any]], user_input: Mapping[str, Any]
) -> dict[str, str]:
    """Return the errors of a form by field; `entries` are the batteries that there are now."""
    there = {entry.entry_id: entry for entry in entries}
    members = bank_of(user_input).members
    errors = {}
    if not user_input.get(CONF_NAME, "?").strip():
        errors[CONF_NAME] = "no_bank_name"
    if not there.keys() >= set(members):
        errors[CONF_MEMBERS] = "battery_deleted"
    elif len(members) < FEWEST_MEMBERS:
        errors[CONF_MEMBERS] = "choose_more_batteries"
    elif is_read_twice(there[member] for member in members):
        errors[CONF_MEMBERS] = "same_battery"
    return errors
