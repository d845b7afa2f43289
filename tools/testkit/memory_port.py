"""Ports in memory: what a client sends is heard by a simulated line, and what that says comes back.

They are reached as `memory://NAME`, through serialx like any other port.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any, ClassVar, override

from serialx import BaseSerial, BaseSerialTransport, register_uri_handler

from tools.simulator import Line

SCHEME = "memory://"
_PACKET = 62
"""Bytes that an FTDI adapter hands over at once."""
_SET = re.compile(rb".{4}[A-Z0-9*]{4} ", re.DOTALL)


class Port:
    """One end of a line. With `latency`, in s, bytes come in lumps, as USB adapters bring them."""

    known: ClassVar[dict[str, Port]] = {}

    def __init__(self, name: str, latency: float) -> None:
        """Be found by a URL; the line is given later, since it needs `write`."""
        self.url = f"{SCHEME}{name}"
        self.line: Line | None = None
        self.questions = 0
        """How many questions the client has sent; sets are none."""
        self.sent: Counter[bytes] = Counter()
        """How often the client has sent the same bytes."""
        self._latency = latency
        self._held = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: MemoryTransport | None = None
        self.known[self.url] = self

    def attach(self, transport: MemoryTransport | None) -> None:
        """Let a client have the port, or nobody."""
        self._transport = transport
        self._held.clear()

    def hear(self, data: bytes) -> None:
        """Take what the client sends."""
        assert self.line is not None
        self.questions += not _SET.match(data)
        self.sent[data] += 1
        self.line.hear(data)

    def write(self, data: bytes) -> None:
        """Give bytes to the client; without one they are lost."""
        self._held += data
        if not self._latency:
            self._flush()
            return
        while len(self._held) >= _PACKET:
            self._hand_over(bytes(self._held[:_PACKET]))
            del self._held[:_PACKET]
        if self._held and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._latency, self._flush)

    def _flush(self) -> None:
        self._timer = None
        held = bytes(self._held)
        self._held.clear()
        if held:
            self._hand_over(held)

    def _hand_over(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.receive(data)


class MemorySerial(BaseSerial):
    """What serialx wants registered beside a transport; nobody opens it."""


class MemoryTransport(BaseSerialTransport):
    """A client's way to a port in memory."""

    transport_name = "memory"
    _port: Port | None = None

    @override
    async def _connect(self, *, path: str | None, **_: Any) -> None:
        self._port = Port.known[str(path)]
        self._port.attach(self)
        self._call_protocol_connection_made()

    def receive(self, data: bytes) -> None:
        """Hand bytes to the protocol in the loop's next turn, as a real transport does."""
        self._loop.call_soon(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        if self._port is not None:
            self._loop.call_soon(self._port.hear, bytes(data))

    @override
    def get_write_buffer_size(self) -> int:
        """Return 0: nothing waits."""
        return 0

    @override
    def close(self) -> None:
        """Leave the port."""
        self.abort()

    @override
    def abort(self) -> None:
        """Leave the port."""
        if self._closing:
            return
        self._closing = True
        if self._port is not None:
            self._port.attach(None)
        self._loop.call_soon(self._call_protocol_connection_lost, None)


def register() -> None:
    """Teach serialx the scheme."""
    register_uri_handler(
        scheme=SCHEME,
        unique_scheme=SCHEME,
        sync_cls=MemorySerial,  # type: ignore[type-abstract]  # serialx only calls it
        async_transport_cls=MemoryTransport,  # type: ignore[type-abstract]  # concrete enough
    )
