"""Takes entries off their port for a while, and puts them back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.singleton import singleton
from homeassistant.setup import async_setup_component

from .const import DOMAIN

_ON_ITS_PORT_OR_SOON = (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)


class Pauses:
    """The entries that are off their port at the moment.

    Every set-up and unloading runs in a task of its own under the entry's lock: whoever waits here
    may be cancelled, and an entry whose set-up or unloading was cancelled stays as it is for ever.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._count: Counter[str] = Counter()
        self._is_over = False
        """Whether Home Assistant has begun to stop: from then on nothing is set up any more."""
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._end)

    @callback
    def _end(self, _: Event) -> None:
        self._is_over = True

    @asynccontextmanager
    async def pause(self, entries: Iterable[ConfigEntry]) -> AsyncIterator[None]:
        """Have entries off their port, and set them up again afterwards without waiting for that.

        What is disabled, deleted or set up by its owner meanwhile is left alone.
        """
        taken: list[ConfigEntry] = []
        taking = self._hass.async_create_task(self._take_off(entries, taken), f"{DOMAIN} pause")
        try:
            await asyncio.shield(taking)
            yield
        finally:
            self._hass.async_create_task(self._put_back(taking, taken), f"{DOMAIN} resume")

    async def restart(self, entries: Iterable[ConfigEntry]) -> None:
        """Set entries up anew with another speed; returns when all have left their port.

        A port has one speed, so the last must have left it before the first returns.
        """
        entries = sorted(entries, key=lambda entry: entry.entry_id)
        async with AsyncExitStack() as locks:
            for entry in entries:
                await locks.enter_async_context(entry.setup_lock)
            for entry in entries:
                await entry.async_unload(self._hass)
        for entry in entries:
            self._begin_set_up(entry)

    async def _take_off(self, entries: Iterable[ConfigEntry], taken: list[ConfigEntry]) -> None:
        for entry in entries:
            async with entry.setup_lock:
                if entry.state in _ON_ITS_PORT_OR_SOON:
                    await entry.async_unload(self._hass)
                elif not self._count[entry.entry_id]:
                    continue
            # An entry that is off its port for another dialog returns with the last of them.
            self._count[entry.entry_id] += 1
            taken.append(entry)

    async def _put_back(self, taking: asyncio.Task[None], taken: list[ConfigEntry]) -> None:
        await taking
        for entry in taken:
            self._count -= Counter([entry.entry_id])
            if not self._count[entry.entry_id]:
                self._begin_set_up(entry)

    @callback
    def _begin_set_up(self, entry: ConfigEntry) -> None:
        self._hass.async_create_task(self._set_up(entry), f"{DOMAIN} set up {entry.title}")

    async def _set_up(self, entry: ConfigEntry) -> None:
        # Returns at once but where Home Assistant has only begun to start.
        await async_setup_component(self._hass, DOMAIN, {})
        async with entry.setup_lock:
            known = self._hass.config_entries.async_get_entry(entry.entry_id)
            off = known is entry and entry.state is ConfigEntryState.NOT_LOADED
            if off and not self._is_over:
                await entry.async_setup(self._hass)


@singleton(f"{DOMAIN}_pauses")
def async_get_pauses(hass: HomeAssistant) -> Pauses:
    """Return the entries that are off their port."""
    return Pauses(hass)


async def until_settled(entries: Iterable[ConfigEntry]) -> None:
    """Wait for what is under way with entries: a set-up, an unloading, a reload."""
    for entry in entries:
        async with entry.setup_lock:
            pass
