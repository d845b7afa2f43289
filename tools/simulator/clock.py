"""Waiting that is accurate to a tenth of a millisecond.

asyncio rounds its timers up to whole milliseconds; at 115200 baud that is twelve bytes. Where the
system has timerfd (Linux), a timer of the kernel wakes the loop instead.
"""

from __future__ import annotations

import asyncio
import os
import time

_EXACT = hasattr(os, "timerfd_create")
_LAST_PART = 0.0004
"""Seconds that a turn of the loop may take."""
_SPIN = 0.0001
"""Seconds that a sleep may take too long."""


class Alarm:
    """Waits for points of `loop.time()`; one waiter at a time. `close` it when done."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._fd = -1
        if _EXACT:
            flags = os.TFD_NONBLOCK | os.TFD_CLOEXEC
            self._fd = os.timerfd_create(time.CLOCK_MONOTONIC, flags=flags)
            loop.add_reader(self._fd, self._rang)

    async def until(self, moment: float) -> None:
        """Return at a moment of `loop.time()`, at once where it has passed."""
        if self._loop.time() >= moment:
            return
        self._waiter = self._loop.create_future()
        handle = None
        if self._fd >= 0:
            os.timerfd_settime(self._fd, flags=os.TFD_TIMER_ABSTIME, initial=moment)
        else:
            handle = self._loop.call_at(moment, self._ring)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if handle is not None:
                handle.cancel()

    async def exactly(self, moment: float) -> None:
        """Return at a moment of `loop.time()` to some hundredths of a millisecond.

        The last fraction of a millisecond is waited for without the loop.
        """
        await self.until(moment - _LAST_PART)
        left = moment - self._loop.time()
        if left > 2 * _SPIN:
            time.sleep(left - _SPIN)  # noqa: ASYNC251  (shorter than a turn of the loop)
        while self._loop.time() < moment:
            pass

    def _rang(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._ring()

    def _ring(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Give the timer back to the system."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
