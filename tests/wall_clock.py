"""A wall clock that shows another time than the machine's.

Only the time of day is another one: what counts seconds (`time.monotonic`, an event loop's clock)
goes on as it was, so that real ports, sleeping and timeouts work as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from time import struct_time
from unittest.mock import patch

import freezegun.api

_COUNTERS = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")

_IN_PARTS = ("localtime", "gmtime")

type MoveOn = Callable[[float], None]


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


def _in_parts(name: str) -> Callable[..., struct_time]:
    """Return a function of the module time that knows of time zones, as freezegun's do not."""
    real: Callable[[float], struct_time] = getattr(freezegun.api, f"real_{name}")

    def parts(seconds: float | None = None) -> struct_time:
        return real(freezegun.api.fake_time() if seconds is None else seconds)

    return parts


def today_at(time_of_day: str) -> datetime:
    """Return a time of this day, such as 23:59:30, in UTC."""
    return datetime.combine(datetime.now(UTC), time.fromisoformat(time_of_day), UTC)
