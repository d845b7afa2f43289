"""A battery on a serial line and one behind a WiFi module, side by side on the dashboard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import STILL, installed
from tests.browser.home import Battery, Home
from tests.browser.screen import Screen
from tests.browser.settings_page import SettingsPage
from tools.testkit.flow import add_wifi_module
from tools.testkit.simulated import SimulatedBms, running_simulator

_CAPTURED = Path(__file__).parents[1] / "unit" / "protocol" / "wifi_capture"
_NEVER = "100000"
MODULE = ("--wifi", "127.0.0.1:0", "--wifi-period", _NEVER, "--wifi-settings-period", _NEVER)


async def _say_what_was_captured(module: SimulatedBms) -> None:
    while True:
        for kind in ("status", "settings"):
            text = (_CAPTURED / f"{kind}.json").read_text("utf-8")
            await module.command("wifi", action="push", text=text)
        await asyncio.sleep(0.5)


@asynccontextmanager
async def wifi_battery(home: Home) -> AsyncIterator[Battery]:
    """Bring a module that says what one said that was listened to."""
    async with running_simulator(home.new_folder(), *MODULE) as module:
        saying = asyncio.create_task(_say_what_was_captured(module))
        added = await add_wifi_module(home.client, module.port)
        yield Battery(home, module, added.entry_id, added.title)
        await home.remove(added.entry_id)
        saying.cancel()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def batteries(home: Home) -> AsyncIterator[list[Battery]]:
    """One of each way."""
    async with installed(home, STILL) as (serial,), wifi_battery(home) as wifi:
        await home.add_dashboard()
        yield [serial, wifi]


async def test_each_says_which_way_it_comes(batteries: list[Battery], screen: Screen) -> None:
    for number, cells, way in ((1, 14, "Over RS-485"), (2, 4, "Over REC's WiFi module")):
        await screen.open(f"{number}-overview")
        await screen.cells_are_drawn(cells)
        shown = screen.page.get_by_text(way, exact=True).filter(visible=True)
        await expect(shown).to_have_count(1)


async def test_cells_that_are_balanced_are_marked(batteries: list[Battery], screen: Screen) -> None:
    await screen.open("2-cells")
    await screen.cells_are_drawn(4)
    marked = screen.page.locator(".cell[data-balancing]")
    await expect(marked).to_have_count(1)
    # From 2026.11 on, Home Assistant keeps number and unit on one line.
    label = re.compile(r"^Cell 1, 3\.305 V, Lowest, being balanced, 1\.950\s+mΩ$")
    await expect(marked).to_have_attribute("aria-label", label)


async def test_settings_over_wifi_can_only_be_seen(
    batteries: list[Battery], screen: Screen
) -> None:
    await screen.open("2-settings")
    await expect(screen.page.get_by_text("the settings can only be seen")).to_be_visible()
    page = SettingsPage(screen)
    await expect(page.row("cmax")).to_contain_text("Cell overvoltage cut-off")
    await expect(page.present("cmax")).to_have_text("3.650 V")
    await expect(page.card.locator(".row").locator("input, select, button")).to_have_count(0)
    await page.card.locator("#backup-name").fill("As it is")
    await page.button("Back up").click()
    await expect(page.card.locator(".news")).to_contain_text("As it is")
    await page.card.locator("#backup-picked").select_option(index=1)
    await page.button("Compare").click()
    await expect(page.card).to_contain_text("The BMS has all values of this backup")
