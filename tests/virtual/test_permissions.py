"""Only administrators, automations and the system change limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.setup import async_setup_component

from tests.virtual.rig import Rig

type Way = Callable[[Rig, Context], Awaitable[None]]


@pytest.fixture
async def guest(hass: HomeAssistant, hass_owner_user: User) -> User:
    """A user who may control entities but is no administrator (the first user is always one)."""
    return await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_USER])


async def by_number(rig: Rig, context: Context) -> None:
    await rig.set_number("maxc", 100, context)


async def by_select(rig: Rig, context: Context) -> None:
    await rig.select("canf", "250_kbit_s", context)


async def by_action(rig: Rig, context: Context) -> None:
    await rig.hass.services.async_call(
        "rec_bms",
        "set_parameter",
        {"config_entry_id": rig.entry.entry_id, "instruction": "MAXC", "value": 100},
        blocking=True,
        context=context,
    )


WAYS = [by_number, by_select, by_action]


@pytest.mark.parametrize("way", WAYS)
async def test_a_user_who_is_no_administrator_is_refused_without_traffic(
    running: Rig, guest: User, way: Way
) -> None:
    running.sim.log.clear()
    with pytest.raises(Unauthorized):
        await way(running, Context(user_id=guest.id))
    assert not running.sim.log.requests()


@pytest.mark.parametrize("way", [by_number, by_select])
async def test_the_refusal_says_that_only_administrators_may(
    running: Rig, guest: User, way: Way
) -> None:
    with pytest.raises(Unauthorized) as refused:
        await way(running, Context(user_id=guest.id))
    assert refused.value.translation_key == "administrators_only"
    assert "Only administrators" in str(refused.value)


@pytest.mark.parametrize("way", [by_number, by_select])
async def test_a_user_who_may_only_look_is_refused_without_traffic(
    running: Rig, hass_read_only_user: User, way: Way
) -> None:
    running.sim.log.clear()
    with pytest.raises(Unauthorized):
        await way(running, Context(user_id=hass_read_only_user.id))
    assert not running.sim.log.requests()


@pytest.mark.parametrize("way", WAYS)
async def test_an_administrator_is_let_through(
    running: Rig, hass_admin_user: User, way: Way
) -> None:
    await way(running, Context(user_id=hass_admin_user.id))
    assert len(running.sim.log.sets) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_automation_is_let_through(running: Rig, way: Way) -> None:
    await way(running, Context(parent_id="something that triggered it"))
    assert len(running.sim.log.sets) == 1


@pytest.mark.parametrize("way", [by_number, by_select])
async def test_a_user_who_does_not_exist_any_more_is_refused(running: Rig, way: Way) -> None:
    with pytest.raises(Exception, match=r".*") as refused:
        await way(running, Context(user_id="nobody"))
    assert not running.sim.log.sets
    assert refused.value


async def test_a_script_that_a_guest_starts_is_refused(running: Rig, guest: User) -> None:
    sequence = [
        {
            "action": "number.set_value",
            "target": {"entity_id": running.entity_id("maxc")},
            "data": {"value": 100},
        }
    ]
    assert await async_setup_component(
        running.hass, "script", {"script": {"limit": {"sequence": sequence}}}
    )
    with pytest.raises(Unauthorized):
        await running.hass.services.async_call(
            "script", "limit", blocking=True, context=Context(user_id=guest.id)
        )
    assert not running.sim.log.sets


async def test_a_guest_cannot_borrow_an_administrators_rights_by_calling_at_the_same_time(
    running: Rig, guest: User, hass_admin_user: User
) -> None:
    import asyncio

    results = await asyncio.gather(
        running.set_number("maxc", 99, Context(user_id=guest.id)),
        running.set_number("maxc", 100, Context(user_id=hass_admin_user.id)),
        running.set_number("maxc", 101, Context(user_id=guest.id)),
        return_exceptions=True,
    )
    assert [isinstance(each, Unauthorized) for each in results] == [True, False, True]
    assert [entry.payload for entry in running.sim.log.sets] == [b"MAXC 100"]


async def test_reading_needs_no_administrator(running: Rig, guest: User) -> None:
    response = await running.hass.services.async_call(
        "rec_bms",
        "get_parameter",
        {"config_entry_id": running.entry.entry_id, "instruction": "MAXC"},
        blocking=True,
        return_response=True,
        context=Context(user_id=guest.id),
    )
    assert response is not None
