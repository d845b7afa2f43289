"""Whether a connection that was loose before the battery was known is found as it shakes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.shaking import Shaking
from tests.unit.protocol.health.test_resistance import BEGIN, DAY, HOUR, Boat

GOOD, BAD = 1.0, 6.0
LOOSE = (1, 5)


def shake(lived: Boat, times: Iterable[float], *cells: tuple[int, int]) -> None:
    """Have a contact be good or bad, for half a day of four readings each time."""
    for one in times:
        for _ in range(4):
            lived.read(times=dict.fromkeys(cells or (LOOSE,), one))
            lived.now += 3 * HOUR


def boat(**made: Any) -> Boat:
    """Return one of which nothing is known, and of which a cell was loose already."""
    lived = Boat(**{"cells": 8, "noise": 0.03, **made})
    shake(lived, [BAD] * 5)
    return lived


def test_a_contact_that_was_bad_before_is_found_as_it_is_good_and_bad_again() -> None:
    lived = boat()
    shake(lived, (GOOD, BAD, GOOD))
    assert not lived.loose
    shake(lived, (BAD,))
    assert lived.loose == [LOOSE]
    [step] = lived.resistances.steps
    assert step.at < lived.now - DAY
    assert step.times == pytest.approx(BAD / GOOD, rel=0.3)
    assert step.before == pytest.approx(lived.ohms[0][4], rel=0.3)


@pytest.mark.long
def test_a_cell_that_has_more_than_the_others_from_the_start_is_not_loose() -> None:
    lived = boat()
    lived.live(30, times={LOOSE: BAD})
    assert not lived.loose


@pytest.mark.long
def test_bad_measurements_within_an_hour_are_no_loose_connection() -> None:
    lived = boat()
    for one in (BAD, GOOD, GOOD, BAD, BAD, GOOD):
        lived.read(times={LOOSE: one})
    lived.live(30)
    assert not lived.loose


def test_one_bad_measurement_that_fades_from_the_average_is_no_loose_connection() -> None:
    lived = Boat(cells=8, noise=0.03)
    lived.live(1)
    over = 5.0
    for _ in range(60):
        lived.read(times={LOOSE: 1 + over})
        over *= 0.75
    lived.live(1)
    assert not lived.loose


@pytest.mark.parametrize(("cells", "found"), [({2}, [2]), ({2, 5}, [])])
def test_two_contacts_that_shake_at_once_may_be_noise(cells: set[int], found: list[int]) -> None:
    shaking = Shaking()
    for reading in range(200):
        bad = reading > 50 and reading % 20 > 10
        row = [-8.0 + 0.01 * (reading % (3 + cell)) + (cell in cells) * bad for cell in range(8)]
        shaking.add(row, BEGIN + reading * HOUR)
    assert [cell for cell, *_ in shaking.loose] == found


def test_a_cell_that_is_no_less_steady_than_others_by_their_noise_is_not_loose() -> None:
    lived = Boat(cells=8, noise=0.25)
    for _ in range(2000):
        lived.read()
        assert not lived.loose


def test_what_goes_up_and_down_once_a_month_is_not_loose() -> None:
    lived = boat()
    for one in (GOOD, BAD, GOOD, BAD, GOOD):
        shake(lived, (one,))
        lived.now += 30 * DAY
    assert not lived.loose


def loose() -> Boat:
    """Return one whose contact has shaken, and is good now."""
    lived = boat()
    shake(lived, (GOOD, BAD, GOOD, BAD, GOOD))
    assert lived.loose == [LOOSE]
    return lived


def test_a_hundred_readings_of_good_contact_end_it() -> None:
    lived = loose()
    for _ in range(90):
        lived.read()
    lived.now += DAY
    lived.restart()
    assert lived.loose == [LOOSE]
    for _ in range(20):
        lived.read()
    for _ in range(5):
        lived.read()
        assert not lived.loose


def test_a_contact_that_stays_bad_is_not_over() -> None:
    lived = loose()
    shake(lived, [BAD] * 200)
    assert lived.loose == [LOOSE]


def test_nothing_is_forgotten_over_a_restart() -> None:
    lived = boat()
    for one in (GOOD, BAD, GOOD, BAD, GOOD):
        shake(lived, (one,))
        lived.restart()
    assert lived.loose == [LOOSE]
    lived.read()
    assert lived.loose == [LOOSE]


def test_a_clock_that_was_set_back_leaves_nothing_in_the_future() -> None:
    lived = boat()
    lived.now += 400 * DAY
    shake(lived, (GOOD, BAD))
    lived.now = BEGIN + DAY
    shake(lived, (GOOD, BAD, GOOD))
    [step] = lived.resistances.steps
    assert step.at <= lived.now
    shake(lived, [GOOD] * 40)
    assert not lived.loose


@pytest.mark.parametrize(
    "cell",
    [
        None,
        {"told": "abc"},
        {"told": [0.5, 0.1, 0]},
        {"told": [0.5, 0.1, 1, 0]},
        {"told": [0.5, -0.1, 0, 1]},
        {"told": [0.5, 0.1, 0, 10**400]},
        {"told": [0.5, 0.1, 0, 1], "rises": 1, "swings": [1, 2, 3, 4], "still": 1},
        {"told": [0.5, 0.1, 0, 1], "rises": True, "swings": 7, "still": 1},
        {"told": [0.5, 0.1, 0, 1], "rises": True, "swings": ["x", 1, 2, 3], "still": 1},
        {"told": [0.5, 0.1, 0, 1], "rises": True, "swings": [1, 2, 3, 4], "still": "yes"},
        {"told": [0.5, 0.1, 0, 1], "rises": True, "swings": [1, 2, 3, 4], "still": -1},
    ],
)
def test_what_cannot_be_read_shakes_nothing(cell: object) -> None:
    shaking = Shaking.of({"middle": -8.0, "cells": [cell, None, None]}, 3)
    assert not [*shaking.loose]
    shaking.add((-8.0, -8.1, -8.2), BEGIN)
    assert not [*shaking.loose]
    json.dumps(shaking.as_dict(), allow_nan=False)


@pytest.mark.parametrize("kept", [None, [], {"middle": None, "cells": [{}] * 3}, {"cells": 3}])
def test_without_what_was_kept_it_begins_anew(kept: object) -> None:
    assert Shaking.of(kept, 3).as_dict() == Shaking().as_dict()
