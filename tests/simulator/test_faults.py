"""Each fault does what its name says, once, and the line works again afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.simulator.asking import frames
from tests.simulator.terminal import Open, Start, Terminal
from tools.simulator.faults import ABOUT, DAMAGES, LINE_FAULTS, SET_FAULTS, Faults, damage
from tools.simulator.framing import build
from tools.testkit.simulator_in_memory import SimulatorInMemory

ANSWER = build(0, 1, b"4.50000e2")
SILENCE = 0.15
"""Seconds without a byte that are enough where none is to come."""


@pytest.fixture(autouse=True)
def _works_again(sim: SimulatorInMemory, client: Terminal) -> Iterator[None]:
    yield
    client.receive(0.05, 0.1)
    assert client.ask("CAPA?", first=2) == [b"4.50000e2"]


def raw(client: Terminal, request: str = "CAPA?", first: float = 2.0) -> bytes:
    """Ask; return what comes."""
    client.send(build(1, 0, request.encode()))
    return client.receive(0.06, first)


def test_no_response(sim: SimulatorInMemory, client: Terminal) -> None:
    sim.faults.next("no_response")
    assert raw(client, first=SILENCE) == b""
    assert sim.log[-1].what == "unanswered"
    assert sim.faults.counts == {"no_response": 1}


def test_a_set_that_gets_no_response_was_taken_or_not_heard(
    sim: SimulatorInMemory, client: Terminal
) -> None:
    sim.faults.next("no_response", where="request")
    assert raw(client, "BMIN 3.9", first=SILENCE) == b""
    assert client.ask("BMIN?") == [b"3.95000e0"]
    sim.faults.next("no_response")
    assert raw(client, "BMIN 3.9", first=SILENCE) == b""
    assert client.ask("BMIN?") == [b"3.90000e0"]


def test_a_late_response_comes_in_its_turn(sim: SimulatorInMemory, client: Terminal) -> None:
    sim.faults.next("late", seconds=0.5)
    begin = client.now
    assert raw(client, first=0.3) == b""
    client.send(build(1, 0, b"CYCL?"))
    got = frames(client.receive(0.1, 1.0))
    assert client.now - begin > 0.5
    assert [frame.payload for frame in got] == [b"4.50000e2", b"103"]
    assert sim.log[-1].what == "answered"
    assert sim.log.overlaps == []


def test_a_request_that_runs_into_a_late_response_is_an_accident(
    sim: SimulatorInMemory, client: Terminal
) -> None:
    sim.faults.next("late", seconds=0.3)
    client.send(build(1, 0, b"CELL?"))
    client.receive(1, 1, 9)
    client.send(build(1, 0, b"CAPA?"))
    client.receive()
    assert sim.log.overlaps == []
    assert [entry.payload for entry in sim.log.accidents] == [b"CAPA?"]


@pytest.mark.parametrize("fault", DAMAGES)
def test_a_damaged_response_is_not_the_response(
    sim: SimulatorInMemory, client: Terminal, fault: str
) -> None:
    for _ in range(5):
        sim.faults.next(fault)
        got = raw(client)
        assert got not in (b"", ANSWER)
        size = {"truncated": -1, "lost_bytes": -1, "bit_flips": 0}.get(fault, 1)
        assert (len(got) > len(ANSWER)) - (len(got) < len(ANSWER)) == size
    assert sim.faults.counts[fault] == 5


@pytest.mark.parametrize("fault", DAMAGES)
def test_a_damaged_request_is_not_heard(
    sim: SimulatorInMemory, client: Terminal, fault: str
) -> None:
    sim.faults.next(fault, where="request")
    assert raw(client, "BMIN 3.9", first=SILENCE) == b""
    assert sim.bms[1].settings["BMIN"] == pytest.approx(3.95)
    assert sim.log[-1].what == "damaged"


def test_a_doubled_response_comes_twice_at_once(sim: SimulatorInMemory, client: Terminal) -> None:
    sim.faults.next("doubled_response")
    assert raw(client) == ANSWER * 2
    sim.faults.next("doubled_response", 5)
    took = min(client.timed("CAPA?", 32)[0] for _ in range(5))
    assert took < (12 + 32) * 10 / 56000 + 0.015 + 0.008


@pytest.mark.parametrize("place", ["before", "between", "after"])
def test_junk_comes_where_it_should(sim: SimulatorInMemory, client: Terminal, place: str) -> None:
    sim.faults.next("noise", place=place)
    got = raw(client, "ERRO?")
    header, data = build(0, 1, b"4"), build(0, 1, bytes(4))
    assert len(got) > len(header + data)
    if place == "before":
        assert got.endswith(header + data)
    elif place == "between":
        assert got.startswith(header)
        assert got.endswith(data)
        assert got != header + data
    else:
        assert got.startswith(header + data)


def test_a_false_start_comes_in_front_of_the_good_response(
    sim: SimulatorInMemory, client: Terminal
) -> None:
    sim.faults.next("false_start")
    got = raw(client)
    assert got[0] == 0x55
    assert got[3] >= 100
    assert got[4:] == ANSWER


def test_another_address_answers_with_other_values(
    sim: SimulatorInMemory, client: Terminal
) -> None:
    sim.faults.next("other_address", place="instead")
    (other,) = frames(raw(client))
    assert other.sender != 1
    assert other.payload == b"3.20000e2"
    sim.faults.next("other_address", place="before")
    other, own = frames(raw(client))
    assert (other.sender == 1, own.sender, own.payload) == (False, 1, b"4.50000e2")
    sim.faults.next("other_address", place="instead")
    (other,) = frames(raw(client, "BMIN 3.9"))
    assert other.payload == b"SET"


@pytest.mark.parametrize("place", ["between", "around", "after"])
def test_another_master_asks_and_is_answered(
    sim: SimulatorInMemory, client: Terminal, place: str
) -> None:
    sim.faults.next("other_master", place=place)
    got = frames(raw(client, "CYCL?"))
    asked = next(frame for frame in got if frame.destination == 1)
    assert asked.payload.endswith(b"?")
    own = next(index for index, frame in enumerate(got) if frame.payload == b"103")
    assert len(got) >= 3
    if place == "between":
        assert own == len(got) - 1
    else:
        assert got.index(asked) == (0 if place == "around" else 1)
        assert own == (1 if place == "around" else 0)
    assert [entry.payload for entry in sim.log if entry.by_other_master] == [asked.payload]
    assert [entry.payload for entry in sim.log.requests()] == [b"CYCL?"]


def test_a_restart_cuts_the_response_off_and_takes_its_time(
    sim: SimulatorInMemory, client: Terminal
) -> None:
    sim.call(sim.bms[1].set_value, "CMAX", 4.1)
    sim.faults.next("restart", seconds=0.4)
    got = raw(client, "CELL?")
    assert 0 < len(got) < 71
    assert raw(client, first=SILENCE) == b""
    assert sim.log[-1].what == "silent"
    assert client.receive(first=0.4) == b""
    assert client.ask("CMAX?") == [b"4.10000e0"]


@pytest.mark.parametrize(
    ("fault", "response", "kept"),
    [
        ("set_lost", [], 3.9),
        ("set_refused", [b"ERROR1"], 3.95),
        ("set_ignored", [b"SET"], 3.95),
        ("set_clamped", [b"SET"], 3.925),
        ("set_unheard", [], 3.95),
    ],
)
def test_sets_go_wrong_in_their_own_ways(
    sim: SimulatorInMemory, client: Terminal, fault: str, response: list[bytes], kept: float
) -> None:
    sim.faults.next(fault)
    assert client.ask("BMIN?") == [b"3.95000e0"], "a request is not struck by it"
    assert client.ask("BMIN 3.9", first=0.1) == response
    assert sim.bms[1].settings["BMIN"] == pytest.approx(kept)


def test_a_clamped_value_can_be_chosen(sim: SimulatorInMemory, client: Terminal) -> None:
    sim.faults.next("set_clamped", value=4.0)
    assert client.ask("BMIN 4.2") == [b"SET"]
    assert client.ask("BMIN?") == [b"4.00000e0"]


def test_a_fault_can_wait_for_its_instruction(sim: SimulatorInMemory, client: Terminal) -> None:
    sim.faults.next("no_response", 2, instruction="CYCL")
    assert client.ask("CMAX?") == [b"4.18000e0"]
    assert client.ask("CYCL?", first=0.1) == []
    assert client.ask("CYCL?", first=0.1) == []
    assert client.ask("CYCL?") == [b"103"]
    assert sim.faults.waiting == []


# -- by chance -----------------------------------------------------------------------------------


def test_shares_strike_as_often_as_they_say_and_the_same_way_with_the_same_seed() -> None:
    shares = dict.fromkeys(LINE_FAULTS, 0.02)
    drawn = []
    for _ in range(2):
        faults = Faults(shares, seed=7)
        drawn.append([faults.draw(1, b"CAPA?") for _ in range(20_000)])
    assert drawn[0] == drawn[1]
    for name in LINE_FAULTS:
        assert faults.counts[name] == pytest.approx(400, rel=0.25)
    struck = [fault for fault in drawn[0] if fault and fault.name in DAMAGES]
    assert {fault.where for fault in struck} == {"response", "request"}


def test_shares_of_set_faults_strike_sets_alone() -> None:
    faults = Faults(dict.fromkeys(SET_FAULTS, 0.2), seed=1)
    assert not any(faults.draw(1, b"CAPA?") for _ in range(200))
    assert all(faults.draw(1, b"CAPA 300") for _ in range(200))


@pytest.mark.parametrize(
    "shares", [{"late": 1.2}, {"late": -0.1}, {"late": 0.6, "noise": 0.6}, {"lat": 0.1}]
)
def test_shares_that_make_no_sense_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"share|fault"):
        Faults(shares)


def test_every_fault_is_explained() -> None:
    assert len(ABOUT) == 18
    assert all(ABOUT.values())


@pytest.mark.parametrize("fault", DAMAGES)
def test_damage_always_changes_something(fault: str) -> None:
    rng = random.Random(1)
    for _ in range(500):
        assert damage(fault, ANSWER, rng) != ANSWER


def test_the_line_outlives_all_faults_at_once(start: Start, terminal: Open) -> None:
    shares = dict.fromkeys(LINE_FAULTS, 0.04) | dict.fromkeys(SET_FAULTS, 0.1)
    sim = start(faults=Faults(shares, seed=5, late=(0.05, 0.2), restart=(0.05, 0.2)), baud=500_000)
    asked = 0
    with terminal(sim, 500_000) as client:
        for round_ in range(60):
            for request in ("CAPA?", "CELL?", f"BMIN 3.9{round_ % 10}"):
                client.send(build(1, 0, request.encode()))
                client.receive(0.01, 0.04)
                asked += 1
        sim.faults.clear()
        client.receive(0.4, 0.4)
        assert client.ask("CAPA?") == [b"4.50000e2"]
    assert len(sim.faults.counts) > 10
    assert len(sim.log.requests()) == asked + 1
    assert all(entry.what != "heard" for entry in sim.log)
