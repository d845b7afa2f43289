"""One port, shared by whoever talks over it: one at a time, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import NoResponseError, PortError
from .trace import Counters, Trace
from .transaction import Line
from .transport import Wire

_SILENT_EXCHANGES = 3
"""A port over which not a byte came in so many exchanges running is opened anew: a network peer may
have gone without closing, an adapter may hang."""

_LAST_TURN = 0.4
"""Seconds that closing waits for a turn to end."""


class Connection:
    """A port that opens when it is first needed and again after it was lost."""

    def __init__(self, port: str, baudrate: int) -> None:
        """Remember a path or URL that serialx knows and a speed in baud; nothing is opened yet."""
        self.port = port
        self.baudrate = baudrate
        self._wire = Wire(port, baudrate)
        self._line = Line(self._wire)
        self._lock = asyncio.Lock()
        self._silent_exchanges = 0
        self._shut = False

    @property
    def trace(self) -> Trace:
        """The last 200 frames."""
        return self._wire.trace

    @property
    def counters(self) -> Counters:
        """What happened on this port so far."""
        return self._wire.counters

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Line]:
        """Have the line for oneself; whoever waits comes next, in the order of asking.

        Raises PortError where the port cannot be opened.
        """
        async with self._lock:
            if not self._shut:
                await self._wire.open()
            if self._shut:  # perhaps meanwhile: opening may take longer than closing waits
                await self._wire.close()
                raise PortError(self.port, "closed")
            heard_at = self._wire.last_byte_at
            try:
                yield self._line
            except NoResponseError:
                if self._wire.last_byte_at == heard_at:
                    await self._after_silence()
                raise
            except PortError:
                await self._wire.close()
                raise
            finally:
                if self._wire.last_byte_at != heard_at:
                    self._silent_exchanges = 0

    async def close(self) -> None:
        """Close for good; whoever waits for a turn gets a PortError.

        A turn that has begun may end, since it may be a setting that is being read back; but this
        returns within a second.
        """
        self._shut = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_TURN):
                await self._lock.acquire()
            self._lock.release()
        await self._wire.close()

    async def _after_silence(self) -> None:
        self._silent_exchanges += 1
        if self._silent_exchanges >= _SILENT_EXCHANGES:
            self._silent_exchanges = 0
            await self._wire.close()
