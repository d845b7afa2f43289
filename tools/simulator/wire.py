"""The way from a BMS to the client: bytes at the speed of the line, ten bits each."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable

from .clock import Alarm

BITS = 10
"""Bits on the line for a byte: start, eight, stop."""
_CHUNK = 0.0015
"""Seconds of bytes that are written at once."""
_GAP = 0.001
"""Seconds after the client's last byte before somebody else begins."""
_FORGIVEN = 0.05
"""Seconds that a busy machine may be late and catch up."""


class Wire:
    """Plays bytes to the client, one sender at a time.

    `write` takes what has arrived by now. While somebody else talks (`disturb`), what arrives is
    not what was sent.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        baud: int,
        write: Callable[[bytes], None],
        rng: random.Random,
    ) -> None:
        self.baud = baud
        self._loop = loop
        self._write = write
        self._rng = rng
        self._lock = asyncio.Lock()
        self._disturbed_until = 0.0
        self._free_at = 0.0
        self.client_until = 0.0
        """Until when the client talks, `loop.time()` s."""
        self.playing: str | None = None
        """What is on the line now, None while nobody sends."""
        self.innocent = False
        """Whether nobody could know that it would be there now."""

    @property
    def byte_time(self) -> float:
        """Seconds that a byte takes."""
        return BITS / self.baud

    def disturb(self, until: float) -> None:
        """Spoil what is sent up to a moment of `loop.time()`."""
        self._disturbed_until = max(self._disturbed_until, until)

    async def play(
        self, alarm: Alarm, data: bytes, start: float, what: str, *, innocent: bool = False
    ) -> tuple[float, float]:
        """Send bytes from a moment on, or when the line is free; return when they began and ended.

        The client is listened to before, as far as it can be heard: it is not interrupted.
        """
        async with self._lock:
            begin = max(start, self._free_at)
            await alarm.until(begin)
            while self.client_until > self._loop.time():
                begin = self.client_until + _GAP
                await alarm.until(begin)
            if self._loop.time() - begin > _FORGIVEN:
                begin = self._loop.time()
            self.playing, self.innocent = what, innocent
            try:
                await self._pace(alarm, data, begin)
            finally:
                self.playing = None
                self._free_at = begin + len(data) * self.byte_time
            return begin, self._free_at

    async def _pace(self, alarm: Alarm, data: bytes, begin: float) -> None:
        byte_time = self.byte_time
        chunk = max(1, math.ceil(_CHUNK / byte_time))
        sent = 0
        while sent < len(data):
            upto = min(len(data), sent + chunk)
            wait = alarm.exactly if upto == len(data) else alarm.until
            await wait(begin + upto * byte_time)
            passed = int((self._loop.time() - begin) / byte_time)
            upto = max(upto, min(len(data), passed))
            self._write(self._as_heard(data[sent:upto]))
            sent = upto

    def _as_heard(self, data: bytes) -> bytes:
        if self._loop.time() - len(data) * self.byte_time >= self._disturbed_until:
            return data
        return bytes(byte ^ self._rng.randrange(1, 256) for byte in data)
