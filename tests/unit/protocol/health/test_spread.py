"""Spreads that can be compared: at rest, and where charging ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.spread import Place, Spreads
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update

NOON = 1_790_000_000.0
SETTINGS = {"capa": 300.0, "char": 3.58, "chem": 3.0}
RESTING = (3.301, 3.300, 3.304, 3.302)
AT_THE_TOP = (3.500, 3.579, 3.520, 3.510)


def told(at: float, *cells: float | None, clock: float = NOON, **other: Any) -> Any:
    """Return an update, and its Unix time, of a battery of these cells."""
    known = [volts for volts in cells if volts is not None]
    state = {"cell_voltages": PerUnit((cells,)), "max_cell_voltage": max(known), "current": 0.0}
    return update(at, **{**SETTINGS, **state, "state_of_charge": 0.6, **other}), clock + at


def rest(spreads: Spreads, seconds: float, *, begin: float = 0.0, **other: Any) -> Spreads:
    for at in range(0, round(seconds) + 1, 10):
        spreads.add(*told(begin + at, *RESTING, **other))
    return spreads


def charge_to_the_end(spreads: Spreads, begin: float = 0.0, **other: Any) -> Spreads:
    """Have a battery charged with little, until the BMS says that it is full."""
    before = {"current": 5.0, "state_of_charge": 0.95, **other}
    spreads.add(*told(begin, 3.40, 3.45, 3.42, 3.41, **before))
    spreads.add(*told(begin + 10, *AT_THE_TOP, **before))
    spreads.add(*told(begin + 20, 3.49, 3.57, 3.51, 3.50, **{"state_of_charge": 1.0, **other}))
    return spreads


def test_a_rest_shows_how_far_cells_are_apart() -> None:
    spreads = rest(Spreads(60), 1300)
    assert spreads.rest is not None
    assert spreads.rest.volts == pytest.approx(0.004)
    assert (spreads.rest.lowest, spreads.rest.highest) == (Place(1, 2), Place(1, 3))
    assert spreads.rest.at == NOON + 1290
    assert spreads.rest.state_of_charge == 0.6
    assert spreads.top is None


def test_before_cells_have_settled_nothing_is_taken() -> None:
    assert rest(Spreads(60), 1190).rest is None


@pytest.mark.parametrize("charge", [0.29, 0.91, None])
def test_near_full_and_empty_and_where_that_is_not_known_no_rest_can_be_compared(
    charge: float | None,
) -> None:
    assert rest(Spreads(60), 3600, state_of_charge=charge).rest is None


@pytest.mark.parametrize("volts", [3.17, 3.39])
def test_lifepo4_that_rests_off_the_flat_part_cannot_be_compared_whatever_the_count_says(
    volts: float,
) -> None:
    """At the steep end a leaking cell seems to come nearer, while the others leave it."""
    spreads = Spreads(60)
    for at in range(0, 3600, 10):
        spreads.add(*told(at, volts, *RESTING[1:], state_of_charge=0.85))
    assert spreads.rest is None


def test_a_long_rest_is_taken_once_a_day() -> None:
    spreads = rest(Spreads(60), 86_400)
    assert spreads.rest is not None
    first = spreads.rest.at
    rest(spreads, 3600, begin=86_410)
    assert spreads.rest.at == pytest.approx(first + 86_400, abs=200)


def test_a_unit_is_named_by_its_place() -> None:
    spreads = Spreads(60)
    cells = PerUnit(((3.301, 3.302), (3.305, 3.299)))
    for at in range(0, 1310, 10):
        spreads.add(*told(at, 3.305, cell_voltages=cells))
    assert spreads.rest is not None
    assert (spreads.rest.lowest, spreads.rest.highest) == (Place(2, 2), Place(2, 1))


def test_a_cell_that_is_not_known_leaves_no_spread() -> None:
    spreads = Spreads(60)
    for at in range(0, 3600, 10):
        spreads.add(*told(at, 3.301, None, 3.304))
    assert spreads.rest is None


def test_cells_of_before_are_not_held_against_what_is_told_now() -> None:
    assert rest(Spreads(60), 3600, max_cell_voltage=3.33).rest is None


def test_cells_that_are_added_during_a_mean_begin_another() -> None:
    spreads = rest(Spreads(60), 1250)
    for at in range(1260, 1340, 10):
        spreads.add(*told(at, *RESTING, 3.31))
    assert spreads.rest is None
    for at in range(1340, 1360, 10):
        spreads.add(*told(at, *RESTING, 3.31))
    assert spreads.rest is not None
    assert spreads.rest.highest == Place(1, 5)


def test_where_charging_ends_the_last_that_flowed_shows_the_spread() -> None:
    spreads = charge_to_the_end(Spreads(60))
    assert spreads.top is not None
    assert spreads.top.volts == pytest.approx(0.079)
    assert (spreads.top.lowest, spreads.top.highest) == (Place(1, 1), Place(1, 2))
    assert spreads.top.at == NOON + 20


@pytest.mark.parametrize(
    "other",
    [
        {"char": 3.65},
        {"char": None},
        {"capa": None},
        {"current": 60.0},
        {"current": -5.0},
        {"current": None},
        {"max_cell_voltage": None},
    ],
)
def test_a_hundred_percent_elsewhere_is_no_end_of_a_charge(other: dict[str, float | None]) -> None:
    assert charge_to_the_end(Spreads(60), **other).top is None


def test_without_a_hundred_percent_a_charge_has_not_ended() -> None:
    assert charge_to_the_end(Spreads(60), state_of_charge=0.97).top is None


def test_a_charge_that_came_near_its_end_long_ago_has_not_ended_now() -> None:
    spreads = Spreads(60)
    spreads.add(*told(0, *AT_THE_TOP, current=5.0, state_of_charge=0.95))
    spreads.add(*told(700, *RESTING, state_of_charge=1.0))
    assert spreads.top is None


def test_a_battery_that_stays_full_has_one_end_of_its_charge() -> None:
    spreads = charge_to_the_end(Spreads(60))
    for at in range(30, 3000, 10):
        spreads.add(*told(at, *AT_THE_TOP, current=1.0, state_of_charge=1.0))
    assert spreads.top is not None
    assert spreads.top.at == NOON + 20
    charge_to_the_end(spreads, 90_000)
    assert spreads.top.at == NOON + 90_020


@pytest.mark.parametrize("chemistry", [3.0, 4.0])
def test_on_the_flat_part_of_lifepo4_no_charge_ends_for_certain(chemistry: float) -> None:
    low = {"chem": chemistry, "char": 3.36}
    assert charge_to_the_end(Spreads(60), **low).top is None
    spreads = charge_to_the_end(Spreads(60), **{**low, "chem": 2.0, "char": 3.58})
    assert spreads.top is not None


def test_other_chemistries_have_to_come_closer() -> None:
    near = {"chem": 2.0, "char": 3.595}
    assert charge_to_the_end(Spreads(60), **near).top is None
    assert charge_to_the_end(Spreads(60), **{**near, "char": 3.585}).top is not None


def test_spreads_outlive_a_restart() -> None:
    spreads = charge_to_the_end(rest(Spreads(60), 1300), 2000)
    again = Spreads(60)
    again.restore(json.loads(json.dumps(spreads.as_dict())))
    assert (again.rest, again.top) == (spreads.rest, spreads.top)
    assert again.rest is not None
    assert again.top is not None


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "x",
        {"rest": 3, "top": []},
        {"rest": {"volts": float("nan"), "at": 1}},
        {"rest": {"volts": 0.1, "at": 1, "lowest": {"unit": 0, "cell": 1}, "highest": {}}},
        {"top": {"volts": 0.1, "at": 10**400, "lowest": {"unit": 1, "cell": 1}}},
        {"top": {"volts": True, "at": 1, "lowest": {"unit": 1, "cell": 1}}},
    ],
)
def test_what_cannot_be_read_is_left_out(kept: object) -> None:
    spreads = Spreads(60)
    spreads.restore(kept)
    assert (spreads.rest, spreads.top) == (None, None)


def test_after_a_gap_rest_begins_anew() -> None:
    spreads = rest(Spreads(60), 1250)
    spreads.add(update(5000, continuous=False), NOON + 5000)
    assert rest(spreads, 1190, begin=5010).rest is None
    assert rest(spreads, 100, begin=6210).rest is not None


def test_what_was_taken_while_the_clock_was_ahead_is_of_now_at_the_latest() -> None:
    spreads = charge_to_the_end(Spreads(60))
    spreads.add(*told(40, *RESTING, clock=NOON - 86_400))
    assert spreads.top is not None
    assert spreads.top.at == NOON - 86_400 + 40
