"""Several BMSs on one pair of wires: their entries share one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.rec_bms.ports import async_get_ports
from tests.virtual.conftest import Simulate
from tests.virtual.rig import NEVER_BY_ITSELF, Rig, entry_for, until
from tools.testkit.simulator_in_memory import SimulatorInMemory


@pytest.fixture
def pair(simulate: Simulate) -> SimulatorInMemory:
    return simulate(addresses=[1, 2])


@pytest.fixture
async def both(hass: HomeAssistant, pair: SimulatorInMemory) -> tuple[Rig, Rig]:
    rigs = [
        Rig(hass, pair, entry_for(pair, address=address, title=f"BMS {address}"))
        for address in (1, 2)
    ]
    for rig in rigs:
        await rig.set_up()
    return rigs[0], rigs[1]


@pytest.mark.long
async def test_two_entries_share_one_connection(both: tuple[Rig, Rig]) -> None:
    first, second = both
    assert first.coordinator.bms.client.connection is second.coordinator.bms.client.connection
    assert first.coordinator.bms.client.connection.counters.opened == 1


async def test_each_shows_its_own_bms(both: tuple[Rig, Rig]) -> None:
    first, second = both
    first.sim.call(first.bms.set_value, "MAXC", 11)
    second.sim.call(second.bms.set_value, "MAXC", 22)
    await asyncio.gather(first.reload(), second.reload())
    assert (first.number("maxc"), second.number("maxc")) == (11, 22)


async def test_each_battery_is_followed_by_itself(both: tuple[Rig, Rig]) -> None:
    first, second = both
    first.sim.call(first.bms.set_current, 50)
    second.sim.call(second.bms.set_current, -20)
    for _ in range(4):
        await first.poll()
        await second.poll(0)
    assert first.number("lifetime_charged") > 5
    assert second.number("lifetime_charged") == 0
    assert second.number("lifetime_discharged") > 2


async def test_they_never_talk_over_each_other(both: tuple[Rig, Rig]) -> None:
    first, second = both
    for _ in range(3):
        await first.asleep(NEVER_BY_ITSELF)
        await asyncio.gather(
            first.poll(0),
            second.poll(0),
            first.set_number("maxc", 50),
            second.set_number("maxd", 60),
        )
    assert not first.sim.log.overlaps
    assert (first.bms.settings["MAXC"], second.bms.settings["MAXD"]) == (50, 60)


async def test_the_line_is_shared_fairly(both: tuple[Rig, Rig]) -> None:
    first, second = both
    first.sim.log.clear()
    for rig in both:
        rig.coordinator.bms._was_away = True
    await asyncio.gather(first.poll(), second.poll())
    addresses = [entry.address for entry in first.sim.log.requests()]
    assert 2 in addresses[:4]
    assert 1 in addresses[:4]


async def test_one_that_is_silent_leaves_the_other_available(
    short_silence: None, both: tuple[Rig, Rig]
) -> None:
    first, second = both
    first.bms.silent = True
    await asyncio.gather(first.poll(), second.poll())
    assert first.shown("voltage") == "unavailable"
    assert second.number("voltage") > 50


async def test_the_last_one_closes_the_port(both: tuple[Rig, Rig]) -> None:
    first, second = both
    connection = first.coordinator.bms.client.connection
    await first.unload()
    assert connection._transport.is_open
    await second.poll()
    assert second.number("voltage") > 50
    await second.unload()
    assert not connection._transport.is_open


async def test_a_port_that_is_searched_at_another_speed_is_waited_for(
    hass: HomeAssistant, pair: SimulatorInMemory
) -> None:
    rig = Rig(hass, pair, entry_for(pair))
    async with async_get_ports(hass).borrow(pair.port, 38400):
        await rig.try_to_set_up()
        assert rig.entry.state is ConfigEntryState.SETUP_RETRY
        assert rig.entry.error_reason_translation_key == "port_failed"
        assert rig.entry.error_reason_translation_placeholders == {
            "port": pair.port,
            "reason": "in use by a search",
        }
    await rig.reload()
    assert rig.number("voltage") > 50


async def test_a_port_has_one_speed(hass: HomeAssistant, pair: SimulatorInMemory) -> None:
    first = Rig(hass, pair, entry_for(pair, address=1))
    await first.set_up()
    second = Rig(hass, pair, entry_for(pair, address=2, baudrate=38400))
    await second.try_to_set_up()
    assert second.entry.state is ConfigEntryState.SETUP_ERROR
    assert second.entry.error_reason_translation_key == "speed_conflict"
    assert second.entry.error_reason_translation_placeholders == {
        "port": pair.port,
        "running": "115200",
        "wanted": "38400",
    }
    await first.poll()
    assert first.coordinator.last_update_success


async def test_the_same_adapter_by_another_name_is_the_same_port(
    hass: HomeAssistant, simulate: Simulate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("by-id") / "usb-FTDI"
    sim = simulate(addresses=[1, 2], link=link)
    first = Rig(hass, sim, entry_for(sim, address=1))
    second = Rig(hass, sim, entry_for(sim, address=2))
    second.entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        second.entry, data={**second.entry.data, "port": str(link.resolve())}
    )
    await first.set_up()  # and with the integration all its entries
    assert first.coordinator.bms.client.connection is second.coordinator.bms.client.connection


# -- a set that waits for its turn -----------------------------------------------------------------


async def delete(rig: Rig) -> None:
    await rig.hass.config_entries.async_remove(rig.entry.entry_id)


async def disable(rig: Rig) -> None:
    entry_id = rig.entry.entry_id
    await rig.hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)


async def unload(rig: Rig) -> None:
    await rig.hass.config_entries.async_unload(rig.entry.entry_id)


async def begin_to_reload(rig: Rig) -> None:
    """Have the entry unloaded; its first poll waits for the line as the set does."""
    rig.hass.config_entries.async_schedule_reload(rig.entry.entry_id)
    await until(lambda: rig.entry.state is ConfigEntryState.SETUP_IN_PROGRESS)


async def move(rig: Rig) -> None:
    """Reconfigure the entry for another address, as the dialog does."""
    rig.hass.config_entries.async_update_entry(rig.entry, data={**rig.entry.data, "address": 2})
    await begin_to_reload(rig)


type Leave = Callable[[Rig], Awaitable[None]]

LEAVING: dict[str, Leave] = {
    "deleted": delete,
    "disabled": disable,
    "unloaded": unload,
    "reloaded": begin_to_reload,
    "moved": move,
}

leaving = pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)


@asynccontextmanager
async def line_taken(rig: Rig) -> AsyncIterator[None]:
    """Have the line in the hands of another, as in a slow exchange."""
    async with rig.coordinator.bms.client.connection.turn():
        yield


async def waiting_set(rig: Rig) -> asyncio.Task[Any]:
    """Begin a set and return once it waits for its turn."""
    connection = rig.coordinator.bms.client.connection
    setting = asyncio.create_task(rig.set_number("maxc", 100))
    await until(lambda: connection._lock._waiters)
    return setting


async def failure_of(setting: asyncio.Task[Any]) -> HomeAssistantError:
    with pytest.raises(HomeAssistantError) as failed:
        await setting
    assert failed.value.translation_domain == "rec_bms"
    return failed.value


@leaving
async def test_a_set_that_waits_for_its_turn_goes_with_its_entry(
    both: tuple[Rig, Rig], leave: Leave
) -> None:
    first, second = both
    async with line_taken(second):
        setting = await waiting_set(first)
        await leave(first)
    failed = await failure_of(setting)
    assert failed.translation_key == "withdrawn"
    assert failed.translation_placeholders == {
        "name": "Maximum charge current per inverter (MAXC)",
        "title": first.entry.title,
    }
    await first.hass.async_block_till_done()
    assert not first.sim.log.sets
    assert first.sim.bms[1].settings["MAXC"] == 150


@leaving
async def test_a_set_that_is_being_prepared_goes_with_its_entry(
    both: tuple[Rig, Rig], leave: Leave
) -> None:
    first, _ = both
    first.sim.log.clear()
    first.sim.faults.next("late", seconds=0.3, instruction="MAXC")
    setting = asyncio.create_task(first.set_number("maxc", 100))
    await until(lambda: first.sim.log.requests("MAXC"))
    await leave(first)
    assert (await failure_of(setting)).translation_key == "withdrawn"
    await first.hass.async_block_till_done()
    assert not first.sim.log.sets


async def test_a_set_that_waits_behind_a_silent_neighbour_goes_with_its_entry(
    short_silence: None, both: tuple[Rig, Rig]
) -> None:
    first, second = both
    second.bms.silent = True
    second.sim.log.clear()
    poll = asyncio.create_task(second.coordinator.async_refresh())
    await until(second.sim.log.requests)
    setting = await waiting_set(first)
    await delete(first)
    assert (await failure_of(setting)).translation_key == "withdrawn"
    await poll
    assert not first.sim.log.sets


async def test_a_set_of_the_last_entry_of_a_port_goes_with_it(
    hass: HomeAssistant, pair: SimulatorInMemory
) -> None:
    """Its port is closed under it, which is not what its caller must know."""
    rig = Rig(hass, pair, entry_for(pair))
    await rig.set_up()
    async with line_taken(rig):
        setting = await waiting_set(rig)
        await delete(rig)
    assert (await failure_of(setting)).translation_key == "withdrawn"
    assert not pair.log.sets


async def test_after_a_reload_a_set_is_made_again(both: tuple[Rig, Rig]) -> None:
    first, second = both
    async with line_taken(second):
        setting = await waiting_set(first)
        await begin_to_reload(first)
    await failure_of(setting)
    await first.hass.async_block_till_done()
    await first.set_number("maxc", 100)
    assert first.number("maxc") == first.bms.settings["MAXC"] == 100


async def test_a_set_is_made_although_the_entry_of_its_neighbour_goes(
    both: tuple[Rig, Rig],
) -> None:
    first, second = both
    async with line_taken(second):
        setting = await waiting_set(first)
        await delete(second)
    await setting
    assert first.number("maxc") == first.bms.settings["MAXC"] == 100


@pytest.mark.long
async def test_a_set_that_was_sent_is_read_back_although_its_entry_goes(
    both: tuple[Rig, Rig],
) -> None:
    first, _ = both
    first.sim.call(setattr, first.sim.line, "turnaround", 0.03)
    setting = asyncio.create_task(first.set_number("maxc", 100))
    await until(lambda: first.sim.log.sets)
    await delete(first)
    await setting
    assert first.asked()[-1] == "MAXC"
    assert first.sim.bms[1].settings["MAXC"] == 100


async def test_a_set_is_made_while_the_entry_is_still_being_set_up(
    hass: HomeAssistant, pair: SimulatorInMemory
) -> None:
    """An automation may set a number as soon as it is there, a moment before the entry is."""
    rig = Rig(hass, pair, entry_for(pair))
    states: list[ConfigEntryState] = []

    async def set_at_once(event: Any) -> None:
        if not states and event.data["entity_id"].endswith("current_per_inverter"):
            states.append(rig.entry.state)
            await hass.services.async_call(
                "number", "set_value", {"entity_id": event.data["entity_id"], "value": 100}
            )

    hass.bus.async_listen("state_changed", set_at_once)
    await rig.set_up()
    assert states == [ConfigEntryState.SETUP_IN_PROGRESS]
    await until(lambda: pair.log.sets)
    await hass.async_block_till_done()
    assert 100 in (rig.bms.settings["MAXC"], rig.bms.settings["MAXD"])


@pytest.mark.long
async def test_a_set_that_waits_while_home_assistant_stops_is_not_sent(
    both: tuple[Rig, Rig],
) -> None:
    first, second = both
    async with line_taken(second):
        setting = await waiting_set(first)
        first.hass.set_state(CoreState.stopping)
    assert (await failure_of(setting)).translation_key == "stopping"
    assert not first.sim.log.sets
    first.hass.set_state(CoreState.running)


@pytest.mark.parametrize(
    ("leave", "key"),
    [
        (delete, "service_config_entry_not_found"),
        (disable, "service_config_entry_not_loaded"),
        (unload, "service_config_entry_not_loaded"),
    ],
    ids=["deleted", "disabled", "unloaded"],
)
async def test_the_actions_refuse_an_entry_that_is_not_loaded(
    both: tuple[Rig, Rig], leave: Leave, key: str
) -> None:
    """The texts are Home Assistant's own, which name the entry."""
    first, _ = both
    await leave(first)
    first.sim.log.clear()
    calls: dict[str, dict[str, Any]] = {"get_parameter": {}, "set_parameter": {"value": 100}}
    for action, fields in calls.items():
        with pytest.raises(ServiceValidationError) as refused:
            await first.act(action, instruction="MAXC", **fields)
        assert refused.value.translation_domain == "homeassistant"
        assert refused.value.translation_key == key
    assert not first.sim.log.requests()


@pytest.mark.long
async def test_entries_on_one_port_share_it_fairly_and_never_talk_over_each_other(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2, 3], cells=4, preset="lifepo4")
    rigs = [
        Rig(hass, sim, entry_for(sim, address=address, title=f"BMS {address}"))
        for address in (1, 2, 3)
    ]
    await asyncio.gather(*(rig.set_up() for rig in rigs))
    sim.log.clear()

    async def work(rig: Rig, volts: float) -> None:
        await asyncio.gather(rig.coordinator.async_refresh(), rig.set_number("cmax", volts))
        assert rig.bms.settings["CMAX"] == pytest.approx(volts)

    for volts in (3.6, 3.61, 3.62):
        await rigs[0].asleep(300)
        await asyncio.gather(*(work(rig, volts) for rig in rigs))
    asked = [len(sim.log.requests(address=address)) for address in (1, 2, 3)]
    assert max(asked) <= 1.2 * min(asked)
    assert not sim.log.overlaps


async def test_turns_alternate_between_entries_that_poll_at_once(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2])
    rigs = [Rig(hass, sim, entry_for(sim, address=address)) for address in (1, 2)]
    for rig in rigs:
        await rig.set_up()
    await rigs[0].asleep(300)
    sim.log.clear()
    await asyncio.gather(*(rig.coordinator.async_refresh() for rig in rigs))
    order = [entry.address for entry in sim.log.requests()]
    both = order[: 2 * min(order.count(1), order.count(2))]
    longest_run = max(
        len(run)
        for run in "".join(map(str, both)).replace("12", "1 2").replace("21", "2 1").split()
    )
    assert longest_run <= 2, order
    assert not sim.log.overlaps


async def test_one_bms_falling_silent_leaves_the_other_readable(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2])
    first, second = (Rig(hass, sim, entry_for(sim, address=address)) for address in (1, 2))
    await first.set_up()
    await second.set_up()
    first.bms.silent = True
    await first.asleep(300)
    await asyncio.gather(first.poll(0), second.poll(0))
    assert first.shown("voltage") == "unavailable"
    assert second.shown("voltage") != "unavailable"
    assert not sim.log.overlaps
