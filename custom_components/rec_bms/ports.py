"""Connections shared by all that use one port: entries, and flows that look for a BMS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PORT, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers.singleton import singleton

from .const import DOMAIN
from .protocol.errors import PortError, without_query
from .protocol.rs485.connection import Connection
from .protocol.rs485.scan import Neighbours


class BaudRateConflictError(Exception):
    """The port is running at another speed, `running` baud, for an entry that needs it."""

    def __init__(self, port: str, running: int) -> None:
        """Name the port and its speed in baud."""
        self.port = without_query(port)
        super().__init__(f"{self.port} is running at {running} baud")
        self.running = running


@dataclass(slots=True)
class _Shared:
    connection: Connection
    neighbours: Neighbours
    entries: int = 0
    flows: int = 0


class Ports:
    """The connections that are in use, one for each port."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._shared: list[_Shared] = []
        self._lock = asyncio.Lock()
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._close_all)

    async def acquire(self, port: str, baudrate: int) -> Connection:
        """Return the port's connection for an entry, which must release it.

        Raises BaudRateConflictError where another entry runs the port at another speed, PortError
        where a search does.
        """
        async with self._lock:
            shared = await self._find_or_add(port, baudrate)
            if shared.connection.baudrate != baudrate:
                if not shared.entries:
                    raise PortError(port, "in use by a search")
                raise BaudRateConflictError(port, shared.connection.baudrate)
            shared.entries += 1
            return shared.connection

    async def release(self, connection: Connection) -> None:
        """Give an entry's connection back; its last user closes it."""
        await self._leave(connection, entries=1)

    @asynccontextmanager
    async def borrow(self, port: str, baudrate: int) -> AsyncIterator[Connection]:
        """Lend the port's connection to a flow, at the running speed where there is one."""
        async with self._lock:
            shared = await self._find_or_add(port, baudrate)
            shared.flows += 1
        try:
            yield shared.connection
        finally:
            await self._leave(shared.connection, flows=1)

    def neighbours(self, connection: Connection) -> Neighbours:
        """Return what looks for further BMSs on a connection that is in use."""
        return self._of(connection).neighbours

    async def _find_or_add(self, port: str, baudrate: int) -> _Shared:
        if (shared := await self._find(port)) is None:
            if self._hass.is_stopping:
                raise PortError(port, "Home Assistant is stopping")
            connection = Connection(port, baudrate)
            shared = _Shared(connection, Neighbours(connection))
            self._shared.append(shared)
        return shared

    async def _find(self, port: str) -> _Shared | None:
        """Compare real paths as they are now: an adapter may have come back under another name."""
        ports = [port, *(shared.connection.port for shared in self._shared)]
        real = await async_real_ports(self._hass, ports)
        return next(
            (shared for shared in self._shared if real[shared.connection.port] == real[port]), None
        )

    async def _close_all(self, _: Event) -> None:
        """Let nobody wait for a BMS any longer; what a set has begun is seen through first."""
        await asyncio.gather(*(shared.connection.close() for shared in self._shared))

    def _of(self, connection: Connection) -> _Shared:
        return next(each for each in self._shared if each.connection is connection)

    async def _leave(self, connection: Connection, *, entries: int = 0, flows: int = 0) -> None:
        async with self._lock:
            shared = self._of(connection)
            shared.entries -= entries
            shared.flows -= flows
            if not shared.entries and not shared.flows:
                self._shared.remove(shared)
                await connection.close()


@singleton(f"{DOMAIN}_ports")
def async_get_ports(hass: HomeAssistant) -> Ports:
    """Return the connections that are in use."""
    return Ports(hass)


def is_url(port: str) -> bool:
    """Tell whether a port is reached by a URL rather than by a path on this machine."""
    return "://" in port


async def async_stable_port(hass: HomeAssistant, port: str) -> str:
    """Return a port by the name that it keeps when adapters are plugged in another order."""
    port = port.strip()
    if is_url(port):
        return port
    return await hass.async_add_executor_job(_stable_path, port)


async def async_real_ports(hass: HomeAssistant, ports: Iterable[str]) -> dict[str, str]:
    """Return for each port what tells it from others whatever name it was given by."""
    return await hass.async_add_executor_job(_real_ports, set(ports))


async def async_entries_on(hass: HomeAssistant, port: str) -> list[ConfigEntry]:
    """Return the entries on a port, disabled ones included, by whatever name they know it."""
    real = await async_real_ports(hass, [port, *(each.data[CONF_PORT] for each in _entries(hass))])
    return [entry for entry in _entries(hass) if real.get(entry.data[CONF_PORT]) == real[port]]


def _entries(hass: HomeAssistant) -> list[ConfigEntry]:
    """Return the entries that have a port; a WiFi module has none."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return [entry for entry in entries if CONF_PORT in entry.data]


def _stable_path(port: str) -> str:
    """Find the adapter's stable name whatever other name it was given by."""
    device = str(Path(port).resolve())
    by_id = usb.get_serial_by_id(device)
    return port if by_id == device else by_id


def _real_ports(ports: set[str]) -> dict[str, str]:
    return {port: port if is_url(port) else str(Path(port).resolve()) for port in ports}
