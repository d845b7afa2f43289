"""What the sensors may show that no one response tells: energy, time left, how the line is doing.

Worked out from the polls by rules of this module's own, so that a mistake in the integration's
arithmetic is not made here, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from . import rules

_SMOOTHING_SECONDS = 120.0
_LONGEST_HOURS = 240.0
_CURRENT, _VOLTAGE, _STATE_OF_CHARGE = 2, 4, 5
"""Places in LCD1's response."""
_ENERGIES = {"energy_charged": 1, "energy_discharged": -1}
_CHARGES = {"lifetime_charged": 1, "lifetime_discharged": -1}
_TIMES = {"time_to_full": 1, "time_to_empty": -1}
_COUNTERS = ("line_errors", "retries")
_POLL_DURATION = "poll_duration"
_OF_THE_POLL = (*_COUNTERS, _POLL_DURATION)
"""What a poll tells whatever it has read."""
ALWAYS_SHOWN = (*_ENERGIES, *_CHARGES, *_OF_THE_POLL)
"""While the BMS is there."""
KEYS = (*ALWAYS_SHOWN, *_TIMES)
_HALF_A_WATTHOUR = 0.000501
"""In kWh: energy is shown to one Wh."""
_HALF_AN_AMPERE_HOUR = 0.501
_HALF_A_MILLISECOND = 0.501
"""In ms: a poll's duration is shown to one ms."""


@dataclass(frozen=True, slots=True)
class Main:
    """LCD1 as a successful poll has read it, and when."""

    read_at: float
    values: tuple[float, ...]


class Flow:
    """Follows one BMS from poll to poll."""

    def __init__(self, scan_interval: float) -> None:
        """Take the time between polls in s; there was none yet."""
        self._scan_interval = scan_interval
        self._last: Main | None = None
        self._poll_failed = False
        self._joules = {1: 0.0, -1: 0.0}
        self._coulombs = {1: 0.0, -1: 0.0}
        self._amperes = 0.0
        self._poll_seconds = 0.0
        self._counters: dict[str, int] = {}

    def polled(self, main: Main, began: float, ended: float, counters: dict[str, int]) -> None:
        """Take what the next poll brought."""
        self._poll_seconds, self._counters = ended - began, counters
        self._follow(main)

    def poll_failed(self) -> None:
        """Take that the next poll did not find the BMS."""
        self._poll_failed = True

    def _follow(self, main: Main) -> None:
        last, self._last = self._last, main
        poll_failed, self._poll_failed = self._poll_failed, False
        amperes = main.values[_CURRENT]
        if last is None:
            self._amperes = amperes
            return
        seconds = main.read_at - last.read_at
        if rules.is_counted(seconds, self._scan_interval, poll_failed=poll_failed):
            _add_up(self._joules, _watts(last), _watts(main), seconds)
            _add_up(self._coulombs, last.values[_CURRENT], amperes, seconds)
        if math.copysign(1, amperes) != math.copysign(1, self._amperes):
            self._amperes = amperes
            return
        forgotten = math.exp(-seconds / _SMOOTHING_SECONDS)
        self._amperes = forgotten * self._amperes + (1 - forgotten) * amperes

    def may_show(self, key: str, state: str, capacities: Iterable[float]) -> bool:
        """Tell whether a sensor may show this now; the battery's capacity is one of some, in Ah."""
        shown = float(state)
        if key in _OF_THE_POLL:
            return self._is_of_the_poll(key, shown)
        if (last := self._last) is None:
            return False
        if key in _ENERGIES:
            return abs(shown - self._joules[_ENERGIES[key]] / 3.6e6) <= _HALF_A_WATTHOUR
        if key in _CHARGES:
            return abs(shown - self._coulombs[_CHARGES[key]] / 3600) <= _HALF_AN_AMPERE_HOUR
        return any(self._is_time(_TIMES[key], shown, capacity, last) for capacity in capacities)

    def _is_of_the_poll(self, key: str, shown: float) -> bool:
        if key == _POLL_DURATION:
            return abs(shown - self._poll_seconds * 1000) <= _HALF_A_MILLISECOND
        return shown == self._counters.get(key)

    def _is_time(self, direction: int, shown_hours: float, capacity: float, last: Main) -> bool:
        if self._amperes * direction <= 0:
            return False
        state_of_charge = last.values[_STATE_OF_CHARGE]
        part = 1 - state_of_charge if direction > 0 else state_of_charge
        hours = part * capacity / abs(self._amperes)
        grain_minutes = 1 if hours < 1 else 5 if hours < 10 else 15
        return hours <= _LONGEST_HOURS and abs(shown_hours - hours) <= grain_minutes / 2 / 60 + 1e-3


def _add_up(sums: dict[int, float], before: float, after: float, seconds: float) -> None:
    """Add the areas on both sides of zero under a straight line from one value to the other."""
    if before * after >= 0:
        sums[1 if before + after > 0 else -1] += abs(before + after) / 2 * seconds
        return
    turns_at = seconds * abs(before) / (abs(before) + abs(after))
    for value, part in ((before, turns_at), (after, seconds - turns_at)):
        sums[1 if value > 0 else -1] += abs(value) / 2 * part


def _watts(main: Main) -> float:
    return main.values[_VOLTAGE] * main.values[_CURRENT]
