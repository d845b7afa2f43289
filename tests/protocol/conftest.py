"""The protocol package on virtual time: a simulated BMS, or a far end that follows a script."""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.state import Reading
from tools.testkit import memory_port
from tools.testkit.simulator_in_memory import SimulatorInMemory
from tools.testkit.virtual_time import VirtualTimeLoop, everything_virtual

sys.path.insert(0, str(Path(__file__).parent))

from peer import Peer, PeerInMemory

type Simulate = Callable[..., SimulatorInMemory]
type Connect = Callable[..., Connection]

UP_SINCE = 100_000.0
"""Seconds that the machine has been running when a test begins."""

memory_port.register()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Have tests and fixtures run on virtual time."""
    return {"virtual time": partial(VirtualTimeLoop, UP_SINCE)}


@pytest.fixture(autouse=True)
async def virtual_time() -> AsyncIterator[None]:
    """Have everything go by the loop's clock."""
    with everything_virtual(asyncio.get_running_loop()):
        yield


@pytest.fixture
async def simulate(virtual_time: None) -> AsyncIterator[Simulate]:
    """Start simulators that end with the test; their batteries' time stands still."""
    loop = asyncio.get_running_loop()
    started: list[SimulatorInMemory] = []

    async def make(options: dict[str, Any]) -> SimulatorInMemory:
        return SimulatorInMemory(**options)

    def start(**options: Any) -> SimulatorInMemory:
        given = options if "bms" in options else {"time_factor": 0, **options}
        # A fixture that is no coroutine runs while the loop does not.
        one = (
            SimulatorInMemory(**given)
            if loop.is_running()
            else loop.run_until_complete(make(given))
        )
        started.append(one)
        return one

    yield start
    for one in started:
        await one.close()


@pytest.fixture
def sim(simulate: Simulate) -> SimulatorInMemory:
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
async def connection(sim: SimulatorInMemory, connect: Connect) -> Connection:
    """A connection to `sim`."""
    return connect(sim.port)


@pytest.fixture
async def client(connection: Connection) -> Client:
    """A client of the BMS of `sim`."""
    return Client(connection, 1)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A far end that follows a script."""
    async with PeerInMemory() as one:
        yield one


class Asker(Client):
    """A client that is asked by code."""

    async def ask(self, code: str, **options: int) -> Reading:
        return await self.read(BY_CODE[code], **options)


@pytest.fixture
async def asker(peer: Peer, connect: Connect) -> Asker:
    """A client of `peer`."""
    return Asker(connect(peer.port), 1)
