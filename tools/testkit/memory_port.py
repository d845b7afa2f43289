"""Ports in memory: what a client sends is heard by a simulated line, and what that says comes back.

They are reached as `memory://NAME`, through serialx like any other port.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, override
from unittest.mock import patch

import serialx
from serialx import BaseSerial, BaseSerialTransport, register_uri_handler

from tools.simulator import Line
from tools.simulator.host import at_another_speed

SCHEME = "memory://"
_PACKET = 62
"""Bytes that an FTDI adapter hands over at once."""
_SET = re.compile(rb".{4}[A-Z0-9*]{4} ", re.DOTALL)


class Port:
    """One end of a line. With `latency`, in s, bytes come in lumps, as USB adapters bring them."""

    known: ClassVar[dict[str, Port]] = {}
    devices: ClassVar[dict[str, Port]] = {}
    """Ports that have a name in the file system, too."""

    def __init__(self, name: str, latency: float) -> None:
        """Be found by a URL; the line is given later, since it needs `write`."""
        self.url = f"{SCHEME}{name}"
        self.line: Line | None = None
        self.requests = 0
        """How many requests to read the client has sent."""
        self.sent: Counter[bytes] = Counter()
        """How often the client has sent the same bytes."""
        self._latency = latency
        self._held = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: MemoryTransport | None = None
        self._plugged = True
        self.known[self.url] = self

    @classmethod
    def is_known(cls, name: str) -> bool:
        """Tell whether there is a port of that name."""
        return f"{SCHEME}{name}" in cls.known

    @property
    def is_open(self) -> bool:
        """Whether a client has the port."""
        return self._transport is not None

    def attach(self, transport: MemoryTransport) -> None:
        """Let a client have the port. Raises OSError where it is not there, or another's."""
        if not self._plugged:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url)
        if self._transport is not None:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), self.url)
        self._transport = transport
        self._held.clear()

    def detach(self, transport: MemoryTransport) -> None:
        """Have a client leave the port."""
        if self._transport is transport:
            self._transport = None
            self._held.clear()

    def unplug(self) -> None:
        """Take the port away, as an adapter that is pulled."""
        self._plugged = False
        if (transport := self._transport) is not None:
            self.detach(transport)
            transport.lose(OSError(errno.EIO, os.strerror(errno.EIO)))

    def replug(self) -> None:
        """Put the port back."""
        self.unplug()
        self._plugged = True

    def hear(self, data: bytes, speed: int) -> None:
        """Take what the client sends at a speed in baud."""
        assert self.line is not None
        self.requests += not _SET.match(data)
        self.sent[data] += 1
        self.line.hear(data, speed)

    def write(self, data: bytes) -> None:
        """Give bytes to the client; without one they are lost."""
        assert self.line is not None
        if self._transport is not None and self._transport.speed != self.line.baud:
            data = at_another_speed(data)
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
    speed = 0
    """Bits a second that the client has set."""
    _port: Port | None = None

    @override
    async def _connect(self, *, path: str | None, **settings: Any) -> None:
        port = Port.known[str(path)]
        self.speed = settings["baudrate"]
        port.attach(self)
        self._port = port
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
            self._loop.call_soon(self._port.hear, bytes(data), self.speed)

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
        self.lose(None)

    def lose(self, error: OSError | None) -> None:
        """Leave the port, or be left by it."""
        if self._closing:
            return
        self._closing = True
        if self._port is not None:
            self._port.detach(self)
        self._loop.call_soon(self._call_protocol_connection_lost, error)


@cache
def register() -> None:
    """Teach serialx the scheme, once."""
    register_uri_handler(
        scheme=SCHEME,
        unique_scheme=SCHEME,
        sync_cls=MemorySerial,  # type: ignore[type-abstract]  # serialx only calls it
        async_transport_cls=MemoryTransport,  # type: ignore[type-abstract]  # concrete enough
    )


@contextmanager
def devices_in_memory() -> Iterator[None]:
    """Have serialx open a port in memory by a device's name, too, or by a link to it."""
    create = serialx.create_serial_connection

    def create_by_any_name(
        loop: asyncio.AbstractEventLoop, factory: Any, url: str, *settings: Any
    ) -> Any:
        port = Port.devices.get(os.path.realpath(url))
        return create(loop, factory, port.url if port is not None else url, *settings)

    with patch.object(serialx, "create_serial_connection", create_by_any_name):
        yield
