"""What the tests do with Home Assistant and with a battery in it, past the browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tools.testkit.api import Api, ApiError
from tools.testkit.home_assistant import HomeAssistant
from tools.testkit.simulated import SimulatedBms

DASHBOARD = "battery-test"
OPTIONS = "/api/config/config_entries/options/flow"


async def until(condition: Callable[[], Awaitable[bool]], within: float = 20) -> None:
    """Return once a condition holds; fail when that takes too long."""
    give_up_at = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < give_up_at, f"not within {within} s"
        await asyncio.sleep(0.1)


@dataclass
class Home:
    """A running Home Assistant."""

    home_assistant: HomeAssistant
    folder: Path
    _numbers: count[int] = field(default_factory=count)

    @property
    def client(self) -> Api:
        return self.home_assistant.client

    @property
    def url(self) -> str:
        return self.home_assistant.url

    def new_folder(self) -> Path:
        """Return an empty folder."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    async def remove(self, entry_id: str) -> None:
        """Remove a config entry."""
        await self.client.delete(f"/api/config/config_entries/entry/{entry_id}")

    async def add_dashboard(self, config: dict[str, Any] | None = None) -> None:
        """Add the dashboard, or change it, without its dialog."""
        async with self.client.websocket() as socket:
            # It is there already after the first time.
            with suppress(ApiError):
                await socket.command(
                    "lovelace/dashboards/create",
                    url_path=DASHBOARD,
                    title="Battery",
                    mode="storage",
                )
            await socket.command(
                "lovelace/config/save",
                url_path=DASHBOARD,
                config=config or {"strategy": {"type": "custom:rec-bms"}},
            )

    async def dashboards(self) -> list[dict[str, Any]]:
        """Return the dashboards that users have added."""
        dashboards: list[dict[str, Any]] = await self.client.command("lovelace/dashboards/list")
        return dashboards

    async def set_language(self, **profile: str) -> None:
        """Choose language and formats in the user's profile."""
        await self.client.command("frontend/set_user_data", key="language", value=profile)


@dataclass
class Battery:
    """A simulated battery that Home Assistant has been given."""

    home: Home
    bms: SimulatedBms
    entry_id: str
    title: str

    async def layout(self) -> dict[str, Any]:
        """Return what the integration tells the dashboard of this battery."""
        answer = await self.home.client.command("rec_bms/layout")
        told = [*answer["batteries"], *answer["banks"]]
        (mine,) = (each for each in told if each["entry_id"] == self.entry_id)
        found: dict[str, Any] = mine
        return found

    async def entity_id(self, key: str) -> str:
        """Return the id of an entity."""
        return str((await self.layout())["entities"][key])

    async def device_id(self, unit: int = 1) -> str:
        """Return the id of a unit's device."""
        devices = (await self.layout())["devices"]
        return next(device for device, number in devices.items() if number == unit)

    async def state(self, key: str) -> str:
        """Return what an entity shows."""
        return str(
            (await self.home.client.get(f"/api/states/{await self.entity_id(key)}"))["state"]
        )

    async def states(self, kind: str) -> dict[str, float]:
        """Return the numbers of all entities of a kind, by the places in their keys."""
        entities = (await self.layout())["entities"]
        states = await self.home.client.get("/api/states")
        shown = {each["entity_id"]: each["state"] for each in states}
        return {
            key.removeprefix(f"{kind}_"): float(shown[entity_id])
            for key, entity_id in entities.items()
            if key.startswith(f"{kind}_") and key.removeprefix(f"{kind}_")[0].isdigit()
        }

    async def pretend(self, key: str, state: str, **attributes: Any) -> None:
        """Have Home Assistant show a state, until the entity itself has another one to tell."""
        path = f"/api/states/{await self.entity_id(key)}"
        shown = (await self.home.client.get(path))["attributes"]
        body = {"state": state, "attributes": {**shown, **attributes}}
        await self.home.client.post(path, body)

    async def shows(self, key: str, wanted: str, within: float = 20) -> None:
        """Return once an entity shows a state."""

        async def does() -> bool:
            return await self.state(key) == wanted

        await until(does, within)

    async def poll_often(self) -> None:
        """Poll every two seconds, so that tests need not wait."""
        step = await self.home.client.post(OPTIONS, {"handler": self.entry_id})
        options = {"scan_interval": 2, "allow_changes": True}
        await self.home.client.post(f"{OPTIONS}/{step['flow_id']}", options)

    async def is_there(self) -> bool:
        """Tell whether the entry is set up, not about to be reloaded, and the BMS is heard."""
        get = "config_entries/get_single"
        told = await self.home.client.command(get, entry_id=self.entry_id)
        if told["config_entry"]["state"] != "loaded":
            return False
        return await self.state("voltage") not in ("unavailable", "unknown")

    async def reload(self) -> None:
        """Have everything read at once: in turn, one a poll, settings would take a minute."""
        await self.home.client.post(f"/api/config/config_entries/entry/{self.entry_id}/reload", {})
        await until(self.is_there, 30)

    async def show_in(self, key: str, unit: str | None, domain: str = "sensor") -> None:
        """Choose the unit that an entity is shown in, as its owner does; None for its own."""
        await self.home.client.command(
            "config/entity_registry/update",
            entity_id=await self.entity_id(key),
            options_domain=domain,
            options={"unit_of_measurement": unit},
        )

    async def call_it(self, title: str) -> None:
        """Call it something else, entry and device."""
        command = self.home.client.command
        await command("config_entries/update", entry_id=self.entry_id, title=title)
        device_id = await self.device_id()
        await command("config/device_registry/update", device_id=device_id, name_by_user=title)

    async def enable(self, key: str, *, enabled: bool) -> None:
        """Enable or disable an entity in the registry."""
        rows = await self.home.client.command("config/entity_registry/list")
        unique_id = f"{self.entry_id}_{key}"
        (row,) = (row for row in rows if row["unique_id"] == unique_id)
        await self.home.client.command(
            "config/entity_registry/update",
            entity_id=row["entity_id"],
            disabled_by=None if enabled else "user",
        )
