"""The protocol package on real ports: a simulated BMS, or a far end that follows a script."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tools.simulator import SimulatorThread

sys.path.insert(0, str(Path(__file__).parents[2] / "protocol"))

from clients import ByCode, Connect, by_code, client, connect, connection, read
from peer import Peer

__all__ = ["ByCode", "Connect", "by_code", "client", "connect", "connection", "read"]

type Simulate = Callable[..., SimulatorThread]


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
async def peer() -> AsyncIterator[Peer]:
    """A far end that follows a script."""
    async with Peer() as one:
        yield one
