"""A port's bytes: opening and closing in turn, and what the trace keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import serialx

from custom_components.rec_bms.protocol.rs485 import transport as module
from custom_components.rec_bms.protocol.rs485.frame import Frame
from custom_components.rec_bms.protocol.rs485.trace import Direction
from custom_components.rec_bms.protocol.rs485.transport import Transport
from tests.unit.protocol.on_virtual_time import virtual

PORT = "/dev/ttyUSB0"


class Driver:
    """A driver that takes its time to let go of a port, and tells what happened when."""

    def __init__(self, closes_after: float | None) -> None:
        self.closes_after = closes_after
        self.events: list[tuple[str, float]] = []
        self.protocols: list[asyncio.Protocol] = []

    async def connect(
        self, loop: asyncio.AbstractEventLoop, factory: Callable[[], Any], *_: object
    ) -> tuple[Any, Any]:
        self.events.append(("opened", round(loop.time(), 6)))
        protocol = factory()
        self.protocols.append(protocol)
        return Opened(self, loop, protocol), protocol


class Opened:
    """One opening of the port."""

    def __init__(self, driver: Driver, loop: asyncio.AbstractEventLoop, protocol: Any) -> None:
        self.driver = driver
        self.loop = loop
        self.protocol = protocol

    def abort(self) -> None:
        if self.driver.closes_after is not None:
            self.loop.call_later(self.driver.closes_after, self.let_go)

    def let_go(self) -> None:
        self.driver.events.append(("let go", round(self.loop.time(), 6)))
        self.protocol.connection_lost(None)


def driver(monkeypatch: pytest.MonkeyPatch, closes_after: float | None) -> Driver:
    one = Driver(closes_after)
    monkeypatch.setattr(serialx, "create_serial_connection", one.connect)
    return one


# -- opening what is being closed -------------------------------------------------------------


@virtual
async def test_opening_waits_until_another_has_let_go_of_the_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = driver(monkeypatch, closes_after=0.2)
    first, second = Transport(PORT, 56000), Transport(PORT, 56000)
    await first.open()
    closing = asyncio.create_task(first.close())
    await asyncio.sleep(0)
    await second.open()
    assert told.events == [("opened", 0.0), ("let go", 0.2), ("opened", 0.2)]
    assert closing.done()
    assert not module._closings


@virtual
async def test_opening_waits_even_where_whoever_closed_has_stopped_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = driver(monkeypatch, closes_after=0.7)
    first, second = Transport(PORT, 56000), Transport(PORT, 56000)
    await first.open()
    await first.close()
    await second.open()
    assert told.events == [("opened", 0.0), ("let go", 0.7), ("opened", 0.7)]


@virtual
async def test_a_port_that_opened_although_nobody_waited_is_let_go_of_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = driver(monkeypatch, closes_after=0.2)
    connect = told.connect

    async def stubborn(*given: Any) -> Any:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return await connect(*given)

    monkeypatch.setattr(serialx, "create_serial_connection", stubborn)
    first, second = Transport(PORT, 56000), Transport(PORT, 56000)
    opening = asyncio.create_task(first.open())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait({opening})
    await first.close()
    monkeypatch.setattr(serialx, "create_serial_connection", connect)
    await second.open()
    assert [event for event, _ in told.events] == ["opened", "let go", "opened"]


@virtual
async def test_a_port_that_never_lets_go_is_waited_for_half_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = driver(monkeypatch, closes_after=None)
    first, second = Transport(PORT, 56000), Transport(PORT, 56000)
    await first.open()
    await first.close()
    await second.open()
    assert told.events == [("opened", 0.0), ("opened", 1.0)]
    module._closings.clear()


@virtual
async def test_another_port_is_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = driver(monkeypatch, closes_after=0.2)
    first, other = Transport(PORT, 56000), Transport("/dev/ttyUSB1", 56000)
    await first.open()
    closing = asyncio.create_task(first.close())
    await asyncio.sleep(0)
    await other.open()
    assert told.events == [("opened", 0.0), ("opened", 0.0)]
    await closing


# -- the trace --------------------------------------------------------------------------------


@virtual
async def test_the_trace_keeps_the_bytes_that_came_without_encoding_them_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = driver(monkeypatch, closes_after=0.0)
    transport = Transport(PORT, 56000)
    await transport.open()
    frame = Frame(0, 1, b"4.18000e0")
    data = frame.encode()
    monkeypatch.delattr(Frame, "encode")
    told.protocols[0].data_received(b"\x01" + data[:4])
    told.protocols[0].data_received(data[4:])
    assert transport.next_frame() == (0.0, frame)
    assert [(each.direction, each.data) for each in transport.trace] == [
        (Direction.NOISE, b"\x01"),
        (Direction.RECEIVED, data),
    ]
