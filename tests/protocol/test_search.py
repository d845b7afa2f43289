"""Finding BMSs on a port: speeds, addresses, and a progress bar that goes one way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from conftest import Simulate
from peer import Peer, frames

from custom_components.rec_bms.protocol.errors import PortError
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.scan import (
    ADDRESSES,
    BAUDRATES,
    Connect,
    Found,
    Neighbours,
    search,
)

MODEL = "REC BMS 1Q VICTRON"


def opener(port: str) -> Connect:
    @asynccontextmanager
    async def connect(baudrate: int) -> AsyncIterator[Connection]:
        connection = Connection(port, baudrate)
        try:
            yield connection
        finally:
            await connection.close()

    return connect


async def found_by(
    port: str, baudrates: tuple[int, ...] = BAUDRATES, addresses: tuple[int, ...] = ADDRESSES
) -> tuple[Found | None, list[float]]:
    progress: list[float] = []
    found = await search(opener(port), baudrates, addresses, progress.append)
    assert progress == sorted(progress)
    assert all(0 <= share <= 1 for share in progress)
    return found, progress


def test_speeds_and_addresses_are_tried_likeliest_first() -> None:
    assert BAUDRATES[:3] == (56000, 115200, 38400)
    assert ADDRESSES[:3] == (1, 2, 16)
    assert sorted(ADDRESSES) == list(range(1, 17))


async def test_a_bms_as_it_leaves_the_factory_is_found_at_the_first_request(
    simulate: Simulate,
) -> None:
    sim = simulate()
    began = asyncio.get_running_loop().time()
    found, _ = await found_by(sim.port)
    assert found == Found(56000, 1, MODEL, (14,))
    assert asyncio.get_running_loop().time() - began < 0.5
    assert [(each.address, each.instruction) for each in sim.log.requests()] == [
        (1, "*IDN"),
        (1, "CELL"),
    ]


async def test_the_speed_is_found(simulate: Simulate) -> None:
    sim = simulate(baud=38400, addresses=[2], units=2, cells=[8, 6])
    found, _ = await found_by(sim.port, addresses=(1, 2))
    assert found == Found(38400, 2, MODEL, (8, 6))


async def test_an_unlikely_address_is_found_after_the_likely_ones(simulate: Simulate) -> None:
    sim = simulate(addresses=[5])
    found, _ = await found_by(sim.port, (56000, 115200), (1, 2, 5, 7))
    assert found == Found(56000, 5, MODEL, (14,))


async def test_the_search_ends_where_the_first_is_found(simulate: Simulate) -> None:
    sim = simulate(addresses=[2, 3, 7])
    found, _ = await found_by(sim.port)
    assert found is not None
    assert found.address == 2
    assert {entry.address for entry in sim.log.requests()} == {1, 2}


async def test_only_the_addresses_that_are_wanted_are_asked(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2])
    found, _ = await found_by(sim.port, (56000,), (2,))
    assert found is not None
    assert found.address == 2
    assert {entry.address for entry in sim.log.requests()} == {2}


async def test_a_bms_that_missed_the_first_request_gets_a_second(simulate: Simulate) -> None:
    sim = simulate()
    sim.faults.next("no_response")
    found, _ = await found_by(sim.port, (56000,), (1, 3))
    assert found == Found(56000, 1, MODEL, (14,))


async def test_a_bms_that_does_not_tell_its_cells_is_found_all_the_same(simulate: Simulate) -> None:
    found, _ = await found_by(simulate(unsupported={"CELL"}).port)
    assert found == Found(56000, 1, MODEL)


async def test_noise_that_does_not_end_is_no_reason_to_search_for_ever(peer: Peer) -> None:
    peer.always["*IDN?"] = frames(MODEL.encode())
    peer.babble(b"\x55", 0.002)
    began = asyncio.get_running_loop().time()
    found, progress = await found_by(peer.port, (56000,), (1, 3))
    assert found is None
    assert progress[-1] == 1
    assert asyncio.get_running_loop().time() - began < 30


async def test_a_bms_behind_noise_is_found_and_no_other_is_looked_for(peer: Peer) -> None:
    peer.always["*IDN?"] = b"noise" + frames(MODEL.encode())
    found, _ = await found_by(peer.port, (56000,), (1, 3))
    assert found == Found(56000, 1, MODEL)
    assert 3 not in [each.address for each in peer.heard]


async def test_where_nobody_answers_nothing_is_found(simulate: Simulate) -> None:
    sim = simulate()
    sim.bms[1].silent = True
    found, progress = await found_by(sim.port, (56000,), (1, 3))
    assert found is None
    assert progress[-1] == 1
    assert await found_by(sim.port, (56000,), ()) == (None, [])


async def test_a_port_that_cannot_be_opened_is_an_error_not_a_search_without_result() -> None:
    with pytest.raises(PortError):
        await found_by("/dev/no-such-port")


# -- looking through the other addresses while one runs ------------------------------------------


async def all_beside(connection: Connection, known: tuple[int, ...] = (1,)) -> list[Found]:
    """Return what is found beside a BMS, one request after the other."""
    neighbours = Neighbours(connection)
    found = []
    while not neighbours.is_over:
        if (one := await neighbours.go_on(known)) is not None:
            found.append(one)
    return found


async def test_all_on_one_pair_of_wires_are_found_with_their_cells(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 3, 16], cells=8)
    async with opener(sim.port)(56000) as connection:
        assert await all_beside(connection) == [
            Found(56000, 16, MODEL, (8,)),
            Found(56000, 3, MODEL, (8,)),
        ]
    assert not sim.log.requests(address=1)


async def test_each_address_is_looked_at_twice_but_not_one_that_was_found(
    simulate: Simulate,
) -> None:
    sim = simulate(addresses=[1, 3])
    async with opener(sim.port)(56000) as connection:
        await all_beside(connection)
    asked = Counter(entry.address for entry in sim.log.requests() if entry.instruction == "*IDN")
    assert asked == {address: 1 if address == 3 else 2 for address in range(2, 17)}


async def test_a_neighbour_whose_response_was_lost_is_found_at_the_second_look(
    simulate: Simulate,
) -> None:
    sim = simulate(addresses=[1, 2])
    sim.faults.next("truncated", address=2)
    async with opener(sim.port)(56000) as connection:
        assert await all_beside(connection) == [Found(56000, 2, MODEL, (14,))]


async def test_a_look_is_one_request_of_no_more_than_a_response_timeout(
    simulate: Simulate,
) -> None:
    sim = simulate(addresses=[1, 2], unsupported={"CELL"})
    loop = asyncio.get_running_loop()
    async with opener(sim.port)(56000) as connection:
        neighbours = Neighbours(connection)
        while not neighbours.is_over:
            before, began = len(sim.log.requests()), loop.time()
            await neighbours.go_on({1})
            assert len(sim.log.requests()) - before <= 1
            assert loop.time() - began < 0.4


async def test_nothing_is_sent_while_others_use_the_line(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2])
    async with opener(sim.port)(56000) as connection:
        neighbours = Neighbours(connection)
        async with connection.turn():
            assert await neighbours.go_on({1}) is None
        assert not sim.log.requests()
        await neighbours.go_on({1})
        assert [entry.address for entry in sim.log.requests()] == [2]


async def test_two_that_look_at_once_do_not_get_into_each_others_way(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2, 16])
    found: list[Found | None] = []
    async with opener(sim.port)(56000) as connection:
        neighbours = Neighbours(connection)
        while not neighbours.is_over:
            found += await asyncio.gather(*(neighbours.go_on({1}) for _ in range(2)))
    assert [each.address for each in found if each is not None] == [2, 16]
    assert not sim.log.overlaps


async def test_what_a_neighbour_tells_another_master_is_not_taken_for_its_name(
    peer: Peer,
) -> None:
    to_another_master = frames(b"VMAX?", sender=0, to=2) + frames(b"12", sender=2)
    silence = [b""] * 14
    peer.script["*IDN?"].extend([to_another_master, *silence, frames(MODEL.encode(), sender=2)])
    async with opener(peer.port)(56000) as connection:
        assert await all_beside(connection) == [Found(56000, 2, MODEL)]


async def test_a_line_that_is_lost_costs_no_more_than_a_look(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2])
    async with opener(sim.port)(56000) as connection:
        neighbours = Neighbours(connection)
        sim.unplug()
        with pytest.raises(PortError):
            await neighbours.go_on({1})
        sim.replug()
        found = []
        while not neighbours.is_over:
            found.append(await neighbours.go_on({1}))
    assert Found(56000, 2, MODEL, (14,)) in found
