"""Config flow: pick a port, look for a BMS on it, confirm what was found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ADDRESS, CONF_PORT
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
)

from .const import (
    CONF_ALLOW_CHANGES,
    CONF_BAUDRATE,
    CONF_SCAN_INTERVAL,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    LOGGER,
    MAX_SCAN_INTERVAL,
    MIN_SCAN_INTERVAL,
)
from .coordinator import RecBmsConfigEntry
from .ports import async_get_ports, async_stable_port, without_query
from .protocol.client import Client
from .protocol.connection import Connection
from .protocol.errors import NoAnswerError, PortError
from .protocol.frame import MAX_ADDRESS
from .protocol.search import ADDRESSES, BAUDRATES, Found, search

SECTION_MORE_OPTIONS = "more_options"
AUTOMATIC = "automatic"
UNKNOWN = "?"

_SPEED_SET_BY_FAR_END = ("socket://", "tcp://")

STEP_USER = vol.Schema(
    {
        vol.Required(CONF_PORT): SerialPortSelector(),
        vol.Required(SECTION_MORE_OPTIONS): section(
            vol.Schema(
                {
                    vol.Required(CONF_BAUDRATE, default=AUTOMATIC): SelectSelector(
                        SelectSelectorConfig(
                            options=[AUTOMATIC, *(str(speed) for speed in BAUDRATES)],
                            mode=SelectSelectorMode.DROPDOWN,
                            translation_key=CONF_BAUDRATE,
                        )
                    ),
                    vol.Optional(CONF_ADDRESS): NumberSelector(
                        NumberSelectorConfig(
                            min=1, max=MAX_ADDRESS, step=1, mode=NumberSelectorMode.BOX
                        )
                    ),
                }
            ),
            {"collapsed": True},
        ),
    }
)

STEP_OPTIONS = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL, default=DEFAULT_SCAN_INTERVAL): NumberSelector(
            NumberSelectorConfig(
                min=MIN_SCAN_INTERVAL,
                max=MAX_SCAN_INTERVAL,
                step=1,
                unit_of_measurement="s",
                mode=NumberSelectorMode.BOX,
            )
        ),
        vol.Required(CONF_ALLOW_CHANGES, default=False): BooleanSelector(),
    }
)


@dataclass(frozen=True, slots=True)
class Bms:
    """A BMS that a flow can set up: cells are counted for each of its units."""

    port: str
    baudrate: int
    address: int
    model: str
    cells: tuple[int, ...]

    @property
    def unique_id(self) -> str:
        """One entry is one BMS: a port and an address."""
        return f"{self.port}#{self.address}"

    def as_dict(self) -> dict[str, Any]:
        """Return what a discovery flow needs to know."""
        return {
            CONF_PORT: self.port,
            CONF_BAUDRATE: self.baudrate,
            CONF_ADDRESS: self.address,
            "model": self.model,
            "cells": list(self.cells),
        }


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
            self._input = user_input
            self._errors, self._placeholders = {}, {}
            await self._plan_scan()
            if not self._errors:
                return await self.async_step_scan()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(STEP_USER, self._input),
            errors=self._errors,
            description_placeholders=self._placeholders,
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
        return self.async_show_progress_done(next_step_id="confirm" if self._found else "user")

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was found and ask whether its settings may be changed."""
        if user_input is not None:
            chosen = self._chosen(user_input)
            await self.async_set_unique_id(chosen.unique_id)
            self._abort_if_unique_id_configured()
            self._offer(bms for bms in self._found if bms is not chosen)
            return self._create(chosen, allow_changes=user_input[CONF_ALLOW_CHANGES])
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema(self._confirm_fields()),
            description_placeholders=_description(self._found),
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

    @callback
    @override
    def async_remove(self) -> None:
        """Stop looking when the user closes the dialog."""
        if self._scan_task is not None:
            self._scan_task.cancel()

    async def _plan_scan(self) -> None:
        """Work out from the user's input where to look; leaves an error where that cannot be."""
        options = self._input[SECTION_MORE_OPTIONS]
        self._port = await async_stable_port(self.hass, self._input[CONF_PORT])
        # Until a BMS is chosen, a flow goes by its port: a second one on the same port aborts.
        await self.async_set_unique_id(self._port)
        speed = options[CONF_BAUDRATE]
        wanted = None if speed == AUTOMATIC else int(speed)
        self._baudrates = (wanted,) if wanted else BAUDRATES
        if self._port.startswith(_SPEED_SET_BY_FAR_END):
            self._baudrates = (wanted or BAUDRATES[0],)
        if running := await async_get_ports(self.hass).running_speed(self._port):
            if wanted not in (None, running):
                self._errors["base"] = "other_speed"
                self._placeholders["running"] = str(running)
            self._baudrates = (running,)
        self._choose_addresses(options.get(CONF_ADDRESS))

    def _choose_addresses(self, address: float | None) -> None:
        taken = {
            entry.data[CONF_ADDRESS]
            for entry in self._async_current_entries()
            if entry.data[CONF_PORT] == self._port
        }
        if address is not None and int(address) in taken:
            self._errors["base"] = "address_configured"
        wanted = ADDRESSES if address is None else (int(address),)
        self._addresses = tuple(each for each in wanted if each not in taken)

    async def _scan(self) -> None:
        """Fill in what was found, or the error that says what to check."""
        self._found = []
        try:
            found = await search(
                self._connect, self._baudrates, self._addresses, self.async_update_progress
            )
            self._found = [await self._describe(each) for each in found]
        except PortError as err:
            LOGGER.debug("Search on %s failed", without_query(self._port), exc_info=True)
            self._errors["base"] = "cannot_open"
            self._placeholders["reason"] = without_query(err.reason)
        else:
            if not self._found:
                self._errors["base"] = self._nothing_found()

    def _nothing_found(self) -> str:
        configured = any(
            entry.data[CONF_PORT] == self._port for entry in self._async_current_entries()
        )
        return "no_other_bms" if configured else "no_bms"

    @asynccontextmanager
    async def _connect(self, baudrate: int) -> AsyncIterator[Connection]:
        async with async_get_ports(self.hass).borrow(self._port, baudrate) as connection:
            yield connection

    async def _describe(self, found: Found) -> Bms:
        async with self._connect(found.baudrate) as connection:
            try:
                description = await Client(connection, found.address).describe()
                cells = description.cells
            except NoAnswerError:
                cells = ()
        return Bms(self._port, found.baudrate, found.address, found.model, cells)

    def _confirm_fields(self) -> dict[vol.Marker, Any]:
        fields: dict[vol.Marker, Any] = {}
        if len(self._found) > 1:
            options = [
                SelectOptionDict(value=str(bms.address), label=f"{bms.address}: {bms.model}")
                for bms in self._found
            ]
            fields[vol.Required(CONF_ADDRESS, default=options[0]["value"])] = SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
            )
        fields[vol.Required(CONF_ALLOW_CHANGES, default=False)] = BooleanSelector()
        return fields

    def _chosen(self, user_input: dict[str, Any]) -> Bms:
        wanted = user_input.get(CONF_ADDRESS, str(self._found[0].address))
        return next(bms for bms in self._found if str(bms.address) == wanted)

    def _create(self, bms: Bms, *, allow_changes: bool) -> ConfigFlowResult:
        titles = {entry.title for entry in self._async_current_entries()}
        return self.async_create_entry(
            title=f"{bms.model} ({bms.address})" if bms.model in titles else bms.model,
            data={
                CONF_PORT: bms.port,
                CONF_BAUDRATE: bms.baudrate,
                CONF_ADDRESS: bms.address,
            },
            options={
                CONF_SCAN_INTERVAL: DEFAULT_SCAN_INTERVAL,
                CONF_ALLOW_CHANGES: allow_changes,
            },
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


def _description(found: list[Bms]) -> dict[str, str]:
    """Return what a user recognises a BMS by; that of several is given in a row."""
    return {
        "model": ", ".join(bms.model for bms in found),
        "address": ", ".join(str(bms.address) for bms in found),
        "baudrate": str(found[0].baudrate),
        "units": ", ".join(str(len(bms.cells) or UNKNOWN) for bms in found),
        "cells": ", ".join(" + ".join(map(str, bms.cells)) or UNKNOWN for bms in found),
    }
