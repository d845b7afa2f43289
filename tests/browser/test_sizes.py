"""The cells card for batteries of all sizes, and how fast it is."""

from __future__ import annotations

from statistics import median

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, STILL, TABLET, installed
from tests.browser.home import Home
from tests.browser.screen import CARD, Browser, Screen
from tools.benchmark.drawing import MEASURE

SIZES = {
    "1x4": ((*STILL, "--chemistry", "lifepo4"), 4),
    "1x14": (STILL, 14),
    "15x15": ((*STILL, "--units", "15", "--cells", "15"), 225),
    "15x16": ((*STILL, "--units", "15", "--cells", "16"), 240),
}
LEAST_TARGET = 24


@pytest.mark.parametrize("size", SIZES)
async def test_all_cells_can_be_read(
    home: Home, browser: Browser, figures: list[str], size: str
) -> None:
    options, number = SIZES[size]
    async with installed(home, options, polled_often=False) as (battery,):
        async with Screen.opened(home, browser, TABLET) as tablet:
            await shows_all(tablet, number)
            if number in (14, 240):
                device = await battery.device_id()
                counts = {"device": device, "draws": 15, "updates": 30}
                times = await tablet.card.evaluate(MEASURE, counts)
                draw, every, none = (median(times[step]) for step in ("draw", "all", "none"))
                figures.append(
                    f"{number} cells: drawn in {draw:.1f} ms, all changed in "
                    f"{every:.1f} ms, none changed in {none:.2f} ms (medians)"
                )
        async with Screen.opened(home, browser, PHONE) as phone:
            await shows_all(phone, number)
            states = await battery.states("cell_voltage")
            assert await phone.volts() == {place: f"{v:.3f}" for place, v in states.items()}
            found = await phone.violations(CARD)
            figures.append(f"violations found by axe on {size} cells on a phone: {len(found)}")
            assert found == []


async def shows_all(screen: Screen, number: int) -> None:
    """Check that every cell has a bar of its own that a finger can hit, on the card."""
    await screen.open("cells")
    await screen.cells_are_drawn(number)
    assert not await screen.overflows()
    boxes = await screen.boxes(number)
    assert min(box["width"] for box in boxes) >= LEAST_TARGET - 0.5
    places = {(round(box["x"]), round(box["y"])) for box in boxes}
    assert len(places) == number
    await expect(screen.card.locator('[data-mark="lowest"]')).to_have_count(1)
    await expect(screen.card.locator('[data-mark="highest"]')).to_have_count(1)
