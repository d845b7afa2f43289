"""A client made of nothing but the operating system: for tests of the simulator's wire."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tools.simulator import SimulatorThread
from tools.simulator.framing import Frame, Listener, build
from tools.simulator.link import set_speed

Start = Callable[..., SimulatorThread]


class Terminal:
    """Opens a path or a socket:// URL; asks and listens with deadlines in s."""

    def __init__(self, port: str, baud: int | None = None) -> None:
        self._socket: socket.socket | None = None
        if "://" in port:
            where = urlsplit(port)
            self._socket = socket.create_connection((where.hostname, where.port), timeout=2)
            self.fd = self._socket.fileno()
        else:
            self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self.fd)
            if baud is not None:
                set_speed(self.fd, baud)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self.fd)

    def send(self, raw: bytes) -> None:
        os.write(self.fd, raw)

    def receive(self, quiet: float = 0.1, first: float = 0.3, enough: int = 1 << 30) -> bytes:
        """Return what comes until the line is quiet, or until there is enough."""
        got = bytearray()
        wait = first
        while len(got) < enough and select.select([self.fd], [], [], wait)[0]:
            try:
                data = os.read(self.fd, 4096)
            except BlockingIOError:
                continue
            if not data:
                break
            got += data
            wait = quiet
        return bytes(got)

    def ask(
        self, request: bytes | str, address: int = 1, quiet: float = 0.06, first: float = 0.3
    ) -> list[bytes]:
        """Ask and return the payloads of the good frames that came back."""
        return [frame.payload for frame in self.ask_frames(request, address, quiet, first)]

    def ask_frames(
        self, request: bytes | str, address: int = 1, quiet: float = 0.06, first: float = 0.3
    ) -> list[Frame]:
        payload = request.encode() if isinstance(request, str) else request
        self.send(build(address, 0, payload))
        return frames(self.receive(quiet, first))

    def timed(self, request: str, size: int, address: int = 1) -> tuple[float, bytes]:
        """Ask and return the seconds until so many bytes were there, and the bytes."""
        start = time.monotonic()
        self.send(build(address, 0, request.encode()))
        raw = self.receive(1, 1, size)
        return time.monotonic() - start, raw


def frames(raw: bytes) -> list[Frame]:
    return [found for found in Listener().feed(raw) if isinstance(found, Frame)]


def floats(payload: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(payload) // 4}f", payload))
