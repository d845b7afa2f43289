"""What Home Assistant shows is what the BMS has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tools.testkit.installed import until

if TYPE_CHECKING:
    from conftest import LiveRig


async def test_every_enabled_entity_has_a_value(rig: LiveRig) -> None:
    await rig.have_values()
    enabled = [row for row in (await rig.registered()).values() if row["disabled_by"] is None]
    assert len(await rig.states()) == len(enabled) > 70


async def test_readings_equal_the_simulators(rig: LiveRig) -> None:
    truth = await rig.bms.command("readings")
    shown = {key: state["state"] for key, state in (await rig.states()).items()}

    def assert_shows(key: str, value: float, digits: int) -> None:
        # Half a unit of the last digit, and the little that float32s on the line lose.
        assert float(shown[key]) == pytest.approx(value, abs=0.51 * 10**-digits), key

    (volts,), (celsius,), (ohms,) = truth["cells"], truth["temperatures"], truth["ohms"]
    assert len(volts) == 14
    for cell, (voltage, resistance) in enumerate(zip(volts, ohms, strict=True), 1):
        assert_shows(f"cell_voltage_1_{cell}", voltage, 3)
        assert_shows(f"cell_resistance_1_{cell}", resistance * 1000, 3)
    for sensor, temperature in enumerate(celsius, 1):
        assert_shows(f"temperature_1_{sensor}", temperature, 1)
    assert_shows("max_cell_voltage", max(volts), 3)
    assert_shows("min_cell_voltage", min(volts), 3)
    assert_shows("cell_voltage_delta", max(volts) - min(volts), 3)
    assert_shows("voltage", sum(volts), 2)
    assert_shows("bms_temperature", truth["board"], 1)
    assert shown["error"] == "no_error"
    assert shown["problem"] == "off"
    assert (await rig.states())["max_cell_voltage"]["attributes"]["cell"] == 3


async def test_settings_equal_the_simulators(rig: LiveRig) -> None:
    settings = (await rig.bms.command("settings"))["settings"]
    shown = {key: state["state"] for key, state in (await rig.states()).items()}
    assert float(shown["cmax"]) == pytest.approx(settings["CMAX"])
    assert float(shown["capa"]) == pytest.approx(settings["CAPA"])
    assert float(shown["soch"]) == pytest.approx(settings["SOCH"] * 100)


async def test_a_change_of_the_battery_arrives(rig: LiveRig) -> None:
    before = float(await rig.value("cell_voltage_1_7"))
    await rig.bms.command("cell", unit=1, cell=7, offset=0.02)
    try:

        async def arrived() -> bool:
            now = float(await rig.value("cell_voltage_1_7"))
            return now == pytest.approx(before + 0.02, abs=0.0011)

        await until(arrived)
    finally:
        await rig.bms.command("cell", unit=1, cell=7, offset=0)


async def test_an_error_of_the_bms_is_shown_and_goes(rig: LiveRig) -> None:
    await rig.bms.command("raise_error", number=4, unit=1, location=2)
    await rig.shows("error", "cell_temperature_high")
    await rig.shows("problem", "on")
    await rig.bms.command("clear_error")
    await rig.shows("error", "no_error")
    await rig.shows("problem", "off")


async def test_the_device_says_what_it_is(rig: LiveRig) -> None:
    devices = await rig.client.command("config/device_registry/list")
    (device,) = [each for each in devices if each["config_entries"] == [rig.entry_id]]
    assert device["name"] == device["model"] == rig.added.title == "REC BMS 1Q VICTRON"
    assert device["manufacturer"] == "REC"
    assert device["sw_version"]
    assert device["hw_version"]


async def test_diagnostics_can_be_downloaded(rig: LiveRig) -> None:
    path = f"/api/diagnostics/config_entry/{rig.entry_id}"
    data = json.loads(await rig.client.request("GET", path))["data"]
    assert data["available"] is True
    assert data["settings"]["CMAX"] == pytest.approx(4.18)
    assert data["unsupported_instructions"] == []
    assert 84 <= len(data["trace"]) <= 200
    assert data["counters"]["unanswered"] == 0


async def test_a_silent_bms_is_unavailable_until_it_is_back(rig: LiveRig) -> None:
    await rig.bms.command("silent", value=True)
    rig.times_silent += 1
    try:
        await rig.shows("voltage", "unavailable", within=20)
        states = {key: state["state"] for key, state in (await rig.states()).items()}
        assert {key: state for key, state in states.items() if state != "unavailable"} == {}
    finally:
        await rig.bms.command("silent", value=False)
    await rig.have_values(within=10)


async def test_a_disabled_entry_lets_go_of_the_port(rig: LiveRig) -> None:
    assert rig.holds_port()
    disable = "config_entries/disable"
    await rig.client.command(disable, entry_id=rig.entry_id, disabled_by="user")
    assert (await rig.entry())["state"] == "not_loaded"
    assert not rig.holds_port()

    await rig.client.command(disable, entry_id=rig.entry_id, disabled_by=None)
    assert (await rig.entry())["state"] == "loaded"
    assert rig.holds_port()
    await rig.have_values()
