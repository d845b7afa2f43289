"""When a battery is at rest."""

from __future__ import annotations

from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.rest import RestWatch
from tests.unit.protocol.health.updates import update

NOON = 1_790_000_000.0
"""A Unix time."""
CAPACITY = 300.0


def follow(
    watch: RestWatch,
    seconds: float,
    *,
    begin: float = 0.0,
    clock: float = NOON,
    step: float = 10.0,
    **told: Any,
) -> RestWatch:
    """Have a battery followed from measurement to measurement, as of a time in s."""
    for index in range(round(seconds / step) + 1):
        at = begin + index * step
        watch.add(
            update(at, continuous=index > 0, **{"current": -1.0, "capa": CAPACITY, **told}),
            clock + at,
        )
    return watch


def test_a_small_current_for_twenty_minutes_is_rest() -> None:
    watch = follow(RestWatch(60), 1190)
    assert watch.rest is None
    follow(watch, 0, begin=1200)
    assert watch.rest is not None
    assert watch.rest.since == NOON


@pytest.mark.parametrize("amperes", [6.0, -6.0, 50.0, -50.0, None])
def test_more_than_a_fiftieth_of_the_capacity_or_what_is_not_known_is_no_rest(
    amperes: float | None,
) -> None:
    assert follow(RestWatch(60), 3600, current=amperes).rest is None


def test_an_offset_of_the_sensor_does_not_keep_a_battery_from_rest() -> None:
    assert follow(RestWatch(60), 1200, current=0.6).rest is not None


def test_a_load_for_a_moment_ends_rest_and_twenty_minutes_begin_anew() -> None:
    watch = follow(RestWatch(60), 1200)
    follow(watch, 0, begin=1210, current=-40.0)
    assert watch.rest is None
    assert follow(watch, 1190, begin=1220).rest is None
    assert follow(watch, 0, begin=2420).rest is not None


@pytest.mark.parametrize(("gap", "rests"), [(60.0, True), (61.0, False)])
def test_over_a_gap_nobody_knows_what_flowed(gap: float, rests: bool) -> None:
    watch = follow(RestWatch(60), 1200)
    follow(watch, 0, begin=1200 + gap)
    assert (watch.rest is not None) is rests


def test_who_is_heard_all_the_time_has_no_gap() -> None:
    watch = RestWatch(60)
    for at in (0, 600, 1200):
        watch.add(update(at, current=0.0, capa=CAPACITY), NOON + at)
    assert watch.rest is not None


@pytest.mark.parametrize("capacity", [{}, {"capa": None}, {"capa": 0.0}])
def test_without_a_capacity_nothing_is_small(capacity: dict[str, float | None]) -> None:
    watch = RestWatch(60)
    for at in range(0, 2000, 10):
        watch.add(update(at, current=0.0, **capacity), NOON + at)
    assert watch.rest is None


def test_a_capacity_that_is_not_told_for_a_while_is_what_it_was() -> None:
    watch = follow(RestWatch(60), 1200)
    follow(watch, 0, begin=1210, capa=None)
    assert watch.rest is not None


def test_the_same_measurement_told_twice_does_not_make_time_pass() -> None:
    watch = RestWatch(60)
    for index in range(500):
        watch.add(update(0, current=0.0, capa=CAPACITY), NOON + index * 10)
    assert watch.rest is None


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_neither_makes_nor_ends_rest(jump: float) -> None:
    watch = follow(RestWatch(60), 1000)
    watch.add(update(1010, current=0.0, capa=CAPACITY), NOON + jump + 1010)
    assert watch.rest is None
    watch.add(update(1060, current=0.0, capa=CAPACITY), NOON + jump + 1060)
    for at in range(1110, 1300, 10):
        watch.add(update(at, current=0.0, capa=CAPACITY), NOON + jump + at)
    assert watch.rest is not None
    assert watch.rest.since == NOON + jump


def test_a_clock_that_is_set_during_rest_sets_its_beginning() -> None:
    watch = follow(RestWatch(60), 1300)
    watch.add(update(1310, current=0.0, capa=CAPACITY), NOON - 86_400 + 1310)
    assert watch.rest is not None
    assert watch.rest.since == NOON - 86_400


def test_after_a_restart_rest_begins_anew() -> None:
    watch = follow(RestWatch(60), 1300)
    kept = watch.as_dict()
    watch = RestWatch(60)
    watch.restore(kept)
    assert follow(watch, 1190, begin=0, clock=NOON + 1400).rest is None
    assert follow(watch, 0, begin=1200, clock=NOON + 1400).rest is not None


def test_a_measurement_from_before_begins_anew() -> None:
    watch = follow(RestWatch(60), 1300)
    watch.add(update(5, current=0.0, capa=CAPACITY), NOON + 1310)
    assert watch.rest is None
