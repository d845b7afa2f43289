"""What a BMS answers, instruction by instruction."""

from __future__ import annotations

import csv
import struct
from pathlib import Path

import pytest

from tools.simulator import BMS
from tools.simulator.figures import float32, read_float, read_whole, write_float
from tools.simulator.presets import MODELS
from tools.simulator.table import BY_CODE, Instruction, Reply

LIBRARY = Path(__file__).parents[1] / "unit" / "protocol" / "instructions.csv"
SETTABLE = [row for row in BY_CODE.values() if row.settable]


@pytest.fixture
def bms() -> BMS:
    return BMS(time_factor=0)


def text(bms: BMS, request: str) -> str:
    payloads = bms.respond(request.encode())
    assert payloads is not None
    assert len(payloads) == 1
    return payloads[0].decode()


def floats(payload: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(payload) // 4}f", payload))


@pytest.mark.parametrize("code", BY_CODE)
def test_all_instructions_are_answered_in_their_shape(bms: BMS, code: str) -> None:
    payloads = bms.respond(f"{code}?".encode())
    assert payloads
    row = BY_CODE[code]
    if row.reply is Reply.ARRAY:
        assert payloads[0].decode() == (row.header or "1")
        assert len(payloads) == 2
    elif row.reply is Reply.FLOAT:
        assert read_float(payloads[0].decode()) == bms.settings[code]
    elif row.whole_number:
        assert read_whole(payloads[0].decode()) == bms.settings[code]


def test_all_42_instructions_of_the_library_are_there() -> None:
    with LIBRARY.open(encoding="utf-8", newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert len(codes) == 42
    assert [code for code in BY_CODE if code in codes] == codes


@pytest.mark.parametrize(
    "request_", [b"XXXX?", b"CAPA", b"CAP", b"", b"capa?", b"CAPA??", b"\xff\xfe\xfd\xfc?"]
)
def test_what_is_no_instruction_gets_no_response(bms: BMS, request_: bytes) -> None:
    assert bms.respond(request_) is None


def test_an_instruction_that_is_switched_off_gets_no_response() -> None:
    bms = BMS(unsupported={"RINT", "CMAX"}, time_factor=0)
    assert bms.respond(b"RINT?") is None
    assert bms.respond(b"CMAX 4.1") is None
    assert bms.respond(b"CELL?") is not None


def test_the_readings_are_those_of_the_captured_unit(bms: BMS) -> None:
    low, high, current, hottest, pack, charge, health = floats(bms.respond(b"LCD1?")[1])
    assert low == pytest.approx(3.9577, abs=0.001)
    assert high == pytest.approx(3.966, abs=0.001)
    assert current == pytest.approx(-2.45)
    assert hottest == 19.0
    assert pack == pytest.approx(14 * 3.9655, abs=0.02)
    assert charge == pytest.approx(0.97992)
    assert health == pytest.approx(0.9897)
    assert text(bms, "*IDN?") == "REC BMS 1Q VICTRON"
    assert text(bms, "CAPA?") == "4.50000e2"
    assert text(bms, "CYCL?") == "103"
    assert text(bms, "BVOL?") == "4.08000e0"
    assert text(bms, "BMIN?") == "3.95000e0"
    assert text(bms, "REFC?") == "5.00000e0"
    cells = floats(bms.respond(b"CELL?")[1])
    assert len(cells) == 14
    assert cells.index(min(cells)) == 7
    assert all(0.06e-3 <= ohms <= 0.39e-3 for ohms in floats(bms.respond(b"RINT?")[1]))


def test_lcd3_names_the_extremes_and_gives_ah_high_byte_first(bms: BMS) -> None:
    bms.consumed = 0x0123
    header, data = bms.respond(b"LCD3?")
    assert header == b"8"
    cells = floats(bms.respond(b"CELL?")[1])
    assert data == bytes((1, 8, 1, cells.index(max(cells)) + 1, 1, 1, 0x01, 0x23))


def test_the_lifepo4_unit_has_the_settings_that_were_read_from_one() -> None:
    bms = BMS(preset="lifepo4", time_factor=0)
    known = {"CMIN": 3.0, "CMAX": 3.65, "BMIN": 3.45, "BVOL": 3.58, "CHAR": 3.58, "CHIS": 0.25}
    known |= {"RAZL": 0.25, "MAXH": 0.25, "MINH": 0.1, "CLOW": 3.1, "CAPA": 320, "MAXC": 150}
    known |= {"MAXD": 150, "CHAC": 0.5, "DCHC": 0.5, "SOCH": 0.05, "IOJA": 0.019531, "TMAX": 55}
    known |= {"TMIN": -10, "TBAL": 55, "BMTH": 2, "CYCL": 37, "CHEM": 3}
    assert {code: bms.settings[code] for code in known} == {
        code: float32(value) for code, value in known.items()
    }
    assert len(floats(bms.respond(b"CELL?")[1])) == 4


@pytest.mark.parametrize("row", SETTABLE, ids=lambda row: row.code)
def test_each_setting_takes_its_limits_and_refuses_what_is_beyond(row: Instruction) -> None:
    bms = BMS(time_factor=0)
    for value in (row.minimum, row.maximum):
        sent = str(int(value)) if row.whole_number else repr(float(value))
        assert text(bms, f"{row.code} {sent}") == "SET"
        assert bms.settings[row.code] == (int(value) if row.whole_number else float32(value))
        kept = int(value) if row.whole_number else write_float(value)
        if row.code not in ("VMAX", "VMIN"):
            assert text(bms, f"{row.code}?") == str(kept)
    before = bms.settings[row.code]
    beyond = row.maximum + 1
    assert text(bms, f"{row.code} {beyond}") == "ERROR1"
    assert text(bms, f"{row.code} {row.minimum - 1}") == "ERROR1"
    assert bms.settings[row.code] == before


@pytest.mark.parametrize(
    "request_",
    [
        "CMAX x",
        "CMAX nan",
        "CMAX inf",
        "CMAX  4.1",
        "CMAX 4.1 ",
        "CMAX ",
        "CYCL 10.5",
        "*IDN REC",
        "CELL 1",
        "REFC 5",
    ],
)
def test_a_set_that_cannot_be_is_refused_and_changes_nothing(bms: BMS, request_: str) -> None:
    before = dict(bms.settings)
    assert text(bms, request_) == "ERROR1"
    assert bms.settings == before


def test_a_parent_answers_for_its_units() -> None:
    bms = BMS(16, cells=[16, 12, 4], sensors=3, time_factor=0)
    header, *units = bms.respond(b"CELL?")
    assert header == b"3"
    assert [len(floats(unit)) for unit in units] == [16, 12, 4]
    assert [len(floats(unit)) for unit in bms.respond(b"PTEM?")[1:]] == [3, 3, 3]
    assert bms.respond(b"LCD3?")[1][:2] == bytes((1, 8))


def test_all_cells_go_into_one_frame_where_they_fit() -> None:
    assert [len(part) for part in BMS(units=4, cells=15, layout="single").respond(b"CELL?")] == [
        1,
        240,
    ]
    assert len(BMS(units=5, cells=15, layout="single").respond(b"CELL?")) == 6


def test_units_come_and_go() -> None:
    bms = BMS(time_factor=0)
    bms.add_unit(8)
    assert [len(part) // 4 for part in bms.respond(b"CELL?")[1:]] == [14, 8]
    bms.remove_unit()
    assert len(bms.respond(b"CELL?")) == 2
    with pytest.raises(ValueError, match="cannot be removed"):
        bms.remove_unit()


@pytest.mark.parametrize("cells", [0, 17, []])
def test_a_battery_that_no_bms_can_have_is_refused(cells: int | list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 15 units"):
        BMS(cells=[cells] if isinstance(cells, int) else cells)


def test_sensors_that_are_not_fitted_read_as_junk() -> None:
    bms = BMS(sensors=1, absent_sensors=5, time_factor=0)
    shown = floats(bms.respond(b"PTEM?")[1])
    assert shown[0] == 19.0
    assert len(shown) == 6
    assert 85.0 in shown


@pytest.mark.parametrize("number", [*range(1, 17), 17, 200])
def test_every_error_can_be_raised_and_cleared(bms: BMS, number: int) -> None:
    assert bms.respond(b"ERRO?") == [b"4", bytes(4)]
    bms.raise_error(number, 1, 5)
    assert bms.respond(b"ERRO?") == [b"4", bytes((1, 1, number, 5))]
    bms.clear_error(number)
    assert bms.respond(b"ERRO?") == [b"4", bytes(4)]


def test_a_bms_alone_tells_its_own_address_and_a_master_its_units_from_1() -> None:
    for bms, addresses in ((BMS(2, time_factor=0), [2]), (BMS(16, units=3, time_factor=0), [1, 3])):
        for unit, address in zip((1, 3), addresses, strict=False):
            bms.raise_error(3, unit, 5)
            assert bms.respond(b"ERRO?") == [b"4", bytes((1, address, 3, 5))]
        assert bms.respond(b"LCD3?")[1][0] == addresses[0]


def test_the_error_raised_last_is_shown_until_it_is_cleared(bms: BMS) -> None:
    bms.raise_error(10)
    bms.raise_error(14)
    assert bms.error == (14, 1, 1)
    bms.clear_error(14)
    assert bms.error == (10, 1, 1)


def test_noise_has_the_steps_of_a_converter_and_is_the_same_for_a_second() -> None:
    bms = BMS(noise=True, time_factor=0, seed=3)
    exact = BMS(time_factor=0, seed=3)
    shown, true = (floats(one.respond(b"CELL?")[1]) for one in (bms, exact))
    assert shown != true
    assert all(abs(a - b) < 0.002 for a, b in zip(shown, true, strict=True))
    steps = [volts / (5 / 65536 * 4) for volts in shown]
    assert all(abs(step - round(step)) < 0.01 for step in steps)


def test_calibration_moves_what_is_measured() -> None:
    bms = BMS(time_factor=0)
    before = floats(bms.respond(b"CELL?")[1])
    bms.set_value("EAVC", 0.0003)
    bms.set_value("IOFF", 1.5)
    after = floats(bms.respond(b"CELL?")[1])
    moved = [b - a for a, b in zip(before, after, strict=True)]
    assert moved[0] == 0
    assert moved[1] == pytest.approx(0.0003, abs=1e-6)
    assert floats(bms.respond(b"LCD1?")[1])[2] == pytest.approx(-0.95)


def test_setting_the_state_of_charge_sets_it(bms: BMS) -> None:
    assert text(bms, "SOCS 0.5") == "SET"
    assert floats(bms.respond(b"LCD1?")[1])[5] == 0.5
    assert bms.respond(b"LCD3?")[1][6:] == (225).to_bytes(2, "big")


# -- kinds of units -----------------------------------------------------------------------------


def made(kind: str) -> BMS:
    model = MODELS[kind]
    return BMS(
        model.address,
        preset=model.preset,
        unsupported=model.lacks,
        refuses=model.refuses,
        settings=model.settings,
        error_log=model.error_log,
        time_factor=0,
    )


def test_an_active_bms_has_four_cells_and_knows_what_a_1q_does_not() -> None:
    active, old = made("active"), made("1q")
    assert (MODELS["active"].address, MODELS["active"].baud) == (2, 115200)
    assert len(active.battery.units[0].cells) == 4
    assert active.respond(b"SERI?") == [b"2261"]
    assert active.respond(b"RE1T?") == [b"1979711486"]
    assert active.respond(b"REFC?") is None
    assert old.respond(b"SERI?") is None
    assert old.respond(b"REFC?") is not None


def test_a_unit_may_answer_what_it_does_not_know_with_an_error() -> None:
    assert made("error1").respond(b"SERI?") == [b"ERROR1"]
    assert made("error1").respond(b"CMAX?") != [b"ERROR1"]


def test_each_question_moves_the_error_logs_pointer() -> None:
    active = made("active")
    assert [active.respond(b"ERRL?") for _ in range(2)] == [[b"entry 1"], [b"entry 2"]]


def test_what_must_never_be_sent_is_an_offence() -> None:
    active = made("active")
    assert active.respond(b"ERLD?") is None
    assert active.offences == ["ERLD?"]
