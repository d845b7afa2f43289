"""A wall clock that shows another time than the machine's.

Only the time of day is another one: what counts seconds (`time.monotonic`, an event loop's clock)
goes on as it was, so that real ports, sleeping and timeouts work as ever.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from time import struct_time
from typing import Self
from unittest.mock import patch

import freezegun.api

TIME_OF_DAY = "REC_BMS_TIME_OF_DAY"
"""The environment variable that says at which time of day (UTC) tests begin."""

_COUNTERS = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")

_IN_PARTS = ("localtime", "gmtime")

type MoveOn = Callable[[float], None]


class LoopsWallClock:
    """A wall clock that goes by the clock of the loop that was followed last."""

    def __init__(self, starts_at: datetime) -> None:
        self._starts_at = self._shown_at_first = _in_utc(starts_at)
        self._loop: AbstractEventLoop | None = None
        self._began = 0.0

    def follow(self, loop: AbstractEventLoop) -> None:
        """Have it be the moment of the start now, and go on as a loop's clock does."""
        self._loop, self._began = loop, loop.time()
        self._shown_at_first = self._starts_at

    def move_to(self, moment: datetime) -> None:
        """Have it be another moment now."""
        assert self._loop is not None
        self._began, self._shown_at_first = self._loop.time(), _in_utc(moment)

    def __call__(self) -> datetime:
        """Return what time it is, in UTC and without saying so, as freezegun wants it."""
        return self._shown_at_first + timedelta(seconds=self._passed())

    def timestamp(self) -> float:
        """Return what time it is as `time.time` does, by no way round: each event asks for it."""
        return self._shown_at_first.replace(tzinfo=UTC).timestamp() + self._passed()

    def _passed(self) -> float:
        return self._loop.time() - self._began if self._loop is not None else 0.0

    @contextmanager
    def shown(self) -> Iterator[Self]:
        """Have it be the time of day, in all threads."""
        with (
            patch.object(freezegun.api, "fake_time", self.timestamp),
            wall_clock(self._starts_at.replace(tzinfo=UTC), stands=True),
        ):
            freezegun.api.freeze_factories[-1] = self
            yield self


@contextmanager
def wall_clock(starts_at: datetime, *, stands: bool = False) -> Iterator[MoveOn]:
    """Have a moment be now, in all threads; what is returned moves it on by so many seconds.

    One that `stands` moves by nothing else.
    """
    with ExitStack() as stack:
        for name in _COUNTERS:
            real = getattr(freezegun.api, f"real_{name}")
            stack.enter_context(patch.object(freezegun.api, f"fake_{name}", real))
        for name in _IN_PARTS:
            stack.enter_context(patch.object(freezegun.api, f"fake_{name}", _in_parts(name)))
        clock = stack.enter_context(freezegun.freeze_time(starts_at, tick=not stands))

        def move_on(seconds: float) -> None:
            # `tick` would forget what has passed by itself.
            clock.move_to(clock() + timedelta(seconds=seconds))

        yield move_on


def _in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _in_parts(name: str) -> Callable[..., struct_time]:
    """Return a function of the module time that knows of time zones, as freezegun's do not."""
    real: Callable[[float], struct_time] = getattr(freezegun.api, f"real_{name}")

    def parts(seconds: float | None = None) -> struct_time:
        return real(freezegun.api.fake_time() if seconds is None else seconds)

    return parts


def today_at(time_of_day: str) -> datetime:
    """Return a time of this day, such as 23:59:30, in UTC."""
    return at(datetime.now(UTC).date(), time_of_day)


def at(day: date, time_of_day: str) -> datetime:
    """Return a time of a day, such as 23:59:30, in UTC."""
    return datetime.combine(day, time.fromisoformat(time_of_day), UTC)
