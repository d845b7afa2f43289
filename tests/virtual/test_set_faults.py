"""Sets that go wrong: what is shown is what the BMS has, and the caller learns what happened."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component

from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for, until
from tools.simulator import Entry
from tools.simulator.log import ANSWERED
from tools.testkit.simulator_in_memory import SimulatorInMemory

OLD, NEW = 150.0, 100.0


@pytest.fixture
def battery(simulate: Simulate, tmp_path: Path) -> SimulatorInMemory:
    """A BMS behind an adapter with a stable name: the kernel may give its device another one."""
    return simulate(link=tmp_path / "usb-FTDI")


@pytest.fixture
def limit(running: Rig) -> Rig:
    """A rig where MAXC, which no other limit depends on, is 150 A."""
    assert running.number("maxc") == OLD
    running.sim.log.clear()
    return running


async def fails(rig: Rig, key: str = "maxc", value: float = NEW) -> HomeAssistantError:
    """Set a value, which must fail, and return why."""
    with pytest.raises(HomeAssistantError) as failed:
        await rig.set_number(key, value)
    assert failed.value.translation_domain == "rec_bms"
    return failed.value


def agrees(rig: Rig) -> bool:
    return rig.number("maxc") == rig.bms.settings["MAXC"]


@pytest.mark.long
async def test_the_answer_to_a_set_is_lost_but_it_was_taken(limit: Rig) -> None:
    limit.sim.faults.next("set_lost")
    await limit.set_number("maxc", NEW)
    assert len(limit.sim.log.sets) == 1, "never repeated"
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == NEW


async def test_the_bms_refuses(limit: Rig) -> None:
    limit.sim.faults.next("set_refused")
    error = await fails(limit)
    assert error.translation_key == "refused"
    assert error.translation_placeholders == {
        "name": "Maximum charge current per inverter (MAXC)",
        "value": "100 A",
        "answer": "ERROR1",
        "current": "150 A",
    }
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == OLD


async def test_the_bms_says_set_but_keeps_the_old_value(limit: Rig) -> None:
    limit.sim.faults.next("set_ignored")
    error = await fails(limit)
    assert error.translation_key == "reads_back_differently"
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == OLD


async def test_the_bms_keeps_another_value(limit: Rig) -> None:
    limit.sim.faults.next("set_clamped", value=120)
    error = await fails(limit)
    assert error.translation_key == "reads_back_differently"
    assert error.translation_placeholders is not None
    assert error.translation_placeholders["current"] == "120 A"
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == 120


async def test_the_set_never_reaches_the_bms(limit: Rig) -> None:
    limit.sim.faults.next("set_unheard")
    error = await fails(limit)
    assert error.translation_key == "not_taken"
    assert len(limit.sim.log.sets) == 1, "never repeated"
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == OLD


async def test_a_late_set_is_not_taken_for_the_read_back(limit: Rig) -> None:
    limit.sim.faults.next("late", seconds=1.0, instruction="MAXC")  # the request before the set
    limit.sim.faults.next("late", seconds=1.0, instruction="MAXC")
    await limit.set_number("maxc", NEW)
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == NEW


async def test_a_silent_bms_is_not_sent_a_set(short_silence: None, limit: Rig) -> None:
    limit.bms.silent = True
    assert (await fails(limit)).translation_key == "no_answer"
    assert not limit.sim.log.sets


async def test_the_port_is_pulled_between_set_and_read_back(limit: Rig) -> None:
    def pull(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            limit.sim.log.listeners.clear()
            limit.sim.unplug()

    limit.sim.log.listeners.append(pull)
    assert (await fails(limit)).translation_key == "unverified"
    assert limit.shown("maxc") == "unknown", "nobody knows what the BMS has"
    limit.sim.replug(other_device=True)
    await limit.poll()
    assert agrees(limit)
    assert limit.number("maxc") == NEW


async def test_the_read_back_is_lost_and_the_next_poll_shows_the_truth(
    short_silence: None, limit: Rig
) -> None:
    def fall_silent(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            limit.sim.log.listeners.clear()
            limit.bms.unsupported.add("MAXC")

    limit.sim.log.listeners.append(fall_silent)
    assert (await fails(limit)).translation_key == "unverified"
    assert limit.shown("maxc") == "unknown"
    limit.bms.unsupported.clear()
    await limit.poll()
    assert limit.number("maxc") == NEW


async def test_a_setting_that_is_not_certain_is_unknown_until_it_is_read(
    short_silence: None, limit: Rig
) -> None:
    def fall_silent(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            limit.sim.log.listeners.clear()
            limit.bms.unsupported.add("MAXC")

    limit.sim.log.listeners.append(fall_silent)
    assert (await fails(limit)).translation_key == "unverified"
    for _ in range(2):
        await limit.poll()
        assert limit.shown("maxc") == "unknown"
    limit.bms.unsupported.clear()
    await limit.poll()
    assert limit.number("maxc") == NEW


async def test_after_a_set_that_could_not_be_verified_another_can_be_made_at_once(
    short_silence: None, limit: Rig
) -> None:
    def fall_silent(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            limit.sim.log.listeners.clear()
            limit.bms.unsupported.add("MAXC")

    limit.sim.log.listeners.append(fall_silent)
    assert (await fails(limit)).translation_key == "unverified"
    limit.bms.unsupported.clear()
    await limit.set_number("maxc", 90)
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == 90


async def test_a_read_back_that_is_nonsense_verifies_nothing(limit: Rig) -> None:
    def go_mad(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            limit.sim.log.listeners.clear()
            limit.bms.settings["MAXC"] = 1e30

    limit.sim.log.listeners.append(go_mad)
    assert (await fails(limit)).translation_key == "unverified"
    assert limit.shown("maxc") == "unknown"
    await limit.poll()
    assert limit.shown("maxc") == "unknown"


async def test_two_sets_at_once_are_made_one_after_the_other(limit: Rig) -> None:
    await asyncio.gather(
        limit.set_number("maxc", 100), limit.set_number("maxc", 110), limit.set_number("maxd", 90)
    )
    assert [entry.payload for entry in limit.sim.log.sets] == [
        b"MAXC 100",
        b"MAXC 110",
        b"MAXD 90",
    ]
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == 110
    assert limit.number("maxd") == limit.bms.settings["MAXD"] == 90
    assert not limit.sim.log.overlaps


async def test_of_two_sets_that_contradict_each_other_one_is_refused(limit: Rig) -> None:
    results = await asyncio.gather(
        limit.set_number("cmin", 3.4), limit.set_number("clow", 3.3), return_exceptions=True
    )
    assert results[0] is None
    assert isinstance(results[1], HomeAssistantError)
    assert results[1].translation_key == "incoherent"
    assert limit.number("cmin") == 3.4
    assert limit.number("clow") == 3.4


async def test_a_set_goes_before_the_rest_of_a_running_poll(limit: Rig) -> None:
    limit.coordinator.bms._was_away = True  # so that the poll asks for everything
    poll = asyncio.create_task(limit.coordinator.async_refresh())
    await until(lambda: len(limit.sim.log.requests()) >= 5)
    await limit.set_number("maxc", NEW)
    asked_before = len(limit.sim.log.requests())
    assert asked_before < 20
    assert limit.number("maxc") == NEW
    await poll
    assert len(limit.sim.log.requests()) > 40
    assert limit.coordinator.last_update_success
    assert agrees(limit)
    assert not limit.sim.log.overlaps


@pytest.mark.long
async def test_in_the_middle_of_a_poll_of_225_cells_a_set_takes_half_a_second_at_most(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[16], units=15, cells=15, baud=56000, turnaround=0.015)
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    sim.log.clear()
    rig.coordinator.bms._was_away = True
    poll = asyncio.create_task(rig.coordinator.async_refresh())
    await until(lambda: sim.log.requests("CELL"))
    began = hass.loop.time()
    await rig.set_number("maxc", NEW)
    assert hass.loop.time() - began <= 0.5
    await poll


async def test_a_cancelled_caller_leaves_no_set_unverified(limit: Rig) -> None:
    call = asyncio.create_task(limit.set_number("maxc", NEW))
    await until(lambda: limit.sim.log.sets)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await limit.hass.async_block_till_done(wait_background_tasks=True)
    assert limit.number("maxc") == limit.bms.settings["MAXC"] == NEW
    assert limit.sim.log.requests()[-1].payload == b"MAXC?"


async def test_a_cancelled_caller_whose_set_fails_leaves_no_trouble_behind(limit: Rig) -> None:
    limit.sim.faults.next("set_refused")
    call = asyncio.create_task(limit.set_number("maxc", NEW))
    await until(lambda: limit.sim.log.sets)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await limit.hass.async_block_till_done(wait_background_tasks=True)
    assert agrees(limit)


# -- changes switched off ------------------------------------------------------------------------


@pytest.mark.long
async def test_with_changes_switched_off_not_one_byte_of_a_set_is_sent(
    hass: HomeAssistant, battery: SimulatorInMemory
) -> None:
    rig = Rig(hass, battery, entry_for(battery, allow_changes=False))
    await rig.set_up()
    battery.log.clear()
    error = await fails(rig)
    assert error.translation_key == "changes_forbidden"
    assert error.translation_placeholders is not None
    assert error.translation_placeholders["title"] == rig.entry.title
    with pytest.raises(HomeAssistantError):
        await rig.select("chem", "limno2")
    with pytest.raises(HomeAssistantError):
        await rig.act("set_parameter", instruction="MAXC", value=100)
    assert not battery.log.requests()
    assert rig.number("maxc") == OLD


async def test_changes_switched_off_while_a_set_waits_are_off_for_it_too(limit: Rig) -> None:
    limit.sim.faults.next("late", seconds=0.3, instruction="MAXC")
    call = asyncio.create_task(fails(limit))
    await until(lambda: limit.sim.log.requests("MAXC"))
    limit.hass.config_entries.async_update_entry(
        limit.entry, options={**limit.entry.options, "allow_changes": False}
    )
    assert (await call).translation_key == "changes_forbidden"
    assert not limit.sim.log.sets
    assert agrees(limit)


async def test_changes_switched_off_while_an_automation_sets(limit: Rig) -> None:
    """An automation sets one value after the other; the owner uses the options meanwhile."""
    hass, entity_id = limit.hass, limit.entity_id("maxc")
    values = list(range(10, 340, 5))
    steps: list[dict[str, Any]] = [
        {
            "action": "number.set_value",
            "target": {"entity_id": entity_id},
            "data": {"value": value},
            "continue_on_error": True,
        }
        for value in values
    ]
    assert await async_setup_component(
        hass,
        "automation",
        {"automation": {"triggers": {"trigger": "event", "event_type": "go"}, "actions": steps}},
    )
    hass.bus.async_fire("go")
    await until(lambda: len(limit.sim.log.sets) >= 4)
    flow = await hass.config_entries.options.async_init(limit.entry.entry_id)
    await hass.config_entries.options.async_configure(
        flow["flow_id"], {"scan_interval": 300, "allow_changes": False}
    )
    sent = len(limit.sim.log.sets)
    await hass.async_block_till_done()
    assert len(limit.sim.log.sets) <= sent + 1, "at most the one that was on its way"
    assert sent < len(values)
    assert agrees(limit)
