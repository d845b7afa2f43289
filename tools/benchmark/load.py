"""What a poll costs Home Assistant: processor time, and how long the event loop stands still.

Home Assistant runs in this process with real serial code; the simulator runs in another one, so
that its work is not counted.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from unittest.mock import patch

from homeassistant.helpers.entity import Entity

from custom_components.rec_bms.coordinator import RecBmsCoordinator
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Group
from tools.testkit.simulated import running_simulator

from .in_process import add_entry, home_assistant, set_up
from .poll import on_the_wire

BAUDRATE = 56000
SCAN_INTERVAL = 10
_NEVER_BY_ITSELF = 300
_POLL = "the poll"
_WARM_UP = 10
_BATTERY_SECONDS_PER_SECOND = 50
"""Readings move from poll to poll about as they do in a scan interval."""
_EVERY = {Group.TEMPERATURES: 3, Group.SLOW: 30}
"""In how many polls these are asked once, at a scan interval of 10 s."""


@dataclass(slots=True)
class Longest:
    """The longest block of the loop in s: by the clock, by processor time, and by what.

    Of the longest by the clock, `writing` went into writing states, which is Home Assistant's own
    work and what it asks the entities for meanwhile. Python's search for garbage, which comes now
    and then whoever's turn it is, is not in it; it took `collecting` on top.
    """

    took: float = 0.0
    cpu: float = 0.0
    writing: float = 0.0
    collecting: float = 0.0
    what: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds for each poll, and the longest blocks of the event loop."""

    units: int
    cells: int
    polls: int
    cpu: float
    took: float
    wire: float
    polling: Longest
    setting_up: Longest


async def measure(folder: Path, units: int, cells: int, polls: int) -> Load:
    """Return what regular polls of a working battery cost."""
    battery = ["--units", str(units), "--cells", str(cells), "--scenario", "day"]
    speed = ["--baud", str(BAUDRATE), "--speed-up", str(_BATTERY_SECONDS_PER_SECOND)]
    async with running_simulator(folder, *battery, *speed) as bms:
        turnaround = (await bms.command("info"))["turnaround"]
        async with home_assistant(folder) as hass:
            entry = add_entry(hass, bms.port, BAUDRATE, _NEVER_BY_ITSELF)
            with _watching() as setting_up:
                await set_up(hass, entry)
            coordinator = cast("RecBmsCoordinator", entry.runtime_data)
            await _poll(coordinator, _WARM_UP, turnaround)
            # Watching costs time itself: what is timed is not watched.
            cpu, took, wire = await _poll(coordinator, polls, turnaround)
            with _watching() as polling:
                await _poll(coordinator, polls, turnaround)
            await hass.config_entries.async_unload(entry.entry_id)
    return Load(units, cells, polls, cpu, took, wire, polling, setting_up)


async def _poll(
    coordinator: RecBmsCoordinator, polls: int, turnaround: float
) -> tuple[float, float, float]:
    """Return the mean processor time, time and wire time of so many polls, in s."""
    connection = coordinator.client.connection
    cpu = took = wire = 0.0
    for turn in range(polls):
        _let_time_pass(coordinator, turn)
        since = datetime.now(UTC)
        cpu_began, began = time.process_time(), time.perf_counter()
        # A task of its own: what is done here is no part of its steps.
        await coordinator.hass.async_create_task(coordinator.async_refresh(), _POLL)
        cpu += time.process_time() - cpu_began
        took += time.perf_counter() - began
        assert coordinator.last_update_success
        wire += on_the_wire(connection, since, turnaround)[0]
    return cpu / polls, took / polls, wire / polls


def _let_time_pass(coordinator: RecBmsCoordinator, turn: int) -> None:
    """Have due what would be due had a scan interval passed since the last poll."""
    read_at = coordinator.schedule._read_at
    for code, row in BY_CODE.items():
        if row.group is Group.MAIN or (row.group in _EVERY and turn % _EVERY[row.group] == 0):
            if code in read_at:
                read_at[code] -= _NEVER_BY_ITSELF
        elif row.group in _EVERY and code in read_at:
            read_at[code] = asyncio.get_running_loop().time()


class _Stopwatch:
    """What happened within the present callback or step of a task."""

    def __init__(self) -> None:
        self.over = False
        self.writing = self.collecting = self._collection_began = 0.0

    def reset(self) -> None:
        """Begin with the next one."""
        self.writing = self.collecting = 0.0

    def garbage(self, phase: str, _info: dict[str, int]) -> None:
        """Take what Python tells of its garbage collection."""
        if phase == "start":
            self._collection_began = time.perf_counter()
        else:
            self.collecting += time.perf_counter() - self._collection_began


@contextmanager
def _watching() -> Iterator[Longest]:
    """Note the longest time that the loop spends in one callback or one step of a task."""
    longest, watch = Longest(), _Stopwatch()
    run, write = asyncio.Handle._run, Entity._async_write_ha_state

    def timed(handle: asyncio.Handle) -> None:
        watch.reset()
        cpu_began, began = time.thread_time(), time.perf_counter()
        run(handle)
        took = time.perf_counter() - began - watch.collecting
        cpu = time.thread_time() - cpu_began
        if watch.over:
            # The step that ended the watching went on with something else.
            return
        longest.cpu = max(longest.cpu, cpu)
        if took > longest.took:
            longest.took, longest.what = took, _name(handle)
            longest.writing, longest.collecting = watch.writing, watch.collecting

    def timed_write(entity: Entity) -> None:
        began = time.perf_counter()
        write(entity)
        watch.writing += time.perf_counter() - began

    gc.callbacks.append(watch.garbage)
    with (
        patch.object(asyncio.Handle, "_run", timed),
        patch.object(Entity, "_async_write_ha_state", timed_write),
    ):
        yield longest
    watch.over = True
    gc.callbacks.remove(watch.garbage)


def _name(handle: asyncio.Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]  # known to asyncio alone
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"a step of {getattr(owner.get_coro(), '__qualname__', owner.get_name())}"
    return str(getattr(callback, "__qualname__", callback))
