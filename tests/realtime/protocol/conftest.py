"""The protocol package on real ports: a simulated BMS, or a far end that follows a script."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction
from custom_components.rec_bms.protocol.rs485.readings import Reading
from tools.simulator import SimulatorThread

sys.path.insert(0, str(Path(__file__).parents[2] / "protocol"))

from peer import Peer

type Simulate = Callable[..., SimulatorThread]
type Connect = Callable[..., Connection]


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    """Start simulators that end with the test; their batteries' time stands still."""
    with ExitStack() as stack:

        def start(**options: Any) -> SimulatorThread:
            given = options if "bms" in options else {"time_factor": 0, **options}
            return stack.enter_context(SimulatorThread(**given))

        yield start


@pytest.fixture
def sim(simulate: Simulate) -> SimulatorThread:
    """One BMS at address 1, at factory speed."""
    return simulate()


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
async def connection(sim: SimulatorThread, connect: Connect) -> Connection:
    """A connection to `sim`."""
    return connect(sim.port)


@pytest.fixture
async def client(connection: Connection) -> Client:
    """A client of the BMS of `sim`."""
    return Client(connection, 1)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A far end that follows a script."""
    async with Peer() as one:
        yield one


async def read(client: Client, instruction: Instruction, **options: int) -> Reading:
    """Return what a BMS responds to an instruction."""
    return (await client.request(instruction, **options)).reading


class ByCode(Client):
    """A client that reads by code."""

    async def read(self, code: str, **options: int) -> Reading:
        return await read(self, BY_CODE[code], **options)


@pytest.fixture
async def by_code(peer: Peer, connect: Connect) -> ByCode:
    """A client of `peer`."""
    return ByCode(connect(peer.port), 1)
