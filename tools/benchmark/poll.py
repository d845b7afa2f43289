"""Poll time over wire time: the integration's own polling order, on a simulator's line."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction
from custom_components.rec_bms.protocol.rs485.schedule import Schedule
from custom_components.rec_bms.protocol.rs485.trace import Direction
from tools.testkit.simulated import running_simulator

BITS_PER_BYTE = 10
SCAN_INTERVAL = 10.0

_EVERY_POLL = {"LCD1", "LCD3", "CELL", "ERRO"}
_SETTINGS = {row.code for row in BY_CODE.values() if row.settable}


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll: seconds that it took, and that its bytes and the BMS's turnarounds take."""

    took: float
    wire: float
    requests: int

    @property
    def ratio(self) -> float:
        """How much longer it took than the wire."""
        return self.took / self.wire


@dataclass(frozen=True, slots=True)
class PollResult:
    """What all polls of one kind came to."""

    baudrate: int
    units: int
    cells: int
    what: str
    polls: int
    requests: int
    took: float
    wire: float
    ratio: float
    worst_ratio: float
    retries: int
    fences: int


async def measure(
    folder: Path, baudrate: int, units: int, cells: int, polls: int
) -> list[PollResult]:
    """Return the results of first polls, which ask everything, and of regular ones."""
    battery = ["--units", str(units), "--cells", str(cells), "--scenario", "day"]
    async with running_simulator(folder, "--baud", str(baudrate), *battery) as bms:
        turnaround = (await bms.command("info"))["turnaround"]
        first: list[Poll] = []
        regular: list[Poll] = []
        connection = Connection(bms.port, baudrate)
        try:
            client = Client(connection, 1)
            for _ in range(max(2, polls // 10)):
                schedule = Schedule(SCAN_INTERVAL)
                everything = schedule.due(set(), 0, everything=True)
                first.append(await _poll(client, schedule, everything, 0, turnaround))
                for turn in range(1, 11):
                    now = turn * SCAN_INTERVAL
                    due = schedule.due(_EVERY_POLL | _SETTINGS, now, everything=False)
                    regular.append(await _poll(client, schedule, due, now, turnaround))
            counters = connection.counters
        finally:
            await connection.close()
    return [
        PollResult(
            baudrate=baudrate,
            units=units,
            cells=cells,
            what=what,
            polls=len(done),
            requests=done[0].requests,
            took=statistics.median(poll.took for poll in done),
            wire=statistics.median(poll.wire for poll in done),
            ratio=statistics.median(poll.ratio for poll in done),
            worst_ratio=max(poll.ratio for poll in done),
            retries=counters.retries,
            fences=counters.fences,
        )
        for what, done in (("regular", regular), ("first", first))
    ]


async def _poll(
    client: Client,
    schedule: Schedule,
    due: Sequence[Instruction],
    now: float,
    turnaround: float,
) -> Poll:
    since = datetime.now(UTC)
    # A poll comes to a line at rest.
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    for instruction in due:
        await client.request(instruction)
        schedule.answered(instruction.code, now)
    took = time.perf_counter() - started
    wire, requests = on_the_wire(client.connection, since, turnaround)
    return Poll(took, wire, requests)


def on_the_wire(connection: Connection, since: datetime, turnaround: float) -> tuple[float, int]:
    """Return the s that the wire needs for what went over it since then, and the requests."""
    trace = [entry for entry in connection.trace if entry.time >= since]
    requests = sum(entry.direction is Direction.SENT for entry in trace)
    size = sum(len(entry.data) for entry in trace)
    return size * BITS_PER_BYTE / connection.baudrate + requests * turnaround, requests
