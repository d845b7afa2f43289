"""Who uses a battery, and how: over the day, the week and the year.

Each plans a day in slots, in C (positive charges), from what season and weekday are. A battery that
is empty is left without load until it is next charged, as owners do.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.simulator.battery import DAY
from tools.simulator.scenarios import Demand, View

SLOT = 600.0
"""Seconds for which a load or a charger stays as it is."""
_SLOTS = int(DAY / SLOT)
_A_DAY = tuple((slot + 0.5) * SLOT / 3600 for slot in range(_SLOTS))
"""The hours in the middle of the slots."""
_BURSTS = 0.05
"""The share of slots under load in which something large runs: a kettle, a pump, a lift."""
_BURST = (0.15, 0.4)
"""C."""
_BURST_LASTS = (180.0, 500.0)
_LOAD = -0.004
"""C of a load of somebody who is there."""
_SHORTEST = 1.0
_GENERATOR_RUNS = 5 * 3600.0
_GENERATOR_STARTS_AFTER = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Day:
    """A day: which of the year, which of the week (5 and 6 are the weekend), and its luck."""

    of_year: int
    weekday: int
    rng: random.Random
    fortnight: random.Random

    @property
    def warmth(self) -> float:
        """From -1 in the middle of winter to 1 in the middle of summer."""
        return math.cos(2 * math.pi * (self.of_year - 197) / 365)


Plan = Callable[[Day], list[float]]


def _sun(hour: float) -> float:
    return max(0.0, math.sin(math.pi * (hour - 6) / 12))


def _household(hour: float) -> float:
    """Return what a household takes, as a share of a day's mean."""
    return 0.6 + 2.0 * math.exp(-(((hour - 20.5) / 2.2) ** 2))


def _boat(day: Day) -> list[float]:
    """Sail on weekends from April to October; else lie at the berth, on the charger."""
    sails = 90 < day.of_year < 300 and day.weekday >= 5
    if not sails or day.fortnight.random() < 0.2:
        return [0.12] * _SLOTS
    load = 0.011 * (2.2 if day.fortnight.random() < 0.3 else 1.0)
    plan = [-load * _household(hour) * day.rng.uniform(0.4, 1.8) for hour in _A_DAY]
    if day.weekday == 6:
        back = int(day.rng.uniform(15, 19) * 6)
        plan[back:] = [0.12] * (_SLOTS - back)
    elif day.rng.random() < 0.6:
        plan[54:60] = [0.1] * 6
    return plan


def _house(day: Day) -> list[float]:
    """Live off the grid with solar power, of which winter has a quarter."""
    clear = day.rng.choice((0.35, 0.7, 1.0, 1.0)) * (0.62 + 0.38 * day.warmth)
    return [
        0.13 * clear * _sun(hour) * day.rng.uniform(0.75, 1.0)
        - 0.02 * _household(hour) * day.rng.uniform(0.6, 1.4)
        for hour in _A_DAY
    ]


def _machine(day: Day) -> list[float]:
    """Work from six to two on weekdays, at times until nothing is left; charge in the evening."""
    if day.weekday >= 5:
        return [0.15] * _SLOTS
    hard = 1.5 if day.rng.random() < 0.25 else 1.0
    plan = [0.0] * _SLOTS
    plan[36:84] = [-0.085 * hard * day.rng.uniform(0.3, 1.7) for _ in range(48)]
    plan[90:] = [0.18] * (_SLOTS - 90)
    plan[:24] = [0.18] * 24
    return plan


def _camper(day: Day) -> list[float]:
    """Travel in summer, stand in the sun between journeys; be laid up, and cold, in winter."""
    idle = [-0.00005] * _SLOTS
    if not 105 < day.of_year < 288:
        spring = 60 <= day.of_year < 62
        return [0.05] * _SLOTS if spring else idle
    sun = [0.05 * _sun(hour) * day.rng.uniform(0.5, 1.0) for hour in _A_DAY]
    if day.fortnight.random() < 0.5:
        return [shines - 0.0005 for shines in sun]
    plan = [
        0.7 * shines - 0.014 * _household(hour) * day.rng.uniform(0.4, 1.6)
        for shines, hour in zip(sun, _A_DAY, strict=True)
    ]
    if day.rng.random() < 0.4:
        plan[60:72] = [0.15] * 12
    return plan


@dataclass(frozen=True, slots=True)
class _Burst:
    """A large load of a rate in C, between two seconds of the day."""

    since: float
    until: float
    rate: float


def _burst(rng: random.Random, slot: float) -> _Burst | None:
    """Return what runs in a slot that begins at a second of the day."""
    if rng.random() >= _BURSTS:
        return None
    lasts = rng.uniform(*_BURST_LASTS)
    since = slot + rng.uniform(0, SLOT - lasts)
    return _Burst(since, since + lasts, rng.uniform(*_BURST))


@dataclass(frozen=True, slots=True)
class Kind:
    """A plan, and the climate: °C in the mean and by how much summer and winter differ from it."""

    plan: Plan
    celsius: float
    season: float
    generator: bool = False


OWNERS: dict[str, Kind] = {
    "boat": Kind(_boat, 13, 9),
    "house": Kind(_house, 15, 8, generator=True),
    "machine": Kind(_machine, 17, 7),
    "camper": Kind(_camper, 9, 13),
}


class Owner:
    """Uses one battery; a scenario of the simulator."""

    def __init__(self, kind: str, seed: int, starts_on: int) -> None:
        """Begin on a day of the year."""
        self._kind = OWNERS[kind]
        self._seed = seed
        self._starts_on = starts_on
        self._day = -1
        self._plan: list[float] = []
        self._bursts: list[_Burst | None] = []
        self._warmth = 0.0
        self._empty_since: float | None = None
        self._generator_until = 0.0

    def __call__(self, view: View) -> Demand:
        """Ask for what the plan of the day has."""
        day, second = divmod(view.time, DAY)
        if day != self._day:
            self._begin(int(day))
        hour = second / 3600
        kind = self._kind
        celsius = kind.celsius + kind.season * self._warmth
        slot = int(second / SLOT)
        rate = self._after_empty(self._plan[slot], view)
        burst = self._bursts[slot]
        if rate < _LOAD and burst is not None and burst.since <= second < burst.until:
            rate -= burst.rate
        return Demand(rate * view.capacity, celsius + 4 * math.sin(math.pi * (hour - 9) / 12))

    def _begin(self, day: int) -> None:
        """Plan a day."""
        self._day = day
        date = day + self._starts_on
        made = Day(
            date % 365,
            date % 7,
            random.Random(f"{self._seed} {date}"),
            random.Random(f"{self._seed} weeks {date // 14}"),
        )
        self._warmth = made.warmth
        self._plan = self._kind.plan(made)
        self._bursts = [_burst(made.rng, slot * SLOT) for slot in range(_SLOTS)]

    def until_next_change(self, time: float) -> float:
        """Return the s until a load or a charger may become another one, at a time of this day."""
        second = time % DAY
        slot = int(second / SLOT)
        changes = [(slot + 1) * SLOT]
        if (burst := self._bursts[slot]) is not None:
            changes += [burst.since, burst.until]
        return max(_SHORTEST, min(change - second for change in changes if change > second))

    def _after_empty(self, rate: float, view: View) -> float:
        """Return the rate without loads while the battery is empty, or what a generator gives."""
        if view.time < self._generator_until:
            return 0.12
        if view.empty and self._empty_since is None:
            self._empty_since = view.time
        if self._empty_since is None:
            return rate
        if self._kind.generator and view.time - self._empty_since > _GENERATOR_STARTS_AFTER:
            self._generator_until = view.time + _GENERATOR_RUNS
        if rate > 0 and not view.empty:
            self._empty_since = None
        return max(rate, 0.0)
