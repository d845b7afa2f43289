"""Several BMSs on one pair of wires: their entries share one connection."""

from __future__ import annotations

import asyncio

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from custom_components.rec_bms.ports import async_get_ports
from simulator import SimulatorThread
from tests.integration.conftest import Simulate
from tests.integration.house import House, entry_for


@pytest.fixture
def pair(simulate: Simulate) -> SimulatorThread:
    return simulate(addresses=[1, 2])


@pytest.fixture
async def both(hass: HomeAssistant, pair: SimulatorThread) -> tuple[House, House]:
    houses = [
        House(hass, pair, entry_for(pair, address=address, title=f"BMS {address}"))
        for address in (1, 2)
    ]
    for house in houses:
        await house.set_up()
    return houses[0], houses[1]


async def test_two_entries_share_one_connection(both: tuple[House, House]) -> None:
    first, second = both
    assert first.coordinator.client.connection is second.coordinator.client.connection
    assert first.coordinator.client.connection.counters.opened == 1


async def test_each_shows_its_own_bms(both: tuple[House, House]) -> None:
    first, second = both
    first.sim.call(first.bms.set_value, "MAXC", 11)
    second.sim.call(second.bms.set_value, "MAXC", 22)
    await asyncio.gather(first.reload(), second.reload())
    assert (first.number("maxc"), second.number("maxc")) == (11, 22)


async def test_they_never_talk_over_each_other(both: tuple[House, House]) -> None:
    first, second = both
    for _ in range(3):
        await asyncio.gather(
            first.poll(), second.poll(), first.set_number("maxc", 50), second.set_number("maxd", 60)
        )
    assert not first.sim.log.overlaps
    assert (first.bms.settings["MAXC"], second.bms.settings["MAXD"]) == (50, 60)


async def test_the_line_is_shared_fairly(both: tuple[House, House]) -> None:
    first, second = both
    first.sim.log.clear()
    for house in both:
        house.coordinator._was_away = True
    await asyncio.gather(first.poll(), second.poll())
    addresses = [entry.address for entry in first.sim.log.requests()]
    assert 2 in addresses[:4]
    assert 1 in addresses[:4]


async def test_one_that_is_silent_leaves_the_other_available(
    short_silence: None, both: tuple[House, House]
) -> None:
    first, second = both
    first.bms.silent = True
    await asyncio.gather(first.poll(), second.poll())
    assert first.shown("voltage") == "unavailable"
    assert second.number("voltage") > 50


async def test_the_last_one_closes_the_port(both: tuple[House, House]) -> None:
    first, second = both
    connection = first.coordinator.client.connection
    await first.unload()
    assert connection._wire.is_open
    await second.poll()
    assert second.number("voltage") > 50
    await second.unload()
    assert not connection._wire.is_open


async def test_a_port_that_is_searched_at_another_speed_is_waited_for(
    hass: HomeAssistant, pair: SimulatorThread
) -> None:
    house = House(hass, pair, entry_for(pair))
    async with async_get_ports(hass).borrow(pair.port, 38400):
        await house.try_to_set_up()
        assert house.entry.state is ConfigEntryState.SETUP_RETRY
        assert house.entry.error_reason_translation_key == "port_failed"
        assert house.entry.error_reason_translation_placeholders == {
            "port": pair.port,
            "reason": "in use by a search",
        }
    await house.reload()
    assert house.number("voltage") > 50


async def test_a_port_has_one_speed(hass: HomeAssistant, pair: SimulatorThread) -> None:
    first = House(hass, pair, entry_for(pair, address=1))
    await first.set_up()
    second = House(hass, pair, entry_for(pair, address=2, baudrate=38400))
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
    first = House(hass, sim, entry_for(sim, address=1))
    second = House(hass, sim, entry_for(sim, address=2))
    second.entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        second.entry, data={**second.entry.data, "port": str(link.resolve())}
    )
    await first.set_up()  # and with the integration all its entries
    assert first.coordinator.client.connection is second.coordinator.client.connection
