"""One port, shared by whoever talks over it: one at a time, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import NoResponseError, PortError
from .trace import Counters, Trace
from .transaction import Transactions
from .transport import Transport

_SILENT_EXCHANGES = 3
"""A port over which not a byte came in so many exchanges running is opened anew: a network peer may
have gone without closing, an adapter may hang."""

_LAST_TURN = 0.4
"""Seconds that closing waits for a turn to end."""


class Connection:
    """A port that opens when it is first needed and again after it was lost."""

    def __init__(self, port: str, baudrate: int) -> None:
        """Remember a path or URL that serialx knows and a baud rate; nothing is opened yet."""
        self.port = port
        self.baudrate = baudrate
        self._transport = Transport(port, baudrate)
        self._transactions = Transactions(self._transport)
        self._lock = asyncio.Lock()
        self._users = 0
        self._silent_exchanges = 0
        self._shut = False

    @property
    def trace(self) -> Trace:
        """The last 200 frames."""
        return self._transport.trace

    @property
    def counters(self) -> Counters:
        """What happened on this port so far."""
        return self._transport.counters

    @property
    def is_busy(self) -> bool:
        """Whether somebody has a turn or waits for one."""
        return self._users > 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Transactions]:
        """Have the line for oneself; whoever waits comes next, in the order of arrival.

        Raises PortError where the port cannot be opened.
        """
        self._users += 1
        try:
            async with self._lock:
                await self._open()
                async with self._watched():
                    yield self._transactions
        finally:
            self._users -= 1

    async def _open(self) -> None:
        if not self._shut:
            await self._transport.open()
        if self._shut:  # perhaps meanwhile: opening may take longer than closing waits
            await self._transport.close()
            raise PortError(self.port, "closed")

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Have a port that was lost, or over which nothing comes, opened anew."""
        heard_at = self._transport.last_byte_at
        try:
            yield
        except NoResponseError:
            if self._transport.last_byte_at == heard_at:
                await self._after_silence()
            raise
        except PortError:
            await self._transport.close()
            raise
        finally:
            if self._transport.last_byte_at != heard_at:
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
        await self._transport.close()

    async def _after_silence(self) -> None:
        self._silent_exchanges += 1
        if self._silent_exchanges >= _SILENT_EXCHANGES:
            self._silent_exchanges = 0
            await self._transport.close()
