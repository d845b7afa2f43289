"""Frames of the REC line, built and checked here alone: nothing is shared with the client.

STX 0x55 | DST | SND | LEN | LEN payload bytes | CRC high | CRC low | ETX 0xAA
"""

from __future__ import annotations

from dataclasses import dataclass

STX = 0x55
ETX = 0xAA
OVERHEAD = 7
"""Bytes of a frame that are not payload."""
LONGEST_PAYLOAD = 255


def checksum(data: bytes) -> int:
    """Return the CRC-16 over DST to payload: 0x8005 reflected, start 0, no final xor."""
    remainder = 0
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            carry = remainder & 1
            remainder >>= 1
            if carry:
                remainder ^= 0xA001
    return remainder


def build(destination: int, sender: int, payload: bytes) -> bytes:
    """Return the bytes of one frame; raise ValueError where the payload is too long for it."""
    if len(payload) > LONGEST_PAYLOAD:
        msg = f"a frame holds {LONGEST_PAYLOAD} bytes of payload, not {len(payload)}"
        raise ValueError(msg)
    middle = bytes((destination, sender, len(payload))) + payload
    return bytes((STX,)) + middle + checksum(middle).to_bytes(2, "big") + bytes((ETX,))


@dataclass(frozen=True, slots=True)
class Frame:
    """One good frame and where in the stream its bytes ended (count of bytes since the start)."""

    destination: int
    sender: int
    payload: bytes
    raw: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Bytes that belong to no good frame."""

    raw: bytes
    end: int


class Listener:
    """Finds frames in the bytes heard on a line, as the UART routine of a BMS does."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._count = 0
        self._rubbish = bytearray()

    @property
    def count(self) -> int:
        """How many bytes it has been given."""
        return self._count

    @property
    def waiting(self) -> bytes:
        """The bytes of a frame that has begun and is not complete yet."""
        return bytes(self._held)

    def forget(self) -> bytes:
        """Drop what is held, as after a pause that no frame has inside it; return it."""
        dropped = bytes(self._held)
        self._held.clear()
        return dropped

    def feed(self, data: bytes) -> list[Frame | Rubbish]:
        """Take more bytes; return what they completed, in order."""
        self._held += data
        self._count += len(data)
        found: list[Frame | Rubbish] = []
        while self._held:
            frame = self._try()
            if frame is None:
                break
            if isinstance(frame, Frame):
                self._flush_rubbish(found, frame.end - len(frame.raw))
                found.append(frame)
                del self._held[: len(frame.raw)]
            else:
                self._rubbish.append(self._held.pop(0))
        self._flush_rubbish(found, self._count - len(self._held))
        return found

    def _flush_rubbish(self, found: list[Frame | Rubbish], end: int) -> None:
        if self._rubbish:
            found.append(Rubbish(bytes(self._rubbish), end))
            self._rubbish.clear()

    def _try(self) -> Frame | bool | None:
        """Return the frame at the front, False where there is none, None to wait for more."""
        held = self._held
        if held[0] != STX:
            return False
        if len(held) < 4 or len(held) < held[3] + OVERHEAD:
            return None
        raw = bytes(held[: held[3] + OVERHEAD])
        if raw[-1] != ETX or checksum(raw[1:-3]) != int.from_bytes(raw[-3:-1], "big"):
            return False
        return Frame(raw[1], raw[2], raw[4:-3], raw, self._count - len(held) + len(raw))
