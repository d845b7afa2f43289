"""Energy in and out: as much as the simulator's own meter counts, and nothing that was not there.

`scripts/test tests/virtual/test_energy.py -s -k day` prints how far off it is; with
REC_BMS_INTERVAL=10 before it, for a Home Assistant that polls every ten seconds.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

import pytest
from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data

from custom_components.rec_bms.protocol.energy import Direction, EnergyMeter
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.readings import MainData
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.simulator import BMS
from tools.testkit.simulator_in_memory import SimulatorInMemory

DAY = 86400
INTERVAL = int(os.environ.get("REC_BMS_INTERVAL", "60"))
VOLTS = 53.4
"""What 14 half full cells have, more or less."""
WATTS = 3_600_000
"""So many joules are a kWh: a meter that runs for a second at so many watts shows one."""


# -- the meter by itself ---------------------------------------------------------------------------


@dataclass
class Meters:
    """A meter for each direction."""

    charged: EnergyMeter
    discharged: EnergyMeter

    def add(self, watts: float | None, at: float) -> None:
        self.charged.add(watts, at)
        self.discharged.add(watts, at)

    def show(self) -> tuple[float, float]:
        return self.charged.kwh, self.discharged.kwh


@pytest.fixture
def meters() -> Meters:
    """Meters that take a gap of more than 30 s for a gap."""
    return Meters(EnergyMeter(Direction.CHARGING, 30), EnergyMeter(Direction.DISCHARGING, 30))


def test_a_meter_begins_at_nothing(meters: Meters) -> None:
    meters.add(5000, 100)
    assert meters.show() == (0, 0)


def test_constant_power_is_counted_over_the_real_time_between_samples(meters: Meters) -> None:
    for at in (0, 10, 17, 29.5, 30):
        meters.add(WATTS, at)
    assert meters.show() == (pytest.approx(30), 0)


def test_power_is_taken_to_change_evenly_between_two_samples(meters: Meters) -> None:
    meters.add(-WATTS, 0)
    meters.add(-3 * WATTS, 10)
    assert meters.show() == (0, pytest.approx(20))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_change_of_sign_is_split_where_the_power_was_nothing(meters: Meters, sign: int) -> None:
    meters.add(sign * 3 * WATTS, 0)
    meters.add(-sign * WATTS, 20)  # nothing after 15 s
    into, out_of = meters.show()[::sign]
    assert into == pytest.approx(15 * 3 / 2)
    assert out_of == pytest.approx(5 * 1 / 2)


def test_a_change_of_sign_counts_what_both_halves_would(meters: Meters) -> None:
    meters.add(2 * WATTS, 0)
    meters.add(0, 10)
    meters.add(-2 * WATTS, 20)
    split = meters.show()
    other = Meters(EnergyMeter(Direction.CHARGING, 30), EnergyMeter(Direction.DISCHARGING, 30))
    other.add(2 * WATTS, 0)
    other.add(-2 * WATTS, 20)
    assert other.show() == pytest.approx(split)


@pytest.mark.parametrize(("gap", "counted"), [(30, 30), (30.001, 0), (86400, 0)])
def test_nothing_is_invented_over_a_gap(meters: Meters, gap: float, counted: float) -> None:
    meters.add(WATTS, 0)
    meters.add(WATTS, gap)
    assert meters.charged.kwh == pytest.approx(counted)


def test_counting_goes_on_after_a_gap(meters: Meters) -> None:
    for at in (0, 10, 1000, 1010):
        meters.add(WATTS, at)
    assert meters.show() == (pytest.approx(20), 0)


def test_a_power_that_is_not_known_is_a_gap_however_short(meters: Meters) -> None:
    meters.add(WATTS, 0)
    meters.add(None, 1)
    meters.add(WATTS, 2)
    assert meters.show() == (0, 0)


def test_the_same_sample_told_twice_counts_once(meters: Meters) -> None:
    for at in (0, 10, 10, 10):
        meters.add(WATTS, at)
    assert meters.show() == (pytest.approx(10), 0)


def test_a_clock_that_goes_back_takes_nothing_away(meters: Meters) -> None:
    meters.add(WATTS, 100)
    meters.add(WATTS, 90)
    assert meters.show() == (0, 0)


# -- a day, against the simulator's own meter ------------------------------------------------------


def half_full(bms: BMS) -> None:
    """Make room for a day of sun and of use."""
    for cell in bms.battery.cells:
        cell.rest_at(3.75)
    bms.charge = 0.5


def power_told(bms: BMS) -> float:
    """Return the power in W, from voltage and current as they are on the line."""
    bms._measured = None  # noise is drawn once a second of the real clock
    payloads = bms.respond(b"LCD1?")
    assert payloads is not None
    main = decode(BY_CODE["LCD1"], tuple(payloads))
    assert isinstance(main, MainData)
    assert main.voltage is not None
    assert main.current is not None
    return main.voltage * main.current


def error_in_percent(shown: float, true_wh: float) -> float:
    return (shown * 1000 / true_wh - 1) * 100


def report(what: str, charged: float, discharged: float, bms: BMS) -> list[float]:
    meter = bms.battery.meter
    errors = [
        error_in_percent(charged, meter.charged_wh),
        error_in_percent(discharged, meter.discharged_wh),
    ]
    for way, kwh_shown, wh_true, error in (
        ("charged", charged, meter.charged_wh, errors[0]),
        ("discharged", discharged, meter.discharged_wh, errors[1]),
    ):
        print(f"\n{what}: {way} {kwh_shown:.3f} of {wh_true / 1000:.3f} kWh ({error:+.3f} %)")
    return errors


@pytest.mark.long
@pytest.mark.parametrize(("scenario", "interval"), [("day", 10), ("cycling", 60)])
def test_the_meter_is_right_over_a_day_of_noisy_readings(scenario: str, interval: int) -> None:
    bms = BMS(scenario=scenario, time_factor=0, noise=True, seed=5)
    half_full(bms)
    meters = Meters(
        EnergyMeter(Direction.CHARGING, 3 * interval),
        EnergyMeter(Direction.DISCHARGING, 3 * interval),
    )
    late = random.Random(1)
    at = 0.0
    meters.add(power_told(bms), at)
    while at < DAY:
        passed = interval + late.uniform(-0.3, 0.3)
        bms.battery.advance(passed)
        at += passed
        meters.add(power_told(bms), at)
    assert bms.battery.meter.charged_wh > 5000
    assert bms.battery.meter.discharged_wh > 5000
    errors = report(f"meter, {scenario}, every {interval} s", *meters.show(), bms)
    assert max(map(abs, errors)) < 0.5


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    """A battery half full, on a fast line."""
    sim = simulate(baud=921600, turnaround=0.0005)
    sim.call(half_full, sim.bms[1])
    return sim


@pytest.fixture
def rig(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=10))
    rig.bms.time_factor = 1
    return rig


def shown(rig: Rig) -> tuple[float, float]:
    return rig.number("energy_charged"), rig.number("energy_discharged")


def keep_only(rig: Rig, *keys: str) -> None:
    """Disable all other entities, so that a poll asks for little."""
    registry = er.async_get(rig.hass)
    kept = {rig.entity_id(key) for key in keys}
    for each in rig.registered_entities():
        if each.entity_id not in kept:
            registry.async_update_entity(each.entity_id, disabled_by=er.RegistryEntryDisabler.USER)


@pytest.mark.long
async def test_the_entities_are_right_over_a_day_in_home_assistant(
    hass: HomeAssistant, battery: SimulatorInMemory
) -> None:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    rig.bms.scenario = "day"
    rig.bms.noise = True
    await rig.set_up()
    keep_only(rig, "energy_charged", "energy_discharged", "power")
    await rig.reload()
    rig.bms.time_factor = 1
    last = shown(rig)
    for _ in range(DAY // INTERVAL):
        await rig.poll(INTERVAL)
        now = shown(rig)
        assert 0 <= now[0] - last[0] < 0.2
        assert 0 <= now[1] - last[1] < 0.2
        last = now
    assert rig.bms.battery.meter.charged_wh > 5000
    assert rig.bms.battery.meter.discharged_wh > 5000
    errors = report(f"Home Assistant, day, every {INTERVAL} s", *last, rig.bms)
    assert max(map(abs, errors)) < 0.5


# -- what may come between -------------------------------------------------------------------------


async def flow(rig: Rig, amperes: float) -> None:
    """Let a current flow, and have it noticed."""
    rig.sim.call(rig.bms.set_current, amperes)
    await rig.poll(10)


async def polls(rig: Rig, number: int) -> None:
    """Have the BMS polled, every ten seconds."""
    for _ in range(number):
        await rig.poll(10)


def kwh(amperes: float, seconds: float) -> float:
    """Return the energy of a current at the voltage of this battery."""
    return amperes * VOLTS * seconds / 3.6e6


async def test_energy_begins_at_nothing(rig: Rig) -> None:
    await rig.set_up()
    assert shown(rig) == (0, 0)


@pytest.mark.long
async def test_charging_counts_in_one_and_discharging_in_the_other(rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    await polls(rig, 30)
    charged, discharged = shown(rig)
    assert charged - before[0] == pytest.approx(kwh(100, 300), rel=0.02)
    assert discharged == before[1]
    await flow(rig, -50)
    before = shown(rig)
    await polls(rig, 30)
    charged, discharged = shown(rig)
    assert charged == before[0]
    assert discharged - before[1] == pytest.approx(kwh(50, 300), rel=0.02)


@pytest.mark.long
async def test_energy_is_kept_over_a_reload_and_goes_on(rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    await polls(rig, 30)
    await flow(rig, -100)
    await polls(rig, 30)
    before = shown(rig)
    assert min(before) > 0.3
    await rig.asleep(600)
    rig.bms.catch_up()
    await rig.reload()
    assert shown(rig) == before
    await polls(rig, 30)
    charged, discharged = shown(rig)
    assert charged == before[0]
    assert discharged - before[1] == pytest.approx(kwh(100, 300), rel=0.06)


async def test_energy_is_kept_over_a_restart(hass: HomeAssistant, rig: Rig) -> None:
    restored = [
        (
            State(f"sensor.rec_bms_1q_victron_{key}", str(kwh)),
            {"native_value": kwh, "native_unit_of_measurement": "kWh"},
        )
        for key, kwh in (("energy_charged", 1234.567), ("energy_discharged", 987.654))
    ]
    hass.set_state(CoreState.not_running)
    mock_restore_cache_with_extra_data(hass, restored)
    await rig.set_up()
    assert shown(rig) == (1234.567, 987.654)


@pytest.mark.parametrize("rubbish", [None, "1.5", {"__type": "<class 'datetime.date'>"}])
async def test_what_cannot_be_restored_is_no_reason_to_fail(
    hass: HomeAssistant, rig: Rig, rubbish: object
) -> None:
    state = State("sensor.rec_bms_1q_victron_energy_charged", "unknown")
    hass.set_state(CoreState.not_running)
    mock_restore_cache_with_extra_data(
        hass, [(state, {"native_value": rubbish, "native_unit_of_measurement": "kWh"})]
    )
    await rig.set_up()
    assert rig.number("energy_charged") == 0


async def test_over_a_gap_longer_than_three_scan_intervals_nothing_is_invented(
    rig: Rig,
) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    for gap in (31, 60, 600):
        await rig.poll(gap)
        assert shown(rig) == before
    await rig.poll(29)
    assert shown(rig)[0] - before[0] == pytest.approx(kwh(100, 29), abs=0.002)


async def test_over_a_change_of_sign_both_get_their_part(rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    charged, discharged = shown(rig)
    rig.sim.call(rig.bms.set_current, -100)
    await rig.poll(20)
    # Up to the middle it is taken to charge ever less, from there to discharge ever more.
    assert shown(rig)[0] - charged == pytest.approx(kwh(50, 10), abs=0.0015)
    assert shown(rig)[1] - discharged == pytest.approx(kwh(50, 10), abs=0.0015)


async def test_a_bms_that_goes_away_and_comes_back_makes_no_jump(
    short_silence: None, rig: Rig
) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    rig.bms.silent = True
    await polls(rig, 4)
    assert not rig.coordinator.last_update_success
    assert rig.shown("energy_charged") == rig.shown("energy_discharged") == "unavailable"
    rig.bms.silent = False
    await rig.poll(10)
    assert shown(rig) == before
    await rig.poll(10)
    assert shown(rig)[0] - before[0] == pytest.approx(kwh(100, 10), abs=0.002)
    assert shown(rig)[1] == before[1]


async def test_a_bms_that_missed_one_poll_is_counted_through(short_silence: None, rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    rig.bms.silent = True
    await rig.poll(10)
    rig.bms.silent = False
    await rig.poll(10)
    assert shown(rig)[0] - before[0] == pytest.approx(kwh(100, 21), rel=0.1)


async def test_a_current_that_cannot_be_counts_nothing(rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    rig.bms.settings["IOFF"] = 20_000.0
    await polls(rig, 2)
    assert rig.shown("current") == "unknown"
    assert shown(rig) == before
    rig.bms.settings["IOFF"] = 0.0
    await rig.poll(10)
    assert shown(rig) == before
    await rig.poll(10)
    assert shown(rig)[0] - before[0] == pytest.approx(kwh(100, 10), abs=0.002)


async def test_what_a_setting_shows_between_two_polls_counts_nothing(rig: Rig) -> None:
    await rig.set_up()
    await flow(rig, 100)
    before = shown(rig)
    for volts in (4.15, 4.16):
        await rig.asleep(2)
        await rig.set_number("cmax", volts)
        assert shown(rig) == before
    await rig.poll(6)
    assert shown(rig)[0] - before[0] == pytest.approx(kwh(100, 10), abs=0.002)
