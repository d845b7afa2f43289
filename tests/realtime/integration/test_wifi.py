"""The WiFi way by the machine's clock and over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule

NAME = "1A-2261"


@pytest.fixture
async def module(socket_enabled: None) -> AsyncIterator[WifiModule]:
    """A module that tells every 100 ms."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, time_factor=0)
    async with WifiModule(bms, period=0.1, settings_period=0.1) as started:
        yield started


async def set_up(hass: HomeAssistant, module: WifiModule) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, title=NAME, unique_id=NAME, data={"host": module.host})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def until(condition: Callable[[], object], within: float = 10.0) -> float:
    """Wait for something; return the seconds that it took."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  (what a web server does sets no event)
            await asyncio.sleep(0.005)
    return time.monotonic() - began


async def test_a_push_is_in_the_state_machine_within_a_second(
    hass: HomeAssistant, module: WifiModule
) -> None:
    await set_up(hass, module)
    module.bms.battery.cell(1, 3).rest_at(3.2)
    module.bms.look_again()

    def is_shown() -> bool:
        state = hass.states.get("sensor.1a_2261_cell_3_voltage")
        return state is not None and float(state.state) == pytest.approx(3.2, abs=0.01)

    assert await until(is_shown) < 1


async def test_a_module_that_breaks_off_is_heard_again(
    hass: HomeAssistant, module: WifiModule
) -> None:
    entry = await set_up(hass, module)
    await module.drop()
    await until(lambda: module.clients == 1)
    assert entry.runtime_data.last_update_success
    assert module.connections == 2


async def test_home_assistant_stops_while_it_listens(
    hass: HomeAssistant, module: WifiModule
) -> None:
    await set_up(hass, module)
    began = time.monotonic()
    await hass.async_stop(force=True)
    assert time.monotonic() - began < 5
    await until(lambda: module.clients == 0)
