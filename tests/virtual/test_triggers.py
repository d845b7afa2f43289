"""The integration's own triggers: what happens to a BMS, told to an automation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM

from custom_components.rec_bms.history import Reason
from custom_components.rec_bms.trigger import TRIGGERS
from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.keeping import change, changed_elsewhere, forget
from tests.virtual.rig import Rig, passes
from tests.virtual.test_wifi import set_up as set_up_wifi
from tests.virtual.watching import (
    Watcher,
    by_device,
    by_entity,
    charge_to,
    error,
    far,
    leave,
    near,
    no_error,
    watch,
)
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule

AFTER_START = 6
"""Seconds after Home Assistant's start in which everything is told that came before it."""

type Do = Callable[[Rig], Awaitable[None]]


async def lose(rig: Rig) -> None:
    rig.bms.silent = True
    await rig.poll()
    await passes(400)
    await rig.hass.async_block_till_done()


async def find(rig: Rig) -> None:
    rig.bms.silent = False
    await rig.poll()


async def full(rig: Rig) -> None:
    await charge_to(rig, 1.0)


async def used(rig: Rig) -> None:
    await charge_to(rig, 0.8)


async def changed(rig: Rig) -> None:
    await changed_elsewhere(rig, MAXC=100 if rig.bms.settings["MAXC"] != 100 else 90)
    await rig.hass.async_block_till_done()


async def nothing(rig: Rig) -> None:
    """Have nothing happen."""


HAPPENS: dict[str, tuple[Do, Do]] = {
    "error_appeared": (no_error, error),
    "error_cleared": (error, no_error),
    "cell_near_cut_off": (far, near),
    "bms_lost": (nothing, lose),
    "bms_back": (lose, find),
    "battery_full": (used, full),
    "setting_changed_elsewhere": (nothing, changed),
}
"""What is so before, and what a trigger tells of."""


@pytest.fixture(autouse=True)
def _quick_silence(short_silence: None) -> None:
    """Let a BMS that is silent be noticed soon."""


@pytest.fixture
async def starting(hass_storage: dict[str, Any], hass: HomeAssistant, rig: Rig) -> Rig:
    """A rig whose Home Assistant is starting, with files in memory."""
    hass.set_state(CoreState.not_running)
    return rig


async def start(rig: Rig) -> None:
    """Bring Home Assistant to the end of its start, and let be told what is to be told."""
    await rig.hass.async_start()
    await passes(AFTER_START)
    await rig.hass.async_block_till_done()


def disable_all(rig: Rig) -> None:
    registry = er.async_get(rig.hass)
    for each in rig.registered_entities():
        registry.async_update_entity(each.entity_id, disabled_by=er.RegistryEntryDisabler.USER)


async def attach(rig: Rig, key: str, target: dict[str, Any], **options: Any) -> Watcher:
    """Begin to watch what is so before; `bms_back` has to see that the BMS is lost."""
    before, _ = HAPPENS[key]
    if key != "bms_back":
        await before(rig)
    watcher = await Watcher(rig.hass, key).attach(target, **options)
    if key == "bms_back":
        await before(rig)
    assert watcher.count() == 0
    return watcher


# -- each trigger, whatever is named ---------------------------------------------------------------


def test_each_trigger_is_tested() -> None:
    assert HAPPENS.keys() == TRIGGERS.keys()


@pytest.mark.parametrize("key", HAPPENS)
@pytest.mark.parametrize("way", ["device", "entity", "area", "label"])
async def test_a_trigger_tells_once_by_whatever_its_bms_is_named(
    running: Rig, key: str, way: str
) -> None:
    registry = dr.async_get(running.hass)
    area = ar.async_get(running.hass).async_create("Engine room")
    registry.async_update_device(running.device().id, area_id=area.id, labels={"batteries"})
    target = {
        "device": by_device(running),
        "entity": by_entity(running, "state_of_health"),
        "area": {"area_id": area.id},
        "label": {"label_id": ["batteries"]},
    }[way]
    watcher = await attach(running, key, target)
    await HAPPENS[key][1](running)
    (told,) = watcher.told()
    assert told["platform"] == f"rec_bms.{key}"
    assert told["device_id"] == running.device().id
    assert told["title"] == running.entry.title
    assert told["description"].startswith(f"{running.entry.title}: ")
    await running.poll()
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.long
@pytest.mark.parametrize("key", HAPPENS)
async def test_a_trigger_works_while_all_entities_are_disabled(running: Rig, key: str) -> None:
    target = by_entity(running, "error_event")
    disable_all(running)
    await running.reload()
    watcher = await attach(running, key, target)
    for _ in range(60):
        await running.poll()
    assert watcher.count() == 0
    await HAPPENS[key][1](running)
    assert watcher.count() == 1
    watcher.detach()


@pytest.mark.long
@pytest.mark.parametrize("key", HAPPENS)
async def test_a_trigger_goes_on_after_a_reload_and_tells_nothing_again(
    running: Rig, key: str
) -> None:
    watcher = await attach(running, key, by_device(running))
    if key != "bms_back":
        await running.reload()
        await running.poll()
    assert watcher.count() == 0
    await HAPPENS[key][1](running)
    assert watcher.count() == 1
    running.bms.silent = False
    await running.reload()
    await running.poll()
    await passes(400)
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.parametrize("key", HAPPENS)
async def test_a_trigger_that_is_detached_leaves_nothing_behind(running: Rig, key: str) -> None:
    before = len(running.coordinator._listeners)
    watcher = await watch(running, key)
    watcher.detach()
    assert len(running.coordinator._listeners) == before
    for happen in HAPPENS[key]:
        await happen(running)
    assert watcher.count() == 0


@pytest.mark.parametrize("key", HAPPENS)
async def test_another_bms_is_not_told_of(
    hass: HomeAssistant, simulate: Simulate, key: str
) -> None:
    first, second = batteries(hass, simulate, {}, {}, interval=300)
    await first.set_up()
    await second.set_up()
    watcher = await attach(first, key, by_device(first))
    if key == "bms_back":
        await HAPPENS[key][0](second)
    await HAPPENS[key][1](second)
    assert watcher.count() == 0
    await HAPPENS[key][1](first)
    assert watcher.count() == 1
    watcher.detach()


async def test_the_device_of_a_further_unit_means_its_bms(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    (rig,) = batteries(hass, simulate, {"units": 2}, interval=300)
    await rig.set_up()
    watcher = await Watcher(hass, "error_appeared").attach(by_device(rig, 2))
    await error(rig)
    assert [told["device_id"] for told in watcher.told()] == [rig.device().id]
    watcher.detach()


@pytest.mark.parametrize("key", HAPPENS)
async def test_a_bank_stands_for_its_batteries(
    hass: HomeAssistant, simulate: Simulate, key: str
) -> None:
    members = batteries(hass, simulate, {}, {}, interval=300)
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    watcher = await attach(members[1], key, by_device(bank))
    await HAPPENS[key][1](members[1])
    assert [told["title"] for told in watcher.told()] == ["Battery 2"]
    watcher.detach()


@pytest.mark.parametrize("key", ["bms_lost", "error_appeared"])
async def test_a_target_that_means_no_bms_is_said(
    running: Rig, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    watcher = await Watcher(running.hass, key).attach({"entity_id": ["sun.sun"]})
    assert "There is no REC BMS among" in caplog.text
    watcher.detach()


async def test_a_bms_that_gets_into_the_area_is_told_of_from_then_on(running: Rig) -> None:
    area = ar.async_get(running.hass).async_create("Engine room")
    watcher = await Watcher(running.hass, "cell_near_cut_off").attach({"area_id": [area.id]})
    await far(running)
    dr.async_get(running.hass).async_update_device(running.device().id, area_id=area.id)
    await running.hass.async_block_till_done()
    await near(running)
    assert watcher.count() == 1
    dr.async_get(running.hass).async_update_device(running.device().id, area_id=None)
    await running.hass.async_block_till_done()
    await far(running)
    await near(running)
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.long
async def test_an_entity_that_comes_later_is_followed_by_its_name(
    hass: HomeAssistant, rig: Rig
) -> None:
    target = {"entity_id": ["sensor.rec_bms_1q_victron_cell_8_voltage"]}
    watcher = await Watcher(hass, "cell_near_cut_off").attach(target)
    await rig.set_up()
    await far(rig)
    await near(rig)
    assert watcher.count() == 1
    watcher.detach()


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("cell_near_cut_off", {"margin": 0}),
        ("cell_near_cut_off", {"margin": "near"}),
        ("cell_near_cut_off", {"end": "both"}),
        ("bms_lost", {"for": "-1"}),
        ("error_appeared", {"margin": 50}),
    ],
)
async def test_options_that_make_no_sense_are_refused(
    running: Rig, key: str, options: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await watch(running, key, **options)


async def test_home_assistant_finds_the_descriptions(running: Rig) -> None:
    watcher = await watch(running, "bms_lost")
    descriptions = await async_get_all_descriptions(running.hass)
    assert {f"rec_bms.{key}" for key in TRIGGERS} <= descriptions.keys()
    assert descriptions["rec_bms.bms_lost"] is not None
    assert "for" in descriptions["rec_bms.bms_lost"]["fields"]
    watcher.detach()


# -- while Home Assistant starts -------------------------------------------------------------------


@pytest.mark.parametrize("key", ["error_appeared", "cell_near_cut_off", "battery_full"])
async def test_what_was_there_before_is_not_told_on_start(starting: Rig, key: str) -> None:
    """The first start stands for what was there before; its file is what the second finds."""
    await starting.set_up()
    await HAPPENS[key][1](starting)
    await start(starting)
    await starting.unload()
    starting.hass.set_state(CoreState.not_running)
    await starting.set_up()
    watcher = await watch(starting, key)
    await start(starting)
    await starting.poll()
    await starting.poll()
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.parametrize("attached_first", [True, False])
async def test_an_error_that_came_while_home_assistant_was_down_is_told_once_it_has_started(
    starting: Rig, attached_first: bool
) -> None:
    await starting.set_up()
    await start(starting)
    target = by_device(starting)
    await starting.unload()
    starting.hass.set_state(CoreState.not_running)
    starting.sim.call(starting.bms.raise_error, 2, 1, 4)
    watcher = Watcher(starting.hass, "error_appeared")
    if attached_first:
        await watcher.attach(target)
    await starting.set_up()
    if not attached_first:
        await watcher.attach(target)
    assert watcher.count() == 0, "nobody is ready yet"
    await start(starting)
    assert [told["number"] for told in watcher.told()] == [2]
    await starting.poll()
    assert watcher.count() == 0
    watcher.detach()


async def test_a_setting_that_was_changed_while_home_assistant_was_down_is_told_once_it_has_started(
    starting: Rig,
) -> None:
    await starting.set_up()
    await start(starting)
    target = by_device(starting)
    await starting.unload()
    forget(starting)
    starting.hass.set_state(CoreState.not_running)
    change(starting, MAXC=100)
    await starting.set_up()
    watcher = await Watcher(starting.hass, "setting_changed_elsewhere").attach(target)
    assert watcher.count() == 0
    await start(starting)
    assert [told["code"] for told in watcher.told()] == ["MAXC"]
    await starting.unload()
    forget(starting)
    await starting.set_up()
    await starting.poll()
    assert watcher.count() == 0, "its file knows that this was told"
    watcher.detach()


async def test_a_bms_that_is_away_when_home_assistant_starts_is_lost_after_the_time(
    starting: Rig,
) -> None:
    await starting.set_up()
    target = by_device(starting)
    await starting.unload()
    starting.bms.silent = True
    await starting.try_to_set_up()
    assert starting.entry.state is ConfigEntryState.SETUP_RETRY
    lost = await Watcher(starting.hass, "bms_lost").attach(target, **{"for": {"minutes": 10}})
    back = await Watcher(starting.hass, "bms_back").attach(target, **{"for": {"minutes": 10}})
    await starting.hass.async_start()
    await passes(500)
    assert lost.count() == 0
    await passes(200)
    assert lost.count() == 1
    await passes(3000)
    assert lost.count() == 0
    starting.bms.silent = False
    await passes(700)
    assert starting.entry.state is ConfigEntryState.LOADED
    assert (lost.count(), back.count()) == (0, 1)
    for watcher in (lost, back):
        watcher.detach()


async def test_the_time_for_which_a_bms_is_lost_counts_anew_from_a_restart(
    running: Rig,
) -> None:
    watcher = await watch(running, "bms_lost", **{"for": {"minutes": 5}})
    running.bms.silent = True
    await running.poll()
    await passes(200)
    watcher.detach()
    await watcher.attach(by_device(running), **{"for": {"minutes": 5}})
    await passes(200)
    assert watcher.count() == 0
    await passes(120)
    assert watcher.count() == 1
    watcher.detach()


async def test_a_cell_of_a_bms_that_was_away_at_first_is_told_when_it_is_heard(
    running: Rig,
) -> None:
    """Nobody has told of it before."""
    running.bms.silent = True
    await running.poll()
    watchers = [await watch(running, key) for key in ("cell_near_cut_off", "battery_full")]
    running.bms.silent = False
    await full(running)
    await near(running)
    assert [watcher.count() for watcher in watchers] == [1, 1]
    for watcher in watchers:
        watcher.detach()


# -- errors ----------------------------------------------------------------------------------------


async def test_an_error_is_told_with_its_number_name_and_place(running: Rig) -> None:
    appeared = await watch(running, "error_appeared")
    cleared = await watch(running, "error_cleared")
    await error(running, 2)
    (told,) = appeared.told()
    details = {"number": 2, "error": "cell_voltage_low", "unit": 1, "location": 4}
    assert details.items() <= told.items()
    await error(running, 1)
    assert [each["number"] for each in cleared.told()] == [2]
    assert [each["error"] for each in appeared.told()] == ["cell_voltage_high"]
    await no_error(running)
    assert [each["number"] for each in cleared.told()] == [1]
    assert appeared.count() == 0
    for watcher in (appeared, cleared):
        watcher.detach()


async def test_a_bms_that_goes_away_has_its_error_neither_cleared_nor_told_again(
    running: Rig,
) -> None:
    watchers = [await watch(running, key) for key in ("error_appeared", "error_cleared")]
    await error(running)
    assert [watcher.count() for watcher in watchers] == [1, 0]
    await lose(running)
    await find(running)
    assert [watcher.count() for watcher in watchers] == [0, 0]
    for watcher in watchers:
        watcher.detach()


# -- a cell near its cut-off -----------------------------------------------------------------------


async def test_it_goes_by_the_limit_that_is_set_in_the_bms(running: Rig) -> None:
    await leave(running, "high", 120)
    watcher = await watch(running, "cell_near_cut_off", end="high")
    await running.set_number("cmax", running.bms.settings["CMAX"] - 0.08)
    await running.hass.async_block_till_done()
    (told,) = watcher.told()
    assert (told["end"], told["code"], told["cell"]) == ("high", "CMAX", 3)
    assert told["headroom"] == running.number("headroom_high") <= 50
    assert told["voltage"] == running.number("max_cell_voltage")
    assert told["limit"] == pytest.approx(running.bms.settings["CMAX"], abs=1e-3)
    watcher.detach()


async def test_at_the_lower_end_the_first_of_two_limits_counts(running: Rig) -> None:
    watchers = [await watch(running, "cell_near_cut_off", end=end) for end in ("low", "high")]
    await leave(running, "low", 40)
    (told,) = watchers[0].told()
    assert (told["end"], told["code"]) == ("low", "CLOW")
    assert watchers[1].count() == 0
    for watcher in watchers:
        watcher.detach()


async def test_either_end_is_told_by_itself(running: Rig) -> None:
    watcher = await watch(running, "cell_near_cut_off", margin=60)
    await leave(running, "low", 50)
    await leave(running, "high", 50)
    assert [told["end"] for told in watcher.told()] == ["low", "high"]
    watcher.detach()


async def test_a_cell_at_the_margin_does_not_flicker(running: Rig) -> None:
    await far(running)
    watcher = await watch(running, "cell_near_cut_off")
    for millivolts in (48, 52, 48, 53, 49):
        await leave(running, "high", millivolts)
    assert watcher.count() == 1
    await leave(running, "high", 60)
    await leave(running, "high", 48)
    assert watcher.count() == 1
    watcher.detach()


async def test_a_cell_that_does_not_stay_near_is_let_pass(running: Rig) -> None:
    await far(running)
    watcher = await watch(running, "cell_near_cut_off", **{"for": {"minutes": 10}})
    await near(running)
    await far(running)
    await passes(900)
    assert watcher.count() == 0
    await near(running)
    await passes(500)
    assert watcher.count() == 0
    await passes(120)
    assert watcher.count() == 1
    await passes(900)
    assert watcher.count() == 0
    watcher.detach()


async def test_the_time_near_counts_anew_after_the_bms_was_away(running: Rig) -> None:
    await far(running)
    watcher = await watch(running, "cell_near_cut_off", **{"for": {"minutes": 10}})
    await near(running)
    running.bms.silent = True
    await running.poll()
    await passes(900)
    assert watcher.count() == 0
    await find(running)
    await passes(540)
    assert watcher.count() == 0
    await passes(120)
    assert watcher.count() == 1
    watcher.detach()


async def test_a_cell_that_stays_near_while_its_bms_is_away_is_not_told_again(
    running: Rig,
) -> None:
    await far(running)
    watcher = await watch(running, "cell_near_cut_off")
    await near(running)
    assert watcher.count() == 1
    await lose(running)
    await find(running)
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.long
async def test_a_limit_that_cannot_be_triggers_nothing(running: Rig) -> None:
    await far(running)
    watcher = await watch(running, "cell_near_cut_off", end="low")
    change(running, CLOW=90.0)
    for _ in range(60):
        await running.poll()
    await leave(running, "low", 10)
    assert watcher.count() == 0
    watcher.detach()


# -- lost and back ---------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_short_silence_is_not_told(running: Rig) -> None:
    lost, back = [await watch(running, key) for key in ("bms_lost", "bms_back")]
    running.bms.silent = True
    await running.poll()
    await passes(250)
    running.bms.silent = False
    await running.poll(10)
    await passes(900)
    assert (lost.count(), back.count()) == (0, 0)
    for watcher in (lost, back):
        watcher.detach()


async def test_back_without_any_time_tells_of_each_return(running: Rig) -> None:
    watcher = await watch(running, "bms_back", **{"for": {"seconds": 0}})
    running.bms.silent = True
    await running.poll()
    await passes(1)
    await find(running)
    assert watcher.count() == 1
    watcher.detach()


async def test_a_reload_in_between_does_not_begin_the_time_anew(running: Rig) -> None:
    watcher = await watch(running, "bms_lost", **{"for": {"minutes": 5}})
    running.bms.silent = True
    await running.poll()
    await passes(200)
    await running.hass.config_entries.async_reload(running.entry.entry_id)
    await passes(110)
    assert watcher.count() == 1
    watcher.detach()


@pytest.mark.parametrize("how", ["disabled", "unloaded"])
async def test_a_bms_that_is_not_asked_is_not_lost(running: Rig, how: str) -> None:
    watcher = await watch(running, "bms_lost")
    running.bms.silent = True
    await running.poll()
    entries = running.hass.config_entries
    if how == "disabled":
        await entries.async_set_disabled_by(running.entry.entry_id, ConfigEntryDisabler.USER)
    else:
        await running.unload()
    await passes(900)
    assert watcher.count() == 0
    watcher.detach()


async def test_a_bms_that_is_deleted_is_forgotten(running: Rig) -> None:
    watchers = [await watch(running, key) for key in TRIGGERS]
    running.bms.silent = True
    await running.poll()
    await running.hass.config_entries.async_remove(running.entry.entry_id)
    await passes(900)
    assert [watcher.count() for watcher in watchers] == [0] * len(TRIGGERS)
    for watcher in watchers:
        watcher.detach()


# -- full ------------------------------------------------------------------------------------------


async def test_a_battery_must_be_used_as_the_bms_has_it_before_it_is_full_again(
    running: Rig,
) -> None:
    change(running, SOCH=0.2)
    await running.reload()
    await used(running)
    watcher = await watch(running, "battery_full")
    for charge in (1.0, 0.9, 1.0, 0.81, 1.0):
        await charge_to(running, charge)
    assert [told["state_of_charge"] for told in watcher.told()] == [100.0]
    await charge_to(running, 0.79)
    await full(running)
    assert watcher.count() == 1
    watcher.detach()


# -- settings --------------------------------------------------------------------------------------


async def test_a_change_is_told_with_both_values_in_the_unit_of_the_line(running: Rig) -> None:
    running.hass.config.units = US_CUSTOMARY_SYSTEM
    await running.reload()
    watcher = await watch(running, "setting_changed_elsewhere")
    old = running.bms.settings["TMAX"]
    await changed_elsewhere(running, TMAX=50)
    (told,) = watcher.told()
    details = {"code": "TMAX", "old": old, "new": 50.0, "unit_of_measurement": "°C"}
    assert details.items() <= told.items()
    assert told["setting"].endswith(" (TMAX)")
    watcher.detach()


async def test_a_change_back_is_a_change_as_well(running: Rig) -> None:
    watcher = await watch(running, "setting_changed_elsewhere")
    old = running.bms.settings["MAXC"]
    await changed_elsewhere(running, MAXC=100)
    await changed_elsewhere(running, MAXC=old)
    assert [(told["old"], told["new"]) for told in watcher.told()] == [(old, 100), (100, old)]
    watcher.detach()


async def test_what_home_assistant_changed_and_what_counts_by_itself_is_not_told(
    running: Rig,
) -> None:
    watcher = await watch(running, "setting_changed_elsewhere")
    await running.set_number("maxc", 100)
    await changed_elsewhere(running, CYCL=77, VMAX=9)
    assert watcher.count() == 0
    watcher.detach()


@pytest.mark.long
async def test_what_only_a_later_version_knows_costs_no_other_change_its_word(
    running: Rig,
) -> None:
    watcher = await watch(running, "setting_changed_elsewhere")
    history = running.coordinator.snapshots.history
    for value in (1.0, 2.0):
        history.changed({"CLOX": value}, dt_util.utcnow(), Reason.ELSEWHERE)
    await changed_elsewhere(running, MAXC=100)
    assert [told["code"] for told in watcher.told()] == ["MAXC"]
    watcher.detach()


async def test_changes_are_told_where_changes_are_not_allowed(rig: Rig) -> None:
    rig.entry.add_to_hass(rig.hass)
    rig.hass.config_entries.async_update_entry(
        rig.entry, options={**rig.entry.options, "allow_changes": False}
    )
    await rig.set_up()
    watcher = await watch(rig, "setting_changed_elsewhere")
    await changed_elsewhere(rig, MAXC=100)
    assert watcher.count() == 1
    watcher.detach()


# -- over WiFi -------------------------------------------------------------------------------------


@pytest.fixture
async def module(socket_enabled: None, virtual_time: None) -> AsyncIterator[WifiModule]:
    """A module that tells within seconds."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, seed=3, time_factor=0)
    async with WifiModule(bms, period=5.0, settings_period=5.0) as started:
        yield started


async def test_each_trigger_works_over_wifi(hass: HomeAssistant, module: WifiModule) -> None:
    rig = await set_up_wifi(hass, module)
    module.bms.charge = 0.5
    await passes(20)
    watchers = {key: await watch(rig, key) for key in TRIGGERS}

    def told() -> set[str]:
        return {key for key, watcher in watchers.items() if watcher.count()}

    assert told() == set()
    module.bms.raise_error(2, 1, 4)
    await passes(20)
    assert told() == {"error_appeared"}
    module.bms.clear_error()
    module.bms.charge = 1.0
    module.bms.set_value("MAXC", 100)
    await passes(20)
    assert {"error_cleared", "battery_full", "setting_changed_elsewhere"} <= told()
    module.bms.set_value("CMAX", rig.number("max_cell_voltage") + 0.02)
    await passes(20)
    assert told() >= {"setting_changed_elsewhere"}
    await module.sleep()
    await passes(600)
    assert told() == {"bms_lost"}
    await module.wake()
    await passes(60)
    assert told() == {"bms_back"}
    for watcher in watchers.values():
        watcher.detach()
