"""One request at a time, and no response taken for another request's: each clause of each rule."""

from __future__ import annotations

import asyncio
import struct

import pytest

from custom_components.rec_bms.protocol.errors import NoResponseError, UnknownInstructionError
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from tests.unit.protocol.on_virtual_time import virtual
from tests.unit.protocol.scripted import Peer, frames, scripted

CMAX, CMIN, BVOL = frames(b"4.18000e0"), frames(b"3.20000e0"), frames(b"4.08000e0")
NO_ERROR = frames(b"4", bytes(4))
LCD3 = frames(b"8", bytes(8))
ONE = struct.pack("<f", 20.0)
FOUR_UNITS = frames(b"4", *[ONE] * 4)
PTEM = ("PTEM?", [(0.02, FOUR_UNITS)])


async def lost(peer: Peer, code: str, **options: int) -> NoResponseError:
    """Request what is not answered."""
    with pytest.raises(NoResponseError) as caught:
        await peer.request(code, **options)
    return caught.value


async def arrival() -> None:
    """Return when what comes now has come."""
    await asyncio.sleep(1e-9)


def about(value: float) -> object:
    return pytest.approx(value, abs=1e-6)


# -- attempts ---------------------------------------------------------------------------------


@virtual
async def test_a_response_comes_with_its_attempts() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[], [(0.02, CMAX)]]
    exchange = await peer.request("CMAX")
    assert (exchange.payloads, exchange.attempts) == ((b"4.18000e0",), 2)
    assert [peer.at(0), peer.at(1), peer.now] == [about(0), about(0.35), about(0.37)]
    assert peer.heard[0][:2] == ("CMAX?", 1)
    counters = peer.transport.counters
    assert (counters.exchanges, counters.repeated_exchanges, counters.retries) == (1, 1, 1)
    assert (counters.unanswered, counters.fences, counters.line_errors) == (0, 0, 0)


@virtual
async def test_three_attempts_of_which_the_last_waits_until_2_s_after_the_first() -> None:
    peer = await scripted()
    error = await lost(peer, "CMAX")
    assert (error.address, error.instruction, error.attempts) == (1, "CMAX", 3)
    assert error.name == BY_CODE["CMAX"].name
    assert [peer.at(index) for index in range(3)] == [about(0), about(0.35), about(0.7)]
    assert peer.now == about(2.0)
    counters = peer.transport.counters
    assert (counters.exchanges, counters.repeated_exchanges, counters.retries) == (1, 1, 2)
    assert counters.unanswered == 1


@virtual
async def test_an_error_in_place_of_a_response_tells_what_is_not_known_and_ends_the_attempts() -> (
    None
):
    peer = await scripted()
    peer.script["CMAX?"] += [[], [(0.02, frames(b"ERROR1"))]]
    error = await lost(peer, "CMAX")
    assert isinstance(error, UnknownInstructionError)
    assert (error.address, error.instruction, error.attempts) == (1, "CMAX", 2)
    assert error.name == BY_CODE["CMAX"].name
    assert peer.requests == ["CMAX?"] * 2


@virtual
async def test_counters_add_up_over_exchanges() -> None:
    peer = await scripted()
    for _ in range(2):
        await lost(peer, "CMAX")
    peer.always["CMAX?"] = [(0.02, CMAX)]
    await peer.read("CMAX")
    counters = peer.transport.counters
    assert (counters.exchanges, counters.repeated_exchanges, counters.retries) == (3, 2, 4)
    assert counters.unanswered == 2


@virtual
async def test_a_single_attempt_does_not_wait_for_the_latest_response() -> None:
    peer = await scripted()
    error = await lost(peer, "CMAX", attempts=1)
    assert (error.attempts, peer.requests) == (1, ["CMAX?"])
    assert peer.now == about(0.35)


@virtual
async def test_of_two_attempts_the_last_waits() -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=2)
    assert peer.requests == ["CMAX?"] * 2
    assert peer.now == about(2.0)


@virtual
async def test_the_last_attempt_has_its_350_ms_even_after_2_s() -> None:
    """The line was so noisy that the last attempt came late."""
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.008 * index, b"\x01") for index in range(230)], [(0.3, CMAX)]]
    exchange = await peer.request("CMAX", attempts=2)
    assert exchange.attempts == 2
    assert peer.at(1) > 1.8


# -- fences -----------------------------------------------------------------------------------


@virtual
async def test_while_another_is_pending_a_fence_comes_first() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.36, CMAX)]]
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await lost(peer, "CMAX", attempts=1)
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.requests == ["CMAX?", "ERRO?", "CMIN?"]
    assert peer.transport.counters.fences == 1


@virtual
async def test_no_fence_between_attempts_of_one_instruction() -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=1)
    peer.always["CMAX?"] = [(0.02, CMAX)]
    await peer.read("CMAX")
    assert peer.requests == ["CMAX?", "CMAX?"]


@virtual
async def test_no_fence_for_what_another_address_has_pending() -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=1, address=2)
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await peer.read("CMIN")
    assert peer.requests == ["CMAX?", "CMIN?"]


@virtual
async def test_no_fence_before_a_fence() -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=1)
    await peer.read("LCD1")
    assert peer.requests == ["CMAX?", "LCD1?"]


@pytest.mark.parametrize("code", ["ERRO", "LCD3", "LCD1"])
@virtual
async def test_a_fence_settles_all_before_it_when_answered_at_its_first_attempt(code: str) -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=1)
    await lost(peer, "BVOL", attempts=1)
    peer.heard.clear()
    await peer.read(code)
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await peer.read("CMIN")
    assert peer.requests == [f"{code}?", "CMIN?"]


@virtual
async def test_what_is_no_fence_settles_itself_alone() -> None:
    """CELL has a shape of its own among what is pending here, but others' arrays have it too."""
    peer = await scripted()
    peer.always |= {"CMIN?": [(0.02, CMIN)], "CMAX?": [(0.02, CMAX)]}
    peer.script["CMIN?"] += [[]]
    await lost(peer, "CMIN", attempts=1)
    await peer.read("CMIN")
    await peer.read("CMAX")
    assert peer.requests == ["CMIN?", "CMIN?", "ERRO?", "CMAX?"]


@virtual
async def test_a_fence_answered_at_its_second_attempt_settles_one_attempt_only() -> None:
    """The response may be the first attempt's, and older ones be still on their way."""
    peer = await scripted()
    peer.script["LCD1?"] += [[]]
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await peer.read("LCD1")
    await peer.read("CMIN")
    assert peer.requests == ["LCD1?", "LCD1?", "ERRO?", "CMIN?"]


@virtual
async def test_a_fence_that_is_pending_itself_is_none_and_another_is_taken() -> None:
    peer = await scripted()
    for code in ("ERRO", "LCD3"):
        peer.script[f"{code}?"] += [[]]
        await lost(peer, code, attempts=1)
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await peer.read("CMIN")
    assert peer.requests == ["ERRO?", "LCD3?", "LCD1?", "CMIN?"]


@virtual
async def test_where_each_fence_is_pending_2_s_are_waited_out() -> None:
    peer = await scripted()
    for code in ("ERRO", "LCD3", "LCD1"):
        peer.script[f"{code}?"] += [[(1.9, b"\x01")]]
        await lost(peer, code, attempts=1)
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await peer.read("CMIN")
    assert peer.requests == ["ERRO?", "LCD3?", "LCD1?", "CMIN?"]
    assert peer.at(3) - peer.at(2) >= 2.0
    assert peer.at(3) - peer.at(2) < 2.1
    assert peer.transport.counters.fences == 0


@virtual
async def test_where_a_fence_is_not_answered_what_was_pending_is_waited_for() -> None:
    peer = await scripted()
    peer.always |= {"ERRO?": [], "CMIN?": [(0.02, CMIN)]}
    peer.script["CMAX?"] += [[(1.99, CMAX)]]
    await lost(peer, "CMAX", attempts=1)
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.requests == ["CMAX?", "ERRO?", "CMIN?"]
    assert peer.at(2) == about(2.0)
    assert peer.transport.counters.line_errors == 1


@virtual
async def test_a_late_response_in_front_of_the_fence_is_dropped() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.36, CMAX)]]
    peer.always["CMIN?"] = [(0.02, CMIN)]
    await lost(peer, "CMAX", attempts=1)
    assert await peer.read("CMIN") == (b"3.20000e0",)


@virtual
async def test_fences_add_up() -> None:
    peer = await scripted()
    peer.always["CMIN?"] = [(0.02, CMIN)]
    for _ in range(2):
        await lost(peer, "CMAX", attempts=1)
        await peer.read("CMIN")
    assert peer.transport.counters.fences == 2


@virtual
async def test_a_fence_right_behind_the_same_one_waits_for_the_idle_gap() -> None:
    peer = await scripted()
    peer.always |= {"ERRO?": [(0.002, NO_ERROR)], "CMAX 4.1": [(0.002, frames(b"SET"))]}
    await peer.read("ERRO")
    await peer.transactions.set(1, BY_CODE["CMAX"], "4.1")
    assert peer.requests == ["ERRO?", "CMAX 4.1", "ERRO?"]
    assert peer.at(2) == about(0.004 + 0.010)


# -- arrays that begin like a fence's response ------------------------------------------------


@pytest.mark.parametrize("code", ["ERRO", "BTEM"])
@virtual
async def test_while_an_array_of_units_is_pending_a_fixed_one_is_heard_out(code: str) -> None:
    peer = await scripted()
    said = NO_ERROR if code == "ERRO" else frames(b"1", ONE)
    peer.script["PTEM?"] += [[]]
    peer.always[f"{code}?"] = [(0.02, said)]
    await lost(peer, "PTEM", attempts=1)
    before = peer.now
    await peer.read(code)
    # BTEM comes behind a fence, which is heard out in its place.
    extra = 0.0 if code == "ERRO" else 0.02
    assert peer.now == about(before + 0.03 + extra)


@virtual
async def test_an_array_of_four_units_is_not_taken_for_no_error() -> None:
    peer = await scripted()
    peer.script["PTEM?"] += [[(0.36, FOUR_UNITS)]]
    await lost(peer, "PTEM", attempts=1)
    assert await peer.read("ERRO") == (b"4", bytes(4))
    assert peer.requests == ["PTEM?", "ERRO?"]


@virtual
async def test_a_fence_is_taken_at_once_where_only_singles_are_pending() -> None:
    peer = await scripted()
    await lost(peer, "CMAX", attempts=1)
    before = peer.now
    await peer.read("ERRO")
    assert peer.now == about(before + 0.02)


# -- what belongs to others -------------------------------------------------------------------


@virtual
async def test_frames_of_and_for_others_are_dropped_and_counted() -> None:
    peer = await scripted()
    stray = frames(b"3.20000e0", sender=2) + frames(b"3.20000e0", destination=3)
    peer.always["CMAX?"] = [(0.01, stray), (0.05, CMAX)]
    assert await peer.read("CMAX") == (b"4.18000e0",)
    assert peer.transport.counters.line_errors == 2


@pytest.mark.parametrize("while_listening", [True, False])
@virtual
async def test_what_a_bms_says_to_another_master_leaves_nothing_pending(
    while_listening: bool,
) -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    stray = frames(b"BVOL?", sender=2, destination=3)
    if while_listening:
        peer.script["CMAX?"] += [[(0.01, stray), (0.02, CMAX)]]
    else:
        peer.send([(0.0, stray)])
        await arrival()
    await peer.read("CMAX")
    await lost(peer, "CMIN", address=3, attempts=1)
    assert peer.requests == ["CMAX?", "CMIN?"]


@virtual
async def test_the_requests_of_other_masters_are_counted() -> None:
    peer = await scripted()
    peer.always["CMAX?"] = [(0.02, CMAX)]
    peer.send([(0.0, frames(b"BVOL?", sender=0, destination=2) * 3)])
    await arrival()
    await peer.read("CMAX")
    assert peer.transport.counters.line_errors == 3


@virtual
async def test_another_masters_request_within_the_idle_gap_is_fenced_off() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    await peer.read("CMAX")
    peer.send([(0.005, frames(b"BVOL?", sender=0, destination=1))])
    exchange = await peer.request("CMIN", attempts=1)
    assert exchange.payloads == (b"3.20000e0",)
    assert peer.requests == ["CMAX?", "ERRO?", "CMIN?"]


@virtual
async def test_the_last_attempt_waits_behind_its_fence_too() -> None:
    """Nought degrees look like no error."""
    peer = await scripted()
    peer.always["BTEM?"] = [(0.002, frames(b"1", bytes(4)))]
    await lost(peer, "CMAX", attempts=1)
    exchange = await peer.request("BTEM", attempts=1)
    assert exchange.payloads == (b"1", bytes(4))
    assert peer.requests == ["CMAX?", "ERRO?", "BTEM?"]


@virtual
async def test_an_echo_is_dropped_every_time() -> None:
    peer = await scripted()
    echo = frames(b"CMAX?", sender=0, destination=1)
    peer.always["CMAX?"] = [(0.001, echo), (0.02, CMAX)]
    for _ in range(2):
        await peer.read("CMAX")
    assert peer.requests == ["CMAX?"] * 2
    assert peer.transport.counters.line_errors == 0


@virtual
async def test_a_second_echo_is_another_masters_request() -> None:
    peer = await scripted()
    echo = frames(b"CMAX?", sender=0, destination=1)
    peer.script["CMAX?"] += [[(0.001, echo), (0.002, echo), (0.02, CMAX)]]
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    await peer.read("CMAX")
    await peer.read("CMIN")
    assert peer.requests[-2:] == ["ERRO?", "CMIN?"]
    assert peer.transport.counters.line_errors >= 1


@virtual
async def test_a_first_echo_on_an_adapter_without_is_another_masters_request() -> None:
    peer = await scripted()
    echo = frames(b"CMAX?", sender=0, destination=1)
    peer.script["CMAX?"] += [[(0.02, CMAX)], [(0.001, echo), (0.02, CMAX), (0.03, CMAX)]]
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    await peer.read("CMAX")
    await peer.read("CMAX")
    assert peer.transport.counters.line_errors >= 1
    await peer.read("CMIN")
    assert "ERRO?" in peer.requests


@virtual
async def test_another_masters_request_makes_a_single_value_worthless() -> None:
    peer = await scripted()
    other = frames(b"BVOL?", sender=0, destination=1)
    peer.script["CMIN?"] += [[(0.005, other), (0.02, BVOL), (0.04, CMIN)]]
    peer.always["CMIN?"] = [(0.02, CMIN)]
    exchange = await peer.request("CMIN")
    assert (exchange.payloads, exchange.attempts) == ((b"3.20000e0",), 2)
    assert peer.requests == ["CMIN?", "ERRO?", "CMIN?"]
    assert peer.transport.counters.line_errors >= 1


@virtual
async def test_another_masters_request_to_another_bms_does_not() -> None:
    peer = await scripted()
    other = frames(b"BVOL?", sender=0, destination=2)
    peer.script["CMIN?"] += [[(0.005, other), (0.02, CMIN)]]
    exchange = await peer.request("CMIN")
    assert (exchange.payloads, exchange.attempts) == ((b"3.20000e0",), 1)
    assert peer.transport.counters.line_errors == 1
    await lost(peer, "CMAX", address=2, attempts=1)
    assert peer.heard[-2:][0][:2] == ("ERRO?", 2)


@virtual
async def test_another_masters_request_heard_between_ours_is_fenced_off() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    await peer.read("CMAX")
    peer.send([(0.0, frames(b"BVOL?", sender=0, destination=1)), (0.03, BVOL)])
    await arrival()
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.requests == ["CMAX?", "ERRO?", "CMIN?"]


@virtual
async def test_another_masters_request_heard_just_before_sending_spoils_a_single_value() -> None:
    peer = await scripted()
    peer.always |= {"CMAX?": [(0.02, CMAX)], "CMIN?": [(0.02, CMIN)]}
    peer.script["CMIN?"] += [[(0.02, BVOL), (0.04, CMIN)]]
    await lost(peer, "BVOL", attempts=1)
    # Behind the fence, while the request is about to be sent.
    peer.script["ERRO?"] += [[(0.02, NO_ERROR + frames(b"BVOL?", sender=0, destination=1))]]
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.requests == ["BVOL?", "ERRO?", "CMIN?", "ERRO?", "CMIN?"]


@virtual
async def test_a_fence_is_not_spoiled_by_another_masters_fence_and_still_is_none() -> None:
    peer = await scripted()
    peer.always |= {"CMIN?": [(0.02, CMIN)]}
    peer.send([(0.0, frames(b"LCD1?", sender=0, destination=1))])
    await arrival()
    await peer.read("ERRO")
    assert peer.requests == ["ERRO?"]


@virtual
async def test_frames_that_came_while_nobody_listened_are_dropped_and_counted() -> None:
    peer = await scripted()
    peer.always |= {"CMIN?": [(0.02, CMIN)]}
    peer.send([(0.0, CMAX + frames(b"x", sender=0, destination=0))])
    await arrival()
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.transport.counters.line_errors == 2
    assert peer.requests == ["CMIN?"]
    assert peer.at(0) == about(0.01)


# -- idle gaps and half frames ----------------------------------------------------------------


@virtual
async def test_nothing_is_sent_while_bytes_keep_coming() -> None:
    peer = await scripted()
    peer.always["CMIN?"] = [(0.02, CMIN)]
    peer.send([(0.009 * index, b"\x01") for index in range(5)])
    await arrival()
    await peer.read("CMIN")
    assert peer.at(0) == about(0.036 + 0.010)


@virtual
async def test_a_frame_that_has_begun_is_waited_for_40_ms() -> None:
    peer = await scripted()
    peer.always["CMIN?"] = [(0.02, CMIN)]
    peer.send([(0.0, CMAX[:6])])
    await arrival()
    await peer.read("CMIN")
    assert peer.at(0) == about(0.040)


@virtual
async def test_the_rest_of_a_frame_that_has_begun_is_taken_in_first() -> None:
    peer = await scripted()
    peer.always["CMIN?"] = [(0.02, CMIN)]
    peer.send([(0.0, CMAX[:6]), (0.016, CMAX[6:])])
    await arrival()
    assert await peer.read("CMIN") == (b"3.20000e0",)
    assert peer.at(0) == about(0.040)


@virtual
async def test_a_line_that_never_falls_idle_is_talked_into_after_twice_2_s() -> None:
    peer = await scripted()
    peer.send([(0.005 * index, b"\x01") for index in range(1000)])
    await arrival()
    await lost(peer, "CMIN", attempts=1)
    assert 4.0 <= peer.at(0) < 4.02


@virtual
async def test_nothing_is_set_while_a_frame_that_began_after_2_s_of_noise_is_coming() -> None:
    peer = await scripted()
    peer.always["CMAX 4.1"] = [(0.02, frames(b"SET"))]
    noise = [(0.005 * index, b"\x01") for index in range(400)]
    peer.send([*noise, (2.0, CMIN[:6]), (2.03, CMIN[6:])])
    await arrival()
    await peer.transactions.set(1, BY_CODE["CMAX"], "4.1")
    assert 2.03 <= peer.at(0) <= 2.04 + 1e-6


@virtual
async def test_a_line_that_never_falls_idle_is_listened_to_for_2_s_more() -> None:
    peer = await scripted()
    peer.script["CMIN?"] += [[(0.005 * index, b"\x01") for index in range(1000)]]
    await lost(peer, "CMIN", attempts=1)
    assert peer.now == about(2.35)


@virtual
async def test_a_response_that_has_begun_in_time_is_waited_for() -> None:
    peer = await scripted()
    pieces = [(0.345 + 0.035 * index, CMAX[index : index + 1]) for index in range(len(CMAX))]
    peer.script["CMAX?"] += [pieces]
    assert (await peer.request("CMAX")).attempts == 1


@virtual
async def test_a_response_whose_rest_does_not_come_for_40_ms_is_given_up() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.34, CMAX[:6]), (0.39, CMAX[6:])]]
    await lost(peer, "CMAX", attempts=1)
    assert peer.now == about(0.38)


@virtual
async def test_a_good_frame_behind_a_false_start_is_found_after_40_ms() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.02, bytes.fromhex("55 00 01 F0") + CMAX)]]
    exchange = await peer.request("CMAX")
    assert (exchange.payloads, exchange.attempts) == ((b"4.18000e0",), 1)
    assert peer.now == about(0.06)


@virtual
async def test_it_is_looked_for_again_when_more_has_come() -> None:
    peer = await scripted()
    start = bytes.fromhex("55 00 01 F0")
    peer.script["CMAX?"] += [[(0.02, start), (0.1, CMAX)]]
    await peer.read("CMAX")
    assert peer.now == about(0.14)


@virtual
async def test_an_unfinished_frame_is_forgotten_with_the_next_request() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.02, bytes.fromhex("55 00 01 F0"))], [(0.02, CMAX)]]
    await peer.read("CMAX")
    assert peer.now == about(0.37)


@virtual
async def test_a_short_number_counts_when_nothing_has_followed_for_10_ms() -> None:
    peer = await scripted()
    peer.always["CHEM?"] = [(0.02, frames(b"2"))]
    await peer.read("CHEM")
    assert peer.now == about(0.03)


@virtual
async def test_a_short_number_that_bytes_follow_does_not_count() -> None:
    peer = await scripted()
    peer.script["CHEM?"] += [
        [(0.02, frames(b"2")), (0.025, b"\x55\x00\x01\x20")],
        [(0.02, frames(b"3"))],
    ]
    assert await peer.read("CHEM") == (b"3",)


# -- setting ----------------------------------------------------------------------------------


@virtual
async def test_a_set_is_sent_once_and_fenced() -> None:
    peer = await scripted()
    peer.always["CMAX 4.1"] = [(1.9, frames(b"SET"))]
    assert await peer.transactions.set(1, BY_CODE["CMAX"], "4.1") == b"SET"
    assert peer.requests == ["CMAX 4.1", "ERRO?"]
    assert peer.heard[0][1] == 1
    assert peer.at(1) == about(1.9)


@virtual
async def test_a_set_that_is_not_acknowledged_is_waited_for_2_s() -> None:
    peer = await scripted()
    assert await peer.transactions.set(1, BY_CODE["CMAX"], "4.1") is None
    assert peer.requests == ["CMAX 4.1", "ERRO?"]
    assert peer.at(1) == about(2.0)


@virtual
async def test_an_acknowledged_set_is_not_pending_any_more() -> None:
    peer = await scripted()
    peer.always |= {"CMAX 4.1": [(0.02, frames(b"SET"))], "ERRO?": []}
    await peer.transactions.set(1, BY_CODE["CMAX"], "4.1")
    # Nothing was pending, so the fence that is not answered is waited for alone.
    assert peer.now == about(0.02 + 0.35)


@virtual
async def test_numbers_pending_from_before_a_set_are_fenced_off_behind_it() -> None:
    peer = await scripted()
    peer.script["CMAX?"] += [[(0.6, CMAX)], [(0.02, frames(b"4.10000e0"))]]
    peer.always["CMAX 4.1"] = [(0.05, frames(b"SET"))]
    peer.script["ERRO?"] += [[(0.3, NO_ERROR)]]
    await lost(peer, "CMAX", attempts=1)
    assert await peer.transactions.set(1, BY_CODE["CMAX"], "4.1") == b"SET"
    assert await peer.read("CMAX") == (b"4.10000e0",)
