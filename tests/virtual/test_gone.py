"""Cells, sensors and units that the BMS has no more: their owner can delete them."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from homeassistant.components import config
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.test_websocket import layout
from tools.simulator import BMS

OF_CELL_14 = ("cell_voltage_1_14", "cell_resistance_1_14")


def lose_cell(bms: BMS, unit: int = 1) -> None:
    """Have one cell less in a unit, as after the BMS was replaced."""
    bms.battery.units[unit - 1].cells.pop()
    bms._measured = None


def is_provided(rig: Rig, key: str) -> bool:
    """Tell whether the integration provides an entity; if not, Home Assistant offers Delete."""
    return not rig.state(key).attributes.get("restored", False)


def delete(rig: Rig, keys: Collection[str]) -> None:
    """Delete entities as their owner does, which is only offered for what is not provided."""
    for key in keys:
        assert not is_provided(rig, key)
        er.async_get(rig.hass).async_remove(rig.entity_id(key))


def registered(rig: Rig, keys: Collection[str]) -> bool:
    """Tell whether all of some keys are registered; some and others not is an error."""
    ids = {each.unique_id for each in rig.registered_entities()}
    (are,) = {f"{rig.entry.entry_id}_{key}" in ids for key in keys}
    return are


async def test_a_cell_that_is_gone_can_be_deleted_after_a_restart(running: Rig) -> None:
    await running.unload()
    running.sim.call(lose_cell, running.bms)
    await running.set_up()
    assert {running.shown(key) for key in OF_CELL_14} == {"unavailable"}
    assert is_provided(running, "cell_voltage_1_13")
    delete(running, OF_CELL_14)
    await running.reload()
    assert not registered(running, OF_CELL_14)
    assert running.number("cell_voltage_1_13") > 3


async def test_the_dashboard_is_told_of_a_cell_that_is_gone_until_it_is_deleted(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    async def told() -> bool:
        (battery,) = (await layout(running.hass, hass_ws_client))["batteries"]
        return "cell_voltage_1_14" in battery["entities"]

    await running.unload()
    running.sim.call(lose_cell, running.bms)
    await running.set_up()
    assert await told()
    delete(running, OF_CELL_14)
    assert not await told()


async def test_a_cell_that_vanishes_is_unavailable_until_the_next_start(running: Rig) -> None:
    running.sim.call(lose_cell, running.bms)
    for _ in range(3):
        await running.poll()
    assert {running.shown(key) for key in OF_CELL_14} == {"unavailable"}
    assert is_provided(running, "cell_voltage_1_14")


async def test_a_cell_that_was_gone_comes_back_by_itself(running: Rig) -> None:
    before = running.entity_id("cell_voltage_1_14")
    er.async_get(running.hass).async_update_entity(before, new_entity_id="sensor.my_cell")
    cell = running.bms.battery.units[0].cells[-1]
    await running.unload()
    running.sim.call(lose_cell, running.bms)
    await running.set_up()
    running.sim.call(running.bms.battery.units[0].cells.append, cell)
    for _ in range(3):
        await running.poll()
    assert running.entity_id("cell_voltage_1_14") == "sensor.my_cell"
    assert running.number("cell_voltage_1_14") > 3
    assert running.number("cell_resistance_1_14") > 0


async def test_a_sensor_that_read_well_only_once_can_be_deleted(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(sensors=2, absent_sensors=0)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    await rig.unload()
    sim.call(rig.bms.break_sensor, 1, 2, 85.0)
    await rig.set_up()
    assert is_provided(rig, "temperature_1_1")
    assert rig.shown("temperature_1_2") == "unavailable"
    sim.call(rig.bms.mend_sensor, 1, 2)
    await rig.poll()
    assert rig.number("temperature_1_2") > 0
    await rig.unload()
    sim.call(rig.bms.break_sensor, 1, 2, 85.0)
    await rig.set_up()
    delete(rig, ["temperature_1_2"])
    await rig.reload()
    assert not registered(rig, ["temperature_1_2"])


@pytest.mark.parametrize("known", [True, False])
async def test_the_only_sensor_comes_when_it_reads_well_if_it_did_not_at_the_start(
    hass: HomeAssistant, simulate: Simulate, known: bool
) -> None:
    sim = simulate(sensors=1)
    rig = Rig(hass, sim, entry_for(sim, scan_interval=10))
    if known:
        await rig.set_up()
        await rig.unload()
    sim.call(rig.bms.break_sensor, 1, 1, 85.0)
    await rig.set_up()
    await rig.poll(30)
    sim.call(rig.bms.mend_sensor, 1, 1)
    await rig.poll(30)
    assert rig.number("temperature_1_1") > 0


async def test_a_sensor_that_was_disabled_is_not_asked_for_because_it_is_gone(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(sensors=1)
    rig = Rig(hass, sim, entry_for(sim, scan_interval=10))
    await rig.set_up()
    er.async_get(hass).async_update_entity(
        rig.entity_id("temperature_1_1"), disabled_by=er.RegistryEntryDisabler.USER
    )
    await rig.unload()
    sim.call(rig.bms.break_sensor, 1, 1, 85.0)
    await rig.set_up()
    sim.log.clear()
    await rig.poll(30)
    assert "PTEM" not in rig.asked()


async def test_a_cell_whose_voltage_cannot_be_is_still_there(running: Rig) -> None:
    await running.unload()
    running.bms.settings["ODDC"] = 90.0
    await running.set_up()
    assert is_provided(running, "cell_voltage_1_1")
    assert running.shown("cell_voltage_1_1") == "unknown"


@pytest.mark.parametrize("code", ["CELL", "RINT", "PTEM"])
async def test_what_was_not_told_at_a_start_keeps_all_its_places(
    short_silence: None, running: Rig, code: str
) -> None:
    key = {"CELL": "cell_voltage", "RINT": "cell_resistance", "PTEM": "temperature"}[code]
    await running.unload()
    running.bms.unsupported.add(code)
    await running.set_up()
    assert running.shown(f"{key}_1_2") == "unavailable"
    assert is_provided(running, f"{key}_1_2")
    running.bms.unsupported.clear()
    await running.poll(3600)
    assert running.number(f"{key}_1_2") > 0


@pytest.fixture
async def pack(hass: HomeAssistant, simulate: Simulate) -> Rig:
    """A master at address 16 with two child units, the last of which went during a restart."""
    sim = simulate(addresses=[16], cells=[8, 8, 8], preset="kokam")
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    await rig.unload()
    sim.call(rig.bms.remove_unit)
    await rig.set_up()
    return rig


@pytest.mark.long
async def test_a_unit_that_is_gone_after_a_restart_is_deleted_with_its_entities(
    pack: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    assert not is_provided(pack, "cell_voltage_3_1")
    assert not is_provided(pack, "temperature_3_1")
    assert await deletes(pack, hass_ws_client, 3)
    assert [each for each in pack.devices() if each == pack.device(2)]
    assert len(pack.devices()) == 2
    assert not registered(pack, ["cell_voltage_3_1", "cell_resistance_3_8", "temperature_3_1"])
    await pack.reload()
    assert len(pack.devices()) == 2


@pytest.mark.long
async def test_a_unit_that_was_deleted_comes_back_with_its_device(
    pack: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    assert await deletes(pack, hass_ws_client, 3)
    pack.sim.call(pack.bms.add_unit, 8)
    for _ in range(4):
        await pack.poll()
    assert pack.number("cell_voltage_3_8") > 3
    assert pack.device(3).via_device_id == pack.device().id


async def test_units_that_are_there_cannot_be_deleted(
    pack: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    assert not await deletes(pack, hass_ws_client, 1)
    assert not await deletes(pack, hass_ws_client, 2)


async def test_while_the_entry_waits_for_its_bms_no_unit_can_be_deleted(
    short_silence: None, pack: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    pack.bms.silent = True
    await pack.unload()
    assert not await deletes(pack, hass_ws_client, 3)
    await pack.try_to_set_up()
    assert pack.entry.state is ConfigEntryState.SETUP_RETRY
    assert not await deletes(pack, hass_ws_client, 3)
    assert len(pack.devices()) == 3


async def deletes(rig: Rig, ws: WebSocketGenerator, unit: int) -> bool:
    """Delete a unit's device as its owner does; tell whether that was let through."""
    assert await async_setup_component(rig.hass, config.DOMAIN, {})
    client = await ws(rig.hass)
    await client.send_json_auto_id(
        {
            "type": "config/device_registry/remove_config_entry",
            "config_entry_id": rig.entry.entry_id,
            "device_id": rig.device(unit).id,
        }
    )
    answer = await client.receive_json()
    if not answer["success"]:
        assert answer["error"]["message"] == (
            "Failed to remove device entry, rejected by integration"
        )
    await rig.hass.async_block_till_done()
    return bool(answer["success"])
