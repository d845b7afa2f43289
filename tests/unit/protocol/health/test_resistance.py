"""Whether a cell's resistance changes, and whether a connection has come loose."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.resistance import Resistances
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update

GAP = 30.0
HOUR, DAY = 3600.0, 86400.0
READING = 300.0
BEGIN = 1_790_000_000.0


class Boat:
    """A battery whose resistances are read every five minutes, by a clock that can be set."""

    def __init__(
        self, cells: int = 14, units: int = 1, *, noise: float = 0.1, seed: int = 1
    ) -> None:
        rng = random.Random(seed)
        self.ohms = [[rng.uniform(0.06e-3, 0.39e-3) for _ in range(cells)] for _ in range(units)]
        self.resistances = Resistances(GAP)
        self.now = BEGIN
        self.energy = 20e3
        self.told: dict[str, Any] = {}
        self._noise = noise
        self._rng = rng

    def read(self, celsius: float = 25.0, times: Mapping[tuple[int, int], float] = {}) -> None:
        """Have all resistances read anew, those of some cells so many times as high."""
        cold = math.exp(self.energy / 8.314 * (1 / (celsius + 273.15) - 1 / 298.15))
        table = tuple(
            tuple(
                ohms * cold * times.get((unit, cell), 1.0) * self._rng.gauss(1, self._noise)
                for cell, ohms in enumerate(row, 1)
            )
            for unit, row in enumerate(self.ohms, 1)
        )
        self.tell(table, celsius)

    def tell(self, table: Any, celsius: float | None = 25.0) -> None:
        """Have a table told as it is."""
        degrees = PerUnit(tuple((celsius,) for _ in self.ohms))
        told = {"cell_resistances": PerUnit(table), "temperatures": degrees, **self.told}
        self.resistances.add(update(0, **told), self.now)
        self.now += READING

    def live(self, days: float, **reading: Any) -> None:
        """Be read for some days."""
        until = self.now + days * DAY
        while self.now < until:
            self.read(**reading)

    def restart(self) -> None:
        """Have Home Assistant restarted."""
        kept = json.loads(json.dumps(self.resistances.as_dict(), allow_nan=False))
        self.resistances = Resistances(GAP)
        self.resistances.restore(kept)

    @property
    def loose(self) -> list[tuple[int, int]]:
        return [(step.unit, step.cell) for step in self.resistances.steps]


def boat(**made: Any) -> Boat:
    """Return one whose past is known."""
    made_boat = Boat(**made)
    for _ in range(30):
        made_boat.read()
        made_boat.now += 6 * HOUR
    return made_boat


def test_a_loose_connection_is_found_at_the_third_reading() -> None:
    lived = boat()
    at = lived.now
    lived.ohms[0][4] += 2e-3
    lived.read()
    lived.read()
    assert not lived.loose
    lived.read()
    [step] = lived.resistances.steps
    assert (step.unit, step.cell, step.at) == (1, 5, at)
    assert step.now == pytest.approx(lived.ohms[0][4], rel=0.4)
    assert step.times == pytest.approx(step.now / step.before)
    assert step.times > 2


def test_a_reading_told_again_is_not_a_new_one() -> None:
    lived = boat()
    row = [*lived.ohms[0]]
    row[4] += 2e-3
    for _ in range(50):
        lived.tell((tuple(row),))
    assert not lived.loose


def test_a_table_that_is_pushed_every_second_is_no_reading_every_second() -> None:
    lived = boat()
    lived.ohms[0][4] += 2e-3
    for _ in range(60):
        lived.read()
        lived.now += 1 - READING
    assert not lived.loose


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_one_bad_measurement_that_fades_from_the_average_is_no_step(share: float) -> None:
    lived = boat(noise=0.02)
    over = 20.0 * share
    for _ in range(60):
        lived.read(times={(1, 5): 1 + over})
        over *= 1 - share
        assert not lived.loose


def test_a_step_that_comes_through_an_average_little_by_little_is_found() -> None:
    lived = boat(noise=0.02)
    times = 1.0
    for _ in range(20):
        times += 0.15 * (4 - times)
        lived.read(times={(1, 5): times})
    assert lived.loose == [(1, 5)]


def test_messages_that_are_short_of_a_cell_or_a_unit_change_nothing() -> None:
    lived = boat(cells=4, units=2)
    lived.live(0.1, times={(1, 2): 8.0})
    before = lived.resistances.change(1, 1)
    for row in ((), (1e-3,), (1e-3, 2e-3, 3e-3)):
        lived.tell((row, row))
    assert lived.loose == [(1, 2)]
    assert lived.resistances.change(1, 1) == before


def test_one_reading_that_is_back_begins_the_count_anew() -> None:
    lived = boat()
    bad = {(1, 5): 8.0}
    for times in (bad, bad, {}, bad, bad, {}):
        lived.read(times=times)
    assert not lived.loose


def test_a_connection_that_is_good_at_times_stays_loose_for_a_day() -> None:
    lived = boat()
    lived.live(0.1, times={(1, 5): 8.0})
    assert lived.loose == [(1, 5)]
    lived.live(0.9)
    assert lived.loose == [(1, 5)]
    lived.read(times={(1, 5): 8.0})
    lived.live(0.9)
    assert lived.loose == [(1, 5)]
    lived.live(0.2)
    assert not lived.loose


def test_between_the_two_thresholds_it_stays_as_it_is() -> None:
    lived = boat(noise=0.01)
    lived.live(2, times={(1, 5): 1.8})
    assert not lived.loose


@pytest.mark.long
def test_a_loose_connection_does_not_become_what_is_normal() -> None:
    lived = boat()
    lived.live(20, times={(1, 5): 8.0})
    assert lived.loose == [(1, 5)]
    assert lived.resistances.steps[0].times == pytest.approx(8, rel=0.4)


@pytest.mark.parametrize("energy", [10e3, 20e3, 40e3])
def test_cold_is_no_loose_connection(energy: float) -> None:
    lived = boat()
    lived.energy = energy
    lived.live(1, celsius=-15.0)
    assert not lived.loose


def test_a_bad_reading_of_all_cells_is_no_loose_connection() -> None:
    lived = boat()
    lived.live(0.1, times={(1, cell): 5.0 for cell in range(1, 15)})
    assert not lived.loose


def test_of_two_loose_connections_each_is_found() -> None:
    lived = boat(cells=4)
    lived.live(0.1, times={(1, 2): 9.0})
    lived.live(0.1, times={(1, 2): 9.0, (1, 4): 9.0})
    assert lived.loose == [(1, 2), (1, 4)]


def test_a_cell_of_another_unit_is_told_with_its_unit() -> None:
    lived = boat(cells=15, units=15)
    lived.live(0.1, times={(13, 2): 9.0})
    assert lived.loose == [(13, 2)]


def test_what_the_bms_cannot_resolve_is_no_step() -> None:
    lived = Boat(noise=0.0)
    lived.ohms[0] = [0.04e-3 + 1e-6 * cell for cell in range(14)]
    for index in range(2000):
        lived.read(times={(1, 3): 2.2 if index > 1900 else 1 + 1e-4 * index % 7})
    assert not lived.loose


@pytest.mark.long
def test_cells_that_were_never_steady_make_no_step() -> None:
    lived = Boat()
    rng = random.Random(5)
    for _ in range(4000):
        lived.read(times={(1, cell): math.exp(rng.gauss(0, 0.8)) for cell in range(1, 15)})
    assert not lived.loose


@pytest.mark.parametrize("value", [0.0, None, 1.0, 1e-9])
def test_a_reading_that_cannot_be_is_none(value: float | None) -> None:
    lived = boat()
    for _ in range(5):
        row: list[float | None] = [ohms * (1 + 1e-6 * lived.now % 0.01) for ohms in lived.ohms[0]]
        row[4] = value
        lived.tell((tuple(row),))
    assert not lived.loose
    lived.live(0.1, times={(1, 5): 9.0})
    assert lived.loose == [(1, 5)]


def test_a_bms_that_has_measured_nothing_yet_tells_nothing() -> None:
    lived = Boat()
    for index in range(100):
        lived.tell((tuple([1e-3 + index * 1e-6] * 14),))
    lived.live(6)
    lived.live(0.1, times={(1, 5): 9.0})
    assert lived.loose == [(1, 5)]
    assert lived.resistances.steps[0].before == pytest.approx(lived.ohms[0][4], rel=0.2)


def test_an_empty_cell_is_no_loose_connection() -> None:
    lived = boat()
    volts = [3.25] * 14
    volts[4] = 2.95
    lived.told = {
        "cmin": 2.8,
        "cmax": 3.65,
        "current": -20.0,
        "cell_voltages": PerUnit((tuple(volts),)),
    }
    lived.live(0.2, times={(1, 5): 4.0})
    assert not lived.loose


def test_a_loose_connection_that_draws_its_cell_down_is_found() -> None:
    lived = boat()
    volts = [3.25] * 14
    volts[4] = 3.25 - 150 * 3e-3
    lived.ohms[0][4] = 3e-3
    lived.told = {
        "cmin": 2.8,
        "cmax": 3.65,
        "current": -150.0,
        "cell_voltages": PerUnit((tuple(volts),)),
    }
    lived.live(0.1)
    assert lived.loose == [(1, 5)]


def test_readings_before_and_after_restarts_and_days_away_count_together() -> None:
    lived = boat()
    for _ in range(3):
        assert not lived.loose
        lived.now += 5 * DAY
        lived.restart()
        lived.read(times={(1, 5): 8.0})
    assert lived.loose == [(1, 5)]
    steps = lived.resistances.steps
    lived.restart()
    [before], [after] = steps, lived.resistances.steps
    assert after.at == before.at
    assert after.times == pytest.approx(before.times)


def test_what_was_told_before_a_restart_is_not_new_after_it() -> None:
    lived = boat()
    row = [*lived.ohms[0]]
    row[4] += 2e-3
    for _ in range(5):
        lived.tell((tuple(row),))
        lived.restart()
    assert not lived.loose


@pytest.mark.parametrize("leap", [-400 * DAY, 400 * DAY])
def test_a_clock_that_is_set_loses_nothing(leap: float) -> None:
    lived = boat()
    lived.read(times={(1, 5): 8.0})
    lived.now += leap
    lived.read(times={(1, 5): 8.0})
    lived.now -= leap / 2
    lived.read(times={(1, 5): 8.0})
    lived.read(times={(1, 5): 8.0})
    [step] = lived.resistances.steps
    assert step.at <= lived.now
    lived.live(3)
    assert not lived.loose


def test_cells_that_were_added_have_a_past_of_their_own() -> None:
    lived = boat(cells=4)
    lived.ohms[0] += [0.2e-3] * 4
    lived.ohms.append([0.2e-3] * 4)
    lived.live(0.2)
    assert not lived.loose
    assert lived.resistances.change(1, 1) is None
    lived.live(6)
    lived.live(0.1, times={(2, 4): 8.0})
    assert lived.loose == [(2, 4)]


def test_a_unit_that_is_away_keeps_its_past() -> None:
    lived = boat(cells=4, units=2)
    row = lived.ohms.pop()
    lived.live(2)
    lived.ohms.append(row)
    lived.live(0.1, times={(2, 3): 8.0})
    assert lived.loose == [(2, 3)]


@pytest.mark.long
def test_a_cell_is_held_against_its_own_past() -> None:
    lived = boat()
    lived.live(10, times={(1, 5): 1.3})
    change = lived.resistances.change
    assert change(1, 5) == pytest.approx(0.3, abs=0.15)
    assert change(1, 4) == pytest.approx(0.0, abs=0.15)
    assert change(1, 15) is None
    assert change(2, 1) is None
    assert change(1, 0) is None


def test_no_change_is_told_before_there_is_a_past() -> None:
    lived = Boat()
    lived.live(2)
    assert lived.resistances.change(1, 1) is None


def test_no_change_is_told_where_cold_may_explain_it() -> None:
    lived = boat()
    lived.live(3, celsius=10.0)
    assert lived.resistances.change(1, 1) is None
    lived.live(0.1)
    assert lived.resistances.change(1, 1) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("energy", [10e3, 20e3, 30e3])
def test_a_change_that_is_told_is_not_the_seasons(energy: float) -> None:
    lived = Boat(noise=0.02)
    lived.energy = energy
    shown = []
    for day in range(365):
        season = 15 - 10 * math.cos(2 * math.pi * day / 365)
        for hour in range(0, 24, 6):
            lived.now = BEGIN + day * DAY + hour * HOUR
            lived.read(celsius=season + 3 * math.sin(2 * math.pi * hour / 24))
        if (change := lived.resistances.change(1, 3)) is not None:
            shown.append(change)
    assert len(shown) > 60
    assert max(map(abs, shown)) < 0.15
    assert not lived.loose


def test_a_sensor_that_is_not_there_is_no_temperature() -> None:
    lived = boat()
    noise = PerUnit(((25.0, 85.5, 0.0, None),))
    lived.told = {"temperatures": noise, "max_temperature": 25.0}
    lived.live(2)
    assert lived.resistances.change(1, 1) == pytest.approx(0, abs=0.2)


def test_without_any_temperature_nothing_is_taken() -> None:
    lived = Boat()
    lived.told = {"temperatures": PerUnit(((None,),))}
    lived.live(6)
    lived.live(0.2, times={(1, 5): 8.0})
    assert not lived.loose


@pytest.mark.long
def test_what_is_kept_does_not_grow() -> None:
    lived = boat(cells=15, units=16)
    size = len(json.dumps(lived.resistances.as_dict()))
    lived.live(1)
    assert len(json.dumps(lived.resistances.as_dict())) < 1.1 * size
    assert size < 80_000


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        [],
        {"units": 3},
        {"units": {"1": None, "2": {"told": "abc"}, "0": {}, "x": {}}},
        {"units": {"1": {"told": []}}},
        {"units": {"1": {"told": [1e-3] * 14, "past": [[25, [1]], 3, [None, None]], "first": 7}}},
        {"units": {"1": {"told": [10**400] * 14, "loose": [[1, 2], [99, 1, 1, 1, 1, 1]]}}},
        {"units": {"1": {"told": [True] * 14, "loose": [[1, 0, 1e300, 1e-3, 0, 0]]}}},
        {"units": {"1": {"told": [0.001] * 14, "first": [25, [1e-3] * 14]}}},
        {
            "units": {
                "1": {"told": [0.001] * 14, "suspicions": [[3, math.inf, 1]], "empty": [[1.5, 2]]}
            }
        },
    ],
)
def test_what_cannot_be_read_is_left_out(spoilt: object) -> None:
    lived = Boat()
    lived.resistances.restore(spoilt)
    assert not lived.loose
    assert lived.resistances.change(1, 1) is None
    lived.live(6)
    lived.live(0.1, times={(1, 5): 8.0})
    assert lived.loose == [(1, 5)]


@pytest.mark.long
def test_noise_is_no_loose_connection_in_six_years() -> None:
    for seed in range(6):
        lived = Boat(cells=8, noise=0.2, seed=seed)
        for reading in range(365 * 4):
            lived.now = BEGIN + reading * DAY / 4
            lived.read(celsius=20 + 10 * math.sin(reading / 1460 * 2 * math.pi))
            assert not lived.loose
