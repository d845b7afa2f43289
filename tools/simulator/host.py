"""The whole simulator: BMSs, line and link, in the running loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, cast

from .bms import BMS
from .faults import Faults
from .line import Line
from .link import Pty
from .log import Log
from .tcp import Tcp
from .wifi import WifiModule

Transport = Literal["pty", "tcp", "rfc2217", "none"]
_TICK = 0.1
"""Seconds between two looks at the batteries' clocks."""


def at_another_speed(data: bytes) -> bytes:
    """Return what is read in place of data by who listens at another speed."""
    return bytes(byte * 37 % 251 for byte in data)


class Simulator:
    """BMSs on a line that a client can open; `async with Simulator() as sim`.

    `transport` is "pty" (with `link` as an optional symlink), "tcp" or "rfc2217" (with `tcp_port`,
    0 for any), or "none". `wifi` are the arguments of a `WifiModule` that tells of the first BMS
    (`{}` for the usual ones). `bms` are the BMSs on the line; without them one is made for each of
    `addresses` with what is left over as its arguments (`cells=4`, `preset="lifepo4"`; see `BMS`).
    `baud`, `turnaround` in s, `echo`, `collisions`: see `Line`. `faults` are shares by name, or
    `Faults`.
    """

    def __init__(
        self,
        *,
        transport: Transport = "pty",
        link: str | os.PathLike[str] | None = None,
        tcp_port: int = 0,
        bms: Sequence[BMS] | None = None,
        addresses: Sequence[int] = (1,),
        baud: int = 56000,
        turnaround: float = 0.015,
        echo: bool = False,
        collisions: bool = True,
        faults: Faults | Mapping[str, float] | None = None,
        seed: int = 0,
        wifi: Mapping[str, Any] | None = None,
        **each: Any,
    ) -> None:
        if bms and each:
            msg = f"{', '.join(each)}: give this to each BMS"
            raise TypeError(msg)
        made = bms or [BMS(address, seed=seed + address, **each) for address in addresses]
        self.bms: dict[int, BMS] = {one.address: one for one in made}
        """The BMSs by their addresses."""
        self.faults = faults if isinstance(faults, Faults) else Faults(dict(faults or {}), seed)
        self.log = Log()
        self._transport = transport
        self._path = link
        self._tcp_port = tcp_port
        self._line_options = {
            "baud": baud,
            "turnaround": turnaround,
            "echo": echo,
            "collisions": collisions,
            "seed": seed,
        }
        self._line: Line | None = None
        self._link: Pty | Tcp | None = None
        self._wifi = WifiModule(made[0], **wifi) if wifi is not None else None
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the port and start to listen."""
        self._line = Line(
            self.bms.values(),
            self._write,
            faults=self.faults,
            log=self.log,
            **cast("Any", self._line_options),
        )
        try:
            if self._wifi is not None:
                await self._wifi.start()
            self._link = self._open_link(self._line)
        # Raised again: whatever it is, no port stays taken for it.
        except BaseException:
            await self.close()
            raise
        self._ticker = asyncio.create_task(self._tick())

    def _open_link(self, line: Line) -> Pty | Tcp | None:
        if self._transport == "none":
            return None
        if self._transport == "pty":
            return Pty(line.hear, line.baud, self._path)
        rfc2217 = self._transport == "rfc2217"
        return Tcp(line.hear, line.baud, self._tcp_port, rfc2217=rfc2217)

    def _write(self, data: bytes) -> None:
        if self._link is not None and self._line is not None:
            self._link.write(self._at_speed(data, self._line))

    def _at_speed(self, data: bytes, line: Line) -> bytes:
        """Return data as a client reads it that has set a certain speed."""
        speed = self._link.speed if self._link is not None else None
        if not speed or speed == line.baud:
            return data
        return at_another_speed(data)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            for one in self.bms.values():
                if self._line is not None and not self._line.wire.playing:
                    one.catch_up()

    async def close(self) -> None:
        """Stop, and leave nothing behind."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
            self._ticker = None
        if self._wifi is not None:
            await self._wifi.close()
        if self._link is not None:
            self._link.close()
        if self._line is not None:
            await self._line.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def line(self) -> Line:
        """The pair of wires (once started)."""
        if self._line is None:
            msg = "the simulator has not been started"
            raise RuntimeError(msg)
        return self._line

    @property
    def link(self) -> Pty | Tcp:
        """The client's end: `Pty` or `Tcp` (once started)."""
        if self._link is None:
            msg = "the simulator has not been started, or has no serial port"
            raise RuntimeError(msg)
        return self._link

    @property
    def has_port(self) -> bool:
        """Whether there is a serial port."""
        return self._link is not None

    @property
    def port(self) -> str:
        """What a user would type: a path or a URL."""
        return self.link.port

    @property
    def wifi(self) -> WifiModule:
        """The WiFi module, where one was asked for."""
        if self._wifi is None:
            msg = "the simulator has no WiFi module"
            raise RuntimeError(msg)
        return self._wifi

    def unplug(self) -> None:
        """Unplug the adapter (or stop the serial server)."""
        self.link.unplug()

    def replug(
        self, link: str | os.PathLike[str] | None = None, *, other_device: bool = False
    ) -> None:
        """Put it back, behind another symlink or under another device name if told so."""
        self.link.replug(link, other_device=other_device)


class SimulatorThread:
    """A simulator in a thread of its own; `with SimulatorThread() as sim`.

    Takes what `Simulator` takes. Whatever changes the simulator goes through `call`, which runs a
    function in its thread and returns the result; reading a single value is safe anywhere.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._simulator: Simulator | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def start(self) -> Self:
        """Start the thread; return when the port can be opened."""
        self._thread.start()
        self._started.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed
        return self

    def close(self) -> None:
        """Stop; return when the thread has ended."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            self._simulator = Simulator(**self._options)
            await self._simulator.start()
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            self._failed = error
            self._started.set()
            return
        self._started.set()
        await self._stop.wait()
        await self._simulator.close()

    @property
    def simulator(self) -> Simulator:
        """The simulator itself, which lives in the other thread."""
        if self._simulator is None:
            msg = "the simulator has not been started"
            raise RuntimeError(msg)
        return self._simulator

    def call[T](self, function: Callable[..., T | Awaitable[T]], *args: Any, **named: Any) -> T:
        """Run a function in the simulator's thread; return what it returns."""
        loop = self._loop
        if loop is None:
            msg = "the simulator has not been started"
            raise RuntimeError(msg)

        async def run() -> T:
            result = function(*args, **named)
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(run(), loop).result()

    @property
    def port(self) -> str:
        """What a user would type: a path or a URL."""
        return self.simulator.port

    @property
    def bms(self) -> dict[int, BMS]:
        """The BMSs by their addresses."""
        return self.simulator.bms

    @property
    def line(self) -> Line:
        """The pair of wires."""
        return self.simulator.line

    @property
    def link(self) -> Pty | Tcp:
        """The client's end."""
        return self.simulator.link

    @property
    def wifi(self) -> WifiModule:
        """The WiFi module, where one was asked for."""
        return self.simulator.wifi

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.simulator.faults

    @property
    def log(self) -> Log:
        """What was heard."""
        return self.simulator.log

    def unplug(self) -> None:
        """Unplug the adapter (or stop the serial server)."""
        self.call(self.simulator.unplug)

    def replug(
        self, link: str | os.PathLike[str] | None = None, *, other_device: bool = False
    ) -> None:
        """Put it back, behind another symlink or under another device name if told so."""
        self.call(self.simulator.replug, link, other_device=other_device)
