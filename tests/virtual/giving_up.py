"""Giving a line up while something is under way on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from homeassistant.config_entries import ConfigEntryState

from tests.virtual.house import House

ONE_SECOND = 1.0


async def seconds_taken(work: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await work
    return loop.time() - began


type GiveUp = Callable[[House], Awaitable[object]]

GIVING_UP: dict[str, GiveUp] = {
    "unload": lambda house: house.hass.config_entries.async_unload(house.entry.entry_id),
    "shutdown": lambda house: house.hass.async_stop(force=True),
}


@pytest.fixture(params=GIVING_UP)
def give_up(request: pytest.FixtureRequest) -> GiveUp:
    return GIVING_UP[request.param]


async def in_a_poll(house: House) -> asyncio.Task[None]:
    """Have a poll begun as the coordinator's own timer begins it."""
    poll = house.entry.async_create_background_task(
        house.hass, house.coordinator.async_refresh(), "a poll of its own"
    )
    await asyncio.sleep(0.1)
    assert not poll.done()
    return poll


async def shut_down_while_setting_up(house: House) -> float:
    """Stop Home Assistant in the middle of a set-up; return how long that takes, in s."""
    if house.hass.config_entries.async_get_entry(house.entry.entry_id) is None:
        house.entry.add_to_hass(house.hass)
    house.hass.async_create_task(house.hass.config_entries.async_setup(house.entry.entry_id))
    await asyncio.sleep(0.3)
    assert house.entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    return await seconds_taken(house.hass.async_stop(force=True))
