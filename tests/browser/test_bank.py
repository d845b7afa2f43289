"""The dashboard of two batteries that their owner has made a bank of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import STILL, installed
from tests.browser.home import Battery, Home
from tests.browser.screen import Screen
from tools.testkit.flow import answer, begin

NAME = "House bank"
ADVICE = f"{NAME} shows nothing while one of its batteries is away."


@dataclass
class Bank:
    """A bank, which shows what a battery shows, and its members."""

    shown: Battery
    members: list[Battery]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bank(home: Home) -> AsyncIterator[Bank]:
    async with installed(home, STILL, STILL) as members:
        ids = [member.entry_id for member in members]
        step = await begin(home.client, "bank")
        fields = {"name": NAME, "members": ids, "wiring": "parallel"}
        entry = (await answer(home.client, step, fields))["result"]
        shown = Battery(home, members[0].bms, entry["entry_id"], entry["title"])
        yield Bank(shown, members)
        await home.remove(entry["entry_id"])


async def test_the_first_page_shows_the_bank_in_place_of_the_sum(
    bank: Bank, screen: Screen
) -> None:
    await screen.open("batteries")
    page = screen.page
    await expect(page.get_by_text(NAME).first).to_be_visible()
    await expect(page.locator("rec-bms-sum-card")).to_have_count(0)
    stored = float(await bank.shown.state("stored_energy"))
    both = [float(await member.state("stored_energy")) for member in bank.members]
    assert stored == pytest.approx(sum(both), abs=0.011)
    await expect(page.get_by_text(f"{stored:.2f} kWh").first).to_be_visible()


async def test_the_bank_has_a_page_and_its_batteries_are_on_it(bank: Bank, screen: Screen) -> None:
    await screen.open("batteries")
    await screen.page.locator("hui-heading-card").get_by_text(NAME).click()
    await screen.page.wait_for_url("**/bank-1-overview")
    await expect(screen.page.get_by_text("2 batteries in parallel")).to_be_visible()
    await expect(screen.page.get_by_text("Extremes")).to_be_visible()
    for title in {member.title for member in bank.members}:
        heading = screen.page.locator("hui-heading-card").get_by_text(title)
        await expect(heading.first).to_be_visible()
    assert not await screen.overflows()
    await screen.page.get_by_text("History", exact=True).last.click()
    await screen.page.wait_for_url("**/bank-1-history")


async def test_the_health_of_a_bank_is_that_of_its_batteries(bank: Bank, screen: Screen) -> None:
    for member in bank.members:
        await member.pretend("diagnosis", "weak_cell", unit=1, cell=5, reasons=[])
    await screen.open("bank-1-health")
    weak = screen.page.locator("rec-bms-health-card").get_by_text("Cell 5 is weak")
    await expect(weak).to_have_count(len(bank.members))
    await screen.page.locator("hui-heading-card").get_by_text(bank.members[0].title).first.click()
    await screen.page.wait_for_url("**/1-health")


async def test_while_a_battery_is_away_the_page_says_that_the_bank_shows_nothing(
    bank: Bank, screen: Screen
) -> None:
    away = bank.members[1]
    await screen.open("bank-1-overview")
    advice = screen.page.locator("hui-markdown-card").get_by_text(ADVICE).filter(visible=True)
    await expect(advice).to_have_count(0)
    await away.bms.command("silent", value=True)
    await expect(advice).to_have_count(1, timeout=40_000)
    assert await bank.shown.state("voltage") == "unavailable"
    await away.bms.command("silent", value=False)
    await expect(advice).to_have_count(0, timeout=40_000)
    await bank.shown.shows("problem", "off")


async def test_the_card_picker_offers_no_cells_of_a_bank(bank: Bank, screen: Screen) -> None:
    await screen.open("batteries")
    voltage = await bank.shown.entity_id("voltage")
    cell = await bank.members[0].entity_id("voltage")
    offered = """id => {
        const card = window.customCards.find(({ type }) => type === "rec-bms-cells-card");
        const hass = document.querySelector("home-assistant").hass;
        return card.getEntitySuggestion(hass, id);
    }"""
    assert await screen.page.evaluate(offered, voltage) is None
    assert await screen.page.evaluate(offered, cell) is not None
