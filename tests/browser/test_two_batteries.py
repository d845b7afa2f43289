"""The dashboard of two batteries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import STILL, installed
from tests.browser.house import Battery, House
from tests.browser.screen import Screen

SUM = "rec-bms-sum-card"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def batteries(house: House) -> AsyncIterator[list[Battery]]:
    async with installed(house, STILL, (*STILL, "--chemistry", "lifepo4")) as batteries:
        yield batteries


async def test_the_first_page_sums_them_up(batteries: list[Battery], screen: Screen) -> None:
    await screen.open("batteries")
    energy = [float(await each.state("stored_energy")) for each in batteries]
    power = [float(await each.state("power")) for each in batteries]
    assert await number(screen, "energy") == pytest.approx(sum(energy), abs=0.06)
    assert await number(screen, "power") == pytest.approx(sum(power), abs=0.6)
    await expect(screen.page.locator(SUM).get_by_text("2 batteries")).to_be_visible()
    assert await screen.violations(SUM) == []


async def test_each_has_its_own_pages(batteries: list[Battery], screen: Screen) -> None:
    for number, cells in ((1, 14), (2, 4)):
        await screen.open(f"{number}-overview")
        await screen.cells_are_drawn(cells)
        await screen.page.get_by_text("Cells", exact=True).last.click()
        await screen.page.wait_for_url(f"**/{number}-cells")
        await screen.cells_are_drawn(cells)


async def test_a_battery_that_is_away_is_left_out_of_the_sum(
    batteries: list[Battery], screen: Screen
) -> None:
    here, away = batteries
    await screen.open("batteries")
    await away.bms.command("silent", value=True)
    told = screen.page.locator(SUM).get_by_text("1 of 2 batteries")
    await expect(told).to_be_visible(timeout=40_000)
    energy = float(await here.state("stored_energy"))
    assert await number(screen, "energy") == pytest.approx(energy, abs=0.06)
    complaint = screen.page.locator("hui-markdown-card").get_by_text("does not answer")
    await expect(complaint.filter(visible=True)).to_have_count(1)
    await away.bms.command("silent", value=False)
    await expect(screen.page.locator(SUM).get_by_text("2 batteries")).to_be_visible(timeout=40_000)


async def number(screen: Screen, name: str) -> float:
    """Return one of the sums."""
    text = await screen.page.locator(SUM).locator(f'[data-figure="{name}"] dd').inner_text()
    return float(text.split()[0].replace(",", "").replace("\u2212", "-"))
