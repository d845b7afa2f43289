"""A port: opening, losing, closing, taking turns, and what is remembered of it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import serialx
from conftest import Connect, Simulate, read
from peer import frames

from custom_components.rec_bms.protocol.errors import NoResponseError, PortError
from custom_components.rec_bms.protocol.rs485 import transport as module
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from tools.simulator import SimulatorThread
from tools.testkit.held import held

CMAX = BY_CODE["CMAX"]
TRANSPORTS = pytest.mark.parametrize("transport", ["pty", "tcp", "rfc2217"])


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# -- opening ----------------------------------------------------------------------------------


@TRANSPORTS
async def test_every_way_to_a_port_leads_to_the_bms(
    simulate: Simulate, connect: Connect, transport: str
) -> None:
    client = Client(connect(simulate(transport=transport).port), 1)
    assert await client.identify() == "REC BMS 1Q VICTRON"
    assert await read(client, CMAX) == 4.18
    assert await client.count_cells() == (14,)


@pytest.mark.parametrize(
    "port",
    [
        "/dev/no-such-port",
        "/tmp",
        "/dev/null",
        "",
        "no-such-scheme://127.0.0.1:1",
        "socket://127.0.0.1",
        "socket://127.0.0.1:99999",
        "rfc2217://",
        "closed socket",
        "closed rfc2217",
    ],
)
async def test_a_port_that_cannot_be_opened_is_a_port_error(connect: Connect, port: str) -> None:
    if port.startswith("closed"):
        port = f"{port.removeprefix('closed ')}://127.0.0.1:{free_tcp_port()}"
    connection = connect(port)
    for _ in range(2):
        with pytest.raises(PortError) as caught:
            await asyncio.wait_for(read(Client(connection, 1), CMAX), 5)
        assert caught.value.port == port
        assert caught.value.reason
    assert connection.counters.opened == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open anything")
async def test_a_port_without_permission_is_a_port_error(
    sim: SimulatorThread, connect: Connect
) -> None:
    os.chmod(sim.port, 0)  # noqa: PTH101 (a path of one call)
    with pytest.raises(PortError, match=r"[Pp]ermission"):
        await read(Client(connect(sim.port), 1), CMAX)


async def test_opening_does_not_hang_on_a_server_that_says_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OPEN_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = connect(f"rfc2217://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(2):
            began = monotonic()
            with pytest.raises(PortError, match="too long"):
                await read(Client(connection, 1), CMAX)
            assert monotonic() - began < 1


@contextmanager
def hanging_driver(port: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have the kernel not come back from opening a port; count how often it was asked to."""
    comes_back = threading.Event()
    asked: list[str] = []
    open_file = os.open

    def hang(path: Any, *options: Any, **named: Any) -> int:
        if path == port:
            asked.append(path)
            comes_back.wait(10)
        return open_file(path, *options, **named)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_OPEN_TIMEOUT", 0.2)
        patch.setattr(os, "open", hang)
        try:
            yield asked
        finally:
            comes_back.set()


async def test_a_driver_that_hangs_blocks_one_thread_and_is_used_when_it_comes_back(
    sim: SimulatorThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(connect(sim.port), 1)
    with hanging_driver(sim.port, monkeypatch) as asked:
        for told in ("took too long", "driver hangs", "driver hangs"):
            with pytest.raises(PortError, match=told):
                await read(client, CMAX)
        assert len(asked) == 1
    assert await read(client, CMAX) == 4.18


async def test_a_driver_that_hangs_is_left_alone_by_the_next_connection_too(
    sim: SimulatorThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Home Assistant tries to set an entry up again and again."""
    with hanging_driver(sim.port, monkeypatch) as asked:
        for told in ("took too long", "driver hangs", "driver hangs"):
            connection = connect(sim.port)
            with pytest.raises(PortError, match=told):
                await read(Client(connection, 1), CMAX)
            await connection.close()
        assert len(asked) == 1
    assert await read(Client(connect(sim.port), 1), CMAX) == 4.18


async def test_who_waits_for_a_port_gets_it_when_another_gives_up_opening_it(
    sim: SimulatorThread, connect: Connect
) -> None:
    client = Client(connect(sim.port), 1)
    first = asyncio.create_task(read(client, CMAX))
    second = asyncio.create_task(read(client, CMAX))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 4.18


async def test_an_opening_that_ends_by_itself_is_a_port_error(
    sim: SimulatorThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_off(*_: Any) -> Any:
        raise asyncio.CancelledError

    monkeypatch.setattr(serialx, "create_serial_connection", broken_off)
    with pytest.raises(PortError, match="broken off"):
        await read(Client(connect(sim.port), 1), CMAX)


async def test_closing_while_opening_leaves_nothing_open(
    sim: SimulatorThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = serialx.create_serial_connection

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.8)
        return await opening(*given)

    monkeypatch.setattr(serialx, "create_serial_connection", slowly)
    connection = connect(sim.port)
    reading = asyncio.create_task(read(Client(connection, 1), CMAX))
    await asyncio.sleep(0.1)
    began = monotonic()
    await connection.close()
    assert monotonic() - began < 1
    with pytest.raises(PortError, match="closed"):
        await reading
    assert not connection._transport.is_open
    assert not sim.log.requests()


# -- losing and finding again -----------------------------------------------------------------


async def test_a_port_that_opens_although_nobody_waits_any_more_is_closed(
    sim: SimulatorThread, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = serialx.create_serial_connection
    opened: list[asyncio.Transport] = []

    async def stubborn(*given: Any) -> Any:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        both = await opening(*given)
        opened.append(both[0])
        return both

    monkeypatch.setattr(serialx, "create_serial_connection", stubborn)
    connection = connect(sim.port)
    reading = asyncio.create_task(read(Client(connection, 1), CMAX))
    await asyncio.sleep(0.1)
    task = module._openings[sim.port]
    await connection.close()
    with pytest.raises(PortError, match="closed"):
        await reading
    await asyncio.wait({task})
    assert opened[0].is_closing()
    assert not connection._transport.is_open


@TRANSPORTS
async def test_a_lost_port_is_an_error_and_is_opened_again_at_the_next_turn(
    simulate: Simulate, connect: Connect, transport: str, tmp_path: Path
) -> None:
    link = {"link": tmp_path / "usb-FTDI"} if transport == "pty" else {}
    sim = simulate(transport=transport, **link)
    connection = connect(sim.port)
    client = Client(connection, 1)
    assert await read(client, CMAX) == 4.18
    sim.unplug()
    for _ in range(2):
        with pytest.raises(PortError):
            await asyncio.wait_for(read(client, CMAX), 5)
    sim.replug(**({"other_device": True} if transport == "pty" else {}))
    assert await read(client, CMAX) == 4.18
    assert connection.counters.opened == 2


async def test_what_an_earlier_opening_has_still_to_say_is_not_heard(
    sim: SimulatorThread, client: Client
) -> None:
    await read(client, CMAX)
    transport = client.connection._transport
    earlier = transport._receiver
    assert earlier is not None
    await transport.close()
    await read(client, CMAX)
    before = asdict(client.connection.counters)
    earlier.data_received(frames(b"3.20000e0"))
    earlier.connection_lost(None)
    assert asdict(client.connection.counters) == before
    assert transport.is_open
    assert await read(client, CMAX) == 4.18


async def test_a_port_lost_in_mid_exchange_ends_the_exchange_at_once(
    sim: SimulatorThread, client: Client
) -> None:
    await read(client, CMAX)
    sim.bms[1].silent = True
    reading = asyncio.create_task(read(client, CMAX))
    await asyncio.sleep(0.1)
    sim.unplug()
    began = monotonic()
    with pytest.raises(PortError):
        await reading
    assert monotonic() - began < 0.5


async def test_a_port_that_stays_silent_is_opened_anew_after_three_exchanges(
    simulate: Simulate, connect: Connect
) -> None:
    sim = simulate(transport="tcp")
    connection = connect(sim.port)
    client = Client(connection, 1)
    await read(client, CMAX)
    sim.link.silent = True
    for expected in (1, 1, 1, 2):
        with pytest.raises(NoResponseError):
            await read(client, CMAX, attempts=1)
        assert connection.counters.opened == expected
    sim.link.silent = False
    sim.call(sim.link.drop)


# -- closing ----------------------------------------------------------------------------------


@TRANSPORTS
async def test_nothing_is_leaked_over_many_openings(simulate: Simulate, transport: str) -> None:
    sim = simulate(transport=transport, turnaround=0.001)

    async def once() -> None:
        connection = Connection(sim.port, 56000)
        assert await read(Client(connection, 1), CMAX) == 4.18
        await connection.close()
        failing = Connection("/dev/no-such-port", 56000)
        with pytest.raises(PortError):
            await read(Client(failing, 1), CMAX)
        await failing.close()

    await once()
    await asyncio.sleep(0.1)
    before = held()
    for _ in range(25):
        await once()
    await asyncio.sleep(0.1)
    assert not held() - before
