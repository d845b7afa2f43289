"""Setting an entry up, unloading it, reloading it; Home Assistant restarting."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.rec_bms.protocol.rs485.connection import Connection
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.simulator import BMS
from tools.testkit.simulator_in_memory import SimulatorInMemory


async def wait_out_the_retry(hass: HomeAssistant) -> None:
    """Let Home Assistant's own wait before it tries again pass."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=1))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_bms_shows_up(running: Rig) -> None:
    assert running.number("voltage") == pytest.approx(55.5, abs=0.2)


async def test_a_bms_that_does_not_tell_its_versions_has_none(rig: Rig) -> None:
    rig.bms.unsupported.update({"SWVR", "HWVR"})
    await rig.set_up()
    (device,) = dr.async_entries_for_config_entry(dr.async_get(rig.hass), rig.entry.entry_id)
    assert (device.sw_version, device.hw_version) == (None, None)
    assert device.model == "REC BMS 1Q VICTRON"


async def test_unloading_takes_the_entities_away_and_closes_the_port(running: Rig) -> None:
    connection: Connection = running.coordinator.bms.client.connection
    await running.unload()
    assert running.entry.state is ConfigEntryState.NOT_LOADED
    assert running.shown("voltage") == "unavailable"
    assert not connection._transport.is_open


async def test_nothing_is_asked_after_unloading(running: Rig) -> None:
    await running.unload()
    running.sim.log.clear()
    async_fire_time_changed(running.hass, dt_util.utcnow() + timedelta(hours=1))
    await running.hass.async_block_till_done(wait_background_tasks=True)
    assert not running.sim.log.requests()


async def test_reloading_reads_everything_anew(running: Rig) -> None:
    running.sim.call(running.bms.set_value, "CMAX", 4.15)
    await running.reload()
    assert running.number("cmax") == 4.15


async def test_after_a_restart_entities_and_devices_are_the_same(running: Rig) -> None:
    def everything() -> set[tuple[str, str, str | None]]:
        return {
            (each.entity_id, each.unique_id, each.device_id)
            for each in running.registered_entities()
        }

    before = everything()
    await running.unload()
    await running.set_up()
    assert everything() == before


async def test_entities_are_there_after_a_restart_even_if_the_bms_answers_less(
    short_silence: None,
    running: Rig,
) -> None:
    await running.unload()
    running.bms.unsupported.add("RINT")
    await running.set_up()
    assert running.shown("cell_resistance_1_1") == "unavailable"
    assert running.shown("cell_voltage_1_1") != "unavailable"


async def test_a_silent_bms_is_tried_again_until_it_answers(short_silence: None, rig: Rig) -> None:
    rig.bms.silent = True
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    rig.bms.silent = False
    await wait_out_the_retry(rig.hass)
    assert rig.entry.state is ConfigEntryState.LOADED
    assert rig.number("voltage") > 50


async def test_a_missing_port_is_tried_again_until_it_is_there(rig: Rig) -> None:
    rig.sim.unplug()
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    assert rig.entry.error_reason_translation_key == "port_failed"
    rig.sim.replug()
    rig.hass.config_entries.async_update_entry(
        rig.entry, data={**rig.entry.data, "port": rig.sim.port}
    )
    await wait_out_the_retry(rig.hass)
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_a_failed_setup_leaves_no_port_open(short_silence: None, rig: Rig) -> None:
    rig.bms.silent = True
    await rig.try_to_set_up()
    assert not rig.sim.is_open


async def test_the_device_is_what_the_bms_says(running: Rig) -> None:
    device = running.device()
    assert (device.name, device.manufacturer, device.model) == (
        "REC BMS 1Q VICTRON",
        "REC",
        "REC BMS 1Q VICTRON",
    )
    assert (device.sw_version, device.hw_version) == ("2.35", "2.0")
    assert device.via_device_id is None


@pytest.fixture
def pack(simulate: Simulate) -> SimulatorInMemory:
    """A master at address 16 with two child units."""
    return simulate(addresses=[16], cells=[14, 12, 8], preset="kokam")


@pytest.fixture
async def three_units(hass: HomeAssistant, pack: SimulatorInMemory) -> Rig:
    rig = Rig(hass, pack, entry_for(pack, address=16))
    await rig.set_up()
    return rig


async def test_each_child_unit_is_a_device_behind_the_main_one(three_units: Rig) -> None:
    assert len(three_units.devices()) == 3
    for number in (2, 3):
        unit = three_units.device(number)
        assert unit.name == f"REC BMS 1Q VICTRON unit {number}"
        assert unit.via_device_id == three_units.device().id


@pytest.mark.parametrize("unit", [1, 2, 3])
async def test_cells_and_sensors_sit_on_the_device_of_their_unit(
    three_units: Rig, unit: int
) -> None:
    for key in ("cell_voltage", "cell_resistance", "temperature"):
        assert three_units.registered(f"{key}_{unit}_1").device_id == three_units.device(unit).id


async def test_each_unit_has_the_cells_that_it_has(three_units: Rig) -> None:
    cells = [
        sum(
            each.unique_id.startswith(f"{three_units.entry.entry_id}_cell_voltage_{unit}_")
            for each in three_units.registered_entities()
        )
        for unit in (1, 2, 3)
    ]
    assert cells == [14, 12, 8]


async def test_a_new_unit_brings_its_device_and_entities_while_running(
    three_units: Rig,
) -> None:
    three_units.sim.call(three_units.bms.add_unit, 4)
    for _ in range(3):
        await three_units.poll()
    assert three_units.number("cell_voltage_4_4") > 3


async def test_a_unit_that_vanishes_is_unavailable_and_can_be_deleted(three_units: Rig) -> None:
    three_units.sim.call(three_units.bms.remove_unit)
    for _ in range(3):
        await three_units.poll()
    assert three_units.shown("cell_voltage_3_1") == "unavailable"
    assert three_units.shown("cell_voltage_2_1") != "unavailable"
    assert [await three_units.may_be_deleted(unit) for unit in (1, 2, 3)] == [False, False, True]


@pytest.mark.long
@pytest.mark.parametrize("layout", ["frames", "single"])
async def test_units_that_appear_and_vanish_are_followed_in_both_layouts(
    hass: HomeAssistant, simulate: Simulate, layout: Any
) -> None:
    sim = simulate(bms=[BMS(16, cells=[8, 8], layout=layout, time_factor=0)])
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    # One frame for all is taken for that only when it has come twice (the second poll).
    await rig.poll()
    assert [rig.number(f"cell_voltage_{unit}_8") > 3 for unit in (1, 2)] == [True, True]

    sim.call(rig.bms.add_unit, 8)
    for _ in range(4):
        await rig.poll()
    assert rig.number("cell_voltage_3_8") > 3
    assert rig.device(3).via_device_id == rig.device().id

    sim.call(rig.bms.remove_unit)
    for _ in range(4):
        await rig.poll()
    assert rig.shown("cell_voltage_3_8") == "unavailable"
    assert rig.number("cell_voltage_2_8") > 3
    assert [await rig.may_be_deleted(unit) for unit in (2, 3)] == [False, True]
    registry = dr.async_get(hass)
    registry.async_remove_device(rig.device(3).id)
    await hass.async_block_till_done()
    assert len(rig.devices()) == 2

    sim.call(rig.bms.add_unit, 8)
    for _ in range(4):
        await rig.poll()
    assert len(rig.devices()) == 3
    assert rig.number("cell_voltage_3_8") > 3
