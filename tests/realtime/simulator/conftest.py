"""The simulator on real ports, in a thread or a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.realtime.simulator.terminal import Start, Terminal
from tools.simulator import SimulatorThread


@pytest.fixture
def start() -> Iterator[Start]:
    """Start simulators that are closed after the test; time stands still unless asked for."""
    with ExitStack() as stack:

        def make(**options: Any) -> SimulatorThread:
            given = {"time_factor": 0, **options} if "bms" not in options else options
            return stack.enter_context(SimulatorThread(**given))

        yield make


@pytest.fixture
def sim(start: Start) -> SimulatorThread:
    return start()


@pytest.fixture
def client(sim: SimulatorThread) -> Iterator[Terminal]:
    with Terminal(sim.port) as terminal:
        yield terminal
