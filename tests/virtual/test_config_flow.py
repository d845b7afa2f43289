"""The config flow: pick a port, wait for the search, confirm what was found."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant import config_entries
from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog
from tests.virtual.rig import Rig, entry_for, until
from tools.testkit.simulator_in_memory import SimulatorInMemory

FACTORY_SPEED = 56000
MODEL = "REC BMS 1Q VICTRON"


@pytest.fixture
def factory(simulate: Simulate) -> SimulatorInMemory:
    """A BMS as it comes from the factory: 56000 baud, address 1."""
    return simulate(baud=FACTORY_SPEED)


@pytest.fixture
async def dialog(hass: HomeAssistant) -> Dialog:
    return await Dialog(hass).open()


async def test_a_bms_as_it_leaves_the_factory_is_found_within_seconds(
    dialog: Dialog, factory: SimulatorInMemory
) -> None:
    began = asyncio.get_running_loop().time()
    await dialog.search(factory.port)
    assert dialog.step == "confirm"
    assert asyncio.get_running_loop().time() - began < 0.5


async def test_from_port_to_entry(dialog: Dialog, factory: SimulatorInMemory) -> None:
    await dialog.begin_search(factory.port)
    assert (dialog.step, dialog.result["type"]) == ("scan", FlowResultType.SHOW_PROGRESS)
    assert dialog.placeholders == {"port": factory.port}
    await dialog.wait()
    assert dialog.placeholders == {
        "model": MODEL,
        "address": "1",
        "baudrate": "56000",
        "units": "1",
        "cells": "14",
    }
    entry = await dialog.confirm()
    assert entry.title == MODEL
    assert entry.unique_id == f"{factory.port}#1"
    assert entry.data == {"port": factory.port, "baudrate": 56000, "address": 1}
    assert entry.options == {"scan_interval": 10, "allow_changes": False}


async def test_changes_are_allowed_where_the_user_says_so(
    dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await dialog.search(factory.port, address=1)
    assert (await dialog.confirm(allow_changes=True)).options["allow_changes"] is True


async def test_the_search_sends_nothing_but_questions(
    dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await dialog.search(factory.port, address=1)
    await dialog.confirm()
    assert not factory.log.sets
    assert not factory.log.overlaps


async def test_a_bar_shows_how_far_the_search_has_come(
    hass: HomeAssistant, dialog: Dialog, simulate: Simulate
) -> None:
    seen: list[float] = []

    def remember(event: Event) -> None:
        seen.append(event.data["progress"])

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, remember)
    await dialog.search(simulate(baud=38400).port)
    assert seen
    assert all(0 <= each <= 1 for each in seen)


async def test_another_speed_and_another_address_are_found(
    dialog: Dialog, simulate: Simulate
) -> None:
    sim = simulate(baud=38400, addresses=[16], units=2, cells=8)
    await dialog.search(sim.port)
    assert dialog.placeholders == {
        "model": MODEL,
        "address": "16",
        "baudrate": "38400",
        "units": "2",
        "cells": "8 + 8",
    }
    assert (await dialog.confirm()).data == {"port": sim.port, "baudrate": 38400, "address": 16}


async def test_speed_and_address_that_the_user_gives_are_taken(
    dialog: Dialog, simulate: Simulate
) -> None:
    sim = simulate(baud=19200, addresses=[77])
    await dialog.search(sim.port, speed="19200", address=77)
    assert (await dialog.confirm()).data == {"port": sim.port, "baudrate": 19200, "address": 77}
    assert {entry.address for entry in sim.log.requests()} == {77}


async def test_a_port_is_kept_by_the_name_that_stays(
    dialog: Dialog, simulate: Simulate, tmp_path: Path
) -> None:
    link = tmp_path / "by-id" / "usb-FTDI"
    sim = simulate(baud=FACTORY_SPEED, link=link)
    device = str(link.resolve())
    with patch(
        "custom_components.rec_bms.ports.usb.get_serial_by_id",
        side_effect=lambda port: str(link) if port == device else port,
    ):
        await dialog.search(device, address=1)
        entry = await dialog.confirm()
    assert entry.data["port"] == str(link)
    assert entry.unique_id == f"{link}#1"
    assert sim.log.requests()


async def test_another_name_of_the_same_adapter_leads_to_the_name_that_stays(
    dialog: Dialog, simulate: Simulate, tmp_path: Path
) -> None:
    link = tmp_path / "by-id" / "usb-FTDI"
    by_path = tmp_path / "by-path"
    simulate(baud=FACTORY_SPEED, link=link)
    by_path.symlink_to(link.resolve())
    with patch(
        "custom_components.rec_bms.ports.usb.get_serial_by_id",
        side_effect=lambda port: str(link) if port == str(link.resolve()) else port,
    ):
        await dialog.search(str(by_path), address=1)
        assert (await dialog.confirm()).data["port"] == str(link)


async def test_a_bms_that_does_not_tell_its_cells_is_set_up_all_the_same(
    short_silence: None, dialog: Dialog, simulate: Simulate
) -> None:
    sim = simulate(baud=FACTORY_SPEED, unsupported={"CELL"})
    await dialog.search(sim.port, address=1)
    assert (dialog.placeholders["units"], dialog.placeholders["cells"]) == ("?", "?")
    await dialog.confirm()


async def test_a_second_bms_of_the_same_model_has_its_address_in_its_title(
    hass: HomeAssistant, factory: SimulatorInMemory, simulate: Simulate
) -> None:
    other = simulate(baud=FACTORY_SPEED)
    first = await Dialog(hass).open()
    await first.search(factory.port, address=1)
    await first.confirm()
    second = await Dialog(hass).open()
    await second.search(other.port, address=1)
    assert (await second.confirm()).title == f"{MODEL} (1)"


# -- errors, and the way on from each ------------------------------------------------------------


async def finish_after_all(dialog: Dialog, sim: SimulatorInMemory, **options: Any) -> None:
    """Correct what was wrong: the dialog goes on where it stands."""
    assert dialog.step == "serial"
    await dialog.search(sim.port, **{"address": 1, **options})
    await dialog.confirm()


async def test_a_port_that_is_not_there(dialog: Dialog, factory: SimulatorInMemory) -> None:
    await dialog.search("/dev/serial-port-that-is-not-there")
    assert dialog.errors == {"base": "cannot_open"}
    assert "No such file" in dialog.placeholders["reason"]
    await finish_after_all(dialog, factory)


async def test_nobody_answers(dialog: Dialog, factory: SimulatorInMemory) -> None:
    factory.bms[1].silent = True
    await dialog.search(factory.port, speed="56000", address=1)
    assert dialog.errors == {"base": "no_bms"}
    factory.bms[1].silent = False
    await finish_after_all(dialog, factory)


async def test_what_the_user_typed_is_still_there_after_an_error(
    dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await dialog.search("/dev/nowhere", speed="38400", address=3)
    schema = dialog.result["data_schema"]
    assert schema is not None
    suggested = {str(key): key.description for key in schema.schema}
    assert suggested["port"] == {"suggested_value": "/dev/nowhere"}
    await finish_after_all(dialog, factory)


@pytest.fixture
async def beside(hass: HomeAssistant, simulate: Simulate) -> Rig:
    """A rig where one of two BMSs on a pair of wires is set up."""
    sim = simulate(baud=FACTORY_SPEED, addresses=[1, 2])
    rig = Rig(hass, sim, entry_for(sim, address=1))
    await rig.set_up()
    sim.log.clear()
    return rig


async def test_an_address_that_is_set_up_already(beside: Rig, dialog: Dialog) -> None:
    await dialog.search(beside.sim.port, address=1)
    assert dialog.errors == {"base": "address_configured"}
    assert not beside.sim.log.requests()
    await finish_after_all(dialog, beside.sim, address=2)


async def test_another_speed_than_that_at_which_the_port_runs(beside: Rig, dialog: Dialog) -> None:
    await dialog.search(beside.sim.port, speed="38400", address=2)
    assert dialog.errors == {"base": "other_speed"}
    assert dialog.placeholders == {"running": "56000"}
    assert not beside.sim.log.requests()
    await finish_after_all(dialog, beside.sim, speed="56000", address=2)


async def test_nobody_else_answers(beside: Rig, dialog: Dialog) -> None:
    await dialog.search(beside.sim.port, address=3)
    assert dialog.errors == {"base": "no_other_bms"}
    assert dialog.placeholders == {"running": "56000"}
    await finish_after_all(dialog, beside.sim, address=2)


# -- a port that an entry holds ------------------------------------------------------------------


async def test_the_search_goes_through_the_entrys_connection(beside: Rig, dialog: Dialog) -> None:
    await dialog.begin_search(beside.sim.port)
    await beside.poll()
    await dialog.wait()
    assert dialog.placeholders["address"] == "2"
    await dialog.confirm()
    assert beside.coordinator.last_update_success
    assert beside.coordinator.bms.client.connection.counters.opened == 1
    assert not beside.sim.log.overlaps
    assert "*IDN" not in {e.instruction for e in beside.sim.log.requests(address=1)}


async def test_a_failed_search_leaves_the_entrys_connection_open(
    beside: Rig, dialog: Dialog
) -> None:
    await dialog.search(beside.sim.port, address=3)
    assert dialog.errors
    await beside.poll()
    assert beside.coordinator.last_update_success
    assert beside.coordinator.bms.client.connection.counters.opened == 1


# -- more than one BMS ---------------------------------------------------------------------------


async def test_the_likeliest_of_several_is_set_up_without_a_look_at_the_others(
    dialog: Dialog, simulate: Simulate
) -> None:
    sim = simulate(baud=FACTORY_SPEED, addresses=[1, 2, 3])
    await dialog.search(sim.port)
    assert (await dialog.confirm()).data["address"] == 1
    assert {entry.address for entry in sim.log.requests()} == {1}


@pytest.mark.long
async def test_an_ignored_bms_can_be_set_up_by_hand_after_all(
    hass: HomeAssistant, dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": config_entries.SOURCE_IGNORE},
        data={"unique_id": f"{factory.port}#1", "title": "Ignored"},
    )
    await dialog.search(factory.port, address=1)
    await dialog.confirm()


async def test_the_same_bms_is_not_set_up_twice(
    hass: HomeAssistant, dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await dialog.search(factory.port, address=1)
    entry_for(factory).add_to_hass(hass)
    await dialog.send(allow_changes=False)
    assert (dialog.result["type"], dialog.result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )


# -- two dialogs, and closing one ----------------------------------------------------------------


async def test_a_second_dialog_on_the_same_port_gives_way(
    hass: HomeAssistant, dialog: Dialog, factory: SimulatorInMemory
) -> None:
    await dialog.begin_search(factory.port, address=1)
    second = await Dialog(hass).open()
    await second.begin_search(factory.port, address=1)
    assert (second.result["type"], second.result["reason"]) == (
        FlowResultType.ABORT,
        "already_in_progress",
    )
    await dialog.wait()
    await dialog.confirm()


async def test_dialogs_on_two_ports_do_not_hinder_each_other(
    hass: HomeAssistant, dialog: Dialog, factory: SimulatorInMemory, simulate: Simulate
) -> None:
    other = simulate(baud=FACTORY_SPEED)
    second = await Dialog(hass).open()
    await dialog.begin_search(factory.port, address=1)
    await second.begin_search(other.port, address=1)
    await dialog.wait()
    await second.wait()
    await dialog.confirm()
    await second.confirm()


async def test_closing_the_dialog_stops_the_search_and_frees_the_port(
    hass: HomeAssistant, dialog: Dialog, factory: SimulatorInMemory
) -> None:
    factory.bms[1].silent = True
    await dialog.begin_search(factory.port)
    await until(factory.log.requests)
    dialog.close()
    await until(lambda: not factory.is_open)
    factory.log.clear()
    await asyncio.sleep(0.5)
    assert not factory.log.requests()


async def test_a_port_pulled_during_the_search_is_told(
    dialog: Dialog, factory: SimulatorInMemory
) -> None:
    factory.bms[1].silent = True
    await dialog.begin_search(factory.port)
    await until(factory.log.requests)
    factory.unplug()
    await dialog.wait()
    assert dialog.errors == {"base": "cannot_open"}
    factory.replug()
    factory.bms[1].silent = False
    await finish_after_all(dialog, factory)


# -- URLs ------------------------------------------------------------------------------------------


async def test_a_url_that_serialx_does_not_know(dialog: Dialog) -> None:
    await dialog.search("carrier-pigeon://1")
    assert dialog.errors == {"base": "cannot_open"}


async def test_the_key_in_an_esphome_url_is_not_shown(dialog: Dialog) -> None:
    await dialog.begin_search("esphome://1.2.3.4/?key=SECRET&port_name=uart")
    assert "SECRET" not in str(dialog.result)
    await dialog.wait()
    assert dialog.errors == {"base": "cannot_open"}
    assert "SECRET" not in dialog.placeholders["reason"]
