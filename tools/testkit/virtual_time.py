"""An event loop that does not wait: while nothing happens, its clock leaps to the next timer.

Everything that goes by the loop's clock keeps its own timing exactly; only the waiting is left out,
so that hours of polling take minutes and a busy machine changes nothing.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, override


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Says at once that the time to wait has passed, unless a thread has work to finish."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.working_threads = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.working_threads or timeout is None:
            return super().select(None)
        self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps."""

    def __init__(self) -> None:
        """Start at zero."""
        self._virtual = _VirtualTimeSelector()
        super().__init__(self._virtual)

    @override
    def time(self) -> float:
        """Return the clock's time in s."""
        return self._virtual.now

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
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads, by no clock."""
        self._virtual.working_threads += 1
        await super().shutdown_default_executor(None)
        self._virtual.working_threads -= 1

    def _thread_finished(self, _future: asyncio.Future[Any]) -> None:
        self._virtual.working_threads -= 1


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
