"""Frames and figures as the device writes them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tools.simulator.figures import float32, float32s, read_float, read_whole, write_float
from tools.simulator.framing import Frame, Listener, Rubbish, build

KNOWN_GOOD = [
    (2, 0, b"LCD1?", "55 02 00 05 4C 43 44 31 3F 53 90 AA"),
    (1, 0, b"CAPA?", "55 01 00 05 43 41 50 41 3F 3B E0 AA"),
    (0, 1, b"4.50000e2", "55 00 01 09 34 2E 35 30 30 30 30 65 32 FB B4 AA"),
    (1, 0, b"CELL?", "55 01 00 05 43 45 4C 4C 3F 5D 24 AA"),
    (0, 1, b"1", "55 00 01 01 31 84 91 AA"),
    (1, 0, b"RINT?", "55 01 00 05 52 49 4E 54 3F CE 70 AA"),
]


@pytest.mark.parametrize(("destination", "sender", "payload", "known"), KNOWN_GOOD)
def test_every_known_good_frame_is_built_and_understood(
    destination: int, sender: int, payload: bytes, known: str
) -> None:
    raw = bytes.fromhex(known)
    assert build(destination, sender, payload) == raw
    assert Listener().feed(raw) == [Frame(destination, sender, payload, raw, len(raw))]


def test_a_payload_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        build(1, 0, bytes(256))


@pytest.mark.parametrize("at", range(1, 12))
def test_a_frame_with_a_wrong_byte_is_no_frame(at: int) -> None:
    raw = bytearray(build(1, 0, b"CAPA?"))
    raw[at] ^= 0x10
    assert not any(isinstance(found, Frame) for found in Listener().feed(bytes(raw)))


def test_a_frame_inside_a_false_one_is_found() -> None:
    good = build(1, 0, b"CAPA?")
    found = Listener().feed(bytes((0x55, 1, 0, 5)) + good)
    assert [one.raw for one in found if isinstance(one, Frame)] == [good]
    assert b"".join(one.raw for one in found if isinstance(one, Rubbish)) == bytes((0x55, 1, 0, 5))


@pytest.mark.long
@given(st.lists(st.binary(max_size=30), max_size=5), st.data())
def test_frames_come_out_of_any_slicing_in_order(
    payloads: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(build(1, 0, payload) for payload in payloads)
    listener, found = Listener(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += listener.feed(stream[:size])
        stream = stream[size:]
    assert [one.payload for one in found if isinstance(one, Frame)] == payloads


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (450, "4.50000e2"),
        (-123.51, "-1.2351e2"),
        (0.019531, "1.9531e-2"),
        (5, "5.00000e0"),
        (0, "0.00000e0"),
        (-0.0003, "-3.000e-4"),
        (0.9999996, "1.00000e0"),
        (3.94, "3.94000e0"),
        (1e-12, "1.000e-12"),
    ],
)
def test_floats_are_written_in_nine_characters(value: float, written: str) -> None:
    assert write_float(value) == written


@given(st.floats(-5000, 5000, width=32))
def test_what_is_written_is_read_back_nearly(value: float) -> None:
    text = write_float(value)
    assert len(text) == 9
    back = read_float(text)
    assert back is not None
    assert abs(back - value) <= max(abs(value) * 6e-4, 1e-12)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "nan", "inf", "1e999", "0x10", "1_0", "1,5", "--1"]
)
def test_what_is_no_plain_decimal_number_is_not_read(text: str) -> None:
    assert read_float(text) is None
    assert read_whole(text) is None


def test_numbers_are_kept_as_float32() -> None:
    assert read_float("3.94") == float32(3.94) != 3.94
    assert read_whole("103") == 103
    assert read_whole("103.5") is None
    assert float32s([1.0]) == b"\x00\x00\x80\x3f"
