"""The integration in a real Home Assistant, on a simulated BMS behind a port in memory.

Everything lives in one event loop, on virtual time: while nothing happens, its clock leaps to what
comes next, and the time of day goes along.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest

from tests.virtual.fixtures import (
    _integration,
    _no_swallowed_exception,
    _quiet_lines,
    all_enabled,
    battery,
    complete,
    rig,
    running,
    short_silence,
)
from tests.wall_clock import TIME_OF_DAY, LoopsWallClock, at
from tools.testkit import memory_port
from tools.testkit.simulator_in_memory import SimulatorInMemory
from tools.testkit.virtual_time import VirtualTimeLoop, everything_virtual

__all__ = [
    "_integration",
    "_no_swallowed_exception",
    "_quiet_lines",
    "all_enabled",
    "battery",
    "complete",
    "rig",
    "running",
    "short_silence",
]
"""The fixtures of others."""

type Simulate = Callable[..., SimulatorInMemory]

SPEED = 115200
DAY = date(2026, 11, 18)
"""The day of all tests on virtual time."""
UP_SINCE = 100_000.0
"""Seconds that the machine has been running when a test begins."""

memory_port.register()

# A Home Assistant is made of so many objects that to look through them as often as usual takes a
# tenth of all time.
gc.set_threshold(50_000, 50, 50)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Have tests and fixtures run on virtual time."""
    return {"virtual time": partial(VirtualTimeLoop, UP_SINCE)}


@pytest.fixture(scope="session", autouse=True)
def wall_clock() -> Iterator[LoopsWallClock]:
    """Have the time of day go by the clock of the loop in which a test runs."""
    with LoopsWallClock(at(DAY, os.environ.get(TIME_OF_DAY, "10:00:00"))).shown() as clock:
        yield clock


@pytest.fixture(autouse=True)
async def virtual_time(wall_clock: LoopsWallClock) -> AsyncIterator[None]:
    """Have everything go by the loop's clock."""
    loop = asyncio.get_running_loop()
    wall_clock.follow(loop)
    with everything_virtual(loop, time.time), memory_port.devices_in_memory():
        yield


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Leave out asyncio's debug mode, which notes a stack with all that is to be called.

    That takes longer than all else; tests/realtime has it.
    """


@pytest.fixture
async def simulate(virtual_time: None) -> AsyncIterator[Simulate]:
    """Start simulators that end with the test; their batteries' clocks stand still."""
    loop = asyncio.get_running_loop()
    started: list[SimulatorInMemory] = []

    async def make(options: dict[str, Any]) -> SimulatorInMemory:
        return SimulatorInMemory(**options)

    def start(**options: Any) -> SimulatorInMemory:
        given: dict[str, Any] = {"baud": SPEED, "turnaround": 0.001, **options}
        if "bms" not in given:
            given.setdefault("time_factor", 0)
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
