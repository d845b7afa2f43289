"""Whether a simulated battery ages, and its BMS errs, as real ones do."""

from __future__ import annotations

import pytest

from tools.simulator import BMS
from tools.simulator.battery import DAY, YEAR, LooseBusbar
from tools.simulator.bms import CurrentSensor


@pytest.fixture
def bms() -> BMS:
    made = BMS(time_factor=0, preset="lifepo4")
    made.set_current(0)
    made.battery.longest_step = 300.0
    return made


def charge_until_full(bms: BMS) -> None:
    bms.set_current(100)
    bms.battery.longest_step = 10.0
    hours = 0.0
    while not bms.guard.charge_ended:
        bms.battery.advance(10)
        hours += 10 / 3600
        assert hours < 6


def test_a_cell_leaks_what_no_sensor_counts(bms: BMS) -> None:
    cell, other = bms.battery.cell(1, 1), bms.battery.cell(1, 2)
    before, counted, other_before = cell.charge, bms.charge, other.charge
    cell.leak = 0.1
    bms.battery.advance(10 * DAY)
    assert cell.charge == pytest.approx(before - 24 / cell.capacity, rel=1e-3)
    assert other.charge == other_before
    assert bms.charge == counted


@pytest.mark.long
def test_a_cell_loses_capacity_over_the_years_and_the_share_that_is_left_stays(bms: BMS) -> None:
    cell = bms.battery.cell(1, 1)
    capacity, charge = cell.capacity, cell.charge
    cell.fade = 0.05
    bms.battery.advance(YEAR / 10)
    assert cell.capacity == pytest.approx(capacity * 0.995, rel=1e-4)
    assert cell.charge == charge


def test_resistance_doubles_within_25_degrees_of_cold_and_comes_back(bms: BMS) -> None:
    unit = bms.battery.units[0]
    unit.temperature = 19.0
    before = [cell.resistance for cell in unit.cells]
    unit.temperature = -6.0
    assert [cell.resistance for cell in unit.cells] == pytest.approx([2 * one for one in before])
    unit.temperature = 19.0
    assert [cell.resistance for cell in unit.cells] == pytest.approx(before)


def test_a_loose_busbar_adds_to_one_cell_from_its_hour_on(bms: BMS) -> None:
    battery = bms.battery
    since = battery.time + 2 * 3600
    before = battery.cell(1, 2).resistance
    battery.loose.append(LooseBusbar(1, 2, since, 1e-3))
    battery.advance(2 * 3600 - 1)
    assert battery.cell(1, 2).contact == 0
    seen = []
    for _ in range(200):
        battery.advance(900)
        seen.append(battery.cell(1, 2).contact)
        assert battery.cell(1, 2).resistance >= before
    assert max(seen) > 1e-3
    assert min(seen) < 0.05e-3
    assert 0.6 < sum(contact > 0.4e-3 for contact in seen) / len(seen) < 0.9
    assert battery.cell(1, 1).contact == 0


def test_a_lasting_current_leaves_a_voltage_that_goes_away(bms: BMS) -> None:
    cell = bms.battery.cell(1, 1)
    bms.battery.relaxation = 0.8
    bms.set_current(-60)
    bms.battery.advance(3600)
    assert cell.overvoltage == pytest.approx(-60 * 0.8 * cell.resistance, rel=0.05)
    bms.set_current(0)
    bms.battery.advance(1200)
    assert abs(cell.overvoltage) < 60 * 0.3 * cell.resistance
    bms.battery.advance(4 * 3600)
    assert cell.voltage(0) == pytest.approx(cell.open_circuit, abs=1e-5)


def test_a_charge_ends_when_the_cells_are_full_and_not_when_their_voltage_lags(bms: BMS) -> None:
    bms.battery.relaxation = 1.0
    charge_until_full(bms)
    assert max(cell.charge for cell in bms.battery.cells) == pytest.approx(1, abs=0.003)


def test_a_bms_counts_what_its_sensor_shows_and_puts_it_right_when_full() -> None:
    bms = BMS(time_factor=0, preset="lifepo4")
    bms.set_current(0)
    bms.current_sensor = CurrentSensor(offset=-1.0, gain=1.01)
    counted = bms.charge
    bms.battery.advance(24 * 3600)
    assert bms.charge == pytest.approx(counted - 24 / 320, abs=1e-4)
    assert bms.sample().current == pytest.approx(-1.0)
    charge_until_full(bms)
    assert bms.charge == 1


def test_resistances_are_measured_at_changes_of_20_a_and_no_smaller_ones() -> None:
    bms = BMS(time_factor=0, preset="lifepo4", noise=True, seed=1)
    for current in (60, 0):
        bms.set_current(current)
        bms.battery.advance(10)
    first = bms.resistances()
    for current in (15, 0, -19, -10):
        bms.set_current(current)
        bms.battery.advance(10)
    told = bms.resistances()
    bms.battery.cell(1, 1).contact = 5e-3
    for current in (-15, 4, -15):
        bms.set_current(current)
        bms.battery.advance(10)
    assert bms.resistances() == told
    for _ in range(8):
        for current in (60, -60):
            bms.set_current(current)
            bms.battery.advance(10)
    rises = [now - before for now, before in zip(bms.resistances()[0], first[0], strict=True)]
    assert rises[0] == pytest.approx(5e-3, rel=0.05)
    assert all(abs(rise) < 0.02e-3 for rise in rises[1:])
