"""What the tests do with a Home Assistant, a battery and the config entry between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms import async_remove_config_entry_device
from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.coordinator import RecBmsCoordinator
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, NEWER
from tools.simulator import BMS, SimulatorThread
from tools.testkit.simulator_in_memory import SimulatorInMemory

type Simulated = SimulatorInMemory | SimulatorThread
type Simulate = Callable[..., Simulated]

NEVER_BY_ITSELF = 300
"""Seconds between polls where a test wants to say itself when there is one."""


def entry_for(
    sim: Simulated,
    *,
    address: int = 1,
    baudrate: int | None = None,
    scan_interval: int = NEVER_BY_ITSELF,
    allow_changes: bool = True,
    title: str = "REC BMS 1Q VICTRON",
) -> MockConfigEntry:
    """Return a config entry as the config flow makes it."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"{sim.port}#{address}",
        data={"port": sim.port, "baudrate": baudrate or sim.line.baud, "address": address},
        options={"scan_interval": scan_interval, "allow_changes": allow_changes},
    )


async def passes(seconds: float) -> None:
    """Let time pass, in which everything happens that is due."""
    await asyncio.sleep(seconds)


async def until(condition: Callable[[], object], every: float = 0.001) -> None:
    """Wait for something that happens on the line, which is looked at every so many seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (what a BMS does sets no event)
            await asyncio.sleep(every)


@dataclass
class Rig:
    """A Home Assistant, a simulated battery, and the entry that connects them."""

    hass: HomeAssistant
    sim: Simulated
    entry: MockConfigEntry

    @property
    def bms(self) -> BMS:
        """The simulated BMS that the entry stands for."""
        return self.sim.bms[self.entry.data["address"]]

    @property
    def coordinator(self) -> RecBmsCoordinator:
        """The coordinator of the entry."""
        coordinator: RecBmsCoordinator = self.entry.runtime_data
        return coordinator

    async def set_up(self) -> None:
        """Set the entry up, which must succeed."""
        await self.try_to_set_up()
        assert self.entry.state is ConfigEntryState.LOADED, self.entry.reason

    async def try_to_set_up(self) -> None:
        """Set the entry up, which may fail."""
        if self.hass.config_entries.async_get_entry(self.entry.entry_id) is None:
            self.entry.add_to_hass(self.hass)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def unload(self) -> None:
        """Unload the entry, which must succeed."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def reload(self) -> None:
        """Reload the entry, which must succeed."""
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.hass.async_block_till_done()
        assert self.entry.state is ConfigEntryState.LOADED, self.entry.reason

    async def poll(self, after: float = NEVER_BY_ITSELF) -> None:
        """Have the BMS polled once, so many seconds later."""
        await self.asleep(after)
        await self.coordinator.async_refresh()
        await self.hass.async_block_till_done()

    async def asleep(self, seconds: float) -> None:
        """Have been asleep for so long, but not in the midst of a look at a neighbour."""
        began = self.hass.loop.time()
        await self.hass.async_block_till_done(wait_background_tasks=True)
        self.hass.loop.leap(max(0, began + seconds - self.hass.loop.time()))

    async def probe(self, after: float = NEVER_BY_ITSELF) -> None:
        """Have the BMS polled until it was asked for all that newer units know."""
        for _ in NEWER:
            await self.poll(after)

    def registered(self, key: str) -> er.RegistryEntry:
        """Return the registry's entry of an entity."""
        unique_id = f"{self.entry.entry_id}_{key}"
        (found,) = (each for each in self.registered_entities() if each.unique_id == unique_id)
        return found

    def registered_entities(self) -> list[er.RegistryEntry]:
        """Return the registry's entries of all entities."""
        return er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)

    def entity_id(self, key: str) -> str:
        """Return the id of an entity."""
        return self.registered(key).entity_id

    def state(self, key: str) -> State:
        """Return what an entity shows."""
        state = self.hass.states.get(self.entity_id(key))
        assert state is not None, f"{key} has no state"
        return state

    def shown(self, key: str) -> str:
        """Return the state that an entity shows."""
        return self.state(key).state

    def number(self, key: str) -> float:
        """Return the state that an entity shows, as a number."""
        return float(self.shown(key))

    async def set_number(self, key: str, value: object, context: Context | None = None) -> None:
        """Call number.set_value."""
        await self._call("number", "set_value", key, {"value": value}, context)

    async def select(self, key: str, option: str, context: Context | None = None) -> None:
        """Call select.select_option."""
        await self._call("select", "select_option", key, {"option": option}, context)

    async def _call(
        self, domain: str, action: str, key: str, data: dict[str, Any], context: Context | None
    ) -> None:
        await self.hass.services.async_call(
            domain,
            action,
            {"entity_id": self.entity_id(key), **data},
            blocking=True,
            context=context,
        )

    async def act(self, action: str, *, response: bool = True, **data: Any) -> Any:
        """Call an action of the integration on this BMS and return its response."""
        if action != "list_instructions":
            data = {"config_entry_id": self.entry.entry_id, **data}
        return await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=response
        )

    async def may_be_deleted(self, unit: int) -> bool:
        """Tell whether the integration lets the owner delete a unit's device."""
        return await async_remove_config_entry_device(self.hass, self.entry, self.device(unit))

    def devices(self) -> list[dr.DeviceEntry]:
        """Return the devices of the entry."""
        return dr.async_entries_for_config_entry(dr.async_get(self.hass), self.entry.entry_id)

    def device(self, unit: int = 1) -> dr.DeviceEntry:
        """Return the device of a unit."""
        entry_id = self.entry.entry_id
        identifiers = {(DOMAIN, entry_id if unit == 1 else f"{entry_id}_{unit}")}
        (found,) = (each for each in self.devices() if each.identifiers == identifiers)
        return found

    def asked(self) -> list[str]:
        """Return what of the 1Q's the BMS was asked since the log was cleared, in order."""
        return [code for code in self.asked_at_all() if not BY_CODE[code].newer]

    def asked_at_all(self) -> list[str]:
        """Return what the BMS was asked since the log was cleared, in order, probes as well."""
        requests = self.sim.log.requests(address=self.entry.data["address"])
        return [entry.instruction for entry in requests if not entry.is_set]
