"""The whole integration on REC's WiFi module, on virtual time and loopback sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.diagnostics import async_get_config_entry_diagnostics
from custom_components.rec_bms.protocol.health.measured import Measured
from custom_components.rec_bms.protocol.health.record import Health
from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog
from tests.virtual.findings import have_found, issue_of
from tests.virtual.rig import Rig, passes, until
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule
from tools.testkit import web_servers

_CAPTURED = Path(__file__).parents[1] / "unit" / "protocol" / "wifi_capture"
CAPTURE = [(_CAPTURED / f"{kind}.json").read_text("utf-8") for kind in ("status", "settings")]
NAME = "1A-2261"
PERIOD = 5.0


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let loopback sockets be used."""


@pytest.fixture
async def module(virtual_time: None) -> AsyncIterator[WifiModule]:
    """A module on an Active BMS of 4 cells at address 2, which tells within seconds."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, seed=3, time_factor=0)
    async with WifiModule(bms, period=PERIOD, settings_period=PERIOD) as started:
        yield started


@pytest.fixture
async def capture(virtual_time: None) -> AsyncIterator[WifiModule]:
    """A module that says what one said that was listened to, byte for byte, and nothing else."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, time_factor=0)
    async with WifiModule(bms, silent=True) as started:
        yield started


def entry_for(module: WifiModule, name: str = NAME) -> MockConfigEntry:
    """Return a config entry as the config flow makes it."""
    return MockConfigEntry(domain=DOMAIN, title=name, unique_id=name, data={"host": module.host})


async def set_up(hass: HomeAssistant, module: WifiModule, name: str = NAME) -> Rig:
    """Return a rig whose entry has been set up."""
    rig = Rig(hass, None, entry_for(module, name))  # type: ignore[arg-type]
    await rig.try_to_set_up()
    return rig


async def on_capture(hass: HomeAssistant, module: WifiModule) -> Rig:
    """Return a rig whose module has told what was captured."""
    entry = entry_for(module)
    entry.add_to_hass(hass)
    setting_up = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(lambda: module.clients)
    for message in CAPTURE:
        await module.push(message)
    await setting_up
    await hass.async_block_till_done()
    return Rig(hass, None, entry)  # type: ignore[arg-type]


SHOWN = {
    "state_of_charge": "28.5",
    "state_of_health": "99.6",
    "voltage": "13.244",
    "current": "7.46",
    "power": "98.8",
    "discharge_power": "-98.8",
    "stored_energy": "1.21",
    "usable_capacity": "4.08",
    "remaining_capacity": "91.2",
    "consumed_charge": "227",
    "min_cell_voltage": "3.305",
    "max_cell_voltage": "3.32",
    "cell_voltage_delta": "0.015",
    "headroom_high": "330",
    "headroom_low": "205",
    "charge_current_limit": "160.0",
    "discharge_current_limit": "160.0",
    "max_temperature": "22.5",
    "error": "no_error",
    "cycles": "37",
    "bms_temperature": "28.7",
    "serial_number": "2261",
    "cell_voltage_1_1": "3.305",
    "cell_voltage_1_2": "3.32",
    "cell_voltage_1_3": "3.311",
    "cell_voltage_1_4": "3.308",
    "cell_resistance_1_1": "1.95",
    "cell_resistance_1_2": "3.093",
    "cell_resistance_1_3": "2.179",
    "cell_resistance_1_4": "1.809",
    "temperature_1_1": "22.5",
    **dict.fromkeys(
        (
            *("last_full_charge", "charge_since_full", "state_of_charge_correction"),
            *("measured_capacity", "measured_health"),
            *("cell_spread_rest", "cell_spread_top", "most_drifting_cell"),
            *("highest_cell_voltage_ever", "lowest_cell_voltage_ever", "deepest_discharge"),
            *(f"cell_drift_1_{cell}" for cell in range(1, 5)),
            *(f"cell_resistance_change_1_{cell}" for cell in range(1, 5)),
        ),
        "unknown",
    ),
    "diagnosis": "not_enough_data",
    "lifetime_charged": "0",
    "lifetime_discharged": "0",
    "time_above_limits": "0.0",
    "time_below_limits": "0.0",
    "problem": "off",
    "charging": "on",
    "balancing": "on",
    "cell_balancing_1_1": "on",
    "cell_balancing_1_2": "off",
    "cell_balancing_1_3": "off",
    "cell_balancing_1_4": "off",
    "error_event": "unknown",
    "energy_charged": "0.0",
    "energy_discharged": "0.0",
    "time_to_full": "30.75",
    "time_to_empty": "unknown",
    "line_errors": "0",
    "cmin": "3.0",
    "cmax": "3.65",
    "tmax": "55.0",
    "bvol": "3.58",
    "bmin": "3.45",
    "tbal": "55.0",
    "tmin": "-10.0",
    "capa": "320.0",
    "char": "3.58",
    "ioff": "0.0",
    "chis": "0.25",
    "razl": "0.25",
    "maxh": "0.25",
    "minh": "0.1",
    "bmth": "2.0",
    "ioja": "0.019531",
    "soch": "5.0",
    "socs": "28.4956",
    "chac": "0.5",
    "dchc": "0.5",
    "maxc": "150.0",
    "maxd": "150.0",
    "clow": "3.1",
    "canf": "500_kbit_s",
    "chem": "lifepo4_winston",
    "strn": "2",
    "cfvc": "0.1",
    "re1t": "lowest_cell",
    "re1h": "0.15",
    "re1v": "3.30481",
    "op2t": "highest_cell",
    "op2l": "3.55",
    "op2h": "0.15",
    "op2v": "3.31648",
    "rsbr": "2",
}


async def test_the_capture_reaches_every_entity(
    hass: HomeAssistant, capture: WifiModule, all_enabled: None
) -> None:
    rig = await on_capture(hass, capture)
    prefix = f"{rig.entry.entry_id}_"
    shown = {
        each.unique_id.removeprefix(prefix): rig.hass.states.get(each.entity_id).state  # type: ignore[union-attr]
        for each in rig.registered_entities()
    }
    assert shown == SHOWN


@pytest.mark.long
async def test_places_of_the_capture_are_positions(
    hass: HomeAssistant, capture: WifiModule
) -> None:
    rig = await on_capture(hass, capture)
    lowest, highest = rig.state("min_cell_voltage"), rig.state("max_cell_voltage")
    assert (lowest.attributes["unit"], lowest.attributes["cell"]) == (1, 1)
    assert (highest.attributes["unit"], highest.attributes["cell"]) == (1, 2)
    assert rig.state("balancing").attributes["cells"] == [[1, 1]]


async def test_nothing_can_be_set_over_wifi(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up(hass, module)
    assert {each.domain for each in rig.registered_entities()} == {
        "binary_sensor",
        "event",
        "sensor",
    }
    with pytest.raises(HomeAssistantError) as raised:
        await rig.act("set_parameter", instruction="CMAX", value=3.6)
    assert raised.value.translation_key == "read_only_way"
    assert not [each for each in module.received if each.startswith(("text", "POST"))]


async def test_instructions_are_read_from_the_last_message(
    hass: HomeAssistant, capture: WifiModule
) -> None:
    rig = await on_capture(hass, capture)
    codes = ["CMAX", "canf", "LCD1", "LCD3", "CELL", "ERRO", "BTEM"]
    told = (await rig.act("get_parameter", instruction=codes))["parameters"]
    assert told["CMAX"]["value"] == 3.65
    assert told["CANF"]["value"] == 2
    assert told["LCD1"]["values"]["Pack_Voltage"] == 13.2439
    assert told["LCD3"]["values"]["BMS_Address_of_Minimum_Cell_Voltage"] == 2
    assert told["LCD3"]["values"]["Amp_Hours_since_last_charge"] == 227
    assert told["CELL"]["values"]["1_4"] == 3.308474
    assert told["ERRO"]["values"]["Error_Present"] == 0
    assert told["BTEM"]["values"] == {"1": 28.66577}
    with pytest.raises(HomeAssistantError) as raised:
        await rig.act("get_parameter", instruction="REFC")
    assert raised.value.translation_key == "not_told"


async def test_entities_follow_a_push_at_once(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up(hass, module)
    module.bms.battery.cell(1, 3).rest_at(3.2)
    module.bms.look_again()
    began = hass.loop.time()
    await module.push_status()
    await until(lambda: rig.number("cell_voltage_1_3") == pytest.approx(3.2, abs=0.01))
    assert hass.loop.time() - began < 1


async def test_a_module_that_goes_away_is_unavailable_and_back_within_a_minute(
    hass: HomeAssistant, module: WifiModule, caplog: pytest.LogCaptureFixture
) -> None:
    rig = await set_up(hass, module)
    caplog.clear()
    await module.sleep()
    await passes(35)
    assert rig.shown("voltage") == "unavailable"
    await passes(600)
    await module.wake()
    await passes(60)
    assert rig.number("voltage") > 10
    said = [
        each.getMessage() for each in caplog.records if each.name == "custom_components.rec_bms"
    ]
    told = [each for each in said if "Finished" not in each]
    assert [("Error requesting" in each, "is back" in each) for each in told] == [
        (True, False),
        (False, True),
    ]


async def test_a_short_break_is_not_seen(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up(hass, module)
    seen = []
    hass.bus.async_listen("state_changed", lambda event: seen.append(event.data["new_state"].state))
    await module.drop()
    await passes(30)
    assert "unavailable" not in seen
    assert rig.number("voltage") > 10
    assert module.connections == 2


async def test_a_module_that_tells_no_status_is_away(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    await module.push_status()
    await module.stall()
    await passes(89)
    assert rig.number("voltage") > 10
    await passes(2)
    assert rig.shown("voltage") == "unavailable"


async def test_another_module_at_the_host_shows_nothing_and_fails_the_entry(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    module.name = "1A-9999"
    module.bms.battery.cell(1, 3).rest_at(3.1)
    module.bms.look_again()
    shown: list[str] = []
    cell = rig.entity_id("cell_voltage_1_3")
    hass.bus.async_listen(
        "state_changed",
        lambda event: (
            shown.append(event.data["new_state"].state) if event.data["entity_id"] == cell else None
        ),
    )
    await module.drop()
    await passes(60)
    assert rig.entry.state is ConfigEntryState.SETUP_ERROR
    assert rig.entry.error_reason_translation_key == "wrong_device"
    assert set(shown) == {"unavailable"}


async def test_a_host_where_nobody_is_is_tried_again(
    hass: HomeAssistant, module: WifiModule
) -> None:
    await module.sleep()
    rig = await set_up(hass, module)
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    assert rig.entry.error_reason_translation_key == "module_failed"
    await module.wake()
    await passes(60)
    assert rig.entry.state is ConfigEntryState.LOADED


@pytest.mark.long
async def test_energy_goes_by_the_pushs_own_clock(hass: HomeAssistant, capture: WifiModule) -> None:
    rig = await on_capture(hass, capture)
    for _ in range(60):
        await passes(60)
        await capture.push(CAPTURE[0])
        await hass.async_block_till_done()
    assert rig.number("energy_charged") == pytest.approx(0.0988, abs=0.001)


async def test_what_has_not_changed_is_not_written(
    hass: HomeAssistant, capture: WifiModule
) -> None:
    rig = await on_capture(hass, capture)
    # An extreme counts once it was measured twice.
    await passes(1)
    await capture.push(CAPTURE[0])
    await hass.async_block_till_done()
    written: list[str] = []
    hass.bus.async_listen("state_changed", lambda event: written.append(event.data["entity_id"]))
    hass.bus.async_listen(
        "state_reported",
        lambda event: written.append(event.data["entity_id"]),
        event_filter=callback(lambda _: True),
    )
    for message in CAPTURE:
        await passes(1)
        await capture.push(message)
    await hass.async_block_till_done()
    assert set(written) <= {rig.entity_id("energy_charged")}


async def test_unloading_hangs_up_and_leaves_nothing(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    await rig.unload()
    await passes(1)
    assert module.clients == 0
    assert set(module.received) <= {"GET /ws", "ping", "close"}


async def test_stopping_hangs_up(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up(hass, module)
    await hass.async_stop(force=True)
    assert module.clients == 0
    assert rig.coordinator.last_update_success


async def test_diagnostics_hold_the_last_messages_without_name_and_host(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    given = await async_get_config_entry_diagnostics(hass, rig.entry)
    assert given["counters"]["messages"] >= 2
    assert any('"type":"status"' in each for each in given["messages"])
    assert module.host not in str(given)
    assert "2261" not in str(given)


async def wifi_dialog(hass: HomeAssistant, host: str) -> Dialog:
    """Open the dialog and give a host."""
    dialog = Dialog(hass)
    dialog.result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    await dialog.send(next_step_id="wifi")
    assert dialog.step == "wifi"
    await dialog.send(host=host)
    return dialog


async def finish(dialog: Dialog) -> None:
    """Wait while the dialog shows progress."""
    assert dialog.result["type"] is FlowResultType.SHOW_PROGRESS
    await dialog.wait()


async def test_the_dialog_shows_who_is_found_before_it_adds_it(
    hass: HomeAssistant, module: WifiModule
) -> None:
    dialog = await wifi_dialog(hass, f" http://{module.host}/ ")
    await finish(dialog)
    assert dialog.step == "confirm"
    assert dialog.placeholders == {
        "model": NAME,
        "address": f"http://{module.host}/",
        "baudrate": "?",
        "units": "1",
        "cells": "4",
    }
    await dialog.send()
    entry: Any = dialog.result["result"]
    await hass.async_block_till_done()
    assert (entry.title, entry.unique_id) == (NAME, NAME)
    assert entry.state is ConfigEntryState.LOADED
    again = await wifi_dialog(hass, module.host)
    assert again.result["reason"] == "already_configured"


async def test_one_module_is_one_entry_whatever_its_host_is_called(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    hass.config_entries.async_update_entry(rig.entry, data={"host": "127.0.0.1:1"})
    dialog = await wifi_dialog(hass, module.host)
    await finish(dialog)
    assert dialog.result["reason"] == "already_configured"


@pytest.mark.parametrize(
    "page", [web_servers.not_found, web_servers.same_page, web_servers.other_messages]
)
async def test_what_is_no_module_is_said_to_be_none(hass: HomeAssistant, page: Any) -> None:
    async with web_servers.serving(page) as host:
        dialog = await wifi_dialog(hass, host)
        began = hass.loop.time()
        await passes(140)
        await finish(dialog)
    assert (dialog.step, dialog.errors) == ("wifi", {"base": "no_module"})
    assert hass.loop.time() - began < 141


@pytest.mark.parametrize("host", ["127.0.0.1:1", "", "a b", "http://", "[::1"])
async def test_a_host_where_nobody_is_is_said(hass: HomeAssistant, host: str) -> None:
    dialog = await wifi_dialog(hass, host)
    await finish(dialog)
    assert (dialog.step, dialog.errors) == ("wifi", {"base": "cannot_connect"})
    assert dialog.placeholders["reason"]


async def test_a_module_without_a_name_is_said_to_have_none(
    hass: HomeAssistant, module: WifiModule
) -> None:
    module.settings_period = 1e9
    module.missing = {"settings.bms_name"}
    dialog = await wifi_dialog(hass, module.host)
    await passes(121)
    await finish(dialog)
    assert (dialog.step, dialog.errors) == ("wifi", {"base": "no_name"})


async def test_a_dialog_that_is_closed_leaves_no_connection(
    hass: HomeAssistant, capture: WifiModule
) -> None:
    dialog = await wifi_dialog(hass, capture.host)
    await until(lambda: capture.clients)
    dialog.close()
    await passes(3)
    assert capture.clients == 0
    assert not hass.config_entries.async_entries(DOMAIN)


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, host: str) -> Any:
    """Give an entry's module another host; return what the dialog says in the end."""
    flow = hass.config_entries.flow
    context = {"source": "reconfigure", "entry_id": entry.entry_id}
    result = await flow.async_init(DOMAIN, context=context)  # type: ignore[arg-type]
    assert result["step_id"] == "reconfigure_wifi"
    result = await flow.async_configure(result["flow_id"], {"host": host})
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        await passes(20)
        result = await flow.async_configure(result["flow_id"])
    await hass.async_block_till_done()
    return result


async def test_a_module_moves_to_another_host(hass: HomeAssistant, module: WifiModule) -> None:
    entry = entry_for(module)
    rig = Rig(hass, None, entry)  # type: ignore[arg-type]
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={"host": "127.0.0.1:1"})
    await rig.try_to_set_up()
    assert (await reconfigure(hass, entry, module.host))["reason"] == "reconfigure_successful"
    await passes(20)
    assert entry.data == {"host": module.host}
    assert entry.state is ConfigEntryState.LOADED


async def test_a_new_host_where_nobody_is_is_asked_for_again(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    result = await reconfigure(hass, rig.entry, "127.0.0.1:1")
    assert (result["step_id"], result["errors"]) == ("reconfigure_wifi", {"base": "cannot_connect"})
    suggested = {str(key): key.description for key in result["data_schema"].schema}
    assert suggested == {"host": {"suggested_value": "127.0.0.1:1"}}
    assert rig.entry.data == {"host": module.host}
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_an_entry_whose_host_is_no_module_says_so(
    hass: HomeAssistant, module: WifiModule
) -> None:
    async with web_servers.serving(web_servers.not_found) as host:
        entry = MockConfigEntry(domain=DOMAIN, title=NAME, unique_id=NAME, data={"host": host})
        await Rig(hass, None, entry).try_to_set_up()  # type: ignore[arg-type]
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "no_module"


async def test_an_entry_whose_module_tells_no_name_says_so(
    hass: HomeAssistant, module: WifiModule
) -> None:
    module.missing = {"settings.bms_name"}
    rig = await set_up(hass, module)
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    assert rig.entry.error_reason_translation_key == "no_name"
    await passes(1)
    assert module.clients == 0


async def test_the_same_host_is_looked_at_by_one_connection(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    result = await reconfigure(hass, rig.entry, module.host)
    assert result["reason"] == "reconfigure_successful"
    await passes(20)
    assert module.clients == 1
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_a_module_is_not_moved_to_another_one(
    hass: HomeAssistant, module: WifiModule
) -> None:
    entry = entry_for(module, "1A-7")
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={"host": "127.0.0.1:1"})
    assert (await reconfigure(hass, entry, module.host))["reason"] == "wrong_device"
    assert entry.data == {"host": "127.0.0.1:1"}


async def test_a_host_is_not_moved_to_where_another_entry_listens(
    hass: HomeAssistant, module: WifiModule
) -> None:
    await set_up(hass, module)
    entry = entry_for(module, "1A-7")
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={"host": "127.0.0.1:1"})
    assert (await reconfigure(hass, entry, module.host))["reason"] == "wrong_device"


async def test_the_options_ask_nothing_but_with_which_current_it_balances(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    options = hass.config_entries.options
    for given in ({"balancing_current": 1.5}, {}):
        result = await options.async_init(rig.entry.entry_id)
        assert (result["step_id"], [*map(str, result["data_schema"].schema)]) == (
            "wifi",
            ["balancing_current"],
        )
        result = await options.async_configure(result["flow_id"], given)
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert rig.entry.options == given
        assert rig.entry.state is ConfigEntryState.LOADED


async def test_health_follows_each_status_that_a_module_tells_once(
    hass: HomeAssistant, module: WifiModule
) -> None:
    with patch.object(Health, "add") as add:
        await set_up(hass, module)
        await passes(4 * PERIOD)
    measured_at = [call.args[0].measured_at for call in add.call_args_list]
    assert len(measured_at) == len(set(measured_at)) >= 4


async def test_a_capacity_that_was_measured_over_wifi_is_not_offered_to_be_set(
    hass: HomeAssistant, module: WifiModule
) -> None:
    rig = await set_up(hass, module)
    have_found(rig, "capacity", measured=Measured(100.0, 1.0, 1.0, 0.2, 1e9))
    await passes(2 * PERIOD)
    assert rig.number("measured_capacity") == 100
    assert issue_of(rig, "capacity") is None


@pytest.mark.long
async def test_the_same_bms_over_both_ways_raises_an_issue_until_one_is_gone(
    hass: HomeAssistant, module: WifiModule, simulate: Any
) -> None:
    from tests.virtual.rig import entry_for as serial_entry_for

    line = simulate(addresses=[2], preset="lifepo4", cells=4, sensors=1)
    line.bms[2].settings["SERI"] = 2261
    serial = Rig(hass, line, serial_entry_for(line, address=2))
    await serial.set_up()
    await serial.poll()
    rig = await set_up(hass, module)
    await passes(6)
    issues = ir.async_get(hass).issues
    (issue,) = (each for each in issues.values() if each.translation_key == "two_ways")
    assert issue.translation_placeholders == {
        "title": NAME,
        "other": serial.entry.title,
        "serial": "2261",
    }
    await serial.unload()
    await passes(6)
    assert not [each for each in issues.values() if each.translation_key == "two_ways"]
    await rig.unload()


# -- with others -----------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_module_and_an_adapter_make_a_bank(
    hass: HomeAssistant, module: WifiModule, simulate: Simulate
) -> None:
    (wired,) = batteries(hass, simulate, {})
    await wired.set_up()
    over_wifi = await set_up(hass, module)
    bank = await bank_of(hass, over_wifi, wired, wiring="series")
    await passes(2 * PERIOD)
    assert bank.number("voltage") == pytest.approx(sum(bank.told("voltage")), abs=0.002)
    assert bank.number("power") == pytest.approx(sum(bank.told("power")), abs=0.2)
    assert bank.state("min_cell_voltage").attributes["battery"] == NAME
    await module.close()
    await passes(200)
    assert over_wifi.shown("voltage") == bank.shown("voltage") == "unavailable"
    assert wired.shown("voltage") != "unavailable"
