"""Which errors last, and when they are over: on a clock that the tests move on."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from custom_components.rec_bms.protocol.alarms import ErrorWatch
from custom_components.rec_bms.protocol.state import ErrorState

NONE = ErrorState(present=False, unit=0, number=0, location=0)


def error(number: int, location: int = 1) -> ErrorState:
    return ErrorState(present=True, unit=1, number=number, location=location)


class Bms:
    """Reports an error number, or None, from poll to poll."""

    def __init__(self, known: Iterable[int] = ()) -> None:
        self.watch = ErrorWatch(known)
        self.now = 1000.0

    def report(self, *numbers: int | None, every: float = 10.0) -> list[int]:
        """Report one after the other and return the numbers of those that last."""
        for number in numbers:
            self.now += every
            self.watch.update(NONE if number is None else error(number), self.now)
        return sorted(each.number for each in self.watch.lasting)

    @property
    def there(self) -> set[int]:
        return set(self.watch.there)


def test_an_error_lasts_when_it_was_reported_for_a_minute() -> None:
    bms = Bms()
    assert bms.report(*[3] * 6) == []
    assert bms.there == {3}
    assert bms.report(3) == [3]


def test_an_error_is_over_when_none_is_reported() -> None:
    bms = Bms()
    assert bms.report(*[3] * 7) == [3]
    assert bms.report(None) == []
    assert bms.there == set()
    assert bms.report(*[3] * 6) == [], "the next one begins anew"


def test_two_errors_in_turn_both_last() -> None:
    bms = Bms()
    assert bms.report(3, 5, 3, 5, 3, 5) == []
    assert bms.report(3) == [3]
    assert bms.report(5) == [3, 5]
    assert bms.report(3, 5) == [3, 5]


def test_what_was_not_reported_for_a_minute_beside_others_is_over() -> None:
    bms = Bms()
    assert bms.report(*[3] * 7) == [3]
    assert bms.report(*[5] * 6) == [3]
    assert bms.report(5) == [5]
    assert bms.there == {5}


def test_a_gap_of_a_minute_beside_others_begins_anew() -> None:
    bms = Bms()
    bms.report(3, *[5] * 7)
    assert 3 not in bms.report(*[3] * 6)
    assert 3 in bms.report(3)


def test_a_gap_of_no_more_than_a_minute_does_not() -> None:
    bms = Bms()
    assert bms.report(3, *[5] * 5, 3) == [3]


def test_a_bms_that_was_not_heard_in_between_has_said_nothing_else() -> None:
    bms = Bms()
    bms.report(3)
    assert bms.report(3, every=600) == [3]


@pytest.mark.parametrize("every", [2, 10, 30, 40, 60, 300])
def test_errors_in_turn_last_however_often_is_polled(every: float) -> None:
    bms = Bms()
    bms.report(3, 5, every=every)
    assert bms.report(*[3, 5] * round(60 / every + 1), every=every) == [3, 5]


def test_the_latest_report_counts_for_where_an_error_is() -> None:
    bms = Bms()
    bms.report(3)
    bms.watch.update(error(3, location=9), bms.now + 70)
    assert [each.location for each in bms.watch.lasting] == [9]


def test_many_errors_in_turn_are_kept_apart() -> None:
    bms = Bms()
    turn = [1, 2, 3, 4, 5]
    assert bms.report(*turn * 2) == []
    assert bms.report(*turn) == turn


def test_what_was_known_before_is_there_until_it_is_over_and_lasts_only_when_reported() -> None:
    bms = Bms(known=[3, 5])
    assert bms.report(3, *[7] * 6) == []
    assert bms.there == {3, 5, 7}
    bms.report(7)
    assert bms.there == {7}


def test_what_was_known_before_is_over_when_nothing_is_reported() -> None:
    bms = Bms(known=[3])
    assert bms.there == {3}
    bms.report(None)
    assert bms.there == set()
