"""What an owner does with the numbers: a Home Assistant of their own, which these tests share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import LOGGER, SIMULATOR, LiveRig
from tools.testkit.flow import add_integration
from tools.testkit.home_assistant import running_home_assistant
from tools.testkit.installed import SOON, until
from tools.testkit.ports import reserved_port
from tools.testkit.simulated import running_simulator

BLUEPRINTS = Path(__file__).parents[3] / "blueprints" / "automation" / "rec_bms"
IMPORTED = "rec-bms-community"
"""Where Home Assistant puts what it imports: the owner of the repository."""

CONFIGURATION = f"""\
automation: !include automations.yaml
{LOGGER}"""

SCAN_INTERVAL = 2


class Owner(LiveRig):
    """A rig whose owner imports blueprints, makes automations and reads notifications."""

    _made = 0

    async def import_blueprint(self, name: str) -> None:
        """Save a blueprint as Home Assistant's import does once it has fetched it."""
        text = (BLUEPRINTS / f"{name}.yaml").read_text(encoding="utf-8")
        await self.client.command(
            "blueprint/save",
            domain="automation",
            path=f"{IMPORTED}/{name}",
            yaml=text,
            allow_override=True,
        )

    @asynccontextmanager
    async def automation(self, blueprint: str, **inputs: Any) -> AsyncIterator[str]:
        """Make an automation from a blueprint, as its dialog does; it is gone afterwards."""
        await self.import_blueprint(blueprint)
        self._made += 1
        number = f"{int(time.time() * 1000)}{self._made}"
        path = f"/api/config/automation/config/{number}"
        uses = {"path": f"{IMPORTED}/{blueprint}.yaml", "input": inputs}
        await self.client.post(path, {"alias": f"{blueprint} {self._made}", "use_blueprint": uses})
        entity_id = f"automation.{blueprint}_{self._made}"

        async def runs() -> bool:
            states = await self.client.get("/api/states")
            return {"entity_id": entity_id, "state": "on"}.items() <= next(
                (state for state in states if state["entity_id"] == entity_id), {}
            ).items()

        try:
            await until(runs)
            yield entity_id
        finally:
            await self.client.delete(path)

    async def notifications(self) -> dict[str, str]:
        """Return the messages of the notifications by title."""
        told = await self.client.command("persistent_notification/get")
        return {each["title"]: each["message"] for each in told}

    async def is_told(self, title: str, within: float = SOON) -> str:
        """Return the message of a notification once it is there."""

        async def is_there() -> bool:
            return title in await self.notifications()

        await until(is_there, within)
        return (await self.notifications())[title]

    async def dismiss_all(self) -> None:
        """Take all notifications away."""
        await self.client.act("persistent_notification.dismiss_all")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Owner]:
    folder = tmp_path_factory.mktemp("owner")
    config_dir = folder / "config"
    config_dir.mkdir()
    (config_dir / "automations.yaml").write_text("[]\n")
    with reserved_port() as port:
        async with (
            running_home_assistant(config_dir, port, configuration=CONFIGURATION) as running,
            running_simulator(folder, *SIMULATOR) as bms,
        ):
            added = await add_integration(running.client, bms.port, allow_changes=True)
            owner = Owner(running, bms, added)
            await owner.set_options(scan_interval=SCAN_INTERVAL, allow_changes=True)
            await owner.have_values()
            yield owner
