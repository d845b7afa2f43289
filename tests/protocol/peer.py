"""A far end that says what a test writes, when the test wants it: for what no BMS would do."""

from __future__ import annotations

import asyncio
import os
import tty
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from tools.simulator.framing import Frame, Listener, build
from tools.testkit.memory_port import Port

SPEED = 56000
"""Bits a second, as a BMS comes from the factory."""

type Step = bytes | Iterable[tuple[float, bytes]]
"""What is said to one request: bytes at once, or bytes each so many seconds after the request."""


def frames(*payloads: bytes, sender: int = 1, to: int = 0) -> bytes:
    """Return the bytes of a response's frames."""
    return b"".join(build(to, sender, payload) for payload in payloads)


@dataclass(frozen=True)
class Heard:
    """A request: when (loop time, s), for whom, and what."""

    at: float
    address: int
    payload: bytes


class Peer:
    """The other end of a pseudo-terminal in the test's own loop, following a script.

    `script["CMAX?"]` is a queue of what is said to this request the first, the second … time; what
    is not in the script is not answered. `heard` are the requests, in order.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = Listener()
        self._later: list[asyncio.TimerHandle] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.port = self._open()
        self.script: defaultdict[str, deque[Step]] = defaultdict(deque)
        self.always: dict[str, Step] = {}
        self.heard: list[Heard] = []

    def _open(self) -> str:
        """Have a port; return what it is called."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._loop.add_reader(self._master, self._ready)
        return os.ttyname(self._slave)

    @property
    def asked(self) -> list[str]:
        """What was asked or set, in order."""
        return [one.payload.decode("ascii") for one in self.heard]

    def say(self, data: bytes, after: float = 0.0) -> None:
        """Write bytes, at once or some seconds later."""
        if after:
            self._later.append(self._loop.call_later(after, self._write, data))
        else:
            self._write(data)

    def babble(self, data: bytes, pause: float) -> None:
        """Write the same bytes again and again until the test ends."""
        self._tasks.append(self._loop.create_task(self._babble(data, pause)))

    async def _babble(self, data: bytes, pause: float) -> None:
        while True:
            self._write(data)
            await asyncio.sleep(pause)

    def _write(self, data: bytes) -> None:
        if self._master >= 0:
            os.write(self._master, data)

    def _ready(self) -> None:
        self._take(os.read(self._master, 4096))

    def _take(self, data: bytes) -> None:
        for found in self._listener.feed(data):
            if isinstance(found, Frame):
                self._answer(found)

    def _answer(self, request: Frame) -> None:
        self.heard.append(Heard(self._loop.time(), request.destination, request.payload))
        text = request.payload.decode("ascii")
        queue = self.script[text]
        step = queue.popleft() if queue else self.always.get(text, b"")
        for after, data in [(0.0, step)] if isinstance(step, bytes) else step:
            self.say(data, after)

    def close(self) -> None:
        """Pull the plug: the port is gone."""
        if self._master < 0:
            return
        self._say_no_more()
        self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = -1

    def _say_no_more(self) -> None:
        for handle in (*self._later, *self._tasks):
            handle.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class PeerInMemory(Peer):
    """The other end of a port in memory."""

    baud = SPEED

    def _open(self) -> str:
        self._port = Port("peer", 0.0)
        self._port.line = self
        return self._port.url

    def hear(self, data: bytes, _speed: int) -> None:
        """Take what the client sends."""
        self._take(data)

    def _write(self, data: bytes) -> None:
        self._port.write(data)

    def close(self) -> None:
        self._say_no_more()
        self._port.unplug()
