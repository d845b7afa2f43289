"""What a push of a WiFi module takes until the last state that it changes is written."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from homeassistant.core import HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule
from tools.testkit.in_process import home_assistant, set_up

_NAME = "1A-2261"
_QUIET = 0.05
"""Seconds without a state written after which a push has been dealt with."""


@dataclass(frozen=True, slots=True)
class PushResult:
    """How long pushes took, in ms, and how many states the largest of them wrote."""

    units: int
    cells: int
    median_ms: float
    worst_ms: float
    states: int


async def measure(folder: Path, units: int, cells: int, pushes: int) -> PushResult:
    """Push so often to a Home Assistant in this process, over a real socket."""
    bms = BMS(1, preset="lifepo4", units=units, cells=cells, time_factor=500)
    async with WifiModule(bms, silent=True) as module, home_assistant(folder) as hass:
        entry = MockConfigEntry(
            domain=DOMAIN, title=_NAME, unique_id=_NAME, data={"host": module.host}
        )
        entry.add_to_hass(hass)
        pushing = asyncio.create_task(_push_until_set_up(module))
        await set_up(hass, entry)
        pushing.cancel()
        taken = [await _one(hass, module) for _ in range(pushes)]
    times = [seconds * 1000 for seconds, _ in taken]
    return PushResult(
        units, cells, statistics.median(times), max(times), max(states for _, states in taken)
    )


async def _push_until_set_up(module: WifiModule) -> None:
    while True:
        await module.push_status()
        await module.push_settings()
        await asyncio.sleep(_QUIET)


async def _one(hass: HomeAssistant, module: WifiModule) -> tuple[float, int]:
    """Push once; return the s until the last state was written, and how many were."""
    written: list[float] = []

    @callback
    def note(_: object) -> None:
        written.append(time.perf_counter())

    stop = hass.bus.async_listen("state_changed", note)
    message = module.status()
    began = time.perf_counter()
    await module.push(message)
    await asyncio.sleep(_QUIET)
    while written and time.perf_counter() - written[-1] < _QUIET:  # noqa: ASYNC110  (until cancelled)
        await asyncio.sleep(_QUIET)
    stop()
    return (written[-1] - began if written else 0.0), len(written)
