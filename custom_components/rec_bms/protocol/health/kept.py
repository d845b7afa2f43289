"""Reads what was kept, and may have been kept by another version, or spoilt."""

from __future__ import annotations

import math


def number(value: object) -> float | None:
    """Return a finite number, None for anything else; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def numbers(value: object, count: int) -> list[float] | None:
    """Return so many finite numbers; None for anything else."""
    if not isinstance(value, list) or len(value) != count:
        return None
    read = [number(one) for one in value]
    return [one for one in read if one is not None] if None not in read else None
