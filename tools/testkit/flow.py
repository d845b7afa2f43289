"""Adds the integration as a person does: through its dialog, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .api import Api
from .process import ToolError

DOMAIN = "rec_bms"
FLOWS = "/api/config/config_entries/flow"
_LOOK_EVERY = 0.1
_PROGRESS_EVENT = "data_entry_flow_progress_update"

type Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Added:
    """A BMS that was added: its entry, its title, and what the dialog said was found."""

    entry_id: str
    title: str
    found: dict[str, str]


async def add_integration(
    client: Api,
    port: str,
    *,
    allow_changes: bool,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Added:
    """Go through the dialog; `progress` hears fractions while a BMS is searched.

    Raises ToolError with what the dialog says where it finds no BMS.
    """
    step = await begin(client)
    step = await answer(client, step, {"port": port, "more_options": {"baudrate": "automatic"}})
    step = await scanned(client, step, progress)
    if step.get("step_id") != "confirm":
        raise ToolError(await _complaint(client, step))
    found = step["description_placeholders"]
    entry = (await answer(client, step, {"allow_changes": allow_changes}))["result"]
    return Added(entry["entry_id"], entry["title"], found)


async def add_wifi_module(
    client: Api, host: str, *, progress: Callable[[float], None] = lambda fraction: None
) -> Added:
    """Go through the dialog with a WiFi module at a host (a name or address, with or without port).

    Raises ToolError with what the dialog says where it finds none.
    """
    step = await answer(client, await begin(client, "wifi"), {"host": host})
    step = await scanned(client, step, progress)
    if step.get("step_id") != "confirm":
        raise ToolError(await _complaint(client, step))
    found = step["description_placeholders"]
    entry = (await answer(client, step, {}))["result"]
    return Added(entry["entry_id"], entry["title"], found)


async def begin(client: Api, way: str = "serial") -> Step:
    """Open the dialog and choose the way that leads to the BMS."""
    step: Step = await client.post(FLOWS, {"handler": DOMAIN})
    return await answer(client, step, {"next_step_id": way})


async def answer(client: Api, step: Step, fields: dict[str, Any]) -> Step:
    """Fill in a step's form and return what the dialog shows next."""
    following: Step = await client.post(f"{FLOWS}/{step['flow_id']}", fields)
    return following


async def scanned(
    client: Api, step: Step, progress: Callable[[float], None] = lambda fraction: None
) -> Step:
    """Wait while the dialog shows progress and return what it shows then."""
    async with client.websocket() as socket:
        await socket.command("subscribe_events", event_type=_PROGRESS_EVENT)
        while step["type"] == "progress":
            event = await socket.event(within=_LOOK_EVERY)
            if event is not None and event["data"]["flow_id"] == step["flow_id"]:
                progress(event["data"]["progress"])
            else:
                step = await client.get(f"{FLOWS}/{step['flow_id']}")
                await asyncio.sleep(0)
    return step


async def _complaint(client: Api, step: Step) -> str:
    """Return what the dialog says of an error, in the user's words."""
    told = await client.command(
        "frontend/get_translations", language="en", category="config", integration=[DOMAIN]
    )
    kind, key = ("error", (step.get("errors") or {}).get("base"))
    if step["type"] == "abort":
        kind, key = "abort", step["reason"]
    text = told["resources"].get(f"component.{DOMAIN}.config.{kind}.{key}", str(key))
    for name, value in (step.get("description_placeholders") or {}).items():
        text = text.replace("{" + name + "}", value)
    return " ".join(text.split())
