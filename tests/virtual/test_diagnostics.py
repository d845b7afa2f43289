"""Diagnostics: what somebody needs to see who is asked for help."""

from __future__ import annotations

import json

from homeassistant.core import HomeAssistant

from custom_components.rec_bms.diagnostics import async_get_config_entry_diagnostics
from custom_components.rec_bms.protocol.errors import without_query
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.table import LIBRARY, SETTABLE


async def test_settings_readings_and_counters_are_there(running: Rig) -> None:
    found = await async_get_config_entry_diagnostics(running.hass, running.entry)
    assert set(found["settings"]) == {row.code for row in LIBRARY if row in SETTABLE}
    assert found["settings"]["CMAX"] == 4.18
    assert found["readings"]["LCD1"]["voltage"] > 50
    assert found["counters"]["exchanges"] >= len(LIBRARY)
    assert found["available"] is True
    assert found["options"] == dict(running.entry.options)
    assert json.loads(json.dumps(found)) is not None


async def test_an_entry_that_is_not_set_up_tells_its_state_and_why(
    short_silence: None, rig: Rig
) -> None:
    rig.bms.silent = True
    await rig.try_to_set_up()
    found = await async_get_config_entry_diagnostics(rig.hass, rig.entry)
    assert found["state"] == "setup_retry"
    assert "did not answer" in found["reason"]
    assert found["data"] == dict(rig.entry.data)


async def test_the_last_frames_are_there(running: Rig) -> None:
    found = await async_get_config_entry_diagnostics(running.hass, running.entry)
    trace = found["trace"]
    assert 50 < len(trace) <= 200
    assert any("55 01 00 05 43 41 50 41 3F 3B E0 AA" in line and "CAPA?" in line for line in trace)
    assert any("4.50000e2" in line for line in trace)


async def test_what_the_bms_does_not_know_is_there(
    short_silence: None, hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(unsupported={"CANF"})
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    found = await async_get_config_entry_diagnostics(hass, rig.entry)
    assert found["unsupported_instructions"] == ["CANF"]
    assert "CANF" not in found["supported_instructions"]


async def test_what_a_unit_knows_is_there_in_one_block(running: Rig) -> None:
    found = await async_get_config_entry_diagnostics(running.hass, running.entry)
    block = found["what_this_unit_knows"]
    assert block["answered"] == sorted(row.code for row in LIBRARY)
    assert block["unsupported"] == []
    assert block["model"] == "REC BMS 1Q VICTRON"
    assert {"software_version", "hardware_version", "serial_number"} <= block.keys()


async def test_the_key_of_an_esphome_proxy_is_not(running: Rig) -> None:
    url = "esphome://192.168.1.5/?port_name=uart&key=SECRET"
    running.hass.config_entries.async_update_entry(
        running.entry, data={**running.entry.data, "port": url}
    )
    found = await async_get_config_entry_diagnostics(running.hass, running.entry)
    assert found["data"]["port"] == "esphome://192.168.1.5/"
    assert "SECRET" not in json.dumps(found["data"])


def test_other_urls_keep_their_query() -> None:
    assert without_query("socket://h:1?x=1 lost") == "socket://h:1?x=1 lost"
    assert without_query("to esphome-hass://abc?key=SECRET: lost") == "to esphome-hass://abc lost"
