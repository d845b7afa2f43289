"""A browser's page on which the dashboard is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from tests.browser.home import DASHBOARD, Home, until

CARD = "rec-bms-cells-card"
_NOTHING = "about:blank"
_LOADS_WITHIN = 40_000
# The first page of all has a whole frontend to load.
expect.set_options(timeout=_LOADS_WITHIN / 2)
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")

# Elements are reached through however many shadow roots.
FIND_ALL = """
window.findAll = (selector, root = document) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("*")]
    .filter((each) => each.shadowRoot)
    .flatMap((each) => window.findAll(selector, each.shadowRoot)),
];
"""

# What a page leaves for the next one is whom it let in, and nothing of how it looked.
_FORGET = """
// A page that never came to anything has no storage.
if (location.origin !== "null") {
  sessionStorage.clear();
  for (const key of Object.keys(localStorage)) {
    if (key !== "hassTokens") localStorage.removeItem(key);
  }
}
"""

_FOLLOW = """
path => {
  const left = findAll("hui-view, hui-sections-view");
  history.pushState(null, "", path);
  window.dispatchEvent(new Event("location-changed"));
  return left;
}
"""
_ALL_GONE = "elements => !elements.some((each) => each.isConnected)"

# null where a bar is not laid out.
_HEIGHTS = """
async cells => {
  await Promise.allSettled(cells.flatMap(cell =>
    cell.getAnimations({ subtree: true }).map(each => each.finished)));
  return Object.fromEntries(cells.map(cell => {
    const bar = cell.querySelector(".bar").getBoundingClientRect();
    const well = cell.querySelector(".well").getBoundingClientRect();
    return [cell.dataset.cell, well.height ? bar.height / well.height : null];
  }));
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The size of a screen in px, and whether it is dark around it."""

    width: int
    height: int
    dark: bool = False


class Browser:
    """A browser whose pages stay open, empty, for whoever needs one next.

    What a page is shown is loaded anew. A new page would take twice as long for that, since it is a
    process that has compiled nothing yet.
    """

    def __init__(self, context: BrowserContext) -> None:
        """Take a browser that keeps what it has fetched."""
        self._context = context
        self._empty: list[Page] = []
        self._lasting: list[Screen] = []

    async def page(self) -> Page:
        """Return a page that shows nothing."""
        page = self._empty.pop() if self._empty else await self._context.new_page()
        # Behind another one, a page's timers would be slow.
        await page.bring_to_front()
        return page

    @asynccontextmanager
    async def lasting(self, home: Home, look: Look) -> AsyncIterator[Screen]:
        """Open a page that several tests look at, one after the other."""
        async with Screen.opened(home, self, look) as screen:
            self._lasting.append(screen)
            yield screen
            self._lasting.remove(screen)

    async def rest(self) -> None:
        """Have lasting pages show nothing while another test changes what they would show."""
        for screen in self._lasting:
            await screen.show_nothing()

    async def put_back(self, page: Page) -> None:
        """Take a page that shows nothing any more."""
        await page.mouse.move(0, 0)
        self._empty.append(page)


class Screen:
    """A page, and everything that went wrong on it."""

    def __init__(self, home: Home, page: Page) -> None:
        """Listen to what the page complains of."""
        self.home = home
        self.page = page
        self.errors: list[str] = []
        self.clicks = 0
        self._is_as_others = True
        page.set_default_timeout(_LOADS_WITHIN)
        page.on("console", self._hear)
        page.on("pageerror", self._hear_of)

    @classmethod
    @asynccontextmanager
    async def opened(cls, home: Home, browser: Browser, look: Look) -> AsyncIterator[Screen]:
        """Open a page of that size; fail at the end when anything went wrong on it."""
        page = await browser.page()
        await page.set_viewport_size({"width": look.width, "height": look.height})
        await page.emulate_media(
            color_scheme="dark" if look.dark else "light", reduced_motion="no-preference"
        )
        screen = cls(home, page)
        try:
            with screen.listening():
                yield screen
        finally:
            await screen._close(browser)

    @contextmanager
    def listening(self) -> Iterator[Screen]:
        """Fail at the end when anything went wrong on it since the last time."""
        yield self
        heard, self.errors = self.errors, []
        assert heard == []

    def make_its_own(self) -> Page:
        """Return the page, to be changed in what cannot be undone; nobody else gets it."""
        self._is_as_others = False
        return self.page

    async def _close(self, browser: Browser) -> None:
        self.page.remove_listener("console", self._hear)
        self.page.remove_listener("pageerror", self._hear_of)
        await self.show_nothing()
        if self._is_as_others:
            await browser.put_back(self.page)
        else:
            await self.page.close()

    async def show_nothing(self) -> None:
        """End all that runs on the page; what breaks off by that went not wrong."""
        heard = [*self.errors]
        await self.page.evaluate(_FORGET)
        await self.page.goto(_NOTHING)
        self.errors = heard

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _hear_of(self, error: Error) -> None:
        self.errors.append(str(error))

    async def open(self, view: str, dashboard: str = DASHBOARD) -> None:
        """Open a view of the dashboard and wait until something is on it."""
        await self.page.bring_to_front()
        await self.page.goto(f"{self.home.url}/{dashboard}/{view}")
        await self.page.locator("hui-view, hui-sections-view").first.wait_for()
        await self.page.locator("hui-card:visible").first.wait_for()

    async def go_to(self, view: str) -> None:
        """Open a view as a link on the dashboard does, where the page is on the dashboard already.

        A page that stays on is no other than one that was just opened, only quicker.
        """
        path = f"/{DASHBOARD}/{view}"
        if not self.page.url.startswith(f"{self.home.url}/{DASHBOARD}/"):
            await self.open(view)
            return
        await self.page.bring_to_front()
        if self.page.url != self.home.url + path:
            left = await self.page.evaluate_handle(_FOLLOW, path)
            await self.page.wait_for_function(_ALL_GONE, arg=left)
        await self.page.locator("hui-card:visible").first.wait_for()

    async def open_card(self, **config: Any) -> None:
        """Show one cells card with a configuration, and nothing else."""
        card = {"type": f"custom:{CARD}", **config}
        views = [{"title": "Card", "path": "card", "cards": [card]}]
        await self.home.add_dashboard({"views": views})
        await self.open("card")

    async def click(self, what: Locator) -> None:
        """Click as a person does, and count it."""
        await what.click()
        self.clicks += 1

    @property
    def card(self) -> Locator:
        return self.page.locator(CARD).first

    @property
    def cells(self) -> Locator:
        return self.card.locator("[data-cell]")

    def cell(self, place: str) -> Locator:
        """Return a cell, such as 1_8."""
        return self.card.locator(f'[data-cell="{place}"]')

    async def cells_are_drawn(self, number: int) -> None:
        """Wait until so many bars can be seen."""
        await expect(self.card.locator(".bar")).to_have_count(number, timeout=_LOADS_WITHIN)
        await expect(self.card.locator(".bar").first).to_be_visible()

    async def boxes(self, number: int) -> list[dict[str, float]]:
        """Return where so many cells are, once all of them are laid out.

        Home Assistant draws a page anew whenever its registries change.
        """
        async with asyncio.timeout(_LOADS_WITHIN / 1000):
            while True:
                boxes: list[dict[str, float]] = await self.cells.evaluate_all(
                    "cells => cells.map(cell => cell.getBoundingClientRect().toJSON())"
                )
                if len(boxes) == number and all(box["width"] for box in boxes):
                    return boxes
                await asyncio.sleep(0.05)

    async def volts(self) -> dict[str, str]:
        """Return the voltages that the cells are labelled with, once there are cells.

        Home Assistant draws a page anew whenever its registries change; until then it is waited.
        """
        found: dict[str, str] = {}

        async def are_there() -> bool:
            nonlocal found
            found = await self.cells.evaluate_all(
                """cells => Object.fromEntries(cells.map(cell =>
                    [cell.dataset.cell, cell.querySelector(".volts").textContent]))"""
            )
            return bool(found)

        await until(are_there)
        return found

    async def heights(self) -> dict[str, float]:
        """Return how high the bars are, in parts of the scale, as the browser has drawn them.

        Home Assistant draws a page anew whenever its registries change; until then it is waited.
        """
        async with asyncio.timeout(_LOADS_WITHIN / 1000):
            while True:
                found: dict[str, float | None] = await self.cells.evaluate_all(_HEIGHTS)
                heights = {place: height for place, height in found.items() if height is not None}
                if heights and len(heights) == len(found):
                    return heights
                await asyncio.sleep(0.05)

    async def line(self, key: str) -> float:
        """Return where a limit's line is, in parts of the scale, as the browser has drawn it."""
        line = self.card.locator(f'.line[data-limit="{key}"]').first
        place = math.nan

        async def is_drawn() -> bool:
            nonlocal place
            place = await line.evaluate(
                """async line => {
                    await Promise.all(line.getAnimations().map(each => each.finished));
                    const all = line.parentElement.getBoundingClientRect();
                    const own = line.getBoundingClientRect();
                    return (all.bottom - (own.top + own.height / 2)) / all.height;
                }"""
            )
            # One that was just replaced by another has no height to be in.
            return not math.isnan(place)

        await until(is_drawn)
        return place

    async def violations(self, selector: str) -> list[str]:
        """Return what axe-core finds wrong with the elements of that name."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found: list[str] = await self.page.evaluate(
            """async selector => {
                const own = findAll(selector);
                if (!own.length) throw new Error("there is no " + selector);
                const { violations } = await axe.run(own[0], {
                    rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
                return violations.flatMap(violation => violation.nodes.map(node =>
                    violation.id + ": " + node.html + " " + node.failureSummary));
            }""",
            selector,
        )
        return found

    async def overflows(self, selector: str = CARD) -> bool:
        """Tell whether the page is wider than the screen, or something hangs out of a card."""
        wide: bool = await self.page.evaluate(
            """selector => document.documentElement.scrollWidth > innerWidth ||
                findAll(selector).some(card => {
                    const edge = card.getBoundingClientRect();
                    return [...card.shadowRoot.querySelectorAll(".content *")].some(each => {
                        const { left, right, width } = each.getBoundingClientRect();
                        return width > 1 && (left < edge.left - 1 || right > edge.right + 1);
                    });
                })""",
            selector,
        )
        return wide
