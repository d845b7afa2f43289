"""What `scripts/demo` opens on."""

from __future__ import annotations

from tests.browser.home import Battery
from tests.browser.screen import Screen
from tools.demo.dashboard import PATH, add_dashboard


async def test_the_web_page_opens_on_the_dashboard(battery: Battery, screen: Screen) -> None:
    client = battery.home.client
    await add_dashboard(client)
    try:
        await screen.page.goto(battery.home.url)
        await screen.page.wait_for_url(f"**/{PATH}/**")
        await screen.cells_are_drawn(14)
    finally:
        (made,) = (each for each in await battery.home.dashboards() if each["url_path"] == PATH)
        await client.command("lovelace/dashboards/delete", dashboard_id=made["id"])
        await client.command("frontend/set_system_data", key="core", value={})
