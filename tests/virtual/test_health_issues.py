"""Repair issues about a battery's health come with a finding, and go with it."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.protocol.health.full import Correction
from custom_components.rec_bms.protocol.health.resistance import Step
from tests.virtual.findings import AT, have_found, issue_of
from tests.virtual.rig import Rig

CORRECTIONS = tuple(
    Correction(AT + day * 86_400, by) for day, by in enumerate((0.02, 0.09, 0.06, 0.07))
)
LOOSE = Step(unit=1, cell=5, times=3.04, before=0.00081, now=0.00246, at=AT)
FINDINGS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "drift": ("full", {"drifts": True, "corrections": CORRECTIONS}, {"drifts": False}),
    "loose 1_5": ("resistances", {"steps": (LOOSE,)}, {"steps": ()}),
    "false_current": ("false_current", {"offset": -0.4231}, {"offset": None}),
}
"""By issue: the part that finds it, what it finds, and when it is gone."""


@pytest.fixture
async def running(hass_storage: dict[str, Any], running: Rig) -> Rig:
    """A rig whose files are in memory."""
    return running


async def find(rig: Rig, issue: str, *, gone: bool = False) -> None:
    part, found, nothing = FINDINGS[issue]
    have_found(rig, part, **(nothing if gone else found))
    await rig.poll()


def said(rig: Rig, issue: str) -> dict[str, str]:
    found = issue_of(rig, issue)
    assert found is not None
    assert found.translation_placeholders is not None
    return found.translation_placeholders


async def test_a_healthy_battery_has_no_issue(running: Rig) -> None:
    for _ in range(3):
        await running.poll()
    assert not [each for each in ir.async_get(running.hass).issues.values() if each.active]


@pytest.mark.parametrize("issue", FINDINGS)
async def test_an_issue_comes_with_a_finding_and_goes_with_it(running: Rig, issue: str) -> None:
    await find(running, issue)
    found = issue_of(running, issue)
    assert found is not None
    assert not found.is_fixable
    await running.poll()
    assert issue_of(running, issue) is not None
    await find(running, issue, gone=True)
    assert issue_of(running, issue) is None


@pytest.mark.parametrize("issue", FINDINGS)
async def test_an_issue_has_all_that_its_text_names(running: Rig, issue: str) -> None:
    await find(running, issue)
    found = issue_of(running, issue)
    assert found is not None
    texts = await async_get_translations(running.hass, "en", "issues", [DOMAIN])
    for part in ("title", "description"):
        text = texts[f"component.{DOMAIN}.issues.{found.translation_key}.{part}"]
        assert text.format(**said(running, issue))


async def test_the_issue_about_drift_names_the_last_corrections(running: Rig) -> None:
    await find(running, "drift")
    assert said(running, "drift")["times"] == "3"
    assert said(running, "drift")["corrections"] == "+9 %, +6 %, +7 %"


async def test_the_issue_about_a_loose_connection_is_an_error_that_says_it_can_burn(
    running: Rig,
) -> None:
    await find(running, "loose 1_5")
    found = issue_of(running, "loose 1_5")
    assert found is not None
    assert found.severity is ir.IssueSeverity.ERROR
    told = said(running, "loose 1_5")
    assert (told["before"], told["now"], told["times"]) == ("0.81", "2.46", "3.0")
    texts = await async_get_translations(running.hass, "en", "issues", [DOMAIN])
    assert "can burn" in texts[f"component.{DOMAIN}.issues.loose_connection.description"]


async def test_each_loose_connection_has_an_issue_of_its_own(running: Rig) -> None:
    other = Step(unit=1, cell=6, times=2.2, before=0.0008, now=0.0018, at=AT)
    have_found(running, "resistances", steps=(LOOSE, other))
    await running.poll()
    assert issue_of(running, "loose 1_5") is not None
    have_found(running, "resistances", steps=(other,))
    await running.poll()
    assert issue_of(running, "loose 1_5") is None
    assert issue_of(running, "loose 1_6") is not None


async def test_the_issue_about_a_false_current_names_ioff_and_nothing_is_set(
    running: Rig,
) -> None:
    running.sim.log.clear()
    await find(running, "false_current")
    assert said(running, "false_current")["offset"] == "-0.42"
    assert not running.sim.log.sets
    texts = await async_get_translations(running.hass, "en", "issues", [DOMAIN])
    assert "IOFF" in texts[f"component.{DOMAIN}.issues.false_current.description"]


@pytest.mark.parametrize("issue", FINDINGS)
async def test_an_issue_is_taken_back_while_its_entry_is_not_loaded(
    running: Rig, issue: str
) -> None:
    await find(running, issue)
    await running.unload()
    assert issue_of(running, issue) is None


@pytest.mark.parametrize("issue", FINDINGS)
async def test_an_ignored_issue_stays_ignored_over_a_reload(running: Rig, issue: str) -> None:
    await find(running, issue)
    found = issue_of(running, issue)
    assert found is not None
    ir.async_ignore_issue(running.hass, DOMAIN, found.issue_id, ignore=True)
    await running.unload()
    kept = ir.async_get(running.hass).async_get_issue(DOMAIN, found.issue_id)
    assert kept is not None
    assert kept.dismissed_version is not None


async def test_an_ignored_issue_goes_when_its_finding_is_gone_after_a_restart(
    running: Rig,
) -> None:
    await find(running, "drift")
    issue = issue_of(running, "drift")
    assert issue is not None
    ir.async_ignore_issue(running.hass, DOMAIN, issue.issue_id, ignore=True)
    await running.reload()
    assert ir.async_get(running.hass).async_get_issue(DOMAIN, issue.issue_id) is None


async def test_a_finding_is_an_issue_again_after_a_restart(running: Rig) -> None:
    """What was kept is enough: nothing has to be found anew."""
    corrections = [{"at": AT + day * 86_400, "by": 0.08} for day in range(3)]
    running.coordinator.health.full.restore({"corrections": corrections})
    await running.poll()
    assert issue_of(running, "drift") is not None
    await running.reload()
    assert said(running, "drift")["corrections"] == "+8 %, +8 %, +8 %"


async def test_while_the_bms_is_away_its_issues_stay(short_silence: None, running: Rig) -> None:
    await find(running, "loose 1_5")
    running.bms.silent = True
    await running.poll()
    assert issue_of(running, "loose 1_5") is not None


@pytest.mark.parametrize("issue", FINDINGS)
async def test_with_the_entry_its_issues_go(hass: HomeAssistant, running: Rig, issue: str) -> None:
    await find(running, issue)
    found = issue_of(running, issue)
    assert found is not None
    ir.async_ignore_issue(hass, DOMAIN, found.issue_id, ignore=True)
    await hass.config_entries.async_remove(running.entry.entry_id)
    assert not [each for each in ir.async_get(hass).issues if each[0] == DOMAIN]
