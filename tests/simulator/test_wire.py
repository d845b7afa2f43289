"""What goes over the line, byte by byte and in its time."""

from __future__ import annotations

import pytest

from tests.simulator.asking import floats, frames
from tests.simulator.terminal import Open, Start, Terminal
from tools.simulator import BMS
from tools.simulator.framing import build
from tools.testkit.simulator_in_memory import SimulatorInMemory

KNOWN_ANSWER = bytes.fromhex("55 00 01 09 34 2E 35 30 30 30 30 65 32 FB B4 AA")


def wire_time(size: int, baud: int = 56000, turnaround: float = 0.015) -> float:
    return size * 10 / baud + turnaround


def test_the_known_request_gets_the_known_answer(client: Terminal) -> None:
    client.send(bytes.fromhex("55 01 00 05 43 41 50 41 3F 3B E0 AA"))
    assert client.receive() == KNOWN_ANSWER


def test_an_array_comes_in_two_frames_without_a_pause(client: Terminal) -> None:
    header, data = client.ask("CELL?")
    assert header == b"1"
    assert len(floats(data)) == 14
    assert client.ask("ERRO?") == [b"4", bytes(4)]


def test_a_setting_is_taken_and_read_back(client: Terminal, sim: SimulatorInMemory) -> None:
    assert client.ask("BMIN 3.94") == [b"SET"]
    assert client.ask("BMIN?") == [b"3.94000e0"]
    assert client.ask("BMIN 9") == [b"ERROR1"]
    assert client.ask("BMIN?") == [b"3.94000e0"]
    assert [entry.payload for entry in sim.log.sets] == [b"BMIN 3.94", b"BMIN 9"]


def test_the_whole_master_of_225_cells_answers(start: Start, terminal: Open) -> None:
    sim = start(units=15, cells=15)
    with terminal(sim) as client:
        header, *units = client.ask("CELL?")
    assert header == b"15"
    assert [len(floats(unit)) for unit in units] == [15] * 15


@pytest.mark.parametrize("baud", [38400, 56000, 115200])
def test_a_response_takes_the_time_of_the_wire(start: Start, terminal: Open, baud: int) -> None:
    sim = start(baud=baud)
    with terminal(sim, baud) as client:
        took = [client.timed("CELL?", 71)[0] for _ in range(8)]
    assert took == pytest.approx([wire_time(12 + 71, baud)] * 8, abs=0.001)


def test_a_long_response_keeps_its_pace(start: Start, terminal: Open) -> None:
    sim = start(units=15, cells=15)
    with terminal(sim) as client:
        size = 7 + 2 + 15 * 67
        took, raw = min(client.timed("CELL?", size) for _ in range(3))
        due = wire_time(12 + size)
        assert due <= took < due * 1.1
        begin = client.now
        client.send(build(1, 0, b"CELL?"))
        half = client.receive(1, 1, size // 2)
        passed = client.now - begin
        assert passed == pytest.approx(wire_time(12 + len(half)), abs=0.02)
    assert len(frames(raw)) == 16


def test_the_turnaround_can_be_chosen(start: Start, terminal: Open) -> None:
    sim = start(turnaround=0.1)
    with terminal(sim) as client:
        took, _ = client.timed("CAPA?", 16)
    assert wire_time(28, turnaround=0.1) <= took < 0.15


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(build(1, 0, b"CAPA?")[:-1] + b"\xab", id="wrong ETX"),
        pytest.param(build(1, 0, b"CAPA?")[:-3] + b"\x00\x00\xaa", id="wrong CRC"),
        pytest.param(b"CAPA?", id="no frame"),
        pytest.param(build(1, 0, b"CAPA?")[:6], id="half a frame"),
        pytest.param(build(1, 0, b"XXXX?"), id="unknown"),
        pytest.param(build(2, 0, b"CAPA?"), id="another address"),
    ],
)
def test_what_is_not_for_it_gets_no_response_and_does_no_harm(
    client: Terminal, request_: bytes
) -> None:
    client.send(request_)
    assert client.receive(first=0.12) == b""
    assert client.ask("CAPA?") == [b"4.50000e2"]


def test_a_request_in_pieces_is_understood(client: Terminal) -> None:
    raw = build(1, 0, b"CAPA?")
    client.send(raw[:5])
    client.wait(0.002)
    client.send(raw[5:])
    assert client.receive() == KNOWN_ANSWER


def test_a_request_behind_noise_is_understood(client: Terminal) -> None:
    client.send(b"\x55\x01\x00\x20\x55" + build(1, 0, b"CAPA?"))
    assert client.receive(first=0.1) == b""
    assert client.ask("CAPA?") == [b"4.50000e2"]
    client.send(b"\x00\xff\x13" + build(1, 0, b"CAPA?"))
    assert client.receive() == KNOWN_ANSWER


def test_several_bmss_on_one_line_answer_for_themselves(start: Start, terminal: Open) -> None:
    sim = start(bms=[BMS(1, time_factor=0), BMS(2, preset="lifepo4", time_factor=0)])
    with terminal(sim) as client:
        assert client.ask("CAPA?", 1) == [b"4.50000e2"]
        assert client.ask("CAPA?", 2) == [b"3.20000e2"]
        assert client.ask("CAPA?", 3, first=0.1) == []
        (frame,) = client.ask_frames("CHEM?", 2)
    assert (frame.destination, frame.sender, frame.payload) == (0, 2, b"3")
    assert [entry.what for entry in sim.log] == ["answered", "answered", "not_mine", "answered"]


def test_a_bms_that_is_off_says_nothing_and_does_nothing(
    client: Terminal, sim: SimulatorInMemory
) -> None:
    sim.bms[1].silent = True
    assert client.ask("BMIN 3.9", first=0.1) == []
    sim.bms[1].silent = False
    assert client.ask("BMIN?") == [b"3.95000e0"]
    assert sim.log[0].what == "silent"


def test_an_adapter_that_echoes_lets_the_client_hear_itself(start: Start, terminal: Open) -> None:
    sim = start(echo=True)
    request = build(1, 0, b"CAPA?")
    with terminal(sim) as client:
        took, raw = client.timed("CAPA?", len(request))
        assert raw == request
        assert took >= len(request) * 10 / 56000
        assert client.receive() == KNOWN_ANSWER


# -- talking over each other ---------------------------------------------------------------------


def test_a_request_amid_a_response_collides_and_neither_is_understood(
    client: Terminal, sim: SimulatorInMemory
) -> None:
    client.send(build(1, 0, b"CELL?"))
    client.receive(1, 1, 20)
    client.send(build(1, 0, b"CAPA?"))
    raw = client.receive()
    assert all(frame.payload == b"1" for frame in frames(raw))
    assert len(raw) <= 71
    assert [entry.payload for entry in sim.log.collisions] == [b"CAPA?"]
    assert not sim.log.accidents
    assert client.ask("CAPA?") == [b"4.50000e2"]


def test_two_requests_at_once_collide_and_neither_is_understood(
    client: Terminal, sim: SimulatorInMemory
) -> None:
    client.send(build(1, 0, b"CELL?") + build(1, 0, b"CAPA?"))
    assert client.receive(first=0.1) == b""
    assert [entry.payload for entry in sim.log.collisions] == [b"CELL?", b"CAPA?"]


def test_a_request_before_the_response_is_noted_and_both_are_answered_in_order(
    start: Start, terminal: Open
) -> None:
    sim = start(turnaround=0.05)
    with terminal(sim) as client:
        client.send(build(1, 0, b"CAPA?"))
        client.wait(0.01)
        client.send(build(1, 0, b"CYCL?"))
        assert [f.payload for f in frames(client.receive())] == [b"4.50000e2", b"103"]
    assert [entry.payload for entry in sim.log.early] == [b"CYCL?"]
    assert sim.log.overlaps == sim.log.early
    assert not sim.log.collisions


def test_a_client_that_takes_turns_never_overlaps(client: Terminal, sim: SimulatorInMemory) -> None:
    for _ in range(20):
        client.timed("CAPA?", 16)
        client.timed("CELL?", 71)
    assert len(sim.log.requests()) == 40
    assert sim.log.overlaps == []
    # The last one is noted a moment after its last byte was heard here.
    client.wait(0.001)
    assert sim.log.counts["answered"] == 40


def test_collisions_can_be_switched_off(start: Start, terminal: Open) -> None:
    sim = start(collisions=False)
    with terminal(sim) as client:
        client.send(build(1, 0, b"CAPA?") + build(1, 0, b"CYCL?"))
        assert [f.payload for f in frames(client.receive())] == [b"4.50000e2", b"103"]


def test_the_log_tells_times_payloads_and_what_was_done(
    client: Terminal, sim: SimulatorInMemory
) -> None:
    client.ask("CAPA?")
    client.ask("XXXX?", first=0.1)
    first, second = sim.log
    assert (first.address, first.payload, first.what) == (1, b"CAPA?", "answered")
    assert first.response == (b"4.50000e2",)
    assert first.response_began is not None
    assert first.response_ended is not None
    assert first.heard - first.time == pytest.approx(12 * 10 / 56000, abs=1e-4)
    assert first.response_began - first.heard == pytest.approx(0.015, abs=0.01)
    assert first.response_ended - first.response_began == pytest.approx(16 * 10 / 56000, abs=1e-6)
    assert second.what == "unknown"
    assert sim.log.requests("CAPA") == [first]
    assert first.as_dict()["payload"] == "CAPA?"
    sim.log.clear()
    assert len(sim.log) == 0


def test_a_bms_that_breaks_does_not_stop_the_line(
    client: Terminal, sim: SimulatorInMemory, caplog: pytest.LogCaptureFixture
) -> None:
    del sim.bms[1].settings["CMAX"]
    assert client.ask("CMAX?", first=0.1) == []
    assert client.ask("CAPA?") == [b"4.50000e2"]
    assert sim.log[0].detail == "broken"
    assert "cannot answer" in caplog.text
