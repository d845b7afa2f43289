"""Connections that come loose in a battery whose BMS measures no resistances anew."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.resistance import Resistances
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update

POLL = 60.0
GAP = 3 * POLL
HOUR = 3600.0
BEGIN = 1_790_000_000.0
CELLS = 8
CAPACITY = 100.0


class House:
    """A battery of 100 Ah whose loads and sun change every ten minutes, by less than 20 A."""

    def __init__(self, seed: int = 1) -> None:
        self.resistances = Resistances(GAP)
        self.rng = random.Random(seed)
        self.told = [self.rng.uniform(0.3e-3, 1.5e-3) for _ in range(CELLS)]
        self.ohms = [*self.told]
        self.now = BEGIN
        self.at = 0.0
        self.volts = [3.3] * CELLS
        self.others: dict[str, Any] = {}
        self._table = PerUnit((tuple(self.told),))

    def poll(self, amperes: float) -> None:
        """Be told of once."""
        row = [
            round(volts + amperes * ohms + self.rng.gauss(0, 0.001), 3)
            for volts, ohms in zip(self.volts, self.ohms, strict=True)
        ]
        self.tell(amperes, PerUnit((tuple(row),)))
        self.at += POLL
        self.now += POLL

    def tell(self, amperes: float | None, cells: PerUnit | None) -> None:
        """Have a table of cell voltages told as it is."""
        state = {
            "current": amperes,
            "cell_voltages": cells,
            "cell_resistances": self._table,
            "temperatures": PerUnit(((25.0,),)),
            "capa": CAPACITY,
            **self.others,
        }
        heard = update(self.at, continuous=False, period=POLL, **state)
        self.resistances.add(heard, self.now)

    def live(self, hours: float, each: Callable[[float], None] = lambda _: None) -> None:
        """Be used for some hours; `each` is called with the current in A before each poll."""
        for _ in range(round(hours * HOUR / 600)):
            amperes = self.rng.uniform(-8, 8)
            for _ in range(round(600 / POLL)):
                each(amperes)
                self.poll(amperes)

    def restart(self) -> None:
        """Have Home Assistant restarted; the loop's clock begins anew."""
        kept = json.loads(json.dumps(self.resistances.as_dict(), allow_nan=False))
        self.resistances = Resistances(GAP)
        self.resistances.restore(kept)
        self.at = 0.0

    @property
    def loose(self) -> list[tuple[int, int]]:
        return [(step.unit, step.cell) for step in self.resistances.steps]


def house(seed: int = 1) -> House:
    """Return one whose past is known."""
    made = House(seed)
    made.live(60)
    return made


@pytest.mark.parametrize("seed", range(6))
def test_a_loose_connection_is_found_within_two_days_of_use(seed: int) -> None:
    lived = house(seed)
    lived.ohms[5] += 3 * lived.ohms[5]
    lived.live(48)
    [step] = lived.resistances.steps
    assert (step.unit, step.cell) == (1, 6)
    assert step.before == pytest.approx(lived.told[5])
    assert step.now == pytest.approx(lived.ohms[5], rel=0.3)
    assert step.at > BEGIN + 60 * HOUR


@pytest.mark.long
def test_a_good_battery_has_no_loose_connection() -> None:
    for seed in range(5):
        lived = house(seed)
        lived.live(300)
        assert not lived.loose


def test_a_connection_that_is_tight_again_is_so_after_three_readings() -> None:
    lived = house()
    lived.ohms[5] *= 5
    lived.live(48)
    assert lived.loose == [(1, 6)]
    lived.ohms[5] /= 5
    lived.live(6)
    assert lived.loose == [(1, 6)]
    lived.live(42)
    assert not lived.loose


def test_a_connection_that_is_good_at_times_is_found() -> None:
    lived = house()
    bad = lived.ohms[5] * 5

    def shake(_: float) -> None:
        if lived.rng.random() < 0.05:
            lived.ohms[5] = bad if lived.rng.random() < 0.75 else lived.told[5]

    lived.live(48, shake)
    assert lived.loose == [(1, 6)]


@pytest.mark.long
def test_a_cell_that_leaves_its_curve_where_charging_stops_is_not_loose() -> None:
    lived = house()

    def be_at_the_end(amperes: float) -> None:
        """Rise slowly while charged, and fall off at once when that ends."""
        lived.volts[5] = min(lived.volts[5] + 0.01, 3.5) if amperes > 0 else 3.3

    lived.live(200, be_at_the_end)
    assert not lived.loose


@pytest.mark.long
def test_an_empty_cell_that_falls_under_load_is_not_loose() -> None:
    lived = house()

    def be_empty(amperes: float) -> None:
        """Fall at once with a load, and come back slowly."""
        lived.volts[5] = 3.25 if amperes < 0 else min(lived.volts[5] + 0.005, 3.3)

    lived.live(200, be_empty)
    assert not lived.loose


def test_cells_that_drift_apart_slowly_are_not_loose() -> None:
    lived = house()

    def drift(amperes: float) -> None:
        lived.volts[5] += amperes * 1e-4

    lived.live(200, drift)
    assert not lived.loose


def test_cold_is_no_loose_connection() -> None:
    lived = House()
    lived.told[3] = lived.ohms[3] = 5e-3
    lived._table = PerUnit((tuple(lived.told),))
    lived.live(60)
    lived.ohms = [3 * ohms for ohms in lived.ohms]
    lived.others = {"temperatures": PerUnit(((-15.0,),))}
    lived.live(100)
    assert not lived.loose


def test_cells_that_were_not_read_anew_tell_nothing() -> None:
    lived = house()
    before = lived.resistances.as_dict()["connections"]
    table = PerUnit((tuple(lived.volts),))
    for index in range(200):
        lived.at += POLL
        lived.tell(float(index % 9), table)
    after = lived.resistances.as_dict()["connections"]
    assert after["1"]["down"] == before["1"]["down"]


def test_polls_that_come_in_bursts_tell_nothing() -> None:
    lived = house()
    before = lived.resistances.as_dict()["connections"]
    for index in range(100):
        lived.at += (2 * POLL, 1.0 - POLL)[index % 2]
        lived.poll(8.0 if index % 4 > 1 else 0.0)
    assert lived.resistances.as_dict()["connections"]["1"]["past"] == before["1"]["past"]


def test_a_gap_is_no_change_of_the_current() -> None:
    lived = house()
    before = lived.resistances.as_dict()["connections"]["1"]["up"]
    for index in range(50):
        lived.at += 2 * GAP
        lived.poll(float(index % 9))
    after = lived.resistances.as_dict()["connections"]["1"]["up"]
    assert after[0] <= before[0] + 100


def test_restarts_lose_nothing() -> None:
    lived = house()
    lived.ohms[5] *= 4
    for _ in range(24):
        lived.live(2)
        lived.restart()
    assert lived.loose == [(1, 6)]
    [step] = lived.resistances.steps
    lived.restart()
    assert lived.resistances.steps == (step,)


@pytest.mark.parametrize("leap", [-400 * 86400.0, 400 * 86400.0])
def test_a_clock_that_is_set_does_not_matter(leap: float) -> None:
    lived = house()
    lived.ohms[5] *= 4
    lived.live(24)
    lived.now += leap
    lived.live(24)
    [step] = lived.resistances.steps
    assert step.cell == 6
    assert step.at <= lived.now


def test_what_is_not_known_is_passed_over() -> None:
    lived = house()
    lived.ohms[5] *= 4
    row = (3.3, None, *[3.3] * (CELLS - 2))
    for _ in range(48):
        lived.live(1)
        for amperes, cells in ((None, PerUnit((row,))), (5.0, PerUnit((row,))), (5.0, None)):
            lived.at += POLL
            lived.tell(amperes, cells)
    assert lived.loose == [(1, 6)]


def test_messages_that_are_short_of_a_cell_change_nothing() -> None:
    lived = house()
    past = lived.resistances.as_dict()["connections"]["1"]["past"]
    for amperes in (0.0, 0.0, 8.0, 8.0, 0.0, 0.0):
        lived.at += POLL
        lived.tell(amperes, PerUnit(((3.3,) * (CELLS - 1),)))
    assert lived.resistances.as_dict()["connections"]["1"]["past"] == past


def test_without_a_resistance_to_compare_with_nothing_is_found() -> None:
    lived = House()
    lived.others = {"cell_resistances": None}
    lived.live(60)
    lived.ohms[5] *= 8
    lived.live(100)
    assert not lived.loose


def test_cells_that_were_added_begin_anew() -> None:
    lived = house()
    for row in (lived.told, lived.ohms, lived.volts):
        row.append(row[0])
    lived._table = PerUnit((tuple(lived.told),))
    lived.live(20)
    assert len(lived.resistances.as_dict()["connections"]["1"]["up"][1]) == CELLS + 1
    assert not lived.loose


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        [],
        {"1": 3, "x": {}},
        {"1": {"cells": 8, "up": [-1, []], "down": [1, [math.nan] * 8], "use": "long"}},
        {"1": {"cells": True}},
        {"1": {"cells": 10**9}},
        {"1": {"cells": 8, "past": [[1, 2], 3, [10] * 8], "suspicions": [[1.5, 0, 0], [9, 0, 0]]}},
        {"1": {"cells": 8, "loose": [[3, 0, 0.0, 1, 1], [3, 0, 1], [3, 0, -1, 1, 1]]}},
    ],
)
def test_what_cannot_be_read_is_left_out(spoilt: object) -> None:
    lived = House()
    lived.resistances.restore({"connections": spoilt})
    assert not lived.loose
    lived.live(60)
    lived.ohms[5] *= 5
    lived.live(48)
    assert lived.loose == [(1, 6)]
