"""Which frames make a response: each bound and each step."""

from __future__ import annotations

import struct

import pytest

from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, ERROR_LOG
from custom_components.rec_bms.protocol.rs485.response import (
    Acknowledgement,
    ArrayShape,
    FixedArray,
    Progress,
    ResponseAssembler,
    SingleValue,
    UnitsArray,
    response_assembler,
)

FLOATS = struct.pack("<4f", *[3.9] * 4)


def fed(assembler: ResponseAssembler, *payloads: bytes) -> ResponseAssembler:
    for payload in payloads:
        assembler.add(payload)
    return assembler


def single(code: str) -> SingleValue:
    return SingleValue(BY_CODE[code])


def test_nothing_has_come_at_first() -> None:
    for one in (
        single("CYCL"),
        Acknowledgement(),
        FixedArray(BY_CODE["ERRO"], hear_out=False),
        UnitsArray(ArrayShape()),
    ):
        assert (one.payloads, one.progress) == ([], Progress.PARTIAL)


def test_how_long_the_line_must_be_idle() -> None:
    assert single("CYCL").idle_needed == 0.010
    assert FixedArray(BY_CODE["ERRO"], hear_out=True).idle_needed == 0.010
    assert UnitsArray(ArrayShape()).idle_needed == 0.300
    assert Acknowledgement().idle_needed == 0.0


@pytest.mark.parametrize(
    ("payload", "progress"),
    [(b"1", Progress.WHOLE_IF_IDLE), (b"12", Progress.WHOLE_IF_IDLE), (b"123", Progress.WHOLE)],
)
def test_up_to_two_digits_may_be_a_header(payload: bytes, progress: Progress) -> None:
    one = fed(single("CYCL"), payload)
    assert (one.progress, one.payloads) == (progress, [payload])


def test_any_text_may_be_a_header() -> None:
    assert fed(single("*IDN"), b"REC BMS 1Q").progress is Progress.WHOLE_IF_IDLE


def test_of_two_single_values_close_together_neither_counts() -> None:
    one = fed(single("CYCL"), b"12", b"123")
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)
    one.add(b"123")
    assert (one.payloads, one.progress) == ([b"123"], Progress.WHOLE)


def test_a_single_value_that_is_interrupted_is_dropped() -> None:
    one = fed(single("CYCL"), b"12")
    one.interrupted()
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)


def test_a_single_value_is_whole_when_the_line_falls_idle() -> None:
    one = fed(single("CYCL"), b"12")
    one.idle()
    assert (one.payloads, one.progress) == ([b"12"], Progress.WHOLE)


def test_an_acknowledgement_is_whole_at_once_and_a_number_is_none() -> None:
    one = fed(Acknowledgement(), b"12")
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)
    one.add(b"ERROR1")
    assert (one.payloads, one.progress) == ([b"ERROR1"], Progress.WHOLE)


def test_a_fixed_array_goes_on_where_it_was_interrupted_half_way() -> None:
    one = fed(FixedArray(BY_CODE["ERRO"], hear_out=True), b"4")
    one.interrupted()
    assert (one.payloads, one.progress) == ([b"4"], Progress.PARTIAL)
    one.add(bytes(4))
    assert (one.payloads, one.progress) == ([b"4", bytes(4)], Progress.WHOLE_IF_IDLE)


def test_a_fixed_array_that_something_follows_is_dropped() -> None:
    one = fed(FixedArray(BY_CODE["ERRO"], hear_out=True), b"4", bytes(4))
    one.interrupted()
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)


def test_a_fixed_array_that_a_frame_follows_is_dropped() -> None:
    one = fed(FixedArray(BY_CODE["ERRO"], hear_out=True), b"4", bytes(4), bytes(4))
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)


def test_a_fixed_array_is_whole_when_the_line_falls_idle() -> None:
    one = fed(FixedArray(BY_CODE["ERRO"], hear_out=True), b"4", bytes(4))
    one.idle()
    assert one.progress is Progress.WHOLE


def test_unless_heard_out_a_fixed_array_is_whole_at_once() -> None:
    one = response_assembler(BY_CODE["ERRO"], ArrayShape())
    assert fed(one, b"4", bytes(4)).progress is Progress.WHOLE


@pytest.mark.parametrize("flag", [0, 1])
def test_only_an_error_has_a_flag(flag: int) -> None:
    error = FixedArray(BY_CODE["ERRO"], hear_out=False)
    assert fed(error, b"4", bytes((flag, 7, 7, 7))).progress is Progress.WHOLE
    other = FixedArray(BY_CODE["BTEM"], hear_out=False)
    assert fed(other, b"1", bytes((7, 7, 7, 7))).progress is Progress.WHOLE


@pytest.mark.parametrize(
    ("header", "units"), [(b"1", 1), (b"15", 15), (b"0", 0), (b"16", 0), (b"001", 0), (b"x", 0)]
)
def test_units_are_1_to_15_in_at_most_two_digits(header: bytes, units: int) -> None:
    one = UnitsArray(ArrayShape())
    one.add(header)
    assert one.payloads == ([header] if units else [])
    assert one._units == units


@pytest.mark.parametrize("data", [b"", FLOATS[:-1], FLOATS + b"x"])
def test_what_is_no_row_of_floats_ends_an_array(data: bytes) -> None:
    one = fed(UnitsArray(ArrayShape()), b"2", data, FLOATS, FLOATS)
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)


def test_data_without_a_header_are_dropped() -> None:
    assert fed(UnitsArray(ArrayShape()), FLOATS).payloads == []


def test_one_frame_of_two_may_be_all_and_the_second_shows_that_it_was_not() -> None:
    one = fed(UnitsArray(ArrayShape()), b"2", FLOATS)
    assert (one.progress, one.idle_needed) == (Progress.WHOLE_IF_IDLE, 0.300)
    one.interrupted()
    assert one.progress is Progress.WHOLE_IF_IDLE
    one.add(FLOATS)
    assert (one.progress, one.payloads) == (Progress.WHOLE, [b"2", FLOATS, FLOATS])


def test_two_frames_of_three_are_not_all() -> None:
    one = fed(UnitsArray(ArrayShape()), b"3", FLOATS[:12], FLOATS[:12])
    assert one.progress is Progress.PARTIAL


def test_values_that_cannot_be_shared_out_are_not_all() -> None:
    assert fed(UnitsArray(ArrayShape()), b"3", FLOATS).progress is Progress.PARTIAL


def test_one_frame_for_all_is_heard_out_for_10_ms_once_it_is_known() -> None:
    shape = ArrayShape((2, 16))
    one = fed(UnitsArray(shape), b"2", FLOATS)
    assert (one.progress, one.idle_needed) == (Progress.WHOLE_IF_IDLE, 0.010)
    one.idle()
    assert one.progress is Progress.WHOLE


def test_an_array_that_does_not_count_yet_begins_anew() -> None:
    one = UnitsArray(ArrayShape())
    fed(one, b"2", FLOATS).idle()
    assert (one.payloads, one.progress) == ([], Progress.PARTIAL)
    one.add(FLOATS)
    assert one.payloads == []
    fed(one, b"2", FLOATS).idle()
    assert (one.payloads, one.progress) == ([b"2", FLOATS], Progress.WHOLE)


def test_a_known_shape_forgets_what_was_about_to_replace_it() -> None:
    shape = ArrayShape((1, 16))
    results = [
        shape.accepts(each, sure=True)
        for each in ((1, 8), (1, 8), (1, 16), (1, 8), (1, 8), (1, 8), (1, 16))
    ]
    assert results == [False, False, True, False, False, True, False]


def test_another_candidate_begins_to_be_counted_anew() -> None:
    shape = ArrayShape((1, 16))
    results = [
        shape.accepts(each, sure=True) for each in ((1, 8), (1, 8), (1, 4), (1, 8), (1, 8), (1, 8))
    ]
    assert results == [False, False, False, False, False, True]
    assert shape.known == (1, 8)


@pytest.mark.parametrize(("sure", "times"), [(True, 1), (False, 2)])
def test_the_first_shape_counts_at_once_if_sure_and_else_the_second_time(
    sure: bool, times: int
) -> None:
    shape = ArrayShape()
    results = [shape.accepts((2, 16), sure=sure) for _ in range(2)]
    assert results.index(True) + 1 == times


def test_of_no_known_form_all_counts_until_nothing_has_followed_for_300_ms() -> None:
    one = response_assembler(ERROR_LOG, ArrayShape())
    assert (one.payloads, one.progress, one.idle_needed) == ([], Progress.PARTIAL, 0.300)
    for payload in (b"1", FLOATS, b"ERROR1"):
        one.add(payload)
        assert one.progress is Progress.WHOLE_IF_IDLE
    one.interrupted()
    assert (one.payloads, one.progress) == ([b"1", FLOATS, b"ERROR1"], Progress.WHOLE_IF_IDLE)
    one.idle()
    assert one.progress is Progress.WHOLE


def test_an_error_that_comes_first_is_all_that_comes() -> None:
    one = fed(response_assembler(ERROR_LOG, ArrayShape()), b"ERROR1")
    assert (one.payloads, one.progress) == ([b"ERROR1"], Progress.WHOLE)


def test_each_instruction_has_its_assembler() -> None:
    kinds = {"CMAX": SingleValue, "ERRO": FixedArray, "BTEM": FixedArray, "CELL": UnitsArray}
    for code, kind in kinds.items():
        assert type(response_assembler(BY_CODE[code], ArrayShape())) is kind
