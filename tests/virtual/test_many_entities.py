"""Home Assistant's other business goes on while a battery of very many cells is shown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError

from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory

MOST_WRITTEN_IN_A_TURN = 110
MOST_ADDED_IN_A_TURN = 15
NEW_UNITS = [f"unit_{number}_" for number in range(9, 16)]


@pytest.fixture
def pack(simulate: Simulate) -> SimulatorInMemory:
    """A master at address 16 with 14 child units."""
    return simulate(addresses=[16], units=15, cells=15)


@pytest.fixture
async def large(hass: HomeAssistant, pack: SimulatorInMemory) -> Rig:
    rig = Rig(hass, pack, entry_for(pack, address=16))
    await rig.set_up()
    return rig


@contextmanager
def states_by_turn(hass: HomeAssistant) -> Iterator[Counter[int]]:
    """Count the states that are written in each turn of the event loop."""
    written = Counter[int]()

    @callback
    def wrote(_: Event) -> None:
        written[hass.loop.turns] += 1

    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, wrote)
    yield written
    stop()


@pytest.mark.long
async def test_others_have_their_turn_while_all_cells_have_changed(large: Rig) -> None:
    large.sim.call(large.bms.set_current, -80)
    with states_by_turn(large.hass) as written:
        await large.poll()
    assert sum(written.values()) > 225
    assert max(written.values()) <= MOST_WRITTEN_IN_A_TURN


@pytest.fixture
async def growing(hass: HomeAssistant, simulate: Simulate) -> Rig:
    """A pack of eight units to which seven are added after its set-up."""
    sim = simulate(addresses=[16], units=8, cells=15)
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    for _ in NEW_UNITS:
        sim.call(rig.bms.add_unit, 15)
    return rig


@pytest.mark.long
async def test_others_have_their_turn_while_new_units_are_added(growing: Rig) -> None:
    with states_by_turn(growing.hass) as written:
        for _ in range(3):
            await growing.poll()
    assert growing.number("cell_voltage_15_15") > 3
    assert sum(written.values()) > 224
    assert max(written.values()) <= MOST_ADDED_IN_A_TURN


@pytest.mark.long
async def test_all_cells_become_unavailable_and_available_again(large: Rig) -> None:
    large.bms.silent = True
    await large.poll()
    cells = [f"cell_voltage_{unit}_{cell}" for unit in range(1, 16) for cell in range(1, 16)]
    assert {large.shown(cell) for cell in cells} == {"unavailable"}
    large.bms.silent = False
    await large.poll()
    assert all(large.number(cell) > 3 for cell in cells)


@pytest.mark.long
async def test_unloading_in_the_middle_of_an_update_leaves_nothing_behind(
    large: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    large.sim.call(large.bms.set_current, -80)
    await large.asleep(300)
    refresh = large.hass.async_create_task(large.coordinator.async_refresh())
    first = asyncio.Event()
    large.hass.bus.async_listen_once(EVENT_STATE_CHANGED, callback(lambda _: first.set()))
    await first.wait()
    await large.unload()
    await refresh
    assert large.shown("cell_voltage_15_15") == "unavailable"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.long
async def test_unloading_while_new_units_are_added_leaves_none_of_their_entities_behind(
    growing: Rig,
) -> None:
    first = asyncio.Event()

    def of_new_units() -> list[State]:
        states = growing.hass.states.async_all()
        return [each for each in states if any(unit in each.entity_id for unit in NEW_UNITS)]

    def wrote(_: Event) -> None:
        if of_new_units():
            first.set()

    growing.hass.bus.async_listen(EVENT_STATE_CHANGED, callback(wrote))
    while not first.is_set():
        await growing.asleep(300)
        poll = growing.hass.async_create_task(growing.coordinator.async_refresh())
        added = asyncio.ensure_future(first.wait())
        await asyncio.wait({poll, added}, return_when=asyncio.FIRST_COMPLETED)
    before = len(of_new_units())
    await growing.unload()
    assert len(of_new_units()) <= before + MOST_ADDED_IN_A_TURN
    assert {state.state for state in of_new_units()} == {"unavailable"}


async def test_a_listener_that_fails_costs_no_other_its_news(
    running: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fails() -> None:
        told.append("fails")
        # An error of Home Assistant's own is what the fixture that looks for others lets pass.
        raise HomeAssistantError

    running.coordinator.async_add_listener(fails)
    running.coordinator.async_add_listener(lambda: told.append("works"))
    await running.poll()
    assert told == ["fails", "works"]
    assert "Unexpected error in a listener" in caplog.text
