"""Config flow: pick a port, look for a BMS on it, confirm what was found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ADDRESS, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.service_info.usb import UsbServiceInfo

from .const import (
    CONF_ALLOW_CHANGES,
    CONF_BAUDRATE,
    CONF_SCAN_INTERVAL,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    LOGGER,
)
from .coordinator import RecBmsConfigEntry
from .flow_forms import (
    AUTOMATIC,
    SECTION_MORE_OPTIONS,
    STEP_OPTIONS,
    STEP_USER,
    confirm_form,
    description,
)
from .flow_search import Bms, PortSearch, speeds_to_try
from .pause import Pause
from .ports import async_get_ports, async_stable_port
from .protocol.errors import PortError, without_query
from .protocol.search import ADDRESSES


class RecBmsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Sets up a BMS on a port that the user picks, or one that was found beside another."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing asked and nothing found."""
        self._input: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._port = ""
        self._baudrates: tuple[int, ...] = ()
        self._addresses: tuple[int, ...] = ()
        self._scan_task: asyncio.Task[None] | None = None
        self._found: list[Bms] = []
        self._sharing: list[ConfigEntry] = []
        self._pause = Pause()

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: RecBmsConfigEntry) -> RecBmsOptionsFlow:
        """Return the options flow."""
        return RecBmsOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the port, and for speed and address if the user knows better."""
        if user_input is not None:
            await self._plan_scan(user_input)
            if not self._errors:
                return await self.async_step_scan()
        return self._show_port_form("user")

    @override
    async def async_step_usb(self, discovery_info: UsbServiceInfo) -> ConfigFlowResult:
        """Offer to look for a BMS on an RS-485 adapter that was plugged in."""
        port = await async_stable_port(self.hass, discovery_info.device)
        await self.async_set_unique_id(port)
        if self._others_on(port):
            return self.async_abort(reason="already_configured")
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
            return await self.async_step_user(self._input)
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
        self._found = [bms]
        self.context["title_placeholders"] = {"name": f"{bms.model} ({bms.address})"}
        return await self.async_step_confirm()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the BMS is now: its port, speed or address has changed."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            await self._plan_scan(user_input)
            if self._sharing:
                return await self.async_step_speed()
            if not self._errors:
                return await self.async_step_scan()
        elif not self._input:
            self._input = {
                CONF_PORT: entry.data[CONF_PORT],
                SECTION_MORE_OPTIONS: {
                    CONF_BAUDRATE: str(entry.data[CONF_BAUDRATE]),
                    CONF_ADDRESS: entry.data[CONF_ADDRESS],
                },
            }
        return self._show_port_form("reconfigure")

    async def async_step_speed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that the others on this port change their speed, too."""
        if user_input is not None:
            return await self.async_step_scan()
        return self.async_show_form(
            step_id="speed",
            data_schema=vol.Schema({}),
            description_placeholders={
                "port": without_query(self._port),
                "baudrate": str(self._baudrates[0]),
                "others": ", ".join(entry.title for entry in self._sharing),
            },
        )

    async def async_step_scan(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look for BMSs while a bar shows how far that has come."""
        if self._scan_task is None:
            self._scan_task = self.hass.async_create_task(self._scan(), f"{DOMAIN} scan")
        if not self._scan_task.done():
            return self.async_show_progress(
                step_id="scan",
                progress_action="scan",
                description_placeholders={"port": without_query(self._port)},
                progress_task=self._scan_task,
            )
        self._scan_task = None
        if self._found:
            return self.async_show_progress_done(next_step_id="confirm")
        self._sharing = []
        reconfiguring = self.source == SOURCE_RECONFIGURE
        return self.async_show_progress_done(
            next_step_id="reconfigure" if reconfiguring else "user"
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was found and ask whether its settings may be changed."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=confirm_form(self._found, adding=self.source != SOURCE_RECONFIGURE),
                description_placeholders=description(self._found),
            )
        wanted = user_input.get(CONF_ADDRESS, str(self._found[0].address))
        chosen = next(bms for bms in self._found if str(bms.address) == wanted)
        # The same BMS may be on offer as a discovered device.
        await self.async_set_unique_id(chosen.unique_id, raise_on_progress=False)
        if self.source == SOURCE_RECONFIGURE:
            return self._move(chosen)
        self._abort_if_unique_id_configured()
        self._offer(bms for bms in self._found if bms is not chosen)
        return self._create(chosen, allow_changes=user_input[CONF_ALLOW_CHANGES])

    @callback
    @override
    def async_remove(self) -> None:
        """Stop looking when the user closes the dialog, and put things back as they were."""
        if self._scan_task is not None:
            self._scan_task.cancel()
        if self._pause:
            self.hass.async_create_task(self._pause.end(self.hass), f"{DOMAIN} resume")

    def _show_port_form(self, step_id: str) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(STEP_USER, self._input),
            errors=self._errors,
            description_placeholders=self._placeholders,
        )

    async def _plan_scan(self, user_input: dict[str, Any]) -> None:
        """Work out from the user's input where to look; leaves an error where that cannot be."""
        self._input = user_input
        self._errors, self._placeholders, self._sharing = {}, {}, []
        options = user_input[SECTION_MORE_OPTIONS]
        self._port = await async_stable_port(self.hass, user_input[CONF_PORT])
        # Until a BMS is chosen, a flow goes by its port: a second one on the same port aborts.
        await self.async_set_unique_id(self._port)
        speed = options[CONF_BAUDRATE]
        await self._choose_speeds(None if speed == AUTOMATIC else int(speed))
        self._choose_addresses(options.get(CONF_ADDRESS))

    async def _choose_speeds(self, wanted: int | None) -> None:
        """Go at the speed of those that use the port, unless the user wants to change it."""
        self._baudrates = speeds_to_try(self._port, wanted)
        others = self._others_on(self._port)
        running = await async_get_ports(self.hass).running_speed(self._port)
        if running is None or not others:
            return
        if wanted in (None, running):
            self._baudrates = (running,)
        elif self.source == SOURCE_RECONFIGURE:
            self._sharing = others
        else:
            self._errors["base"] = "other_speed"
            self._placeholders["running"] = str(running)

    def _choose_addresses(self, address: float | None) -> None:
        taken = {entry.data[CONF_ADDRESS] for entry in self._others_on(self._port)}
        if address is not None and int(address) in taken:
            self._errors["base"] = "address_configured"
        wanted = ADDRESSES if address is None else (int(address),)
        self._addresses = tuple(each for each in wanted if each not in taken)

    def _others_on(self, port: str) -> list[ConfigEntry]:
        """Return the entries on a port, without the one that is being reconfigured."""
        own = self.context.get("entry_id")
        return [
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry.data[CONF_PORT] == port and entry.entry_id != own
        ]

    async def _scan(self) -> None:
        """Fill in what was found, or the error that says what to check."""
        self._found = []
        if self.source == SOURCE_RECONFIGURE:
            await self._pause.begin(self.hass, (self._get_reconfigure_entry(), *self._sharing))
        scan = PortSearch(self.hass, self._port, self._baudrates, self._addresses)
        try:
            self._found = await scan.run(self.async_update_progress)
        except PortError as err:
            LOGGER.debug("Search failed: %s", err)
            self._errors["base"] = "cannot_open"
            self._placeholders["reason"] = err.reason
        else:
            if not self._found:
                others = self._others_on(self._port)
                self._errors["base"] = "no_other_bms" if others else "no_bms"
        if not self._found:
            await self._pause.end(self.hass)

    def _create(self, bms: Bms, *, allow_changes: bool) -> ConfigFlowResult:
        titles = {entry.title for entry in self._async_current_entries()}
        return self.async_create_entry(
            title=f"{bms.model} ({bms.address})" if bms.model in titles else bms.model,
            data=bms.entry_data,
            options={
                CONF_SCAN_INTERVAL: DEFAULT_SCAN_INTERVAL,
                CONF_ALLOW_CHANGES: allow_changes,
            },
        )

    def _move(self, bms: Bms) -> ConfigFlowResult:
        """Have the entry, and all that share its port, go on where the BMS is now."""
        for entry in self._sharing:
            data = {**entry.data, CONF_BAUDRATE: bms.baudrate}
            self.hass.config_entries.async_update_entry(entry, data=data)
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        self._pause.forget()
        return self.async_update_reload_and_abort(
            self._get_reconfigure_entry(), unique_id=bms.unique_id, data=bms.entry_data
        )

    def _offer(self, others: Iterable[Bms]) -> None:
        """Offer the other BMSs on the pair of wires as discovered devices."""
        for bms in others:
            discovery_flow.async_create_flow(
                self.hass,
                DOMAIN,
                context=ConfigFlowContext(source=SOURCE_INTEGRATION_DISCOVERY),
                data=bms.as_dict(),
            )


class RecBmsOptionsFlow(OptionsFlowWithReload):
    """Changes how often a BMS is asked, and whether its settings may be changed."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options as they are."""
        if user_input is not None:
            user_input[CONF_SCAN_INTERVAL] = int(user_input[CONF_SCAN_INTERVAL])
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                STEP_OPTIONS, self.config_entry.options
            ),
        )
