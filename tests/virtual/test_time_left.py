"""Time to full and to empty: a figure that does not jump, and none where it makes no sense."""

from __future__ import annotations

import random

import pytest
from homeassistant.core import HomeAssistant

from custom_components.rec_bms.protocol.energy import Direction, SmoothedCurrent, minutes_left
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory

CHARGING, DISCHARGING = Direction.CHARGING, Direction.DISCHARGING


# -- minutes ---------------------------------------------------------------------------------------


def test_what_is_missing_comes_in_while_charging() -> None:
    assert minutes_left(CHARGING, 100, 0.8, 40) == 30


def test_what_is_left_goes_out_while_discharging() -> None:
    assert minutes_left(DISCHARGING, 100, 0.2, -40) == 30


@pytest.mark.parametrize("amperes", [0.0, 5.0])
def test_a_battery_that_is_not_discharging_will_not_be_empty(amperes: float) -> None:
    assert minutes_left(DISCHARGING, 100, 0.5, amperes) is None


@pytest.mark.parametrize("amperes", [0.0, -5.0])
def test_a_battery_that_is_not_charging_will_not_be_full(amperes: float) -> None:
    assert minutes_left(CHARGING, 100, 0.5, amperes) is None


def test_a_battery_that_takes_more_than_ten_days_is_at_rest() -> None:
    assert minutes_left(DISCHARGING, 450, 0.98, -2.45) == 180 * 60
    assert minutes_left(DISCHARGING, 450, 0.98, -1.8) is None


@pytest.mark.parametrize("charge", [1.0, 1.02])
def test_a_full_battery_is_full_now(charge: float) -> None:
    assert minutes_left(CHARGING, 100, charge, 5) == 0


@pytest.mark.parametrize("charge", [0.0, -0.02])
def test_an_empty_battery_is_empty_now(charge: float) -> None:
    assert minutes_left(DISCHARGING, 100, charge, -5) == 0


def test_a_long_time_is_told_more_coarsely() -> None:
    assert minutes_left(DISCHARGING, 100, 0.5, -51.7) == 58
    assert minutes_left(DISCHARGING, 100, 0.5, -20.3) == 150
    assert minutes_left(DISCHARGING, 100, 0.5, -3.3) == 15 * 60 + 15


# -- smoothing -------------------------------------------------------------------------------------


def test_the_first_current_is_taken_as_it_is() -> None:
    current = SmoothedCurrent()
    assert current.amperes is None
    current.add(-20, 1000)
    assert current.amperes == -20


def test_a_short_peak_hardly_shows() -> None:
    current = SmoothedCurrent()
    for second in range(0, 600, 10):
        current.add(-10, second)
    current.add(-100, 600)
    assert current.amperes == pytest.approx(-17.2, abs=0.1)


def test_a_lasting_change_shows_after_some_minutes() -> None:
    current = SmoothedCurrent()
    current.add(-10, 0)
    for second in range(10, 610, 10):
        current.add(-100, second)
    assert current.amperes == pytest.approx(-100, abs=1)


def test_how_often_is_measured_changes_little() -> None:
    often, seldom = SmoothedCurrent(), SmoothedCurrent()
    for current, interval in ((often, 2), (seldom, 60)):
        current.add(-10, 0)
        for second in range(interval, 121, interval):
            current.add(-50, second)
    assert often.amperes == pytest.approx(seldom.amperes)


@pytest.mark.parametrize("turned", [20.0, 0.0])
def test_a_current_that_turns_round_starts_anew(turned: float) -> None:
    current = SmoothedCurrent()
    current.add(-100, 0)
    current.add(turned, 10)
    assert current.amperes == turned


def test_a_current_that_is_not_known_is_no_current() -> None:
    current = SmoothedCurrent()
    current.add(-100, 0)
    current.add(None, 10)
    assert current.amperes is None
    current.add(-50, 20)
    assert current.amperes == -50


# -- in Home Assistant -----------------------------------------------------------------------------


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    """A battery of 450 Ah, half full."""
    sim = simulate(baud=921600, turnaround=0.0005)
    for cell in sim.bms[1].battery.cells:
        cell.rest_at(3.75)
    sim.bms[1].charge = 0.5
    return sim


@pytest.fixture
async def running(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    """A rig whose BMS is polled every ten seconds; the battery's charge stays as it is."""
    rig = Rig(hass, battery, entry_for(battery, scan_interval=10))
    await rig.set_up()
    return rig


async def flow(rig: Rig, amperes: float, polls: int = 1) -> None:
    rig.sim.call(rig.bms.set_current, amperes)
    rig.bms.battery.current = amperes
    for _ in range(polls):
        await rig.poll(10)


async def test_while_charging_there_is_a_time_to_full_and_none_to_empty(running: Rig) -> None:
    await flow(running, 45)
    assert running.number("time_to_full") == pytest.approx(225 / 45)
    assert running.shown("time_to_empty") == "unknown"


@pytest.mark.long
async def test_while_discharging_there_is_a_time_to_empty_and_none_to_full(running: Rig) -> None:
    await flow(running, -90)
    # The rest current that flowed before is still felt.
    assert running.number("time_to_empty") > 2.5
    await flow(running, -90, polls=100)
    assert running.number("time_to_empty") == pytest.approx(2.5)
    assert running.shown("time_to_full") == "unknown"


async def test_it_is_shown_in_hours(running: Rig) -> None:
    await flow(running, 45)
    attributes = running.state("time_to_full").attributes
    assert attributes["unit_of_measurement"] == "h"
    assert attributes["device_class"] == "duration"
    assert attributes["state_class"] == "measurement"


@pytest.mark.parametrize("amperes", [0.0, -0.5])
async def test_at_rest_there_is_neither(running: Rig, amperes: float) -> None:
    await flow(running, amperes)
    if amperes:
        await flow(running, 0)
        await flow(running, amperes)
    assert running.shown("time_to_full") == "unknown"
    assert running.shown("time_to_empty") == "unknown"


@pytest.mark.long
async def test_it_does_not_jump_with_a_load_that_comes_and_goes(running: Rig) -> None:
    await flow(running, -60, polls=60)
    draw = random.Random(4)
    told: list[float] = []
    shown: set[str] = set()
    for _ in range(60):
        await flow(running, -60 + draw.uniform(-40, 40))
        told.append(225 / -running.number("current"))
        shown.add(running.shown("time_to_empty"))
    values = [float(value) for value in shown]
    assert max(told) - min(told) > 5
    assert max(values) - min(values) < 1.2
    assert len(shown) < 15


async def test_a_charge_that_cannot_be_gives_no_time(running: Rig) -> None:
    running.bms.charge = float("nan")
    await flow(running, 45)
    assert running.shown("time_to_full") == "unknown"


async def test_a_capacity_that_cannot_be_gives_no_time(running: Rig) -> None:
    await flow(running, 45)
    running.bms.settings["CAPA"] = 90_000
    await running.reload()
    assert running.shown("time_to_full") == "unknown"


async def test_without_a_bms_there_is_no_time(short_silence: None, running: Rig) -> None:
    await flow(running, 45)
    running.bms.silent = True
    await running.poll(10)
    assert running.shown("time_to_full") == "unavailable"
