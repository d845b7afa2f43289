"""Finding BMSs on a port: speeds, addresses, and a progress bar that goes one way."""

from __future__ import annotations

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
) -> tuple[list[Found], list[float]]:
    progress: list[float] = []
    found = await search(opener(port), baudrates, addresses, progress.append)
    assert progress == sorted(progress)
    assert all(0 <= share <= 1 for share in progress)
    return found, progress


def test_speeds_and_addresses_are_tried_likeliest_first() -> None:
    assert BAUDRATES[:3] == (56000, 115200, 38400)
    assert ADDRESSES[:3] == (1, 2, 16)
    assert sorted(ADDRESSES) == list(range(1, 17))


async def test_a_bms_as_it_leaves_the_factory_is_found_at_the_first_question(
    simulate: Simulate,
) -> None:
    sim = simulate()
    found, progress = await found_by(sim.port, addresses=(1, 2, 16, 3))
    assert found == [Found(56000, 1, MODEL)]
    assert sim.log[0].address == 1
    assert progress[-1] == 1


async def test_the_speed_is_found(simulate: Simulate) -> None:
    sim = simulate(baud=38400, addresses=[2])
    found, _ = await found_by(sim.port, addresses=(1, 2))
    assert found == [Found(38400, 2, MODEL)]


async def test_an_unlikely_address_is_found_after_the_likely_ones(simulate: Simulate) -> None:
    sim = simulate(addresses=[5])
    found, _ = await found_by(sim.port, (56000, 115200), (1, 2, 5, 7))
    assert found == [Found(56000, 5, MODEL)]


async def test_all_on_one_pair_of_wires_are_found(simulate: Simulate) -> None:
    sim = simulate(addresses=[2, 3, 7])
    found, progress = await found_by(sim.port, addresses=(1, 2, 3, 6, 7))
    assert [each.address for each in found] == [2, 3, 7]
    assert progress[-1] == 1


async def test_only_the_addresses_that_are_wanted_are_asked(simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2])
    found, _ = await found_by(sim.port, (56000,), (2,))
    assert [each.address for each in found] == [2]
    assert {entry.address for entry in sim.log.requests()} == {2}


async def test_a_bms_that_missed_the_first_question_gets_a_second(simulate: Simulate) -> None:
    sim = simulate()
    sim.faults.next("no_answer")
    found, _ = await found_by(sim.port, (56000,), (1, 3))
    assert found == [Found(56000, 1, MODEL)]


async def test_a_bms_whose_answer_was_lost_on_a_noisy_line_is_found_in_a_second_round(
    simulate: Simulate,
) -> None:
    sim = simulate(addresses=[1, 2])
    sim.faults.next("truncated", address=2)
    found, _ = await found_by(sim.port, (56000,), (1, 2, 3))
    assert [each.address for each in found] == [1, 2]


async def test_noise_that_does_not_end_is_no_reason_to_search_for_ever(peer: Peer) -> None:
    """Address 1 answers whoever is asked, with noise in front of it."""
    peer.always["*IDN?"] = b"noise" + frames(MODEL.encode())
    found, progress = await found_by(peer.port, (56000,), (1, 3))
    assert found == [Found(56000, 1, MODEL)]
    assert [each.address for each in peer.heard].count(3) == 2
    assert progress[-1] == 1


async def test_where_nobody_answers_nothing_is_found(simulate: Simulate) -> None:
    sim = simulate()
    sim.bms[1].silent = True
    found, progress = await found_by(sim.port, (56000,), (1, 3))
    assert found == []
    assert progress[-1] == 1
    assert await found_by(sim.port, (56000,), ()) == ([], [])


async def test_a_port_that_cannot_be_opened_is_an_error_not_a_search_without_result() -> None:
    with pytest.raises(PortError):
        await found_by("/dev/no-such-port")
