"""Dialogs, cards of discovered adapters and BMSs, and what was ignored, all on one port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_USB, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog, Moving, discovered, ignore, plug_in
from tests.virtual.rig import Rig, entry_for, until
from tools.testkit.simulator_in_memory import SimulatorInMemory

SPEED = 56000

pytestmark = pytest.mark.usefixtures("short_silence")


def cards(hass: HomeAssistant) -> list[Any]:
    """Return the flows that offer an adapter."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == SOURCE_USB
    ]


@pytest.fixture
async def home(hass: HomeAssistant, simulate: Simulate) -> Rig:
    sim = simulate(baud=SPEED)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    return rig


@pytest.fixture
def replaced(simulate: Simulate) -> SimulatorInMemory:
    """The BMS at a new adapter."""
    return simulate(baud=SPEED)


# -- an adapter is offered, and a user begins by himself -----------------------------------------


async def test_a_bms_moves_to_an_adapter_that_is_on_offer_and_the_offer_goes(
    home: Rig, replaced: SimulatorInMemory
) -> None:
    await plug_in(home.hass, replaced)
    dialog = await Moving(home).open()
    await dialog.search(replaced.port)
    assert cards(home.hass)
    await dialog.confirm()
    assert home.entry.data["port"] == replaced.port
    assert not cards(home.hass)


async def test_a_bms_is_added_on_an_adapter_that_is_on_offer_and_the_offer_goes(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await plug_in(hass, replaced)
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await dialog.confirm()
    assert not cards(hass)


async def test_an_offer_stays_when_the_user_closes_his_own_dialog(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await plug_in(hass, replaced)
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    dialog.close()
    assert len(cards(hass)) == 1


async def test_the_offer_of_another_adapter_stays(
    hass: HomeAssistant, replaced: SimulatorInMemory, simulate: Simulate
) -> None:
    other = simulate(baud=SPEED)
    await plug_in(hass, other)
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await dialog.confirm()
    assert len(cards(hass)) == 1


async def test_an_offer_by_another_name_of_the_adapter_goes_too(
    hass: HomeAssistant, simulate: Simulate, tmp_path: Path
) -> None:
    link = tmp_path / "bms"
    sim = simulate(baud=SPEED, link=link)
    await plug_in(hass, sim, device=str(link.resolve()))
    dialog = await Dialog(hass).open()
    await dialog.search(str(link), address=1)
    await dialog.confirm()
    assert not cards(hass)


async def test_an_offer_that_a_user_took_up_and_that_searches_keeps_its_port(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    card = await plug_in(hass, replaced)
    await hass.config_entries.flow.async_configure(card["flow_id"], {})
    dialog = await Dialog(hass).open()
    await dialog.begin_search(replaced.port, address=1)
    assert (dialog.result["type"], dialog.result["reason"]) == (
        FlowResultType.ABORT,
        "already_in_progress",
    )
    await hass.async_block_till_done()


async def test_an_offer_that_was_taken_up_and_then_forgotten_hinders_nobody(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    card = await plug_in(hass, replaced)
    await hass.config_entries.flow.async_configure(card["flow_id"], {})
    await hass.async_block_till_done()
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await dialog.confirm()
    assert not cards(hass)


async def test_a_search_from_an_offer_that_finds_nothing_hinders_nobody(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    replaced.unplug()
    card = await plug_in(hass, replaced)
    await hass.config_entries.flow.async_configure(card["flow_id"], {})
    await hass.async_block_till_done()
    replaced.replug()
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await dialog.confirm()


async def test_an_adapter_is_not_offered_while_a_user_is_at_it(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    result = await plug_in(hass, replaced)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_in_progress")
    dialog.close()


async def test_of_two_users_at_one_adapter_the_second_gives_way_whatever_name_he_gives(
    hass: HomeAssistant, simulate: Simulate, tmp_path: Path
) -> None:
    link = tmp_path / "bms"
    sim = simulate(baud=SPEED, link=link)
    first = await Dialog(hass).open()
    await first.search(str(link), address=1)
    second = await Dialog(hass).open()
    await second.begin_search(str(link.resolve()), address=1)
    assert second.result["reason"] == "already_in_progress"
    await first.confirm()
    assert sim.log.requests()


# -- a BMS is offered that was found beside another ----------------------------------------------


async def offer_second(hass: HomeAssistant, sim: SimulatorInMemory, **changed: Any) -> Any:
    bms = {"port": sim.port, "baudrate": SPEED, "address": 2, "model": "REC", "cells": [14]}
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "integration_discovery"}, data={**bms, **changed}
    )


async def test_the_offer_of_the_very_bms_goes_when_an_entry_moves_to_it(
    home: Rig, simulate: Simulate
) -> None:
    other = simulate(baud=SPEED, addresses=[2])
    await offer_second(home.hass, other)
    await offer_second(home.hass, other, address=3)
    dialog = await Moving(home).open()
    await dialog.search(other.port, address=2)
    await dialog.confirm()
    (left,) = discovered(home.hass)
    assert left["context"]["unique_id"] == f"{other.port}#3"


async def test_a_bms_on_offer_is_set_up_at_the_speed_that_its_port_has_now(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=38400, addresses=[1, 2])
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    card = Dialog(hass)
    card.result = await offer_second(hass, sim, baudrate=SPEED)
    assert card.placeholders["baudrate"] == "38400"
    entry = await card.confirm()
    assert entry.data["baudrate"] == 38400
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_a_bms_on_offer_that_is_set_up_under_another_name_of_its_port_is_not_doubled(
    hass: HomeAssistant, simulate: Simulate, tmp_path: Path
) -> None:
    link = tmp_path / "bms"
    sim = simulate(baud=SPEED, addresses=[1, 2], link=link)
    rig = Rig(hass, sim, entry_for(sim, address=2))
    await rig.set_up()
    card = Dialog(hass)
    card.result = await offer_second(hass, sim, port=str(link.resolve()))
    await card.send(allow_changes=False)
    assert card.result["reason"] == "already_configured"


# -- ignored -------------------------------------------------------------------------------------


async def test_an_adapter_that_is_ignored_is_not_offered_again(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await plug_in(hass, replaced)
    await ignore(hass, cards(hass)[0]["context"]["unique_id"])
    result = await plug_in(hass, replaced)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_a_bms_can_be_added_on_an_adapter_that_is_ignored(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await ignore(hass, replaced.port)
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await dialog.confirm()


async def test_ignoring_an_adapter_does_not_end_a_users_dialog_on_it(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await plug_in(hass, replaced)
    dialog = await Dialog(hass).open()
    await dialog.search(replaced.port, address=1)
    await ignore(hass, replaced.port)
    assert not cards(hass)
    await dialog.confirm()


async def test_what_was_ignored_goes_when_an_entry_moves_to_it(
    home: Rig, simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    other = simulate(baud=SPEED, addresses=[2])
    await ignore(home.hass, f"{other.port}#2")
    dialog = await Moving(home).open()
    await dialog.search(other.port, address=2)
    await dialog.confirm()
    (left,) = home.hass.config_entries.async_entries(DOMAIN)
    assert (left.entry_id, left.unique_id) == (home.entry.entry_id, f"{other.port}#2")
    assert "already in use" not in caplog.text


async def test_what_was_ignored_stays_where_the_dialog_is_closed(
    home: Rig, simulate: Simulate
) -> None:
    other = simulate(baud=SPEED, addresses=[2])
    await ignore(home.hass, f"{other.port}#2")
    dialog = await Moving(home).open()
    await dialog.search(other.port, address=2)
    dialog.close()
    sources = [entry.source for entry in home.hass.config_entries.async_entries(DOMAIN)]
    assert SOURCE_IGNORE in sources


async def test_an_ignored_bms_is_set_up_from_the_offer_of_its_adapter(
    hass: HomeAssistant, replaced: SimulatorInMemory
) -> None:
    await ignore(hass, f"{replaced.port}#1")
    card = Dialog(hass)
    card.result = await plug_in(hass, replaced)
    await card.send()
    await card.wait()
    await card.confirm()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.source != SOURCE_IGNORE


async def test_an_entry_does_not_move_onto_another(home: Rig, simulate: Simulate) -> None:
    other = simulate(baud=SPEED, addresses=[2])
    dialog = await Moving(home).open()
    await dialog.search(other.port, address=2)
    second = Rig(home.hass, other, entry_for(other, address=2))
    await second.set_up()
    before = dict(home.entry.data)
    await dialog.send({})
    assert dialog.result["reason"] == "already_configured"
    assert home.entry.data == before
    await until(lambda: home.entry.state is ConfigEntryState.LOADED)
