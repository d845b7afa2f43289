"""The errors that a BMS reports: their numbers, which of them are there, and which of them last.

A BMS reports one error at a time. Where it has several it may report them in turn, so an error is
not over as soon as another one is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from .state import ErrorState

_LASTS = 60.0
"""Seconds for which an error is reported until it lasts."""
_FORGOTTEN = 60.0
"""Seconds for which others are reported until an error is over."""
_OTHERS = 2
"""Reports of others that it takes at least: who polls seldom sees two in turn minutes apart."""


class ErrorNumber(IntEnum):
    """The error numbers that a BMS reports in ERRO (manual).

    Newer units go on from 17; there are 18 and 19, whose meaning is not known.
    """

    CELL_VOLTAGE_HIGH = 1
    CELL_VOLTAGE_LOW = 2
    CELL_DIFFERENCE = 3
    CELL_TEMPERATURE_HIGH = 4
    BMS_TEMPERATURE_HIGH = 5
    CELLS_OR_ADDRESS = 6
    TEMPERATURE_LOW_CHARGING = 7
    TEMPERATURE_SENSOR = 8
    COMMUNICATION = 9
    CELL_MEASUREMENT = 10
    CONTACTOR = 11
    CURRENT_MEASUREMENT = 12
    CHEMISTRY = 13
    MEMORY = 14
    BALANCING_TRANSISTOR = 15
    INTERNAL = 16
    BATTERY_CURRENT = 17


def error_name(number: int) -> str:
    """Return an error number's name in lower case, `other` for one that is not known."""
    return ErrorNumber(number).name.lower() if number in ErrorNumber else "other"


@dataclass(slots=True)
class _Course:
    """When an error was first and last reported, in s, and how many others since."""

    error: ErrorState | None = None
    since: float = 0.0
    last: float | None = None
    others: int = 0


class ErrorWatch:
    """Follows the errors of one BMS over many polls.

    An error lasts when it has been reported again and again for a minute. It is over when the BMS
    reports none, or has reported others for a minute, and not this one.
    """

    def __init__(self, known: Iterable[int] = ()) -> None:
        self._courses = {number: _Course() for number in known}

    def update(self, error: ErrorState, now: float) -> None:
        """Take what ERRO told at a time in s."""
        if not error.present:
            self._courses.clear()
            return
        for number, course in [*self._courses.items()]:
            if course.last is None:
                course.last = now
            course.others += number != error.number
            if course.others >= _OTHERS and now - course.last > _FORGOTTEN:
                del self._courses[number]
        course = self._courses.setdefault(error.number, _Course())
        if course.error is None:
            course.since = now
        course.error, course.last, course.others = error, now, 0

    @property
    def there(self) -> Collection[int]:
        """The numbers of the errors that are not over."""
        return self._courses.keys()

    @property
    def lasting(self) -> list[ErrorState]:
        """The errors that last, as they were reported last."""
        return [
            course.error
            for course in self._courses.values()
            if course.error is not None
            and course.last is not None
            and course.last - course.since >= _LASTS
        ]
