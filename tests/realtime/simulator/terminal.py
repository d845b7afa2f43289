"""A client made of nothing but the operating system: for tests of the simulator's ports."""

from __future__ import annotations

import os
import select
import socket
import time
import tty
from collections.abc import Callable
from typing import override
from urllib.parse import urlsplit

from tests.simulator.asking import Asking
from tools.simulator import SimulatorThread
from tools.simulator.link import set_speed

Start = Callable[..., SimulatorThread]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is to do, 5 s at most."""
    give_up_at = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


class Terminal(Asking):
    """Opens a path or a socket:// URL."""

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

    @override
    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self.fd)

    @property
    @override
    def now(self) -> float:
        return time.monotonic()

    @override
    def send(self, raw: bytes) -> None:
        os.write(self.fd, raw)

    @override
    def receive(self, quiet: float = 0.1, first: float = 2.0, enough: int = 1 << 30) -> bytes:
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
