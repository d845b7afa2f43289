"""Frames: the known good ones, and whatever bytes a line may bring."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.rec_bms.protocol.rs485.frame import MAX_FRAME, STX, Decoder, Frame, crc16
from tools.simulator import framing

KNOWN_GOOD = {
    "LCD1? to address 2 (manual)": (
        "55 02 00 05 4C 43 44 31 3F 53 90 AA",
        Frame(2, 0, b"LCD1?"),
    ),
    "LCD1? to address 1 (capture)": (
        "55 01 00 05 4C 43 44 31 3F 46 D0 AA",
        Frame(1, 0, b"LCD1?"),
    ),
    "*IDN? to address 1 (capture)": (
        "55 01 00 05 2A 49 44 4E 3F A6 FB AA",
        Frame(1, 0, b"*IDN?"),
    ),
    "CAPA? to address 1 (capture)": (
        "55 01 00 05 43 41 50 41 3F 3B E0 AA",
        Frame(1, 0, b"CAPA?"),
    ),
    "450 Ah (capture)": (
        "55 00 01 09 34 2E 35 30 30 30 30 65 32 FB B4 AA",
        Frame(0, 1, b"4.50000e2"),
    ),
    "CELL? to address 1 (capture)": (
        "55 01 00 05 43 45 4C 4C 3F 5D 24 AA",
        Frame(1, 0, b"CELL?"),
    ),
    "one unit (capture)": ("55 00 01 01 31 84 91 AA", Frame(0, 1, b"1")),
    "RINT? to address 1 (capture)": (
        "55 01 00 05 52 49 4E 54 3F CE 70 AA",
        Frame(1, 0, b"RINT?"),
    ),
}
known_good = pytest.mark.parametrize(("raw", "frame"), KNOWN_GOOD.values(), ids=KNOWN_GOOD)

FALSE_START = bytes.fromhex("55 00 01 F0")
"""What looks like the head of a frame of 247 bytes."""

address = st.integers(0, 255)
frame = st.builds(Frame, address, address, st.binary(max_size=255))
# Without 0x55 noise can begin no frame, so that nothing hides behind it.
harmless_junk = st.binary(max_size=40).map(lambda data: data.replace(b"\x55", b"\x54"))
tempting_junk = st.lists(
    st.one_of(st.just(b"\x55"), st.just(FALSE_START), st.binary(max_size=8)), max_size=6
).map(b"".join)


def sliced(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(at)]


def decode(*pieces: bytes) -> list[Frame]:
    decoder = Decoder()
    return [found for piece in pieces for found in decoder.feed(piece)]


@known_good
def test_known_good_frames_are_encoded(raw: str, frame: Frame) -> None:
    assert frame.encode() == bytes.fromhex(raw)


@known_good
def test_known_good_frames_are_decoded(raw: str, frame: Frame) -> None:
    assert decode(bytes.fromhex(raw)) == [frame]


@known_good
def test_known_good_frames_are_decoded_byte_by_byte(raw: str, frame: Frame) -> None:
    pieces = [bytes((byte,)) for byte in bytes.fromhex(raw)]
    assert decode(*pieces[:-1]) == []
    assert decode(*pieces) == [frame]


def test_the_checksum_starts_at_zero_unlike_modbus() -> None:
    assert crc16(b"") == 0
    assert crc16(bytes.fromhex("01 00 05 43 41 50 41 3F")) == 0x3BE0


@given(frame)
def test_the_simulators_own_framing_agrees(one: Frame) -> None:
    assert one.encode() == framing.build(one.destination, one.sender, one.payload)
    assert decode(framing.build(one.destination, one.sender, one.payload)) == [one]


@pytest.mark.parametrize(
    "wrong", [Frame(1, 0, bytes(256)), Frame(256, 0, b""), Frame(1, -1, b"")], ids=repr
)
def test_what_no_frame_can_hold_is_not_encoded(wrong: Frame) -> None:
    with pytest.raises(ValueError, match="range"):
        wrong.encode()


@pytest.mark.parametrize("position", range(16))
def test_one_wrong_byte_anywhere_spoils_a_frame(position: int) -> None:
    raw = bytearray(Frame(0, 1, b"4.50000e2").encode())
    raw[position] ^= 0x10
    decoder = Decoder()
    assert decoder.feed(bytes(raw)) == []
    assert decoder.resynchronise() == []


@given(
    st.lists(st.tuples(harmless_junk, frame), max_size=6), harmless_junk, st.lists(st.integers())
)
def test_every_frame_comes_out_once_in_order_at_once(
    pieces: list[tuple[bytes, Frame]], tail: bytes, cuts: list[int]
) -> None:
    stream = b"".join(noise + one.encode() for noise, one in pieces) + tail
    assert decode(*sliced(stream, cuts)) == [one for _, one in pieces]


@given(
    st.lists(st.tuples(tempting_junk, frame), max_size=6), tempting_junk, st.lists(st.integers())
)
def test_false_starts_hide_frames_only_until_the_line_is_silent(
    pieces: list[tuple[bytes, Frame]], tail: bytes, cuts: list[int]
) -> None:
    stream = b"".join(noise + one.encode() for noise, one in pieces) + tail
    decoder = Decoder()
    found = [one for piece in sliced(stream, cuts) for one in decoder.feed(piece)]
    found += decoder.resynchronise()
    assert found == [one for _, one in pieces]


@given(tempting_junk, frame, st.lists(st.integers()))
def test_what_stays_after_a_silence_is_no_obstacle(
    noise: bytes, one: Frame, cuts: list[int]
) -> None:
    decoder = Decoder()
    found: list[Frame] = []
    for piece in sliced(noise + one.encode(), cuts):
        found += decoder.feed(piece)
        found += decoder.resynchronise()
    assert found == [one]


@settings(max_examples=300)
@given(st.lists(st.one_of(st.binary(max_size=600), tempting_junk, frame.map(Frame.encode))))
def test_no_input_raises_or_is_held_beyond_one_frame(pieces: list[bytes]) -> None:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
        assert len(decoder._held) < MAX_FRAME
        decoder.resynchronise()
        assert len(decoder._held) < MAX_FRAME
        assert len(decoder._noise) <= MAX_FRAME
        assert not decoder._held or decoder._held[0] == STX
    decoder.take_noise()
    decoder.clear()
    assert not decoder.frame_begun
    assert len(decoder.take_noise()) < MAX_FRAME


def test_a_good_frame_inside_a_false_one_is_found_without_waiting_when_more_comes() -> None:
    good = Frame(0, 1, b"SET")
    stream = FALSE_START + good.encode()
    assert decode(stream, bytes(300)) == [good]


def test_a_good_frame_behind_a_false_start_is_found_when_the_line_is_silent() -> None:
    good = Frame(0, 1, b"4.18000e0")
    decoder = Decoder()
    assert decoder.feed(FALSE_START + good.encode()) == []
    assert decoder.resynchronise() == [good]
    assert decoder.resynchronise() == []
    assert decoder.take_noise() == FALSE_START


def test_a_pause_inside_a_good_frame_does_not_lose_it() -> None:
    raw = Frame(0, 1, b"REC BMS 1Q VICTRON").encode()
    decoder = Decoder()
    assert decoder.feed(raw[:9]) == []
    assert decoder.resynchronise() == []
    assert decoder.feed(raw[9:]) == [Frame(0, 1, b"REC BMS 1Q VICTRON")]


def test_bytes_behind_the_last_good_frame_are_counted() -> None:
    decoder = Decoder()
    decoder.feed(b"noise" + Frame(0, 1, b"8").encode() + b"\x55\x00")
    assert decoder.bytes_since_frame == 2
    assert decoder.frame_begun
    decoder.feed(b"\x01")
    assert decoder.bytes_since_frame == 3
    decoder.clear()
    assert decoder.bytes_since_frame == 0
    assert decoder.take_noise() == b"noise\x55\x00\x01"
