"""Others on a pair of wires are looked for while one runs, and offered as discovered devices."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog, discovered, ignore
from tests.virtual.rig import Rig, entry_for, passes, until
from tools.simulator import BMS
from tools.testkit.simulator_in_memory import SimulatorInMemory

SPEED = 56000
INTERVAL = 10
LONG_ENOUGH = 40 * INTERVAL
"""Seconds in which all addresses are looked at, one after each poll."""
ONE_EXCHANGE = 0.37
MODELS = {1: "REC BMS 1Q", 2: "REC ABMS", 3: "REC 9M"}


@pytest.fixture
def three(simulate: Simulate) -> SimulatorInMemory:
    made = [BMS(n, texts={"*IDN": name}, time_factor=0) for n, name in MODELS.items()]
    return simulate(baud=SPEED, bms=made)


@pytest.fixture
async def first(hass: HomeAssistant, three: SimulatorInMemory) -> Rig:
    """A rig where the first of three is set up, and its set-up is over."""
    rig = Rig(hass, three, entry_for(three, scan_interval=INTERVAL, title=MODELS[1]))
    await rig.set_up()
    three.log.clear()
    return rig


def names(hass: HomeAssistant) -> set[str]:
    """Return what is on offer."""
    return {flow["context"]["title_placeholders"]["name"] for flow in discovered(hass)}


def looks(sim: Any) -> Counter[int]:
    """Return how often each address was asked who it is."""
    asked = (entry for entry in sim.log.requests() if entry.instruction == "*IDN")
    return Counter(entry.address for entry in asked)


async def look_begins(rig: Rig) -> None:
    """Return when a look at a neighbour has begun."""
    await rig.poll(INTERVAL)
    await until(lambda: rig.coordinator.bms.client.connection.is_busy)


@pytest.mark.long
async def test_the_others_are_offered_as_discovered_devices(
    hass: HomeAssistant, three: SimulatorInMemory
) -> None:
    dialog = await Dialog(hass).open()
    await dialog.search(three.port)
    await dialog.confirm()
    assert names(hass) == set()
    await passes(LONG_ENOUGH)
    assert names(hass) == {"REC ABMS (2)", "REC 9M (3)"}
    assert not three.log.overlaps
    assert not three.log.sets


@pytest.mark.long
async def test_what_is_offered_is_set_up_with_one_click(hass: HomeAssistant, first: Rig) -> None:
    await passes(LONG_ENOUGH)
    for flow in discovered(hass):
        card = Dialog(hass)
        card.result = await hass.config_entries.flow.async_configure(flow["flow_id"])
        assert card.placeholders["cells"] == "14"
        await card.confirm()
    addresses = {entry.data["address"] for entry in hass.config_entries.async_entries(DOMAIN)}
    assert addresses == {1, 2, 3}
    await passes(LONG_ENOUGH)
    assert not discovered(hass)


@pytest.mark.long
async def test_the_rest_is_looked_through_twice_and_then_never_again(first: Rig) -> None:
    await passes(LONG_ENOUGH)
    found = {2, 3}
    assert looks(first.sim) == {each: 1 if each in found else 2 for each in range(2, 17)}
    first.sim.log.clear()
    await passes(LONG_ENOUGH)
    assert not looks(first.sim)


# -- main data come first ------------------------------------------------------------------------


@pytest.mark.long
async def test_set_up_and_the_first_reading_wait_for_no_neighbour(first: Rig) -> None:
    await passes(INTERVAL - 1)
    assert not looks(first.sim)


@pytest.mark.long
async def test_after_each_poll_one_request_is_sent(first: Rig) -> None:
    for _ in range(12):
        first.sim.log.clear()
        await first.poll(INTERVAL)
        await passes(1)
        others = [entry for entry in first.sim.log.requests() if entry.address != 1]
        assert len(others) == 1


@pytest.mark.long
async def test_a_poll_waits_for_one_look_at_most(hass: HomeAssistant, first: Rig) -> None:
    await first.poll(INTERVAL)
    usual = first.coordinator.data.duration
    longest = 0.0
    for _ in range(20):
        await look_begins(first)
        await first.coordinator.async_refresh()
        longest = max(longest, first.coordinator.data.duration)
    assert usual + 0.2 < longest <= usual + ONE_EXCHANGE


@pytest.mark.long
async def test_a_setting_waits_for_one_look_at_most(hass: HomeAssistant, first: Rig) -> None:
    async def took() -> float:
        began = hass.loop.time()
        await first.set_number("maxc", 50)
        return hass.loop.time() - began

    usual = await took()
    for _ in range(10):
        await look_begins(first)
        assert await took() <= usual + ONE_EXCHANGE


@pytest.mark.long
async def test_nobody_is_looked_for_while_the_bms_is_away(short_silence: None, first: Rig) -> None:
    first.bms.silent = True
    await passes(LONG_ENOUGH)
    assert not looks(first.sim)
    first.bms.silent = False
    await passes(2 * LONG_ENOUGH)
    assert names(first.hass) == {"REC ABMS (2)", "REC 9M (3)"}


@pytest.mark.long
async def test_a_silent_neighbour_makes_no_bad_line(first: Rig) -> None:
    await passes(LONG_ENOUGH)
    assert first.coordinator.data.retries == 0
    assert first.coordinator.data.line_errors == 0
    counters = first.coordinator.bms.client.connection.counters
    assert (counters.unanswered, counters.nobody_there) == (0, 2 * 13)
    assert first.coordinator.bms.client.connection.counters.opened == 1


# -- what happens meanwhile ----------------------------------------------------------------------


@pytest.mark.long
async def test_a_set_up_that_fails_looks_for_nobody_until_it_succeeds(
    short_silence: None, hass: HomeAssistant, three: SimulatorInMemory
) -> None:
    three.bms[1].silent = True
    rig = Rig(hass, three, entry_for(three, scan_interval=INTERVAL))
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    await passes(LONG_ENOUGH)
    assert set(looks(three)) <= {1}
    three.bms[1].silent = False
    await rig.reload()
    await passes(LONG_ENOUGH)
    assert len(discovered(hass)) == 2


@pytest.mark.long
async def test_a_reload_in_between_begins_anew_and_offers_nobody_twice(first: Rig) -> None:
    await passes(4 * INTERVAL)
    assert names(first.hass) == {"REC ABMS (2)"}
    await first.reload()
    await passes(LONG_ENOUGH)
    assert names(first.hass) == {"REC ABMS (2)", "REC 9M (3)"}
    assert len(discovered(first.hass)) == 2


@pytest.mark.long
async def test_what_home_assistant_forgot_is_offered_after_the_next_start(first: Rig) -> None:
    await passes(LONG_ENOUGH)
    for flow in discovered(first.hass):
        first.hass.config_entries.flow.async_abort(flow["flow_id"])
    await first.reload()
    await passes(LONG_ENOUGH)
    assert len(discovered(first.hass)) == 2


@pytest.mark.parametrize("end", ["unload", "remove"])
async def test_an_entry_that_goes_takes_its_looking_along(first: Rig, end: str) -> None:
    await look_begins(first)
    if end == "unload":
        await first.unload()
    else:
        await first.hass.config_entries.async_remove(first.entry.entry_id)
    first.sim.log.clear()
    await passes(LONG_ENOUGH)
    assert not first.sim.log.requests()
    assert not first.sim.is_open


@pytest.mark.long
async def test_home_assistant_stops_in_between(first: Rig) -> None:
    await passes(2 * INTERVAL)
    first.hass.set_state(CoreState.running)
    await first.hass.async_stop()
    first.sim.log.clear()
    await asyncio.sleep(LONG_ENOUGH)
    assert not first.sim.log.requests()
    assert not first.sim.is_open


async def test_a_dialog_that_is_forgotten_looks_for_nobody(
    hass: HomeAssistant, three: SimulatorInMemory
) -> None:
    dialog = await Dialog(hass).open()
    await dialog.search(three.port)
    await passes(LONG_ENOUGH)
    assert set(looks(three)) == {1}
    assert not three.is_open
    await dialog.confirm()


# -- others at the same port ---------------------------------------------------------------------


@pytest.mark.long
async def test_two_entries_go_through_the_addresses_together(
    hass: HomeAssistant, first: Rig
) -> None:
    second = Rig(hass, first.sim, entry_for(first.sim, address=2, scan_interval=INTERVAL))
    await second.set_up()
    first.sim.log.clear()
    await passes(LONG_ENOUGH)
    assert looks(first.sim) == {each: 1 if each == 3 else 2 for each in range(3, 17)}
    assert names(hass) == {"REC 9M (3)"}
    assert not first.sim.log.overlaps


@pytest.mark.long
async def test_one_goes_on_when_the_other_leaves(hass: HomeAssistant, first: Rig) -> None:
    second = Rig(hass, first.sim, entry_for(first.sim, address=2, scan_interval=INTERVAL))
    await second.set_up()
    await passes(3 * INTERVAL)
    await first.unload()
    await passes(2 * LONG_ENOUGH)
    assert names(hass) == {"REC 9M (3)"}
    assert 1 not in looks(first.sim)


@pytest.mark.long
async def test_one_that_a_user_adds_meanwhile_is_not_offered(
    hass: HomeAssistant, first: Rig
) -> None:
    dialog = await Dialog(hass).open()
    await dialog.begin_search(first.sim.port)
    await dialog.wait()
    assert dialog.placeholders["address"] == "2"
    await passes(LONG_ENOUGH)
    assert names(hass) == {"REC ABMS (2)", "REC 9M (3)"}
    await dialog.confirm()
    assert names(hass) == {"REC 9M (3)"}


@pytest.mark.long
async def test_a_search_by_hand_and_looking_take_turns(hass: HomeAssistant, first: Rig) -> None:
    await passes(INTERVAL)
    dialog = await Dialog(hass).open()
    await dialog.begin_search(first.sim.port, address=7)
    await passes(LONG_ENOUGH)
    await dialog.wait()
    assert dialog.errors == {"base": "no_other_bms"}
    assert not first.sim.log.overlaps
    assert len(discovered(hass)) == 2


@pytest.mark.long
async def test_one_that_is_disabled_is_not_offered(hass: HomeAssistant, first: Rig) -> None:
    entry_for(first.sim, address=2).add_to_hass(hass)
    await passes(LONG_ENOUGH)
    assert names(hass) == {"REC 9M (3)"}
    assert 2 not in looks(first.sim)


# -- ignored -------------------------------------------------------------------------------------


@pytest.mark.long
async def test_an_ignored_bms_is_neither_asked_nor_offered(hass: HomeAssistant, first: Rig) -> None:
    await ignore(hass, f"{first.sim.port}#3")
    await passes(LONG_ENOUGH)
    assert names(hass) == {"REC ABMS (2)"}
    assert 3 not in looks(first.sim)


@pytest.mark.long
async def test_one_that_its_owner_ignores_is_not_offered_again(
    hass: HomeAssistant, first: Rig
) -> None:
    await passes(LONG_ENOUGH)
    await ignore(hass, f"{first.sim.port}#2")
    assert names(hass) == {"REC 9M (3)"}
    await first.reload()
    await passes(LONG_ENOUGH)
    assert names(hass) == {"REC 9M (3)"}


async def test_an_ignored_one_is_set_up_by_hand_after_all(hass: HomeAssistant, first: Rig) -> None:
    await ignore(hass, f"{first.sim.port}#2")
    dialog = await Dialog(hass).open()
    await dialog.search(first.sim.port, address=2)
    await dialog.confirm()
