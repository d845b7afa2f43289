"""Which frames make up a response, and which are dropped."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, INSTRUCTIONS
from custom_components.rec_bms.protocol.rs485.response import (
    Acknowledgement,
    ArrayShape,
    Progress,
    ResponseAssembler,
    response_assembler,
)

CELLS = struct.pack("<14f", *[3.95] * 14)
MAIN = struct.pack("<7f", 3.9, 4.0, -2.0, 19.0, 55.0, 0.5, 0.9)


def gather(code: str, *payloads: bytes, shape: ArrayShape | None = None) -> ResponseAssembler:
    one = response_assembler(BY_CODE[code], shape or ArrayShape())
    for payload in payloads:
        one.add(payload)
    return one


def whole(code: str, *payloads: bytes, shape: ArrayShape | None = None) -> list[bytes] | None:
    """Return what an attempt gets when these frames come and then the line is quiet."""
    one = response_assembler(BY_CODE[code], shape or ArrayShape())
    for payload in payloads:
        one.add(payload)
        if one.progress is Progress.WHOLE:
            break
    if one.progress is Progress.WHOLE_IF_IDLE:
        one.idle()
    return one.payloads if one.progress is Progress.WHOLE else None


# -- fixed arrays -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "header", "data"),
    [
        ("LCD1", b"28", MAIN),
        ("LCD3", b"8", bytes(8)),
        ("ERRO", b"4", bytes(4)),
        ("ERRO", b"4", bytes((1, 1, 17, 2))),
        ("BTEM", b"1", bytes(4)),
    ],
)
def test_a_fixed_array_is_its_header_and_its_data(code: str, header: bytes, data: bytes) -> None:
    assert gather(code, header).progress is Progress.PARTIAL
    assert whole(code, header, data) == [header, data]
    assert whole(code, b"SET", b"4.18000e0", header, data) == [header, data]
    assert whole(code, header, header, data) == [header, data]


@pytest.mark.parametrize("code", ["LCD1", "LCD3", "ERRO", "BTEM"])
def test_what_has_another_shape_does_not_make_a_fixed_array(code: str) -> None:
    header = (BY_CODE[code].header or "").encode()
    length = len({"LCD1": MAIN, "LCD3": bytes(8)}.get(code, bytes(4)))
    assert whole(code, bytes(length)) is None
    assert whole(code, header, bytes(length - 1)) is None
    assert whole(code, header, b"SET", bytes(length)) is None
    assert whole(code, b"7", bytes(length)) is None


def test_a_response_that_something_follows_at_once_is_another_arrays_beginning() -> None:
    one = response_assembler(BY_CODE["ERRO"], ArrayShape(), hear_out=True)
    for payload in (b"4", bytes(4)):
        one.add(payload)
    assert one.progress is Progress.WHOLE_IF_IDLE
    one.interrupted()
    assert (one.progress, one.payloads) == (Progress.PARTIAL, [])


def test_an_error_flag_is_zero_or_one() -> None:
    assert whole("ERRO", b"4", bytes((2, 0, 0, 0))) is None


# -- arrays of units --------------------------------------------------------------------------


def test_there_is_a_frame_for_each_unit() -> None:
    assert whole("CELL", b"1", CELLS) == [b"1", CELLS]
    assert whole("CELL", b"3", CELLS, CELLS[:8], CELLS) == [b"3", CELLS, CELLS[:8], CELLS]
    assert whole("CELL", b"15", *[CELLS] * 15) == [b"15", *[CELLS] * 15]


@pytest.mark.parametrize("header", [b"0", b"16", b"28", b"-1", b"", b"1.", b"SET", "²".encode()])
def test_what_counts_no_units_is_no_header(header: bytes) -> None:
    assert whole("CELL", header, CELLS) is None


@pytest.mark.parametrize("data", [b"", b"\0\0\0", CELLS[:-1]])
def test_data_are_whole_floats(data: bytes) -> None:
    assert whole("CELL", b"1", data) is None


def test_a_new_header_starts_anew() -> None:
    assert whole("CELL", b"3", CELLS, b"2", CELLS, CELLS) == [b"2", CELLS, CELLS]


def test_a_lost_frame_is_never_taken_for_fewer_units() -> None:
    shape = ArrayShape()
    assert whole("CELL", b"3", CELLS, CELLS, CELLS, shape=shape)
    assert whole("CELL", b"3", CELLS, CELLS, shape=shape) is None
    for _ in range(2):
        assert whole("CELL", b"3", CELLS, shape=shape) is None
        assert whole("CELL", b"3", CELLS, CELLS, CELLS, shape=shape)


def test_one_frame_for_all_counts_when_it_has_come_twice_running() -> None:
    shape = ArrayShape()
    assert whole("CELL", b"2", CELLS, shape=shape) is None
    assert whole("CELL", b"2", CELLS, shape=shape) == [b"2", CELLS]
    assert whole("CELL", b"2", CELLS, shape=shape) == [b"2", CELLS]


def test_one_frame_whose_fellow_was_lost_does_not_count_when_they_differ() -> None:
    shape = ArrayShape()
    assert whole("CELL", b"2", CELLS, shape=shape) is None
    assert whole("CELL", b"2", CELLS, CELLS[:8], shape=shape)
    assert whole("CELL", b"2", CELLS, shape=shape) is None


def test_a_wrongly_learnt_single_frame_is_unlearnt_when_its_fellows_come() -> None:
    shape = ArrayShape()
    for _ in range(2):
        whole("CELL", b"2", CELLS, shape=shape)
    responses = [whole("CELL", b"2", CELLS, CELLS, shape=shape) for _ in range(4)]
    assert responses[-1] == [b"2", CELLS, CELLS]


def test_values_that_cannot_be_shared_out_are_one_units_frame() -> None:
    shape = ArrayShape()
    for _ in range(5):
        assert whole("CELL", b"3", CELLS, shape=shape) is None


def test_another_layout_counts_when_it_has_come_three_times_running() -> None:
    shape = ArrayShape()
    two, three = (b"2", CELLS, CELLS), (b"3", CELLS, CELLS, CELLS)
    assert whole("CELL", *two, shape=shape)
    assert whole("CELL", *three, shape=shape) is None
    assert whole("CELL", *three, shape=shape) is None
    assert whole("CELL", *two, shape=shape)
    assert whole("CELL", *three, shape=shape) is None
    assert whole("CELL", *three, shape=shape) is None
    assert whole("CELL", *three, shape=shape)
    assert whole("CELL", *two, shape=shape) is None


@given(st.sampled_from(INSTRUCTIONS), st.lists(st.binary(max_size=60), max_size=8), st.data())
def test_whatever_frames_come_nothing_raises_and_what_is_whole_can_be_decoded(
    row: object, payloads: list[bytes], data: st.DataObject
) -> None:
    instruction = data.draw(st.sampled_from(INSTRUCTIONS))
    likely = st.sampled_from([b"1", b"2", b"4", b"8", b"28", MAIN, bytes(8), bytes(4), CELLS, b"x"])
    shape = ArrayShape()
    for _ in range(4):
        one = response_assembler(instruction, shape)
        for payload in (*payloads, *data.draw(st.lists(likely, max_size=6))):
            one.add(payload)
            if data.draw(st.booleans()):
                one.interrupted()
            if one.progress is Progress.WHOLE_IF_IDLE and data.draw(st.booleans()):
                one.idle()
            if one.progress is Progress.WHOLE:
                decode(instruction, tuple(one.payloads))
                break


# -- single values ----------------------------------------------------------------------------


def test_a_decimal_number_is_whole_at_once() -> None:
    assert gather("CMAX", b"4.18000e0").progress is Progress.WHOLE
    assert gather("CYCL", b"103").progress is Progress.WHOLE


@pytest.mark.parametrize(
    ("code", "payload"), [("CHEM", b"2"), ("CYCL", b"37"), ("*IDN", b"REC BMS"), ("CMAX", b"4")]
)
def test_what_may_be_a_header_is_whole_when_nothing_follows(code: str, payload: bytes) -> None:
    assert gather(code, payload).progress is Progress.WHOLE_IF_IDLE
    assert whole(code, payload) == [payload]
    assert whole(code, payload, CELLS) is None
    one = gather(code, payload)
    one.interrupted()
    assert one.progress is Progress.PARTIAL
    assert one.payloads == []


def test_what_does_not_fit_a_single_value_is_dropped() -> None:
    assert whole("CYCL", b"4.50000e2") is None
    assert whole("CMAX", b"SET") is None
    assert whole("CMAX", b"REC BMS 1Q") is None
    assert whole("CMAX", b"REC BMS 1Q", b"4.18000e0") == [b"4.18000e0"]


def test_an_acknowledgement_is_set_or_error_and_the_rest_is_dropped() -> None:
    one = Acknowledgement()
    for payload in (b"4.18000e0", b"28", MAIN):
        one.add(payload)
        one.interrupted()
        one.idle()
        assert one.progress is Progress.PARTIAL
    one.add(b"ERROR1")
    assert (one.progress, one.payloads) == (Progress.WHOLE, [b"ERROR1"])
