"""The integration in a real Home Assistant, on real ports and in real time.

Bytes go through serialx and the kernel to a simulator that lives in a thread of its own.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
from tools.simulator import SimulatorThread
from tools.testkit.virtual_time import SleepyLoop

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

type Simulate = Callable[..., SimulatorThread]

SPEED = 115200


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """Have loops that a test can make believe they were asleep, so that a poll is due."""
    return {"real time": SleepyLoop}


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    """Start simulators that are closed after the test; their batteries' clocks stand still."""
    with ExitStack() as stack:

        def start(**options: Any) -> SimulatorThread:
            given: dict[str, Any] = {"baud": SPEED, "turnaround": 0.001, **options}
            if "bms" not in given:
                given.setdefault("time_factor", 0)
            return stack.enter_context(SimulatorThread(**given))

        yield start
