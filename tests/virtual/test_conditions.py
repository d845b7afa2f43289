"""The integration's own conditions: how it is with a BMS, for an automation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.condition import ConditionChecker, async_get_all_descriptions

from custom_components.rec_bms.condition import CONDITIONS
from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.keeping import change
from tests.virtual.rig import Rig, passes
from tests.virtual.test_wifi import set_up as set_up_wifi
from tests.virtual.watching import (
    by_device,
    by_entity,
    condition_of,
    error,
    far,
    leave,
    near,
    no_error,
)
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule

NEAR_THE_TOP = {"end": "high", "below": 50}

type Do = Callable[[Rig], Awaitable[None]]


async def charge(rig: Rig) -> None:
    rig.sim.call(rig.bms.set_current, 20.0)
    await rig.poll()


async def discharge(rig: Rig) -> None:
    rig.sim.call(rig.bms.set_current, -20.0)
    await rig.poll()


async def old(rig: Rig) -> None:
    await rig.poll()
    rig.hass.loop.leap(70)  # type: ignore[attr-defined]


async def new(rig: Rig) -> None:
    await rig.poll()


CASES: dict[str, tuple[dict[str, Any], Do, Do]] = {
    "error_present": ({}, no_error, error),
    "headroom": (NEAR_THE_TOP, far, near),
    "is_charging": ({}, discharge, charge),
    "data_fresh": ({}, old, new),
}
"""Options, and what is to happen until it is not so and until it is."""


@pytest.fixture(autouse=True)
def _quick_silence(short_silence: None) -> None:
    """Let a BMS that is silent be noticed soon."""


async def of(rig: Rig, key: str, **options: Any) -> ConditionChecker:
    return await condition_of(rig.hass, key, by_device(rig), **options)


# -- each condition, whatever is named -------------------------------------------------------------


def test_each_condition_is_tested() -> None:
    assert CASES.keys() == CONDITIONS.keys()


@pytest.mark.parametrize("key", CASES)
@pytest.mark.parametrize("way", ["device", "entity", "area", "label"])
async def test_a_condition_holds_by_whatever_its_bms_is_named(
    running: Rig, key: str, way: str
) -> None:
    area = ar.async_get(running.hass).async_create("Engine room")
    dr.async_get(running.hass).async_update_device(
        running.device().id, area_id=area.id, labels={"batteries"}
    )
    target = {
        "device": by_device(running),
        "entity": by_entity(running, "state_of_health"),
        "area": {"area_id": area.id},
        "label": {"label_id": ["batteries"]},
    }[way]
    options, before, after = CASES[key]
    condition = await condition_of(running.hass, key, target, **options)
    await before(running)
    assert condition.async_check() is False
    await after(running)
    assert condition.async_check() is True
    condition.async_unload()


@pytest.mark.long
@pytest.mark.parametrize("key", CASES)
async def test_a_condition_works_while_all_entities_are_disabled(running: Rig, key: str) -> None:
    registry = er.async_get(running.hass)
    for each in running.registered_entities():
        registry.async_update_entity(each.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await running.reload()
    options, before, after = CASES[key]
    condition = await condition_of(running.hass, key, by_entity(running, "problem"), **options)
    for _ in range(60):
        await running.poll()
    await before(running)
    assert condition.async_check() is False
    await after(running)
    assert condition.async_check() is True
    condition.async_unload()


@pytest.mark.parametrize("key", CASES)
async def test_a_condition_goes_on_after_a_reload(running: Rig, key: str) -> None:
    options, before, after = CASES[key]
    condition = await of(running, key, **options)
    await before(running)
    await running.reload()
    await before(running)
    assert condition.async_check() is False
    await after(running)
    assert condition.async_check() is True
    condition.async_unload()


@pytest.mark.parametrize("key", CASES)
@pytest.mark.parametrize("how", ["silent", "unloaded", "deleted"])
async def test_what_is_not_known_is_not_so(running: Rig, key: str, how: str) -> None:
    options, _, after = CASES[key]
    condition = await of(running, key, **options)
    await after(running)
    assert condition.async_check() is True
    if how == "silent":
        running.bms.silent = True
        await running.poll()
    elif how == "unloaded":
        await running.unload()
    else:
        await running.hass.config_entries.async_remove(running.entry.entry_id)
    assert condition.async_check() is False
    condition.async_unload()


@pytest.mark.long
@pytest.mark.parametrize("key", ["error_present", "headroom", "is_charging"])
async def test_of_several_one_or_all_must_pass(
    hass: HomeAssistant, simulate: Simulate, key: str
) -> None:
    options, before, after = CASES[key]
    members = batteries(hass, simulate, {}, {}, interval=300)
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    target = by_device(bank)
    conditions = [
        await condition_of(hass, key, target, behavior=behavior, **options)
        for behavior in ("any", "all")
    ]
    outcomes = []
    for what in ((before, before), (before, after), (after, after)):
        for member, do in zip(members, what, strict=True):
            await do(member)
        outcomes.append([condition.async_check() for condition in conditions])
    assert outcomes == [[False, False], [True, False], [True, True]]
    for condition in conditions:
        condition.async_unload()


@pytest.mark.parametrize("behavior", ["any", "all"])
async def test_of_none_none_passes(
    running: Rig, caplog: pytest.LogCaptureFixture, behavior: str
) -> None:
    condition = await condition_of(
        running.hass, "data_fresh", {"entity_id": ["sun.sun"]}, behavior=behavior
    )
    assert condition.async_check() is False
    assert "There is no REC BMS among" in caplog.text
    condition.async_unload()


@pytest.mark.parametrize("key", CASES)
async def test_a_condition_that_is_given_up_leaves_nothing_behind(running: Rig, key: str) -> None:
    before = len(running.coordinator._listeners)
    condition = await of(running, key, **CASES[key][0])
    assert len(running.coordinator._listeners) == before + 1
    condition.async_unload()
    assert len(running.coordinator._listeners) == before


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("headroom", {"end": "high"}),
        ("headroom", {"below": 50}),
        ("headroom", {"end": "either", "below": 50}),
        ("headroom", {"end": "low", "above": "much"}),
        ("data_fresh", {"within": -1}),
        ("is_charging", {"behavior": "first"}),
        ("error_present", {"number": 2}),
    ],
)
async def test_options_that_make_no_sense_are_refused(
    running: Rig, key: str, options: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await of(running, key, **options)


async def test_home_assistant_finds_the_descriptions(running: Rig) -> None:
    condition = await of(running, "data_fresh")
    descriptions = await async_get_all_descriptions(running.hass)
    assert {f"rec_bms.{key}" for key in CONDITIONS} <= descriptions.keys()
    assert descriptions["rec_bms.headroom"] is not None
    assert "above" in descriptions["rec_bms.headroom"]["fields"]
    condition.async_unload()


# -- headroom --------------------------------------------------------------------------------------


async def test_headroom_is_above_below_or_between(running: Rig) -> None:
    await leave(running, "low", 100)
    left = round(running.number("headroom_low"))
    for options, holds in (
        ({"above": left - 1}, True),
        ({"above": left}, False),
        ({"below": left}, False),
        ({"below": left + 1}, True),
        ({"above": left - 1, "below": left + 1}, True),
        ({"above": left, "below": left + 1}, False),
    ):
        condition = await of(running, "headroom", end="low", **options)
        assert condition.async_check() is holds, options
        condition.async_unload()


async def test_headroom_beyond_the_limit_is_below(running: Rig) -> None:
    await leave(running, "low", -30)
    condition = await of(running, "headroom", end="low", below=0)
    assert condition.async_check() is True
    condition.async_unload()


@pytest.mark.parametrize("option", ["above", "below"])
async def test_headroom_to_a_limit_that_cannot_be_is_neither(running: Rig, option: str) -> None:
    change(running, CMAX=90.0)
    await running.reload()
    condition = await of(running, "headroom", end="high", **{option: 100})
    assert condition.async_check() is False
    condition.async_unload()


# -- charging, fresh -------------------------------------------------------------------------------


async def test_next_to_no_current_changes_nothing(running: Rig) -> None:
    condition = await of(running, "is_charging")
    for amperes, holds in ((0.05, False), (0.3, True), (0.05, True), (0.0, False)):
        running.sim.call(running.bms.set_current, amperes)
        await running.poll()
        assert condition.async_check() is holds, amperes
    condition.async_unload()


async def test_data_are_fresh_for_as_long_as_is_said(running: Rig) -> None:
    condition = await of(running, "data_fresh", within={"minutes": 4})
    await running.poll()
    await passes(200)
    assert condition.async_check() is True
    await passes(60)
    assert condition.async_check() is False
    condition.async_unload()


# -- over WiFi -------------------------------------------------------------------------------------


@pytest.fixture
async def module(socket_enabled: None, virtual_time: None) -> AsyncIterator[WifiModule]:
    """A module that tells within seconds."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, seed=3, time_factor=0)
    async with WifiModule(bms, period=5.0, settings_period=5.0) as started:
        yield started


async def test_each_condition_works_over_wifi(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up_wifi(hass, module)
    module.bms.set_current(20.0)
    module.bms.raise_error(2, 1, 4)
    await passes(20)
    left = rig.number("headroom_high")
    options = {"headroom": {"end": "high", "below": left + 1}}
    conditions = [await of(rig, key, **options.get(key, {})) for key in CONDITIONS]
    assert [condition.async_check() for condition in conditions] == [True] * 4
    await module.sleep()
    await passes(60)
    assert [condition.async_check() for condition in conditions] == [False] * 4
    for condition in conditions:
        condition.async_unload()
