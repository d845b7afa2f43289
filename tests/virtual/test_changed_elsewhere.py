"""The repair issue about settings that were changed elsewhere, and its dialog."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.history import Reason
from tests.virtual.conftest import Simulate
from tests.virtual.keeping import change, changed_elsewhere, forget, issue_of, listed
from tests.virtual.repair import Repair
from tests.virtual.rig import Rig, entry_for

OLD, NEW = 150.0, 100.0
"""Of MAXC, which no other limit depends on."""


@pytest.fixture
async def rig(hass_storage: dict[str, Any], hass: HomeAssistant, rig: Rig) -> Rig:
    """A rig whose files are in memory, with repairs."""
    assert await async_setup_component(hass, REPAIRS, {})
    return rig


def changes_of(rig: Rig) -> str:
    issue = issue_of(rig)
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders["changes"]


async def opened(rig: Rig) -> Repair:
    """Open the dialog of the issue."""
    repair = await Repair(rig, "changed").open()
    assert repair.result["type"] is FlowResultType.MENU
    assert repair.result["menu_options"] == ["keep", "put_back"]
    return repair


# -- The issue -------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_change_is_an_issue_with_old_new_and_time(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    issue = issue_of(running)
    assert issue is not None
    assert (issue.translation_key, issue.is_fixable) == ("changed_elsewhere", True)
    assert issue.severity is ir.IssueSeverity.WARNING
    when = (await listed(running))[0]["time"][:10]
    assert changes_of(running).startswith(
        f"- Maximum charge current per inverter (MAXC): 150 A → 100 A ({when}"
    )


async def test_several_changes_are_one_issue(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW, CMAX=4.0)
    issues = [issue for issue in ir.async_get(running.hass).issues.values() if issue.active]
    assert len(issues) == 1
    cmax, maxc = changes_of(running).split("\n")
    assert "CMAX" in cmax
    assert "MAXC" in maxc


async def test_choices_are_told_by_name_and_fractions_in_percent(running: Rig) -> None:
    await changed_elsewhere(running, CHEM=1, SOCH=0.1)
    chemistry, hysteresis = changes_of(running).split("\n")
    assert "→ Li-Po Kokam high power (" in chemistry
    assert ": 5 % → 10 % (" in hysteresis


async def test_what_is_shown_in_fahrenheit_is_told_in_fahrenheit(rig: Rig) -> None:
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    await changed_elsewhere(rig, TMAX=50)
    assert "→ 122 °F (" in changes_of(rig)


async def test_two_changes_of_one_setting_are_told_from_the_first_to_the_last(
    running: Rig,
) -> None:
    await changed_elsewhere(running, MAXC=120)
    await changed_elsewhere(running, MAXC=NEW)
    assert ": 150 A → 100 A (" in changes_of(running)


async def test_what_was_changed_back_is_no_issue_any_more(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    await changed_elsewhere(running, MAXC=OLD)
    assert issue_of(running) is None
    assert len(await listed(running)) == 3


async def test_who_sets_the_value_himself_has_answered(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    await running.set_number("maxc", 130)
    assert issue_of(running) is None


async def test_a_change_while_home_assistant_was_off_is_found_at_its_start(running: Rig) -> None:
    await running.unload()
    forget(running)
    change(running, MAXC=NEW)
    await running.set_up()
    assert "MAXC" in changes_of(running)


async def test_the_issue_outlives_a_restart_and_goes_with_the_entry(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    before = changes_of(running)
    await running.unload()
    assert issue_of(running) is None
    forget(running)
    await running.set_up()
    assert changes_of(running) == before
    await running.hass.config_entries.async_remove(running.entry.entry_id)
    assert issue_of(running) is None


async def test_an_ignored_issue_stays_ignored_until_something_else_is_changed(
    running: Rig,
) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    issue = issue_of(running)
    assert issue is not None
    ir.async_ignore_issue(running.hass, DOMAIN, issue.issue_id, ignore=True)
    await running.reload()
    assert issue_of(running) is not None
    assert issue_of(running).dismissed_version is not None  # type: ignore[union-attr]
    await changed_elsewhere(running, CMAX=4.0)
    assert issue_of(running).dismissed_version is None  # type: ignore[union-attr]


# -- Its dialog ------------------------------------------------------------------------------------


async def test_the_dialog_says_what_was_changed(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    assert repair.result["description_placeholders"] == {
        "title": running.entry.title,
        "changes": changes_of(running),
    }


async def test_kept_changes_stay_and_are_no_issue_any_more(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    running.sim.log.clear()
    repair = await opened(running)
    await repair.answer("keep")
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert issue_of(running) is None
    assert not running.sim.log.sets
    await running.reload()
    assert issue_of(running) is None


async def test_changes_are_put_back_and_verified(running: Rig) -> None:
    before = running.bms.settings["CMIN"], running.bms.settings["CMAX"]
    await changed_elsewhere(running, CMIN=3.0, CMAX=3.9, MAXC=NEW)
    repair = await opened(running)
    await repair.answer("put_back")
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert (running.bms.settings["CMIN"], running.bms.settings["CMAX"]) == before
    assert running.number("maxc") == OLD
    assert issue_of(running) is None
    assert {each["reason"] for each in (await listed(running))[:3]} == {"home_assistant"}


async def test_what_only_a_later_version_knows_keeps_nothing_else_from_being_put_back(
    running: Rig,
) -> None:
    history = running.coordinator.snapshots.history
    for value in (1.0, 2.0):
        history.changed({"CLOX": value}, dt_util.utcnow(), Reason.ELSEWHERE)
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    await repair.answer("put_back")
    assert running.number("maxc") == OLD
    assert history.reports.keys() == {"CLOX"}


async def test_what_fails_is_told_and_the_issue_stays_until_it_works(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    running.sim.faults.next("set_refused")
    await repair.answer("put_back")
    assert (repair.result["type"], repair.result["step_id"]) == (FlowResultType.FORM, "failed")
    assert "refused 150 A" in repair.result["description_placeholders"]["reason"]
    assert "MAXC" in changes_of(running)
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert issue_of(running) is None
    assert running.number("maxc") == OLD


async def test_what_was_put_back_before_it_failed_is_not_in_the_issue_any_more(
    running: Rig,
) -> None:
    await changed_elsewhere(running, MAXC=NEW, MAXD=NEW)
    repair = await opened(running)
    running.sim.faults.next("set_refused", instruction="MAXD")
    running.sim.faults.next("set_refused", instruction="MAXD")
    await repair.answer("put_back")
    assert repair.result["step_id"] == "failed"
    assert "MAXC" not in changes_of(running)
    running.sim.faults.clear()
    await repair.submit()
    assert issue_of(running) is None


async def test_with_changes_forbidden_nothing_is_sent_and_it_says_where_to_allow_them(
    hass: HomeAssistant, hass_storage: dict[str, Any], simulate: Simulate
) -> None:
    assert await async_setup_component(hass, REPAIRS, {})
    sim = simulate()
    rig = Rig(hass, sim, entry_for(sim, allow_changes=False))
    await rig.set_up()
    await changed_elsewhere(rig, MAXC=NEW)
    repair = await opened(rig)
    await repair.answer("put_back")
    assert "Switch them on in" in repair.result["description_placeholders"]["reason"]
    assert not rig.sim.log.sets
    assert issue_of(rig) is not None


async def test_while_the_bms_is_not_loaded_nothing_is_put_back(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    await running.unload()
    assert running.entry.state is ConfigEntryState.NOT_LOADED
    await repair.answer("put_back")
    assert "is not there" in repair.result["description_placeholders"]["reason"]
    await running.set_up()
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert running.number("maxc") == OLD


async def test_while_the_bms_is_silent_nothing_is_put_back(
    short_silence: None, running: Rig
) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    running.bms.silent = True
    await repair.answer("put_back")
    assert "did not answer" in repair.result["description_placeholders"]["reason"]
    running.bms.silent = False
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_dialog_that_is_forgotten_has_changed_nothing(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    running.sim.log.clear()
    await opened(running)
    await running.poll()
    assert not running.sim.log.sets
    assert "MAXC" in changes_of(running)


@pytest.mark.parametrize("answer", ["keep", "put_back"])
async def test_a_change_that_came_while_the_dialog_was_open_stays_an_issue(
    running: Rig, answer: str
) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    await changed_elsewhere(running, CMAX=4.0)
    await repair.answer(answer)
    assert (repair.result["type"], repair.result["reason"]) == (
        FlowResultType.ABORT,
        "more_changes",
    )
    assert "CMAX" in changes_of(running)
    assert "MAXC" not in changes_of(running)


async def test_a_newer_change_of_the_same_setting_is_not_kept_unseen(running: Rig) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    repair = await opened(running)
    await changed_elsewhere(running, MAXC=90)
    await repair.answer("keep")
    assert repair.result["reason"] == "more_changes"
    assert ": 150 A → 90 A (" in changes_of(running)


# -- Over HTTP, as the web page has it -------------------------------------------------------------


async def test_who_put_it_back_is_kept_and_only_administrators_may(
    running: Rig,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    await changed_elsewhere(running, MAXC=NEW)
    data = {"handler": DOMAIN, "issue_id": f"changed_{running.entry.entry_id}"}
    guest = await hass_client(hass_read_only_access_token)
    answer = await guest.post("/api/repairs/issues/fix", json=data)
    assert answer.status == HTTPStatus.UNAUTHORIZED
    client = await hass_client()
    opened = await (await client.post("/api/repairs/issues/fix", json=data)).json()
    flow = f"/api/repairs/issues/fix/{opened['flow_id']}"
    assert (await guest.post(flow, json={"next_step_id": "put_back"})).status == (
        HTTPStatus.UNAUTHORIZED
    )
    ended = await (await client.post(flow, json={"next_step_id": "put_back"})).json()
    assert ended["type"] == "create_entry"
    newest = (await listed(running))[0]
    assert (newest["reason"], newest["user"]) == ("home_assistant", hass_admin_user.name)
