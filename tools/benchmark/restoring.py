"""How long a restore of all settings takes, each of them another one than the BMS has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.restoring import plan, restored
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, SETTABLE
from tools.testkit.simulated import running_simulator

_BAUDRATE = 56000
_KNOWN = {row.code: row.setting for row in SETTABLE}
_LOWER = 0.98
"""Share of what a setting is: lower limits all round stay coherent."""


@dataclass(frozen=True, slots=True)
class RestoreTime:
    """Seconds for so many settings, from the first that is read to the last that is verified."""

    settings: int
    seconds: float


async def measure(folder: Path) -> RestoreTime:
    """Restore all settings of a BMS at 56000 baud."""
    async with running_simulator(folder, "--baud", str(_BAUDRATE), "--cells", "14") as bms:
        connection = Connection(bms.port, _BAUDRATE)
        try:
            client = Client(connection, 1)
            wanted = restored(_others(await _read(client)), None)
            started = time.perf_counter()
            settings = await _restore(client, wanted)
            return RestoreTime(settings, time.perf_counter() - started)
        finally:
            await connection.close()


async def _read(client: Client) -> dict[str, float]:
    values: dict[str, float] = {}
    for row in SETTABLE:
        try:
            reading = (await client.request(row)).reading
        except NoResponseError:
            continue
        assert isinstance(reading, float | int)
        values[row.code] = reading
    return values


def _others(values: dict[str, float]) -> dict[str, float]:
    """Return another value for each setting, in four digits."""
    return {
        code: value % _KNOWN[code].maximum + 1
        if _KNOWN[code].whole_number
        else float(f"{value * _LOWER:.4g}")
        for code, value in values.items()
    }


async def _restore(client: Client, wanted: dict[str, float]) -> int:
    order = plan(wanted, await _read(client), _KNOWN)
    for code in order:
        await client.set(BY_CODE[code], wanted[code], hindrance=lambda: None)
    return len(order)
