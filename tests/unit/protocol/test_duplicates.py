"""A response sent twice is never taken for another request's, and no request waits for it."""

from __future__ import annotations

import asyncio
import struct

import pytest

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from tests.unit.protocol.on_virtual_time import virtual
from tests.unit.protocol.scripted import Peer, frames, scripted

CMAX, CMIN, BVOL = b"4.18000e0", b"3.20000e0", b"4.08000e0"
VOLTS = struct.pack("<4f", 3.5, 3.5, 3.5, 3.5)
OHMS = struct.pack("<4f", 0.25, 0.25, 0.25, 0.25)
DEGREES, OTHER_DEGREES = struct.pack("<f", 20.0), struct.pack("<f", 21.5)

SINGLE = ("CMAX", (CMAX,), "CMIN", (CMIN,))
ARRAY = ("CELL", (b"1", VOLTS), "RINT", (b"1", OHMS))
FIXED = ("PTEM", (b"1", DEGREES), "BTEM", (b"1", OTHER_DEGREES))
SHORT = ("CHEM", (b"2",), "CANF", (b"1",))
TEXT = ("*IDN", (b"REC BMS 1Q",), "SWVR", (b"2.35",))
UNITS = ("CELL", (b"2", VOLTS, VOLTS), "RINT", (b"2", OHMS, OHMS))

KINDS = pytest.mark.parametrize(
    ("first", "said", "then", "true"), [SINGLE, ARRAY, FIXED, SHORT, TEXT, UNITS]
)


async def knowing_shapes(said: tuple[bytes, ...], first: str, then: str, true: object) -> Peer:
    """Return a peer of which it is known how its arrays look."""
    peer = await scripted()
    peer.always |= {f"{first}?": [(0.02, frames(*said))], f"{then}?": [(0.02, frames(*true))]}  # type: ignore[misc]
    if len(said) > 1:
        await peer.read(first)
        await peer.read(then)
        await asyncio.sleep(5)
        peer.heard.clear()
    return peer


@KINDS
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.005, 0.009])
@virtual
async def test_a_duplicate_that_comes_behind_the_next_request_is_not_taken(
    first: str, said: tuple[bytes, ...], then: str, true: tuple[bytes, ...], delay: float
) -> None:
    peer = await knowing_shapes(said, first, then, true)
    peer.script[f"{first}?"] += [[(0.02, frames(*said)), (0.02 + delay, frames(*said))]]
    assert await peer.read(first) == said
    assert await peer.read(then) == true


@KINDS
@virtual
async def test_a_duplicate_is_not_taken_where_the_true_response_comes_at_once_behind_it(
    first: str, said: tuple[bytes, ...], then: str, true: tuple[bytes, ...]
) -> None:
    peer = await knowing_shapes(said, first, then, true)
    peer.script[f"{then}?"] += [[(0.002, frames(*said)), (0.004, frames(*true))]]
    assert await peer.read(first) == said
    assert await peer.read(then) == true


@virtual
async def test_a_duplicate_of_the_response_before_the_last_is_not_taken_either() -> None:
    peer = await scripted()
    peer.always |= {
        "CMAX?": [(0.002, frames(CMAX))],
        "CMIN?": [(0.002, frames(CMIN))],
        "BVOL?": [(0.02, frames(BVOL))],
    }
    peer.script["BVOL?"] += [[(0.002, frames(CMAX)), (0.02, frames(BVOL))]]
    assert await peer.read("CMAX") == (CMAX,)
    assert await peer.read("CMIN") == (CMIN,)
    assert await peer.read("BVOL") == (BVOL,)


@virtual
async def test_what_differs_from_all_that_came_just_before_is_believed_at_once() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "CMIN?": [(0.002, frames(CMIN))]}
    await peer.read("CMAX")
    exchange = await peer.request("CMIN")
    assert (exchange.payloads, exchange.attempts) == ((CMIN,), 1)
    assert peer.now == pytest.approx(0.004)


@virtual
async def test_what_equals_it_is_believed_at_the_second_look() -> None:
    """The BMS is so quick that its own response might be the duplicate."""
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "BVOL?": [(0.002, frames(CMAX))]}
    await peer.read("CMAX")
    exchange = await peer.request("BVOL")
    assert (exchange.payloads, exchange.attempts) == ((CMAX,), 1)
    counters = peer.transport.counters
    assert (counters.second_looks, counters.retries, counters.repeated_exchanges) == (1, 0, 0)
    assert peer.at(2) == pytest.approx(0.004 + 0.010)


@virtual
async def test_second_looks_add_up() -> None:
    peer = await scripted()
    peer.always |= {f"{code}?": [(0.002, frames(CMAX))] for code in ("CMAX", "BVOL", "CMIN")}
    for code in ("BVOL", "CMIN"):
        await peer.read("CMAX")
        await peer.read(code)
        await asyncio.sleep(5)
    assert peer.transport.counters.second_looks == 2


@virtual
async def test_what_equals_it_is_believed_at_once_behind_an_idle_gap() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "BVOL?": [(0.0101, frames(CMAX))]}
    await peer.read("CMAX")
    exchange = await peer.request("BVOL")
    assert (exchange.payloads, exchange.attempts) == ((CMAX,), 1)


@virtual
async def test_an_idle_gap_that_nobody_watched_is_none() -> None:
    """What came while others kept the event loop busy has no time of its own."""
    peer = await scripted()
    loop = asyncio.get_running_loop()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "CMIN?": [(0.05, frames(CMIN))]}
    await peer.read("CMAX")

    def busy() -> None:
        loop._virtual.now += 0.04  # type: ignore[attr-defined]
        peer._protocol.data_received(frames(CMAX))

    loop.call_soon(busy)
    assert await peer.read("CMIN") == (CMIN,)


@virtual
async def test_a_known_value_that_would_be_doubted_is_waited_for_instead() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "BVOL?": [(0.002, frames(CMAX))]}
    for code in ("BVOL", "CMAX"):
        await peer.read(code)
        await asyncio.sleep(5)
    await peer.read("CMAX")
    began = peer.now
    exchange = await peer.request("BVOL")
    assert exchange.attempts == 1
    assert peer.at(-1) == pytest.approx(began + 0.010)


@virtual
async def test_a_single_attempt_waits_for_the_idle_gap_since_it_has_no_second_look() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.002, frames(CMAX))], "BVOL?": [(0.002, frames(CMAX))]}
    await peer.read("CMAX")
    exchange = await peer.request("BVOL", attempts=1)
    assert (exchange.payloads, exchange.attempts) == ((CMAX,), 1)
    assert peer.at(1) == pytest.approx(0.002 + 0.010)


@virtual
async def test_a_duplicate_that_keeps_a_single_attempt_waiting_is_not_taken() -> None:
    peer = await scripted()
    peer.always["CMAX?"] = [(0.02, frames(CMAX)), (0.025, frames(CMAX))]
    await peer.read("CMAX")
    with pytest.raises(NoResponseError):
        await peer.request("BVOL", attempts=1)


@virtual
async def test_after_a_doubt_a_fence_comes_before_another_request() -> None:
    """One of the two attempts may still be answered."""
    peer = await scripted()
    peer.always |= {
        "CMAX?": [(0.002, frames(CMAX))],
        "BVOL?": [(0.002, frames(CMAX))],
        "CMIN?": [(0.02, frames(CMIN))],
    }
    await peer.read("CMAX")
    await peer.read("BVOL")
    await peer.read("CMIN")
    assert peer.requests == ["CMAX?", "BVOL?", "BVOL?", "ERRO?", "CMIN?"]


@virtual
async def test_a_fence_whose_duplicate_would_pass_for_the_next_waits_for_the_idle_gap() -> None:
    peer = await scripted()
    peer.always["ERRO?"] = [(0.002, frames(b"4", bytes(4))), (0.007, frames(b"4", bytes(4)))]
    await peer.read("ERRO")
    await peer.read("ERRO")
    assert peer.at(1) == pytest.approx(0.007 + 0.010)


@virtual
async def test_an_acknowledgement_sent_twice_is_no_read_back() -> None:
    peer = await scripted()
    peer.always |= {
        "CMAX 4.1": [(0.02, frames(b"SET")), (0.025, frames(b"SET"))],
        "ERRO?": [(0.002, frames(b"4", bytes(4)))],
        "CMAX?": [(0.002, frames(b"4.10000e0"))],
    }
    assert await peer.transactions.set(1, BY_CODE["CMAX"], "4.1") == b"SET"
    assert await peer.read("CMAX") == (b"4.10000e0",)


@virtual
async def test_a_read_back_waits_until_what_was_read_before_cannot_come_again() -> None:
    peer = await scripted()
    peer.always |= {
        "CMAX?": [(0.002, frames(CMAX))],
        "CMAX 4.1": [(0.002, frames(b"SET"))],
        "ERRO?": [(0.002, frames(b"4", bytes(4)))],
    }
    await peer.read("CMAX")
    await peer.transactions.set(1, BY_CODE["CMAX"], "4.1")
    peer.script["CMAX?"] += [[(0.002, frames(b"4.10000e0"))]]
    assert await peer.read("CMAX") == (b"4.10000e0",)
    assert peer.at(-1) - peer.at(-2) == pytest.approx(0.002 + 0.010)
    assert peer.requests == ["CMAX?", "CMAX 4.1", "ERRO?", "CMAX?"]


@virtual
async def test_a_duplicate_that_comes_in_two_lumps_is_not_taken() -> None:
    """Between the halves of a frame the line is not idle, however long an adapter takes."""
    peer = await scripted()
    again = frames(CMAX)
    peer.script["CMAX?"] += [[(0.02, frames(CMAX)), (0.025, again[:6]), (0.041, again[6:])]]
    peer.always["CMIN?"] = [(0.1, frames(CMIN))]
    await peer.read("CMAX")
    assert await peer.read("CMIN") == (CMIN,)
