"""Config flow: pick a port or a WiFi module, look for a BMS there, confirm what was found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow, UnknownFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.usb import UsbServiceInfo

from .bank import is_bank
from .const import (
    CONF_ALLOW_CHANGES,
    CONF_BALANCING_CURRENT,
    CONF_BAUDRATE,
    CONF_MEMBERS,
    CONF_SCAN_INTERVAL,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    LOGGER,
)
from .coordinator import RecBmsConfigEntry
from .discovery import async_take_away
from .flow_bank import FEWEST_MEMBERS, bank_form, bank_of, batteries, what_is_wrong
from .flow_forms import (
    AUTOMATIC,
    SECTION_MORE_OPTIONS,
    STEP_BALANCING,
    STEP_OPTIONS,
    STEP_SERIAL,
    STEP_WIFI,
    confirm_form,
    description,
    description_of_module,
)
from .flow_search import Bms, PortSearch, speeds_to_try
from .pause import async_get_pauses, until_settled
from .ports import async_entries_on, async_real_ports, async_stable_port
from .protocol.errors import (
    ModuleError,
    NoModuleError,
    NoNameError,
    PortError,
    without_query,
)
from .protocol.health.balancing import tells_balancing_current
from .protocol.rs485.scan import ADDRESSES
from .protocol.wifi.client import url_of
from .protocol.wifi.identify import Module, identify


class RecBmsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up a BMS that the user has on a port or a WiFi module, or one that was found.

    Several of them that are wired together make a bank.
    """

    VERSION = 1

    def __init__(self) -> None:
        self._input: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._port = ""
        self.real_port = ""
        self.searching = False
        self._baudrate: int | None = None
        self._addresses: tuple[int, ...] = ()
        self._scan_task: asyncio.Task[None] | None = None
        self._found: Bms | None = None
        self._module: Module | None = None
        self._named: set[str] = set()
        self._told: set[str] = set()
        self._closed = False

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: RecBmsConfigEntry) -> RecBmsOptionsFlow:
        """Return the options flow."""
        return RecBmsOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Tell whether there are options: a bank asks nobody and changes nothing."""
        return not is_bank(config_entry)

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which way leads to the BMS, or whether several that are there make a bank."""
        return self.async_show_menu(step_id="user", menu_options=["serial", "wifi", "bank"])

    async def async_step_serial(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the port, and for speed and address if the user knows better."""
        if user_input is not None:
            await self._plan_scan(user_input)
            if not self._errors:
                return await self.async_step_scan()
        return self._show_port_form("serial")

    async def async_step_wifi(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the WiFi module is."""
        if user_input is not None:
            return await self._listen_to(user_input)
        return self._show_host_form("wifi")

    async def async_step_bank(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which batteries are wired together, and how."""
        if len(batteries(self.hass)) < FEWEST_MEMBERS:
            return self.async_abort(reason="too_few_batteries")
        if user_input is None or not self._is_right(user_input):
            return self._show_bank_form("bank")
        bank = bank_of(user_input)
        await self.async_set_unique_id(bank.unique_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=user_input[CONF_NAME].strip(), data=bank.entry_data)

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait for the module to tell who it is."""
        if self._scan_task is None:
            self._raise_if_over()
            # Begun later: a flow whose progress is over at once is shown its own input again.
            self._scan_task = self.hass.async_create_task(
                self._identify(), f"{DOMAIN} listen", eager_start=False
            )
        if not self._scan_task.done():
            return self.async_show_progress(
                step_id="listen",
                progress_action="listen",
                description_placeholders={"host": self._input[CONF_HOST]},
                progress_task=self._scan_task,
            )
        self._scan_task = None
        reconfiguring = self.source == SOURCE_RECONFIGURE
        if self._module is None:
            return self.async_show_progress_done(
                next_step_id="reconfigure_wifi" if reconfiguring else "wifi"
            )
        return self.async_show_progress_done(next_step_id="move" if reconfiguring else "confirm")

    @override
    async def async_step_usb(self, discovery_info: UsbServiceInfo) -> ConfigFlowResult:
        """Offer to look for a BMS on an RS-485 adapter that was plugged in."""
        port = await async_stable_port(self.hass, discovery_info.device)
        await self.async_set_unique_id(port)
        self._abort_if_unique_id_configured()  # only an adapter that is ignored has a port's id
        self._port = port
        if await self._others():
            return self.async_abort(reason="already_configured")
        await self._give_way()
        self._input = {CONF_PORT: port, SECTION_MORE_OPTIONS: {CONF_BAUDRATE: AUTOMATIC}}
        name = discovery_info.description or port
        self.context["title_placeholders"] = {"name": name}
        self._placeholders = {"name": name, "port": port}
        return await self.async_step_usb_confirm()

    async def async_step_usb_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send nothing before the user has agreed."""
        if user_input is not None:
            return await self.async_step_serial(self._input)
        self._set_confirm_only()
        return self.async_show_form(
            step_id="usb_confirm", description_placeholders=self._placeholders
        )

    @override
    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer a BMS that was found beside another on the same pair of wires."""
        bms = Bms(**{**discovery_info, "cells": tuple(discovery_info["cells"])})
        await self.async_set_unique_id(bms.unique_id)
        self._abort_if_unique_id_configured()
        self._port = bms.port
        self._found = bms
        self.context["title_placeholders"] = {"name": f"{bms.model} ({bms.address})"}
        return await self.async_step_confirm()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the BMS is now: on another port, at another speed, address or host."""
        self._raise_if_over()
        if CONF_HOST in self._get_reconfigure_entry().data:
            return await self.async_step_reconfigure_wifi()
        if is_bank(self._get_reconfigure_entry()):
            return await self.async_step_reconfigure_bank()
        if user_input is not None:
            await self._plan_scan(user_input)
            if not self._errors:
                if await self._untold(self._baudrate):
                    return await self.async_step_speed()
                return await self.async_step_scan()
        elif not self._input:
            entry = self._get_reconfigure_entry()
            self._input = {
                CONF_PORT: entry.data[CONF_PORT],
                SECTION_MORE_OPTIONS: {
                    CONF_BAUDRATE: str(entry.data[CONF_BAUDRATE]),
                    CONF_ADDRESS: entry.data[CONF_ADDRESS],
                },
            }
        return self._show_port_form("reconfigure")

    async def async_step_reconfigure_wifi(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the WiFi module is now."""
        self._raise_if_over()
        if user_input is not None:
            return await self._listen_to(user_input)
        if not self._input:
            self._input = {CONF_HOST: self._get_reconfigure_entry().data[CONF_HOST]}
        return self._show_host_form("reconfigure_wifi")

    async def async_step_reconfigure_bank(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which batteries are wired together now, and how."""
        self._raise_if_over()
        entry = self._get_reconfigure_entry()
        if len(batteries(self.hass)) < FEWEST_MEMBERS:
            return self.async_abort(reason="too_few_batteries")
        if user_input is None:
            self._input = dict(entry.data)
        if user_input is None or not self._is_right(user_input):
            return self._show_bank_form("reconfigure_bank")
        bank = bank_of(user_input)
        if await self.async_set_unique_id(bank.unique_id, raise_on_progress=False) is not entry:
            self._abort_if_unique_id_configured()
        return self.async_update_reload_and_abort(
            entry, unique_id=bank.unique_id, data=bank.entry_data, reason="bank_changed"
        )

    async def async_step_move(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Have the entry go on with its module at another host."""
        self._raise_if_over()
        assert self._module is not None
        await self.async_set_unique_id(self._module.name, raise_on_progress=False)
        self._abort_if_unique_id_mismatch(reason="wrong_device")
        return self.async_update_reload_and_abort(
            self._get_reconfigure_entry(), data_updates={CONF_HOST: self._module.host}
        )

    async def async_step_speed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that the others on this port change their speed, too."""
        if user_input is not None:
            self._told = self._named
            return await (self.async_step_confirm() if self._found else self.async_step_scan())
        baudrate = self._found.baudrate if self._found else self._baudrate
        others = _at_another_speed(await self._others(), baudrate)
        self._named = {entry.entry_id for entry in others}
        return self.async_show_form(
            step_id="speed",
            data_schema=vol.Schema({}),
            description_placeholders={
                "port": without_query(self._port),
                "baudrate": str(baudrate),
                "others": ", ".join(entry.title for entry in others),
            },
        )

    async def async_step_scan(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look for BMSs while a bar shows how far that has come."""
        if self._scan_task is None:
            self._raise_if_over()
            self._scan_task = self.hass.async_create_task(self._scan(), f"{DOMAIN} scan")
        if not self._scan_task.done():
            return self.async_show_progress(
                step_id="scan",
                progress_action="scan",
                description_placeholders={"port": without_query(self._port)},
                progress_task=self._scan_task,
            )
        self._scan_task = None
        self.searching = False
        if self._found:
            return self.async_show_progress_done(next_step_id="confirm")
        reconfiguring = self.source == SOURCE_RECONFIGURE
        return self.async_show_progress_done(
            next_step_id="reconfigure" if reconfiguring else "serial"
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was found and ask whether its settings may be changed."""
        if self._module is not None:
            return await self._confirm_module(self._module, agreed=user_input is not None)
        assert self._found is not None
        others = await self._others()
        if self.source == SOURCE_INTEGRATION_DISCOVERY and others:
            # It was found at the speed that the port had then.
            baudrate = _running_speed(others) or others[0].data[CONF_BAUDRATE]
            self._found = replace(self._found, baudrate=baudrate)
        found = self._found
        if await self._untold(found.baudrate):
            return await self.async_step_speed()
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=confirm_form(adding=self.source != SOURCE_RECONFIGURE),
                description_placeholders=description(found),
            )
        if found.address in _addresses(others):
            return self.async_abort(reason="already_configured")
        # The same BMS may be on offer as a discovered device.
        await self.async_set_unique_id(found.unique_id, raise_on_progress=False)
        await async_take_away(self.hass, self._async_in_progress(), found)
        if self.source == SOURCE_RECONFIGURE:
            return await self._move(found)
        return await self._create(found, allow_changes=user_input[CONF_ALLOW_CHANGES])

    async def _confirm_module(self, module: Module, *, agreed: bool) -> ConfigFlowResult:
        """Say what was found; nothing can be changed over WiFi, so there is nothing to ask."""
        await self.async_set_unique_id(module.name)
        self._abort_if_unique_id_configured()
        if agreed:
            return self.async_create_entry(title=module.name, data={CONF_HOST: module.host})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders=description_of_module(module),
        )

    @override
    def is_matching(self, other_flow: Self) -> bool:
        """Tell whether another flow is a user's on the same port; a card is while it searches."""
        begun = other_flow.searching or other_flow.source in (SOURCE_USER, SOURCE_RECONFIGURE)
        return begun and other_flow.real_port == self.real_port

    @callback
    @override
    def async_remove(self) -> None:
        """Begin nothing more once the dialog is closed; Home Assistant itself ends the search."""
        self._closed = True

    def _raise_if_over(self) -> None:
        """End what a user has closed, and what asks for an entry that was deleted meanwhile."""
        if self._closed:
            raise UnknownFlow
        entry_id = self.context.get("entry_id")
        if entry_id and self.hass.config_entries.async_get_entry(entry_id) is None:
            raise AbortFlow("entry_deleted")

    def _show_port_form(self, step_id: str) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(STEP_SERIAL, self._input),
            errors=self._errors,
            description_placeholders=self._placeholders,
        )

    def _show_host_form(self, step_id: str) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(STEP_WIFI, self._input),
            errors=self._errors,
            description_placeholders=self._placeholders,
        )

    def _is_right(self, user_input: dict[str, Any]) -> bool:
        """Tell whether a bank can be made of what was chosen; leaves errors where it cannot."""
        self._input = user_input
        self._errors = what_is_wrong(batteries(self.hass), user_input)
        return not self._errors

    def _show_bank_form(self, step_id: str) -> ConfigFlowResult:
        entries = batteries(self.hass)
        there = {entry.entry_id for entry in entries}
        chosen = [each for each in self._input.get(CONF_MEMBERS, ()) if each in there]
        form = bank_form(entries, adding=self.source != SOURCE_RECONFIGURE)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                form, {**self._input, CONF_MEMBERS: chosen}
            ),
            errors=self._errors,
        )

    async def _listen_to(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        self._input = {CONF_HOST: user_input[CONF_HOST].strip()}
        self._errors, self._placeholders, self._module = {}, {}, None
        if any(entry.state is ConfigEntryState.LOADED for entry in self._others_at_host()):
            reconfiguring = self.source == SOURCE_RECONFIGURE
            return self.async_abort(
                reason="wrong_device" if reconfiguring else "already_configured"
            )
        return await self.async_step_listen()

    def _at_host(self) -> list[ConfigEntry]:
        host = _same_for_same_host(self._input[CONF_HOST])
        entries = self._async_current_entries()
        return [each for each in entries if _same_for_same_host(each.data.get(CONF_HOST)) == host]

    def _others_at_host(self) -> list[ConfigEntry]:
        return self._without_own(self._at_host())

    async def _identify(self) -> None:
        """Fill in who the module is, or the error that says what to check."""
        try:
            # A module keeps up one connection well, and no more is known of it.
            async with async_get_pauses(self.hass).pause(self._at_host()):
                session = async_get_clientsession(self.hass)
                self._module = await identify(session, self._input[CONF_HOST])
        except ModuleError as err:
            self._errors["base"] = "cannot_connect"
            self._placeholders["reason"] = err.reason
        except NoModuleError:
            self._errors["base"] = "no_module"
        except NoNameError:
            self._errors["base"] = "no_name"

    async def _plan_scan(self, user_input: dict[str, Any]) -> None:
        """Work out from the user's input where to look; leaves an error where that cannot be."""
        self._input = user_input
        self._errors, self._placeholders, self._found, self._told = {}, {}, None, set()
        options = user_input[SECTION_MORE_OPTIONS]
        self._port = await async_stable_port(self.hass, user_input[CONF_PORT])
        await self._give_way()
        baudrate, address = options[CONF_BAUDRATE], options.get(CONF_ADDRESS)
        self._baudrate = None if baudrate == AUTOMATIC else int(baudrate)
        self.searching = True
        taken = _addresses(await self._others())
        if address is not None and int(address) in taken:
            self._errors["base"] = "address_configured"
            self.searching = False
        wanted = ADDRESSES if address is None else (int(address),)
        self._addresses = tuple(each for each in wanted if each not in taken)

    async def _give_way(self) -> None:
        """End here where a user is at work on this port in another dialog."""
        self.real_port = (await async_real_ports(self.hass, [self._port]))[self._port]
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            raise AbortFlow("already_in_progress")

    async def _others(self) -> list[ConfigEntry]:
        """Return the entries on the port, without the one that is being reconfigured."""
        others = self._without_own(await async_entries_on(self.hass, self._port))
        self._raise_if_over()
        return others

    def _without_own(self, entries: list[ConfigEntry]) -> list[ConfigEntry]:
        return [entry for entry in entries if entry.entry_id != self.context.get("entry_id")]

    async def _untold(self, baudrate: int | None) -> bool:
        """Tell whether a speed in baud would change that of others without a word about it."""
        others = _at_another_speed(await self._others(), baudrate)
        return any(entry.entry_id not in self._told for entry in others)

    async def _scan(self) -> None:
        """Fill in what was found, or the error that says what to check."""
        on_port = await async_entries_on(self.hass, self._port)
        # Whether the port is in use shows only when a reload under way is over.
        await until_settled(on_port)
        others = self._without_own(on_port)
        running = _running_speed(others)
        if running is not None:
            self._placeholders["running"] = str(running)
        if running is not None and self._baudrate in (None, running):
            own = [entry for entry in on_port if entry not in others]
            await self._search((running,), own, nobody="no_other_bms")
        elif running is not None and self.source != SOURCE_RECONFIGURE:
            self._errors["base"] = "other_speed"
        else:
            speeds = speeds_to_try(self._port, self._baudrate)
            await self._search(speeds, on_port, nobody="no_bms")

    async def _search(
        self, baudrates: tuple[int, ...], entries: list[ConfigEntry], *, nobody: str
    ) -> None:
        """Search at speeds in baud while entries are off the port."""
        search = PortSearch(self.hass, self._port, baudrates, self._addresses)
        try:
            async with async_get_pauses(self.hass).pause(entries):
                self._found = await search.run(self.async_update_progress)
        except PortError as err:
            LOGGER.debug("Search failed: %s", err)
            self._errors["base"] = "cannot_open"
            self._placeholders["reason"] = err.reason
        else:
            if self._found is None:
                self._errors["base"] = nobody

    async def _create(self, bms: Bms, *, allow_changes: bool) -> ConfigFlowResult:
        anew = await self._have_others_follow(bms)
        # Only when they have left the port can the new entry open it at this speed.
        pauses = async_get_pauses(self.hass)
        await asyncio.shield(self.hass.async_create_task(pauses.restart(anew)))
        titles = {entry.title for entry in self._async_current_entries()}
        return self.async_create_entry(
            title=f"{bms.model} ({bms.address})" if bms.model in titles else bms.model,
            data=bms.entry_data,
            options={
                CONF_SCAN_INTERVAL: DEFAULT_SCAN_INTERVAL,
                CONF_ALLOW_CHANGES: allow_changes,
            },
        )

    async def _move(self, bms: Bms) -> ConfigFlowResult:
        """Have the entry, and all that share its port, go on where the BMS is now."""
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            # As Home Assistant does where a user adds what was ignored.
            if entry.source == SOURCE_IGNORE and entry.unique_id == bms.unique_id:
                await self.hass.config_entries.async_remove(entry.entry_id)
        anew = await self._have_others_follow(bms)
        own = self._get_reconfigure_entry()
        self.hass.config_entries.async_update_entry(
            own, unique_id=bms.unique_id, data=bms.entry_data
        )
        self.hass.async_create_task(async_get_pauses(self.hass).restart([own, *anew]))
        return self.async_abort(reason="reconfigure_successful")

    async def _have_others_follow(self, bms: Bms) -> list[ConfigEntry]:
        """Give the others on the port its speed; return those that must be set up anew for it."""
        others = await self._others()
        changed = _at_another_speed(others, bms.baudrate)
        for entry in changed:
            data = {**entry.data, CONF_BAUDRATE: bms.baudrate}
            self.hass.config_entries.async_update_entry(entry, data=data)
        failed = [entry for entry in others if entry.state is ConfigEntryState.SETUP_ERROR]
        return [*changed, *(entry for entry in failed if entry not in changed)]


class RecBmsOptionsFlow(OptionsFlowWithReload):
    """Changes how often a BMS is asked, whether its settings may be changed, how it balances."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options as they are."""
        entry = self.hass.config_entries.async_get_entry(self.handler)
        if entry is None:
            return self.async_abort(reason="entry_deleted")
        if CONF_HOST in entry.data:
            return await self.async_step_wifi()
        if user_input is not None:
            user_input[CONF_SCAN_INTERVAL] = int(user_input[CONF_SCAN_INTERVAL])
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self._form(STEP_OPTIONS),
        )

    async def async_step_wifi(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that a WiFi module sets its own pace and takes no changes."""
        if user_input is not None:
            kept = {**self.config_entry.options}
            kept.pop(CONF_BALANCING_CURRENT, None)
            return self.async_create_entry(data={**kept, **user_input})
        return self.async_show_form(step_id="wifi", data_schema=self._form(vol.Schema({})))

    def _form(self, schema: vol.Schema) -> vol.Schema:
        """Return a form with the options as they are; how a BMS balances is asked if need be."""
        if not _tells_balancing(self.config_entry):
            schema = schema.extend(STEP_BALANCING.schema)
        return self.add_suggested_values_to_schema(schema, self.config_entry.options)


def _tells_balancing(entry: RecBmsConfigEntry) -> bool:
    """Tell whether the BMS of an entry, which may not be there, is known to tell it by its type."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    return tells_balancing_current(entry.runtime_data.data.state.model)


def _same_for_same_host(host: str | None) -> object:
    """Return what is the same for a host however it was typed; that of none is no host's."""
    try:
        return None if host is None else url_of(host)
    except ModuleError:
        return host


def _addresses(entries: Iterable[ConfigEntry]) -> set[int]:
    return {entry.data[CONF_ADDRESS] for entry in entries}


def _running_speed(entries: Iterable[ConfigEntry]) -> int | None:
    """Return the speed in baud at which entries run their port, None where none does."""
    loaded = (entry for entry in entries if entry.state is ConfigEntryState.LOADED)
    return next((entry.data[CONF_BAUDRATE] for entry in loaded), None)


def _at_another_speed(entries: Iterable[ConfigEntry], baudrate: int | None) -> list[ConfigEntry]:
    return [entry for entry in entries if baudrate not in (None, entry.data[CONF_BAUDRATE])]
