"""Takes entries off their port for a while, and puts them back."""

from __future__ import annotations

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant


class Pause:
    """Entries that are off their port, so that a flow can try other speeds on it."""

    def __init__(self) -> None:
        """Start with none."""
        self._entries: list[ConfigEntry] = []

    def __bool__(self) -> bool:
        """Tell whether an entry is off its port."""
        return bool(self._entries)

    async def begin(self, hass: HomeAssistant, entries: Iterable[ConfigEntry]) -> None:
        """Unload what is set up or about to be tried again."""
        for entry in entries:
            if entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY):
                await hass.config_entries.async_unload(entry.entry_id)
                self._entries.append(entry)

    async def end(self, hass: HomeAssistant) -> None:
        """Set up again what was taken off the port."""
        while self._entries:
            entry = self._entries.pop()
            if entry.state is ConfigEntryState.NOT_LOADED:
                await hass.config_entries.async_setup(entry.entry_id)

    def forget(self) -> None:
        """Leave the entries as they are."""
        self._entries = []
