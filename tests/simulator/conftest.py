"""The simulator's own tests, on virtual time: no Home Assistant, no protocol package."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.terminal import Open, Start, Terminal
from tools.testkit.simulator_in_memory import SimulatorInMemory
from tools.testkit.virtual_time import VirtualTimeLoop, everything_virtual


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Run coroutines on a loop whose clock leaps over waiting."""
    with (
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        everything_virtual(runner.get_loop()),
    ):
        yield runner


@pytest.fixture
def start(runner: asyncio.Runner) -> Iterator[Start]:
    """Start simulators that are closed after the test; time stands still unless asked for."""
    started: list[SimulatorInMemory] = []

    async def make(options: dict[str, Any]) -> SimulatorInMemory:
        return SimulatorInMemory(**options)

    def start(**options: Any) -> SimulatorInMemory:
        given = {"time_factor": 0, **options} if "bms" not in options else options
        started.append(runner.run(make(given)))
        return started[-1]

    yield start
    for one in started:
        runner.run(one.close())


@pytest.fixture
def terminal(runner: asyncio.Runner) -> Open:
    """Open the port of a simulator."""

    def open_(sim: SimulatorInMemory, baud: int = 56000) -> Terminal:
        return Terminal(runner, sim.port, baud)

    return open_


@pytest.fixture
def sim(start: Start) -> SimulatorInMemory:
    return start()


@pytest.fixture
def client(sim: SimulatorInMemory, terminal: Open) -> Iterator[Terminal]:
    with terminal(sim) as client:
        yield client
