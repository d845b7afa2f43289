"""How long a setting takes, from the call to the verified result."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.schedule import in_order
from tools.testkit.simulated import running_simulator

_BAUDRATE = 56000
_UNITS = _CELLS = 15
_VALUES = (3.50, 3.55)
_INSTRUCTION = BY_CODE["BVOL"]
_POLLED = ("LCD1", "LCD3", "CELL", "RINT", "PTEM", "ERRO")


@dataclass(frozen=True, slots=True)
class SettingTimes:
    """The longest of all sets in s: on a line at rest, and in the middle of a poll of 225 cells."""

    sets: int
    idle: float
    polling: float


async def measure(folder: Path, sets: int) -> SettingTimes:
    """Set the balancing end voltage to and fro at 56000 baud."""
    battery = ("--units", str(_UNITS), "--cells", str(_CELLS), "--chemistry", "lifepo4")
    async with running_simulator(folder, "--baud", str(_BAUDRATE), *battery) as bms:
        connection = Connection(bms.port, _BAUDRATE)
        try:
            client = Client(connection, 1)
            idle = await _longest(client, sets)
            polling = asyncio.create_task(_poll_for_ever(client))
            busy = await _longest(client, sets)
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling
        finally:
            await connection.close()
    return SettingTimes(sets, idle, busy)


async def _longest(client: Client, sets: int) -> float:
    longest = 0.0
    for turn in range(sets):
        # Sets come at all moments of a poll.
        await asyncio.sleep(0.05 + 0.037 * (turn % 10))
        started = time.perf_counter()
        await client.set(_INSTRUCTION, _VALUES[turn % 2], hindrance=lambda: None)
        longest = max(longest, time.perf_counter() - started)
    return longest


async def _poll_for_ever(client: Client) -> None:
    while True:
        for instruction in in_order(_POLLED):
            await client.request(instruction)
