"""A BMS moves to another port, speed or address; an adapter is plugged in."""

from __future__ import annotations

import pytest
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.rec_bms.const import DOMAIN
from tests.integration.conftest import Simulate
from tests.integration.dialogs import Moving, plug_in
from tests.integration.house import House, entry_for

SPEED = 56000


@pytest.fixture
async def home(hass: HomeAssistant, simulate: Simulate) -> House:
    sim = simulate(baud=SPEED)
    house = House(hass, sim, entry_for(sim))
    await house.set_up()
    return house


async def test_a_bms_moves_to_another_port_and_keeps_its_entities(
    home: House, simulate: Simulate
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


async def test_a_bms_whose_speed_was_changed_is_found_on_its_own_port(home: House) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port, address=1)
    await dialog.confirm()
    assert home.entry.data["baudrate"] == SPEED
    assert home.number("voltage") > 50


async def test_where_nothing_is_found_all_stays_as_it_was(short_silence: None, home: House) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port, speed="56000", address=9)
    assert dialog.result["errors"] == {"base": "no_bms"}
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.LOADED
    assert home.number("voltage") > 50
    await dialog.search(home.sim.port)
    await dialog.confirm()


async def test_a_bms_whose_entry_does_not_run_can_be_moved(home: House) -> None:
    await home.unload()
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await dialog.confirm()
    assert home.entry.data["baudrate"] == SPEED
    assert home.entry.state is ConfigEntryState.LOADED


async def test_an_entry_that_the_owner_disables_meanwhile_stays_disabled(
    short_silence: None, home: House
) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await home.hass.config_entries.async_set_disabled_by(
        home.entry.entry_id, ConfigEntryDisabler.USER
    )
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.NOT_LOADED


async def test_an_entry_that_the_owner_sets_up_meanwhile_is_left_alone(home: House) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    await home.set_up()
    coordinator = home.coordinator
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.coordinator is coordinator


async def test_closing_the_dialog_before_the_end_sets_up_again(home: House) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    dialog.close()
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.LOADED


@pytest.fixture
async def neighbour(hass: HomeAssistant, simulate: Simulate) -> tuple[House, House]:
    """Two BMSs on one pair of wires, both set up."""
    sim = simulate(baud=SPEED, addresses=[1, 2])
    houses = [House(hass, sim, entry_for(sim, address=n, title=f"BMS {n}")) for n in (1, 2)]
    for house in houses:
        await house.set_up()
    return houses[0], houses[1]


async def test_the_others_address_is_taken(neighbour: tuple[House, House]) -> None:
    dialog = await Moving(neighbour[0]).open()
    await dialog.search(neighbour[0].sim.port, address=2)
    assert dialog.result["errors"] == {"base": "address_configured"}
    dialog.close()


async def test_a_new_speed_is_that_of_the_others_too_after_saying_so(
    short_silence: None, neighbour: tuple[House, House]
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


async def test_where_the_new_speed_finds_nothing_the_others_go_on(
    short_silence: None, neighbour: tuple[House, House]
) -> None:
    first, second = neighbour
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, speed="38400")
    await dialog.send({})
    assert dialog.result["step_id"] == "reconfigure"
    await first.hass.async_block_till_done()
    assert first.entry.state is second.entry.state is ConfigEntryState.LOADED
    dialog.close()


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


async def test_an_adapter_that_is_in_use_is_not_offered(hass: HomeAssistant, home: House) -> None:
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
