"""A connection: taking turns, closing, and what is remembered of it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from conftest import ByCode, Connect, Simulate, read
from peer import Peer, frames

from custom_components.rec_bms.protocol.errors import NoResponseError, PortError
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.trace import TRACE_LENGTH, Direction
from tools.testkit.simulator_in_memory import SimulatorInMemory

CMAX = BY_CODE["CMAX"]


async def test_the_cells_of_each_unit_are_counted(simulate: Simulate, connect: Connect) -> None:
    sim = simulate(units=2, cells=[4, 3])
    assert await Client(connect(sim.port), 1).count_cells() == (4, 3)


async def test_a_port_that_is_not_silent_is_not_opened_anew(peer: Peer, by_code: ByCode) -> None:
    """A byte starts the count of silent exchanges again, even one that is no response."""
    for noise in (b"", b"", b"\x00", b"", b"", b"\x00"):
        peer.script["CMAX?"] += [noise]
        with pytest.raises(NoResponseError):
            await by_code.read("CMAX", attempts=1)
    assert by_code.connection.counters.opened == 1


async def test_turns_come_in_the_order_of_asking(sim: SimulatorInMemory, client: Client) -> None:
    codes = ["CMAX", "CELL", "CMIN", "ERRO", "BVOL", "CAPA", "LCD1", "CYCL"]
    await asyncio.gather(*(read(client, BY_CODE[code]) for code in codes))
    assert [entry.instruction for entry in sim.log.requests()] == codes
    assert not sim.log.overlaps


async def test_two_addresses_share_a_line_without_talking_over_each_other(
    simulate: Simulate, connect: Connect
) -> None:
    sim = simulate(addresses=[1, 2])
    sim.call(sim.bms[2].set_value, "CMAX", 4.0)
    connection = connect(sim.port)

    async def read_all(address: int) -> set[object]:
        client = Client(connection, address)
        return {await read(client, CMAX) for _ in range(20)}

    assert await asyncio.gather(read_all(1), read_all(2)) == [{4.18}, {4.0}]
    asked = [entry.address for entry in sim.log.requests()]
    assert asked == [1, 2] * 20
    assert not sim.log.overlaps


async def test_a_cancelled_request_leaves_the_line_usable(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.faults.next("late", seconds=0.4)
    reading = asyncio.create_task(read(client, CMAX))
    await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await read(client, BY_CODE["CMIN"]) == 3.2
    assert not sim.log.collisions


async def test_closing_lets_a_turn_end_and_refuses_those_who_wait(
    sim: SimulatorInMemory, connection: Connection, client: Client
) -> None:
    await read(client, CMAX)
    sim.faults.next("late", seconds=0.2)
    reading = asyncio.create_task(read(client, CMAX))
    waiting = asyncio.create_task(read(client, BY_CODE["CMIN"]))
    await asyncio.sleep(0.02)
    await connection.close()
    assert await reading == 4.18
    with pytest.raises(PortError, match="closed"):
        await waiting
    with pytest.raises(PortError, match="closed"):
        await read(client, CMAX)
    assert "CMIN" not in {entry.instruction for entry in sim.log.requests()}


async def test_closing_is_not_held_up_by_a_silent_bms(
    sim: SimulatorInMemory, connection: Connection, client: Client
) -> None:
    await read(client, CMAX)
    sim.bms[1].silent = True
    reading = asyncio.create_task(read(client, CMAX))
    await asyncio.sleep(0.05)
    began = asyncio.get_running_loop().time()
    await connection.close()
    assert asyncio.get_running_loop().time() - began < 1
    with pytest.raises(PortError):
        await asyncio.wait_for(reading, 0.2)
    await connection.close()


async def test_closing_what_was_never_opened_is_nothing(connect: Connect) -> None:
    await connect("/dev/no-such-port").close()


async def test_the_trace_keeps_the_last_200_and_says_what_they_mean(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always["CMAX?"] = frames(b"4.18000e0")
    peer.always["CELL?"] = frames(b"1", bytes.fromhex("00006040 00006040 00007040"))
    peer.always["ERRO?"] = b"\x01\x02" + frames(b"4", bytes(4))
    for _ in range(120):
        await by_code.read("CMAX")
    entries = list(by_code.connection.trace)
    assert len(entries) == TRACE_LENGTH == 200
    assert str(entries[-1]) == f"received {frames(b'4.18000e0').hex(' ').upper()} (1→0 '4.18000e0')"
    assert str(entries[-2]).startswith("sent 55 01 00 05 43 4D 41 58 3F ")
    assert entries[-2].meaning == "0→1 'CMAX?'"
    assert entries[0].time <= entries[-1].time
    await by_code.read("CELL")
    await by_code.read("ERRO")
    meanings = [each.meaning for each in by_code.connection.trace][-7:]
    assert meanings == [
        "0→1 'CELL?'",
        "1→0 '1'",
        "1→0 [3.5, 3.5, 3.75]",
        "0→1 'ERRO?'",
        "no frame",
        "1→0 '4'",
        "1→0 00 00 00 00",
    ]
    directions = [each.direction for each in by_code.connection.trace]
    assert directions.count(Direction.NOISE) == 1


async def test_counters_tell_what_happened(sim: SimulatorInMemory, client: Client) -> None:
    for _ in range(5):
        await read(client, CMAX)
    sim.faults.next("no_response")
    await read(client, CMAX)
    sim.faults.next("bit_flips")
    await read(client, CMAX)
    assert client.connection.counters.as_dict() == {
        "exchanges": 7,
        "repeated_exchanges": 2,
        "retries": 2,
        "second_looks": 0,
        "unanswered": 0,
        "nobody_there": 0,
        "fences": 0,
        "frames": 7,
        "line_errors": 1,
        "opened": 1,
    }


async def test_debug_logging_shows_every_frame(
    sim: SimulatorInMemory, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "custom_components.rec_bms.protocol"):
        await read(client, CMAX)
    assert "sent 55 01 00 05 43 4D 41 58 3F" in caplog.text
    assert "(1→0 '4.18000e0')" in caplog.text
    assert f"{sim.port} opened at 56000 baud" in caplog.text
