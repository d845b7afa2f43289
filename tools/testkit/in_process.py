"""A Home Assistant in this process, outside pytest, with nothing in it but the integration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

# Ahead of the test package, which has a custom_components of its own.
import custom_components.rec_bms  # noqa: F401  isort: skip

from aiohttp import ThreadedResolver
from homeassistant import loader
from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.rec_bms.const import DOMAIN


class _Resolver(ThreadedResolver):
    """Looks up names without the network integration, which Home Assistant's own wants."""

    def __init__(self, _: HomeAssistant) -> None:
        super().__init__()

    async def real_close(self) -> None:
        """Close, as Home Assistant names it."""
        await self.close()


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant with a configuration folder of its own, in the present loop.

    No adapter that is plugged in is told of.
    """
    config = folder / "in_process"
    config.mkdir(exist_ok=True)
    with (
        patch.object(usb, "async_register_port_event_callback", lambda *_: lambda: None),
        patch("homeassistant.helpers.aiohttp_client._async_make_resolver", _Resolver),
    ):
        async with async_test_home_assistant(config_dir=str(config)) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            hass.config.components.add("usb")
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)


def add_entry(
    hass: HomeAssistant,
    port: str,
    baudrate: int,
    scan_interval: int,
    *,
    address: int = 1,
    title: str = "A",
    allow_changes: bool = False,
) -> MockConfigEntry:
    """Add an entry with the entities that are enabled by default; it is not set up yet."""
    data: dict[str, Any] = {"port": port, "baudrate": baudrate, "address": address}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"{port}#{address}",
        data=data,
        options={"scan_interval": scan_interval, "allow_changes": allow_changes},
    )
    entry.add_to_hass(hass)
    return entry


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up and have all its entities added."""
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED, entry.reason
    await hass.async_block_till_done()
