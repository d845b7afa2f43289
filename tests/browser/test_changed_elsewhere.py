"""The repair issue about settings that were changed elsewhere, on the page of the repairs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.home import OPTIONS, Battery, until
from tests.browser.screen import Screen
from tests.browser.settings_page import change_elsewhere, in_the_bms
from tools.testkit.api import ApiError

AS_IT_WAS = {"BVOL": 4.08, "CMAX": 4.18}


class Repair:
    """The dialog of the issue."""

    def __init__(self, screen: Screen) -> None:
        self.page = screen.page

    async def open(self, screen: Screen, battery: Battery) -> Repair:
        await self.page.goto(f"{screen.home.url}/config/repairs")
        await self.page.get_by_text(f"{battery.title}: settings were changed elsewhere").click()
        await expect(self.dialog).to_contain_text("and not by Home Assistant")
        return self

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog-data-entry-flow")

    async def choose(self, what: str) -> None:
        await self.dialog.get_by_text(what, exact=True).click()

    async def has_ended(self) -> None:
        await expect(self.dialog).to_contain_text("The issue is repaired")

    async def has_failed(self, reason: str) -> None:
        await expect(self.dialog).to_contain_text("Not put back")
        await expect(self.dialog).to_contain_text(reason)


async def issues(battery: Battery) -> list[str]:
    """Return the ids of the issues about settings that were changed."""
    told = await battery.home.client.command("repairs/list_issues")
    return [each["issue_id"] for each in told["issues"] if each["issue_id"].startswith("changed_")]


async def is_gone(battery: Battery) -> bool:
    return not await issues(battery)


async def allow_changes(battery: Battery, *, allowed: bool) -> None:
    client = battery.home.client
    step = await client.post(OPTIONS, {"handler": battery.entry_id})
    options = {"scan_interval": 2, "allow_changes": allowed}
    await client.post(f"{OPTIONS}/{step['flow_id']}", options)
    await until(battery.is_there, 30)


async def is_as_it_was(battery: Battery) -> bool:
    """Set what tests have changed; tell whether that could be done."""
    try:
        for code, value in AS_IT_WAS.items():
            await battery.home.client.act(
                "rec_bms.set_parameter",
                config_entry_id=battery.entry_id,
                instruction=code,
                value=value,
            )
    except ApiError:
        return False
    return await is_gone(battery)


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def as_it_was(battery: Battery) -> AsyncIterator[None]:
    """Leave the BMS as the next test expects it."""
    yield
    await battery.bms.command("silent", value=False)
    await until(lambda: is_as_it_was(battery), 60)


@pytest_asyncio.fixture(loop_scope="session")
async def repair(battery: Battery, screen: Screen) -> Repair:
    """An installer has changed a limit, and its owner opens the issue about it."""
    await change_elsewhere(battery, "BVOL", 4.06)
    return await Repair(screen).open(screen, battery)


async def test_the_dialog_says_old_and_new_and_offers_both_answers(repair: Repair) -> None:
    await expect(repair.dialog).to_contain_text("Balancing end voltage (BVOL): 4.08 V → 4.06 V")
    await expect(repair.dialog.get_by_text("Keep them", exact=True)).to_be_visible()
    await expect(repair.dialog.get_by_text("Put the old values back", exact=True)).to_be_visible()


async def test_what_is_kept_stays(battery: Battery, repair: Repair) -> None:
    await repair.choose("Keep them")
    await repair.has_ended()
    assert await is_gone(battery)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.06)


async def test_what_is_put_back_is_back(battery: Battery, repair: Repair) -> None:
    await repair.choose("Put the old values back")
    await repair.has_ended()
    assert await is_gone(battery)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.08)


async def test_while_changes_are_not_allowed_it_says_so_and_works_once_they_are(
    battery: Battery, repair: Repair
) -> None:
    await allow_changes(battery, allowed=False)
    try:
        await repair.choose("Put the old values back")
        await repair.has_failed("changes are switched off. Switch them on in Settings")
    finally:
        await allow_changes(battery, allowed=True)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.06)
    await repair.choose("Submit")
    await repair.has_ended()
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.08)


async def test_while_the_bms_is_away_it_says_so_and_the_issue_stays(
    battery: Battery, repair: Repair
) -> None:
    await battery.bms.command("silent", value=True)
    await repair.choose("Put the old values back")
    await repair.has_failed(battery.title)
    assert await issues(battery)


async def test_what_was_changed_while_the_dialog_was_open_stays_an_issue(
    battery: Battery, repair: Repair
) -> None:
    await change_elsewhere(battery, "CMAX", 4.2)
    await repair.choose("Keep them")
    await expect(repair.dialog).to_contain_text("Other settings were changed as well, meanwhile")
    assert await issues(battery)


async def test_a_dialog_that_is_closed_has_answered_nothing(
    battery: Battery, repair: Repair
) -> None:
    await repair.page.keyboard.press("Escape")
    await expect(repair.dialog.get_by_text("Keep them", exact=True)).to_be_hidden()
    assert await issues(battery)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.06)
