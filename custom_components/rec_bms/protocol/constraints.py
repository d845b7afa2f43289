"""Which limits must stand in which order, so that a BMS protects its battery.

Source: docs/decisions.md; the limits' meanings are in REC's manuals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .errors import IncoherentError
from .settings import Setting


@dataclass(frozen=True, slots=True)
class Rule:
    """The value of `low` must be below that of `high`, or may equal it unless `strict`."""

    low: str
    high: str
    strict: bool

    def other(self, code: str) -> str:
        """Return the code that this rule ties to `code`."""
        return self.high if code == self.low else self.low

    def broken(self, values: Mapping[str, float]) -> bool:
        """Tell whether values contradict the rule."""
        excess = self.excess(values)
        return excess > 0 or (self.strict and excess == 0)

    def excess(self, values: Mapping[str, float]) -> float:
        """Return by how much the low value is above the high one, in the line's unit.

        The device keeps both as float32, in which they may be equal although they differ here.
        """
        return _as_kept(values[self.low]) - _as_kept(values[self.high])


RULES = (
    Rule("CMIN", "CMAX", strict=True),
    Rule("CMIN", "CLOW", strict=False),
    Rule("CLOW", "CMAX", strict=True),
    Rule("BMIN", "BVOL", strict=False),
    Rule("BVOL", "CMAX", strict=False),
    Rule("CHAR", "CMAX", strict=False),
    Rule("TMIN", "TMAX", strict=True),
)


def rules_for(code: str) -> Iterator[Rule]:
    """Yield the rules that a setting takes part in."""
    return (rule for rule in RULES if code in (rule.low, rule.high))


def check(
    setting: Setting, value: float, previous: float | None, others: Mapping[Setting, float]
) -> None:
    """Raise IncoherentError where a new value contradicts another setting's.

    A contradiction that was there before and gets no worse is let through, so that a badly
    configured BMS can be repaired step by step. Rules whose other setting is not in `others` are
    not checked. All values are in the line's unit.
    """
    code = setting.code
    by_code = {other.code: other for other in others}
    for rule in rules_for(code):
        other = by_code.get(rule.other(code))
        if other is None:
            continue
        after = {code: value, other.code: others[other]}
        if not rule.broken(after):
            continue
        if previous is not None:
            before = {code: previous, other.code: others[other]}
            if rule.excess(after) <= rule.excess(before):
                continue
        raise IncoherentError(setting, value, _relation(rule, code), other, others[other])


def _as_kept(value: float) -> float:
    """Return what a float32 keeps of a value."""
    (kept,) = struct.unpack("f", struct.pack("f", value))
    return float(kept)


def _relation(rule: Rule, code: str) -> str:
    sign = "<" if code == rule.low else ">"
    return sign if rule.strict else f"{sign}="
