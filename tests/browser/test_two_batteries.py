"""The dashboard of two batteries."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import STILL, installed
from tests.browser.home import Battery, Home, until
from tests.browser.screen import Screen
from tests.browser.settings_page import SettingsPage

SUM = "rec-bms-sum-card"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def batteries(home: Home) -> AsyncIterator[list[Battery]]:
    async with installed(home, STILL, (*STILL, "--chemistry", "lifepo4")) as batteries:
        yield batteries


async def test_the_first_page_sums_them_up(batteries: list[Battery], screen: Screen) -> None:
    await screen.open("batteries")
    energy = [float(await each.state("stored_energy")) for each in batteries]
    power = [float(await each.state("power")) for each in batteries]
    assert await number(screen, "energy") == pytest.approx(sum(energy), abs=0.06)
    assert await number(screen, "power") == pytest.approx(sum(power), abs=0.6)
    await expect(screen.page.locator(SUM).get_by_text("2 batteries", exact=True)).to_be_visible()
    assert await screen.violations(SUM) == []


async def test_each_has_its_own_pages(batteries: list[Battery], screen: Screen) -> None:
    for number, cells in ((1, 14), (2, 4)):
        await screen.open(f"{number}-overview")
        await screen.cells_are_drawn(cells)
        await screen.page.get_by_text("Cells", exact=True).last.click()
        await screen.page.wait_for_url(f"**/{number}-cells")
        await screen.cells_are_drawn(cells)


async def test_what_is_staged_for_one_battery_is_not_for_another(
    batteries: list[Battery], screen: Screen
) -> None:
    page = await SettingsPage.opened(screen, "1-settings")
    await page.stage(bvol="4.1")
    # As a link does, so that the page is not loaded anew.
    await page.page.evaluate(
        """() => { history.pushState(null, "", "2-settings");
            window.dispatchEvent(new Event("location-changed")); }"""
    )
    await expect(page.present("bvol")).not_to_have_text("4.08 V")
    await expect(page.field("bvol")).to_have_value("")
    await expect(page.bar).to_have_count(0)
    await page.stage(bvol="3.5")
    await page.review()
    await page.button("Apply").click()
    heading = page.dialog.get_by_role("heading")
    await expect(heading).to_have_text(f"{batteries[1].title}: change 1 settings?")


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
    await expect(screen.page.locator(SUM).get_by_text("2 batteries", exact=True)).to_be_visible(
        timeout=40_000
    )


async def number(screen: Screen, name: str) -> float:
    """Return one of the sums."""
    text = await figure(screen, name).inner_text()
    return float(text.split()[0].replace(",", "").replace("\u2212", "-"))


async def test_an_empty_battery_has_its_part_in_the_charge_of_all(
    batteries: list[Battery], screen: Screen
) -> None:
    full, empty = batteries
    await charged_to(empty, 0.0)
    await screen.open("batteries")
    rooms = [await room(each) for each in batteries]
    held = float(await full.state("state_of_charge")) / 100 * rooms[0]
    assert await number(screen, "charge") == pytest.approx(held / sum(rooms) * 100, abs=0.6)
    await charged_to(full, 0.0)
    await expect(figure(screen, "charge")).to_have_text("0 %", timeout=20_000)
    for battery in batteries:
        await charged_to(battery, 0.75)


async def test_the_charge_of_all_is_the_same_in_whatever_unit_voltages_are_shown(
    batteries: list[Battery], screen: Screen
) -> None:
    await charged_to(batteries[1], 0.25)
    await screen.open("batteries")
    in_volts = await number(screen, "charge")
    for battery, unit in zip(batteries, ("mV", "kV"), strict=True):
        await battery.show_in("voltage", unit)
    await screen.open("batteries")
    assert await number(screen, "charge") == pytest.approx(in_volts, abs=0.01)
    for battery in batteries:
        await battery.show_in("voltage", None)
    await charged_to(batteries[1], 0.75)


async def test_without_its_capacity_a_battery_is_weighed_by_what_it_holds(
    batteries: list[Battery], screen: Screen
) -> None:
    second = batteries[1]
    await charged_to(second, 0.25)
    await screen.open("batteries")
    by_capacity = await number(screen, "charge")
    await second.enable("capa", enabled=False)
    await screen.open("batteries")
    assert await number(screen, "charge") == pytest.approx(by_capacity, abs=0.6)
    # An empty one then has a room that nobody knows, and a wrong sum is worse than none.
    await charged_to(second, 0.0)
    await expect(figure(screen, "charge")).to_have_count(0, timeout=20_000)
    await expect(figure(screen, "energy")).to_have_count(1)
    await second.enable("capa", enabled=True)
    await charged_to(second, 0.75)


async def charged_to(battery: Battery, fraction: float) -> None:
    """Return once a battery's state of charge is shown as that."""
    await battery.bms.command("set", instruction="SOCS", value=fraction)

    async def shown() -> bool:
        state = await battery.state("state_of_charge")
        return state.replace(".", "").isdigit() and float(state) == fraction * 100

    await until(shown)


async def room(battery: Battery) -> float:
    """Return what a battery can hold, in kWh."""
    return float(await battery.state("capa")) * float(await battery.state("voltage")) / 1000


def figure(screen: Screen, name: str) -> Locator:
    return screen.page.locator(SUM).locator(f'[data-figure="{name}"] dd')
