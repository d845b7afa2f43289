"""How many bytes a second the frame decoder takes, against what a line can bring."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from custom_components.rec_bms.protocol.rs485.frame import MASTER, STX, Decoder, Frame
from tools.simulator.figures import float32s

LINE = 11520
"""Bytes a second at 115200 baud."""
_CHUNK = 62
"""Bytes that an FTDI adapter hands over at once."""
_FRAMES = 3000
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Throughput:
    """Bytes of a kind that were decoded in a second, the best of some runs."""

    of: str
    bytes_per_second: float


def measure() -> list[Throughput]:
    """Return the throughput for cell voltages, for those amid noise, and for nothing but STX."""
    clean = _frames()
    rng = random.Random(1)
    noisy = b"".join(frame + rng.randbytes(rng.randrange(40)) for frame in clean)
    kinds = (
        ("frames of 15 cells", b"".join(clean)),
        ("the same between noise", noisy),
        ("nothing but false STX", bytes((STX,)) * len(noisy)),
    )
    return [Throughput(of, max(_once(data) for _ in range(_REPEATS))) for of, data in kinds]


def _frames() -> list[bytes]:
    rng = random.Random(0)
    cells = ([rng.uniform(2.5, 4.2) for _ in range(15)] for _ in range(_FRAMES))
    return [Frame(MASTER, 1, float32s(each)).encode() for each in cells]


def _once(data: bytes) -> float:
    decoder = Decoder()
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    began = time.perf_counter()
    for chunk in chunks:
        decoder.feed(chunk)
    return len(data) / (time.perf_counter() - began)
