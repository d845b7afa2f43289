"""What is seen of a battery before anybody scrolls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import STILL, installed
from tests.browser.home import Home, until
from tests.browser.screen import Browser, Look, Screen

LAPTOP, PHONE = Look(1280, 800), Look(390, 844)
CELLS = {4: ("--cells", "4", "--chemistry", "lifepo4"), 14: (), 16: ("--cells", "16")}
DRAWN = {"overview": "rec-bms-cells-card .bar", "health": "rec-bms-health-card:visible"}
COLUMNS = 2
OPEN_SIDEBAR = 200


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=CELLS)
async def cells(request: pytest.FixtureRequest, home: Home) -> AsyncIterator[int]:
    """Bring a battery of so many cells into the home."""
    async with installed(home, (*STILL, *CELLS[request.param]), polled_often=False):
        yield request.param


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _lasting(home: Home, browser: Browser, cells: int) -> AsyncIterator[dict[Look, Screen]]:
    async with (
        browser.lasting(home, LAPTOP) as laptop,
        browser.lasting(home, PHONE) as phone,
    ):
        yield {LAPTOP: laptop, PHONE: phone}


@pytest.fixture
def laptop(_lasting: dict[Look, Screen]) -> Iterator[Screen]:
    """A laptop that stays on as long as the battery is there."""
    with _lasting[LAPTOP].listening() as screen:
        yield screen


@pytest.fixture
def phone(_lasting: dict[Look, Screen]) -> Iterator[Screen]:
    """A phone that does."""
    with _lasting[PHONE].listening() as screen:
        yield screen


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
async def test_the_battery_can_be_judged_without_scrolling(
    laptop: Screen, phone: Screen, cells: int, size: Look
) -> None:
    screen = {LAPTOP: laptop, PHONE: phone}[size]
    await screen.go_to("overview")
    await screen.cells_are_drawn(cells)
    for name in ("Battery", "Power", "Error"):
        tile = screen.page.locator("hui-tile-card").get_by_text(name, exact=True).first
        assert await bottom(tile) < size.height, name
    assert await bottom(screen.cells.last) <= size.height
    assert not await screen.overflows()


@pytest.mark.parametrize("view", DRAWN)
async def test_no_column_of_a_laptop_is_empty(laptop: Screen, view: str) -> None:
    await laptop.go_to(view)
    await laptop.page.locator(DRAWN[view]).last.wait_for()
    sidebar = await laptop.page.locator("ha-sidebar").bounding_box()
    assert sidebar is not None
    assert sidebar["width"] > OPEN_SIDEBAR
    boxes = [await box.bounding_box() for box in await laptop.page.locator("hui-card").all()]
    shown = [box for box in boxes if box is not None and box["height"] and box["width"]]
    columns = {round(box["x"]) for box in shown if box["width"] > LAPTOP.width / 6}
    assert len(columns) >= COLUMNS
    left = min(box["x"] for box in shown)
    for half in (left, left + (LAPTOP.width - left) / 2):
        end = half + (LAPTOP.width - left) / 2
        inside = [box for box in shown if box["x"] < end - 1 and box["x"] + box["width"] > half + 1]
        assert max(box["y"] + box["height"] for box in inside) > LAPTOP.height / 2


async def test_on_a_phone_each_figure_is_shown_once_and_details_come_after_the_cells(
    phone: Screen, cells: int
) -> None:
    await phone.go_to("overview")
    await phone.cells_are_drawn(cells)
    voltage = phone.page.locator("hui-tile-card:visible").get_by_text("Voltage", exact=True)
    await expect(voltage).to_have_count(1)
    assert await bottom(voltage) > await bottom(phone.cells.last)


async def bottom(element: Locator) -> float:
    """Return where an element ends, in px from the top of the screen."""
    below = 0.0

    async def is_there() -> bool:
        nonlocal below
        # One that was just drawn anew is nowhere.
        box = await element.bounding_box()
        below = 0.0 if box is None else box["y"] + box["height"]
        return below > 0

    await until(is_there)
    return below
