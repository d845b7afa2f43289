"""What a battery really holds."""

from __future__ import annotations

import json
import random
from statistics import mean
from typing import Any

import pytest

from custom_components.rec_bms.protocol.health.measured import MeasuredCapacity
from custom_components.rec_bms.protocol.state import PerUnit
from tests.unit.protocol.health.updates import update

NOON = 1_790_000_000.0
TRUE = 280.0
"""Ah that the battery holds; CAPA says 300."""
SETTINGS = {"capa": 300.0, "char": 3.58, "chem": 3.0}
STEP = 60.0
EMPTY = (3.09, 0.0525)
"""V at which the first cell rests, and what is then left in it, of a curve of its own."""


class Battery:
    """A battery, with a sensor of its own, that is charged and discharged from full."""

    def __init__(self, offset: float = 0.0, gain: float = 1.0, **settings: float) -> None:
        self.health = MeasuredCapacity(150)
        self.at = 0.0
        self.clock = NOON
        self.settings = {**SETTINGS, **settings}
        self._offset = offset
        self._gain = gain
        self.cells = 4
        self.is_loose = False
        self.period = 10.0

    def tell(self, amperes: float, volts: float, charge: float, **other: Any) -> None:
        self.at += STEP
        told: dict[str, Any] = {
            **self.settings,
            "current": amperes * self._gain + self._offset,
            "min_cell_voltage": volts - 0.01,
            "max_cell_voltage": volts,
            "state_of_charge": charge,
            "cell_voltages": PerUnit(((volts - 0.01, *[volts] * (self.cells - 1)),)),
            **other,
        }
        self.health.add(update(self.at, period=self.period, **told), self.clock + self.at)

    def be_full(self) -> None:
        self.tell(5.0, 3.579, 0.96)
        self.tell(0.0, 3.57, 1.0)

    def flow(self, charge: float, amperes: float) -> None:
        """Have a charge in Ah flow, in with a positive current, at any voltage in between."""
        steps = round(abs(charge / amperes) * 3600 / STEP)
        for _ in range(steps - 1):
            self.tell(amperes, 3.3, 0.5)
        self.tell(0.0, 3.3, 0.5)

    def rest(self, volts: float = EMPTY[0], hours: float = 1.0) -> None:
        """Rest so that the first cell has a voltage."""
        for _ in range(round(hours * 3600 / STEP)):
            self.tell(0.0, volts + 0.01, 0.1)

    def discharge(self, amperes: float = -20.0, left: float = EMPTY[1]) -> None:
        self.flow(TRUE * (1 - left), amperes)

    def charge(self, amperes: float = 30.0, left: float = EMPTY[1]) -> None:
        self.flow(TRUE * (1 - left), amperes)
        self.be_full()

    def cycle(self, hours: float = 1.0) -> None:
        """Go from full to empty, rest, and to full."""
        self.discharge()
        self.rest(hours=hours)
        self.charge()

    @property
    def error(self) -> float:
        """Return how far off the measured capacity is, as a fraction."""
        assert self.health.measured is not None
        return self.health.measured.capacity / TRUE - 1

    @property
    def is_honest(self) -> bool:
        """Whether the truth is inside what is said."""
        measured = self.health.measured
        assert measured is not None
        return abs(measured.capacity - TRUE) <= measured.uncertainty

    def restart(self) -> None:
        kept = json.loads(json.dumps(self.health.as_dict(), allow_nan=False))
        self.health = MeasuredCapacity(150)
        self.health.restore(kept)
        self.clock += self.at + 300
        self.at = 20.0


def test_from_full_over_empty_to_full_the_capacity_is_measured() -> None:
    battery = Battery()
    battery.be_full()
    battery.cycle()
    measured = battery.health.measured
    assert measured is not None
    assert abs(battery.error) < 0.01
    assert battery.is_honest
    assert measured.uncertainty < 0.03 * TRUE
    assert measured.start == 1.0
    assert measured.end == pytest.approx(EMPTY[1], abs=0.01)
    assert measured.at == battery.clock + battery.at
    assert battery.health.health(300.0) == pytest.approx(TRUE / 300, rel=0.01)


def test_nothing_is_measured_before_the_battery_was_empty_and_full() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge()
    battery.rest()
    assert battery.health.measured is None
    assert battery.health.health(300.0) is None


@pytest.mark.parametrize("volts", [3.21, 3.25, 3.3])
def test_from_the_flat_part_nothing_is_measured(volts: float) -> None:
    battery = Battery()
    battery.be_full()
    battery.flow(TRUE * 0.8, -20.0)
    battery.rest(volts)
    battery.flow(TRUE * 0.8, 30.0)
    battery.be_full()
    assert battery.health.measured is None


def test_a_cell_that_is_low_under_load_is_not_empty() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge()
    for _ in range(60):
        battery.tell(-20.0, 3.0, 0.3)
    battery.charge()
    assert battery.health.measured is None


@pytest.mark.parametrize("offset", [-1.5, 1.5, 0.3])
def test_what_is_missing_from_full_to_full_shows_the_sensors_offset(offset: float) -> None:
    battery = Battery(offset)
    battery.be_full()
    battery.cycle(hours=24)
    battery.cycle(hours=24)
    assert abs(battery.error) < 0.02
    assert battery.is_honest


@pytest.mark.parametrize("gain", [0.99, 1.01])
def test_a_gain_of_a_hundredth_is_inside_the_uncertainty(gain: float) -> None:
    battery = Battery(gain=gain)
    battery.be_full()
    battery.cycle()
    assert battery.is_honest


def test_a_long_way_down_with_a_sensor_of_which_nothing_is_known_is_too_uncertain() -> None:
    battery = Battery(0.4)
    battery.be_full()
    battery.flow(TRUE * (1 - EMPTY[1]), -4.0)
    battery.rest()
    battery.restart()
    assert battery.health.measured is None


def test_a_fast_way_up_is_measured_without_the_way_down() -> None:
    battery = Battery()
    battery.rest()
    battery.charge(100.0)
    assert abs(battery.error) < 0.01
    assert battery.is_honest


def test_a_fast_way_down_counts_although_a_restart_ends_it() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge(-100.0)
    battery.rest(hours=0.5)
    battery.restart()
    assert abs(battery.error) < 0.01
    assert battery.is_honest


def test_a_gap_ends_what_was_counted() -> None:
    battery = Battery()
    battery.be_full()
    battery.flow(TRUE / 2, -20.0)
    battery.at += 151
    battery.flow(TRUE * (0.5 - EMPTY[1]), -20.0)
    battery.rest()
    battery.at += 7200
    battery.charge()
    assert battery.health.measured is None


def test_a_gap_while_the_bms_was_heard_is_none() -> None:
    battery = Battery()
    battery.health = MeasuredCapacity(30)
    battery.be_full()
    battery.cycle()
    assert abs(battery.error) < 0.01


def test_a_current_that_is_not_known_for_long_is_a_gap() -> None:
    battery = Battery()
    battery.be_full()
    battery.flow(TRUE / 2, -20.0)
    battery.health = battery.health
    for _ in range(3):
        battery.tell(0.0, 3.3, 0.5, current=None)
    battery.at += STEP
    told = {**SETTINGS, "current": -20.0, "min_cell_voltage": 3.3, "max_cell_voltage": 3.3}
    battery.health.add(update(battery.at, continuous=False, **told), NOON + battery.at)
    battery.flow(TRUE * (0.5 - EMPTY[1]), -20.0)
    battery.rest()
    battery.restart()
    assert battery.health.measured is None


def test_a_hundred_percent_that_was_only_counted_is_not_full() -> None:
    """A sensor that tells too much has the BMS count to 100 % long before."""
    battery = Battery()
    battery.be_full()
    battery.discharge(left=0.4)
    battery.tell(5.0, 3.35, 1.0)
    battery.flow(TRUE * (0.4 - EMPTY[1]), -20.0)
    battery.rest()
    battery.charge()
    assert abs(battery.error) < 0.01


def test_several_measurements_are_put_together() -> None:
    battery = Battery()
    battery.be_full()
    battery.cycle()
    assert battery.health.measured is not None
    first = battery.health.measured.uncertainty
    for _ in range(4):
        battery.cycle()
    assert battery.health.measured.uncertainty <= first
    assert abs(battery.error) < 0.01


def test_a_new_battery_is_not_put_together_with_the_old_one() -> None:
    battery = Battery()
    battery.be_full()
    for _ in range(3):
        battery.cycle()
    for _ in range(2):
        battery.flow(TRUE * 1.5 * (1 - EMPTY[1]), -20.0)
        battery.rest()
        battery.flow(TRUE * 1.5 * (1 - EMPTY[1]), 30.0)
        battery.be_full()
    assert battery.health.measured is not None
    assert battery.health.measured.capacity == pytest.approx(TRUE * 1.5, rel=0.01)


def test_a_capacity_that_its_owner_sets_midway_changes_nothing() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge()
    battery.settings["capa"] = 200.0
    battery.rest()
    battery.charge()
    assert abs(battery.error) < 0.01


def test_cells_that_are_added_end_what_was_counted() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge()
    battery.cells = 8
    battery.rest()
    battery.flow(TRUE / 2, 30.0)
    battery.cells = 4
    battery.charge()
    assert battery.health.measured is None


def test_a_message_that_is_short_of_a_cell_ends_nothing() -> None:
    battery = Battery()
    battery.be_full()
    battery.discharge()
    battery.cells = 3
    battery.tell(0.0, EMPTY[0] + 0.01, 0.1)
    battery.cells = 4
    battery.rest()
    battery.charge()
    assert battery.health.measured is not None


def test_a_clock_that_is_set_back_leaves_nothing_of_the_future() -> None:
    battery = Battery()
    battery.be_full()
    battery.cycle()
    battery.clock -= 86_400 * 30
    battery.tell(-20.0, 3.3, 0.5)
    assert battery.health.measured is not None
    assert battery.health.measured.at == battery.clock + battery.at
    battery.cycle()
    assert battery.health.measured is not None
    assert battery.health.measured.at <= battery.clock + battery.at
    assert abs(battery.error) < 0.01


@pytest.mark.parametrize("unknown", ["chem", "char", "capa"])
def test_without_settings_nothing_is_measured(unknown: str) -> None:
    battery = Battery()
    del battery.settings[unknown]
    battery.be_full()
    battery.cycle()
    assert battery.health.measured is None


def test_loads_that_come_and_go_between_updates_are_in_the_uncertainty() -> None:
    steady, jumpy = Battery(), Battery()
    draw = random.Random(3)
    for battery in (steady, jumpy):
        battery.be_full()
    steady.discharge()
    left = TRUE * (1 - EMPTY[1])
    while left > 0:
        amperes = draw.choice((0.0, -40.0))
        jumpy.tell(amperes, 3.3, 0.5)
        left += amperes * STEP / 3600
    for battery in (steady, jumpy):
        battery.rest()
        battery.charge()
    assert steady.health.measured is not None
    assert jumpy.health.measured is not None
    assert jumpy.health.measured.uncertainty > steady.health.measured.uncertainty
    assert jumpy.is_honest


def test_what_is_kept_is_bounded() -> None:
    battery = Battery()
    battery.be_full()
    for _ in range(15):
        battery.cycle()
    assert len(json.dumps(battery.health.as_dict())) < 2000


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"measurements": 3, "offsets": "x"},
        {"measurements": [[280, 3, 2, 0.05]], "offsets": [[1]]},
        {"measurements": [[280, 3, 2, 0.05, "x"], [float("nan"), 3, 2, 0.05, 1]]},
        {"measurements": [[280, 0, 0, 0.05, 1], [280, 100, 0, 0.05, 1], [280, -1, 1, 0.05, 1]]},
        {
            "measurements": [[10**400, 1, 1, 0.05, 1], {}],
            "offsets": [[0.1, 0], [0.1, -1], [True, 1]],
        },
    ],
)
def test_what_cannot_be_read_is_left_out(kept: object) -> None:
    health = MeasuredCapacity(60)
    health.restore(kept)
    assert health.measured is None
    assert health.as_dict() == {"measurements": [], "offsets": [], "zero": None}


class CountingBattery(Battery):
    """One that is asked every five minutes, and whose BMS counts all the time."""

    def __init__(self, **settings: float) -> None:
        super().__init__(**settings)
        self.period = 300.0
        self.count = 0.95
        self.hidden = 0.0
        self.told: dict[str, Any] = {}

    def tell(self, amperes: float, volts: float, charge: float, **other: Any) -> None:
        flowed = (amperes - self.hidden) * STEP / 3600 / self.settings["capa"]
        self.count = charge if charge == 1.0 else self.count + flowed
        told = {**self.told, **other, "state_of_charge": min(max(self.count, 0.0), 1.0)}
        super().tell(amperes, volts, charge, **told)

    def cycle(self, hours: float = 1.0) -> None:
        """Take a part of the charge by loads that are over whenever the BMS is asked."""
        self.hidden = 5.0
        self.flow(0.8 * TRUE * (1 - EMPTY[1]), -20.0)
        self.hidden = 0.0
        self.rest(hours=hours)
        self.charge()


def test_loads_that_nobody_saw_were_counted_by_the_bms() -> None:
    battery = CountingBattery()
    battery.be_full()
    battery.cycle()
    assert abs(battery.error) < 0.01
    assert battery.is_honest


def test_how_a_bms_counts_where_health_is_less_is_in_the_uncertainty() -> None:
    certain, less = CountingBattery(), CountingBattery()
    less.told = {"state_of_health": 0.97}
    for battery in (certain, less):
        battery.be_full()
        battery.cycle()
    assert certain.health.measured is not None
    assert less.health.measured is not None
    more = less.health.measured.uncertainty - certain.health.measured.uncertainty
    assert more > 0.01 * TRUE


def test_a_count_that_was_set_by_hand_did_not_flow() -> None:
    battery = CountingBattery()
    battery.be_full()
    battery.discharge()
    battery.count = 0.03
    battery.rest()
    battery.charge()
    assert abs(battery.error) < 0.01


def test_what_neither_anybody_saw_nor_the_bms_counted_is_in_the_uncertainty() -> None:
    """A count that stays at nothing counts no loads."""
    certain, less = CountingBattery(), CountingBattery()
    for battery in (certain, less):
        battery.be_full()
        battery.discharge()
        battery.rest()
    less.count = -0.3
    for battery in (certain, less):
        battery.flow(0.2 * TRUE, 30.0)
        battery.count = 0.3
        battery.flow(TRUE * (0.8 - EMPTY[1]), 30.0)
        battery.be_full()
    assert certain.health.measured is not None
    assert less.health.measured is None or (
        less.health.measured.uncertainty > certain.health.measured.uncertainty
    )


def test_a_battery_that_is_balanced_meanwhile_is_measured_anew() -> None:
    battery = Battery()
    battery.be_full()
    for _ in range(5):
        battery.cycle()
    more = 1.045
    for _ in range(2):
        battery.flow(more * TRUE * (1 - EMPTY[1]), -20.0)
        battery.rest()
        battery.flow(more * TRUE * (1 - EMPTY[1]), 30.0)
        battery.be_full()
    assert battery.health.measured is not None
    assert battery.health.measured.capacity == pytest.approx(more * TRUE, rel=0.01)


def test_what_was_balanced_at_the_top_is_in_the_uncertainty() -> None:
    """Between two fulls it goes into cells that were ahead, past the first that is empty."""
    plain, balanced = Battery(), Battery()
    for battery, more in ((plain, 0.0), (balanced, 6.0)):
        battery.be_full()
        battery.discharge()
        battery.rest()
        battery.flow(TRUE * (1 - EMPTY[1]) + more, 30.0)
        battery.be_full()
    assert plain.health.measured is not None
    measured = balanced.health.measured
    assert measured is not None
    assert measured.uncertainty > plain.health.measured.uncertainty
    assert abs(measured.capacity - TRUE) <= measured.uncertainty
    assert abs(measured.capacity - TRUE - 6.0) <= measured.uncertainty


def test_what_flows_in_after_the_count_came_to_full_shows_the_sensors_offset_too() -> None:
    """A count that an offset lifts is at 100 % while a charge still goes on."""
    battery = Battery(offset=1.0)
    battery.be_full()
    for _ in range(3):
        battery.discharge()
        battery.rest()
        battery.flow(TRUE * (1 - EMPTY[1]) - 10, 30.0)
        for _ in range(round(3600 / STEP)):
            battery.tell(10.0, 3.579, 1.0)
    offset = mean(amperes for amperes, _ in battery.health.as_dict()["offsets"])
    assert offset == pytest.approx(1.0, abs=0.05)


def test_while_a_connection_may_be_loose_nothing_is_measured() -> None:
    """Its cell is at CHAR before it is full."""
    battery = Battery()
    battery.health = MeasuredCapacity(150, lambda: battery.is_loose)
    battery.is_loose = True
    battery.be_full()
    battery.cycle()
    battery.is_loose = False
    battery.cycle()
    assert battery.health.measured is None
    battery.cycle()
    assert battery.health.measured is not None


def test_some_cycles_show_the_sensors_offset_until_its_zero_is_set() -> None:
    battery = Battery(offset=0.9, ioff=0.0)
    battery.be_full()
    for _ in range(3):
        battery.cycle(hours=24)
    assert battery.health.offset is None
    battery.cycle(hours=24)
    assert battery.health.offset is not None
    assert battery.health.offset.amperes == pytest.approx(0.9, abs=0.02)
    battery.restart()
    battery.rest()
    assert battery.health.offset is not None
    battery.settings["ioff"] = 0.9
    battery.rest()
    assert battery.health.offset is None


def test_what_is_left_in_a_cell_that_was_not_full_is_as_much_as_in_the_others() -> None:
    """Of 300 Ah one cell lacks 150: 134.25 can be taken, and then 5.25 % of 300 Ah are left."""
    battery = Battery()
    battery.be_full()
    battery.flow(134.25, -20.0)
    battery.rest()
    battery.flow(134.25, 30.0)
    battery.be_full()
    measured = battery.health.measured
    assert measured is not None
    assert abs(measured.capacity - 150) < measured.uncertainty
    assert abs(134.25 / (1 - EMPTY[1]) - measured.capacity) < measured.uncertainty


def test_what_is_left_in_a_weak_cell_is_a_part_of_the_little_it_holds() -> None:
    """Of 150 Ah that the first cell holds, 142.1 can be taken until 5.25 % are left."""
    battery = Battery()
    battery.health = MeasuredCapacity(150, is_weak=lambda: True)
    battery.be_full()
    battery.flow(150 * (1 - EMPTY[1]), -20.0)
    battery.rest()
    battery.flow(150 * (1 - EMPTY[1]), 30.0)
    battery.be_full()
    measured = battery.health.measured
    assert measured is not None
    assert measured.capacity == pytest.approx(150, rel=0.005)
