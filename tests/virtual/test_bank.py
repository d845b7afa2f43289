"""A bank: several batteries as one, which follows them as they tell, come and go."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.rec_bms import async_remove_config_entry_device
from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.diagnostics import async_get_config_entry_diagnostics
from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.rs485.client import Client, Response
from custom_components.rec_bms.protocol.rs485.instructions import Instruction
from custom_components.rec_bms.protocol.state import State
from tests.virtual.banks import Bank, bank_entry, bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for, passes

KEYS = {
    "voltage",
    "current",
    "power",
    "state_of_charge",
    "stored_energy",
    "energy_charged",
    "energy_discharged",
    "time_to_full",
    "time_to_empty",
    "min_cell_voltage",
    "max_cell_voltage",
    "cell_voltage_delta",
    "max_temperature",
    "problem",
    "charging",
}
NEVER_UNKNOWN = KEYS - {"time_to_full", "time_to_empty"}


@pytest.fixture
async def members(hass: HomeAssistant, simulate: Simulate) -> tuple[Rig, ...]:
    """Two batteries that are alike but for what they can hold and what they hold."""
    rigs = batteries(hass, simulate, {}, {})
    for rig, capacity, charge in zip(rigs, (450, 150), (0.8, 0.4), strict=True):
        await rig.set_up()
        rig.sim.call(rig.bms.set_value, "CAPA", capacity)
        rig.bms.charge = charge
    for rig in rigs:
        await rig.reload()
    return rigs


@pytest.fixture
async def bank(hass: HomeAssistant, members: tuple[Rig, ...]) -> Bank:
    return await bank_of(hass, *members)


def all_shown(bank: Bank) -> dict[str, str]:
    return {key: bank.shown(key) for key in sorted(KEYS)}


def is_silent(bank: Bank) -> bool:
    """Tell whether a bank says nothing at all."""
    return set(all_shown(bank).values()) == {"unavailable"}


def says_all(bank: Bank) -> bool:
    """Tell whether a bank says all that there is to say at any time."""
    return not {bank.shown(key) for key in NEVER_UNKNOWN} & {"unavailable", "unknown"}


async def flow(bank: Bank, *amperes: float) -> None:
    """Let a current flow through each member, and have it noticed."""
    for member, each in zip(bank.members, amperes, strict=True):
        member.sim.call(member.bms.set_current, each)
    await bank.poll_members()


# -- what it shows ---------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_bank_has_its_entities_on_a_device_of_its_own(bank: Bank) -> None:
    keys = {
        each.unique_id.removeprefix(f"{bank.entry.entry_id}_")
        for each in bank.registered_entities()
    }
    assert keys == KEYS
    (device,) = bank.devices()
    assert device.name == "Bank"
    assert {each.device_id for each in bank.registered_entities()} == {device.id}
    assert says_all(bank)


@pytest.mark.long
async def test_in_parallel_it_shows_the_sum_of_currents_and_the_voltage_of_all(bank: Bank) -> None:
    await flow(bank, 20, 10)
    volts, amperes = bank.told("voltage"), bank.told("current")
    assert bank.number("voltage") == pytest.approx(sum(volts) / 2, abs=0.001)
    assert bank.number("current") == pytest.approx(sum(amperes), abs=0.01)
    assert bank.number("power") == pytest.approx(sum(bank.told("power")), abs=0.15)
    assert bank.shown("charging") == "on"
    assert bank.shown("problem") == "off"


@pytest.mark.long
async def test_in_series_it_shows_the_sum_of_voltages_and_the_current_through_all(
    hass: HomeAssistant, members: tuple[Rig, ...]
) -> None:
    bank = await bank_of(hass, *members, wiring="series")
    await flow(bank, 20, 20)  # a current that turns round is taken as it is
    await flow(bank, -20, -20)
    assert bank.number("voltage") == pytest.approx(sum(bank.told("voltage")), abs=0.001)
    assert bank.number("current") == pytest.approx(-20, abs=0.05)
    assert bank.number("power") == pytest.approx(sum(bank.told("power")), abs=0.15)
    assert bank.shown("charging") == "off"
    # The weaker of them is empty first.
    assert bank.number("time_to_empty") == min(bank.told("time_to_empty"))


async def test_the_state_of_charge_is_weighed_by_capacity(bank: Bank) -> None:
    charges = bank.told("state_of_charge")
    assert bank.number("state_of_charge") == pytest.approx(
        (450 * charges[0] + 150 * charges[1]) / 600, abs=0.1
    )
    assert bank.number("stored_energy") == pytest.approx(sum(bank.told("stored_energy")), abs=0.011)


@pytest.mark.long
async def test_the_time_left_is_that_of_all_together(bank: Bank) -> None:
    await flow(bank, 100, 20)  # a current that turns round is taken as it is
    await flow(bank, -100, -20)
    for _ in range(60):
        await bank.poll_members()
    assert bank.shown("time_to_full") == "unknown"
    ampere_hours = sum(bank.told("remaining_capacity"))
    assert bank.number("time_to_empty") == pytest.approx(ampere_hours / 120, abs=0.1)


@pytest.mark.long
async def test_extremes_tell_the_battery_the_unit_and_the_cell(bank: Bank) -> None:
    second = bank.members[1]
    second.sim.call(second.bms.battery.cell(1, 5).rest_at, 3.4)
    await bank.poll_members()
    low = bank.state("min_cell_voltage")
    assert float(low.state) == second.number("min_cell_voltage")
    assert {key: low.attributes[key] for key in ("battery", "unit", "cell")} == {
        "battery": "Battery 2",
        "unit": 1,
        "cell": 5,
    }
    spread = max(bank.told("max_cell_voltage")) - min(bank.told("min_cell_voltage"))
    assert bank.number("cell_voltage_delta") == pytest.approx(spread, abs=0.0011)
    hot = bank.state("max_temperature")
    assert float(hot.state) == max(bank.told("max_temperature"))
    assert hot.attributes["battery"] in ("Battery 1", "Battery 2")
    assert hot.attributes["sensor"] is not None


@pytest.mark.long
async def test_an_error_of_one_is_a_problem_also_while_another_is_away(
    short_silence: None, bank: Bank
) -> None:
    first, second = bank.members
    first.sim.call(first.bms.raise_error, 2)
    await bank.poll_members()
    assert bank.shown("problem") == "on"
    second.bms.silent = True
    await bank.poll_members()
    assert bank.shown("problem") == "on"
    assert bank.shown("voltage") == "unavailable"
    first.sim.call(first.bms.clear_error)
    await bank.poll_members()
    assert bank.shown("problem") == "unavailable"
    second.bms.silent = False
    await bank.poll_members()
    assert bank.shown("problem") == "off"


async def test_batteries_of_too_different_voltage_have_none_in_common(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    members = batteries(hass, simulate, {"cells": 14}, {"cells": 7})
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    assert bank.shown("voltage") == "unknown"
    assert bank.number("power") == pytest.approx(sum(bank.told("power")), abs=0.15)


async def test_what_one_member_does_not_know_is_not_known_of_the_bank(bank: Bank) -> None:
    second = bank.members[1]
    nonsense = {"current": None, "min_cell_voltage": None, "capa": None}
    second.coordinator.data = having_told(second, **nonsense)
    bank.coordinator.review()
    unknown = {key for key in KEYS if bank.shown(key) == "unknown"}
    assert unknown == {
        "current",
        "power",
        "charging",
        "state_of_charge",
        "stored_energy",
        "time_to_full",
        "time_to_empty",
        "min_cell_voltage",
        "cell_voltage_delta",
    }
    attributes = bank.state("min_cell_voltage").attributes
    assert {attributes[key] for key in ("battery", "unit", "cell")} == {None}


@pytest.mark.long
async def test_members_of_which_nothing_is_enabled_are_asked_all_the_same(
    hass: HomeAssistant, bank: Bank
) -> None:
    registry = er.async_get(hass)
    for member in bank.members:
        for each in member.registered_entities():
            registry.async_update_entity(each.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
        await member.reload()
    await bank.poll_members()
    assert says_all(bank)
    assert bank.state("min_cell_voltage").attributes["cell"] is not None


# -- members that come and go ----------------------------------------------------------------------


@pytest.mark.long
async def test_while_a_member_is_away_it_says_nothing_and_then_goes_on(
    short_silence: None, bank: Bank
) -> None:
    second = bank.members[1]
    second.bms.silent = True
    await bank.poll_members()
    assert is_silent(bank)
    await bank.poll_members()
    assert is_silent(bank)
    second.bms.silent = False
    await bank.poll_members()
    assert says_all(bank)


@pytest.mark.long
async def test_a_member_that_is_unloaded_silences_it_and_one_that_is_loaded_brings_it_back(
    hass: HomeAssistant, bank: Bank
) -> None:
    second = bank.members[1]
    await second.unload()
    assert is_silent(bank)
    await bank.members[0].poll()
    assert is_silent(bank)
    await second.try_to_set_up()
    assert says_all(bank)


@pytest.mark.long
async def test_after_a_reload_of_a_member_it_hears_the_new_one(bank: Bank) -> None:
    first, second = bank.members
    old = second.coordinator
    await second.reload()
    assert second.coordinator is not old
    assert says_all(bank)
    await flow(bank, 0, 30)
    assert bank.number("current") == pytest.approx(30, abs=0.1)
    # The old coordinator has nothing to say any more.
    assert not old._listeners
    assert first.number("current") == pytest.approx(0, abs=0.1)


@pytest.mark.long
async def test_a_member_that_is_disabled_silences_it(hass: HomeAssistant, bank: Bank) -> None:
    second = bank.members[1]
    await hass.config_entries.async_set_disabled_by(second.entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert is_silent(bank)
    await hass.config_entries.async_set_disabled_by(second.entry.entry_id, None)
    await hass.async_block_till_done()
    assert says_all(bank)


async def test_a_member_that_is_deleted_silences_it_and_a_repair_issue_says_why(
    hass: HomeAssistant, bank: Bank
) -> None:
    issues = ir.async_get(hass)
    issue_id = f"members_{bank.entry.entry_id}"
    assert issues.async_get_issue(DOMAIN, issue_id) is None
    await hass.config_entries.async_remove(bank.members[1].entry.entry_id)
    await hass.async_block_till_done()
    assert is_silent(bank)
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"title": "Bank", "gone": "1"}
    # Also after a restart.
    await bank.reload()
    assert is_silent(bank)
    assert issues.async_get_issue(DOMAIN, issue_id) is not None
    await hass.config_entries.async_remove(bank.entry.entry_id)
    await hass.async_block_till_done()
    assert issues.async_get_issue(DOMAIN, issue_id) is None


@pytest.mark.long
async def test_a_bank_that_is_unloaded_takes_its_issue_along_unless_it_is_ignored(
    hass: HomeAssistant, bank: Bank
) -> None:
    issue_id = f"members_{bank.entry.entry_id}"
    await hass.config_entries.async_remove(bank.members[1].entry.entry_id)
    await bank.unload()
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
    await bank.set_up()
    ir.async_ignore_issue(hass, DOMAIN, issue_id, ignore=True)
    await bank.unload()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.dismissed_version is not None


@pytest.mark.long
async def test_a_member_that_is_renamed_is_called_so(hass: HomeAssistant, bank: Bank) -> None:
    def lowest_at() -> str:
        return str(bank.state("min_cell_voltage").attributes["battery"])

    second = bank.members[1]
    second.sim.call(second.bms.battery.cell(1, 5).rest_at, 3.4)
    await bank.poll_members()
    hass.config_entries.async_update_entry(second.entry, title="Starboard")
    assert lowest_at() == "Starboard"
    dr.async_get(hass).async_update_device(second.device().id, name_by_user="Port side")
    await bank.poll_members()
    assert lowest_at() == "Port side"


async def test_it_is_told_by_its_members_and_asks_them_nothing(bank: Bank) -> None:
    first, second = bank.members
    for member in bank.members:
        member.sim.log.clear()
    first.sim.call(first.bms.set_current, 12)
    await first.poll(0)
    assert bank.number("current") == pytest.approx(
        first.number("current") + second.number("current"), abs=0.01
    )
    assert bank.coordinator.update_interval is None
    assert not second.sim.log.requests()


@pytest.mark.long
async def test_what_has_not_changed_is_not_written(bank: Bank) -> None:
    def written() -> dict[str, Any]:
        return {key: bank.state(key).last_reported for key in KEYS}

    await flow(bank, 0, 0)
    await bank.poll_members()
    before = written()
    for _ in range(3):
        await bank.poll_members()
    assert written() == before
    await flow(bank, 20, 20)
    assert written()["current"] > before["current"]


async def test_what_is_too_old_is_not_added_to_what_is_fresh(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    """Nothing of a member comes although nothing of it fails either: as a poll that hangs."""
    members = batteries(hass, simulate, {}, {})
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    first, second = bank.members
    second.coordinator.update_interval = None
    second.coordinator._unschedule_refresh()
    await passes(25)
    assert says_all(bank)
    await passes(10)
    assert is_silent(bank)
    assert first.shown("voltage") != "unavailable"
    await second.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert says_all(bank)


async def test_it_waits_for_no_member_when_home_assistant_starts(
    short_silence: None, hass: HomeAssistant, simulate: Simulate
) -> None:
    members = batteries(hass, simulate, {}, {})
    for member in members:
        member.entry.add_to_hass(hass)
        member.bms.silent = True
    bank = await bank_of(hass, *members)
    assert is_silent(bank)
    assert {member.entry.state for member in members} <= {
        ConfigEntryState.NOT_LOADED,
        ConfigEntryState.SETUP_RETRY,
    }
    for member in members:
        member.bms.silent = False
    await members[0].reload()
    assert is_silent(bank)
    await members[1].reload()
    assert says_all(bank)


async def test_a_battery_that_is_read_over_both_ways_is_not_counted_twice(
    hass: HomeAssistant, bank: Bank
) -> None:
    """Over a line and over WiFi: told apart by the entry alone, as the same serial number."""
    first, second = bank.members
    hass.config_entries.async_update_entry(second.entry, data={"host": "192.0.2.1"})
    for member in bank.members:
        member.coordinator.data = having_told(member, serial_number=2261)
    bank.coordinator.review()
    assert is_silent(bank)
    first.coordinator.data = having_told(first, serial_number=2262)
    bank.coordinator.review()
    assert says_all(bank)


def having_told(member: Rig, **other: Any) -> Update:
    """Return what a member told, but for some of it."""
    update = member.coordinator.data
    return replace(update, state=State.of({**update.state.told, **other}, 1))


# -- energy ----------------------------------------------------------------------------------------


@pytest.mark.long
async def test_energy_is_that_of_all_and_is_counted_once(bank: Bank) -> None:
    await flow(bank, 100, 50)
    before = bank.number("energy_charged"), bank.told("energy_charged")
    for _ in range(30):
        await bank.poll_members()
    gained = sum(bank.told("energy_charged")) - sum(before[1])
    assert gained > 0.3
    assert bank.number("energy_charged") - before[0] == pytest.approx(gained, rel=0.01)
    assert bank.number("energy_discharged") == 0


@pytest.mark.long
async def test_what_flows_from_one_member_into_another_is_no_energy_of_the_bank(
    bank: Bank,
) -> None:
    await flow(bank, 0, 0)
    before = bank.number("energy_charged"), bank.number("energy_discharged")
    await flow(bank, 50, -50)
    for _ in range(30):
        await bank.poll_members()
    assert min(sum(bank.told(key)) for key in ("energy_charged", "energy_discharged")) > 0.2
    after = bank.number("energy_charged"), bank.number("energy_discharged")
    assert after == pytest.approx(before, abs=0.02)


@pytest.mark.long
async def test_members_that_are_polled_at_different_times_are_counted_right(bank: Bank) -> None:
    await flow(bank, 100, 50)
    before = bank.number("energy_charged"), sum(bank.told("energy_charged"))
    for _ in range(30):
        await bank.members[0].poll(4)
        await bank.members[1].poll(6)
    gained = sum(bank.told("energy_charged")) - before[1]
    assert bank.number("energy_charged") - before[0] == pytest.approx(gained, rel=0.02)


@pytest.mark.long
async def test_nothing_is_invented_while_a_member_is_away(short_silence: None, bank: Bank) -> None:
    await flow(bank, 100, 100)
    before = bank.number("energy_charged")
    second = bank.members[1]
    second.bms.silent = True
    for _ in range(20):
        await bank.poll_members()
    second.bms.silent = False
    await bank.poll_members()
    # Until it was missed, what it had told last held.
    back = bank.number("energy_charged")
    in_ten_seconds = bank.number("power") * 10 / 3.6e6
    assert back - before == pytest.approx(in_ten_seconds, abs=0.002)
    await bank.poll_members()
    assert bank.number("energy_charged") - back == pytest.approx(in_ten_seconds, abs=0.002)


@pytest.mark.long
async def test_one_missed_poll_is_counted_through(short_silence: None, bank: Bank) -> None:
    await flow(bank, 100, 100)
    before = bank.number("energy_charged")
    second = bank.members[1]
    second.bms.silent = True
    await bank.poll_members()
    assert bank.shown("energy_charged") == "unavailable"
    second.bms.silent = False
    await bank.poll_members()
    assert bank.number("energy_charged") - before == pytest.approx(
        bank.number("power") * 20 / 3.6e6, rel=0.15
    )


@pytest.mark.long
async def test_energy_is_kept_over_a_restart_of_the_bank_and_of_its_members(bank: Bank) -> None:
    await flow(bank, 100, 100)
    for _ in range(10):
        await bank.poll_members()
    before = bank.number("energy_charged")
    assert before > 0.1
    await bank.unload()
    for member in bank.members:
        await member.unload()
    await bank.members[0].asleep(600)
    await bank.set_up()
    for member in bank.members:
        await member.set_up()
    assert bank.number("energy_charged") == before
    await bank.poll_members()
    assert bank.number("energy_charged") > before


@pytest.mark.long
async def test_energy_is_kept_where_home_assistant_has_forgotten_the_states(
    hass: HomeAssistant, hass_storage: dict[str, Any], members: tuple[Rig, ...]
) -> None:
    entry = bank_entry(*members)
    hass_storage[f"rec_bms.memory.{entry.entry_id}"] = {
        "version": 1,
        "data": {"energy": {"energy_charged": 12.5}},
    }
    hass.set_state(CoreState.not_running)
    bank = Bank(hass, None, entry, members)  # type: ignore[arg-type]
    await bank.set_up()
    assert bank.number("energy_charged") == 12.5


@pytest.mark.long
async def test_with_the_bank_what_was_counted_goes(
    hass: HomeAssistant, hass_storage: dict[str, Any], members: tuple[Rig, ...]
) -> None:
    bank = await bank_of(hass, *members)
    await flow(bank, 100, 100)
    await bank.poll_members()
    await bank.reload()
    assert f"rec_bms.memory.{bank.entry.entry_id}" in hass_storage
    listeners = [len(member.coordinator._listeners) for member in members]
    await hass.config_entries.async_remove(bank.entry.entry_id)
    await hass.async_block_till_done()
    assert f"rec_bms.memory.{bank.entry.entry_id}" not in hass_storage
    assert bank.devices() == []
    left = [len(member.coordinator._listeners) for member in members]
    assert left == [number - 1 for number in listeners]


# -- what else walks over entries ------------------------------------------------------------------


async def test_a_bank_has_no_instructions(bank: Bank) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await bank.act("get_parameter", instruction=["CMAX"])
    assert raised.value.translation_key == "is_bank"
    assert raised.value.translation_placeholders == {"title": "Bank"}


async def test_diagnostics_tell_what_each_member_told(bank: Bank) -> None:
    await bank.members[1].unload()
    found = await async_get_config_entry_diagnostics(bank.hass, bank.entry)
    first, second = found["members"]
    assert second is None
    assert first["voltage"] == pytest.approx(bank.members[0].number("voltage"), abs=0.001)
    assert first["min_cell"]["number"] is not None
    assert found["data"]["wiring"] == "parallel"


async def test_the_device_of_a_bank_goes_with_the_bank_alone(bank: Bank) -> None:
    (device,) = bank.devices()
    assert not await async_remove_config_entry_device(bank.hass, bank.entry, device)


async def test_an_adapter_that_returns_brings_no_bank_into_trouble(
    hass: HomeAssistant, bank: Bank
) -> None:
    first = bank.members[0]
    first.sim.unplug()
    await bank.poll_members()
    assert is_silent(bank)
    first.sim.replug()
    await bank.poll_members()
    assert says_all(bank)


async def test_a_bank_can_be_asked_to_update(hass: HomeAssistant, bank: Bank) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": bank.entity_id("voltage")}, blocking=True
    )
    assert says_all(bank)


# -- at the edges ----------------------------------------------------------------------------------


@pytest.mark.long
async def test_polls_that_last_thirty_seconds_are_waited_for_and_counted_through(
    bank: Bank,
) -> None:
    second = bank.members[1]
    request = Client.request

    async def slow_request(client: Client, instruction: Instruction, **options: Any) -> Response:
        if client is second.coordinator.bms.client:
            await asyncio.sleep(6)
        return await request(client, instruction, **options)

    await flow(bank, 100, 50)
    with patch.object(Client, "request", slow_request):
        await passes(120)
        assert second.coordinator.data.duration >= 24
        before = bank.number("energy_charged"), sum(bank.told("energy_charged"))
        for _ in range(300):
            await passes(1)
            assert bank.shown("voltage") != "unavailable"
        gained = sum(bank.told("energy_charged")) - before[1]
        assert bank.number("energy_charged") - before[0] == pytest.approx(gained, rel=0.15)
    await second.poll()


@pytest.mark.long
async def test_a_member_in_fahrenheit_is_compared_in_celsius(
    hass: HomeAssistant, bank: Bank
) -> None:
    registry = er.async_get(hass)
    hot, cold = bank.members
    registry.async_update_entity_options(
        cold.entity_id("max_temperature"), "sensor", {"unit_of_measurement": "°F"}
    )
    for unit in hot.bms.battery.units:
        for sensor in unit.sensors:
            sensor.temperature = 40.0
    await bank.poll_members()
    assert cold.number("max_temperature") > hot.number("max_temperature")
    assert bank.number("max_temperature") == hot.number("max_temperature")
    assert bank.state("max_temperature").attributes["battery"] == "Battery 1"


async def test_batteries_on_one_pair_of_wires_make_a_bank(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2])
    members = tuple(
        Rig(hass, sim, entry_for(sim, address=address, title=f"BMS {address}"))
        for address in (1, 2)
    )
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    assert says_all(bank)
    assert bank.number("current") == pytest.approx(sum(bank.told("current")), abs=0.01)


@pytest.mark.long
async def test_while_home_assistant_stops_it_writes_what_it_counted(
    hass: HomeAssistant, hass_storage: dict[str, Any], bank: Bank
) -> None:
    await flow(bank, 100, 100)
    for _ in range(10):
        await bank.poll_members()
    counted = bank.coordinator.memory.energy("energy_charged")
    await hass.async_stop(force=True)
    kept = hass_storage[f"rec_bms.memory.{bank.entry.entry_id}"]["data"]["energy"]
    assert kept["energy_charged"] == counted > 0


@pytest.mark.long
async def test_whatever_its_members_do_it_shows_what_they_show_together_or_nothing(
    short_silence: None, bank: Bank
) -> None:
    chance = random.Random(17)
    seen = {True: 0, False: 0}
    for _ in range(40):
        await happens(chance, chance.choice(bank.members))
        away = "unavailable" in {member.shown("voltage") for member in bank.members}
        seen[away] += 1
        assert is_silent(bank) is away
        if not away:
            assert says_all(bank)
            assert bank.number("current") == pytest.approx(sum(bank.told("current")), abs=0.011)
            assert bank.number("power") == pytest.approx(sum(bank.told("power")), abs=0.11)
    assert min(seen.values()) > 5


async def happens(chance: random.Random, member: Rig) -> None:
    """Let something happen to a member, and some of its polls pass."""
    is_loaded = member.entry.state is ConfigEntryState.LOADED
    match chance.randrange(6):
        case _ if not is_loaded or member.bms.silent:
            member.bms.silent = False
            await member.reload()
        case 0:
            member.bms.silent = True
        case 1:
            await member.unload()
        case 2:
            await member.reload()
        case _:
            member.sim.call(member.bms.set_current, chance.uniform(-50, 50))
    await member.hass.async_block_till_done()
    await passes(chance.choice((1, 12, 25)))
