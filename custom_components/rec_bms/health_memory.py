"""What is found out about a battery over the years, in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .protocol.bms import Update
from .protocol.health.record import Health

_VERSION = 1
_LOST_AT_MOST = 900.0
"""Seconds that a power cut may cost. A month's findings need no better, and an SD card wears."""
_RARE_LOST_AT_MOST = 60.0
"""Seconds for which something that takes weeks to be found is not written yet."""


class HealthMemory:
    """Has one battery followed, and keeps what was found."""

    def __init__(self, hass: HomeAssistant, entry_id: str, health: Health) -> None:
        self.health = health
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.health.{entry_id}", atomic_writes=True
        )
        self._measured_at: float | None = None
        self._due_at: float | None = None
        self._has_news = False
        self._listeners: list[Callable[[], None]] = []

    async def async_load(self) -> None:
        """Read what was kept; what cannot be read is left as it is and not written over."""
        try:
            kept = await self._store.async_load()
        except HomeAssistantError as err:
            LOGGER.warning("What was kept of a battery's health cannot be read: %s", err)
            self._store.make_read_only()
            return
        if kept is not None:
            # Of hundreds of cells over a year there is so much that the event loop would wait.
            await self._hass.async_add_executor_job(self.health.restore, kept)

    async def async_save(self) -> None:
        """Write what there is, and return when it can be read again."""
        if self._has_news:
            await self._store.async_save(self._taken())

    @callback
    def add(self, update: Update) -> None:
        """Take what the BMS told last, unless it is what was measured before."""
        if update.measured_at == self._measured_at:
            return
        self._measured_at = update.measured_at
        before = self._rare
        self._has_news = True
        self.health.add(update, dt_util.utcnow().timestamp())
        self._save_in(_LOST_AT_MOST if self._rare == before else _RARE_LOST_AT_MOST)

    @callback
    def reset_lifetime(self) -> None:
        """Begin anew with what is added up over a lifetime."""
        self.health.lifetime.reset(dt_util.utcnow().timestamp())
        self._has_news = True
        self._hass.async_create_task(self.async_save(), "rec_bms health")
        for listener in tuple(self._listeners):
            listener()

    @callback
    def async_subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have a listener told when something begins anew; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def _rare(self) -> object:
        """What changes so seldom that it is written soon."""
        health = self.health
        return (
            health.full.corrections,
            health.capacity.measured,
            [(step.unit, step.cell) for step in health.resistances.steps],
            health.diagnosing.diagnosis.finding,
        )

    def _save_in(self, seconds: float) -> None:
        """Write in so many seconds at most; asking again puts nothing off."""
        due_at = self._hass.loop.time() + seconds
        if self._due_at is None or due_at < self._due_at:
            self._due_at = due_at
            self._store.async_delay_save(self._taken, seconds)

    def _taken(self) -> dict[str, Any]:
        self._due_at = None
        return self.health.as_dict()


async def async_remove_health(hass: HomeAssistant, entry_id: str) -> None:
    """Forget what was found, with the entry."""
    await Store[dict[str, Any]](hass, _VERSION, f"{DOMAIN}.health.{entry_id}").async_remove()
