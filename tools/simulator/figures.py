"""Numbers as the device keeps and writes them: float32, in nine characters."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable

WIDTH = 9
"""Characters of a float on the line."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"[+-]?\d{1,9}")


def float32(value: float) -> float:
    """Return the float32 nearest to a value: what is left of it in the device."""
    result: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return result


def float32s(values: Iterable[float]) -> bytes:
    """Return values as little endian float32s, the content of an array's frames."""
    listed = list(values)
    return struct.pack(f"<{len(listed)}f", *listed)


def write_float(value: float) -> str:
    """Return a float as the device writes it: `4.50000e2`, `-1.2351e2`, `1.9531e-2`."""
    for digits in range(5, -1, -1):
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        tail = f"e{int(exponent)}"
        if len(mantissa) + len(tail) <= WIDTH:
            return mantissa.ljust(WIDTH - len(tail), "0") + tail
    msg = f"no room for {value!r}"
    raise ValueError(msg)


def read_float(text: str) -> float | None:
    """Return the float32 that a text stands for, None where it is no plain decimal number."""
    if not _DECIMAL.fullmatch(text):
        return None
    try:
        value = float32(float(text))
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def read_whole(text: str) -> int | None:
    """Return the integer that a text stands for, None where it is none."""
    return int(text) if _WHOLE.fullmatch(text) else None
