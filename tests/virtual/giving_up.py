"""Giving a line up while something is under way on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from homeassistant.config_entries import ConfigEntryState

from tests.virtual.rig import Rig

ONE_SECOND = 1.0


async def seconds_taken(work: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await work
    return loop.time() - began


type GiveUp = Callable[[Rig], Awaitable[object]]

GIVING_UP: dict[str, GiveUp] = {
    "unload": lambda rig: rig.hass.config_entries.async_unload(rig.entry.entry_id),
    "shutdown": lambda rig: rig.hass.async_stop(force=True),
}


@pytest.fixture(params=GIVING_UP)
def give_up(request: pytest.FixtureRequest) -> GiveUp:
    return GIVING_UP[request.param]


async def in_a_poll(rig: Rig) -> asyncio.Task[None]:
    """Have a poll begun as the coordinator's own timer begins it."""
    poll = rig.entry.async_create_background_task(
        rig.hass, rig.coordinator.async_refresh(), "a poll of its own"
    )
    await asyncio.sleep(0.1)
    assert not poll.done()
    return poll


async def shut_down_while_setting_up(rig: Rig) -> float:
    """Stop Home Assistant in the middle of a set-up; return how long that takes, in s."""
    if rig.hass.config_entries.async_get_entry(rig.entry.entry_id) is None:
        rig.entry.add_to_hass(rig.hass)
    rig.hass.async_create_task(rig.hass.config_entries.async_setup(rig.entry.entry_id))
    await asyncio.sleep(0.3)
    assert rig.entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    return await seconds_taken(rig.hass.async_stop(force=True))
