"""Whether the battery obeys physics and the BMS its own limits."""

from __future__ import annotations

import pytest

from tools.simulator import BMS
from tools.simulator.chemistry import CHEMISTRIES
from tools.simulator.scenarios import SCENARIOS


@pytest.mark.parametrize("number", CHEMISTRIES)
def test_open_circuit_voltage_rises_with_the_charge(number: int) -> None:
    kind = CHEMISTRIES[number]
    volts = [kind.voltage(percent / 100) for percent in range(-5, 130)]
    assert volts == sorted(volts)
    assert kind.charge(kind.voltage(0.73)) == pytest.approx(0.73)


def test_charge_in_and_out_is_counted() -> None:
    bms = BMS(time_factor=0)
    bms.set_value("SOCS", 0.5)
    bms.set_current(-45)
    bms.battery.advance(3600)
    assert bms.charge == pytest.approx(0.4)
    assert bms.consumed == pytest.approx(270)
    assert bms.battery.meter.discharged_ah == pytest.approx(45)
    bms.set_current(45)
    bms.battery.advance(1800)
    assert bms.charge == pytest.approx(0.45)
    assert bms.battery.meter.charged_ah == pytest.approx(22.5)


def test_the_meter_is_power_over_time() -> None:
    bms = BMS(time_factor=0)
    counted = 0.0
    bms.set_current(-90)
    for _ in range(360):
        before = bms.battery.voltage
        bms.battery.advance(10)
        counted += 90 * (before + bms.battery.voltage) / 2 * 10 / 3600
    assert bms.battery.meter.discharged_wh == pytest.approx(counted, rel=1e-9)
    assert bms.battery.meter.charged_wh == 0


def test_no_energy_appears_or_is_lost() -> None:
    bms = BMS(time_factor=0)
    battery, meter = bms.battery, bms.battery.meter
    before = battery.stored_wh()
    bms.set_current(-90)
    battery.advance(2 * 3600)
    bms.set_current(60)
    battery.advance(3600)
    change = battery.stored_wh() - before
    given = meter.charged_wh - meter.discharged_wh - meter.lost_wh - meter.bled_wh
    assert change == pytest.approx(given, rel=0.005)
    assert meter.lost_wh > 0


def test_voltage_falls_under_load_by_the_resistance() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(0)
    rest = bms.battery.voltage
    bms.set_current(-100)
    ohms = sum(cell.resistance for cell in bms.battery.cells)
    assert rest - bms.battery.voltage == pytest.approx(100 * ohms)


def test_balancing_narrows_the_spread_and_bleeds_only_high_cells() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(0)
    before = bms.battery.spread
    weak = bms.battery.cell(1, 8)
    charge = weak.charge
    bms.battery.advance(3 * 3600)
    assert bms.battery.spread < before - 0.002
    assert weak.charge == charge
    assert bms.battery.meter.bled_wh > 0
    bms.set_value("BMIN", 4.2)
    bms.battery.advance(10)
    assert not any(cell.bleed for cell in bms.battery.cells)


def test_the_charge_ends_at_char_and_begins_again_after_both_hystereses() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(60)
    bms.battery.advance(6 * 3600)
    assert bms.guard.charge_ended
    assert bms.battery.current == 0
    assert bms.charge == pytest.approx(1, abs=0.01)
    assert bms.error is None
    assert max(max(unit) for unit in bms.battery.voltages()) <= bms.settings["CHAR"] + 0.001
    bms.set_current(-45)
    bms.battery.advance(1200)
    assert bms.guard.charge_ended
    bms.battery.advance(3600)
    assert not bms.guard.charge_ended


def test_the_cut_off_stops_the_charge_counts_and_lets_go_after_the_hysteresis() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(30)
    count = bms.settings["VMAX"]
    bms.battery.cell(1, 3).offset = 0.3
    bms.battery.advance(10)
    assert bms.error == (1, 1, 3)
    assert bms.battery.current == 0
    assert bms.settings["VMAX"] == count + 1
    bms.battery.cell(1, 3).offset = 0.2
    bms.battery.advance(10)
    assert bms.error == (1, 1, 3)
    bms.battery.cell(1, 3).offset = 0.0
    bms.battery.advance(10)
    assert bms.error is None
    assert bms.settings["VMAX"] == count + 1


def test_the_discharge_stops_at_clow_and_below_cmin_there_is_an_error() -> None:
    bms = BMS(time_factor=0, scenario="discharging")
    bms.battery.advance(8 * 3600)
    assert bms.guard.protected
    assert bms.battery.current == 0
    assert bms.error is None
    count = bms.settings["VMIN"]
    bms.battery.cell(1, 8).rest_at(3.1)
    bms.battery.advance(10)
    assert bms.error is not None
    assert bms.error[0] == 2
    assert bms.error[2] == 8
    assert bms.settings["VMIN"] == count + 1


def test_cells_that_differ_too_much_are_error_3() -> None:
    bms = BMS(time_factor=0)
    bms.set_value("RAZL", 0.005)
    assert bms.error == (3, 1, 8)


@pytest.mark.long
def test_heat_and_cold_are_errors_and_stop_what_they_should() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(20)
    bms.ambient_wanted = -15
    bms.battery.advance(6 * 3600)
    assert bms.error is not None
    assert bms.error[0] == 7
    assert bms.battery.current == 0
    bms.set_current(-20)
    assert bms.battery.current == -20
    bms.ambient_wanted = 70
    bms.battery.advance(10 * 3600)
    assert {4, 5} <= bms.guard.errors.keys()
    assert bms.battery.current == 0
    bms.ambient_wanted = 20
    bms.battery.advance(20 * 3600)
    assert bms.error is None
    assert bms.battery.current == -20


def test_a_load_warms_the_battery() -> None:
    bms = BMS(time_factor=0)
    bms.set_current(-150)
    bms.battery.advance(2 * 3600)
    assert bms.battery.units[0].temperature > 20


def test_a_broken_sensor_shows_85_degrees_and_error_8() -> None:
    bms = BMS(time_factor=0)
    bms.break_sensor(1, 2)
    assert bms.measure().celsius[0][1] == 85.0
    assert 8 in bms.guard.errors
    bms.mend_sensor(1, 2)
    bms.battery.advance(10)
    assert bms.error is None


def test_raised_errors_stop_what_the_manual_says() -> None:
    bms = BMS(time_factor=0)
    for number, charge, discharge in (
        (1, 0, -9),
        (2, 9, 0),
        (4, 0, 0),
        (5, 0, 0),
        (7, 0, -9),
        (9, 9, -9),
    ):
        bms.raise_error(number)
        bms.set_current(9)
        assert bms.battery.current == charge
        bms.set_current(-9)
        assert bms.battery.current == discharge
        bms.clear_error()


def test_the_current_keeps_to_the_inverters_limits() -> None:
    bms = BMS(time_factor=0)
    bms.set_value("SOCS", 0.5)
    for cell in bms.battery.cells:
        cell.charge = 0.5
    bms.set_current(1000)
    assert bms.battery.current == 150
    bms.set_value("CHAC", 0.1)
    assert bms.battery.current == pytest.approx(45)
    bms.set_current(-1000)
    assert bms.battery.current == -200


@pytest.mark.long
def test_a_capacity_taken_out_is_a_cycle() -> None:
    bms = BMS(time_factor=0, scenario="cycling")
    bms.battery.advance(40 * 3600)
    assert bms.settings["CYCL"] >= 104
    assert bms.health < 0.9897


@pytest.mark.long
def test_a_solar_day_charges_and_discharges_without_errors() -> None:
    bms = BMS(time_factor=0, scenario="day")
    errors = set()
    for _ in range(3 * 24 * 6):
        bms.battery.advance(600)
        errors |= set(bms.guard.errors)
    assert bms.battery.meter.charged_wh > 3000
    assert bms.battery.meter.discharged_wh > 3000
    assert errors == set()


def test_in_the_fault_scenario_an_error_comes_and_goes() -> None:
    bms = BMS(time_factor=0, scenario="fault")
    shown = []
    for _ in range(12):
        bms.battery.advance(60)
        shown.append(bms.error[0] if bms.error else 0)
    assert {0, 1, 2} <= set(shown)


def test_in_the_cold_scenario_it_is_too_cold_to_charge() -> None:
    bms = BMS(time_factor=0, scenario="cold")
    bms.battery.advance(12 * 3600)
    assert 7 in bms.guard.errors
    assert bms.battery.meter.charged_wh < 10_000


@pytest.mark.parametrize("preset", ["kokam", "kokam-power", "lifepo4", "lifepo4-a123", "limno2"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_runs_half_a_day_with_every_battery(name: str, preset: str) -> None:
    bms = BMS(time_factor=0, scenario=name, preset=preset)
    bms.battery.advance(43200)
    assert all(2 < volts < 4.4 for unit in bms.battery.voltages() for volts in unit)


def test_time_runs_by_its_factor_and_stands_at_0(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("tools.simulator.bms.time.monotonic", lambda: clock[0])
    bms = BMS(time_factor=3600)
    start = bms.battery.time
    clock[0] += 0.1
    bms.catch_up()
    assert bms.battery.time - start == pytest.approx(360)
    bms.time_factor = 0
    stopped = bms.battery.time
    clock[0] += 0.05
    bms.catch_up()
    assert bms.battery.time == stopped
