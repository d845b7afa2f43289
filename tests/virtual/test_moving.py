"""A BMS moves to another port, speed or address; an adapter is plugged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.ports import async_get_ports
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog, Moving, plug_in
from tests.virtual.rig import Rig, entry_for

SPEED = 56000


@pytest.fixture
async def home(hass: HomeAssistant, simulate: Simulate) -> Rig:
    sim = simulate(baud=SPEED)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    return rig


@pytest.mark.long
async def test_a_bms_moves_to_another_port_and_keeps_its_entities(
    home: Rig, simulate: Simulate
) -> None:
    before = {each.entity_id for each in home.registered_entities()}
    other = simulate(baud=SPEED, addresses=[2])
    dialog = await Moving(home).open()
    await dialog.search(other.port, address=2)
    await dialog.confirm()
    assert home.entry.data == {"port": other.port, "baudrate": SPEED, "address": 2}
    assert home.entry.unique_id == f"{other.port}#2"
    assert home.entry.state is ConfigEntryState.LOADED
    assert {each.entity_id for each in home.registered_entities()} == before


@pytest.mark.long
async def test_a_bms_whose_speed_was_changed_is_found_on_its_own_port(home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port, address=1)
    await dialog.confirm()
    assert home.entry.data["baudrate"] == SPEED
    assert home.number("voltage") > 50


async def test_where_nothing_is_found_all_stays_as_it_was(short_silence: None, home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port, speed="56000", address=9)
    assert dialog.result["errors"] == {"base": "no_bms"}
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.LOADED
    assert home.number("voltage") > 50
    await dialog.search(home.sim.port)
    await dialog.confirm()


async def test_a_bms_whose_entry_does_not_run_can_be_moved(home: Rig) -> None:
    await home.unload()
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await dialog.confirm()
    assert home.entry.data["baudrate"] == SPEED
    assert home.entry.state is ConfigEntryState.LOADED


async def test_an_entry_that_was_never_set_up_is_moved_and_runs(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED)
    rig = Rig(hass, sim, entry_for(sim))
    rig.entry.add_to_hass(hass)
    dialog = await Moving(rig).open()
    await dialog.search(sim.port)
    await dialog.confirm()
    assert rig.entry.state is ConfigEntryState.LOADED
    assert hass.services.has_service(DOMAIN, "get_parameter")


async def test_an_entry_that_the_owner_disables_meanwhile_stays_disabled(
    short_silence: None, home: Rig
) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await home.hass.config_entries.async_set_disabled_by(
        home.entry.entry_id, ConfigEntryDisabler.USER
    )
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.NOT_LOADED


async def test_an_entry_that_the_owner_reloads_meanwhile_is_left_alone(home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await home.reload()
    coordinator = home.coordinator
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.coordinator is coordinator


async def test_closing_the_dialog_before_the_end_sets_up_again(home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.LOADED


@pytest.fixture
async def neighbour(hass: HomeAssistant, simulate: Simulate) -> tuple[Rig, Rig]:
    """Two BMSs on one pair of wires, both set up."""
    sim = simulate(baud=SPEED, addresses=[1, 2])
    rigs = [Rig(hass, sim, entry_for(sim, address=n, title=f"BMS {n}")) for n in (1, 2)]
    for rig in rigs:
        await rig.set_up()
    return rigs[0], rigs[1]


async def test_the_others_address_is_taken(neighbour: tuple[Rig, Rig]) -> None:
    dialog = await Moving(neighbour[0]).open()
    await dialog.search(neighbour[0].sim.port, address=2)
    assert dialog.result["errors"] == {"base": "address_configured"}
    dialog.close()


@pytest.mark.long
async def test_a_new_speed_is_that_of_the_others_too_after_saying_so(
    short_silence: None, neighbour: tuple[Rig, Rig]
) -> None:
    first, second = neighbour
    first.sim.line.wire.baud = 38400
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, speed="38400")
    assert dialog.result["step_id"] == "speed"
    assert dialog.result["description_placeholders"]["others"] == "BMS 2"
    await dialog.send({})
    await dialog.confirm()
    assert (first.entry.data["baudrate"], second.entry.data["baudrate"]) == (38400, 38400)
    assert first.entry.state is second.entry.state is ConfigEntryState.LOADED


@pytest.mark.long
async def test_where_the_new_speed_finds_nothing_the_others_go_on(
    short_silence: None, neighbour: tuple[Rig, Rig]
) -> None:
    first, second = neighbour
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, speed="38400")
    await dialog.send({})
    assert dialog.result["step_id"] == "reconfigure"
    await first.hass.async_block_till_done()
    assert first.entry.state is second.entry.state is ConfigEntryState.LOADED
    dialog.close()


@pytest.fixture
async def both_away(neighbour: tuple[Rig, Rig]) -> tuple[Rig, Rig]:
    """Two BMSs on one pair of wires that were given another speed; both entries wait for them."""
    neighbour[0].sim.line.wire.baud = 38400
    for rig in neighbour:
        await rig.hass.config_entries.async_reload(rig.entry.entry_id)
        assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    return neighbour


@pytest.mark.long
@pytest.mark.parametrize("speed", ["automatic", "38400"])
async def test_of_two_that_wait_for_their_bmss_one_takes_the_other_along(
    short_silence: None, both_away: tuple[Rig, Rig], speed: str
) -> None:
    first, second = both_away
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, speed)
    assert dialog.step == "speed"
    assert dialog.placeholders == {
        "port": first.sim.port,
        "baudrate": "38400",
        "others": "BMS 2",
    }
    await dialog.look_again()
    assert dialog.placeholders["others"] == "BMS 2"
    await dialog.send({})
    await dialog.confirm()
    assert (first.entry.data["baudrate"], second.entry.data["baudrate"]) == (38400, 38400)
    assert first.entry.state is second.entry.state is ConfigEntryState.LOADED


async def test_a_second_look_at_what_was_found_does_not_pass_the_others_names_by(
    short_silence: None, both_away: tuple[Rig, Rig]
) -> None:
    """The page and Home Assistant itself may both go on from the end of a search."""
    first, _ = both_away
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port)
    assert dialog.step == "speed"
    flow = first.hass.config_entries.flow._progress[dialog.result["flow_id"]]
    assert (await flow.async_step_confirm())["step_id"] == "speed"
    dialog.close()


async def test_nothing_changes_for_the_others_where_the_dialog_is_closed_at_their_names(
    short_silence: None, both_away: tuple[Rig, Rig]
) -> None:
    first, second = both_away
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port)
    assert dialog.step == "speed"
    dialog.close()
    await first.hass.async_block_till_done()
    assert (first.entry.data["baudrate"], second.entry.data["baudrate"]) == (SPEED, SPEED)
    assert first.entry.state is second.entry.state is ConfigEntryState.SETUP_RETRY


async def test_one_that_is_disabled_gets_the_new_speed_and_stays_disabled(
    short_silence: None, neighbour: tuple[Rig, Rig]
) -> None:
    first, second = neighbour
    await first.hass.config_entries.async_set_disabled_by(
        second.entry.entry_id, ConfigEntryDisabler.USER
    )
    first.sim.line.wire.baud = 38400
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port)
    assert dialog.placeholders["others"] == "BMS 2"
    await dialog.send({})
    await dialog.confirm()
    assert second.entry.data["baudrate"] == 38400
    assert second.entry.state is ConfigEntryState.NOT_LOADED
    assert first.entry.state is ConfigEntryState.LOADED


async def test_one_that_came_to_the_port_while_the_dialog_was_open_is_named_too(
    short_silence: None, home: Rig
) -> None:
    dialog = await Moving(home).open()
    home.sim.line.wire.baud = 38400
    await dialog.search(home.sim.port)
    assert dialog.step == "confirm"
    late = Rig(home.hass, home.sim, entry_for(home.sim, address=2, baudrate=SPEED, title="Late"))
    late.entry.add_to_hass(home.hass)
    await dialog.send({})
    assert (dialog.step, dialog.placeholders["others"]) == ("speed", "Late")
    await dialog.send({})
    await dialog.confirm()
    assert late.entry.data["baudrate"] == 38400


@pytest.mark.long
async def test_one_that_was_deleted_while_the_dialog_was_open_is_forgotten(
    short_silence: None, both_away: tuple[Rig, Rig]
) -> None:
    first, second = both_away
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port)
    await first.hass.config_entries.async_remove(second.entry.entry_id)
    await dialog.send({})
    await dialog.confirm()
    assert first.entry.state is ConfigEntryState.LOADED


async def test_one_that_failed_at_the_ports_old_speed_runs_at_the_new_one(
    short_silence: None, hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED, addresses=[1, 2])
    wrong = Rig(hass, sim, entry_for(sim, address=1, baudrate=38400))
    right = Rig(hass, sim, entry_for(sim, address=2))
    await wrong.try_to_set_up()
    connection = await async_get_ports(hass).acquire(sim.port, 38400)
    await hass.config_entries.async_add(right.entry)
    await async_get_ports(hass).release(connection)
    assert right.entry.state is ConfigEntryState.SETUP_ERROR
    dialog = await Moving(wrong).open()
    await dialog.search(sim.port)
    await dialog.confirm()
    assert wrong.entry.state is right.entry.state is ConfigEntryState.LOADED


@pytest.mark.long
async def test_one_that_is_added_takes_those_along_that_wait_at_the_old_speed(
    short_silence: None, both_away: tuple[Rig, Rig]
) -> None:
    home, other = both_away
    await home.hass.config_entries.async_remove(other.entry.entry_id)
    dialog = await Dialog(home.hass).open()
    await dialog.search(home.sim.port, address=2)
    assert dialog.step == "speed"
    assert dialog.placeholders["others"] == home.entry.title
    await dialog.send()
    entry = await dialog.confirm()
    assert (entry.data["baudrate"], home.entry.data["baudrate"]) == (38400, 38400)
    assert home.entry.state is ConfigEntryState.LOADED


async def test_where_others_run_automatic_goes_at_their_speed_and_says_so(
    short_silence: None, neighbour: tuple[Rig, Rig]
) -> None:
    first, _ = neighbour
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, address=9)
    assert dialog.result["errors"] == {"base": "no_other_bms"}
    assert dialog.placeholders == {"running": str(SPEED)}
    dialog.close()


# -- one adapter by two names --------------------------------------------------------------------


@pytest.fixture
async def by_device(
    hass: HomeAssistant, simulate: Simulate, tmp_path: Path
) -> AsyncIterator[tuple[Rig, str]]:
    """An entry that goes by /dev/ttyUSB0, and the name that its adapter keeps."""
    link = tmp_path / "by-id" / "usb-FTDI"
    sim = simulate(baud=SPEED, addresses=[1, 2], link=link)
    device = str(link.resolve())
    entry = entry_for(sim)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, unique_id=f"{device}#1", data={**entry.data, "port": device}
    )
    rig = Rig(hass, sim, entry)
    await rig.set_up()
    with patch(
        "custom_components.rec_bms.ports.usb.get_serial_by_id",
        side_effect=lambda port: str(link) if port == device else port,
    ):
        yield rig, str(link)


async def test_a_bms_is_not_added_twice_by_two_names_of_its_adapter(
    by_device: tuple[Rig, str],
) -> None:
    rig, stable = by_device
    dialog = await Dialog(rig.hass).open()
    await dialog.search(stable, address=1)
    assert dialog.errors == {"base": "address_configured"}
    dialog.close()


async def test_a_search_by_another_name_leaves_out_what_is_set_up(
    short_silence: None, by_device: tuple[Rig, str]
) -> None:
    rig, stable = by_device
    dialog = await Dialog(rig.hass).open()
    await dialog.search(stable)
    assert dialog.placeholders["address"] == "2"
    entry = await dialog.confirm()
    assert entry.unique_id == f"{stable}#2"
    assert rig.coordinator.bms.client.connection is entry.runtime_data.bms.client.connection


async def test_an_adapter_that_is_in_use_by_another_name_is_not_offered(
    by_device: tuple[Rig, str],
) -> None:
    rig, stable = by_device
    result = await plug_in(rig.hass, rig.sim, device=stable)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_reconfiguring_renews_the_name_of_the_port(by_device: tuple[Rig, str]) -> None:
    rig, stable = by_device
    dialog = await Moving(rig).open()
    await dialog.search(rig.entry.data["port"])
    await dialog.confirm()
    assert rig.entry.data["port"] == stable
    assert rig.entry.unique_id == f"{stable}#1"
    assert rig.entry.state is ConfigEntryState.LOADED


@pytest.mark.long
async def test_an_entry_is_taken_off_its_port_whatever_its_name_there(
    short_silence: None, by_device: tuple[Rig, str]
) -> None:
    rig, stable = by_device
    rig.sim.line.wire.baud = 38400
    dialog = await Moving(rig).open()
    await dialog.search(stable)
    await dialog.confirm()
    assert rig.entry.data["baudrate"] == 38400


# -- an adapter is plugged in --------------------------------------------------------------------


async def test_an_adapter_is_offered_and_nothing_is_sent_before_the_user_agrees(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED)
    flow = hass.config_entries.flow
    result = await plug_in(hass, sim)
    assert result["step_id"] == "usb_confirm"
    assert not sim.log.requests()
    result = await flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done()
    result = await flow.async_configure(result["flow_id"])
    result = await flow.async_configure(result["flow_id"], {"allow_changes": False})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_an_adapter_that_is_in_use_is_not_offered(hass: HomeAssistant, home: Rig) -> None:
    result = await plug_in(hass, home.sim)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_an_adapter_is_offered_although_some_bms_is_ignored(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED)
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": f"{sim.port}#2", "title": "Ignored"},
    )
    assert (await plug_in(hass, sim))["step_id"] == "usb_confirm"
