"""Energy from power, charge and time from current: what the BMS does not tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

_JOULES_PER_KWH = 3_600_000
_SMOOTHING_SECONDS = 120.0
_MINUTES_PER_HOUR = 60
_LONGEST_HOURS = 240.0
"""A battery that takes longer is at rest."""


class Direction(IntEnum):
    """Which way current flows: positive into the battery."""

    CHARGING = 1
    DISCHARGING = -1


@dataclass(frozen=True, slots=True)
class Flown:
    """What flowed each way between two samples: W s of a power, A s of a current."""

    charged: float
    discharged: float

    def one_way(self, direction: Direction) -> float:
        """Return what flowed in a direction."""
        return self.charged if direction is Direction.CHARGING else self.discharged


class Flow:
    """Tells what flowed between two samples of a power or a current, from their real times.

    Between two samples it is taken to change evenly; where it changes sign, each direction gets
    its part. Over a gap longer than `longest_gap`, in s, nothing is invented unless the BMS was
    heard all the time.
    """

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self._last: tuple[float, float] | None = None

    def add(self, rate: float | None, at: float, *, continuous: bool = False) -> Flown | None:
        """Take a sample in W or A, positive while charging; None where it is not known.

        `continuous` says that the BMS was heard since the last sample, however long ago that was.
        Returns None where it is not known what flowed since the last sample.
        """
        last, self._last = self._last, None if rate is None else (rate, at)
        if last is None or rate is None or at < last[1]:
            return None
        seconds = at - last[1]
        if seconds > self._longest_gap and not continuous:
            return None
        return Flown(_one_way(last[0], rate) * seconds, _one_way(-last[0], -rate) * seconds)


class EnergyMeter:
    """Adds up the energy that flows one way, in kWh, from power as it was at real times."""

    def __init__(self, direction: Direction, longest_gap: float) -> None:
        self.kwh = 0.0
        self._direction = direction
        self._flow = Flow(longest_gap)

    def add(self, watts: float | None, at: float, *, continuous: bool = False) -> None:
        """Take a sample of power in W, as `Flow` does."""
        flown = self._flow.add(watts, at, continuous=continuous)
        if flown is not None:
            self.kwh += flown.one_way(self._direction) / _JOULES_PER_KWH


def _one_way(before: float, after: float) -> float:
    """Return the mean of what is positive on the straight line between two powers."""
    low, high = sorted((before, after))
    if low >= 0:
        return (low + high) / 2
    if high <= 0:
        return 0.0
    return high * high / (high - low) / 2


class SmoothedCurrent:
    """A current in A that follows the measured one over some two minutes."""

    def __init__(self) -> None:
        self.amperes: float | None = None
        self._at = 0.0

    def add(self, amperes: float | None, at: float) -> None:
        """Take a measurement at a time in s; one that turned round starts anew."""
        elapsed, self._at = at - self._at, at
        if amperes is None or self.amperes is None or amperes * self.amperes <= 0:
            self.amperes = amperes
            return
        weight = 1 - math.exp(-elapsed / _SMOOTHING_SECONDS)
        self.amperes += (amperes - self.amperes) * weight


def minutes_left(
    direction: Direction, capacity: float, state_of_charge: float, amperes: float
) -> int | None:
    """Return the minutes until full or empty; None where it makes no sense.

    Takes the capacity in Ah, the state of charge as a fraction and the smoothed current in A.
    """
    if amperes * direction <= 0:
        return None
    missing = 1 - state_of_charge if direction is Direction.CHARGING else state_of_charge
    hours = max(missing, 0) * capacity / abs(amperes)
    return None if hours > _LONGEST_HOURS else in_grains(hours)


def in_grains(hours: float) -> int:
    """Return hours that were estimated in minutes, no finer than they can be known.

    More than ten hours are given to a quarter of an hour, more than one to five minutes.
    """
    grain = 1 if hours < 1 else 5 if hours < 10 else 15
    return round(hours * _MINUTES_PER_HOUR / grain) * grain
