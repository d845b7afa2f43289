"""Connections and clients that end with the test, whatever the port is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction
from custom_components.rec_bms.protocol.rs485.readings import Reading

type Connect = Callable[..., Connection]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make connections that are closed after the test."""
    made: list[Connection] = []

    def make(port: str, baudrate: int = 56000) -> Connection:
        made.append(Connection(port, baudrate))
        return made[-1]

    yield make
    await asyncio.gather(*(each.close() for each in made))


@pytest.fixture
async def connection(sim: Any, connect: Connect) -> Connection:
    """A connection to `sim`."""
    return connect(sim.port)


@pytest.fixture
async def client(connection: Connection) -> Client:
    """A client of the BMS of `sim`."""
    return Client(connection, 1)


async def read(client: Client, instruction: Instruction, **options: int) -> Reading:
    """Return what a BMS responds to an instruction."""
    return (await client.request(instruction, **options)).reading


class ByCode(Client):
    """A client that reads by code."""

    async def read(self, code: str, **options: int) -> Reading:
        return await read(self, BY_CODE[code], **options)


@pytest.fixture
async def by_code(peer: Any, connect: Connect) -> ByCode:
    """A client of `peer`."""
    return ByCode(connect(peer.port), 1)
