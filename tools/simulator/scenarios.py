"""What is asked of the battery over the day: current, weather, and errors that come and go."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .battery import DAY


@dataclass(frozen=True, slots=True)
class View:
    """What a scenario may know.

    `time` in s since a midnight, `capacity` in Ah, `rest_current` in A is what flows when nobody
    does anything special. `full` and `empty` tell that the BMS has stopped charge or discharge.
    """

    time: float
    capacity: float
    rest_current: float
    full: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """What a scenario asks for: current in A (positive charges), ambient temperature in °C.

    `error` is the number of an error to show now, 0 for none.
    """

    current: float
    ambient: float = 19.0
    error: int = 0


Scenario = Callable[[View], Demand]


def rest(view: View) -> Demand:
    """Let next to nothing flow: the fridge and the lights, as in the readings of a real unit."""
    return Demand(view.rest_current)


def _sun(time: float) -> float:
    hour = time % DAY / 3600
    return max(0.0, math.sin(math.pi * (hour - 6) / 12)) if 6 <= hour <= 18 else 0.0


def day(view: View) -> Demand:
    """Charge by day under passing clouds, discharge by night, most of it in the evening."""
    hour = view.time % DAY / 3600
    clouds = 0.85 + 0.1 * math.sin(view.time / 613) + 0.05 * math.sin(view.time / 97)
    evening = math.exp(-(((hour - 20.5) / 1.8) ** 2))
    house = 0.015 + 0.05 * evening + 0.003 * math.sin(view.time / 241)
    current = view.capacity * (0.13 * _sun(view.time) * clouds - house)
    return Demand(current, 15 + 5 * math.sin(math.pi * (hour - 9) / 12))


def charging(view: View) -> Demand:
    """Charge with a fifth of the capacity until the battery is full."""
    return Demand(0.2 * view.capacity)


def discharging(view: View) -> Demand:
    """Discharge with a fifth of the capacity until the battery is empty."""
    return Demand(-0.2 * view.capacity)


class Cycling:
    """Charge until full, discharge until empty, and so on."""

    def __init__(self) -> None:
        self._down = True

    def __call__(self, view: View) -> Demand:
        """Go on in one direction until the BMS stops it."""
        if view.empty:
            self._down = False
        elif view.full:
            self._down = True
        return Demand(view.capacity * (-0.3 if self._down else 0.3))


def cold(view: View) -> Demand:
    """Live the solar day in a hard winter: too cold to charge, which is error 7."""
    return Demand(day(view).current, -18 + 3 * _sun(view.time))


def fault(view: View) -> Demand:
    """Rest, but let an error come for two minutes in every five, each time the next of the 16."""
    round_, second = divmod(view.time - 10 * 3600, 300)
    error = int(round_) % 16 + 1 if 120 <= second < 240 else 0
    return Demand(view.rest_current, error=error)


_MAKERS: Mapping[str, Callable[[], Scenario]] = {
    "rest": lambda: rest,
    "day": lambda: day,
    "charging": lambda: charging,
    "discharging": lambda: discharging,
    "cycling": Cycling,
    "cold": lambda: cold,
    "fault": lambda: fault,
}
SCENARIOS: tuple[str, ...] = tuple(_MAKERS)
ABOUT: Mapping[str, str] = {
    "rest": "a small load, as in the readings of a real unit",
    "day": "charges by day under passing clouds, discharges by night",
    "charging": "a charger until full",
    "discharging": "a load until empty",
    "cycling": "full to empty to full",
    "cold": "a winter day: too cold to charge, error 7",
    "fault": "an error comes and goes every five minutes, each time another",
}


def scenario(name: str) -> Scenario:
    """Return a scenario by its name, one of `SCENARIOS`."""
    return _MAKERS[name]()
