"""The bytes of one port: opening and closing that cannot hang, sending, listening.

Speaks serialx's asyncio API with the arguments that all its releases know.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from functools import partial

import serialx

from ..errors import PortError, without_query
from .frame import Decoder, Frame
from .trace import Counters, Direction, Trace

LOGGER = logging.getLogger(__package__)

_OPEN_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 0.5
_INBOX_LENGTH = 256

_openings: dict[str, asyncio.Task[None]] = {}
"""What is being opened now, by port: where a driver hangs, that outlives its connection."""
_closings: dict[str, asyncio.Event] = {}
"""What is being closed now, by port: set, and gone from here, once the port is free."""


def _finished(port: str, opening: asyncio.Task[None]) -> None:
    if _openings.get(port) is opening:
        del _openings[port]
    # Whoever waited for it may be gone.
    if not opening.cancelled():
        opening.exception()


class _Receiver(asyncio.Protocol):
    """Hears one opening of the port; what an earlier one has to say later is nobody's business."""

    def __init__(self, transport: Transport) -> None:
        """Bring everything to the transport."""
        self._transport = transport
        self.gone = asyncio.Event()
        self.loss: str | None = None

    def data_received(self, data: bytes) -> None:
        """Bring bytes, as asyncio does."""
        self._transport.receive(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the port is gone, by our own doing or not."""
        self.loss = str(exc) if exc is not None else "closed"
        self.gone.set()
        if _closings.get(self._transport.port) is self.gone:
            del _closings[self._transport.port]
        self._transport.wake(self)

    def begin_closing(self, serial: asyncio.Transport) -> None:
        """Have the port let go, and whoever opens it next wait until it has."""
        if not self.gone.is_set():
            _closings[self._transport.port] = self.gone
        serial.abort()


class Transport:
    """One port, open or not, and what came in over it."""

    def __init__(self, port: str, baudrate: int) -> None:
        """Remember where and how fast; nothing is opened yet."""
        self.port = port
        self.baudrate = baudrate
        self._name = without_query(port)
        self.trace = Trace()
        self.counters = Counters()
        self.last_byte_at = float("-inf")
        """Loop time of the last byte received, in s."""
        self._decoder = Decoder()
        self._inbox: deque[tuple[float, Frame]] = deque(maxlen=_INBOX_LENGTH)
        self._news = asyncio.Event()
        self._serial: asyncio.Transport | None = None
        self._receiver: _Receiver | None = None
        self._patience: asyncio.Timeout | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent."""
        return self._serial is not None and self._loss is None

    @property
    def _loss(self) -> str | None:
        """Why nothing can be sent or heard, None while the port works."""
        return self._receiver.loss if self._receiver is not None else "not open"

    @property
    def bytes_since_frame(self) -> int:
        """How many bytes came behind the last good frame."""
        return self._decoder.bytes_since_frame

    @property
    def frame_begun(self) -> bool:
        """Whether what came last may be the beginning of a frame."""
        return self._decoder.frame_begun

    async def open(self) -> None:
        """Open the port, unless it is. Raises PortError."""
        if self.is_open:
            return
        await self.close()
        await self._wait_for_earlier_opening()
        await self._wait_for_earlier_closing()
        self._decoder = Decoder()
        self._inbox.clear()
        receiver = self._receiver = _Receiver(self)
        opening = _openings[self.port] = asyncio.create_task(self._connect(receiver))
        opening.add_done_callback(partial(_finished, self.port))
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT) as self._patience:
                await asyncio.wait({opening})
        except TimeoutError as err:
            closed = self._receiver is not receiver
            raise PortError(self.port, "closed" if closed else "opening took too long") from err
        finally:
            self._patience = None
            # Not waited for: it lasts as long as a driver that hangs.
            opening.cancel()
        if opening.cancelled():
            raise PortError(self.port, "opening was broken off")
        # The way to a port may lead through code of others (ESPHome's proxy raises Home Assistant's
        # own exceptions), so what can come here has no common base.
        # It is not shown as the cause either, since its text may hold the whole URL.
        if (error := opening.exception()) is not None:
            raise PortError(self.port, str(error) or type(error).__name__)

    async def _wait_for_earlier_opening(self) -> None:
        """Have an opening that was given up let go of the port; a driver that hangs does not."""
        if (earlier := _openings.get(self.port)) is None:
            return
        await asyncio.wait({earlier}, timeout=_CLOSE_TIMEOUT)
        if not earlier.done():
            # Every further attempt would block one more of the threads that all share.
            raise PortError(self.port, "the driver hangs while opening it")

    async def _wait_for_earlier_closing(self) -> None:
        """Have another transport let go of the port; one that does not is told by the driver."""
        while (earlier := _closings.get(self.port)) is not None:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await earlier.wait()
            except TimeoutError:
                return

    async def _connect(self, receiver: _Receiver) -> None:
        serial, _ = await serialx.create_serial_connection(
            asyncio.get_running_loop(), lambda: receiver, self.port, self.baudrate
        )
        if receiver is not self._receiver:
            receiver.begin_closing(serial)
            return
        self._serial = serial
        self.counters.opened += 1
        LOGGER.debug("%s opened at %d baud", self._name, self.baudrate)

    async def close(self) -> None:
        """Close the port, dropping what was not sent; returns within half a second."""
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())
        serial, self._serial = self._serial, None
        receiver, self._receiver = self._receiver, None
        self._news.set()
        if serial is None or receiver is None:
            return
        receiver.begin_closing(serial)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await receiver.gone.wait()
        LOGGER.debug("%s closed", self._name)

    def send(self, frame: Frame) -> None:
        """Send a frame. Raises PortError where the port is lost."""
        data = frame.encode()
        if self._serial is None or self._loss is not None:
            raise PortError(self.port, self._loss or "not open")
        try:
            self._serial.write(data)
        except (OSError, RuntimeError, serialx.SerialException) as err:
            raise PortError(self.port, str(err)) from err
        self._note(Direction.SENT, data, frame)

    async def listen(self, until: float) -> bool:
        """Return True when bytes have come, False at the loop time `until`. Raises PortError."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._news.wait()
        heard = self._news.is_set()
        self._news.clear()
        if self._loss is not None:
            raise PortError(self.port, self._loss)
        return heard

    def next_frame(self) -> tuple[float, Frame] | None:
        """Return the oldest frame not taken yet, with the loop time at which it came."""
        return self._inbox.popleft() if self._inbox else None

    def resynchronise(self) -> None:
        """Look for frames inside an unfinished one, because the line has fallen idle."""
        self._take_in(self._decoder.resynchronise())

    def forget_unfinished(self) -> None:
        """Drop the beginning of a frame whose rest did not come."""
        self._decoder.clear()
        self._take_in([])

    def receive(self, receiver: _Receiver, data: bytes) -> None:
        """Take bytes in that came over the port as it is open now."""
        if receiver is self._receiver:
            self.last_byte_at = asyncio.get_running_loop().time()
            self._take_in(self._decoder.feed(bytes(data)))
            self._news.set()

    def wake(self, receiver: _Receiver) -> None:
        """Have whoever listens see that the port is gone."""
        if receiver is self._receiver:
            self._news.set()

    def _take_in(self, frames: list[Frame]) -> None:
        if noise := self._decoder.take_noise():
            self.counters.line_errors += 1
            self._note(Direction.NOISE, noise)
        for frame in frames:
            self.counters.frames += 1
            self._inbox.append((self.last_byte_at, frame))
            self._note(Direction.RECEIVED, frame.raw, frame)

    def _note(self, direction: Direction, data: bytes, frame: Frame | None = None) -> None:
        entry = self.trace.add(direction, data, frame)
        if LOGGER.isEnabledFor(logging.DEBUG):
            LOGGER.debug("%s %s", self._name, entry)
