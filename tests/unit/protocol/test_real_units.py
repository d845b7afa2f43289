"""What real units were seen to say, and what very old ones are guessed to."""

from __future__ import annotations

import struct

import pytest

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.on_virtual_time import virtual
from tests.unit.protocol.scripted import frames, scripted

ADDRESSES = (1, 2, 6, 16)
NAMES = ("REC BMS 1Q VICTRON", "ACTIVE", "REC - BATTERY MANAGEMENT SYSTEM")
ENDS_INSIDE = bytes.fromhex("AAAA5340 55AA5340 AA005340 00AA5340")
"""Four cells of about 3.3 V, written with the bytes that begin and end a frame."""
VOLTS = struct.unpack("<4f", ENDS_INSIDE)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", NAMES)
@virtual
async def test_each_name_is_read_from_each_address_that_was_seen(name: str, address: int) -> None:
    peer = await scripted()
    peer.script["*IDN?"] = [[(0.02, frames(name.encode("ascii"), sender=address))]]
    payloads = await peer.read("*IDN", address)
    assert decode(BY_CODE["*IDN"], payloads) == name
    assert peer.heard == [("*IDN?", address, peer.at(0))]


@pytest.mark.parametrize("piece", [1, 3, 7, 100])
@virtual
async def test_cells_with_the_end_of_a_frame_inside_are_read(piece: int) -> None:
    peer = await scripted()
    answer = frames(b"1", ENDS_INSIDE)
    assert answer.count(b"\xaa") > 2
    pieces = [(0.02 + at / 10_000, answer[at : at + piece]) for at in range(0, len(answer), piece)]
    peer.script["CELL?"] = [pieces]
    reading = decode(BY_CODE["CELL"], await peer.read("CELL"))
    assert isinstance(reading, PerUnit)
    assert reading.units == (pytest.approx(VOLTS),)
    assert peer.transport.counters.line_errors == 0


@virtual
async def test_sixteen_cells_come_in_one_frame_of_64_bytes() -> None:
    volts = tuple(3.25 + cell / 128 for cell in range(16))
    data = struct.pack("<16f", *volts)
    answer = frames(b"1", data)
    assert answer[8:12] == bytes([0x55, 0, 1, 64])
    peer = await scripted()
    peer.script["CELL?"] = [[(0.02, answer)]]
    reading = decode(BY_CODE["CELL"], await peer.read("CELL"))
    assert isinstance(reading, PerUnit)
    assert reading.units == (volts,)


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("LCD1", struct.pack("<7f", 3.30, 3.31, 7.5, 22.5, 13.2, 0.29, 0.99)),
        ("ERRO", bytes([1, 2, 5, 0])),
    ],
)
@virtual
async def test_what_comes_without_its_header_is_not_read(code: str, data: bytes) -> None:
    peer = await scripted()
    peer.always[f"{code}?"] = [(0.02, frames(data))]
    with pytest.raises(NoResponseError):
        await peer.read(code)
