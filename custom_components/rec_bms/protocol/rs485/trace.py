"""What went over the line lately, for whoever has to find out what is wrong with it."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from .frame import Frame

TRACE_LENGTH = 200
_FLOAT_LENGTH = 4


class Direction(StrEnum):
    """Which way bytes went, or that they made no frame."""

    SENT = "sent"
    RECEIVED = "received"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One frame, or bytes that belonged to none, and when: UTC."""

    time: datetime
    direction: Direction
    data: bytes
    frame: Frame | None = None

    @property
    def meaning(self) -> str:
        """What it says, for a human."""
        if self.frame is None:
            return "no frame"
        return f"{self.frame.sender}→{self.frame.destination} {describe(self.frame.payload)}"

    def __str__(self) -> str:
        """Return hex and meaning."""
        return f"{self.direction} {self.data.hex(' ').upper()} ({self.meaning})"


class Trace:
    """The last 200 frames."""

    def __init__(self) -> None:
        self._entries: deque[TraceEntry] = deque(maxlen=TRACE_LENGTH)

    def add(self, direction: Direction, data: bytes, frame: Frame | None = None) -> TraceEntry:
        """Note what went over the line just now."""
        entry = TraceEntry(datetime.now(UTC), direction, data, frame)
        self._entries.append(entry)
        return entry

    def __iter__(self) -> Iterator[TraceEntry]:
        """Yield the entries, oldest first."""
        return iter(tuple(self._entries))


@dataclass(slots=True)
class Counters:
    """What happened on one port since it was first opened."""

    exchanges: int = 0
    """Requests answered or given up; repeated attempts do not count."""
    repeated_exchanges: int = 0
    """Exchanges that needed more than one attempt."""
    retries: int = 0
    """Attempts beyond an exchange's first."""
    second_looks: int = 0
    """Requests sent again because the response may have been a duplicate of another's."""
    unanswered: int = 0
    """Exchanges given up."""
    nobody_there: int = 0
    """Exchanges given up with an address at which nobody was known to be."""
    fences: int = 0
    """Requests sent only to know that older responses are through."""
    frames: int = 0
    """Good frames received."""
    line_errors: int = 0
    """Runs of bytes that made no frame, and frames that nobody here had requested."""
    opened: int = 0
    """How often the port was opened."""

    def as_dict(self) -> dict[str, int]:
        """Return the counters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def describe(payload: bytes) -> str:
    """Return a payload as text or float32s where it looks like that, else as hex."""
    if payload and all(0x20 <= byte <= 0x7E for byte in payload):
        return repr(payload.decode("ascii"))
    if payload and len(payload) % _FLOAT_LENGTH == 0 and len(payload) > _FLOAT_LENGTH * 2:
        numbers = struct.unpack(f"<{len(payload) // _FLOAT_LENGTH}f", payload)
        return "[" + ", ".join(f"{number:.6g}" for number in numbers) + "]"
    return payload.hex(" ").upper()
