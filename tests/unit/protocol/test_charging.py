"""Whether a battery is charged: told by the current, without flicker where it is near nothing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest

from custom_components.rec_bms.protocol.charging import Charging

STEP = 0.02
"""Amperes between two readings of a current."""


def told(amperes: Iterable[float | None], begin: float | None = None) -> list[bool | None]:
    """Return what is told from reading to reading."""
    charging = Charging()
    if begin is not None:
        charging.add(begin)
    shown = []
    for each in amperes:
        charging.add(each)
        shown.append(charging.is_on)
    return shown


def noisy(amperes: float, readings: int = 20_000) -> list[float]:
    """Return readings of a current as a converter of limited resolution gives them."""
    rng = random.Random(round(amperes * 1000))
    return [round(rng.gauss(amperes, 0.4 * STEP) / STEP) * STEP for _ in range(readings)]


def changes(shown: list[bool | None]) -> int:
    return sum(one is not other for one, other in itertools.pairwise(shown))


@pytest.mark.parametrize("begin", [-1.0, 1.0])
@pytest.mark.parametrize("amperes", [-0.1, -0.05, -0.02, 0.0, 0.01, 0.02])
def test_noise_around_nothing_is_a_rest(amperes: float, begin: float) -> None:
    shown = told(noisy(amperes), begin)
    assert changes(shown) <= 1
    assert shown[-1] is False


@pytest.mark.parametrize("amperes", [0.03, 0.04, 0.05, 0.06, 0.08, 0.09, 0.1, 0.11, 0.12])
@pytest.mark.parametrize("begin", [-1.0, 1.0])
def test_noise_around_a_threshold_changes_it_once_at_most(amperes: float, begin: float) -> None:
    assert changes(told(noisy(amperes), begin)) <= 1


def test_a_small_solar_panel_charges() -> None:
    assert set(told(noisy(0.3))) == {True}


def test_it_begins_at_a_tenth_of_an_ampere_and_ends_below_a_step_of_the_bms() -> None:
    assert told([0.0, 0.099, 0.1, 0.02, 0.0195, 0.099, 0.1, -5.0, 0.06]) == [
        False,
        False,
        True,
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_at_first_it_goes_by_the_threshold_where_charging_begins() -> None:
    assert told([0.06]) == [False]
    assert told([0.1]) == [True]
    assert Charging().is_on is None


def test_a_current_that_is_not_known_is_neither() -> None:
    assert told([20.0, None, 0.06, None, 20.0]) == [True, None, False, None, True]
