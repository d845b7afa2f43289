"""What is left in a cell at rest near empty, and what it lacks near full, by its voltage.

Only there can that be told: the flat part of LiFePO4's curve tells nothing, and higher up curves of
other chemistries differ too much from maker to maker. Each row says how far off the state of charge
can be (95 %), because the cell is of another make, has another temperature or has not settled. 0 is
where the curve falls off: 2.5 V for LiFePO4, 3.0 V for the others.

Sources:

- LiFePO4 (CHEM 3 and 4): a Lithium Werks APR18650M1B (A123's make) at C/32, by S. Sunil,
  K. R. Pattipati and B. Balasingam, IEEE Transactions on Instrumentation and Measurement (2025):
  2.74 V at 1.2 %, 2.93 V at 2.7 %, 3.09 V at 5.3 %, 3.19 V at 8.9 %. Of Winston's cells no curve is
  published; they have the same electrodes.
- Li-Po (CHEM 1 and 2): a Kokam SLPB 75106100, from its electrodes as measured by M. Ecker et al.,
  Journal of the Electrochemical Society 162 (2015) A1836, between 3.0 V and 4.0 to 4.2 V.
- LiMnO2 (CHEM 5): no curve of such a cell is at hand. The same as Li-Po, somewhat higher, and twice
  as uncertain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Left:
    """A state of charge as a fraction, and how far off it can be (95 %)."""

    charge: float
    off: float


@dataclass(frozen=True, slots=True)
class _Row:
    volts: float
    charge: float
    off: float


_IRON = (
    _Row(2.5, 0.003, 0.008),
    _Row(2.74, 0.011, 0.008),
    _Row(2.92, 0.025, 0.009),
    _Row(3.09, 0.052, 0.012),
    _Row(3.19, 0.093, 0.018),
    _Row(3.2, 0.102, 0.022),
)
_LIPO = (
    _Row(3.0, 0.0, 0.008),
    _Row(3.19, 0.02, 0.01),
    _Row(3.35, 0.05, 0.012),
    _Row(3.47, 0.1, 0.026),
    _Row(3.53, 0.15, 0.033),
    _Row(3.59, 0.2, 0.04),
)
_MANGANESE = (
    _Row(3.0, 0.0, 0.016),
    _Row(3.4, 0.045, 0.024),
    _Row(3.55, 0.09, 0.035),
)
_CURVES: Mapping[int, Sequence[_Row]] = {
    1: _LIPO,
    2: _LIPO,
    3: _IRON,
    4: _IRON,
    5: _MANGANESE,
}
"""By CHEM, from empty upwards."""
_ABOVE: Mapping[int, _Row] = {
    1: _Row(3.66, 0.28, 0.08),
    2: _Row(3.66, 0.28, 0.08),
    3: _Row(3.25, 0.21, 0.05),
    4: _Row(3.25, 0.21, 0.05),
    5: _Row(3.72, 0.2, 0.08),
}
"""The next row of each, good enough to compare cells of the same battery with."""
_IRON_TOP = (
    (3.36, 0.05),
    (3.375, 0.03),
    (3.4, 0.017),
    (3.45, 0.008),
    (3.5, 0.005),
    (3.58, 0.0),
)
"""Volts at which a LiFePO4 cell lacks a part of its charge; below the first, at least so much."""
_SLOPES: Mapping[int, float] = {1: 0.6, 2: 0.6, 5: 0.85}
"""V that the last tenth of charge makes, for the whole of it."""
_TOO_LOW = 0.3
"""V below the lowest row: a cell is not there, its wire is."""


def left_in(chemistry: float | None, volts: float) -> Left | None:
    """Return what is left in a cell of that CHEM that rests at a voltage; None if that is open."""
    rows = _CURVES.get(int(chemistry)) if chemistry is not None else None
    if rows is None or not rows[0].volts - _TOO_LOW <= volts <= rows[-1].volts:
        return None
    return _between(rows, volts)


def at_least_left_in(chemistry: float, volts: float) -> float | None:
    """Return which part of its charge is left in a cell at rest, or is at least, as a fraction.

    None for a CHEM that is not known.
    """
    number = int(chemistry)
    rows = _CURVES.get(number)
    if rows is None:
        return None
    above = _ABOVE[number]
    return above.charge if volts >= above.volts else _between([*rows, above], volts).charge


def lacks(chemistry: float, volts: float, highest: float) -> float | None:
    """Return what a cell lacks, or lacks at least, against the highest one at the end of a charge.

    As a fraction of its charge; None for a CHEM that is not known.
    """
    number = int(chemistry)
    if number in _SLOPES:
        return max(0.0, highest - volts) / _SLOPES[number]
    return _iron_lacks(volts) if number in _CURVES else None


def _iron_lacks(volts: float) -> float:
    if volts <= _IRON_TOP[0][0]:
        return _IRON_TOP[0][1]
    if volts >= _IRON_TOP[-1][0]:
        return 0.0
    (low, more), (high, less) = next(pair for pair in pairwise(_IRON_TOP) if volts <= pair[1][0])
    return more + (less - more) * (volts - low) / (high - low)


def _between(rows: Sequence[_Row], volts: float) -> Left:
    """Return what is left at a voltage that is not above the last of the rows."""
    if volts <= rows[0].volts:
        return Left(rows[0].charge, rows[0].off)
    below, above = next(pair for pair in pairwise(rows) if volts <= pair[1].volts)
    share = (volts - below.volts) / (above.volts - below.volts)
    return Left(
        below.charge + share * (above.charge - below.charge),
        below.off + share * (above.off - below.off),
    )
