"""Frames of the line: checksum, encoding, and a decoder that finds its way back.

    STX 0x55 | DST | SND | LEN | LEN payload bytes | CRC high | CRC low | ETX 0xAA

Source: REC's manuals and bytes captured from a REC BMS 1Q (docs/protocol.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

STX = 0x55
ETX = 0xAA
MASTER = 0
"""The address of whoever sends requests."""

_HEADER_LENGTH = 4
_OVERHEAD = 7
MAX_PAYLOAD = 255
MAX_FRAME = MAX_PAYLOAD + _OVERHEAD
MAX_ADDRESS = 255


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(_crc_of_byte(byte) for byte in range(256))


def crc16(data: bytes | bytearray | memoryview) -> int:
    """Return the CRC-16 with the reflected polynomial 0xA001 and start value 0.

    Modbus starts at 0xFFFF: this is not it (manual, capture).
    """
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


@dataclass(frozen=True, slots=True)
class Frame:
    """Who a frame is for, who sent it, and the 0 to 255 bytes that it carries."""

    destination: int
    sender: int
    payload: bytes
    raw: bytes = field(default=b"", repr=False, compare=False)
    """The bytes it came as; empty for one that was not received."""

    def encode(self) -> bytes:
        """Return the frame as it goes over the line.

        Raises ValueError for a payload of more than 255 bytes or an address outside 0 to 255.
        """
        body = bytes((self.destination, self.sender, len(self.payload))) + self.payload
        return bytes((STX,)) + body + crc16(body).to_bytes(2, "big") + bytes((ETX,))


class Decoder:
    """Finds frames in a byte stream, whatever its slicing and whatever lies between them.

    LEN alone says where a frame ends. After a frame that proves bad, the search goes on one byte
    past the STX that misled it, so that a good frame inside or right behind it is not lost. At most
    one frame's bytes are held.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._noise = bytearray()
        self.bytes_since_frame = 0
        """Bytes that came behind the last good frame."""

    @property
    def frame_begun(self) -> bool:
        """Whether bytes are held that may be the beginning of a frame."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they came and return the frames that they complete."""
        self._held += data
        self.bytes_since_frame += len(data)
        return self._frames(resynchronise=False)

    def resynchronise(self) -> list[Frame]:
        """Return frames hidden inside an unfinished one.

        A false STX with a long LEN in front of a good frame makes it look like a beginning. Call
        this when the line has fallen idle. Where nothing is found, what is held stays, since a
        slow line may still bring its rest.
        """
        return self._frames(resynchronise=True)

    def take_noise(self) -> bytes:
        """Return the bytes, at most the last 262, that turned out to belong to no good frame."""
        noise = bytes(self._noise)
        self._noise.clear()
        return noise

    def clear(self) -> None:
        """Forget what is held, because what comes next is the response to another request."""
        self._discard(self._held)
        self._held.clear()
        self.bytes_since_frame = 0

    def _frames(self, *, resynchronise: bool) -> list[Frame]:
        held = self._held
        frames: list[Frame] = []
        done, unfinished = 0, None
        start = held.find(STX)
        while start != -1:
            end = self._end(start)
            frame = None if end is None else self._frame(start, end)
            if end is not None and frame is not None:
                frames.append(frame)
                self._discard(held[done:start])
                done, unfinished, start = end, None, held.find(STX, end)
                self.bytes_since_frame = len(held) - end
                continue
            if end is None:
                unfinished = start if unfinished is None else unfinished
                if not resynchronise:
                    break
            start = held.find(STX, start + 1)
        keep = len(held) if unfinished is None else unfinished
        self._discard(held[done:keep])
        del held[:keep]
        return frames

    def _discard(self, noise: bytearray) -> None:
        self._noise += noise
        del self._noise[:-MAX_FRAME]

    def _end(self, start: int) -> int | None:
        """Return where the frame that begins at start ends, None where that has not come yet."""
        if len(self._held) < start + _HEADER_LENGTH:
            return None
        end = start + self._held[start + 3] + _OVERHEAD
        return end if end <= len(self._held) else None

    def _frame(self, start: int, end: int) -> Frame | None:
        held = self._held
        if held[end - 1] != ETX:
            return None
        if crc16(held[start + 1 : end - 3]) != int.from_bytes(held[end - 3 : end - 1], "big"):
            return None
        return Frame(
            held[start + 1],
            held[start + 2],
            bytes(held[start + _HEADER_LENGTH : end - 3]),
            bytes(held[start:end]),
        )
