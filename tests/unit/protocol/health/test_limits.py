"""The currents that the settings allow, and how far the temperatures are apart."""

from __future__ import annotations

from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.limits import (
    CurrentLimit,
    Way,
    count_setting,
    current_limit,
    temperature_spread,
)
from custom_components.rec_bms.protocol.state import PerUnit, State

SETTINGS = {
    "chac": 0.5,
    "dchc": 1.5,
    "capa": 320.0,
    "maxc": 70.0,
    "maxd": 150.0,
    "sisn": 2.0,
}


def limit(way: Way, **told: Any) -> CurrentLimit | None:
    return current_limit(State.of({**SETTINGS, **told}), way, "sisn")


def test_the_smaller_of_what_battery_and_inverters_may_have_counts() -> None:
    assert limit(Way.CHARGE) == CurrentLimit(140, "maxc")
    assert limit(Way.CHARGE, chac=0.25) == CurrentLimit(80, "chac")
    assert limit(Way.DISCHARGE) == CurrentLimit(300, "maxd")
    assert limit(Way.DISCHARGE, sisn=4.0) == CurrentLimit(480, "dchc")


@pytest.mark.parametrize("key", ["chac", "capa", "maxc", "sisn"])
def test_without_any_of_them_there_is_no_limit(key: str) -> None:
    assert limit(Way.CHARGE, **{key: None}) is None


def test_newer_units_count_their_inverters_otherwise() -> None:
    told = {key: value for key, value in SETTINGS.items() if key != "sisn"}
    assert count_setting(State.of(told)) is None
    assert count_setting(State.of(SETTINGS)) == "sisn"
    state = State.of({**told, "strn": 1.0})
    assert count_setting(state) == "strn"
    assert current_limit(state, Way.CHARGE, "strn") == CurrentLimit(70, "maxc")
    assert Way.CHARGE.settings("strn") == {"chac", "capa", "maxc", "strn"}
    assert Way.DISCHARGE.settings("sisn") == {"dchc", "capa", "maxd", "sisn"}


def test_where_both_counts_are_told_the_newer_one_counts() -> None:
    assert count_setting(State.of({**SETTINGS, "strn": 1.0})) == "strn"


def spread(*units: tuple[float | None, ...]) -> float | None:
    return temperature_spread(State.of({"temperatures": PerUnit(units)}))


def test_temperatures_of_all_units_are_held_against_each_other() -> None:
    assert spread((20.5, 22.0), (19.0,)) == 3.0


def test_a_sensor_that_tells_nothing_is_left_out() -> None:
    assert spread((20.5, None), (19.0,)) == 1.5


@pytest.mark.parametrize("units", [((20.5,),), ((None, 20.5),), ((),)])
def test_one_temperature_has_no_spread(units: tuple[tuple[float | None, ...], ...]) -> None:
    assert spread(*units) is None


def test_temperatures_that_are_not_told_have_no_spread() -> None:
    assert temperature_spread(State()) is None
