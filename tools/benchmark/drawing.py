"""How long the cells card takes to draw 240 cells, and to follow them, in Chromium.

Run as `python -m tools.benchmark.drawing`. With `--against FOLDER` the modules of that folder, the
frontend of another checkout, are measured in turn with this checkout's, on the same page of the
same Home Assistant, and each row is a ratio of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Route, async_playwright

from tools.demo.dashboard import PATH, add_dashboard
from tools.testkit.flow import add_integration
from tools.testkit.home_assistant import running_home_assistant
from tools.testkit.ports import reserved_port
from tools.testkit.process import ROOT, ToolError
from tools.testkit.simulated import running_simulator

from .table import Row, as_text, row_against

OWN: Final = ROOT / "custom_components" / "rec_bms" / "dashboard" / "frontend"
CARD: Final = "rec-bms-cells-card"
UNITS: Final = 15
CELLS: Final = 16
STEPS: Final = {
    "draw": "drawn for the first time",
    "all": "all cells changed",
    "one": "one cell changed",
    "none": "nothing of the card's changed",
}

# Evaluated on a card that is on the page: returns the milliseconds of each repetition, until the
# browser has laid out what was drawn. A card draws at once or, as Lit does, when its turn comes;
# and nothing in it has a place before the frame around it, Home Assistant's own card, is drawn.
MEASURE: Final = """async (shown, { device, draws, updates }) => {
    const name = shown.localName;
    // A place of its own: Home Assistant replaces those of a dashboard whose battery still grows,
    // and a card that is in no document never draws.
    const host = document.body.appendChild(document.createElement("div"));
    const hass = document.querySelector("home-assistant").hass;
    let card;
    const timed = async (what, times = 1) => {
        const start = performance.now();
        for (let time = 0; time < times; time += 1) {
            what(time);
            while (card.updateComplete && !(await card.updateComplete));
            await card.shadowRoot.querySelector("ha-card").updateComplete;
            host.offsetHeight;
        }
        const took = (performance.now() - start) / times;
        await new Promise(requestAnimationFrame);
        return took;
    };
    const repeated = async (count, what) => {
        const took = [];
        for (let turn = 0; turn < count; turn += 1) took.push(await what(turn));
        return took;
    };
    const draw = await repeated(draws, async () => {
        card?.remove();
        const took = await timed(() => {
            card = document.createElement(name);
            card.setConfig({ type: "custom:" + name, device });
            card.hass = hass;
            host.append(card);
        });
        if (!card.shadowRoot.querySelector(".bar")) throw new Error("nothing was drawn");
        return took;
    });
    const ids = [...card.shadowRoot.querySelectorAll(".cell")].map(cell => cell.dataset.entity);
    const changed = (turn, some) => {
        const states = { ...card.hass.states };
        some.forEach((id, place) => {
            const old = hass.states[id];
            const state = (Number(old.state) + ((7 * place + turn) % 20 + 1) / 1000).toFixed(3);
            states[id] = { ...old, state };
        });
        return { ...hass, states };
    };
    const volts = () => card.shadowRoot.querySelector(".cell .volts").textContent;
    const followed = (count, some) => repeated(count, async turn => {
        const next = changed(turn, some);
        const took = await timed(() => { card.hass = next; });
        const wanted = Number(next.states[ids[0]].state).toFixed(3);
        if (volts().replace(",", ".") !== wanted) throw new Error(volts() + " is not " + wanted);
        return took;
    });
    const all = await followed(updates, ids);
    const one = await followed(updates, ids.slice(0, 1));
    const none = await repeated(updates, () => {
        const { states } = card.hass;
        const others = [...Array(20).keys()].map(count => ({
            ...hass, states: { ...states, "sensor.of_others": { state: String(count) } } }));
        return timed(time => { card.hass = others[time]; }, others.length);
    });
    host.remove();
    return { draw, all, one, none };
}"""

_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_BATTERY = f"--scenario rest --speed-up 0 --no-noise --units {UNITS} --cells {CELLS}"
_LOADED_WITHIN = 60_000
_DRAWS = 15
_UPDATES = 30

type Times = dict[str, list[float]]


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.drawing", description=__doc__)
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="another checkout's frontend to compare with"
    )
    parser.add_argument(
        "--rounds", type=int, default=4, metavar="N", help="pages for each of them (default 4)"
    )
    options = parser.parse_args()
    if _CHROMIUM is None:
        sys.stderr.write("drawing: no Chromium here: install it, or set CHROMIUM to its path\n")
        return 1
    frontends = [OWN] if options.against is None else [options.against.resolve(), OWN]
    try:
        rows = asyncio.run(_measure(frontends, options.rounds))
    except ToolError as err:
        sys.stderr.write(f"drawing: {err}\n")
        return 1
    sys.stdout.write(as_text(rows))
    return 0


async def _measure(frontends: list[Path], rounds: int) -> list[Row]:
    """Return the rows of the last of these folders, against the first where there are two."""
    times: dict[Path, Times] = {each: {step: [] for step in STEPS} for each in frontends}
    async with _dashboard() as (browser, url, device):
        for _ in range(rounds):
            for frontend in frontends:
                page = await _on_a_page(browser, url, device, frontend)
                for step, took in page.items():
                    times[frontend][step] += took
    return [
        _row(what, *(statistics.median(times[frontend][step]) for frontend in frontends))
        for step, what in STEPS.items()
    ]


@asynccontextmanager
async def _dashboard() -> AsyncIterator[tuple[Browser, str, str]]:
    """Yield a browser, the view of a battery's cells on its dashboard, and the battery's device."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rec_bms_drawing_")))
        port = stack.enter_context(reserved_port())
        bms = await stack.enter_async_context(running_simulator(folder, *_BATTERY.split()))
        home_assistant = await stack.enter_async_context(
            running_home_assistant(folder / "config", port)
        )
        await add_integration(home_assistant.client, bms.port, allow_changes=False)
        await add_dashboard(home_assistant.client)
        (battery,) = (await home_assistant.client.command("rec_bms/layout"))["batteries"]
        device = next(each for each, unit in battery["devices"].items() if unit == 1)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        stack.push_async_callback(browser.close)
        yield browser, f"{home_assistant.url}/{PATH}/cells", device


async def _on_a_page(browser: Browser, url: str, device: str, frontend: Path) -> Times:
    """Return what a new page takes with the modules of that folder."""

    async def hand_over(route: Route) -> None:
        module = route.request.url.partition("/rec_bms/")[2].partition("/")[2]
        await route.fulfill(path=frontend / module, content_type="text/javascript")

    context = await browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce", service_workers="block"
    )
    try:
        page = await context.new_page()
        await page.route("**/rec_bms/*/**/*.js", hand_over)
        await page.goto(url)
        card = page.locator(CARD).first
        await card.locator(".bar").first.wait_for(timeout=_LOADED_WITHIN)
        counts = {"device": device, "draws": _DRAWS, "updates": _UPDATES}
        times: Times = await card.evaluate(MEASURE, counts)
    finally:
        await context.close()
    return times


def _row(what: str, *medians: float) -> Row:
    *others, measured = medians
    of = f"{UNITS}x{CELLS} cells"
    if not others:
        return Row(what=what, of=of, unit="ms", measured=measured)
    return row_against(
        what=what, of=of, unit="ms", measured=measured, against=others[0], divisor="before"
    )


if __name__ == "__main__":
    sys.exit(main())
