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

from tools.testkit import memory_port
from tools.testkit.simulator_in_memory import SimulatorInMemory
from tools.testkit.virtual_time import VirtualTimeLoop, everything_virtual

sys.path.insert(0, str(Path(__file__).parent))

from clients import ByCode, Connect, by_code, client, connect, connection, read
from peer import Peer, PeerInMemory

__all__ = ["ByCode", "Connect", "by_code", "client", "connect", "connection", "read"]

type Simulate = Callable[..., SimulatorInMemory]

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
async def peer() -> AsyncIterator[Peer]:
    """A far end that follows a script."""
    async with PeerInMemory() as one:
        yield one
