"""Responses carry no name: each rule by which none is taken for another request's.

The far end follows a script, so that it can do what a BMS does only at the worst of times.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable

import pytest
from conftest import ByCode, Connect, read
from peer import Peer, frames

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.readings import BmsTemperature
from custom_components.rec_bms.protocol.state import ErrorState, PerUnit

CMAX = frames(b"4.18000e0")
CMIN = frames(b"3.20000e0")
BVOL = frames(b"4.08000e0")
NO_ERROR = frames(b"4", bytes(4))
CELLS = struct.pack("<14f", *[3.5] * 14)
CELL = frames(b"1", CELLS)
OHMS = frames(b"1", struct.pack("<14f", *[0.25] * 14))
LCD1 = frames(b"28", struct.pack("<7f", 3.5, 3.75, -2.0, 19.0, 52.5, 0.5, 0.75))
LCD3 = frames(b"8", bytes((1, 8, 1, 3, 1, 2, 1, 0)))

AT_ONCE = 0.1
"""Seconds: generous for a busy machine, and far below the 350 ms of an unanswered attempt."""


@pytest.fixture(autouse=True)
def good_fences(peer: Peer) -> None:
    """What a script does not say of the fences: they are answered."""
    peer.always |= {"ERRO?": NO_ERROR, "LCD1?": LCD1, "LCD3?": LCD3}


async def took(coroutine: Awaitable[object]) -> tuple[object, float]:
    """Return a result and how many seconds it took."""
    began = asyncio.get_running_loop().time()
    result = await coroutine
    return result, asyncio.get_running_loop().time() - began


# -- asking again -----------------------------------------------------------------------------


async def test_a_response_is_taken_the_moment_its_last_byte_is_in(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always |= {"CMAX?": CMAX, "CELL?": CELL}
    await by_code.read("CMAX")
    for code in ("CMAX", "CELL", "LCD1", "ERRO", "LCD3"):
        _, seconds = await took(by_code.read(code))
        assert seconds < 0.05, code


async def test_without_a_response_it_asks_again_after_350_ms(peer: Peer, by_code: ByCode) -> None:
    peer.script["CMAX?"] += [b"", CMAX]
    value, seconds = await took(by_code.read("CMAX"))
    assert value == 4.18
    assert peer.asked == ["CMAX?", "CMAX?"]
    assert 0.34 < peer.heard[1].at - peer.heard[0].at < 0.45
    assert seconds < 0.35 + AT_ONCE


async def test_three_attempts_and_the_last_waits_until_2_s_after_the_first(
    peer: Peer, by_code: ByCode
) -> None:
    async def silence() -> float:
        with pytest.raises(NoResponseError) as caught:
            await by_code.read("CMAX")
        assert (caught.value.address, caught.value.instruction) == (1, "CMAX")
        return asyncio.get_running_loop().time()

    ended = await silence()
    assert peer.asked == ["CMAX?"] * 3
    assert 1.95 < ended - peer.heard[0].at < 2.15
    counters = by_code.connection.counters
    assert (counters.exchanges, counters.repeated_exchanges, counters.retries) == (1, 1, 2)
    assert (counters.unanswered, counters.frames, counters.line_errors) == (1, 0, 0)


async def test_one_attempt_waits_350_ms_and_no_longer(peer: Peer, by_code: ByCode) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(NoResponseError):
        await by_code.read("CMAX", attempts=1)
    assert 0.34 < asyncio.get_running_loop().time() - began < 0.35 + AT_ONCE
    assert peer.asked == ["CMAX?"]


async def test_a_response_up_to_2_s_late_counts_for_its_own_request(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [[(1.7, CMAX)], b"", b""]
    value, seconds = await took(by_code.read("CMAX"))
    assert value == 4.18
    assert 1.65 < seconds < 2.0


async def test_a_response_that_has_begun_in_time_is_waited_for(peer: Peer, by_code: ByCode) -> None:
    pieces = [(0.25 + 0.02 * index, CELL[index * 8 : index * 8 + 8]) for index in range(9)]
    peer.script["CELL?"] += [pieces]
    assert await by_code.read("CELL") == PerUnit(((3.5,) * 14,))
    assert peer.asked == ["CELL?"]


async def test_a_request_has_its_350_ms_from_when_it_was_asked(peer: Peer, by_code: ByCode) -> None:
    """Noise that is waited for before asking is not taken off the time for the response."""
    peer.always["CMAX?"] = CMAX
    await by_code.read("CMAX")
    for step in range(60):
        peer.say(b"\x01\x02", after=0.005 * step)
    await asyncio.sleep(0.01)
    peer.script["CMIN?"] += [[(0.2, CMIN)]]
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked.count("CMIN?") == 1


# -- late responses and fences ------------------------------------------------------------------


async def test_late_response_is_not_taken_for_the_next_request(peer: Peer, by_code: ByCode) -> None:
    """The BMS answers in the order asked: the late response first, then the fence's."""
    peer.script["CMAX?"] += [[(0.5, CMAX)]]
    peer.script["ERRO?"] += [[(0.15, NO_ERROR)]]
    peer.always["CMIN?"] = CMIN
    with pytest.raises(NoResponseError):
        await by_code.read("CMAX", attempts=1)
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked == ["CMAX?", "ERRO?", "CMIN?"]
    assert by_code.connection.counters.fences == 1


async def test_no_fence_is_asked_while_nothing_is_pending(peer: Peer, by_code: ByCode) -> None:
    peer.always |= {"CMAX?": CMAX, "CMIN?": CMIN, "CELL?": CELL}
    for code in ("CMAX", "CMIN", "CELL", "CMAX"):
        await by_code.read(code)
    assert peer.asked == ["CMAX?", "CMIN?", "CELL?", "CMAX?"]


async def test_no_fence_is_asked_between_attempts_of_one_request(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [b"", CMAX]
    await by_code.read("CMAX")
    peer.always["CMAX?"] = CMAX
    await by_code.read("CMAX")
    assert peer.asked == ["CMAX?"] * 3


async def test_no_fence_is_asked_before_what_nothing_can_be_mistaken_for(
    peer: Peer, by_code: ByCode
) -> None:
    for code in ("LCD1", "ERRO", "LCD3"):
        with pytest.raises(NoResponseError):
            await by_code.read("CMAX", attempts=1)
        await by_code.read(code)
    assert peer.asked == ["CMAX?", "LCD1?", "CMAX?", "ERRO?", "CMAX?", "LCD3?"]


async def test_lcd1_answered_at_once_is_a_fence_too(peer: Peer, by_code: ByCode) -> None:
    peer.always["CMIN?"] = CMIN
    with pytest.raises(NoResponseError):
        await by_code.read("CMAX", attempts=1)
    await by_code.read("LCD1")
    await by_code.read("CMIN")
    assert peer.asked == ["CMAX?", "LCD1?", "CMIN?"]


async def test_a_fence_whose_own_response_is_pending_is_none(peer: Peer, by_code: ByCode) -> None:
    """Its response may be the older attempt's, and tell nothing about what came between."""
    peer.script["ERRO?"] += [b""]
    peer.always["CMIN?"] = CMIN
    for code in ("ERRO", "CMAX"):
        with pytest.raises(NoResponseError):
            await by_code.read(code, attempts=1)
    await by_code.read("CMIN")
    # LCD3 settles the pending ERRO before CMAX is asked; then ERRO is free again.
    assert peer.asked == ["ERRO?", "LCD3?", "CMAX?", "ERRO?", "CMIN?"]


async def test_after_a_silent_fence_the_2_s_are_waited_out(peer: Peer, by_code: ByCode) -> None:
    peer.script["CMAX?"] += [[(1.8, CMAX)]]
    peer.script["ERRO?"] += [b""]
    peer.always["CMIN?"] = CMIN
    with pytest.raises(NoResponseError):
        await by_code.read("CMAX", attempts=1)
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked == ["CMAX?", "ERRO?", "CMIN?"]
    assert peer.heard[2].at - peer.heard[0].at > 1.95


async def test_where_every_fences_response_is_pending_the_2_s_are_waited_out(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always = {"CMIN?": CMIN}
    for code in ("ERRO", "LCD3", "LCD1"):
        with pytest.raises(NoResponseError):
            await by_code.read(code, attempts=1)
    last_asked = peer.heard[-1]
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked[-1] == "CMIN?"
    assert peer.heard[-1].at - last_asked.at > 1.95


async def test_cells_and_resistances_are_not_mistaken_for_each_other(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always["CELL?"] = CELL
    await by_code.read("CELL")
    peer.script["RINT?"] += [[(0.5, OHMS)]]
    peer.script["ERRO?"] += [[(0.15, NO_ERROR)]]
    with pytest.raises(NoResponseError):
        await by_code.read("RINT", attempts=1)
    assert await by_code.read("CELL") == PerUnit(((3.5,) * 14,))


@pytest.mark.parametrize("code", ["ERRO", "CMAX"])
async def test_a_late_response_of_units_is_not_taken_for_a_fences(
    peer: Peer, by_code: ByCode, code: str
) -> None:
    """Four units with one sensor each answer in the very shape of ERRO, save for what follows."""
    four = frames(b"4", *[struct.pack("<f", 19.0)] * 4)
    error = frames(b"4", bytes((1, 1, 9, 2)))
    peer.script["PTEM?"] += [[(0.4, four)]]
    peer.script["ERRO?"] += [[(0.15, error)]]
    peer.always |= {"ERRO?": error, "CMAX?": CMAX}
    with pytest.raises(NoResponseError):
        await by_code.read("PTEM", attempts=1)
    value = await by_code.read(code)
    assert value == (
        4.18 if code == "CMAX" else ErrorState(present=True, unit=1, number=9, location=2)
    )
    assert "CMAX?" not in peer.asked or peer.heard[-1].at - peer.heard[1].at > 0.15


async def test_a_late_response_of_eight_units_is_not_taken_for_lcd3(
    peer: Peer, by_code: ByCode
) -> None:
    eight = frames(b"8", *[struct.pack("<2f", 19.0, 20.0)] * 8)
    peer.script["PTEM?"] += [[(0.4, eight)]]
    peer.script["LCD3?"] += [[(0.15, LCD3)]]
    with pytest.raises(NoResponseError):
        await by_code.read("PTEM", attempts=1)
    extremes = await by_code.read("LCD3")
    assert getattr(extremes, "consumed_charge", None) == 256


# -- whose response it is -----------------------------------------------------------------------


async def test_the_echo_of_our_own_bytes_is_dropped(peer: Peer, by_code: ByCode) -> None:
    for code, response in (("CMAX", CMAX), ("CMIN", CMIN), ("CELL", CELL), ("LCD1", LCD1)):
        peer.always[f"{code}?"] = frames(f"{code}?".encode(), sender=0, to=1) + response
        _, seconds = await took(by_code.read(code))
        assert seconds < AT_ONCE
    assert await by_code.read("CMAX") == 4.18
    assert peer.asked == ["CMAX?", "CMIN?", "CELL?", "LCD1?", "CMAX?"]
    assert by_code.connection.counters.line_errors == 0


async def test_the_response_from_another_address_does_not_count(
    peer: Peer, by_code: ByCode
) -> None:
    strange = frames(b"3.65000e0", sender=2)
    peer.script["CMAX?"] += [strange + CMAX]
    assert await by_code.read("CMAX") == 4.18
    peer.script["CMAX?"] += [strange, CMAX]
    assert await by_code.read("CMAX") == 4.18
    assert by_code.connection.counters.line_errors == 2


async def test_a_response_to_another_destination_does_not_count(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [frames(b"3.65000e0", to=7) + CMAX]
    assert await by_code.read("CMAX") == 4.18


async def test_a_response_to_another_master_is_never_taken(peer: Peer, by_code: ByCode) -> None:
    """Heard between our request and its response: what comes first may be either's."""
    other = frames(b"CMIN?", sender=0, to=1)
    peer.script["CMAX?"] += [[(0.0, other), (0.02, CMIN), (0.04, CMAX)], CMAX]
    assert await by_code.read("CMAX") == 4.18


async def test_a_request_overheard_in_idle_time_is_fenced(peer: Peer, by_code: ByCode) -> None:
    peer.always |= {"CMAX?": CMAX, "CMIN?": CMIN}
    await by_code.read("CMAX")
    peer.say(frames(b"BVOL?", sender=0, to=1))
    peer.say(BVOL, after=0.02)
    peer.script["CMIN?"] += [[(0.1, CMIN)]]
    peer.script["ERRO?"] += [[(0.05, NO_ERROR)]]
    await asyncio.sleep(0.002)
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked == ["CMAX?", "ERRO?", "CMIN?"]


async def test_a_request_overheard_close_behind_our_response_is_fenced(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [
        [(0.0, CMAX), (0.003, frames(b"BVOL?", sender=0, to=1)), (0.035, BVOL)]
    ]
    peer.script["CMIN?"] += [[(0.1, CMIN)], [(0.1, CMIN)]]
    peer.script["ERRO?"] += [[(0.06, NO_ERROR)]]
    await by_code.read("CMAX")
    assert await by_code.read("CMIN") == 3.2


async def test_another_master_asking_what_we_asked_is_no_echo(peer: Peer, by_code: ByCode) -> None:
    """On an adapter without an echo; its response comes behind ours and is not our next one's."""
    peer.always |= {"CMAX?": CMAX, "CMIN?": CMIN}
    await by_code.read("CMAX")
    peer.script["CMAX?"] += [[(0.0, frames(b"CMAX?", sender=0, to=1)), (0.01, CMAX), (0.045, CMAX)]]
    peer.script["CMIN?"] += [[(0.1, CMIN)]]
    peer.script["ERRO?"] += [[(0.05, NO_ERROR)]]
    assert await by_code.read("CMAX") == 4.18
    assert await by_code.read("CMIN") == 3.2


async def test_the_same_request_to_another_bms_is_no_echo(
    peer: Peer, by_code: ByCode, connect: Connect
) -> None:
    peer.script["CMAX?"] += [
        [(0.0, frames(b"CMAX?", sender=0, to=2) + CMAX), (0.06, frames(b"3.65000e0", sender=2))]
    ]
    peer.always["CMIN?"] = frames(b"3.00000e0", sender=2)
    peer.script["CMIN?"] += [[(0.12, frames(b"3.00000e0", sender=2))]]
    peer.always["ERRO?"] = frames(b"4", bytes(4), sender=2)
    peer.script["ERRO?"] += [[(0.08, frames(b"4", bytes(4), sender=2))]]
    await by_code.read("CMAX")
    other = Client(by_code.connection, 2)
    assert await read(other, BY_CODE["CMIN"]) == 3.0


async def test_a_doubled_response_is_not_taken_for_the_next_request(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [CMAX + CMAX]
    peer.script["CMIN?"] += [[(0.02, CMIN)]]
    assert await by_code.read("CMAX") == 4.18
    assert await by_code.read("CMIN") == 3.2
    assert peer.asked == ["CMAX?", "CMIN?"]


async def test_a_doubled_response_that_is_still_coming_is_let_through(
    peer: Peer, by_code: ByCode
) -> None:
    pieces = [(0.005 + 0.005 * index, CMAX[index : index + 4]) for index in range(0, 16, 4)]
    late = [(at / 4 * 4, data) for at, data in pieces]
    peer.script["CMAX?"] += [[(0.0, CMAX), *late]]
    peer.script["CMIN?"] += [[(0.02, CMIN)]]
    assert await by_code.read("CMAX") == 4.18
    assert await by_code.read("CMIN") == 3.2


# -- shapes -----------------------------------------------------------------------------------


async def test_a_lone_short_integer_counts_after_10_ms_of_quiet(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always["CHEM?"] = frames(b"2")
    value, seconds = await took(by_code.read("CHEM"))
    assert value == 2
    assert 0.01 <= seconds < AT_ONCE


async def test_the_first_frame_of_an_array_is_not_a_short_integer(
    peer: Peer, by_code: ByCode
) -> None:
    header, data = CELL[:8], CELL[8:]
    peer.script["CHEM?"] += [[(0.0, header), (0.004, data[:20]), (0.02, data[20:])], frames(b"2")]
    assert await by_code.read("CHEM") == 2
    assert peer.asked == ["CHEM?"] * 2


async def test_a_doubled_short_integer_is_asked_again_rather_than_guessed(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CHEM?"] += [frames(b"2", b"2"), frames(b"2")]
    assert await by_code.read("CHEM") == 2


async def test_what_does_not_fit_is_dropped_and_waiting_goes_on(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [
        [(0.0, frames(b"SET")), (0.02, frames(b"REC BMS")), (0.05, CELL), (0.1, CMAX)]
    ]
    assert await by_code.read("CMAX") == 4.18
    assert peer.asked == ["CMAX?"]


async def test_the_bms_temperature_is_one_float(peer: Peer, by_code: ByCode) -> None:
    peer.script["BTEM?"] += [CELL + frames(b"1", struct.pack("<f", 23.5))]
    assert await by_code.read("BTEM") == BmsTemperature(23.5)


async def test_one_frame_for_all_units_is_asked_for_twice_and_then_known(
    peer: Peer, by_code: ByCode
) -> None:
    peer.always["CELL?"] = frames(b"2", CELLS)
    assert await by_code.read("CELL") == PerUnit(((3.5,) * 7,) * 2)
    assert peer.asked == ["CELL?"] * 2
    _, seconds = await took(by_code.read("CELL"))
    assert seconds < AT_ONCE
    assert peer.asked == ["CELL?"] * 3


async def test_a_lost_frame_is_asked_for_again(peer: Peer, by_code: ByCode) -> None:
    peer.script["CELL?"] += [frames(b"3", *[CELLS] * 3), frames(b"3", *[CELLS] * 2)]
    peer.always["CELL?"] = frames(b"3", *[CELLS] * 3)
    for _ in range(2):
        assert await by_code.read("CELL") == PerUnit(((3.5,) * 14,) * 3)
    assert peer.asked == ["CELL?"] * 3


# -- bytes that are no frame ------------------------------------------------------------------


async def test_a_false_start_with_a_long_len_hides_a_response_for_40_ms(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX?"] += [bytes.fromhex("55 00 01 F0") + CMAX]
    value, seconds = await took(by_code.read("CMAX"))
    assert value == 4.18
    assert 0.04 <= seconds < 0.04 + AT_ONCE
    assert peer.asked == ["CMAX?"]


async def test_a_truncated_response_does_not_spoil_the_next(peer: Peer, by_code: ByCode) -> None:
    for cut in (1, 3, 4, 8, 15):
        peer.script["CMAX?"] += [CMAX[:cut], CMAX]
        assert await by_code.read("CMAX") == 4.18
    assert peer.asked == ["CMAX?"] * 10


@pytest.mark.parametrize("noise", [b"\x00", b"\x55" * 3, b"\xaa\x55\x01", bytes(range(40))])
async def test_noise_before_between_and_behind_is_no_obstacle(
    peer: Peer, by_code: ByCode, noise: bytes
) -> None:
    peer.script["CELL?"] += [noise + CELL, CELL[:8] + noise + CELL[8:], CELL + noise, CELL]
    for _ in range(4):
        assert await by_code.read("CELL") == PerUnit(((3.5,) * 14,))
    assert peer.asked == ["CELL?"] * 4
    assert by_code.connection.counters.line_errors >= 3


BABBLE = [b"\x55", b"\x00", bytes.fromhex("55 00 01 F0"), frames(b"9", sender=3), bytes(range(60))]


async def test_a_babbling_line_does_not_hang(connect: Connect) -> None:
    async def ask(noise: bytes, pause: float) -> None:
        async with Peer() as peer:
            peer.babble(noise, pause)
            by_code = ByCode(connect(peer.port), 1)
            await asyncio.sleep(0.01)
            with pytest.raises(NoResponseError):
                await by_code.read("CMAX", attempts=1)
            await by_code.connection.close()

    async with asyncio.timeout(8):
        await asyncio.gather(*(ask(noise, pause) for noise in BABBLE for pause in (0.002, 0.03)))


async def test_a_line_that_babbles_behind_half_a_response_does_not_hang(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CELL?"] += [frames(b"2", CELLS)]
    babble = [(0.05 * count, b"\x01") for count in range(1, 200)]
    peer.script["CELL?"][0] = [(0.0, frames(b"2", CELLS)), *babble]
    with pytest.raises(NoResponseError):
        async with asyncio.timeout(6):
            await by_code.read("CELL", attempts=1)


# -- setting ----------------------------------------------------------------------------------


async def test_a_set_is_sent_once_and_its_acknowledgement_is_returned(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX 4.1"] += [frames(b"SET"), frames(b"ERROR1")]
    async with by_code.connection.turn() as transactions:
        assert await transactions.set(1, BY_CODE["CMAX"], "4.1") == b"SET"
        assert await transactions.set(1, BY_CODE["CMAX"], "4.1") == b"ERROR1"
    assert peer.asked == ["CMAX 4.1", "ERRO?"] * 2


async def test_after_an_unheard_set_2_s_and_a_fence_pass(peer: Peer, by_code: ByCode) -> None:
    async with by_code.connection.turn() as transactions:
        result, seconds = await took(transactions.set(1, BY_CODE["CMAX"], "4.1"))
    assert result is None
    assert 1.95 < seconds < 2.2
    assert peer.asked == ["CMAX 4.1", "ERRO?"]


async def test_numbers_pending_from_before_are_no_read_back(peer: Peer, by_code: ByCode) -> None:
    """An old CMAX that comes late, behind the SET, must be fenced off."""
    peer.script["CMAX?"] += [[(0.6, CMAX)], b""]
    peer.always["CMAX?"] = frames(b"4.10000e0")
    peer.script["CMAX 4.1"] += [[(0.05, frames(b"SET"))]]
    peer.script["ERRO?"] += [[(0.3, NO_ERROR)]]
    with pytest.raises(NoResponseError):
        await by_code.read("CMAX", attempts=1)
    async with by_code.connection.turn() as transactions:
        assert await transactions.set(1, BY_CODE["CMAX"], "4.1") == b"SET"
        assert (await transactions.request(1, BY_CODE["CMAX"])).payloads == (b"4.10000e0",)


async def test_a_late_acknowledgement_is_not_taken_for_the_read_back(
    peer: Peer, by_code: ByCode
) -> None:
    peer.script["CMAX 4.1"] += [[(2.1, frames(b"SET"))]]
    peer.script["ERRO?"] += [[(0.2, NO_ERROR)]]
    peer.always["CMAX?"] = frames(b"4.10000e0")
    async with by_code.connection.turn() as transactions:
        assert await transactions.set(1, BY_CODE["CMAX"], "4.1") is None
        assert (await transactions.request(1, BY_CODE["CMAX"])).payloads == (b"4.10000e0",)
