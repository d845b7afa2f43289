"""What a BMS keeps for an instruction that no preset knows: a value that may well be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from .figures import float32
from .table import BY_CODE, RULES, Instruction, Reply, Rule

type Limits = tuple[float, float]

_NUMBERS = (Reply.FLOAT, Reply.INT, Reply.CHAR)
_WITHOUT_LIMITS = 1.0
_DIGITS = 3


def completed(
    known: Mapping[str, float],
    rows: Iterable[Instruction] = tuple(BY_CODE.values()),
    rules: Iterable[Rule] = RULES,
) -> dict[str, float]:
    """Return settings with a value for every instruction of the table that is a number.

    One that is missing lies between its limits, and on the right side of those that it must agree
    with.
    """
    values, listed = dict(known), tuple(rules)
    for row in rows:
        if row.code not in values and row.reply in _NUMBERS:
            values[row.code] = _believable(row, _within(row, values, listed))
    return values


def completed_texts(known: Mapping[str, str]) -> dict[str, str]:
    """Return texts with one for every instruction of the table that is a text."""
    codes = [row.code for row in BY_CODE.values() if row.reply is Reply.STRING]
    return {**{code: f"{code} 1.0" for code in codes}, **known}


def _within(row: Instruction, values: Mapping[str, float], rules: tuple[Rule, ...]) -> Limits:
    """Return a row's limits, narrowed by the settings that it must agree with."""
    if row.minimum is None or row.maximum is None:
        return _WITHOUT_LIMITS, _WITHOUT_LIMITS
    low = max((row.minimum, *_known_beyond(row.code, values, rules, above=False)))
    high = min((row.maximum, *_known_beyond(row.code, values, rules, above=True)))
    # Where others contradict each other there is nothing to agree with.
    return (low, high) if low <= high else (row.minimum, row.maximum)


def _known_beyond(
    code: str, values: Mapping[str, float], rules: tuple[Rule, ...], *, above: bool
) -> list[float]:
    """Return the known values that must be above (or below) a setting, however many rules away."""
    found = []
    for rule in rules:
        own, other = (rule.low, rule.high) if above else (rule.high, rule.low)
        if own != code:
            continue
        if other in values:
            found.append(values[other])
        else:
            found += _known_beyond(other, values, rules, above=above)
    return found


def _believable(row: Instruction, limits: Limits) -> float:
    low, high = limits
    # Limits far apart mean a quantity of any size, which is not half its largest.
    middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
    if row.choices:
        return min(row.choices, key=lambda choice: abs(choice - middle))
    if row.whole_number:
        return math.floor(middle)
    rounded = float(f"{middle:.{_DIGITS}g}")
    return rounded if low < float32(rounded) < high else middle
