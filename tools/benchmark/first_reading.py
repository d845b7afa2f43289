"""From the dialog's first step, or from the port, to a BMS and its reading, in a real `hass`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.testkit.api import Api
from tools.testkit.flow import FLOWS, add_integration, answer, begin, scanned
from tools.testkit.home_assistant import running_home_assistant
from tools.testkit.ports import reserved_port
from tools.testkit.process import ToolError
from tools.testkit.simulated import running_simulator

_ENTRY = "/api/config/config_entries/entry/"


@dataclass(frozen=True, slots=True)
class FirstReading:
    """Seconds from the first step: until the dialog says what was found, and until a reading."""

    found: float
    reading: float


async def measure(folder: Path, repeats: int) -> list[FirstReading]:
    """Return the results of adding, and removing, a BMS at factory speed and address."""
    with reserved_port() as port:
        async with (
            running_simulator(folder, "--scenario", "day") as bms,
            running_home_assistant(folder / "config", port) as home_assistant,
        ):
            return [await _once(home_assistant.client, bms.port) for _ in range(repeats)]


async def _once(client: Api, port: str) -> FirstReading:
    started = time.perf_counter()
    added = await add_integration(client, port, allow_changes=False)
    found = time.perf_counter() - started
    while True:
        if await _has_reading(client, added.entry_id):
            break
        await asyncio.sleep(0.02)
    reading = time.perf_counter() - started
    await client.delete(_ENTRY + added.entry_id)
    return FirstReading(found, reading)


@dataclass(frozen=True, slots=True)
class PortToFound:
    """Seconds from the port until the dialog says what was found."""

    baudrate: int
    seconds: float


async def search(folder: Path, baudrates: Iterable[int], repeats: int) -> list[PortToFound]:
    """Return the results of looking for BMSs at the factory's address, at speeds in baud."""
    results = []
    with reserved_port() as port:
        async with running_home_assistant(folder / "searching", port) as home_assistant:
            for baudrate in baudrates:
                async with running_simulator(folder, "--baud", str(baudrate)) as bms:
                    for _ in range(repeats):
                        seconds = await _found(home_assistant.client, bms.port)
                        results.append(PortToFound(baudrate, seconds))
    return results


async def _found(client: Api, port: str) -> float:
    step = await begin(client)
    started = time.perf_counter()
    step = await answer(client, step, {"port": port, "more_options": {"baudrate": "automatic"}})
    step = await scanned(client, step)
    took = time.perf_counter() - started
    if step.get("step_id") != "confirm":
        raise ToolError("no BMS was found")
    await client.delete(f"{FLOWS}/{step['flow_id']}")
    return took


async def _has_reading(client: Api, entry_id: str) -> bool:
    async with client.websocket() as socket:
        registry = await socket.command("config/entity_registry/list")
        states = await socket.command("get_states")
    voltages = {
        row["entity_id"]
        for row in registry
        if row["config_entry_id"] == entry_id and row["unique_id"].endswith("_voltage_1_1")
    }
    return any(
        state["entity_id"] in voltages and state["state"] not in ("unknown", "unavailable")
        for state in states
    )
