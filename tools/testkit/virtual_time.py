"""An event loop that does not wait: while nothing happens, its clock leaps to the next timer.

Everything that goes by the loop's clock keeps its own timing exactly; only the waiting is left out,
so that hours of polling take minutes and a busy machine changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, override
from unittest.mock import patch

from homeassistant.helpers import event

import tools.simulator.bms
import tools.simulator.line

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

_ON_ITS_WAY = 0.001
"""Real seconds that bytes may take from one socket of this process to another."""


_LATE = 1e-9
"""Seconds that the clock goes beyond what is waited for: no real one ever wakes anybody early."""


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Says at once that the time to wait has passed, unless a thread has work to finish."""

    def __init__(self, starts_at: float) -> None:
        super().__init__()
        self.now = starts_at
        self.working_threads = 0
        self.turns = 0
        self._sockets: set[int] = set()

    @override
    def register(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        if stat.S_ISSOCK(os.fstat(key.fd).st_mode):
            self._sockets.add(key.fd)
        return key

    @override
    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self._sockets.discard(key.fd)
        return key

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns += 1
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.working_threads or timeout is None:
            return super().select(None)
        # Besides the loop's own, which wakes it, there may be sockets.
        if len(self._sockets) > 1 and (ready := super().select(_ON_ITS_WAY)):
            return ready
        self.now += timeout + _LATE
        return ready


class _OwnClock(asyncio.SelectorEventLoop):
    """An event loop that keeps its own clock."""

    @override
    def __setattr__(self, name: str, value: object) -> None:
        """Keep the clock: Home Assistant puts the machine's in its place, to save a call."""
        if name != "time":
            super().__setattr__(name, value)


class VirtualTimeLoop(_OwnClock):
    """An event loop whose clock leaps."""

    def __init__(self, starts_at: float = 0.0) -> None:
        """Have the clock show so many seconds at first."""
        self._virtual = _VirtualTimeSelector(starts_at)
        self._threads: ThreadPoolExecutor | None = None
        super().__init__(self._virtual)
        # A callback that leaps has not kept anybody waiting.
        self.slow_callback_duration = float("inf")

    @override
    def time(self) -> float:
        """Return the clock's time in s."""
        return self._virtual.now

    @property
    def turns(self) -> int:
        """How often the loop has looked what there is to do."""
        return self._virtual.turns

    @override
    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report what nobody has taken, but not that a port was gone whose opening was given up.

        serialx takes that, and asyncio tells of it all the same.
        """
        is_shielded = "exception in shielded future" in context["message"]
        if not (is_shielded and isinstance(context.get("exception"), OSError)):
            super().call_exception_handler(context)

    def leap(self, seconds: float) -> None:
        """Have been asleep for so long: what was due meanwhile happens late, and only once."""
        self._virtual.now += seconds

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function in a thread; the clock stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.working_threads += 1
        future.add_done_callback(self._thread_finished)
        return future

    @override
    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Have functions run in an executor's threads where no other is named."""
        self._threads = executor
        super().set_default_executor(executor)

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads, by no clock.

        Home Assistant's executor interrupts threads that have not ended within milliseconds of the
        machine's clock. One that is struck while it ends never leaves the list of threads.
        """
        self._virtual.working_threads += 1
        if self._threads is not None:
            ThreadPoolExecutor.shutdown(self._threads, wait=True)
        await super().shutdown_default_executor(None)
        self._virtual.working_threads -= 1

    def _thread_finished(self, _future: asyncio.Future[Any]) -> None:
        self._virtual.working_threads -= 1


class SleepyLoop(_OwnClock):
    """An event loop in real time that can be made to believe it was asleep."""

    def __init__(self) -> None:
        """Have the clock show the machine's time at first."""
        self._slept = 0.0
        super().__init__()
        self.slow_callback_duration = float("inf")

    @override
    def time(self) -> float:
        """Return the clock's time in s."""
        return super().time() + self._slept

    def leap(self, seconds: float) -> None:
        """Have been asleep for so long: what was due meanwhile happens late, and only once."""
        self._slept += seconds


class VirtualAlarm:
    """What `tools.simulator.clock.Alarm` does, by the loop's own clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop whose clock counts."""
        self._loop = loop

    async def until(self, moment: float) -> None:
        """Return at a moment of `loop.time()`, at once where it has passed."""
        if (seconds := moment - self._loop.time()) > 0:
            await asyncio.sleep(seconds)

    async def exactly(self, moment: float) -> None:
        """Return at a moment of `loop.time()`."""
        await self.until(moment)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


@contextmanager
def everything_virtual(
    loop: asyncio.AbstractEventLoop, now: Callable[[], float] | None = None
) -> Iterator[None]:
    """Have simulated lines, batteries and Home Assistant's timers go by a loop's clock.

    `now` is the time of day where that goes by it, too.
    """
    began = time.time() - loop.time()
    timestamp = now or (lambda: began + loop.time())
    with ExitStack() as stack:
        for target, name, new in (
            (tools.simulator.line, "Alarm", VirtualAlarm),
            (tools.simulator.bms, "time", SimpleNamespace(monotonic=loop.time)),
            (event, "time_tracker_timestamp", timestamp),
        ):
            stack.enter_context(patch.object(target, name, new))
        yield
