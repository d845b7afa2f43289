"""A BMS's clock, which tells its time and its date one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_UNCERTAIN = timedelta(seconds=5)
"""So near to midnight, responses that may be late do not tell which day a date was read on."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a BMS's clock said, in its own time, and when that was, by ours (UTC)."""

    time: datetime
    read_at: datetime

    def deviation(self, zone: tzinfo) -> float:
        """Return how many s the clock is ahead of the time in a zone; negative if it is behind."""
        ours = self.read_at.astimezone(zone).replace(tzinfo=None)
        return (self.time - ours).total_seconds()


@dataclass(frozen=True, slots=True)
class Told[T: (time, date)]:
    """A time or a date that a BMS told, and when (UTC)."""

    value: T
    read_at: datetime


def clock(time_of_day: Told[time], day: Told[date]) -> Clock | None:
    """Return what the clock said when its time was read; None where the day is not certain.

    There may have been midnight between the two, by a clock that may go wrong by hours. What the
    clock showed when its date was read tells the day of its time.
    """
    said = time_of_day.value
    since_midnight = timedelta(hours=said.hour, minutes=said.minute, seconds=said.second)
    then = since_midnight + (day.read_at - time_of_day.read_at)
    days, rest = divmod(then, _DAY)
    if min(rest, _DAY - rest) < _UNCERTAIN:
        return None
    try:
        at = datetime.combine(day.value - days * _DAY, said)
    except OverflowError:
        return None
    return Clock(at, time_of_day.read_at)
