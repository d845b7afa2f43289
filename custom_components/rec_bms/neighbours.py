"""Looks, while a BMS runs, for others on its pair of wires, and offers what it finds."""

from __future__ import annotations

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.const import CONF_ADDRESS, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN, LOGGER
from .coordinator import RecBmsConfigEntry
from .discovery import async_offer
from .flow_search import Bms, unique_id_of
from .ports import async_entries_on, async_get_ports
from .protocol.errors import PortError
from .protocol.rs485.connection import Connection
from .protocol.rs485.scan import ADDRESSES


@callback
def async_look_for_neighbours(
    hass: HomeAssistant, entry: RecBmsConfigEntry, connection: Connection
) -> None:
    """Look at one more address after each poll, when the next is a while away.

    All entries on a port go through its addresses together. Each way to a port that is opened anew
    is gone through once, since Home Assistant forgets over a restart what it offered.
    """
    coordinator = entry.runtime_data
    neighbours = async_get_ports(hass).neighbours(connection)
    port = entry.data[CONF_PORT]
    seen = coordinator.data.measured_at

    async def look() -> None:
        try:
            found = await neighbours.go_on(await _known(hass, port))
        except PortError as err:
            LOGGER.debug("Looking for other BMSs was interrupted: %s", err)
            return
        if found is not None:
            async_offer(hass, Bms.found_on(port, found))

    @callback
    def updated() -> None:
        nonlocal seen
        is_new = coordinator.last_update_success and coordinator.data.measured_at != seen
        seen = coordinator.data.measured_at
        if is_new and not neighbours.is_over:
            entry.async_create_background_task(hass, look(), f"{DOMAIN} look for neighbours")

    entry.async_on_unload(coordinator.async_add_listener(updated))


async def _known(hass: HomeAssistant, port: str) -> set[int]:
    """Return the addresses on a port that are set up, or that the owner ignores."""
    ignored = {
        entry.unique_id
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.source == SOURCE_IGNORE
    }
    addresses = {entry.data[CONF_ADDRESS] for entry in await async_entries_on(hass, port)}
    return addresses.union(
        address for address in ADDRESSES if unique_id_of(port, address) in ignored
    )
