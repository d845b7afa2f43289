"""What a relay or an optocoupler of a newer unit has been given to do, from RE1T or OP2T.

Bits, most significant first: `E L 1 S MMMM 1111 …`. L is above or below the threshold, S the output
as it is now, M the mode; the lowest 19 are the errors at which the output goes off. Reserved bits
are not always 1. Source: docs/protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_ABOVE = 1 << 30
_ON = 1 << 28
_MODE_SHIFT = 24
_MODE_MASK = 0xF
_ERRORS = range(1, 20)
_MOST = 0xFFFF_FFFF


class Mode(StrEnum):
    """What an output goes by, in the order of the BMS's numbers; the last two have no threshold."""

    OFF = "off"
    VOLTAGE = "voltage"
    TEMPERATURE = "temperature"
    CURRENT = "current"
    STATE_OF_CHARGE = "state_of_charge"
    LOWEST_CELL = "lowest_cell"
    HIGHEST_CELL = "highest_cell"
    CHARGE_ENABLE = "charge_enable"
    DISCHARGE_ENABLE = "discharge_enable"


_MODES = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Task:
    """An output's task: `mode` is None where its number has no known meaning."""

    mode: Mode | None
    above: bool
    """Whether it is on above the threshold rather than below it."""
    output: bool
    """Whether it is on now."""
    errors: tuple[int, ...]
    """The errors at which it goes off."""
    raw: int


def task(raw: float | None) -> Task | None:
    """Return the task that 32 bits stand for; None for what cannot be one."""
    if raw is None or raw != int(raw) or not 0 <= raw <= _MOST:
        return None
    bits = int(raw)
    number = bits >> _MODE_SHIFT & _MODE_MASK
    return Task(
        mode=_MODES[number] if number < len(_MODES) else None,
        above=bool(bits & _ABOVE),
        output=bool(bits & _ON),
        errors=tuple(error for error in _ERRORS if bits >> error - 1 & 1),
        raw=bits,
    )
