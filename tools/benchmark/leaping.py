"""Many polls in little time: states written, rows recorded, memory kept.

The soak's ports in memory and its loop, whose clock leaps over all waiting. Each measurement has a
process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

# Ahead of the test package, which has a custom_components of its own.
import custom_components.rec_bms.sensor as sensor_module  # isort: skip

import psutil
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, StateMachine, callback
from homeassistant.helpers import entity_registry as er

from tools.simulator import BMS, Line, Log
from tools.testkit.memory_port import Port, register
from tools.testkit.virtual_time import VirtualTimeLoop, everything_virtual

from .house import add_entry, home_assistant, set_up

SCAN_INTERVAL = 10
BAUDRATE = 115200
FEW = 100
"""Polls after which everything that fills up has filled up."""


@dataclass(frozen=True, slots=True)
class Writes:
    """What a battery makes Home Assistant write; before and after rounding to what it knows."""

    units: int
    cells: int
    scenario: str
    polls: int
    entities: int
    statistics: int
    """Entities of which the recorder keeps statistics as well: 13 rows an hour each."""
    per_poll: float
    rows_per_hour: float
    unrounded_rows_per_hour: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What the process holds after so many polls: bytes of RSS, and blocks of Python's objects."""

    polls: int
    rss: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Case:
    """A battery and what is asked of it."""

    units: int
    cells: int
    scenario: str


def measure(cases: Sequence[Case], polls: int, many: int) -> tuple[list[Writes], list[Memory]]:
    """Return what so many regular polls write, and what is held after 100 and many polls.

    No clock matters here: two processes run at a time.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        memory = pool.submit(_run, _memory, FEW, many)
        waiting = [
            (case, [pool.submit(_run, _writes, case, polls, rounded) for rounded in (True, False)])
            for case in cases
        ]
        writes = [_as_writes(case, *(each.result() for each in both)) for case, both in waiting]
        return writes, memory.result()


def _as_writes(case: Case, rounded: dict[str, Any], exact: dict[str, Any]) -> Writes:
    return Writes(
        case.units,
        case.cells,
        case.scenario,
        **rounded,
        unrounded_rows_per_hour=exact["rows_per_hour"],
    )


def _run(what: Any, *arguments: Any) -> Any:
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    with (
        TemporaryDirectory(prefix="rec_bms_benchmark_") as folder,
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        return runner.run(what(Path(folder), *arguments))


class _Battery:
    """A battery on a line in memory, and a Home Assistant that polls it."""

    def __init__(self, hass: HomeAssistant, case: Case) -> None:
        register()
        self._hass = hass
        self._port = Port("benchmark", 0.0)
        bms = BMS(units=case.units, cells=case.cells, scenario=case.scenario, noise=True)
        self.line = Line([bms], self._port.write, baud=BAUDRATE, log=Log(keep=100))
        self._port.line = self.line
        self.polls = 0

    async def set_up(self) -> None:
        """Set it up and begin to count polls."""
        self.entry = add_entry(self._hass, self._port.url, BAUDRATE, SCAN_INTERVAL)
        await set_up(self._hass, self.entry)
        self.entry.runtime_data.async_add_listener(self._polled)

    async def until(self, polls: int) -> None:
        """Return when so many polls were made."""
        while self.polls < polls:  # noqa: ASYNC110  (the clock leaps)
            await asyncio.sleep(SCAN_INTERVAL)

    async def close(self) -> None:
        """Unload it and stop the line."""
        await self._hass.config_entries.async_unload(self.entry.entry_id)
        await self.line.close()

    def entities(self) -> list[er.RegistryEntry]:
        """Return the entities that are enabled."""
        registry = er.async_get(self._hass)
        entries = er.async_entries_for_config_entry(registry, self.entry.entry_id)
        return [entry for entry in entries if entry.disabled_by is None]

    @callback
    def _polled(self) -> None:
        self.polls += 1
        assert self.entry.runtime_data.last_update_success


async def _writes(
    folder: Path,
    case: Case,
    polls: int,
    rounded: bool,
) -> dict[str, Any]:
    with everything_virtual(asyncio.get_running_loop()), _rounding(rounded):
        async with home_assistant(folder) as hass:
            battery = _Battery(hass, case)
            await battery.set_up()
            await battery.until(10)
            first, began = battery.polls, asyncio.get_running_loop().time()
            with _counting(hass) as counts:
                await battery.until(first + polls)
            hours = (asyncio.get_running_loop().time() - began) / 3600
            done = battery.polls - first
            entities = battery.entities()
            await battery.close()
    return {
        "polls": done,
        "entities": len(entities),
        "statistics": sum("state_class" in (entry.capabilities or {}) for entry in entities),
        "per_poll": counts.writes / done,
        "rows_per_hour": counts.rows / hours,
    }


@contextmanager
def _rounding(rounded: bool) -> Iterator[None]:
    """Have sensors show what they are told to the last digit, unless rounded."""
    if rounded:
        yield
        return
    with patch.object(sensor_module, "round", lambda value, _digits=None: value, create=True):
        yield


@contextmanager
def _counting(hass: HomeAssistant) -> Iterator[SimpleNamespace]:
    """Count states written, and those that changed: the recorder keeps a row for each."""
    counts = SimpleNamespace(writes=0, rows=0)
    write = StateMachine.async_set_internal

    @callback
    def counted(states: StateMachine, *arguments: Any) -> None:
        counts.writes += 1
        write(states, *arguments)

    @callback
    def changed(_event: Event[EventStateChangedData]) -> None:
        counts.rows += 1

    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, changed)
    with patch.object(StateMachine, "async_set_internal", counted):
        yield counts
    stop()


async def _memory(folder: Path, few: int, many: int) -> list[Memory]:
    with everything_virtual(asyncio.get_running_loop()):
        async with home_assistant(folder) as hass:
            battery = _Battery(hass, Case(1, 14, "day"))
            await battery.set_up()
            held = []
            for polls in (few, many):
                await battery.until(polls)
                held.append(_held(battery.polls))
            await battery.close()
    return held


def _held(polls: int) -> Memory:
    gc.collect()
    return Memory(polls, psutil.Process().memory_info().rss, sys.getallocatedblocks())
