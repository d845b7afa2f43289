"""From bytes to typed values, and from what somebody wants to set to bytes."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, time

import pytest
from hypothesis import given, strategies as st

from custom_components.rec_bms.labels import labelled
from custom_components.rec_bms.number import NUMBERS
from custom_components.rec_bms.protocol.errors import (
    NotSettableError,
    OutOfRangeError,
    WrongTypeError,
)
from custom_components.rec_bms.protocol.rs485.codec import (
    decode,
    encode_setting,
    fits,
    is_acknowledgement,
    matches,
    parse_setting,
    text,
)
from custom_components.rec_bms.protocol.rs485.instructions import (
    BY_CODE,
    INSTRUCTIONS,
    SETTABLE,
    SETTINGS,
    Instruction,
)
from custom_components.rec_bms.protocol.rs485.readings import (
    CODE_OF,
    BmsTemperature,
    Extremes,
    MainData,
    Reading,
    balancing,
    codes_of,
    told_by,
)
from custom_components.rec_bms.protocol.state import ErrorState, Location, PerUnit, Quantity, State
from tools.simulator.figures import float32, write_float

STEPS = {each.key: each.native_step or 1 for each in NUMBERS}
"""What a setting is set in, in its entity's unit."""

each_settable = pytest.mark.parametrize("row", SETTABLE, ids=lambda row: row.code)

NAN, INF = math.nan, math.inf


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def read(code: str, *payloads: bytes) -> Reading:
    return decode(BY_CODE[code], payloads)


def numbers(reading: object) -> Iterator[float]:
    """Yield every number in a reading, however deep."""
    if is_dataclass(reading):
        for each in fields(reading):
            yield from numbers(getattr(reading, each.name))
    elif isinstance(reading, tuple):
        for each in reading:
            yield from numbers(each)
    elif isinstance(reading, int | float):
        yield reading


# -- reading ----------------------------------------------------------------------------------


def test_lcd1_is_seven_floats() -> None:
    data = floats(3.9577, 3.9668, -2.45, 19.0, 55.5, 0.97992, 0.9897)
    main = read("LCD1", b"28", data)
    assert isinstance(main, MainData)
    assert main == MainData(*(pytest.approx(value) for value in struct.unpack("<7f", data)))
    assert main.min_cell_voltage == pytest.approx(3.9577)
    assert main.current == pytest.approx(-2.45)
    assert main.state_of_health == pytest.approx(0.9897)


def test_lcd3_is_three_places_and_ah_high_byte_first() -> None:
    extremes = read("LCD3", b"8", bytes((1, 8, 1, 3, 1, 2, 0x01, 0x23)))
    assert extremes == Extremes(Location(1, 8), Location(1, 3), Location(1, 2), 291)
    above_byte = read("LCD3", b"8", bytes((1, 1, 1, 1, 1, 1, 0xFF, 0x00)))
    assert isinstance(above_byte, Extremes)
    assert above_byte.consumed_charge == 65280


def test_cells_come_in_one_frame_per_unit() -> None:
    cells = read("CELL", b"2", floats(3.5, 3.25), floats(3.75))
    assert cells == PerUnit(((3.5, 3.25), (3.75,)))
    assert isinstance(cells, PerUnit)
    assert cells.get(1, 2) == 3.25
    assert cells.get(2, 1) == 3.75
    assert cells.get(2, 2) is cells.get(3, 1) is cells.get(0, 1) is cells.get(1, 0) is None
    assert cells.has(1, 2)
    assert not cells.has(1, 3)
    assert list(cells) == [(1, 1, 3.5), (1, 2, 3.25), (2, 1, 3.75)]


def test_cells_of_all_units_may_come_in_one_frame() -> None:
    cells = read("CELL", b"3", floats(3.5, 3.25, 3.75, 3.0, 4.0, 2.0))
    assert cells == PerUnit(((3.5, 3.25), (3.75, 3.0), (4.0, 2.0)))


def test_temperatures_resistances_and_the_bms_temperature_are_floats() -> None:
    assert read("PTEM", b"1", floats(19.0, -55.0, 125.0)) == PerUnit(((19.0, -55.0, 125.0),))
    assert read("RINT", b"1", floats(0.0001)) == PerUnit(((pytest.approx(0.0001),),))
    assert read("BTEM", b"1", floats(23.5)) == BmsTemperature(23.5)


@pytest.mark.parametrize("number", [0, 1, 16, 17, 255])
def test_errors_are_passed_on_with_whatever_number(number: int) -> None:
    assert read("ERRO", b"4", bytes((1, 2, number, 3))) == ErrorState(
        present=True, unit=2, number=number, location=3
    )
    quiet = read("ERRO", b"4", bytes(4))
    assert isinstance(quiet, ErrorState)
    assert not quiet.present


@pytest.mark.parametrize(
    ("code", "payload", "value"),
    [
        ("CAPA", b"4.50000e2", 450.0),
        ("IOFF", b"-1.2351e0", -1.2351),
        ("TMIN", b"-1.00000e1", -10.0),
        ("IOJA", b"1.9531e-2", 0.019531),
        ("CMAX", b"4.18", 4.18),
        ("CMAX", b"4", 4.0),
        ("CMAX", b"+4.18E0", 4.18),
        ("CMAX", b" 4.18000e0\r\n\0", 4.18),
        ("CYCL", b"103", 103),
        ("CYCL", b"+7", 7),
        ("CHEM", b"2", 2),
        ("*IDN", b"REC BMS 1Q VICTRON", "REC BMS 1Q VICTRON"),
        ("SWVR", b"2.35\0\0", "2.35"),
        ("REFC", b"5.00000e0", 5.0),
    ],
)
def test_single_values_come_as_text(code: str, payload: bytes, value: float | str) -> None:
    assert fits(BY_CODE[code], payload)
    reading = read(code, payload)
    assert reading == value
    assert type(reading) is type(value)


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        ("CMAX", b"nan"),
        ("CMAX", b"inf"),
        ("CMAX", b"-INFINITY"),
        ("CMAX", b"1e999"),
        ("CMAX", b"-1.2351e2"),
        ("CMAX", b"4.50000e2"),
        ("TMAX", b"2.00000e2"),
        ("CYCL", b"-99999"),
        ("CHEM", b"103"),
        ("REFC", b"5.00000e3"),
    ],
)
def test_single_values_that_cannot_be_are_no_value(code: str, payload: bytes) -> None:
    assert fits(BY_CODE[code], payload)
    assert read(code, payload) is None


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        ("CMAX", b""),
        ("CMAX", b"SET"),
        ("CMAX", b"ERROR1"),
        ("CMAX", b"REC BMS 1Q"),
        ("CMAX", b"4.1 8"),
        ("CMAX", b"4,18"),
        ("CMAX", b"0x10"),
        ("CMAX", b"1_0"),
        ("CMAX", b"4.18000e0x"),
        ("CMAX", b"e2"),
        ("CMAX", b"."),
        ("CMAX", "٤".encode()),
        ("CMAX", floats(4.18)),
        ("CYCL", b"4.50000e2"),
        ("CYCL", b"1234567890"),
        ("SERI", b"12345678901"),
        ("SERI", b"-1"),
        ("SERI", b"2.24200e3"),
        ("SERI", b"1A-2261"),
        ("*IDN", b"SET"),
        ("*IDN", b"ERROR1"),
        ("*IDN", b"\0\0"),
        ("*IDN", b"REC\x07BMS"),
        ("*IDN", "RÉC".encode("latin-1")),
    ],
)
def test_what_has_another_shape_is_no_answer(code: str, payload: bytes) -> None:
    assert not fits(BY_CODE[code], payload)


def test_set_and_error_are_acknowledgements_and_nothing_else_is() -> None:
    assert all(map(is_acknowledgement, (b"SET", b"ERROR1", b"ERROR", b"ERROR 42")))
    assert not any(map(is_acknowledgement, (b"", b"set", b"SETX", b"4.18000e0", b"NO ERROR")))


def test_impossible_main_data_is_no_value_each_by_itself() -> None:
    for position in range(7):
        for wrong in (NAN, INF, -INF, 3e38, -3e38):
            good = [3.9, 4.0, -2.0, 19.0, 55.0, 0.5, 0.9]
            good[position] = wrong
            main = read("LCD1", b"28", floats(*good))
            assert [
                position for position, each in enumerate(fields(MainData))
                if getattr(main, each.name) is None
            ] == [position]  # fmt: skip


@pytest.mark.parametrize("noise", [NAN, INF, -INF, 85.0, -127.0, 125.5, -3.0e38])
def test_sensors_that_are_not_there_have_no_value(noise: float) -> None:
    assert read("PTEM", b"1", floats(19.0, noise, 85.5)) == PerUnit(((19.0, None, 85.5),))
    assert read("BTEM", b"1", floats(noise)) == BmsTemperature(None)
    main = read("LCD1", b"28", floats(3.9, 4.0, -2.0, noise, 55.0, 0.5, 0.9))
    assert isinstance(main, MainData)
    assert main.max_temperature is None


@pytest.mark.parametrize("noise", [NAN, INF, -0.5, 5.6, 1e30])
def test_cells_that_cannot_be_have_no_value(noise: float) -> None:
    assert read("CELL", b"1", floats(3.9375, noise)) == PerUnit(((3.9375, None),))
    assert read("RINT", b"1", floats(0.5, noise)) == PerUnit(((0.5, None),))


SINGLES = [row for row in INSTRUCTIONS if not row.is_array]
NUMBERLIKE = st.from_regex(
    rb"\A *[+-]?(\d{1,12}(\.\d{0,9})?|\.\d{1,9})([eE][+-]?\d{1,3})?[\0\r\n]*\Z"
)


@given(st.sampled_from(SINGLES), st.one_of(NUMBERLIKE, st.binary(max_size=255), st.just(b"nan")))
def test_no_single_value_that_fits_raises_or_is_not_finite(row: Instruction, data: bytes) -> None:
    if fits(row, data):
        assert all(math.isfinite(value) for value in numbers(decode(row, (data,))))


@given(
    st.binary(min_size=28, max_size=28),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=4, max_size=4),
)
def test_no_fixed_array_that_fits_raises_or_is_not_finite(
    main: bytes, extremes: bytes, four: bytes
) -> None:
    for code, header, data in (
        ("LCD1", b"28", main),
        ("LCD3", b"8", extremes),
        ("ERRO", b"4", four),
        ("BTEM", b"1", four),
    ):
        reading = read(code, header, data)
        assert all(math.isfinite(value) for value in numbers(reading))
        assert labelled(reading)


@given(
    st.sampled_from(["CELL", "RINT", "PTEM"]),
    st.integers(1, 15),
    st.data(),
    st.booleans(),
)
def test_no_array_of_units_that_fits_raises_or_is_not_finite(
    code: str, units: int, data: st.DataObject, single: bool
) -> None:
    if single:
        per_unit = data.draw(st.integers(1, 63 // units))
        payloads = [data.draw(st.binary(min_size=4, max_size=4)) * per_unit * units]
    else:
        four = st.binary(min_size=4, max_size=4)
        payloads = [
            b"".join(data.draw(st.lists(four, min_size=1, max_size=16))) for _ in range(units)
        ]
    reading = read(code, str(units).encode(), *payloads)
    assert isinstance(reading, PerUnit)
    assert len(reading.units) == units
    assert all(math.isfinite(value) for value in numbers(reading))
    assert len(labelled(reading) or {}) == sum(map(len, payloads)) // 4


@given(st.binary(max_size=255))
def test_text_is_printable_or_nothing(data: bytes) -> None:
    decoded = text(data)
    assert decoded is None or (decoded.isprintable() and decoded == decoded.strip())


def test_labels_are_those_of_the_replaced_toolset() -> None:
    assert labelled(read("LCD1", b"28", floats(1, 2, 3, 4, 5, 0.5, 1))) == {
        "Minimum_Cell_Voltage": 1.0,
        "Maximum_Cell_Voltage": 2.0,
        "Pack_Current": 3.0,
        "Maximum_Temperature": 4.0,
        "Pack_Voltage": 5.0,
        "State_of_Charge": 0.5,
        "State_of_Health": 1.0,
    }
    assert labelled(read("LCD3", b"8", bytes((1, 2, 3, 4, 5, 6, 1, 0)))) == {
        "BMS_Address_of_Minimum_Cell_Voltage": 1,
        "Cell_Address_of_Minimum_Cell_Voltage": 2,
        "BMS_Address_of_Maximum_Cell_Voltage": 3,
        "Cell_Address_of_Maximum_Cell_Voltage": 4,
        "BMS_Address_of_Maximum_Temp_Sensor": 5,
        "Temp_Sensor_Address_of_Maximum_Value": 6,
        "Amp_Hours_since_last_charge": 256,
    }
    assert labelled(read("CELL", b"2", floats(3.5), floats(3.25, 3))) == {
        "1_1": 3.5,
        "2_1": 3.25,
        "2_2": 3.0,
    }
    assert labelled(read("BTEM", b"1", floats(20))) == {"1": 20.0}
    assert labelled(read("ERRO", b"4", bytes((1, 2, 3, 4)))) == {
        "Error_Present": 1,
        "BMS_Unit": 2,
        "Error_Number": 3,
        "Error_Location": 4,
    }
    assert labelled(450.0) is labelled("2.35") is labelled(None) is None


def test_a_state_gives_each_quantity_by_its_name_and_tells_what_was_not_told() -> None:
    nothing = State()
    assert nothing.voltage is nothing.min_cell is nothing.cell_voltages is None
    assert nothing.bms_temperature is nothing.error is nothing.temperatures is None
    assert nothing.cell_resistances is nothing.power is nothing.model is None
    assert not any(map(nothing.has, (*Quantity, "cmax")))
    readings: dict[str, Reading] = {
        "LCD1": read("LCD1", b"28", floats(0.5, 0.75, -2, 19, 55, 0.25, 1)),
        "LCD3": read("LCD3", b"8", bytes((1, 2, 3, 4, 5, 6, 1, 0))),
        "CELL": read("CELL", b"1", floats(3.5)),
        "RINT": read("RINT", b"1", floats(0.5)),
        "PTEM": read("PTEM", b"1", floats(20)),
        "BTEM": BmsTemperature(21.5),
        "ERRO": read("ERRO", b"4", bytes(4)),
        "REFC": 5.001,
        "CMAX": 4.18,
        "CYCL": 103,
        "*IDN": "REC",
        "BVOL": None,
    }
    told = {
        name: value for code in readings for name, value in told_by(code, readings[code]).items()
    }
    state = State.of(told)
    assert (state.min_cell_voltage, state.max_cell_voltage) == (0.5, 0.75)
    assert (state.current, state.max_temperature, state.voltage) == (-2, 19, 55)
    assert (state.state_of_charge, state.state_of_health, state.power) == (0.25, 1, -110)
    assert (state.min_cell, state.max_cell) == (Location(1, 2), Location(3, 4))
    assert (state.hottest_sensor, state.consumed_charge) == (Location(5, 6), 256)
    assert state.cell_voltages is readings["CELL"]
    assert state.cell_resistances is readings["RINT"]
    assert state.temperatures is readings["PTEM"]
    assert state.bms_temperature == 21.5
    assert state.error is readings["ERRO"]
    assert (state.reference_voltage, state.model) == (5.001, "REC")
    assert state.settings == {"cmax": 4.18, "cycl": 103, "bvol": None}
    assert state.has("bvol")
    assert not state.has("bmin")
    assert not state.has(Quantity.SOFTWARE_VERSION)


TOGETHER = {"WCBI", "TIME", "DATE"}
"""They tell something only together with each other, or with CELL."""
NEWER = {row.key for row in INSTRUCTIONS if row.newer and row.code not in {"SERI", *TOGETHER}}


def test_each_quantity_and_each_setting_is_told_by_one_instruction() -> None:
    together = {Quantity.BALANCING, Quantity.CLOCK}
    assert set(CODE_OF) == {*Quantity, *SETTINGS, *NEWER} - together
    assert set(CODE_OF.values()) == BY_CODE.keys() - TOGETHER


def test_what_several_instructions_tell_together_has_all_of_them_asked() -> None:
    assert codes_of(Quantity.BALANCING) == ("WCBI", "CELL")
    assert codes_of(Quantity.CLOCK) == ("TIME", "DATE")
    assert codes_of("cmax") == ("CMAX",)
    assert codes_of("of another way") == ()


def test_the_shape_changes_when_a_cell_or_sensor_comes_or_goes_and_not_with_values() -> None:
    def shape(*rows: tuple[float | None, ...]) -> object:
        return State.of({"temperatures": PerUnit(rows)}).shape

    assert shape((20.0, 21.0)) == shape((22.0, 23.0))
    assert shape((20.0, 21.0)) != shape((20.0, None))
    assert shape((20.0, 21.0)) != shape((20.0, 21.0, 22.0))
    assert shape((20.0,)) != shape((20.0,), (20.0,))
    assert State.of({"bms_temperature": None}).shape != State().shape


# -- setting ----------------------------------------------------------------------------------

BAD = [
    "", " ", "abc", "nan", "NaN", "inf", "-inf", "Infinity", "1e308", "1e0", "4.18e0", "0x10",
    "1_000", "4,18", "4.1 8", " 4.18", "4.18 ", "4.18\n", "4.18\0", "\x1b4.18", "4.18;CMIN 2",
    "4.18?",
    "٤.١٨", "\uff14.\uff11\uff18", "²", "½", "--4", "+-4", ".", "+", "True", "4.18V", "1" * 5000,
    NAN, INF, -INF, 10**400, True, False, None, b"4.18", [4.18], {"value": 4.18}, (4.18,), 4.18j,
    object(),
]  # fmt: skip


@each_settable
@pytest.mark.parametrize("value", BAD, ids=lambda value: repr(value)[:20])
def test_what_is_no_plain_decimal_number_is_of_the_wrong_type(
    row: Instruction, value: object
) -> None:
    with pytest.raises(WrongTypeError) as caught:
        parse_setting(row, value)
    assert caught.value.setting.code == row.code
    assert caught.value.value is value
    assert caught.value.setting.whole_number is row.whole_number


@each_settable
@pytest.mark.parametrize("value", [1e308, -1e308, "9" * 300, 10**300, "-99999"], ids=repr)
def test_large_numbers_are_out_of_range(row: Instruction, value: object) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        parse_setting(row, value)
    setting = caught.value.setting
    assert (setting.minimum, setting.maximum) == (row.minimum, row.maximum)


@each_settable
def test_limits_are_allowed_and_what_lies_beyond_is_not(row: Instruction) -> None:
    assert row.minimum is not None
    assert row.maximum is not None
    for limit, beyond in ((row.minimum, -INF), (row.maximum, INF)):
        assert parse_setting(row, limit) == limit
        assert parse_setting(row, str(limit)) == limit
        step = math.copysign(1, beyond)
        outside = limit + step if row.whole_number else math.nextafter(limit, beyond)
        with pytest.raises(OutOfRangeError):
            parse_setting(row, outside)


@pytest.mark.parametrize("row", [row for row in INSTRUCTIONS if not row.settable])
def test_what_can_only_be_read_cannot_be_set(row: Instruction) -> None:
    with pytest.raises(NotSettableError, match="can be read only"):
        parse_setting(row, 1)


@pytest.mark.parametrize(
    ("value", "number"),
    [("4", 4), ("+3.5", 3.5), ("3.", 3), ("03.50", 3.5), (4, 4), (3.5, 3.5), ("3.94", 3.94)],
)
def test_a_number_or_one_plain_decimal_is_taken(value: object, number: float) -> None:
    assert parse_setting(BY_CODE["CMAX"], value) == number


@pytest.mark.parametrize("value", [2.5, "2.5", "1.0001", 4.999])
def test_whole_numbers_are_not_rounded_for_anybody(value: object) -> None:
    with pytest.raises(WrongTypeError, match="a whole number"):
        parse_setting(BY_CODE["CHEM"], value)


def test_whole_numbers_become_integers() -> None:
    for value in (3, 3.0, "3", "3.0"):
        parsed = parse_setting(BY_CODE["CHEM"], value)
        assert (parsed, type(parsed)) == (3, int)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (3.94, "3.94"),
        (450.0, "450"),
        (0.0, "0"),
        (-10.0, "-10"),
        (0.019531, "0.019531"),
        (0.00001, "0.00001"),
        (-0.0003, "-0.0003"),
        (5000.0, "5000"),
        (103, "103"),
        (100, "100"),
        (0, "0"),
    ],
)
def test_values_are_sent_in_plain_decimal_notation(value: float, sent: str) -> None:
    assert encode_setting(value) == sent


def test_no_more_digits_are_sent_than_a_float32_can_keep() -> None:
    assert encode_setting(5.1 / 100) == "0.051"
    assert encode_setting(0.1 + 0.2) == "0.3"
    assert encode_setting(3.9400000000000004) == "3.94"


def test_what_is_next_to_nothing_is_sent_as_nothing() -> None:
    assert encode_setting(parse_setting(BY_CODE["IOFF"], -5e-324)) == "0"


@given(st.sampled_from([row for row in SETTABLE if not row.whole_number]), st.data())
def test_what_is_sent_is_read_as_the_same_float32(row: Instruction, data: st.DataObject) -> None:
    value = data.draw(st.floats(row.minimum, row.maximum).map(lambda value: round(value, 9)))
    sent = encode_setting(value)
    assert sent.isascii()
    assert set(sent) <= set("-.0123456789")
    assert len(sent) <= 16
    assert float(sent) == pytest.approx(value, rel=2**-23, abs=1e-12)
    assert matches(row, value, write_float(float32(value)).encode(), previous=b"")


@each_settable
def test_one_step_away_is_another_value(row: Instruction) -> None:
    if row.whole_number:
        assert not matches(row, 3, b"2", previous=b"2")
        assert matches(row, 2, b"2", previous=b"2")
        return
    assert row.minimum is not None
    assert row.maximum is not None
    step = STEPS[row.key] / 100 if row.line_unit == "fraction" else STEPS[row.key]
    if row.code == "IOJA":
        step = 1e-5  # five digits are all that the BMS shows of it
    count = round((row.maximum - row.minimum) / step)
    for part in range(min(count, 400)):
        old = row.minimum + step * (part * count // min(count, 400))
        for new in (old + step, old - step):
            kept = write_float(float32(old)).encode()
            assert matches(row, old, kept, previous=kept)
            assert not matches(row, new, kept, previous=kept), (old, new, kept)


@pytest.mark.parametrize(
    ("requested", "read_back", "same"),
    [
        (4.1, b"4.10000e0", True),
        (4.1, b"4.09999e0", True),  # cut off, not rounded: 4.1 is kept as 4.0999999
        (4.1, b"4.09998e0", False),
        (4.1, b"4.10002e0", False),
        (4.1, b"4.1", True),
        (4.12, b"4.1", False),
        (4.1, b"4.0999999", True),
        (4.1234567, b"4.12346e0", True),
        (4.1234567, b"4.12345e0", True),
        (4.1234567, b"4.12347e0", False),
        (450, b"4.50000e2", True),
        (450.04, b"4.50040e2", True),
        (450.04, b"4.50000e2", False),
        (0.0, b"0.00000e0", True),
        (0.0, b"-0.00000e0", True),
        (0.001, b"0.00000e0", False),
        (4.1, b"nan", False),
        (4.1, b"inf", False),
        (4.1, b"", False),
    ],
)
def test_a_read_back_agrees_to_its_last_digit(
    requested: float, read_back: bytes, same: bool
) -> None:
    assert matches(BY_CODE["CMAX"], requested, read_back, previous=b"") is same


def test_a_set_that_was_ignored_is_not_taken_for_one_that_changed_the_last_digit() -> None:
    ioja = BY_CODE["IOJA"]
    assert not matches(ioja, 0.019532, b"1.9531e-2", previous=b"1.9531e-2")
    assert matches(ioja, 0.019531, b"1.9531e-2", previous=b"1.9531e-2")


# -- what newer units tell ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "payload", "value"),
    [
        ("SERI", b"2261", 2261),
        ("RE1T", b"1979711486", 1979711486),
        ("OP2T", b"4294967296", None),
        ("TIME", b"12:34:56", time(12, 34, 56)),
        ("TIME", b"24:00:00", None),
        ("TIME", b"", None),
        ("DATE", b"28.09.2025", date(2025, 9, 28)),
        ("DATE", b"00.00.2000", None),
        ("WCBI", b"3", 3),
        ("WCBI", b" ", None),
        ("WCBI", b"", None),
        ("WCBI", b"none", None),
        ("CFVC", b"1.00000e-1", 0.1),
        ("RE1V", b"3.30481", 3.30481),
    ],
)
def test_what_newer_units_tell_is_read(code: str, payload: bytes, value: object) -> None:
    assert fits(BY_CODE[code], payload)
    assert read(code, payload) == value


@pytest.mark.parametrize(
    ("code", "payload"),
    [
        ("TIME", b"28.09.2025"),
        ("TIME", b"3.30481"),
        ("TIME", b"12:34"),
        ("DATE", b"12:34:56"),
        ("DATE", b"2.25000e1"),
        ("CFVC", b"28.09.2025"),
        ("RE1T", b"12:34:56"),
        ("WCBI", b"3.30481"),
        ("WCBI", b"28.09.2025"),
        ("WCBI", b"ERROR1"),
        ("WCBI", floats(3.3)),
        ("WCBI", bytes(4)),
        ("TIME", bytes(4)),
        ("DATE", bytes(8)),
    ],
)
def test_what_newer_units_tell_is_not_mistaken_for_something_else(
    code: str, payload: bytes
) -> None:
    assert not fits(BY_CODE[code], payload)


@pytest.mark.parametrize(
    ("cell", "units", "balanced"),
    [
        (2, ((3.3, 3.3, 3.3),), (False, True, False)),
        (None, ((3.3, 3.3),), (False, False)),
        (0, ((3.3, 3.3),), None),
        (3, ((3.3, 3.3),), None),
        (1, ((3.3,), (3.3,)), None),
    ],
)
def test_a_cell_that_is_balanced_is_known_of_one_unit_alone(
    cell: int | None, units: tuple[tuple[float, ...], ...], balanced: tuple[bool, ...] | None
) -> None:
    found = balancing(cell, PerUnit(units))
    assert (found and found.units[0]) == balanced
