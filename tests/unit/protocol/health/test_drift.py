"""How cells drift apart, over months."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from custom_components.rec_bms.protocol.health.drift import DAY, MONTH, Drift
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update

NOON = 1_790_000_000.0
SETTINGS = {"capa": 300.0, "char": 3.58, "chem": 3.0}
CELLS = 8

type Cells = Callable[[float], list[float]]
"""Cells' voltages in V by the day."""


def steady(draw: random.Random, noise: float = 0.002, level: float = 3.5) -> Cells:
    """Return healthy cells at a level, each a little off the others, with noise, in V."""
    offsets = [draw.uniform(-0.01, 0.01) for _ in range(CELLS)]
    return lambda _: [round(level + each + draw.gauss(0, noise), 3) for each in offsets]


def drifting(healthy: Cells, cell: int, volts_a_month: float) -> Cells:
    """Return cells of which one, from 0, drifts."""

    def cells(day: float) -> list[float]:
        volts = healthy(day)
        volts[cell] = round(volts[cell] + volts_a_month * day * DAY / MONTH, 3)
        return volts

    return cells


def top(drift: Drift, day: float, cells: list[float], units: int = 1) -> None:
    """Have a charge end on a day."""
    at, highest = day * DAY, max(cells)
    rows = len(cells) // units
    table = PerUnit(tuple(tuple(cells[row * rows : (row + 1) * rows]) for row in range(units)))
    told = {**SETTINGS, "cell_voltages": table, "max_cell_voltage": highest, "char": highest}
    drift.add(update(at, **told, current=5.0, state_of_charge=0.95), NOON + at)
    drift.add(update(at + 10, **told, current=0.0, state_of_charge=1.0), NOON + at + 10)


def rest(drift: Drift, day: float, cells: list[float]) -> None:
    """Have a battery rest on a day."""
    table, highest = PerUnit((tuple(cells),)), max(cells)
    told = {**SETTINGS, "cell_voltages": table, "max_cell_voltage": highest}
    for step in range(40):
        at = day * DAY + step * 60
        drift.add(update(at, **told, current=0.0, state_of_charge=0.5), NOON + at)


def months(cells: Cells, days: int = 120, where: Callable[..., None] = top) -> Drift:
    drift = Drift(60)
    for day in range(0, days, 3):
        where(drift, float(day), cells(day))
    return drift


@pytest.mark.parametrize("volts_a_month", [0.03, -0.03])
def test_a_cell_that_drifts_is_named_with_its_slope(volts_a_month: float) -> None:
    drift = months(drifting(steady(random.Random(1)), 4, volts_a_month))
    assert drift.most is not None
    assert (drift.most.unit, drift.most.cell) == (1, 5)
    assert drift.most.volts_a_month == pytest.approx(volts_a_month, rel=0.1)
    assert drift.most.since == NOON + 10
    assert drift.of_cell(1, 5) == drift.most.volts_a_month
    assert drift.of_cell(1, 1) is None


def test_at_rest_less_is_a_drift_than_where_charging_ends() -> None:
    cells = drifting(steady(random.Random(2), 0.0005, level=3.3), 2, -0.002)
    assert months(cells).most is None
    drift = months(cells, where=rest)
    assert drift.most is not None
    assert (drift.most.cell, drift.most.volts_a_month) == (3, pytest.approx(-0.002, rel=0.15))


def test_where_a_cell_is_far_behind_at_the_end_of_a_charge_rest_tells_which_drifts() -> None:
    """Off the steep end it hardly moves there, while small differences of the others show."""
    at_the_top = drifting(steady(random.Random(2)), 1, 0.02)
    at_rest = drifting(steady(random.Random(2), 0.0005, level=3.3), 4, -0.004)
    drift = Drift(60)
    for day in range(0, 180, 3):
        cells = at_the_top(day)
        cells[4] = 3.36
        top(drift, float(day), cells)
        rest(drift, day + 0.5, at_rest(day))
    assert drift.most is not None
    assert (drift.most.cell, drift.most.volts_a_month) == (5, pytest.approx(-0.004, rel=0.25))
    assert drift.of_cell(1, 2) == pytest.approx(0.02, rel=0.15)


def test_healthy_cells_never_drift() -> None:
    draw = random.Random(3)
    for _ in range(5):
        drift = months(steady(draw, 0.006), days=200)
        assert drift.most is None
        assert [drift.of_cell(1, cell) for cell in range(1, CELLS + 1)] == [None] * CELLS


def test_a_season_is_no_drift_of_a_cell() -> None:
    """All cells go up and down together."""
    healthy = steady(random.Random(4))
    drift = months(lambda day: [volts + 0.1 * day / 120 for volts in healthy(day)])
    assert drift.most is None


def test_a_third_of_bad_points_does_not_hide_a_drift() -> None:
    cells = drifting(steady(random.Random(5)), 1, 0.04)
    bad = random.Random(6)

    def spoilt(day: float) -> list[float]:
        volts = cells(day)
        if bad.random() < 0.2:
            volts[1] += bad.uniform(-0.1, 0.1)
        return volts

    drift = months(spoilt)
    assert drift.most is not None
    assert drift.most.volts_a_month == pytest.approx(0.04, rel=0.25)


@pytest.mark.parametrize("days", [29, 33])
def test_over_too_short_a_time_or_too_few_points_nothing_is_told(days: int) -> None:
    assert months(drifting(steady(random.Random(7)), 4, 0.2), days).most is None


def test_cells_that_are_added_begin_anew() -> None:
    cells = drifting(steady(random.Random(8)), 4, 0.05)
    drift = months(cells)
    assert drift.most is not None
    top(drift, 120, [*cells(120), 3.5])
    assert drift.most is not None
    top(drift, 121, [*cells(121), 3.5])
    top(drift, 122, [*cells(122), 3.5])
    assert drift.most is None
    assert drift.of_cell(1, 5) is None


def test_a_message_that_is_short_of_a_cell_costs_no_months() -> None:
    cells = drifting(steady(random.Random(8)), 4, 0.05)
    drift = months(cells)
    top(drift, 120, cells(120)[:-1])
    top(drift, 123, cells(123))
    assert drift.most is not None
    assert (drift.most.cell, drift.most.since) == (5, pytest.approx(NOON, abs=60))


def test_of_two_units_the_cell_is_named_by_its_place() -> None:
    cells = drifting(steady(random.Random(9)), 6, 0.05)
    drift = Drift(60)
    for day in range(0, 120, 3):
        top(drift, float(day), cells(day), units=2)
    assert drift.most is not None
    assert (drift.most.unit, drift.most.cell) == (2, 3)
    assert drift.of_cell(2, 3) is not None
    assert drift.of_cell(3, 1) is None
    assert drift.of_cell(2, 5) is None
    assert drift.of_cell(0, 3) is None


def test_a_drift_outlives_restarts() -> None:
    cells = drifting(steady(random.Random(10)), 4, 0.03)
    drift = Drift(60)
    for day in range(0, 120, 3):
        again = Drift(60)
        again.restore(json.loads(json.dumps(drift.as_dict())))
        drift = again
        top(drift, float(day), cells(day))
    again = Drift(60)
    again.restore(json.loads(json.dumps(drift.as_dict())))
    assert again.most is not None
    assert again.most.volts_a_month == pytest.approx(0.03, rel=0.1)


def test_what_is_kept_is_bounded() -> None:
    drift = months(steady(random.Random(11)), days=500)
    assert len(json.dumps(drift.as_dict())) < 6000


def test_a_clock_that_was_ahead_leaves_no_point() -> None:
    cells = drifting(steady(random.Random(12)), 4, 0.03)
    drift = Drift(60)
    top(drift, 3000, cells(0))
    for day in range(0, 120, 3):
        top(drift, float(day), cells(day))
    assert drift.most is not None
    assert drift.most.since == NOON + 10


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"cells": 8, "top": 3, "rest": None},
        {"cells": [2, "x"], "top": [[1, 2, 3]]},
        {"cells": [2], "top": [[1, 2], [1, 2, float("inf")], ["x", 1, 1], {}, [2, True, 1]]},
        {"cells": [2], "top": [[2, 1, 1], [1, 1, 1]] * 40},
        {"cells": [10**9], "top": [[1, 1]]},
    ],
)
def test_what_cannot_be_read_is_left_out(kept: object) -> None:
    drift = Drift(60)
    drift.restore(kept)
    assert drift.most is None
    assert drift.of_cell(1, 1) is None
    top(drift, 0, [3.5, 3.51])
