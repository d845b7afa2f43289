"""Every entity: what it is, and that it shows what the BMS has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.rec_bms import sensor
from custom_components.rec_bms.diagnostics import async_get_config_entry_diagnostics
from custom_components.rec_bms.protocol.rs485.instructions import INSTRUCTIONS
from custom_components.rec_bms.protocol.state import State
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.table import NUMBERS, ROWS, SELECTS, Row
from tools.simulator import BMS
from tools.simulator.responses import main_data

VOLTS = ("voltage", "measurement", "V", 3)
LIMIT = ("current", "measurement", "A", 0, "diagnostic")
MILLIVOLTS = ("voltage", "measurement", "mV", 0)
DEGREES = ("temperature", "measurement", "°C", 1)
COUNT = (None, "total_increasing", None, None)


@dataclass(frozen=True)
class Expected:
    """A row of the design's table of sensors."""

    key: str
    name: str
    device_class: str | None
    state_class: str | None
    unit: str | None
    precision: int | None
    category: str | None = None
    enabled: bool = True

    def __str__(self) -> str:
        return self.key


SENSORS = (
    Expected("state_of_charge", "Battery", "battery", "measurement", "%", 1),
    Expected("state_of_health", "State of health", None, "measurement", "%", 1, "diagnostic"),
    Expected("voltage", "Voltage", "voltage", "measurement", "V", 2),
    Expected("current", "Current", "current", "measurement", "A", 2),
    Expected("power", "Power", "power", "measurement", "W", 0),
    Expected("discharge_power", "Discharge power", "power", "measurement", "W", 0, enabled=False),
    Expected("stored_energy", "Stored energy", "energy_storage", "measurement", "kWh", 2),
    Expected(
        "usable_capacity",
        "Usable capacity",
        "energy_storage",
        "measurement",
        "kWh",
        2,
        "diagnostic",
    ),
    Expected("remaining_capacity", "Remaining capacity", None, "measurement", "Ah", 1),
    Expected("consumed_charge", "Consumed since full charge", None, "measurement", "Ah", 1),
    Expected("min_cell_voltage", "Lowest cell voltage", *VOLTS),
    Expected("max_cell_voltage", "Highest cell voltage", *VOLTS),
    Expected("cell_voltage_delta", "Cell voltage spread", *VOLTS),
    Expected("headroom_high", "Headroom to the upper cell limit", *MILLIVOLTS),
    Expected("headroom_low", "Headroom to the lower cell limit", *MILLIVOLTS),
    Expected("max_temperature", "Highest temperature", *DEGREES),
    Expected(
        "temperature_spread", "Temperature spread", "temperature_delta", "measurement", "°C", 1
    ),
    Expected("charge_current_limit", "Charge current limit (worked out)", *LIMIT),
    Expected("discharge_current_limit", "Discharge current limit (worked out)", *LIMIT),
    Expected("error", "Error", "enum", None, None, None),
    Expected("cycles", "Cycles", *COUNT, "diagnostic"),
    Expected("overvoltage_count", "Overvoltage count", *COUNT, "diagnostic"),
    Expected("undervoltage_count", "Undervoltage count", *COUNT, "diagnostic"),
    Expected("cell_voltage_1_8", "Cell 8 voltage", *VOLTS),
    Expected(
        "cell_resistance_1_14", "Cell 14 resistance", None, "measurement", "mΩ", 3, "diagnostic"
    ),
    Expected("temperature_1_2", "Temperature 2", *DEGREES),
    Expected("bms_temperature", "BMS temperature", *DEGREES, "diagnostic"),
    Expected("reference_voltage", "ADC reference voltage", *VOLTS, "diagnostic", enabled=False),
    Expected(
        "poll_duration",
        "Poll duration",
        "duration",
        "measurement",
        "ms",
        0,
        "diagnostic",
        enabled=False,
    ),
    Expected("line_errors", "Line errors", *COUNT, "diagnostic", enabled=False),
    Expected("retries", "Retries", *COUNT, "diagnostic", enabled=False),
)
ERROR_OPTIONS = [
    "no_error",
    "cell_voltage_high",
    "cell_voltage_low",
    "cell_difference",
    "cell_temperature_high",
    "bms_temperature_high",
    "cells_or_address",
    "temperature_low_charging",
    "temperature_sensor",
    "communication",
    "cell_measurement",
    "contactor",
    "current_measurement",
    "chemistry",
    "memory",
    "balancing_transistor",
    "internal",
    "battery_current",
]
NUMBER_CLASSES = {"V": "voltage", "A": "current", "°C": "temperature"}


def precision_of(entry: er.RegistryEntry) -> Any:
    return entry.options.get("sensor", {}).get("suggested_display_precision")


@pytest.mark.long
async def test_every_sensor_is_what_the_design_says(complete: Rig) -> None:
    for each in SENSORS:
        entry, state = complete.registered(each.key), complete.state(each.key)
        assert entry.domain == "sensor"
        assert (
            Expected(
                each.key,
                str(state.attributes["friendly_name"]).removeprefix("REC BMS 1Q VICTRON "),
                state.attributes.get("device_class"),
                state.attributes.get("state_class"),
                state.attributes.get("unit_of_measurement"),
                precision_of(entry),
                entry.entity_category,
                enabled=each.enabled,  # seen below, in a rig where nothing else was enabled
            )
            == each
        )


async def test_only_what_the_design_leaves_out_is_disabled_at_first(running: Rig) -> None:
    disabled = {
        each.unique_id.removeprefix(f"{running.entry.entry_id}_")
        for each in running.registered_entities()
        if each.disabled
    }
    of_each_cell = {
        f"{key}_1_{cell}"
        for key in ("cell_drift", "cell_resistance_change")
        for cell in range(1, 15)
    }
    assert of_each_cell <= disabled
    assert disabled - of_each_cell == {each.key for each in SENSORS if not each.enabled} | {
        row.key for row in NUMBERS if not row.enabled
    }


async def test_unique_ids_are_unique_and_begin_with_the_entry(running: Rig) -> None:
    ids = [each.unique_id for each in running.registered_entities()]
    assert len(set(ids)) == len(ids)
    assert all(each.startswith(f"{running.entry.entry_id}_") for each in ids)


@pytest.mark.long
async def test_every_instruction_with_an_entity_has_it(complete: Rig) -> None:
    for row in ROWS:
        if row.key and row.platform != "device":
            key = f"{row.key}_1_1" if row.code in ("CELL", "RINT", "PTEM") else row.key
            entry = complete.registered(key)
            assert entry.domain == row.platform
            if row.platform == "sensor" and row.unit:
                assert complete.state(key).attributes["unit_of_measurement"] == row.unit


@pytest.mark.parametrize("key", ["cycles", "overvoltage_count", "undervoltage_count"])
async def test_counters_are_sensors_as_well_as_numbers(running: Rig, key: str) -> None:
    code = {"cycles": "CYCL", "overvoltage_count": "VMAX", "undervoltage_count": "VMIN"}[key]
    assert running.number(key) == running.bms.settings[code]


async def test_every_number_is_what_the_table_says(complete: Rig) -> None:
    for row in NUMBERS:
        entry, state = complete.registered(row.key), complete.state(row.key)
        assert (entry.domain, entry.entity_category) == ("number", "config")
        attributes = state.attributes
        assert row.minimum is not None
        assert row.maximum is not None
        assert attributes["friendly_name"] == f"REC BMS 1Q VICTRON {row.name}"
        assert attributes["mode"] == "box"
        assert attributes["min"] == pytest.approx(row.minimum * row.scale)
        assert attributes["max"] == pytest.approx(row.maximum * row.scale)
        assert attributes["step"] == row.step
        assert attributes.get("unit_of_measurement") == row.unit
        expected = NUMBER_CLASSES.get(row.unit or "")
        assert attributes.get("device_class") == (
            "temperature_delta" if row.code == "BMTH" else expected
        )


async def test_every_select_is_what_the_table_says(complete: Rig) -> None:
    options = {
        "CHEM": [
            "li_po_kokam_high_power",
            "li_po_kokam_high_capacity",
            "lifepo4_winston",
            "lifepo4_a123",
            "limno2",
        ],
        "CANF": ["250_kbit_s", "500_kbit_s"],
    }
    for row in SELECTS:
        entry, state = complete.registered(row.key), complete.state(row.key)
        assert (entry.domain, entry.entity_category) == ("select", "config")
        assert state.attributes["options"] == options[row.code]
        assert state.attributes["friendly_name"] == f"REC BMS 1Q VICTRON {row.name}"


async def test_main_readings_are_those_of_the_bms(running: Rig) -> None:
    low, high, current, degrees, volts, charge, health = main_data(running.bms)
    assert running.number("min_cell_voltage") == pytest.approx(low, abs=0.0005)
    assert running.number("max_cell_voltage") == pytest.approx(high, abs=0.0005)
    assert running.number("cell_voltage_delta") == pytest.approx(high - low, abs=0.0006)
    assert running.number("current") == pytest.approx(current, abs=0.005)
    assert running.number("max_temperature") == pytest.approx(degrees, abs=0.05)
    assert running.number("voltage") == pytest.approx(volts, abs=0.0005)
    assert running.number("power") == pytest.approx(volts * current, abs=0.06)
    assert running.number("state_of_charge") == pytest.approx(charge * 100, abs=0.05)
    assert running.number("state_of_health") == pytest.approx(health * 100, abs=0.05)
    assert running.number("remaining_capacity") == pytest.approx(charge * 450, abs=0.05)
    assert running.number("stored_energy") == pytest.approx(charge * 0.45 * volts, abs=0.006)


@pytest.mark.long
async def test_discharge_power_is_power_the_other_way_round(complete: Rig) -> None:
    assert complete.number("power") < 0
    assert complete.number("discharge_power") == -complete.number("power")
    complete.sim.call(complete.bms.set_current, 0.0)
    await complete.poll()
    assert complete.shown("discharge_power") == "0.0"


async def test_usable_capacity_is_what_a_full_battery_holds_in_kwh(running: Rig) -> None:
    *_, health = main_data(running.bms)
    assert running.bms.settings["CHEM"] == 2
    full = 450 * health * 14 * 3.7 / 1000
    assert running.number("usable_capacity") == pytest.approx(full, abs=0.006)


async def test_extremes_tell_where_they_are(running: Rig) -> None:
    now = running.bms.measure()
    where = running.state("min_cell_voltage").attributes
    assert (where["unit"], where["cell"]) == (1, 8)
    where = running.state("max_cell_voltage").attributes
    assert (where["unit"], where["cell"]) == (1, now.highest_cell().number)
    where = running.state("max_temperature").attributes
    assert (where["unit"], where["sensor"]) == (1, now.hottest().number)


WHERE = (("min_cell_voltage", "cell"), ("max_cell_voltage", "cell"), ("max_temperature", "sensor"))


async def units_told(hass: HomeAssistant, simulate: Simulate, bms: BMS) -> list[object]:
    """Return the units that the extremes and an error at the last unit are told to be at."""
    sim = simulate(bms=[bms])
    sim.call(bms.raise_error, 3, len(bms.battery.units), 2)
    rig = Rig(hass, sim, entry_for(sim, address=bms.address))
    await rig.set_up()
    for key, number in WHERE:
        assert rig.state(key).attributes[number] >= 1
    assert rig.state("error").attributes["location"] == 2
    told = [rig.state(key).attributes["unit"] for key in ("error", "error_event")]
    assert told[0] == told[1]
    return [*(rig.state(key).attributes["unit"] for key, _ in WHERE), told[0]]


@pytest.mark.parametrize("address", [1, 2, 16])
async def test_a_single_bms_is_unit_1_whatever_its_address(
    hass: HomeAssistant, simulate: Simulate, address: int
) -> None:
    assert await units_told(hass, simulate, BMS(address, time_factor=0)) == [1, 1, 1, 1]


async def test_units_of_a_master_are_told_by_their_position(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    bms = BMS(16, units=3, time_factor=0)
    bms.battery.cell(2, 5).rest_at(3.7)
    bms.battery.cell(3, 2).rest_at(4.1)
    assert await units_told(hass, simulate, bms) == [2, 3, bms.measure().hottest().unit, 3]


@pytest.mark.long
async def test_of_a_master_in_the_midst_of_its_units_no_wrong_unit_is_told(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    assert await units_told(hass, simulate, BMS(2, units=3, time_factor=0)) == [None] * 4


async def test_actions_and_diagnostics_keep_the_addresses_of_the_line(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[2])
    rig = Rig(hass, sim, entry_for(sim, address=2))
    sim.call(sim.bms[2].raise_error, 3, 1, 4)
    await rig.set_up()
    told = await rig.act("get_parameter", instruction=["LCD3", "ERRO"])
    assert told["parameters"]["LCD3"]["values"]["BMS_Address_of_Minimum_Cell_Voltage"] == 2
    assert told["parameters"]["ERRO"]["values"]["BMS_Unit"] == 2
    found = await async_get_config_entry_diagnostics(hass, rig.entry)
    assert found["readings"]["LCD3"]["min_cell"]["unit"] == 2
    assert found["readings"]["ERRO"]["unit"] == 2


async def test_consumed_charge_beyond_255_ah_is_right(rig: Rig) -> None:
    rig.bms.consumed = 300.0
    await rig.set_up()
    assert rig.number("consumed_charge") == 300


async def test_every_cell_and_sensor_shows_its_own_value(running: Rig) -> None:
    unit = running.bms.battery.units[0]
    (volts,), (celsius,) = running.bms.measure().volts, running.bms.measure().celsius
    assert len(volts) == 14
    for number, cell in enumerate(unit.cells, 1):
        assert running.number(f"cell_voltage_1_{number}") == pytest.approx(
            volts[number - 1], abs=0.0005
        )
        assert running.number(f"cell_resistance_1_{number}") == pytest.approx(
            cell.resistance * 1000, abs=0.0005
        )
    for number, degrees in enumerate(celsius, 1):
        assert running.number(f"temperature_1_{number}") == pytest.approx(degrees, abs=0.05)


@pytest.mark.long
async def test_bms_temperature_and_reference_voltage_are_those_of_the_bms(
    complete: Rig,
) -> None:
    assert complete.number("bms_temperature") == pytest.approx(
        complete.bms.measure().board, abs=0.05
    )
    assert complete.number("reference_voltage") == 5.0


@pytest.mark.long
async def test_how_the_line_is_doing_is_shown(complete: Rig) -> None:
    assert 50 < complete.number("poll_duration") < 5000
    assert complete.number("line_errors") == 0
    assert complete.number("retries") == 0
    complete.sim.faults.next("no_response", instruction="LCD1")
    complete.sim.faults.next("noise", place="before", instruction="CELL")
    await complete.poll()
    assert complete.number("retries") == 1
    assert complete.number("line_errors") >= 1


async def test_what_the_bms_has_not_told_has_no_value(running: Rig) -> None:
    nothing = replace(running.coordinator.data, state=State())
    told = {each.key for each in sensor.SENSORS if each.value_fn(nothing) is not None}
    assert told == {"poll_duration", "line_errors", "retries"}


@pytest.mark.parametrize("number", range(1, 17))
def test_error_options_are_in_the_order_of_their_numbers(number: int) -> None:
    from custom_components.rec_bms.protocol.alarms import ErrorNumber

    assert ErrorNumber(number).name.lower() == ERROR_OPTIONS[number]


@pytest.mark.long
async def test_errors_come_and_go(running: Rig) -> None:
    assert (running.shown("error"), running.shown("problem")) == ("no_error", "off")
    assert running.state("error").attributes["options"] == [*ERROR_OPTIONS, "other"]
    for number, option in enumerate(ERROR_OPTIONS[1:], 1):
        running.sim.call(running.bms.raise_error, number, 1, 2)
        await running.poll()
        state = running.state("error")
        assert (state.state, running.shown("problem")) == (option, "on")
        attributes = state.attributes
        where = attributes["number"], attributes["unit"], attributes["location"]
        assert where == (number, 1, 2)
        running.sim.call(running.bms.clear_error)
    await running.poll()
    assert (running.shown("error"), running.shown("problem")) == ("no_error", "off")
    assert running.state("error").attributes["number"] is None


async def test_an_error_with_an_unknown_number_is_shown_as_such(running: Rig) -> None:
    running.sim.call(running.bms.raise_error, 18)
    await running.poll()
    assert running.shown("error") == "other"
    assert running.state("error").attributes["number"] == 18


@pytest.mark.parametrize(("amperes", "charging"), [(20, "on"), (0, "off"), (-20, "off")])
async def test_charging_is_a_current_into_the_battery(
    rig: Rig, amperes: float, charging: str
) -> None:
    rig.sim.call(rig.bms.battery.advance, 3600)
    rig.sim.call(rig.bms.set_current, amperes)
    await rig.set_up()
    assert rig.shown("charging") == charging


@pytest.mark.long
async def test_charging_does_not_flicker_at_rest_and_shows_a_small_panel(running: Rig) -> None:
    async def shown(*currents: float) -> list[str]:
        told = []
        for amperes in currents:
            running.sim.call(running.bms.set_current, amperes)
            await running.poll()
            told.append(running.shown("charging"))
        return told

    running.sim.call(running.bms.battery.advance, 3600)
    assert await shown(0, 0.02, 0, 0.04, -0.02, 0.06) == ["off"] * 6
    assert await shown(0.3, 0.08, 0.04, 0.06) == ["on"] * 4
    await running.reload()
    assert running.shown("charging") == "off"
    assert await shown(0.12, 0.06, 0, 0.06) == ["on", "on", "off", "off"]


async def test_charging_is_unavailable_while_the_bms_is_away_and_goes_on_after_it(
    short_silence: None, running: Rig
) -> None:
    running.sim.call(running.bms.set_current, 0.3)
    running.sim.call(running.bms.battery.advance, 3600)
    await running.poll()
    running.bms.silent = True
    await running.poll()
    assert running.shown("charging") == "unavailable"
    running.bms.silent = False
    running.sim.call(running.bms.set_current, 0.06)
    await running.poll()
    assert running.shown("charging") == "on"


async def test_all_cells_in_one_frame_are_shown_as_well(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(units=2, cells=8, layout="single")
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    volts = sim.bms[1].measure().volts
    assert rig.number("cell_voltage_2_8") == pytest.approx(volts[1][7], abs=0.0005)


@pytest.mark.long
async def test_fifteen_units_of_fifteen_cells_are_shown(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[16], units=15, cells=15)
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    volts = sim.bms[16].measure().volts
    for unit in range(1, 16):
        for cell in range(1, 16):
            assert rig.number(f"cell_voltage_{unit}_{cell}") == pytest.approx(
                volts[unit - 1][cell - 1], abs=0.0005
            )


async def test_of_an_adapter_that_echoes_nothing_is_shown_twice_or_wrong(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(echo=True)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    assert rig.number("capa") == 450
    assert rig.number("cell_voltage_1_1") > 3.9


@pytest.mark.long
async def test_sensors_that_are_not_fitted_get_no_entity(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(sensors=2, absent_sensors=4)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    keys = {each.unique_id.split("_", 1)[1] for each in rig.registered_entities()}
    temperatures = {key for key in keys if key.startswith("temperature_1_")}
    assert {"temperature_1_1", "temperature_1_2"} <= temperatures
    assert "temperature_1_3" not in temperatures


async def test_a_temperature_of_85_degrees_is_a_sensor_that_has_not_measured(
    running: Rig,
) -> None:
    running.sim.call(running.bms.break_sensor, 1, 2, 85.0)
    await running.poll()
    assert running.shown("temperature_1_2") == "unknown"
    assert running.shown("temperature_1_1") != "unknown"


async def test_a_temperature_that_cannot_be_is_not_shown(running: Rig) -> None:
    for reading in (float("nan"), float("inf"), 130.0, -60.0, 3e38):
        running.sim.call(running.bms.break_sensor, 1, 1, reading)
        await running.poll()
        assert running.shown("temperature_1_1") == "unknown"
        running.sim.call(running.bms.mend_sensor, 1, 1)
        await running.poll()
        assert running.shown("temperature_1_1") != "unknown"


@pytest.mark.parametrize("charge", [float("nan"), 7.0, -1.0])
async def test_a_charge_that_cannot_be_is_not_shown(running: Rig, charge: float) -> None:
    running.bms.charge = charge
    await running.poll()
    for key in ("state_of_charge", "remaining_capacity", "stored_energy"):
        assert running.shown(key) == "unknown"


async def test_a_setting_that_cannot_be_is_not_shown(running: Rig) -> None:
    running.bms.settings["CAPA"] = 90_000
    running.bms.settings["CHEM"] = 7
    await running.reload()
    for key in ("capa", "remaining_capacity", "stored_energy", "chem", "usable_capacity"):
        assert running.shown(key) == "unknown"


async def test_a_cell_that_cannot_be_is_not_shown(running: Rig) -> None:
    running.bms.settings["ODDC"] = 90.0
    await running.poll()
    for key in ("cell_voltage_1_1", "max_cell_voltage", "cell_voltage_delta"):
        assert running.shown(key) == "unknown"
    assert running.shown("cell_voltage_1_2") != "unknown"


def test_rows_are_complete() -> None:
    settable: list[Row] = [*NUMBERS, *SELECTS]
    assert {row.code for row in ROWS} == {row.code for row in INSTRUCTIONS}
    assert {row.code for row in settable} == {row.code for row in INSTRUCTIONS if row.settable}
