"""Whether cells are weak or out of balance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.diagnosis import (
    NOTHING_YET,
    Diagnosing,
    Diagnosis,
    Finding,
    Reason,
)
from custom_components.rec_bms.protocol.health.record import Health
from custom_components.rec_bms.protocol.health.resistance import Step
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update
from tools.simulator.chemistry import CHEMISTRIES

NOON = 1_790_000_000.0
CAPA = 300.0
FULL = {2: 3.995, 3: 3.579, 4: 3.579, 5: 4.145}
EMPTY = {2: 3.4, 3: 3.08, 4: 3.08, 5: 3.45}
HOUR = 3600.0


class Battery:
    """Cells of capacities in Ah, of which each lacks some Ah when the first is full."""

    def __init__(
        self, capacities: list[float], lacking: list[float], chemistry: int = 3, units: int = 1
    ) -> None:
        self.capacities = capacities
        self.lacking = lacking
        self.units = units
        self.found = Diagnosing(150)
        self.at = 0.0
        self.clock = NOON
        self._kind = CHEMISTRIES[chemistry]
        self._full, self._empty = FULL[chemistry], EMPTY[chemistry]
        self._settings = {"capa": CAPA, "chem": float(chemistry), "char": self._full + 0.001}

    @property
    def diagnosis(self) -> Diagnosis:
        return self.found.diagnosis

    def tell(self, volts: list[float], amperes: float, charge: float, **other: Any) -> None:
        self.at += 60
        rows = len(volts) // self.units
        table = tuple(tuple(volts[row * rows : (row + 1) * rows]) for row in range(self.units))
        told: dict[str, Any] = {
            **self._settings,
            "cell_voltages": PerUnit(table),
            "max_cell_voltage": max(volts),
            "min_cell_voltage": min(volts),
            "current": amperes,
            "state_of_charge": charge,
        }
        self.found.add(update(self.at, period=60, **{**told, **other}), self.clock + self.at)

    def be_full(self) -> None:
        """Be charged until the first cell is full."""
        first = min(self.lacking)
        top = self._kind.charge(self._full)
        volts = [
            self._kind.voltage(top - (lack - first) / capacity)
            for lack, capacity in zip(self.lacking, self.capacities, strict=True)
        ]
        self.tell(volts, 5.0, 0.96)
        self.tell(volts, 0.0, 1.0)
        self.tell([3.3] * len(volts), -50.0, 0.8)

    def be_empty(self) -> None:
        """Be discharged until the first cell rests near empty."""
        held = [
            capacity - lack for capacity, lack in zip(self.capacities, self.lacking, strict=True)
        ]
        least = self._kind.charge(self._empty)
        taken = min(
            ah - least * capacity for ah, capacity in zip(held, self.capacities, strict=True)
        )
        volts = [
            self._kind.voltage((ah - taken) / capacity)
            for ah, capacity in zip(held, self.capacities, strict=True)
        ]
        for _ in range(30):
            self.tell(volts, 0.0, 0.1)
        self.tell([3.3] * len(volts), 50.0, 0.5)

    def cycle(self, times: int = 2) -> Diagnosis:
        for _ in range(times):
            self.be_full()
            self.be_empty()
        self.be_full()
        return self.diagnosis

    def restart(self) -> None:
        kept = json.loads(json.dumps(self.found.as_dict(), allow_nan=False))
        self.found = Diagnosing(150)
        self.found.restore(kept)
        self.clock += self.at + 600
        self.at = 30.0


KINDS = pytest.mark.parametrize("chemistry", [2, 3, 4, 5])


@KINDS
def test_cells_that_are_alike_are_balanced(chemistry: int) -> None:
    battery = Battery([300, 302, 299, 304], [1.0, 0.0, 1.5, 2.0], chemistry)
    found = battery.cycle()
    assert found.finding is Finding.BALANCED
    assert (found.unit, found.cell) == (None, None)
    assert found.reasons == (Reason.CELLS_CLOSE_TOGETHER,)
    assert found.imbalance is not None
    assert found.imbalance < 0.03 * CAPA
    assert battery.found.balancing_hours(1.0) is None


@KINDS
@pytest.mark.parametrize("holds", [264.0, 240.0])
def test_a_cell_that_is_first_at_both_ends_is_weak(chemistry: int, holds: float) -> None:
    battery = Battery([300, 302, holds, 304], [0.5, 0.8, 0.0, 1.0], chemistry)
    found = battery.cycle()
    assert (found.finding, found.unit, found.cell) == (Finding.WEAK_CELL, 1, 3)
    assert found.reasons == (Reason.SAME_CELL_FIRST_AT_BOTH_ENDS,)
    assert found.at == battery.clock + battery.at - 60


@KINDS
def test_a_cell_that_is_behind_at_the_top_and_first_when_empty_is_out_of_balance(
    chemistry: int,
) -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 30.0, 0.0, 1.0], chemistry)
    found = battery.cycle()
    assert (found.finding, found.unit, found.cell) == (Finding.UNBALANCED, 1, 2)
    assert found.reasons == (Reason.DIFFERENT_CELLS_FIRST,)
    assert found.imbalance is not None or chemistry in (3, 4)


@pytest.mark.parametrize("chemistry", [2, 5])
def test_the_imbalance_is_told_in_ah_and_hours(chemistry: int) -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 30.0, 0.0, 1.0], chemistry)
    found = battery.cycle()
    assert found.imbalance == pytest.approx(30, rel=0.4)
    assert battery.found.balancing_hours(2.0) == found.imbalance / 2
    assert battery.found.balancing_hours(0.0) is None


@KINDS
def test_a_cell_that_is_ahead_at_the_top_and_not_the_first_when_empty_is_out_of_balance(
    chemistry: int,
) -> None:
    battery = Battery([300, 302, 299, 304], [30.0, 30.5, 0.0, 29.0], chemistry)
    assert battery.cycle().finding is Finding.UNBALANCED
    assert battery.diagnosis.cell == 3


def test_at_the_top_alone_balanced_and_weak_look_alike() -> None:
    battery = Battery([300, 302, 240, 304], [1.0, 1.0, 0.0, 1.0])
    for _ in range(5):
        battery.be_full()
    assert battery.diagnosis.finding is Finding.NOT_ENOUGH_DATA
    assert battery.diagnosis.reasons == (Reason.NOT_EMPTY_YET,)


def test_at_the_bottom_alone_nothing_is_found() -> None:
    battery = Battery([300, 302, 240, 304], [1.0, 1.0, 0.0, 1.0])
    battery.be_empty()
    assert battery.diagnosis == NOTHING_YET
    assert battery.diagnosis.reasons == (Reason.NOT_FULL_YET,)


def test_a_cell_that_was_behind_once_is_not_out_of_balance_yet() -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 1.0, 0.0, 1.0])
    battery.cycle()
    battery.lacking[1] = 40.0
    battery.be_full()
    assert battery.diagnosis.finding is Finding.BALANCED
    battery.be_full()
    assert battery.diagnosis.finding is Finding.UNBALANCED


def test_an_unbalanced_battery_that_was_balanced_is_not_weak() -> None:
    """What was left in a cell that lacked much says nothing of its size."""
    battery = Battery([300, 302, 299, 304], [0.5, 40.0, 0.0, 1.0])
    battery.cycle()
    battery.be_empty()
    battery.lacking[1] = 1.0
    for _ in range(3):
        battery.be_full()
        assert battery.diagnosis.finding is not Finding.WEAK_CELL
    assert battery.diagnosis.finding is Finding.NOT_ENOUGH_DATA
    assert battery.cycle().finding is Finding.BALANCED


def test_a_weak_cell_stays_weak_over_charges_without_getting_empty() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    battery.cycle()
    for _ in range(5):
        battery.be_full()
    assert battery.diagnosis.finding is Finding.WEAK_CELL


def test_a_cell_that_was_replaced_is_not_weak_any_more() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    battery.cycle()
    battery.capacities[2] = 300.0
    assert battery.cycle().finding is Finding.BALANCED


def test_another_number_of_cells_is_another_battery() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    weak = battery.cycle()
    for _ in range(4):
        battery.tell([3.3] * 8, -50.0, 0.5)
    assert battery.diagnosis == weak
    battery.tell([3.3] * 8, -50.0, 0.5)
    assert battery.diagnosis == NOTHING_YET


def test_a_message_that_is_short_of_a_cell_costs_nothing_of_what_was_found() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    weak = battery.cycle()
    battery.tell([3.3] * 3, -50.0, 0.5)
    battery.tell([3.3] * 4, -50.0, 0.5)
    battery.be_full()
    assert (battery.diagnosis.finding, battery.diagnosis.cell) == (weak.finding, weak.cell)


def test_of_two_units_the_cell_is_named_by_its_place() -> None:
    battery = Battery([300, 302, 301, 304, 303, 240], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0], units=2)
    found = battery.cycle()
    assert (found.finding, found.unit, found.cell) == (Finding.WEAK_CELL, 2, 3)


def test_a_cell_of_high_resistance_is_not_behind() -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 1.0, 0.0, 1.0])
    ohms = PerUnit(((0.0002, 0.0002, 0.0002, 0.004),))
    for _ in range(2):
        for amperes, charge in ((20.0, 0.96), (0.0, 1.0)):
            lifted = [3.499, 3.496, 3.499, 3.496 + 1.5 * 20 * 0.004 * (amperes > 0)]
            char = {"char": max(lifted)}
            battery.tell(lifted, amperes, charge, cell_resistances=ohms, **char)
        battery.tell([3.3] * 4, -50.0, 0.5)
        battery.be_empty()
    assert battery.diagnosis.finding is not Finding.UNBALANCED
    assert battery.diagnosis.finding is not Finding.WEAK_CELL


def test_a_cell_that_is_not_known_leaves_an_end_out() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    spoilt = PerUnit(((3.3, None, 3.3, 3.3),))
    tell = battery.tell

    def tell_less(volts: list[float], amperes: float, charge: float, **other: Any) -> None:
        tell(volts, amperes, charge, **{**other, "cell_voltages": spoilt})

    battery.tell = tell_less  # type: ignore[method-assign]
    assert battery.cycle().finding is Finding.NOT_ENOUGH_DATA


def test_a_diagnosis_outlives_restarts() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    for _ in range(3):
        battery.be_full()
        battery.restart()
        battery.be_empty()
        battery.restart()
    battery.be_full()
    found = battery.diagnosis
    assert (found.finding, found.cell) == (Finding.WEAK_CELL, 3)
    battery.restart()
    assert battery.diagnosis == found


def test_a_clock_that_is_set_back_leaves_no_time_of_the_future() -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    battery.cycle()
    battery.clock -= 86_400
    battery.tell([3.3] * 4, 0.0, 0.5)
    assert battery.diagnosis.at == battery.clock + battery.at
    assert battery.diagnosis.finding is Finding.WEAK_CELL


@pytest.mark.parametrize("chemistry", [None, 0.0, 9.0])
def test_of_unknown_cells_nothing_is_found(chemistry: float | None) -> None:
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    battery._settings["chem"] = chemistry  # type: ignore[assignment]
    assert battery.cycle().finding is Finding.NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"cells": "x"},
        {"cells": [4, 0]},
        {"cells": [4], "finding": "weak_cell", "reasons": [], "at": 1},
        {"cells": [4], "finding": "nonsense", "reasons": [], "at": 1},
        {"cells": [4], "finding": [], "reasons": [[]], "at": 1},
        {"cells": [4], "finding": "balanced", "reasons": ["x"], "at": 1},
        {"cells": [4], "finding": "balanced", "reasons": [], "at": float("inf")},
        {"cells": [4], "lacks": [1, 2, 3, 4], "left": [0.1], "smallest": [4, 0.1, 0.1]},
        {"cells": [4], "smallest": [0.5, 0.1, 0.1], "apart": "yes"},
    ],
)
def test_what_cannot_be_read_is_left_out(kept: object) -> None:
    found = Diagnosing(60)
    found.restore(kept)
    assert found.diagnosis == NOTHING_YET


def test_what_was_charged_fast_is_looked_at_when_it_rests() -> None:
    """Where much flows to the end, resistance would tell cells apart."""
    battery = Battery([300, 302, 299, 304], [0.5, 40.0, 0.0, 1.0], 2)
    lifted = [3.99, 3.93, 3.995, 3.985]
    resting = [3.953, 3.885, 3.955, 3.95]
    for count in (1, 2):
        battery.tell(lifted, 60.0, 0.96)
        battery.tell(lifted, 60.0, 1.0)
        for _ in range(30):
            battery.tell(resting, 0.0, 1.0)
        assert (battery.diagnosis.finding is Finding.UNBALANCED) is (count == 2)
        battery.tell([3.7] * 4, -50.0, 0.6)
    assert battery.diagnosis.cell == 2


def test_one_end_of_a_charge_is_looked_at_once() -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 40.0, 0.0, 1.0], 2)
    volts = [3.99, 3.93, 3.995, 3.985]
    battery.tell(volts, 5.0, 0.96)
    battery.tell(volts, 5.0, 1.0)
    for _ in range(100):
        battery.tell(volts, 0.0, 1.0)
    assert battery.diagnosis.finding is Finding.NOT_ENOUGH_DATA


def test_a_battery_that_is_being_balanced_is_not_called_unbalanced_any_longer() -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 40.0, 0.0, 1.0])
    battery.cycle()
    battery.lacking[1] = 12.0
    battery.be_full()
    assert battery.diagnosis.finding is Finding.NOT_ENOUGH_DATA


def test_a_balanced_battery_stays_so_while_nothing_else_is_certain() -> None:
    battery = Battery([300, 302, 299, 304], [0.5, 1.0, 0.0, 1.0])
    battery.cycle()
    battery.lacking[1] = 12.0
    battery.be_full()
    battery.be_full()
    assert battery.diagnosis.finding is Finding.BALANCED


def test_iron_is_looked_at_where_much_flows_to_the_end_too() -> None:
    """Its end is so steep that resistance hardly matters there."""
    battery = Battery([300, 302, 240, 304], [0.5, 0.8, 0.0, 1.0])
    be_full = battery.tell

    def tell(volts: list[float], amperes: float, charge: float, **other: Any) -> None:
        be_full(volts, 50.0 if amperes == 5.0 else amperes, charge, **other)

    battery.tell = tell  # type: ignore[method-assign]
    assert battery.cycle().finding is Finding.WEAK_CELL


def test_while_a_connection_may_be_loose_the_end_of_a_charge_says_nothing() -> None:
    """Current lifts its cell, which seems to be full before the others."""
    battery = Battery([300, 302, 299, 304], [0.5, 40.0, 0.0, 1.0])
    health = Health(150)
    battery.found = health.diagnosing
    health.resistances.steps = (Step(1, 2, 3.0, 4e-4, 12e-4, NOON),)
    assert battery.cycle() == NOTHING_YET
    health.resistances.steps = ()
    assert battery.cycle().finding is Finding.UNBALANCED


@KINDS
def test_a_cell_that_was_balanced_before_the_first_full_charge_is_not_weak(chemistry: int) -> None:
    """It was the first that was empty, and nobody saw that it had been behind."""
    battery = Battery([300, 302, 299, 304], [0.5, 30.0, 0.0, 1.0], chemistry)
    battery.be_empty()
    battery.lacking[1] = 0.5
    battery.be_full()
    assert battery.diagnosis.finding is Finding.NOT_ENOUGH_DATA
    assert battery.cycle().finding is Finding.BALANCED
