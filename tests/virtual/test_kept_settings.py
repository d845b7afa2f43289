"""What a BMS's settings were is kept: when they changed, and who changed them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.rec_bms.history import Reason
from custom_components.rec_bms.protocol.rs485.instructions import SETTABLE
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Moving
from tests.virtual.keeping import change, changed_elsewhere, file_of, forget, issue_of, keep, listed
from tests.virtual.rig import Rig, entry_for, until
from tests.virtual.test_changed_elsewhere import opened
from tests.virtual.test_wifi import set_up
from tools.simulator import Entry
from tools.simulator.log import ANSWERED
from tools.simulator.wifi import WifiModule

OLD, NEW = 150.0, 100.0
"""Of MAXC, which no other limit depends on."""


@pytest.fixture
def rig(hass_storage: dict[str, Any], rig: Rig) -> Rig:
    """A rig whose files are in memory."""
    return rig


async def newest(rig: Rig) -> dict[str, Any]:
    return (await listed(rig))[0]


async def test_the_first_reading_is_kept_and_nothing_has_changed(running: Rig) -> None:
    (first,) = await listed(running)
    assert first == {
        "name": None,
        "time": first["time"],
        "reason": "first",
        "user": None,
        "changes": {},
    }


async def test_all_settings_are_kept_also_those_that_nobody_enabled(running: Rig) -> None:
    (first,) = await listed(running, values=True)
    assert first["values"].keys() == {row.code for row in SETTABLE if not row.newer}
    assert first["values"]["SOCH"] == 0.05, "a fraction, as on the line"


@pytest.mark.long
async def test_what_a_newer_unit_tells_later_joins_what_was_kept_first(running: Rig) -> None:
    await running.probe()
    (first,) = await listed(running, values=True)
    assert first["values"]["STRN"] == running.bms.settings["STRN"]
    assert first["reason"] == Reason.FIRST


async def test_what_a_user_set_is_kept_with_the_users_name(
    running: Rig, hass_admin_user: MockUser
) -> None:
    await running.set_number("maxc", NEW, Context(user_id=hass_admin_user.id))
    kept = await newest(running)
    assert (kept["reason"], kept["user"]) == (Reason.HOME_ASSISTANT, hass_admin_user.name)
    assert kept["changes"] == {"MAXC": [OLD, NEW]}
    assert issue_of(running) is None


async def test_what_an_automation_set_is_home_assistants(running: Rig) -> None:
    await running.act("set_parameter", instruction="maxc", value=NEW)
    kept = await newest(running)
    assert (kept["reason"], kept["user"]) == (Reason.HOME_ASSISTANT, None)


async def test_what_another_program_set_was_changed_elsewhere(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    kept = await newest(running)
    assert (kept["reason"], kept["user"]) == (Reason.ELSEWHERE, None)
    assert kept["changes"] == {"MAXC": [OLD, NEW]}


@pytest.mark.long
async def test_what_another_program_set_is_found_by_polling(running: Rig) -> None:
    change(running, MAXC=NEW)
    for _ in SETTABLE:
        await running.poll()
    assert (await newest(running))["changes"] == {"MAXC": [OLD, NEW]}
    assert len(await listed(running)) == 2


async def test_what_was_changed_before_a_set_is_told_apart_from_it(running: Rig) -> None:
    change(running, MAXC=120)
    await running.set_number("maxc", NEW)
    ours, theirs, _ = await listed(running)
    assert (ours["reason"], ours["changes"]) == (Reason.HOME_ASSISTANT, {"MAXC": [120.0, NEW]})
    assert (theirs["reason"], theirs["changes"]) == (Reason.ELSEWHERE, {"MAXC": [OLD, 120.0]})
    assert issue_of(running) is None, "who sets a value himself has said what he wants"


async def test_a_refused_set_has_changed_nothing(running: Rig) -> None:
    running.sim.faults.next("set_refused")
    with pytest.raises(HomeAssistantError):
        await running.set_number("maxc", NEW)
    assert len(await listed(running)) == 1


async def test_a_set_that_reads_back_differently_was_not_elsewhere(running: Rig) -> None:
    running.sim.faults.next("set_clamped", value=120)
    with pytest.raises(HomeAssistantError):
        await running.set_number("maxc", NEW)
    kept = await newest(running)
    assert (kept["reason"], kept["changes"]) == (Reason.HOME_ASSISTANT, {"MAXC": [OLD, 120.0]})


async def test_a_set_that_is_not_sent_leaves_nothing_behind(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    for value in (9999, "many"):
        with pytest.raises(HomeAssistantError):
            await running.act("set_parameter", instruction="MAXC", value=value)
    with pytest.raises(HomeAssistantError):
        await running.act("set_parameter", instruction="CMIN", value=3.99)
    await running.hass.async_block_till_done()
    assert len(await listed(running)) == 1
    assert hass_storage[file_of(running)]["data"]["intents"] == {}


async def unverified(rig: Rig) -> None:
    """Have the BMS take a value and fall silent about it."""

    def fall_silent(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            rig.sim.log.listeners.clear()
            rig.bms.unsupported.add("MAXC")

    rig.sim.log.listeners.append(fall_silent)
    with pytest.raises(HomeAssistantError) as failed:
        await rig.set_number("maxc", NEW)
    assert failed.value.translation_key == "unverified"
    rig.bms.unsupported.clear()


async def test_what_was_sent_and_not_read_back_is_ours_when_it_is_found(
    short_silence: None, running: Rig
) -> None:
    await unverified(running)
    await running.poll()
    kept = await newest(running)
    assert (kept["reason"], kept["changes"]) == (Reason.HOME_ASSISTANT, {"MAXC": [OLD, NEW]})


async def test_another_value_than_what_was_sent_was_set_elsewhere(
    short_silence: None, running: Rig
) -> None:
    await unverified(running)
    change(running, MAXC=77)
    await running.poll()
    assert (await newest(running))["reason"] == Reason.ELSEWHERE


async def test_who_wanted_a_value_is_written_down_before_it_is_sent(
    hass_storage: dict[str, Any], running: Rig, hass_admin_user: MockUser
) -> None:
    seen: list[Any] = []

    def look(entry: Entry) -> None:
        if entry.is_set:
            seen.append(hass_storage[file_of(running)]["data"]["intents"])

    running.sim.log.listeners.append(look)
    await running.set_number("maxc", NEW, Context(user_id=hass_admin_user.id))
    assert seen[0] == {"MAXC": [{"value": NEW, "user": hass_admin_user.name}]}


async def test_a_power_cut_between_a_set_and_its_read_back_makes_it_nobody_elses(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    await running.unload()
    forget(running)
    hass_storage[file_of(running)]["data"]["intents"] = {"MAXC": [{"value": NEW, "user": "Ada"}]}
    change(running, MAXC=NEW)
    await running.set_up()
    kept = await newest(running)
    assert (kept["reason"], kept["user"]) == (Reason.HOME_ASSISTANT, "Ada")
    assert issue_of(running) is None


async def test_an_old_intention_explains_nothing_once_the_setting_was_read(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    await running.unload()
    forget(running)
    hass_storage[file_of(running)]["data"]["intents"] = {"MAXC": [{"value": NEW, "user": "Ada"}]}
    await running.set_up()
    await changed_elsewhere(running, MAXC=NEW)
    assert (await newest(running))["reason"] == Reason.ELSEWHERE


async def test_a_value_beyond_the_limits_that_comes_nearer_to_them_is_ours(rig: Rig) -> None:
    rig.bms.maxima["MAXC"] = 400
    change(rig, MAXC=400)
    await rig.set_up()
    await rig.set_number("maxc", 380)
    kept = await newest(rig)
    assert (kept["reason"], kept["changes"]) == (Reason.HOME_ASSISTANT, {"MAXC": [400.0, 380.0]})
    assert issue_of(rig) is None


async def test_two_sets_of_one_setting_at_once_are_both_ours(running: Rig) -> None:
    await asyncio.gather(
        running.act("set_parameter", instruction="MAXC", value=120),
        running.act("set_parameter", instruction="MAXC", value=NEW),
    )
    await running.poll()
    reasons = [each["reason"] for each in await listed(running)]
    assert reasons == [Reason.HOME_ASSISTANT, Reason.HOME_ASSISTANT, Reason.FIRST]


async def test_a_set_while_a_poll_runs_was_not_elsewhere(running: Rig) -> None:
    for _ in range(3):
        await running.asleep(300)
        poll = running.hass.async_create_task(running.coordinator.async_refresh())
        await running.set_number("maxc", NEW)
        await running.set_number("maxc", OLD)
        await poll
    assert {each["reason"] for each in await listed(running)} == {
        Reason.FIRST,
        Reason.HOME_ASSISTANT,
    }


async def test_a_set_that_breaks_off_in_a_way_nobody_foresaw_leaves_the_setting_watched(
    running: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the sea got in")

    with monkeypatch.context() as patched:
        patched.setattr(running.coordinator.bms, "set", breaks)
        with pytest.raises(RuntimeError):
            await running.act("set_parameter", instruction="MAXC", value=NEW)
    await changed_elsewhere(running, MAXC=90)
    assert (await newest(running))["reason"] == Reason.ELSEWHERE


async def test_what_counts_by_itself_is_no_change(running: Rig) -> None:
    await changed_elsewhere(running, CYCL=400, VMAX=9, VMIN=8, SOCS=0.5)
    assert len(await listed(running)) == 1
    backup = await running.act("backup_settings")
    assert (backup["values"]["CYCL"], backup["values"]["VMAX"]) == (400, 9)


@pytest.mark.long
async def test_a_counter_that_is_set_here_is_a_change(running: Rig) -> None:
    await running.act("set_parameter", instruction="CYCL", value=5)
    assert list((await newest(running))["changes"]) == ["CYCL"]


async def test_calibration_that_was_changed_elsewhere_is_kept_and_raises_no_issue(
    running: Rig,
) -> None:
    await changed_elsewhere(running, IOFF=0.5)
    assert (await newest(running))["reason"] == Reason.ELSEWHERE
    assert issue_of(running) is None


@pytest.mark.long
async def test_a_setting_that_is_not_told_for_a_while_has_not_changed(
    short_silence: None, running: Rig
) -> None:
    running.bms.unsupported.add("MAXC")
    for _ in range(200):
        await running.poll()
    assert running.shown("maxc") == "unavailable"
    running.bms.unsupported.clear()
    for _ in range(40):
        await running.poll()
    assert running.number("maxc") == OLD
    assert len(await listed(running)) == 1


async def test_a_value_that_cannot_be_is_no_change(running: Rig) -> None:
    running.bms.settings["MAXC"] = 9999.0
    await running.act("get_parameter", instruction="MAXC")
    assert len(await listed(running)) == 1


async def test_everything_outlives_a_reload_and_a_restart(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    await running.set_number("maxc", NEW)
    await running.act("backup_settings", name="autumn")
    before = await listed(running, values=True)
    await running.reload()
    assert await listed(running, values=True) == before
    await running.unload()
    forget(running)
    assert await listed(running, values=True) == before, "the BMS may be dead"
    await running.set_up()
    assert await listed(running, values=True) == before


async def test_everything_outlives_a_move_to_another_port(
    simulate: Simulate, hass: HomeAssistant
) -> None:
    sim = simulate(baud=56000)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    await rig.set_number("maxc", NEW)
    before = await listed(rig)
    other = simulate(baud=56000, addresses=[2])
    other.call(other.bms[2].set_value, "MAXC", NEW)
    dialog = await Moving(rig).open()
    await dialog.search(other.port, address=2)
    await dialog.confirm()
    assert rig.entry.data["address"] == 2
    assert (await listed(rig))[-len(before) :] == before


async def test_with_the_entry_all_of_it_goes(hass_storage: dict[str, Any], running: Rig) -> None:
    await running.set_number("maxc", NEW)
    await running.hass.async_block_till_done()
    assert file_of(running) in hass_storage
    await running.hass.config_entries.async_remove(running.entry.entry_id)
    await running.hass.async_block_till_done()
    assert file_of(running) not in hass_storage


async def test_a_set_that_ends_after_its_entry_was_deleted_leaves_no_file(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    running.sim.faults.next("late", seconds=1.5, instruction="MAXC")
    setting = running.hass.async_create_task(running.set_number("maxc", NEW))
    await until(lambda: "MAXC" in running.asked())
    await running.hass.config_entries.async_remove(running.entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await setting
    await running.hass.async_block_till_done()
    assert file_of(running) not in hass_storage


@pytest.mark.long
async def test_another_bms_in_its_place_has_changed_nothing(running: Rig) -> None:
    await running.probe()
    before = running.bms.settings["MAXC"]
    await running.act("backup_settings", name="the old one")
    await running.unload()
    change(running, MAXC=NEW, CMAX=3.9)
    running.bms.settings["SERI"] += 1
    await running.set_up()
    first, named, _ = await listed(running, values=True)
    assert (first["reason"], first["changes"]) == (Reason.FIRST, {})
    assert first["values"]["MAXC"] == NEW
    assert named["values"]["MAXC"] == before, "it can be restored to its successor"
    assert issue_of(running) is None


async def test_another_model_in_its_place_has_changed_nothing(running: Rig) -> None:
    await running.unload()
    running.bms.texts["*IDN"] = "ACTIVE"
    change(running, MAXC=NEW)
    await running.set_up()
    assert [each["reason"] for each in await listed(running)] == [Reason.FIRST, Reason.FIRST]
    assert issue_of(running) is None


# -- The file --------------------------------------------------------------------------------------


async def test_the_file_of_a_later_version_is_left_alone(
    hass_storage: dict[str, Any], rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    later = {"snapshots": "elsewhere"}
    keep(hass_storage, rig, later, version=2)
    await rig.set_up()
    assert rig.entry.state is ConfigEntryState.LOADED
    assert "cannot be read" in caplog.text
    await rig.set_number("maxc", NEW)
    with pytest.raises(ServiceValidationError) as refused:
        await rig.act("backup_settings", name="autumn")
    assert refused.value.translation_key == "cannot_be_kept"
    await rig.reload()
    assert hass_storage[file_of(rig)]["data"] == later


@pytest.mark.parametrize(
    "rubbish",
    [
        [],
        {},
        {"snapshots": []},
        {"snapshots": [{"time": "noon"}]},
        {
            "model": None,
            "serial_number": None,
            "values": {"CMAX": "4"},
            "snapshots": [],
            "intents": {},
            "reports": {},
        },
        {
            "model": None,
            "serial_number": None,
            "values": {"CMAX": 4.1},
            "snapshots": [],
            "intents": {},
            "reports": {},
        },
        {
            "model": None,
            "serial_number": None,
            "values": {},
            "snapshots": 3,
            "intents": [],
            "reports": {},
        },
    ],
)
async def test_a_broken_file_is_left_alone(
    hass_storage: dict[str, Any], rig: Rig, rubbish: Any, caplog: pytest.LogCaptureFixture
) -> None:
    keep(hass_storage, rig, rubbish)
    await rig.set_up()
    assert "cannot be read" in caplog.text
    await rig.set_number("maxc", NEW)
    assert (await newest(rig))["changes"] == {"MAXC": [OLD, NEW]}, "until the next restart"
    await rig.hass.async_block_till_done()
    assert hass_storage[file_of(rig)]["data"] == rubbish


@pytest.mark.long
async def test_of_200_snapshots_the_oldest_goes_and_those_with_a_name_stay(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    await running.act("backup_settings", name="the first day")
    for number in range(205):
        await running.act("set_parameter", instruction="MAXC", value=100 + number % 2)
    kept = await listed(running)
    assert len(kept) == 201
    assert kept[-1]["name"] == "the first day"
    times = [each["time"] for each in kept]
    assert len(set(times)) == len(times)
    await running.unload()
    forget(running)
    await running.set_up()
    assert await listed(running) == kept


# -- Backups ---------------------------------------------------------------------------------------


async def test_a_backup_reads_what_is_there_now(running: Rig) -> None:
    change(running, MAXC=NEW)
    backup = await running.act("backup_settings", name=" autumn ")
    assert backup["name"] == "autumn"
    assert backup["values"]["MAXC"] == NEW
    named, elsewhere, _ = await listed(running)
    assert (named["reason"], named["time"]) == (Reason.NAMED, backup["time"])
    assert elsewhere["changes"] == {"MAXC": [OLD, NEW]}


async def test_a_name_is_given_once(running: Rig) -> None:
    await running.act("backup_settings", name="autumn")
    with pytest.raises(ServiceValidationError) as refused:
        await running.act("backup_settings", name="autumn")
    assert refused.value.translation_key == "backup_name_taken"
    assert (await running.act("backup_settings"))["name"] is None
    assert (await running.act("backup_settings", name=""))["name"] is None


async def test_a_backup_of_a_bms_that_is_away_is_none(short_silence: None, running: Rig) -> None:
    running.bms.silent = True
    with pytest.raises(HomeAssistantError) as failed:
        await running.act("backup_settings", name="autumn")
    assert failed.value.translation_key == "no_answer"
    assert len(await listed(running)) == 1


# -- Over WiFi -------------------------------------------------------------------------------------


@pytest.fixture
async def over_wifi(
    hass_storage: dict[str, Any], hass: HomeAssistant, socket_enabled: None, wifi: WifiModule
) -> Rig:
    return await set_up(hass, wifi)


@pytest.fixture
async def wifi(virtual_time: None, socket_enabled: None) -> Any:
    from tools.simulator import BMS

    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, seed=3, time_factor=0)
    async with WifiModule(bms, period=5.0, settings_period=5.0) as started:
        yield started


async def test_what_a_wifi_module_tells_is_kept_and_a_change_is_found(
    over_wifi: Rig, wifi: WifiModule
) -> None:
    before = wifi.bms.settings["MAXC"]
    wifi.bms.set_value("MAXC", NEW)
    await until(lambda: over_wifi.number("maxc") == NEW, every=0.1)
    kept = await newest(over_wifi)
    assert (kept["reason"], kept["changes"]) == (Reason.ELSEWHERE, {"MAXC": [before, NEW]})
    assert issue_of(over_wifi) is not None


async def test_over_wifi_settings_are_backed_up_and_compared_and_not_restored(
    over_wifi: Rig, wifi: WifiModule
) -> None:
    await over_wifi.act("backup_settings", name="autumn")
    wifi.bms.set_value("MAXC", NEW)
    await until(lambda: over_wifi.number("maxc") == NEW, every=0.1)
    told = await over_wifi.act("compare_settings", backup="autumn")
    assert list(told["differences"]) == ["MAXC"]
    with pytest.raises(HomeAssistantError) as refused:
        await over_wifi.act("restore_settings", backup="autumn")
    assert refused.value.translation_key == "read_only_way"


@pytest.mark.long
async def test_over_wifi_a_change_is_kept_by_its_repair_and_cannot_be_put_back(
    over_wifi: Rig, wifi: WifiModule
) -> None:
    assert await async_setup_component(over_wifi.hass, "repairs", {})
    wifi.bms.set_value("MAXC", NEW)
    await until(lambda: issue_of(over_wifi), every=0.1)
    repair = await opened(over_wifi)
    await repair.answer("put_back")
    assert "cannot be written to" in repair.result["description_placeholders"]["reason"]
    assert issue_of(over_wifi) is not None
    repair = await opened(over_wifi)
    await repair.answer("keep")
    assert issue_of(over_wifi) is None
