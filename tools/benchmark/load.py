"""What a poll costs Home Assistant: processor time, and how long the event loop stands still.

Home Assistant runs in this process with real serial code; each simulator runs in another one, so
that its work is not counted. Of several batteries, each on a port of its own, all poll at once: so
they do in a Home Assistant that has just started.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import cast
from unittest.mock import patch

import psutil
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity

from custom_components.rec_bms.coordinator import RecBmsCoordinator
from custom_components.rec_bms.protocol.rs485.bms import Rs485Bms
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Group
from tools.testkit.in_process import add_entry, home_assistant, set_up
from tools.testkit.simulated import SimulatedBms, running_simulator

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
    and then whoever's turn it is, is not in it; it took `collecting` on top. Of all such searches
    the longest took `longest_collecting`.
    """

    took: float = 0.0
    cpu: float = 0.0
    writing: float = 0.0
    collecting: float = 0.0
    longest_collecting: float = 0.0
    what: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """How many batteries there are, and what each is made of."""

    units: int
    cells: int
    batteries: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds for a poll of one battery, the longest blocks of the event loop, and memory."""

    units: int
    cells: int
    batteries: int
    polls: int
    cpu: float
    took: float
    wire: float
    polling: Longest
    setting_up: Longest
    entities: int
    before: int
    """Bytes of RSS with Home Assistant alone."""
    held: int
    """The same when all polls are done."""


def measure(folder: Path, sizes: Sequence[Size], polls: int) -> Iterator[Load]:
    """Yield what regular polls of working batteries cost, each in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for size in sizes:
            yield pool.submit(_measure, folder, size, polls).result()


def _measure(folder: Path, size: Size, polls: int) -> Load:
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    return asyncio.run(_run(folder, size, polls))


async def _run(folder: Path, size: Size, polls: int) -> Load:
    async with AsyncExitStack() as stack:
        batteries = [
            await stack.enter_async_context(_simulator(folder / f"battery_{number}", size))
            for number in range(size.batteries)
        ]
        turnaround = (await batteries[0].command("info"))["turnaround"]
        hass = await stack.enter_async_context(home_assistant(folder))
        before = _memory()
        entries = [
            add_entry(hass, bms.port, BAUDRATE, _NEVER_BY_ITSELF, title=f"Battery {number}")
            for number, bms in enumerate(batteries, start=1)
        ]
        with _watching() as setting_up:
            await asyncio.gather(*(set_up(hass, entry) for entry in entries))
        coordinators = [cast("RecBmsCoordinator", entry.runtime_data) for entry in entries]
        await _poll(coordinators, _WARM_UP, turnaround)
        # Watching costs time itself: what is timed is not watched.
        cpu, took, wire = await _poll(coordinators, polls, turnaround)
        with _watching() as polling:
            await _poll(coordinators, polls, turnaround)
        load = Load(
            **asdict(size),
            polls=polls,
            cpu=cpu,
            took=took,
            wire=wire,
            polling=polling,
            setting_up=setting_up,
            entities=len(hass.states.async_all()),
            before=before,
            held=_memory(),
        )
        for entry in entries:
            await hass.config_entries.async_unload(entry.entry_id)
    return load


def _simulator(folder: Path, size: Size) -> AbstractAsyncContextManager[SimulatedBms]:
    folder.mkdir(exist_ok=True)
    battery = ["--units", str(size.units), "--cells", str(size.cells), "--scenario", "day"]
    speed = ["--baud", str(BAUDRATE), "--speed-up", str(_BATTERY_SECONDS_PER_SECOND)]
    return running_simulator(folder, *battery, *speed)


def _memory() -> int:
    gc.collect()
    resident: int = psutil.Process().memory_info().rss
    return resident


async def _poll(
    coordinators: Sequence[RecBmsCoordinator], polls: int, turnaround: float
) -> tuple[float, float, float]:
    """Return the mean processor time, time and wire time of a poll, in s, of so many of each."""
    hass = coordinators[0].hass
    cpu = took = wire = 0.0
    for turn in range(polls):
        for coordinator in coordinators:
            _let_time_pass(coordinator, turn)
        cpu_began = time.process_time()
        done = await asyncio.gather(
            *(_poll_one(hass, coordinator, turnaround) for coordinator in coordinators)
        )
        cpu += time.process_time() - cpu_began
        took += sum(each for each, _ in done)
        wire += sum(each for _, each in done)
    count = polls * len(coordinators)
    return cpu / count, took / count, wire / count


async def _poll_one(
    hass: HomeAssistant, coordinator: RecBmsCoordinator, turnaround: float
) -> tuple[float, float]:
    """Return the time and the wire time of one poll, in s."""
    since, began = datetime.now(UTC), time.perf_counter()
    # A task of its own: what is done here is no part of its steps.
    await hass.async_create_task(coordinator.async_refresh(), _POLL)
    took = time.perf_counter() - began
    assert coordinator.last_update_success
    return took, on_the_wire(_bms(coordinator).client.connection, since, turnaround)[0]


def _bms(coordinator: RecBmsCoordinator) -> Rs485Bms:
    return cast("Rs485Bms", coordinator.bms)


def _let_time_pass(coordinator: RecBmsCoordinator, turn: int) -> None:
    """Have due what would be due had a scan interval passed since the last poll."""
    read_at = _bms(coordinator)._schedule._read_at
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
        self.longest_collecting = 0.0

    def reset(self) -> None:
        """Begin with the next one."""
        self.writing = self.collecting = 0.0

    def garbage(self, phase: str, _info: dict[str, int]) -> None:
        """Take what Python tells of its garbage collection."""
        if phase == "start":
            self._collection_began = time.perf_counter()
        else:
            took = time.perf_counter() - self._collection_began
            self.collecting += took
            self.longest_collecting = max(self.longest_collecting, took)


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
    longest.longest_collecting = watch.longest_collecting
    gc.callbacks.remove(watch.garbage)


def _name(handle: asyncio.Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]  # known to asyncio alone
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"a step of {getattr(owner.get_coro(), '__qualname__', owner.get_name())}"
    return str(getattr(callback, "__qualname__", callback))
