"""Nothing that is under way on a line holds up Home Assistant, which unloads or stops."""

from __future__ import annotations

import asyncio

import pytest

from tests.virtual.giving_up import (
    ONE_SECOND,
    GiveUp,
    give_up,
    in_a_poll,
    seconds_taken,
    shut_down_while_setting_up,
)
from tests.virtual.rig import Rig, until

__all__ = ["give_up"]
"""The fixture of others."""


async def test_a_silent_bms_does_not_hold_up(rig: Rig, give_up: GiveUp) -> None:
    await rig.set_up()
    rig.bms.silent = True
    poll = await in_a_poll(rig)
    assert await seconds_taken(give_up(rig)) < ONE_SECOND
    await asyncio.wait([poll], timeout=ONE_SECOND)
    assert poll.done()


async def test_a_running_poll_does_not_hold_up(rig: Rig, give_up: GiveUp) -> None:
    await rig.set_up()
    rig.sim.call(setattr, rig.sim.line, "turnaround", 0.2)
    await in_a_poll(rig)
    assert await seconds_taken(give_up(rig)) < ONE_SECOND


async def test_a_setting_that_is_being_made_does_not_hold_up(rig: Rig, give_up: GiveUp) -> None:
    await rig.set_up()
    rig.sim.faults.next("set_lost")
    setting = asyncio.create_task(rig.set_number("cmax", 4.15))
    await asyncio.sleep(0.3)
    assert await seconds_taken(give_up(rig)) < ONE_SECOND
    await asyncio.wait([setting], timeout=5)
    assert setting.cancelled() or setting.exception() is not None


async def test_a_setting_that_was_sent_is_read_back_although_home_assistant_stops(
    rig: Rig,
) -> None:
    await rig.set_up()
    rig.sim.call(setattr, rig.sim.line, "turnaround", 0.03)
    setting = asyncio.create_task(rig.set_number("cmax", 4.15))
    await until(lambda: bool(rig.sim.log.sets))
    assert await seconds_taken(rig.hass.async_stop(force=True)) < ONE_SECOND
    await asyncio.wait([setting], timeout=5)
    assert setting.exception() is None
    assert rig.asked()[-1] == "CMAX"


async def test_a_first_set_up_with_a_silent_bms_does_not_hold_up_a_shutdown(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.bms.silent = True
    assert await shut_down_while_setting_up(rig) < ONE_SECOND
    assert "still running" not in caplog.text


async def test_a_first_set_up_on_a_slow_line_does_not_hold_up_a_shutdown(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.sim.call(setattr, rig.sim.line, "turnaround", 0.2)
    assert await shut_down_while_setting_up(rig) < ONE_SECOND
    assert "still running" not in caplog.text
