"""What becomes of entries whose port is searched: each is left as it was, and working."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow

from custom_components import rec_bms
from custom_components.rec_bms import config_flow
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog, Moving
from tests.virtual.rig import Rig, entry_for, until

SPEED = 56000
NEW_SPEED = "38400"
NOBODYS = 9
"""An address at which there is no BMS."""

LOADED = ConfigEntryState.LOADED
NOT_LOADED = ConfigEntryState.NOT_LOADED
SETTING_UP = ConfigEntryState.SETUP_IN_PROGRESS
UNLOADING = ConfigEntryState.UNLOAD_IN_PROGRESS
WAITING = ConfigEntryState.SETUP_RETRY

pytestmark = pytest.mark.usefixtures("short_silence")


@contextmanager
def held(what: str) -> Iterator[asyncio.Event]:
    """Have setting up or unloading entries begin, but not go on before the event is set."""
    go_on = asyncio.Event()
    real = getattr(rec_bms, what)

    async def wait(hass: HomeAssistant, entry: rec_bms.RecBmsConfigEntry) -> bool:
        await go_on.wait()
        done: bool = await real(hass, entry)
        return done

    with patch.object(rec_bms, what, wait):
        yield go_on


@contextmanager
def searches_begun() -> Iterator[list[Iterable[ConfigEntry]]]:
    """Have the searches listed that know what is on their port, and wait for it or go on."""
    begun: list[Iterable[ConfigEntry]] = []
    settled = config_flow.until_settled

    async def noted(entries: Iterable[ConfigEntry]) -> None:
        begun.append(entries)
        await settled(entries)

    with patch.object(config_flow, "until_settled", noted):
        yield begun


def states(rig: Rig) -> list[ConfigEntryState]:
    """Return the states that an entry goes through from now on."""
    seen: list[ConfigEntryState] = []
    rig.entry.async_on_state_change(lambda: seen.append(rig.entry.state))
    return seen


@pytest.fixture
async def home(hass: HomeAssistant, simulate: Simulate) -> Rig:
    sim = simulate(baud=SPEED)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    return rig


@pytest.fixture
async def pair(hass: HomeAssistant, simulate: Simulate) -> tuple[Rig, Rig]:
    """Two BMSs on one pair of wires, both set up."""
    sim = simulate(baud=SPEED, addresses=[1, 2])
    rigs = [Rig(hass, sim, entry_for(sim, address=n, title=f"BMS {n}")) for n in (1, 2)]
    for rig in rigs:
        await rig.set_up()
    return rigs[0], rigs[1]


# -- closing the dialog --------------------------------------------------------------------------


@pytest.mark.long
async def test_closing_the_dialog_while_the_entry_is_unloaded_leaves_it_working(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    with held("async_unload_entry") as go_on:
        await dialog.begin_search(home.sim.port)
        await until(lambda: home.entry.state is UNLOADING)
        dialog.close()
        go_on.set()
        await home.hass.async_block_till_done()
    assert home.entry.state is LOADED
    assert home.number("voltage") > 50


async def test_closing_the_dialog_while_the_entry_is_set_up_again_leaves_it_working(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    with held("async_setup_entry") as go_on:
        await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
        await until(lambda: home.entry.state is SETTING_UP)
        dialog.close()
        go_on.set()
        await home.hass.async_block_till_done()
    assert home.entry.state is LOADED
    assert home.number("voltage") > 50


async def test_closing_the_dialog_in_mid_search_sets_up_again(home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.begin_search(home.sim.port, address=NOBODYS)
    home.sim.log.clear()
    await until(lambda: home.sim.log.requests(address=NOBODYS))
    assert home.entry.state is NOT_LOADED
    dialog.close()
    await until(lambda: home.entry.state is LOADED)


async def test_a_dialog_that_is_closed_before_its_search_begins_begins_none(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED)
    dialog = await Dialog(hass).open()
    go_on = asyncio.Event()

    async def slowly(hass: HomeAssistant, port: str) -> str:
        await go_on.wait()
        return port

    with patch("custom_components.rec_bms.config_flow.async_stable_port", slowly):
        sending = hass.async_create_task(dialog.begin_search(sim.port))
        dialog.close()
        go_on.set()
        with pytest.raises(UnknownFlow):
            await sending
    await hass.async_block_till_done()
    assert not sim.log.requests()


# -- a dialog that is left open ------------------------------------------------------------------


async def test_a_dialog_forgotten_where_a_bms_was_found_stops_no_monitoring(home: Rig) -> None:
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port)
    assert dialog.step == "confirm"
    await home.poll()
    assert (home.entry.state, home.coordinator.last_update_success) == (LOADED, True)


async def test_a_dialog_forgotten_where_a_new_speed_was_found_stops_none_on_the_port(
    pair: tuple[Rig, Rig],
) -> None:
    first, second = pair
    dialog = await Moving(first).open()
    await dialog.search(first.sim.port, NEW_SPEED)
    first.sim.line.wire.baud = int(NEW_SPEED)
    await dialog.send({})
    assert dialog.step == "confirm"
    # Their BMSs are at another speed now, and are looked for again and again.
    assert first.entry.state is second.entry.state is WAITING
    dialog.close()


async def test_what_was_found_is_shown_while_the_entry_is_still_being_set_up_again(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    with held("async_setup_entry") as go_on:
        await dialog.begin_search(home.sim.port)
        await dialog.until_the_search_is_over()
        assert (dialog.step, home.entry.state) == ("confirm", SETTING_UP)
        go_on.set()
        await home.hass.async_block_till_done()
    assert home.entry.state is LOADED
    dialog.close()


async def test_an_error_is_shown_while_the_entry_is_still_being_set_up_again(home: Rig) -> None:
    dialog = await Moving(home).open()
    with held("async_setup_entry") as go_on:
        await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
        await dialog.until_the_search_is_over()
        assert dialog.result["errors"] == {"base": "no_bms"}
        go_on.set()
        await home.hass.async_block_till_done()
    assert home.entry.state is LOADED
    dialog.close()


async def test_a_second_search_waits_for_the_set_up_after_the_first(home: Rig) -> None:
    dialog = await Moving(home).open()
    seen = states(home)
    with held("async_setup_entry") as go_on:
        await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
        await dialog.until_the_search_is_over()
        home.sim.log.clear()
        await dialog.begin_search(home.sim.port)
        assert home.entry.state is SETTING_UP
        go_on.set()
        await dialog.wait()
    assert dialog.step == "confirm"
    once = [UNLOADING, NOT_LOADED, SETTING_UP, LOADED]
    assert seen == [*once, *once]
    dialog.close()


async def test_confirming_before_the_entry_is_set_up_again_moves_it_all_the_same(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    home.sim.line.wire.baud = int(NEW_SPEED)
    with held("async_setup_entry") as go_on:
        await dialog.begin_search(home.sim.port)
        await dialog.until_the_search_is_over()
        await dialog.send({})
        assert dialog.result["reason"] == "reconfigure_successful"
        go_on.set()
        await home.hass.async_block_till_done()
    assert (home.entry.state, home.entry.data["baudrate"]) == (LOADED, int(NEW_SPEED))


# -- what happens to entries meanwhile -----------------------------------------------------------


async def test_a_search_on_another_port_leaves_the_entry_running(
    home: Rig, simulate: Simulate
) -> None:
    coordinator = home.coordinator
    other = simulate(baud=SPEED)
    dialog = await Moving(home).open()
    await dialog.search(other.port)
    assert dialog.step == "confirm"
    assert home.coordinator is coordinator
    dialog.close()


async def test_an_entry_that_its_owner_disables_during_the_search_stays_disabled(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
    await until(lambda: home.entry.state is NOT_LOADED)
    await home.hass.config_entries.async_set_disabled_by(
        home.entry.entry_id, ConfigEntryDisabler.USER
    )
    await dialog.wait()
    assert home.entry.state is NOT_LOADED
    dialog.close()


async def test_an_entry_that_its_owner_sets_up_during_the_search_is_left_alone(
    home: Rig,
) -> None:
    dialog = await Moving(home).open()
    await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
    await until(lambda: home.entry.state is NOT_LOADED)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    coordinator = home.coordinator
    await dialog.wait()
    assert home.coordinator is coordinator
    dialog.close()


async def test_an_entry_that_is_deleted_during_the_search_ends_the_dialog(
    home: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    dialog = await Moving(home).open()
    await dialog.begin_search(home.sim.port, str(SPEED), NOBODYS)
    await until(lambda: home.entry.state is NOT_LOADED)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await dialog.wait()
    assert (dialog.result["type"], dialog.result["reason"]) == (
        FlowResultType.ABORT,
        "entry_deleted",
    )
    assert home.entry.state is NOT_LOADED
    assert "UnknownEntry" not in caplog.text


@pytest.mark.parametrize("step", ["reconfigure", "speed", "confirm"])
async def test_an_entry_that_is_deleted_while_its_dialog_waits_ends_the_dialog(
    pair: tuple[Rig, Rig], step: str
) -> None:
    first, _ = pair
    dialog = await Moving(first).open()
    if step != "reconfigure":
        await dialog.search(first.sim.port, NEW_SPEED if step == "speed" else str(SPEED))
    assert dialog.step == step
    await first.hass.config_entries.async_remove(first.entry.entry_id)
    data = {"port": first.sim.port, "more_options": {"baudrate": "automatic", "address": 1}}
    await dialog.send(data if step == "reconfigure" else {})
    assert (dialog.result["type"], dialog.result["reason"]) == (
        FlowResultType.ABORT,
        "entry_deleted",
    )


async def test_options_of_an_entry_that_was_deleted_end_the_dialog(home: Rig) -> None:
    flows = home.hass.config_entries.options
    flow = await flows.async_init(home.entry.entry_id)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    result = await flows.async_configure(
        flow["flow_id"], {"scan_interval": 5, "allow_changes": False}
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_deleted")


async def test_a_unit_is_not_deleted_while_its_bms_is_off_its_port(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=SPEED, units=2)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    dialog = await Moving(rig).open()
    await dialog.begin_search(sim.port, str(SPEED), NOBODYS)
    await until(lambda: rig.entry.state is NOT_LOADED)
    assert not await rig.may_be_deleted(2)
    await dialog.wait()
    dialog.close()


async def test_an_entry_that_is_being_set_up_is_taken_off_its_port_when_that_is_over(
    home: Rig,
) -> None:
    """Its set-up holds the port at its speed, and the search would go at that one alone."""
    home.sim.line.wire.baud = int(NEW_SPEED)
    reloading = home.hass.async_create_task(
        home.hass.config_entries.async_reload(home.entry.entry_id)
    )
    await until(lambda: home.entry.state is SETTING_UP and home.sim.is_open)
    dialog = await Moving(home).open()
    await dialog.search(home.sim.port, NEW_SPEED)
    await reloading
    await dialog.confirm()
    assert (home.entry.state, home.entry.data["baudrate"]) == (LOADED, int(NEW_SPEED))


@pytest.mark.long
async def test_a_search_waits_for_an_entry_that_is_being_reloaded(
    pair: tuple[Rig, Rig],
) -> None:
    """The port seems free while it is reloaded, and would be opened at another speed."""
    first, second = pair
    await second.hass.config_entries.async_remove(second.entry.entry_id)
    dialog = await Dialog(first.hass).open()
    seen = states(first)
    with held("async_setup_entry") as go_on:
        reloading = first.hass.async_create_task(
            first.hass.config_entries.async_reload(first.entry.entry_id)
        )
        await until(lambda: first.entry.state is SETTING_UP)
        await dialog.begin_search(first.sim.port, address=2)
        go_on.set()
        await reloading
    await dialog.wait()
    assert seen[-1] is LOADED
    assert WAITING not in seen
    await dialog.confirm()


@pytest.mark.long
async def test_an_entry_that_waits_for_its_bms_does_not_disturb_a_search(
    pair: tuple[Rig, Rig],
) -> None:
    first, second = pair
    first.bms.silent = True
    await second.hass.config_entries.async_remove(second.entry.entry_id)
    await first.hass.config_entries.async_reload(first.entry.entry_id)
    assert first.entry.state is WAITING
    seen = states(first)
    dialog = await Dialog(first.hass).open()
    await dialog.begin_search(first.sim.port, address=2)
    await dialog.until_the_search_is_over()
    assert seen[0] is NOT_LOADED
    first.bms.silent = False
    entry = await dialog.confirm()
    await until(lambda: first.entry.state is not SETTING_UP)
    assert entry.state is LOADED


async def test_a_dialog_closed_in_mid_pause_gives_its_entries_to_the_next_dialog(
    pair: tuple[Rig, Rig],
) -> None:
    first, second = pair
    closed = await Moving(first).open()
    seen = states(first), states(second)
    with held("async_unload_entry") as go_on, searches_begun() as begun:
        await closed.search(first.sim.port, NEW_SPEED)
        await closed.begin({})
        await until(lambda: UNLOADING in (first.entry.state, second.entry.state))
        closed.close()
        dialog = await Moving(first).open()
        await dialog.search(first.sim.port, NEW_SPEED)
        await dialog.begin({})
        await until(lambda: len(begun) == 2)
        go_on.set()
        await dialog.wait()
    assert dialog.result["errors"] == {"base": "no_bms"}
    once = [UNLOADING, NOT_LOADED, SETTING_UP, LOADED]
    assert seen == (once, once)
    dialog.close()


async def test_home_assistant_stops_while_an_entry_is_off_its_port(home: Rig) -> None:
    dialog = await Moving(home).open()
    seen = states(home)
    await dialog.begin_search(home.sim.port, address=NOBODYS)
    await until(lambda: home.entry.state is NOT_LOADED)
    started = home.hass.loop.time()
    await home.hass.async_stop(force=True)
    assert home.hass.loop.time() - started < 2
    assert seen == [UNLOADING, NOT_LOADED]
