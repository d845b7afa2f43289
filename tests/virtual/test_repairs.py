"""The repair issue about the line: raised when it is bad, and only then; gone when it is good."""

from __future__ import annotations

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory

INTERVAL = 10
QUARTER_OF_AN_HOUR = 900


@pytest.fixture(autouse=True)
def _short_silence(short_silence: None) -> None:
    """No answer in these tests is late."""


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005, cells=4)


@pytest.fixture
async def rig(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    await rig.set_up()
    return rig


def issue(rig: Rig) -> ir.IssueEntry | None:
    registry = ir.async_get(rig.hass)
    return registry.async_get_issue(DOMAIN, f"line_{rig.entry.entry_id}")


async def polls(rig: Rig, number: int, *, lost_in_each: int = 0) -> None:
    """Poll so many times; in each poll, some answers are lost the first time."""
    for _ in range(number):
        # Let what was lost be something that every poll asks for.
        for code in ("LCD1", "LCD3", "CELL", "ERRO")[:lost_in_each]:
            rig.sim.faults.next("no_response", instruction=code)
        await rig.poll(INTERVAL)
    await rig.hass.async_block_till_done()


@pytest.mark.long
async def test_a_good_line_is_no_issue(rig: Rig) -> None:
    await polls(rig, 40)
    assert issue(rig) is None


@pytest.mark.long
async def test_a_bad_line_is_an_issue_that_says_what_to_check(rig: Rig) -> None:
    await polls(rig, 20, lost_in_each=1)
    found = issue(rig)
    assert found is not None
    assert (found.translation_key, found.is_fixable) == ("bad_line", False)
    assert found.severity is ir.IssueSeverity.WARNING
    assert found.translation_placeholders is not None
    assert 10 < int(found.translation_placeholders["percent"]) < 25
    words = await async_get_translations(rig.hass, "en", "issues", [DOMAIN])
    text = words[f"component.{DOMAIN}.issues.bad_line.description"]
    for to_check in ("twisted pair", "120 Ω", "ground", "inverters"):
        assert to_check in text


async def test_nothing_is_said_before_enough_was_seen(rig: Rig) -> None:
    await polls(rig, 4, lost_in_each=2)
    assert issue(rig) is None


@pytest.mark.long
async def test_less_than_a_tenth_is_no_issue(rig: Rig) -> None:
    for _ in range(15):
        await polls(rig, 2)
        await polls(rig, 1, lost_in_each=1)
    assert issue(rig) is None


@pytest.mark.long
async def test_the_issue_is_gone_when_the_line_is_good_again(rig: Rig) -> None:
    await polls(rig, 15, lost_in_each=1)
    assert issue(rig) is not None
    await polls(rig, QUARTER_OF_AN_HOUR // INTERVAL)
    assert issue(rig) is None


@pytest.mark.long
async def test_only_the_last_quarter_of_an_hour_counts(rig: Rig) -> None:
    await polls(rig, 12, lost_in_each=1)
    assert issue(rig) is not None
    await rig.asleep(QUARTER_OF_AN_HOUR)
    await polls(rig, 12)
    assert issue(rig) is None


@pytest.mark.long
async def test_a_bms_that_is_switched_off_is_no_bad_line(rig: Rig) -> None:
    await polls(rig, 12)
    rig.bms.silent = True
    await polls(rig, 4)
    rig.bms.silent = False
    await polls(rig, 12)
    assert issue(rig) is None


async def test_who_polls_seldom_hears_of_a_bad_line_too(
    hass: HomeAssistant, battery: SimulatorInMemory
) -> None:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=300))
    await rig.set_up()
    for _ in range(5):
        for code in ("LCD1", "CELL", "RINT"):
            rig.sim.faults.next("no_response", instruction=code)
        await rig.poll(300)
    assert issue(rig) is not None


async def test_the_issue_goes_with_the_entry(rig: Rig) -> None:
    await polls(rig, 15, lost_in_each=1)
    assert issue(rig) is not None
    await rig.unload()
    assert issue(rig) is None


async def ignored(rig: Rig) -> str:
    """Have a bad line whose issue is ignored; return the issue's id."""
    await polls(rig, 15, lost_in_each=1)
    found = issue(rig)
    assert found is not None
    ir.async_ignore_issue(rig.hass, DOMAIN, found.issue_id, True)
    return found.issue_id


@pytest.mark.long
async def test_an_ignored_issue_stays_ignored_over_a_reload_while_the_line_is_bad(
    rig: Rig,
) -> None:
    await ignored(rig)
    await rig.reload()
    await polls(rig, 15, lost_in_each=1)
    found = issue(rig)
    assert found is not None
    assert found.dismissed_version is not None


@pytest.mark.long
async def test_an_ignored_issue_is_forgotten_when_the_line_was_found_good(rig: Rig) -> None:
    await ignored(rig)
    await rig.reload()
    await polls(rig, 15)
    assert issue(rig) is None


async def test_an_ignored_issue_goes_with_the_entry_that_is_deleted(rig: Rig) -> None:
    await ignored(rig)
    await rig.hass.config_entries.async_remove(rig.entry.entry_id)
    assert issue(rig) is None


async def test_another_bms_on_the_line_that_is_off_is_no_bad_line_of_this_one(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=921600, turnaround=0.0005, cells=4, addresses=[1, 2])
    there, off = (
        Rig(hass, sim, entry_for(sim, address=address, scan_interval=INTERVAL))
        for address in (1, 2)
    )
    await there.set_up()
    await off.set_up()
    off.bms.silent = True
    for _ in range(10):
        await there.asleep(INTERVAL)
        gone = hass.async_create_task(off.coordinator.async_refresh())
        await there.coordinator.async_refresh()
        await gone
    assert not off.coordinator.last_update_success
    assert there.coordinator.last_update_success
    assert issue(there) is None
