"""What holds for all tests: nothing that is drawn or read from a clock differs between two runs.

`REC_BMS_TIME_OF_DAY=23:59:30` in front of any of them has the tests' process begin at that time
(UTC) of this day: a test that fails then hangs on the time of day.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from hypothesis import settings

from tests.wall_clock import TIME_OF_DAY, today_at, wall_clock

# What is found at random belongs into scripts/soak and scripts/fuzz, which can run for long and say
# how to find it again. How long an example takes says more about the machine than about what is
# tested.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

_until_the_end = ExitStack()


def pytest_sessionstart() -> None:
    """Have another time of day where that is asked for."""
    if time_of_day := os.environ.get(TIME_OF_DAY):
        _until_the_end.enter_context(wall_clock(today_at(time_of_day)))


def pytest_sessionfinish() -> None:
    """Give the machine its own time back."""
    _until_the_end.close()


def pytest_report_header() -> str | None:
    """Say that the time of day is another one."""
    if time_of_day := os.environ.get(TIME_OF_DAY):
        return f"time of day at the start: {time_of_day} UTC ({TIME_OF_DAY})"
    return None
