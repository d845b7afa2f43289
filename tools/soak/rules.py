"""The integration's rules that what is right depends on, each in one place and said anew here.

Whoever changes one of them changes it here, too; nothing else in this package knows of it.
"""

from __future__ import annotations

import math

from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Group

_TEMPERATURES_EVERY = 30.0
_SLOW_EVERY = 300.0
_INTERVALS_UNTIL_STALE = 3
_POLLS_IN_LONGEST_GAP = 3
_CHARGING_FROM = 0.1
_RESTING_BELOW = 0.02
"""Both in A."""


def interval(code: str, scan_interval: float) -> float:
    """Return how often an instruction is to be asked, in s (the design's polling table)."""
    match BY_CODE[code].group:
        case Group.MAIN:
            return scan_interval
        case Group.TEMPERATURES | Group.WATCHED:
            return max(_TEMPERATURES_EVERY, scan_interval)
        case Group.SLOW:
            return max(_SLOW_EVERY, scan_interval)
        case Group.SETTING:
            return scan_interval * sum(row.group is Group.SETTING for row in BY_CODE.values())
    return math.inf


def stays_good(code: str, scan_interval: float, longest_poll: float) -> float:
    """Return for how long what was read is good, in s, looked at when a poll begins.

    Where polls take longer than an instruction's interval, it is three polls.
    """
    return _INTERVALS_UNTIL_STALE * max(interval(code, scan_interval), scan_interval + longest_poll)


def is_counted(seconds: float, scan_interval: float, *, poll_failed: bool) -> bool:
    """Tell whether energy is counted between two readings of LCD1, so many seconds apart.

    It is while no poll has failed in between, however long the polls took.
    """
    return seconds > 0 and (not poll_failed or seconds <= _POLLS_IN_LONGEST_GAP * scan_interval)


def charging(amperes: float) -> tuple[str, ...]:
    """Return what may be shown of a battery that is charged with so many A, or is at rest.

    In between it is as it was before.
    """
    if amperes >= _CHARGING_FROM:
        return ("on",)
    return ("off",) if amperes < _RESTING_BELOW else ("on", "off")


def shown_units(address: int, own: int, units: int) -> set[int | None]:
    """Return what attributes may say of the unit at an address: nothing before CELL was told.

    `own` is the BMS's own address, `units` how many units it has.
    """
    shown: set[int | None] = {None}
    if units == 1 or address == own:
        shown.add(1)
    elif address <= units and not 1 < own <= units:
        shown.add(address)
    return shown
