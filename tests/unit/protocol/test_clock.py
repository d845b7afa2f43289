"""A BMS's clock: its time and its date come one after the other, and midnight may be in between."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.rec_bms.protocol.clock import Clock, Told, clock

READ_AT = datetime(2025, 9, 28, 10, 0, tzinfo=UTC)


def told(time_of_day: str, day: str, date_read_after: float) -> datetime | None:
    """Return what the clock showed when its time was read; the date was read s later."""
    found = clock(
        Told(time.fromisoformat(time_of_day), READ_AT),
        Told(date.fromisoformat(day), READ_AT + timedelta(seconds=date_read_after)),
    )
    return found and found.time


@pytest.mark.parametrize(
    ("time_of_day", "day", "date_read_after", "shown"),
    [
        ("12:34:56", "2025-09-28", 0.05, "2025-09-28 12:34:56"),
        ("23:59:40", "2025-09-29", 30, "2025-09-28 23:59:40"),
        ("00:00:10", "2025-09-28", -30, "2025-09-29 00:00:10"),
        ("23:59:30", "2025-10-01", 50, "2025-09-30 23:59:30"),
        ("23:59:40", "2025-09-28", -30, "2025-09-28 23:59:40"),
    ],
)
def test_midnight_between_time_and_date_makes_no_error_of_a_day(
    time_of_day: str, day: str, date_read_after: float, shown: str
) -> None:
    assert told(time_of_day, day, date_read_after) == datetime.fromisoformat(shown)


@pytest.mark.parametrize(
    ("time_of_day", "date_read_after"), [("23:59:59", 0.1), ("00:00:01", 0.1), ("23:59:31", 30)]
)
def test_a_date_that_was_read_at_midnight_itself_is_not_certain(
    time_of_day: str, date_read_after: float
) -> None:
    assert told(time_of_day, "2025-09-28", date_read_after) is None


def test_there_is_no_day_before_the_first() -> None:
    assert told("23:59:30", "0001-01-01", 60) is None


def test_how_far_it_is_off_counts_from_when_it_was_read_in_the_zone_where_it_is() -> None:
    zone = ZoneInfo("Europe/Ljubljana")
    ours = datetime(2025, 9, 28, 12, 0, tzinfo=zone)
    for seconds in (0.0, 75.0, -3600.0, 90_000.0):
        said = datetime(2025, 9, 28, 12, 0) + timedelta(seconds=seconds)  # noqa: DTZ001
        assert Clock(said, ours.astimezone(UTC)).deviation(zone) == seconds
