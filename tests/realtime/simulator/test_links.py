"""The ports: pulled and put back, closed and opened, over TCP and over telnet."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import time
from pathlib import Path

import pytest
import serialx

from tests.realtime.simulator.terminal import Start, Terminal, until
from tests.simulator.asking import frames
from tools.simulator import SimulatorThread
from tools.simulator.framing import build

ANSWER = build(0, 1, b"4.50000e2")


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_symlink_leads_to_the_device_and_goes_with_it(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "by-id" / "usb-FTDI"
    sim = start(link=link)
    assert sim.port == str(link)
    assert link.resolve() == Path(sim.link.device)
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
    sim.close()
    assert not link.is_symlink()


def test_a_pulled_adapter_is_gone_and_comes_back(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "usb-FTDI"
    sim = start(link=link)
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
        device = sim.link.device
        sim.unplug()
        assert not link.is_symlink()
        assert not Path(device).exists()
        assert client.receive() == b""
        with pytest.raises(OSError):  # noqa: PT011
            client.send(b"x")
    sim.replug()
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]


def test_it_can_come_back_under_another_name(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "usb-FTDI"
    sim = start(link=link)
    before = sim.link.device
    sim.unplug()
    sim.replug(other_device=True)
    assert sim.link.device != before
    assert link.resolve() == Path(sim.link.device)
    sim.replug(tmp_path / "usb-other")
    assert sim.port == str(tmp_path / "usb-other")
    assert not link.is_symlink()
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]


def test_pulling_200_times_leaks_no_descriptor(sim: SimulatorThread) -> None:
    sim.replug()
    before = open_descriptors()
    for _ in range(200):
        sim.unplug()
        sim.replug()
    assert open_descriptors() == before


def test_pulling_amid_a_response_harms_nobody(start: Start) -> None:
    sim = start(units=15, cells=15)
    with Terminal(sim.port) as client:
        client.send(build(1, 0, b"CELL?"))
        assert client.receive(1, 1, 100)
        sim.unplug()
    sim.replug()
    with Terminal(sim.port) as client:
        until(lambda: sim.line.wire.playing is None)
        client.receive(0.05, 0.05)
        assert client.ask("CAPA?") == [b"4.50000e2"]


def test_clients_come_and_go(sim: SimulatorThread) -> None:
    for _ in range(20):
        with Terminal(sim.port) as client:
            assert client.ask("CAPA?") == [b"4.50000e2"]


def test_a_response_that_nobody_waits_for_is_not_read_by_the_next_client(
    sim: SimulatorThread,
) -> None:
    with Terminal(sim.port) as client:
        client.send(build(1, 0, b"CELL?"))
    until(lambda: sim.log.counts["answered"] == 1)
    with Terminal(sim.port) as client:
        assert client.receive(first=0.1) == b""
        assert client.ask("CAPA?") == [b"4.50000e2"]
        client.send(build(1, 0, b"CELL?"))
        until(lambda: sim.log.counts["answered"] == 3)
    until(lambda: not sim.link.connected)
    with Terminal(sim.port) as client:
        assert client.receive(first=0.1) == b"", "what was left unread is gone"


def test_a_client_that_does_not_read_does_not_stop_the_simulator(sim: SimulatorThread) -> None:
    with Terminal(sim.port) as client:
        for _ in range(80):
            client.send(build(1, 0, b"CELL?"))
            time.sleep(0.03)
        client.receive(0.1)
        assert client.ask("CAPA?") == [b"4.50000e2"]


def test_waiting_for_a_client_costs_nothing(start: Start) -> None:
    start()
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


def test_another_speed_is_not_understood_and_the_right_one_is(sim: SimulatorThread) -> None:
    for baud in (115200, 38400, 9600):
        with Terminal(sim.port, baud) as client:
            assert client.ask("CAPA?", first=0.3) == []
    assert sim.log[-1].what == "wrong_speed"
    with Terminal(sim.port, 56000) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]


# -- TCP -----------------------------------------------------------------------------------------


def test_a_tcp_client_asks_and_is_answered(start: Start) -> None:
    sim = start(transport="tcp")
    assert sim.port.startswith("socket://127.0.0.1:")
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
        took, _ = client.timed("CELL?", 71)
        assert took >= 83 * 10 / 56000 + 0.015


def test_a_second_tcp_client_is_turned_away(start: Start) -> None:
    sim = start(transport="tcp")
    with Terminal(sim.port) as first, Terminal(sim.port) as second:
        assert select.select([second.fd], [], [], 5)[0]
        assert os.read(second.fd, 10) == b""
        assert first.ask("CAPA?") == [b"4.50000e2"]
    until(lambda: not sim.link.connected)
    with Terminal(sim.port) as third:
        assert third.ask("CAPA?") == [b"4.50000e2"]


def test_a_second_tcp_client_takes_over_where_that_is_on(start: Start) -> None:
    sim = start(transport="tcp")
    sim.link.takeover = True
    with Terminal(sim.port) as first, Terminal(sim.port) as second:
        assert second.ask("CAPA?") == [b"4.50000e2"]
        assert os.read(first.fd, 10) == b""


def test_the_peer_closes_resets_refuses_and_comes_back(start: Start) -> None:
    sim = start(transport="tcp")
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
        sim.call(sim.link.drop)
        assert os.read(client.fd, 10) == b""
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
        sim.call(sim.link.reset)
        assert select.select([client.fd], [], [], 5)[0]
        with pytest.raises(ConnectionResetError):
            os.read(client.fd, 10)
    sim.unplug()
    with pytest.raises(ConnectionRefusedError):
        Terminal(sim.port)
    port = sim.port
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", sim.link.number))
    sim.replug()
    assert sim.port == port
    with Terminal(sim.port) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]


def test_the_peer_goes_silent_without_closing(start: Start) -> None:
    sim = start(transport="tcp")
    with Terminal(sim.port) as client:
        sim.link.silent = True
        assert client.ask("CAPA?", first=0.3) == []
        sim.link.silent = False
        assert client.ask("CAPA?") == [b"4.50000e2"]
    assert len(sim.log.requests()) == 1


# -- telnet --------------------------------------------------------------------------------------


async def ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    size: int,
    patience: float = 5.0,
) -> bytes:
    writer.write(build(1, 0, request))
    async with asyncio.timeout(patience):
        return await reader.readexactly(size)


async def test_serialx_connects_over_rfc2217_sets_the_speed_and_is_answered(start: Start) -> None:
    sim = start(transport="rfc2217")
    assert sim.port.startswith("rfc2217://127.0.0.1:")
    reader, writer = await serialx.open_serial_connection(url=sim.port, baudrate=56000)
    assert await ask(reader, writer, b"CAPA?", 16) == ANSWER
    assert sim.link.speed == 56000
    writer.close()
    await writer.wait_closed()


async def test_over_rfc2217_another_speed_is_not_understood(start: Start) -> None:
    sim = start(transport="rfc2217")
    reader, writer = await serialx.open_serial_connection(url=sim.port, baudrate=9600)
    with pytest.raises(TimeoutError):
        await ask(reader, writer, b"CAPA?", 16, 0.5)
    assert sim.link.speed == 9600
    assert sim.log[-1].what == "wrong_speed"
    writer.close()
    await writer.wait_closed()


async def test_bytes_of_255_pass_through_telnet(start: Start) -> None:
    sim = start(transport="rfc2217")
    sim.call(sim.bms[1].raise_error, 255, 255, 255)
    reader, writer = await serialx.open_serial_connection(url=sim.port, baudrate=56000)
    raw = await ask(reader, writer, b"ERRO?", 19)
    assert [frame.payload for frame in frames(raw)] == [b"4", b"\x01\xff\xff\xff"]
    writer.close()
    await writer.wait_closed()


def test_telnet_refuses_what_it_cannot_and_answers_once(start: Start) -> None:
    sim = start(transport="rfc2217")
    host, port = sim.port.removeprefix("rfc2217://").split(":")
    due = bytes((255, 254, 24, 255, 251, 0, 255, 250, 44, 100))
    due += b"simulated REC BMS" + bytes((255, 240))
    with socket.create_connection((host, int(port)), 2) as peer:
        peer.sendall(
            bytes((255, 251, 24)) + bytes((255, 253, 0)) * 2 + bytes((255, 250, 44, 0, 255, 240))
        )
        got = b""
        while len(got) < len(due):
            got += peer.recv(100)
    assert got == due


async def test_serialx_asks_over_a_pseudo_terminal(start: Start) -> None:
    sim = start()
    reader, writer = await serialx.open_serial_connection(url=sim.port, baudrate=56000)
    assert await ask(reader, writer, b"CAPA?", 16) == ANSWER
    writer.close()
    await writer.wait_closed()
