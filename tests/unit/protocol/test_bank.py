"""What batteries that are wired together are as one: right, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_components.rec_bms.protocol.bank import (
    Bank,
    Wiring,
    current,
    fresh_until,
    highest_cell,
    hottest_sensor,
    lowest_cell,
    power,
    problem,
    spread,
    state_of_charge,
    stored_energy,
    time_left,
    voltage,
)
from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.energy import Direction
from custom_components.rec_bms.protocol.state import ErrorState, Location, PerUnit, State

TOLD: dict[str, Any] = {
    "voltage": 52.0,
    "current": 10.0,
    "state_of_charge": 0.5,
    "capa": 100.0,
    "min_cell_voltage": 3.25,
    "max_cell_voltage": 3.35,
    "max_temperature": 21.0,
    "min_cell": Location(1, 3),
    "max_cell": Location(1, 8),
    "hottest_sensor": Location(1, 2),
    "error": ErrorState(present=False, unit=None, number=0, location=None),
    "cell_voltages": PerUnit(((3.25,) * 16,)),
}
ERROR = ErrorState(present=True, unit=1, number=2, location=3)
FIGURES = (
    voltage,
    current,
    power,
    state_of_charge,
    stored_energy,
    lowest_cell,
    highest_cell,
    hottest_sensor,
    spread,
)


def told(**other: Any) -> State:
    return State.of({**TOLD, **other}, address=1)


def parallel(*members: State | None) -> Bank:
    return Bank(Wiring.PARALLEL, members)


def series(*members: State | None) -> Bank:
    return Bank(Wiring.SERIES, members)


def test_in_parallel_currents_add_up_and_the_voltage_is_that_of_all() -> None:
    bank = parallel(told(voltage=52.0, current=10.0), told(voltage=52.4, current=-2.0))
    assert voltage(bank) == pytest.approx(52.2)
    assert current(bank) == pytest.approx(8.0)


def test_in_series_voltages_add_up_and_the_current_is_that_through_all() -> None:
    bank = series(told(voltage=26.0, current=10.0), told(voltage=26.4, current=10.2))
    assert voltage(bank) == pytest.approx(52.4)
    assert current(bank) == pytest.approx(10.1)


@pytest.mark.parametrize("wiring", Wiring)
def test_power_is_that_of_all_however_they_are_wired(wiring: Wiring) -> None:
    bank = Bank(wiring, (told(voltage=52.0, current=10.0), told(voltage=50.0, current=-2.0)))
    assert power(bank) == pytest.approx(420.0)


def test_batteries_that_differ_too_much_in_voltage_are_not_on_one_bar() -> None:
    assert voltage(parallel(told(voltage=54.0), told(voltage=48.7))) is not None
    assert voltage(parallel(told(voltage=54.0), told(voltage=48.5))) is None
    assert voltage(series(told(voltage=54.0), told(voltage=48.5))) == pytest.approx(102.5)


@pytest.mark.parametrize("wiring", Wiring)
def test_a_battery_weighs_what_it_can_hold(wiring: Wiring) -> None:
    large, small = told(capa=300.0, state_of_charge=1.0), told(capa=100.0, state_of_charge=0.0)
    assert state_of_charge(Bank(wiring, (large, small))) == pytest.approx(0.75)


@pytest.mark.parametrize("wiring", Wiring)
def test_stored_energy_is_what_each_holds_at_its_own_voltage(wiring: Wiring) -> None:
    first, second = told(capa=100.0, voltage=50.0), told(capa=200.0, voltage=52.0)
    assert stored_energy(Bank(wiring, (first, second))) == pytest.approx(2.5 + 5.2)


@pytest.mark.parametrize("capacity", [0.0, -1.0, None])
def test_without_a_capacity_there_is_no_weight(capacity: float | None) -> None:
    bank = parallel(told(), told(capa=capacity))
    assert state_of_charge(bank) is None
    assert stored_energy(bank) is None
    assert time_left(bank, Direction.CHARGING, 10) is None


def test_in_parallel_they_fill_and_empty_together() -> None:
    bank = parallel(told(capa=100.0, state_of_charge=0.9), told(capa=300.0, state_of_charge=0.5))
    # 240 Ah are left and 160 Ah are missing.
    assert time_left(bank, Direction.DISCHARGING, -240.0) == 60
    assert time_left(bank, Direction.CHARGING, 160.0) == 60
    assert time_left(bank, Direction.CHARGING, -160.0) is None


def test_in_series_the_first_that_is_full_or_empty_ends_it() -> None:
    bank = series(told(capa=100.0, state_of_charge=0.9), told(capa=100.0, state_of_charge=0.5))
    assert time_left(bank, Direction.DISCHARGING, -50.0) == 60
    assert time_left(bank, Direction.CHARGING, 10.0) == 60


def test_in_series_one_that_takes_for_ever_is_not_the_first() -> None:
    bank = series(told(capa=1000.0, state_of_charge=0.9), told(capa=10.0, state_of_charge=0.5))
    assert time_left(bank, Direction.DISCHARGING, -1.0) == 5 * 60


def test_extremes_tell_at_which_battery_unit_and_cell_they_are() -> None:
    other = told(
        min_cell_voltage=3.1,
        max_cell_voltage=3.3,
        max_temperature=30.0,
        min_cell=Location(None, 5, position=2),
        hottest_sensor=Location(1, 1),
    )
    bank = parallel(told(), other)
    low, high, hot = lowest_cell(bank), highest_cell(bank), hottest_sensor(bank)
    assert low is not None
    assert high is not None
    assert hot is not None
    assert (low.value, low.member, low.unit, low.number) == (3.1, 1, 2, 5)
    assert (high.value, high.member, high.unit, high.number) == (3.35, 0, 1, 8)
    assert (hot.value, hot.member, hot.unit, hot.number) == (30.0, 1, 1, 1)
    assert spread(bank) == pytest.approx(0.25)


def test_an_extreme_whose_place_is_not_told_has_none() -> None:
    low = lowest_cell(parallel(told(min_cell=None), told(min_cell_voltage=3.5)))
    assert low is not None
    assert (low.value, low.member, low.unit, low.number) == (3.25, 0, None, None)


def test_of_equal_cells_that_of_the_first_battery_counts() -> None:
    low = lowest_cell(parallel(told(), told()))
    assert low is not None
    assert low.member == 0


@pytest.mark.parametrize("wiring", Wiring)
@pytest.mark.parametrize("figure", FIGURES)
def test_while_one_is_away_there_is_no_figure_of_all(wiring: Wiring, figure: Any) -> None:
    assert figure(Bank(wiring, (told(), told()))) is not None
    assert figure(Bank(wiring, (told(), None))) is None
    assert figure(Bank(wiring, (None, told()))) is None
    assert figure(Bank(wiring, (None, None))) is None


@pytest.mark.parametrize("wiring", Wiring)
@pytest.mark.parametrize(
    "nonsense",
    [
        "voltage",
        "current",
        "state_of_charge",
        "capa",
        "min_cell_voltage",
        "max_cell_voltage",
        "max_temperature",
    ],
)
def test_what_one_does_not_know_nobody_makes_up(wiring: Wiring, nonsense: str) -> None:
    bank = Bank(wiring, (told(), told(**{nonsense: None})))
    silent = {figure.__name__ for figure in FIGURES if figure(bank) is None}
    assert (
        silent
        == {
            "voltage": {"voltage", "power", "stored_energy"},
            "current": {"current", "power"},
            "state_of_charge": {"state_of_charge", "stored_energy"},
            "capa": {"state_of_charge", "stored_energy"},
            "min_cell_voltage": {"lowest_cell", "spread"},
            "max_cell_voltage": {"highest_cell", "spread"},
            "max_temperature": {"hottest_sensor"},
        }[nonsense]
    )


def test_one_that_reports_an_error_is_enough() -> None:
    assert problem(parallel(told(), told(error=ERROR))) is True
    assert problem(parallel(None, told(error=ERROR))) is True
    assert problem(parallel(told(error=None), told(error=ERROR))) is True


def test_that_there_is_no_error_all_must_say() -> None:
    assert problem(parallel(told(), told())) is False
    assert problem(parallel(told(), None)) is None
    assert problem(parallel(told(), told(error=None))) is None


def test_it_tells_what_every_member_tells() -> None:
    less = State.of({key: value for key, value in TOLD.items() if key != "capa"})
    assert parallel(told(), told()).tells({"voltage", "capa"})
    assert not parallel(told(), less).tells({"voltage", "capa"})
    assert parallel(told(), less).tells({"voltage"})
    assert not parallel(told(), None).tells({"voltage"})
    assert parallel(told(), less).is_complete
    assert not parallel(told(), None).is_complete


def test_what_was_measured_stays_fresh_for_the_longest_gap() -> None:
    update = Update(
        state=told(),
        measured_at=100.0,
        continuous=True,
        period=10.0,
        duration=None,
        exchanges=0,
        repeated_exchanges=0,
        retries=0,
        line_errors=0,
    )
    assert fresh_until(update, 30.0) == 130.0
    # It was told 35 s later, and the next poll may take as long.
    assert fresh_until(replace(update, duration=35.0), 30.0) == 200.0
