"""How far a response has come, frame by frame."""

from __future__ import annotations

import struct

import pytest

from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.response import (
    IDLE_AFTER_UNITS,
    IDLE_AFTER_VALUE,
    Acknowledgement,
    ArrayShape,
    Progress,
    ResponseAssembler,
    response_assembler,
)

VOLTS = struct.pack("<4f", 3.5, 3.5, 3.5, 3.5)


def assembler(code: str, *payloads: bytes, shape: ArrayShape | None = None) -> ResponseAssembler:
    one = response_assembler(BY_CODE[code], shape or ArrayShape())
    for payload in payloads:
        one.add(payload)
    return one


@pytest.mark.parametrize("code", ["CMAX", "*IDN", "ERRO", "BTEM", "CELL"])
def test_it_begins_with_nothing(code: str) -> None:
    one = assembler(code)
    assert (one.progress, one.payloads) == (Progress.PARTIAL, [])


def test_an_acknowledgement_begins_with_nothing_and_needs_no_idle_gap() -> None:
    one = Acknowledgement()
    assert (one.progress, one.payloads, one.idle_needed) == (Progress.PARTIAL, [], 0.0)


def test_what_comes_close_behind_a_short_value_shows_that_both_are_an_arrays() -> None:
    one = assembler("CHEM", b"2", b"3")
    assert (one.progress, one.payloads) == (Progress.PARTIAL, [])
    one.add(b"3")
    assert (one.progress, one.payloads) == (Progress.WHOLE_IF_IDLE, [b"3"])
    assert one.idle_needed == IDLE_AFTER_VALUE


def test_a_fixed_array_is_whole_at_once_unless_it_is_heard_out() -> None:
    assert assembler("ERRO", b"4", bytes(4)).progress is Progress.WHOLE
    one = response_assembler(BY_CODE["ERRO"], ArrayShape(), hear_out=True)
    for payload in (b"4", bytes(4)):
        assert one.progress is Progress.PARTIAL
        one.add(payload)
    assert (one.progress, one.idle_needed) == (Progress.WHOLE_IF_IDLE, IDLE_AFTER_VALUE)


def test_of_an_array_of_units_each_frame_is_waited_for() -> None:
    one = assembler("CELL", b"3")
    assert one.progress is Progress.PARTIAL
    for frames in (1, 2):
        one.add(VOLTS)
        assert (one.progress, len(one.payloads)) == (Progress.PARTIAL, frames + 1)
    one.add(VOLTS)
    assert one.progress is Progress.WHOLE


def test_of_what_may_be_one_frame_for_all_a_second_one_shows_that_it_is_not() -> None:
    one = assembler("CELL", b"4", VOLTS)
    assert one.progress is Progress.WHOLE_IF_IDLE
    one.add(VOLTS)
    assert one.progress is Progress.PARTIAL


@pytest.mark.parametrize("before", [(), (b"SET",), (b"0",)])
def test_data_without_a_header_are_nothing(before: tuple[bytes, ...]) -> None:
    one = assembler("CELL", *before, VOLTS, VOLTS)
    assert (one.progress, one.payloads) == (Progress.PARTIAL, [])


def test_what_does_not_fit_starts_an_array_anew() -> None:
    one = assembler("CELL", b"2", VOLTS)
    assert one.progress is Progress.WHOLE_IF_IDLE
    one.add(b"SET")
    assert (one.progress, one.payloads) == (Progress.PARTIAL, [])


def test_one_frame_for_all_is_waited_behind_until_it_is_known() -> None:
    shape = ArrayShape()
    assert assembler("CELL").idle_needed == IDLE_AFTER_UNITS
    for _ in range(2):
        one = assembler("CELL", b"2", VOLTS, shape=shape)
        assert (one.progress, one.idle_needed) == (Progress.WHOLE_IF_IDLE, IDLE_AFTER_UNITS)
        one.idle()
    assert shape.known == (2, len(VOLTS))
    one = assembler("CELL", b"2", VOLTS, shape=shape)
    assert (one.progress, one.idle_needed) == (Progress.WHOLE_IF_IDLE, IDLE_AFTER_VALUE)


def test_a_shape_that_does_not_come_three_times_running_is_counted_anew() -> None:
    shape = ArrayShape(known=(1, 16))
    for told in ((2, 16, 16), (2, 16, 16), (1, 16), (2, 16, 16), (2, 16, 16)):
        assert shape.accepts(told, sure=True) is (told == (1, 16))
    assert shape.accepts((2, 16, 16), sure=True)
    assert shape.known == (2, 16, 16)
