"""The search that the config flow makes on a port, and what it brings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.const import CONF_ADDRESS, CONF_PORT
from homeassistant.core import HomeAssistant

from .const import CONF_BAUDRATE
from .ports import async_get_ports
from .protocol.rs485.connection import Connection
from .protocol.rs485.scan import BAUDRATES, Found, Progress, search

_SPEED_SET_BY_FAR_END = ("socket://", "tcp://")


@dataclass(frozen=True, slots=True)
class Bms:
    """A BMS that a flow can set up: cells are counted for each of its units."""

    port: str
    baudrate: int
    address: int
    model: str
    cells: tuple[int, ...]

    @classmethod
    def found_on(cls, port: str, found: Found) -> Self:
        """Return what was found on a port."""
        return cls(port, found.baudrate, found.address, found.model, found.cells)

    @property
    def unique_id(self) -> str:
        """What tells this BMS from others."""
        return unique_id_of(self.port, self.address)

    @property
    def entry_data(self) -> dict[str, Any]:
        """What a config entry keeps."""
        return {
            CONF_PORT: self.port,
            CONF_BAUDRATE: self.baudrate,
            CONF_ADDRESS: self.address,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what a discovery flow needs to know."""
        return {**self.entry_data, "model": self.model, "cells": list(self.cells)}


class PortSearch:
    """Looks for BMSs on one port, at some speeds and addresses."""

    def __init__(
        self, hass: HomeAssistant, port: str, baudrates: Sequence[int], addresses: Sequence[int]
    ) -> None:
        """Take where to look, speeds in baud."""
        self._hass = hass
        self._port = port
        self._baudrates = baudrates
        self._addresses = addresses

    async def run(self, progress: Progress) -> Bms | None:
        """Return the first that answers, likeliest first. Raises PortError."""
        found = await search(self._connect, self._baudrates, self._addresses, progress)
        return None if found is None else Bms.found_on(self._port, found)

    @asynccontextmanager
    async def _connect(self, baudrate: int) -> AsyncIterator[Connection]:
        async with async_get_ports(self._hass).borrow(self._port, baudrate) as connection:
            yield connection


def unique_id_of(port: str, address: int) -> str:
    """Return what tells a BMS from others: one entry is one port and one address."""
    return f"{port}#{address}"


def speeds_to_try(port: str, wanted: int | None) -> tuple[int, ...]:
    """Return the speeds in baud at which a search makes sense, likeliest first."""
    if wanted is not None:
        return (wanted,)
    return BAUDRATES[:1] if port.startswith(_SPEED_SET_BY_FAR_END) else BAUDRATES
