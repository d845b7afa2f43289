"""Triggers and conditions as somebody finds them who has never written an automation."""

from __future__ import annotations

import re

from playwright.async_api import Page

from tests.browser.home import Battery, Home
from tests.browser.screen import Screen

# Home Assistant may draw the field before it has fetched the words for its choices.
UPPER_END = re.compile(r"Upper end: overvoltage|^\s*high\s*$")


async def pick(page: Page, button: str, battery: Battery, what: str) -> None:
    """Choose a battery in the editor's dialog, then one of what there is to choose for it."""
    await page.get_by_role("button", name=button).click()
    await page.get_by_role("treeitem", name="Devices").click()
    await page.get_by_role("treeitem", name=battery.title).click()
    await page.get_by_text(what).first.click()


async def test_a_trigger_and_a_condition_are_picked_for_a_battery_and_saved(
    home: Home, battery: Battery, screen: Screen
) -> None:
    page = screen.page
    await page.goto(f"{home.url}/config/automation/edit/new")
    await pick(page, "Add trigger", battery, "Cell came near its cut-off")
    await page.get_by_text(UPPER_END).click()
    await pick(page, "Add condition", battery, "Error is present")
    async with page.expect_response("**/api/config/automation/config/*") as saving:
        await page.get_by_role("button", name="Save").click()
        named = page.locator("ha-dialog-automation-save")
        await named.get_by_role("button", name="Save").click()
    # Home Assistant has validated it by then.
    response = await saving.value
    assert response.ok, await response.text()
    saved = response.request.post_data_json
    target = {"device_id": await battery.device_id()}
    (trigger,), (condition,) = saved["triggers"], saved["conditions"]
    assert (trigger["trigger"], trigger["target"]) == ("rec_bms.cell_near_cut_off", target)
    assert trigger["options"] == {"margin": 50, "end": "high", "for": "00:00:00"}
    assert (condition["condition"], condition["target"]) == ("rec_bms.error_present", target)
