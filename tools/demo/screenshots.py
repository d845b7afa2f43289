"""Takes README's pictures of the dashboard: light and dark, on a wall tablet and on a phone."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from tools.testkit.api import Api
from tools.testkit.flow import add_integration
from tools.testkit.home_assistant import running_home_assistant
from tools.testkit.ports import reserved_port
from tools.testkit.simulated import running_simulator

from .dashboard import PATH, add_dashboard

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_OPTIONS = "/api/config/config_entries/options/flow"
_LOADED_WITHIN = 60_000
# Graphs and bars take a moment to come to rest.
_REST = 4_000
_LOOK_EVERY = 0.1
_LARGEST = 150_000
_NO_SIDEBAR = "localStorage.setItem('dockedSidebar', JSON.stringify('always_hidden'))"


@dataclass(frozen=True, slots=True)
class Picture:
    """A view of the dashboard, and the size of the screen that it is shown on."""

    name: str
    view: str
    width: int
    height: int
    waits_for: str = "rec-bms-cells-card .bar"


@dataclass(frozen=True, slots=True)
class Scene:
    """Batteries, as options of the simulator, and the pictures to take of them.

    `pretended` are states that only months could bring, by the entities' keys, with attributes.
    """

    batteries: Sequence[str]
    pictures: Sequence[Picture]
    pretended: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


_LIFE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "diagnosis": (
        "unbalanced",
        {
            "unit": 1,
            "cell": 9,
            "reasons": ["different_cells_first"],
            "imbalance": 4.2,
            "balancing_hours": 3,
        },
    ),
    "measured_capacity": (
        "431.6",
        {"uncertainty": 6.4, "from": 100, "to": 4, "measured_at": _days_ago(16)},
    ),
    "measured_health": ("95.9", {}),
    "last_full_charge": (_days_ago(2), {}),
    "charge_since_full": ("-94", {"charged": 151, "discharged": 245}),
    "state_of_charge_correction": ("2.1", {"at": _days_ago(2)}),
    "cell_spread_rest": (
        "8",
        {
            "at": _days_ago(1),
            "lowest_unit": 1,
            "lowest_cell": 4,
            "highest_unit": 1,
            "highest_cell": 9,
        },
    ),
    "cell_spread_top": (
        "41",
        {
            "at": _days_ago(2),
            "lowest_unit": 1,
            "lowest_cell": 4,
            "highest_unit": 1,
            "highest_cell": 9,
        },
    ),
    "most_drifting_cell": ("6.3", {"unit": 1, "cell": 9, "since": _days_ago(121)}),
}

SCENES = (
    Scene(
        ["--scenario day"],
        [Picture("overview", "overview", 1280, 800), Picture("phone", "cells", 390, 844)],
    ),
    Scene(
        ["--scenario rest"],
        [Picture("health", "health", 1280, 890, waits_for="rec-bms-health-card h2")],
        _LIFE,
    ),
    Scene(
        ["--scenario charging --chemistry lifepo4 --units 15 --cells 15"],
        [Picture("units", "cells", 1280, 1000)],
    ),
    Scene(
        ["--scenario day", "--scenario discharging --chemistry lifepo4"],
        [Picture("batteries", "batteries", 1280, 900)],
    ),
)


async def _take(browser: Browser, url: str, picture: Picture, folder: Path) -> None:
    for scheme in ("light", "dark"):
        context = await browser.new_context(
            viewport={"width": picture.width, "height": picture.height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        await context.add_init_script(_NO_SIDEBAR)
        page = await context.new_page()
        await page.goto(f"{url}/{PATH}/{picture.view}")
        await page.locator(picture.waits_for).first.wait_for(timeout=_LOADED_WITHIN)
        await page.wait_for_timeout(_REST)
        path = folder / f"{picture.name}-{scheme}.png"
        await page.screenshot(path=path)
        await context.close()
        size = path.stat().st_size
        sys.stdout.write(f"screenshots: {path.name}, {size / 1000:.0f} kB\n")
        if size > _LARGEST:
            raise SystemExit(f"screenshots: {path.name} is larger than {_LARGEST / 1000:.0f} kB")


async def _poll_often(client: Api, entry_id: str) -> None:
    step = await client.post(_OPTIONS, {"handler": entry_id})
    options = {"scan_interval": 2, "allow_changes": True}
    await client.post(f"{_OPTIONS}/{step['flow_id']}", options)
    while await _state(client, entry_id) != "loaded":  # noqa: ASYNC110  (another process)
        await asyncio.sleep(_LOOK_EVERY)


async def _state(client: Api, entry_id: str) -> str:
    found = await client.command("config_entries/get_single", entry_id=entry_id)
    return str(found["config_entry"]["state"])


async def _pretend(client: Api, states: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    entities = (await client.command("rec_bms/layout"))["batteries"][0]["entities"]
    for key, (state, attributes) in states.items():
        path = f"/api/states/{entities[key]}"
        shown = (await client.get(path))["attributes"]
        await client.post(path, {"state": state, "attributes": {**shown, **attributes}})


async def _main(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        port = stack.enter_context(reserved_port())
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rec_bms_pictures_")))
        home_assistant = await stack.enter_async_context(
            running_home_assistant(work / "config", port)
        )
        playwright = await stack.enter_async_context(async_playwright())
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        stack.push_async_callback(browser.close)
        client = home_assistant.client
        await add_dashboard(client)
        for number, scene in enumerate(SCENES):
            async with AsyncExitStack() as batteries:
                for index, options in enumerate(scene.batteries):
                    sockets = work / f"{number}_{index}"
                    sockets.mkdir()
                    bms = await batteries.enter_async_context(
                        running_simulator(sockets, *options.split())
                    )
                    added = await add_integration(client, bms.port, allow_changes=True)
                    batteries.push_async_callback(
                        client.delete, f"/api/config/config_entries/entry/{added.entry_id}"
                    )
                    await _poll_often(client, added.entry_id)
                await _pretend(client, scene.pretended)
                for picture in scene.pictures:
                    await _take(browser, home_assistant.url, picture, folder)


def main() -> int:
    """Return the exit code."""
    asyncio.run(_main(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
