"""Listens to a module, one connection at a time; sends nothing but WebSocket pings.

Source of what a module bears: programs that run on real ones (docs/wifi.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from aiohttp import (
    ClientError,
    ClientResponseError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    ServerDisconnectedError,
    WSMsgType,
)
from yarl import URL

from ..errors import ModuleError, NoModuleError
from .messages import Message, Status, parse

SILENCE = 90.0
"""Seconds without a status after which the BMS is taken to be away, and the connection for lost."""

_CONNECT_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 1.0
_PING_EVERY = 45.0
"""Seconds; the module's web server is overloaded by pings that come often."""
_KEPT = 20
_LONGEST_KEPT = 16_384
"""Characters of a message that are kept for diagnostics; a status of 8 units has some 6000."""

type Take = Callable[[Message], object]


@dataclass(slots=True)
class Counters:
    """What happened since the client was made."""

    connections: int = 0
    messages: int = 0
    dropped: int = 0
    """Messages that were too long, binary, no JSON, or of another kind."""

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def url_of(host: str) -> URL:
    """Return where a module at a host pushes: `name`, `name:port`, or what a browser shows.

    Raises ModuleError where that is no host.
    """
    try:
        url = URL(host.strip() if "://" in host else f"http://{host.strip()}")
        if url.host and url.port:
            return URL.build(scheme="ws", host=url.host, port=url.port, path="/ws")
    except ValueError:
        pass
    raise ModuleError(host, "no host name or address")


class Client:
    """A listener to one module."""

    def __init__(self, session: ClientSession, host: str) -> None:
        """Take the session to connect with, which stays its owner's."""
        self.host = host
        self.counters = Counters()
        self.last_messages: deque[str] = deque(maxlen=_KEPT)
        self._session = session

    async def listen(self, take: Take, connected: Callable[[], object]) -> None:
        """Connect, and hand over what is pushed until that ends, which is always an error.

        Raises ModuleError where nobody is there, and when the module breaks off or tells no status
        for 90 s; NoModuleError where something else responds; and whatever `take` raises.
        """
        socket = await self._connect()
        self.counters.connections += 1
        connected()
        try:
            await self._receive(socket, take)
        finally:
            await _close(socket)

    async def _connect(self) -> ClientWebSocketResponse:
        url = url_of(self.host)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                return await self._session.ws_connect(
                    url, timeout=ClientWSTimeout(ws_close=_CLOSE_TIMEOUT)
                )
        except (ClientResponseError, ServerDisconnectedError) as err:
            raise NoModuleError(self.host, str(err)) from err
        except TimeoutError as err:
            raise ModuleError(self.host, "no response") from err
        except (ClientError, OSError, ValueError) as err:
            raise ModuleError(self.host, str(err)) from err

    async def _receive(self, socket: ClientWebSocketResponse, take: Take) -> None:
        now = asyncio.get_running_loop().time
        silent_at, ping_at = now() + SILENCE, now() + _PING_EVERY
        while now() < silent_at:
            if now() >= ping_at:
                ping_at = now() + _PING_EVERY
                await self._ping(socket)
            try:
                async with asyncio.timeout_at(min(silent_at, ping_at)):
                    received = await socket.receive()
            except TimeoutError:
                continue
            if received.type in _ENDS:
                raise ModuleError(self.host, "broke off")
            message = self._read(received.data if received.type is WSMsgType.TEXT else None)
            if message is not None:
                take(message)
            if isinstance(message, Status):
                silent_at = now() + SILENCE
        raise ModuleError(self.host, f"no status for {SILENCE:.0f} s")

    async def _ping(self, socket: ClientWebSocketResponse) -> None:
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await socket.ping()
        except (ClientError, OSError) as err:
            raise ModuleError(self.host, "broke off") from err

    def _read(self, text: str | None) -> Message | None:
        """Return what a message tells, and count those that tell nothing."""
        message = None if text is None else parse(text)
        self.counters.messages += 1
        self.counters.dropped += message is None
        self.last_messages.append("(binary)" if text is None else text[:_LONGEST_KEPT])
        return message


_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


async def _close(socket: ClientWebSocketResponse) -> None:
    """Close a connection; a module that does not respond to that holds nobody up."""
    try:
        async with asyncio.timeout(2 * _CLOSE_TIMEOUT):
            await socket.close()
    except ClientError, OSError:
        pass
