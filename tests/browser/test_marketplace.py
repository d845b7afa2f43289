"""The way into Home Assistant that the README shows, as far as it goes without the internet."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.home import Home
from tests.browser.screen import Screen
from tools.testkit.home_assistant import HASS

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BADGE = re.compile(
    r"my\.home-assistant\.io/redirect/marketplace_repository/"
    r"(?P<query>\?owner=(?P<owner>[\w-]+)&repository=(?P<name>\w+)&category=integration)\)"
)

pytestmark = pytest.mark.skipif(
    HASS not in os.environ, reason="the Marketplace came with 2026.11: scripts/test --newest"
)


async def accept_the_risks(page: Page) -> None:
    """Agree to what the Marketplace asks each user once."""
    await page.get_by_text("I understand the risks and agree").click()
    await page.get_by_text("Continue", exact=True).filter(visible=True).click()


async def test_the_badge_leads_through_the_warning_to_connecting_github(
    home: Home, screen: Screen
) -> None:
    badge = BADGE.search(README)
    assert badge is not None
    page = screen.page
    await page.goto(f"{home.url}/config/dashboard")
    await page.get_by_text("Marketplace", exact=True).click()
    await accept_the_risks(page)
    await page.goto(f"{home.url}/_my_redirect/marketplace_repository{badge['query']}")
    repository = f"{badge['owner']}/{badge['name']}"
    told = f"Connect GitHub to add the custom repository {repository}, then open the link again."
    await expect(page.get_by_text(told)).to_be_visible()
    for label in ("Connect GitHub", "Continue"):
        await expect(page.get_by_text(label, exact=True).filter(visible=True)).to_be_visible()
        assert f"*{label}*" in README
