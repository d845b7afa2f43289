"""Takes the line away and gives it back, again and again, and counts what is left behind.

In real time: a real Home Assistant in this process, a simulated BMS, and real ports. An adapter (a
pseudo-terminal) is unplugged and comes back, every other time under another name; a serial server
on the network closes all connections, refuses new ones, and takes them again.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.ports import async_get_ports
from tools.simulator import SimulatorThread
from tools.testkit.held import held
from tools.testkit.in_process import add_entry, home_assistant, set_up

_BMS: dict[str, Any] = {"baud": 115200, "turnaround": 0.001, "time_factor": 0, "cells": 4}
_NEVER_BY_ITSELF = 300
_WARM_UP = 3


def _held(hass: HomeAssistant) -> Counter[str]:
    return held() + Counter(ports=len(async_get_ports(hass)._shared))


class _Cycle:
    def __init__(self, hass: HomeAssistant, sim: SimulatorThread, entry: MockConfigEntry) -> None:
        self._hass = hass
        self._sim = sim
        self._entry = entry
        self._is_adapter = "://" not in sim.port

    async def run(self, number: int) -> bool:
        """Take the line away and give it back; tell whether both were noticed."""
        await self._hass.async_add_executor_job(self._sim.unplug)
        await self._poll()
        gone = self._shown() == "unavailable"
        options: dict[str, Any] = {"other_device": True} if self._is_adapter and number % 2 else {}
        await self._hass.async_add_executor_job(partial(self._sim.replug, **options))
        await self._poll()
        return gone and float(self._shown()) > 0

    async def _poll(self) -> None:
        await self._entry.runtime_data.async_refresh()
        await self._hass.async_block_till_done()

    def _shown(self) -> str:
        states = self._hass.states.async_all("sensor")
        return next(state.state for state in states if state.entity_id.endswith("_voltage"))


def _adapter(folder: str) -> SimulatorThread:
    link = Path(folder) / "by-id" / "usb-FTDI_FT232R-if00-port0"
    return SimulatorThread(link=link, **_BMS)


def _server(_: str) -> SimulatorThread:
    return SimulatorThread(transport="tcp", **_BMS)


LINES: dict[str, Callable[[str], SimulatorThread]] = {
    "an adapter": _adapter,
    "a serial server": _server,
}


async def unplug(line: str, folder: str, times: int) -> int:
    """Run so many cycles in a Home Assistant in `folder`; return 1 where something is wrong."""
    with LINES[line](folder) as sim:
        async with home_assistant(Path(folder)) as hass:
            entry = add_entry(hass, sim.port, 115200, _NEVER_BY_ITSELF)
            await set_up(hass, entry)
            cycle = _Cycle(hass, sim, entry)
            for number in range(_WARM_UP):
                await cycle.run(number)
            before = _held(hass)
            recovered = 0
            for number in range(times):
                recovered += await cycle.run(number)
            after = _held(hass)
            await hass.config_entries.async_unload(entry.entry_id)
            still_open = len(async_get_ports(hass)._shared)
    leaked = (after - before).total() + still_open
    print(f"{line}, unplug and return {times} times: recovered {recovered}, leaked {leaked}")
    if leaked:
        print(f"  before: {dict(before)}\n  after:  {dict(after)}")
        print(f"  ports open after unloading: {still_open}")
    return 0 if recovered == times and not leaked else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 where something did not come back or was left behind."""
    parser = ArgumentParser(prog="python -m tools.soak.unplug", description=__doc__)
    parser.add_argument("times", type=int, nargs="?", default=200)
    times = parser.parse_args(arguments).times
    logging.basicConfig(level=logging.CRITICAL)
    wrong = 0
    for line in LINES:
        with tempfile.TemporaryDirectory(prefix="unplug-") as folder:
            wrong += asyncio.run(unplug(line, folder, times))
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
