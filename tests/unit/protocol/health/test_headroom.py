"""How far a cell is from a limit, and when it gets there."""

from __future__ import annotations

import random
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.headroom import Headroom, HeadroomWatch, Side
from tests.unit.protocol.health.updates import update

LIMITS = {"cmax": 3.65, "cmin": 2.8, "clow": 3.0}
GAP = 60.0


def watch(side: Side = Side.HIGH) -> HeadroomWatch:
    return HeadroomWatch(side, GAP)


def follow(watching: HeadroomWatch, volts: list[float], **told: Any) -> Headroom | None:
    """Have a cell followed from 10 s to 10 s, at 20 A."""
    for index, each in enumerate(volts):
        both = {"max_cell_voltage": each, "min_cell_voltage": each, "current": 20.0}
        watching.add(update(index * 10.0, **{**LIMITS, **both, **told}))
    return watching.headroom


def left(side: Side, volts: float, **told: Any) -> Headroom | None:
    return follow(watch(side), [volts], **told)


def test_the_highest_cell_is_held_against_its_cut_off() -> None:
    headroom = left(Side.HIGH, 3.4)
    assert headroom is not None
    assert headroom.limit == "cmax"
    assert headroom.volts == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("clow", "limit", "volts"), [(3.0, "clow", 0.2), (2.7, "cmin", 0.4), (2.8, "cmin", 0.4)]
)
def test_of_two_lower_limits_the_one_that_comes_first_counts(
    clow: float, limit: str, volts: float
) -> None:
    headroom = left(Side.LOW, 3.2, clow=clow)
    assert headroom is not None
    assert (headroom.limit, headroom.volts) == (limit, pytest.approx(volts))


def test_beyond_a_limit_nothing_is_left_and_less() -> None:
    headroom = left(Side.HIGH, 3.7)
    assert headroom is not None
    assert headroom.volts == pytest.approx(-0.05)
    assert headroom.minutes is None


@pytest.mark.parametrize("unknown", ["cmax", "max_cell_voltage"])
def test_what_is_not_known_leaves_nothing_to_tell(unknown: str) -> None:
    assert left(Side.HIGH, 3.4, **{unknown: None}) is None


def test_a_limit_that_is_not_told_any_more_is_not_taken_for_one_that_is_not_there() -> None:
    watching = watch(Side.LOW)
    watching.add(update(0, min_cell_voltage=3.2, cmin=2.8))
    assert watching.headroom is not None
    assert watching.headroom.limit == "cmin"
    watching.add(update(10, min_cell_voltage=3.2, cmin=2.8, clow=3.0))
    assert watching.headroom.limit == "clow"
    watching.add(update(20, min_cell_voltage=3.2, cmin=2.8))
    assert watching.headroom is None


def test_at_a_steady_slope_the_time_is_told() -> None:
    """A cell 100 mV from its limit that goes up 0.1 mV a second is there in 17 minutes."""
    ends_at = 3.55
    volts = [round(ends_at - 0.0001 * 10 * (40 - index), 3) for index in range(41)]
    headroom = follow(watch(), volts)
    assert headroom is not None
    assert headroom.minutes == 17


def test_a_cell_that_goes_away_from_a_limit_never_comes_to_it() -> None:
    headroom = follow(watch(Side.LOW), [3.3 + 0.001 * index for index in range(60)])
    assert headroom is not None
    assert headroom.minutes is None


@pytest.mark.long
def test_noise_is_no_slope() -> None:
    draw = random.Random(7)
    watching = watch()
    told = []
    for index in range(20_000):
        volts = round(3.35 + draw.gauss(0, 0.0015), 3)
        watching.add(update(index * 10.0, max_cell_voltage=volts, current=0.0, cmax=3.65))
        assert watching.headroom is not None
        told.append(watching.headroom.minutes)
    assert set(told) == {None}


def test_a_load_that_comes_is_no_slope() -> None:
    watching = watch(Side.LOW)
    for index in range(90):
        amperes, volts = (0.0, 3.30) if index < 45 else (-100.0, 3.20)
        watching.add(update(index * 10.0, min_cell_voltage=volts, current=amperes, **LIMITS))
        assert watching.headroom is not None
        assert watching.headroom.minutes is None


def test_over_a_gap_no_slope_is_told() -> None:
    watching = watch()
    for index in range(60):
        at = index * 10.0 if index < 40 else 86_400 + index * 10.0
        watching.add(
            update(
                at,
                continuous=index != 40,
                max_cell_voltage=3.4 + index * 0.001,
                current=20.0,
                **LIMITS,
            )
        )
        assert watching.headroom is not None
        assert (watching.headroom.minutes is not None) == (30 <= index < 40)


def test_who_is_told_seldom_looks_longer() -> None:
    watching = HeadroomWatch(Side.HIGH, 700)
    for index in range(6):
        watching.add(
            update(
                index * 300.0,
                period=300,
                max_cell_voltage=3.4 + index * 0.01,
                current=20.0,
                **LIMITS,
            )
        )
    assert watching.headroom is not None
    assert watching.headroom.minutes == 100


def test_the_same_measurement_told_twice_counts_once() -> None:
    watching = watch()
    for _ in range(50):
        watching.add(update(0, max_cell_voltage=3.4, current=20.0, **LIMITS))
    assert watching.headroom == Headroom(pytest.approx(0.25), "cmax", None)
