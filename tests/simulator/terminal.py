"""A client of a simulated line, on virtual time: it runs the loop while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, override

import serialx

from tests.simulator.asking import Asking
from tools.testkit import memory_port
from tools.testkit.simulator_in_memory import SimulatorInMemory

type Start = Callable[..., SimulatorInMemory]
type Open = Callable[..., Terminal]

memory_port.register()


class Terminal(Asking):
    """Opens a port in memory; the clock goes on only in what it does, and in `wait`."""

    def __init__(self, runner: asyncio.Runner, port: str, baud: int) -> None:
        self._runner = runner
        self._heard = bytearray()
        self._news = asyncio.Event()
        self._transport: Any = self._runner.run(self._connect(port, baud))

    async def _connect(self, port: str, baud: int) -> Any:
        loop = asyncio.get_running_loop()
        transport, _ = await serialx.create_serial_connection(
            loop, lambda: _Hears(self._hear), port, baudrate=baud
        )
        return transport

    def _hear(self, data: bytes) -> None:
        self._heard += data
        self._news.set()

    @override
    def close(self) -> None:
        self._transport.close()
        self.wait(0)

    @property
    @override
    def now(self) -> float:
        return self._runner.get_loop().time()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._runner.run(asyncio.sleep(seconds))

    @override
    def send(self, raw: bytes) -> None:
        self._transport.write(raw)
        # What is sent is heard in the loop's next turn.
        self.wait(0)

    @override
    def receive(self, quiet: float = 0.1, first: float = 2.0, enough: int = 1 << 30) -> bytes:
        return self._runner.run(self._receive(quiet, first, enough))

    async def _receive(self, quiet: float, first: float, enough: int) -> bytes:
        got = b""
        wait = first
        while len(got) < enough:
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                break
            got += bytes(self._heard)
            self._heard.clear()
            self._news.clear()
            wait = quiet
        return got


class _Hears(asyncio.Protocol):
    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear

    @override
    def data_received(self, data: bytes) -> None:
        self._hear(data)
