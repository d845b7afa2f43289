"""The repair issue about the line: raised when it is bad, and only then; gone when it is good."""

from __future__ import annotations

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.conftest import Simulate
from tests.virtual.house import House, entry_for
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
async def house(hass: HomeAssistant, battery: SimulatorInMemory) -> House:
    house = House(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    await house.set_up()
    return house


def issue(house: House) -> ir.IssueEntry | None:
    registry = ir.async_get(house.hass)
    return registry.async_get_issue(DOMAIN, f"line_{house.entry.entry_id}")


async def polls(house: House, number: int, *, lost_in_each: int = 0) -> None:
    """Poll so many times; in each poll, some answers are lost the first time."""
    for _ in range(number):
        # Let what was lost be something that every poll asks for.
        for code in ("LCD1", "LCD3", "CELL", "ERRO")[:lost_in_each]:
            house.sim.faults.next("no_answer", instruction=code)
        await house.poll(INTERVAL)
    await house.hass.async_block_till_done()


async def test_a_good_line_is_no_issue(house: House) -> None:
    await polls(house, 40)
    assert issue(house) is None


async def test_a_bad_line_is_an_issue_that_says_what_to_check(house: House) -> None:
    await polls(house, 20, lost_in_each=1)
    found = issue(house)
    assert found is not None
    assert (found.translation_key, found.is_fixable) == ("bad_line", False)
    assert found.severity is ir.IssueSeverity.WARNING
    assert found.translation_placeholders is not None
    assert 10 < int(found.translation_placeholders["percent"]) < 25
    words = await async_get_translations(house.hass, "en", "issues", [DOMAIN])
    text = words[f"component.{DOMAIN}.issues.bad_line.description"]
    for to_check in ("twisted pair", "120 Ω", "ground", "inverters"):
        assert to_check in text


async def test_nothing_is_said_before_enough_was_seen(house: House) -> None:
    await polls(house, 4, lost_in_each=2)
    assert issue(house) is None


async def test_less_than_a_tenth_is_no_issue(house: House) -> None:
    for _ in range(15):
        await polls(house, 2)
        await polls(house, 1, lost_in_each=1)
    assert issue(house) is None


async def test_the_issue_is_gone_when_the_line_is_good_again(house: House) -> None:
    await polls(house, 15, lost_in_each=1)
    assert issue(house) is not None
    await polls(house, QUARTER_OF_AN_HOUR // INTERVAL)
    assert issue(house) is None


async def test_only_the_last_quarter_of_an_hour_counts(house: House) -> None:
    await polls(house, 12, lost_in_each=1)
    assert issue(house) is not None
    await house.asleep(QUARTER_OF_AN_HOUR)
    await polls(house, 12)
    assert issue(house) is None


async def test_a_bms_that_is_switched_off_is_no_bad_line(house: House) -> None:
    await polls(house, 12)
    house.bms.silent = True
    await polls(house, 4)
    house.bms.silent = False
    await polls(house, 12)
    assert issue(house) is None


async def test_who_polls_seldom_hears_of_a_bad_line_too(
    hass: HomeAssistant, battery: SimulatorInMemory
) -> None:
    house = House(hass, battery, entry_for(battery, scan_interval=300))
    await house.set_up()
    for _ in range(5):
        for code in ("LCD1", "CELL", "RINT"):
            house.sim.faults.next("no_answer", instruction=code)
        await house.poll(300)
    assert issue(house) is not None


async def test_the_issue_goes_with_the_entry(house: House) -> None:
    await polls(house, 15, lost_in_each=1)
    assert issue(house) is not None
    await house.unload()
    assert issue(house) is None


async def ignored(house: House) -> str:
    """Have a bad line whose issue is ignored; return the issue's id."""
    await polls(house, 15, lost_in_each=1)
    found = issue(house)
    assert found is not None
    ir.async_ignore_issue(house.hass, DOMAIN, found.issue_id, True)
    return found.issue_id


async def test_an_ignored_issue_stays_ignored_over_a_reload_while_the_line_is_bad(
    house: House,
) -> None:
    await ignored(house)
    await house.reload()
    await polls(house, 15, lost_in_each=1)
    found = issue(house)
    assert found is not None
    assert found.dismissed_version is not None


async def test_an_ignored_issue_is_forgotten_when_the_line_was_found_good(house: House) -> None:
    await ignored(house)
    await house.reload()
    await polls(house, 15)
    assert issue(house) is None


async def test_an_ignored_issue_goes_with_the_entry_that_is_deleted(house: House) -> None:
    await ignored(house)
    await house.hass.config_entries.async_remove(house.entry.entry_id)
    assert issue(house) is None


async def test_another_bms_on_the_line_that_is_off_is_no_bad_line_of_this_one(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=921600, turnaround=0.0005, cells=4, addresses=[1, 2])
    there, off = (
        House(hass, sim, entry_for(sim, address=address, scan_interval=INTERVAL))
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
