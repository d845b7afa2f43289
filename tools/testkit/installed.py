"""A BMS that was added to a running Home Assistant: what its entities show, and its options."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .api import Api

SOON = 30.0
"""Seconds for what should come at once: a busy machine takes its time, and waiting ends with it."""

_OPTIONS = "/api/config/config_entries/options/flow"
_LOOK_EVERY = 0.1


async def until(condition: Callable[[], Awaitable[bool]], within: float = SOON) -> None:
    """Return once a condition holds. Raises TimeoutError when that takes too long."""
    give_up_at = time.monotonic() + within
    while not await condition():
        if time.monotonic() >= give_up_at:
            raise TimeoutError(f"not within {within} s")
        await asyncio.sleep(_LOOK_EVERY)


class Installed:
    """A config entry, as Home Assistant's APIs tell of it; keys are what unique ids end with."""

    def __init__(self, client: Api, entry_id: str) -> None:
        self._client = client
        self.entry_id = entry_id

    async def is_loaded(self) -> bool:
        """Tell whether the entry is set up."""
        return bool((await self.entry())["state"] == "loaded")

    async def entry(self) -> dict[str, Any]:
        """Return what Home Assistant tells of the entry."""
        response = await self._client.command("config_entries/get_single", entry_id=self.entry_id)
        entry: dict[str, Any] = response["config_entry"]
        return entry

    async def registered(self) -> dict[str, dict[str, Any]]:
        """Return the entity registry's rows by key, disabled ones included."""
        rows = await self._client.command("config/entity_registry/list")
        return {
            row["unique_id"].removeprefix(f"{self.entry_id}_"): row
            for row in rows
            if row["config_entry_id"] == self.entry_id
        }

    async def entity_id(self, key: str) -> str:
        """Return the id of an entity."""
        return str((await self.registered())[key]["entity_id"])

    async def device_id(self) -> str:
        """Return the id of the main device."""
        return str((await self.registered())["state_of_charge"]["device_id"])

    async def value(self, key: str) -> str:
        """Return an entity's state."""
        entity_id = await self.entity_id(key)
        return str((await self._client.get(f"/api/states/{entity_id}"))["state"])

    async def shows(self, key: str, wanted: str, within: float = SOON) -> None:
        """Return once an entity shows a state."""

        async def does() -> bool:
            return await self.value(key) == wanted

        await until(does, within)

    async def set_options(self, **options: Any) -> dict[str, Any]:
        """Go through the options dialog and return what it ended with."""
        step = await self._client.post(_OPTIONS, {"handler": self.entry_id})
        assert step["step_id"] == "init"
        result: dict[str, Any] = await self._client.post(f"{_OPTIONS}/{step['flow_id']}", options)
        # Home Assistant answers while it is still reloading the entry.
        await until(self.is_loaded)
        return result
