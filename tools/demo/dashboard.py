"""Adds the dashboard that the integration brings along, and has the web page open on it."""

from __future__ import annotations

from typing import Final

from tools.testkit.api import Api

PATH: Final = "rec-bms"


async def add_dashboard(client: Api) -> None:
    """Add the dashboard, as *Settings → Dashboards → Add dashboard* does, as the default one."""
    async with client.websocket() as socket:
        await socket.command(
            "lovelace/dashboards/create",
            url_path=PATH,
            title="REC BMS",
            icon="mdi:battery-high",
            mode="storage",
        )
        await socket.command(
            "lovelace/config/save",
            url_path=PATH,
            config={"strategy": {"type": "custom:rec-bms"}},
        )
        await socket.command("frontend/set_system_data", key="core", value={"default_panel": PATH})
