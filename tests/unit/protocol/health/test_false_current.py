"""Whether a current that is told at rest is none."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.false_current import FalseCurrent
from custom_components.rec_bms.protocol.health.measured import Offset
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update
from tools.simulator.chemistry import CHEMISTRIES

POLL = 300.0
GAP = 3 * POLL
BEGIN = 1_790_000_000.0
CELLS = 8
LIPO, IRON = 2, 3
CHAR = {LIPO: 4.2, IRON: 3.6}
BMIN = {LIPO: 4.1, IRON: 3.5}


class Boat:
    """A battery of 100 Ah at rest, whose current sensor may have an offset in A."""

    def __init__(self, chemistry: int = IRON, charge: float = 0.6, offset: float = 0.0) -> None:
        self.by_cycles: Offset | None = None
        self.false_current = FalseCurrent(GAP, lambda: self.by_cycles)
        self.charge = charge
        self.offset = offset
        self.holds = 100.0
        self.at = 0.0
        self.ahead = 0.0
        self.continuous = False
        self.settings: dict[str, float | None] = {
            "capa": 100.0,
            "chem": float(chemistry),
            "char": CHAR[chemistry],
            "bmin": BMIN[chemistry],
            "ioff": 0.0,
        }
        self.told: dict[str, Any] = {}
        self._curve = CHEMISTRIES[chemistry]
        self._rng = random.Random(3)

    def poll(self, amperes: float = 0.0, volts: float | None = None, **told: Any) -> None:
        """Be told of once, with a current in A that really flows."""
        self.charge += amperes * POLL / 3600 / self.holds
        level = self._curve.voltage(self.charge) if volts is None else volts
        row = [round(level + self._rng.gauss(0, 0.001), 3) for _ in range(CELLS)]
        state = {
            "current": round(amperes + self.offset + self._rng.gauss(0, 0.02), 2),
            "cell_voltages": PerUnit((tuple(row),)),
            "max_cell_voltage": max(row),
            "state_of_charge": 0.6,
            **self.settings,
            **self.told,
            **told,
        }
        self.at += POLL
        heard = update(self.at, continuous=self.continuous, **state)
        self.false_current.add(heard, BEGIN + self.at + self.ahead)

    def rest(self, hours: float, amperes: float = 0.0, **told: Any) -> None:
        """Rest for some hours, while a current in A really flows."""
        for _ in range(round(hours * 3600 / POLL)):
            self.poll(amperes, **told)

    def fill(self) -> None:
        """Be full by the BMS's own rule, and settle."""
        char = self.settings["char"]
        self.poll(20.0, char, state_of_charge=1.0)
        self.charge = 0.98

    def restart(self) -> None:
        """Have Home Assistant restarted."""
        kept = json.loads(json.dumps(self.false_current.as_dict(), allow_nan=False))
        self.false_current = FalseCurrent(GAP, lambda: self.by_cycles)
        self.false_current.restore(kept)

    @property
    def found(self) -> float | None:
        return self.false_current.offset


def found_boat() -> Boat:
    """Return one whose offset of 1 A was found."""
    boat = Boat(offset=1.0)
    boat.fill()
    boat.rest(30)
    assert boat.found is not None
    return boat


@pytest.mark.parametrize("chemistry", [IRON, LIPO])
def test_a_full_battery_that_is_said_to_be_charged_for_a_day_has_a_false_current(
    chemistry: int,
) -> None:
    boat = Boat(chemistry, offset=1.0)
    boat.fill()
    boat.rest(15)
    assert boat.found is None
    boat.rest(12)
    assert boat.found == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("offset", [-1.5, -0.8, 0.8, 1.5])
def test_where_each_percent_shows_a_false_current_is_found_in_two_days(offset: float) -> None:
    boat = Boat(LIPO, offset=offset)
    boat.rest(48)
    assert boat.found == pytest.approx(offset, abs=0.05)


@pytest.mark.parametrize("offset", [-1.5, 1.5])
def test_where_the_curve_is_flat_it_takes_more_than_the_battery_holds(offset: float) -> None:
    boat = Boat(IRON, offset=offset)
    boat.rest(90)
    assert boat.found is None
    boat.rest(40)
    assert boat.found == pytest.approx(offset, abs=0.05)


@pytest.mark.parametrize("chemistry", [IRON, LIPO])
@pytest.mark.parametrize("amperes", [-1.5, -0.3, 0.6, 1.5])
@pytest.mark.parametrize("charge", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("holds", [60.0, 100.0, 400.0])
def test_a_current_that_flows_is_not_false_even_with_a_wrong_capacity(
    chemistry: int, amperes: float, charge: float, holds: float
) -> None:
    boat = Boat(chemistry, charge)
    boat.holds = holds
    room = (1 - charge) if amperes > 0 else charge
    boat.rest(min(500, room * holds / abs(amperes)), amperes)
    assert boat.found is None


def test_a_standby_load_on_a_full_battery_is_not_false() -> None:
    boat = Boat(IRON)
    boat.fill()
    boat.rest(150, -0.5)
    assert boat.found is None


def test_a_small_current_into_a_battery_at_a_float_voltage_is_what_its_bms_uses() -> None:
    boat = Boat(IRON, offset=0.4)
    boat.fill()
    boat.rest(200)
    assert boat.found is None


def test_a_current_that_balancing_takes_is_not_false() -> None:
    boat = Boat(IRON, offset=1.0)
    boat.fill()
    boat.rest(60, volts=3.51)
    assert boat.found is None


def test_while_a_cell_is_said_to_be_balanced_nothing_is_proven() -> None:
    boat = Boat(IRON, offset=1.0)
    boat.fill()
    boat.rest(60, balancing=PerUnit(((True, *[False] * (CELLS - 1)),)))
    assert boat.found is None


def test_the_bms_saying_full_while_no_cell_is_proves_nothing() -> None:
    boat = Boat(IRON, offset=1.0)
    boat.rest(60, state_of_charge=1.0)
    assert boat.found is None


def test_what_was_taken_since_the_battery_was_full_makes_room() -> None:
    boat = Boat(IRON)
    boat.fill()
    for _ in range(24):
        boat.poll(-5.0)
    boat.rest(15, 0.6)
    boat.offset = 0.6
    boat.rest(30)
    assert boat.found is None


def test_a_load_that_comes_and_goes_ends_a_rest() -> None:
    boat = Boat(LIPO, offset=1.0)
    for _ in range(20):
        boat.rest(10)
        boat.rest(0.2, -10.0)
    assert boat.found is None


def test_a_current_that_changes_its_sign_is_not_one() -> None:
    boat = Boat(LIPO)
    for _ in range(20):
        boat.offset = -boat.offset or 1.0
        boat.rest(8)
    assert boat.found is None


def test_a_gap_ends_a_rest() -> None:
    boat = Boat(LIPO, offset=1.0)
    for _ in range(20):
        boat.rest(15)
        boat.at += 3600
    assert boat.found is None


def test_a_gap_in_which_the_bms_was_heard_ends_no_rest() -> None:
    boat = Boat(LIPO, offset=1.0)
    boat.continuous = True
    for _ in range(3):
        boat.rest(10)
        boat.at += 2 * GAP
    assert boat.found is not None


def test_a_restart_ends_a_rest_but_keeps_what_was_found() -> None:
    boat = Boat(LIPO, offset=1.0)
    for _ in range(10):
        boat.rest(15)
        boat.restart()
    assert boat.found is None
    boat = found_boat()
    before = boat.found
    boat.restart()
    assert boat.found == before
    boat.rest(20)
    assert boat.found == before


@pytest.mark.parametrize("leap", [-400 * 86400.0, 400 * 86400.0])
def test_a_clock_that_is_set_does_not_matter(leap: float) -> None:
    boat = Boat(LIPO, offset=1.0)
    boat.rest(15)
    boat.ahead = leap
    boat.rest(15)
    assert boat.found == pytest.approx(1.0, abs=0.05)


def test_setting_the_sensors_zero_begins_anew() -> None:
    boat = found_boat()
    boat.settings["ioff"] = -1.0
    boat.offset = 0.0
    boat.poll()
    assert boat.found is None
    boat.rest(60)
    assert boat.found is None


def test_the_sensors_zero_was_set_while_home_assistant_was_off() -> None:
    boat = found_boat()
    boat.restart()
    boat.settings["ioff"] = -1.0
    boat.poll()
    assert boat.found is None


def test_a_zero_that_is_not_told_for_a_while_was_not_set() -> None:
    boat = found_boat()
    boat.settings["ioff"] = None
    boat.poll()
    boat.settings["ioff"] = 0.0
    boat.poll()
    assert boat.found is not None


def test_it_is_over_when_nothing_is_told_at_rest_any_more() -> None:
    boat = found_boat()
    boat.offset = 0.0
    boat.rest(5)
    assert boat.found is not None
    boat.rest(3)
    assert boat.found is None


@pytest.mark.parametrize("missing", ["capa", "cell_voltages", "bmin", "current"])
def test_what_is_not_known_proves_nothing(missing: str) -> None:
    boat = Boat(LIPO, offset=1.0)
    boat.told = {missing: None}
    boat.rest(60)
    assert boat.found is None


def test_a_battery_of_an_unknown_kind_is_taken_for_one_with_a_flat_curve() -> None:
    boat = Boat(LIPO, offset=1.5)
    boat.settings["chem"] = None
    boat.rest(60)
    assert boat.found is None
    boat.rest(70)
    assert boat.found is not None


@pytest.mark.parametrize(
    "spoilt", [None, [], 3, {"offset": "1"}, {"offset": math.nan}, {"offset": True, "zero": []}]
)
def test_what_cannot_be_read_is_left_out(spoilt: object) -> None:
    boat = Boat(LIPO, offset=1.0)
    boat.false_current.restore(spoilt)
    assert boat.found is None
    boat.rest(40)
    assert boat.found == pytest.approx(1.0, abs=0.05)


def rest_for_an_hour(boat: Boat, times: int, amperes: float = 0.0) -> None:
    """Rest a few times, between loads, while a current in A really flows."""
    for _ in range(times):
        boat.poll(-20.0)
        boat.rest(1.0, amperes)


@pytest.mark.parametrize("offset", [-0.7, 0.8])
def test_a_current_of_short_rests_that_cycles_show_as_well_is_false(offset: float) -> None:
    boat = Boat(offset=offset)
    boat.by_cycles = Offset(offset * 1.1, 0.3)
    rest_for_an_hour(boat, 2)
    assert boat.found is None
    rest_for_an_hour(boat, 1)
    assert boat.found == pytest.approx(offset, abs=0.05)


@pytest.mark.parametrize(
    "by_cycles", [None, Offset(0.0, 0.1), Offset(-0.4, 0.1), Offset(0.8, 0.1), Offset(-0.8, 0.75)]
)
def test_a_current_of_short_rests_that_cycles_do_not_show_may_flow(
    by_cycles: Offset | None,
) -> None:
    boat = Boat()
    boat.by_cycles = by_cycles
    rest_for_an_hour(boat, 20, amperes=-0.8)
    assert boat.found is None


def test_short_rests_of_different_currents_are_loads_that_come_and_go() -> None:
    boat = Boat()
    boat.by_cycles = Offset(-0.8, 0.1)
    for amperes in (-0.8, -1.3, -0.4) * 5:
        rest_for_an_hour(boat, 1, amperes)
    assert boat.found is None


def test_what_short_rests_have_shown_outlives_restarts() -> None:
    boat = Boat(offset=0.8)
    boat.by_cycles = Offset(0.8, 0.1)
    for _ in range(3):
        rest_for_an_hour(boat, 1)
        boat.restart()
    assert boat.found == pytest.approx(0.8, abs=0.05)


def test_a_false_current_is_over_once_short_rests_have_none() -> None:
    boat = Boat(offset=0.8)
    boat.by_cycles = Offset(0.8, 0.1)
    rest_for_an_hour(boat, 3)
    assert boat.found is not None
    boat.offset = 0.0
    rest_for_an_hour(boat, 2)
    assert boat.found is not None
    rest_for_an_hour(boat, 1)
    assert boat.found is None
