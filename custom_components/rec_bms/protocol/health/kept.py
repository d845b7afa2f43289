"""Reads what was kept for years: nothing of it that cannot be is taken, and nothing raises."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..plausible import Bounds, within

_ANY_SUM: Bounds = (0, math.inf)


def entries(kept: object) -> Mapping[str, object]:
    """Return what was kept by name; nothing where it is of another shape."""
    return kept if isinstance(kept, Mapping) else {}


def number(kept: object, bounds: Bounds) -> float | None:
    """Return a finite number within bounds; None for anything else, a boolean included."""
    if isinstance(kept, bool) or not isinstance(kept, int | float):
        return None
    try:
        value = float(kept)
    except OverflowError:
        return None
    return within(value, bounds) if math.isfinite(value) else None


def amount(kept: object) -> float | None:
    """Return a sum, or a Unix time: a finite number that is not negative; else None."""
    return number(kept, _ANY_SUM)


def position(kept: object) -> int | None:
    """Return a place that counts from 1; None for anything else."""
    return kept if isinstance(kept, int) and not isinstance(kept, bool) and kept >= 1 else None


def not_after(at: float, now: float) -> float:
    """Return a Unix time, or now where it lies in the future.

    The clock was ahead when it was noted, and has been set since: it was at the latest now.
    """
    return min(at, now)
