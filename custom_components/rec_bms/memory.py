"""What must outlive restarts: energy counted, the error that was told, what a unit knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from .const import DOMAIN, LOGGER
from .protocol.rs485.known import Known
from .protocol.state import ErrorState

_VERSION = 1
_LOST_AT_MOST = 50.0
"""Seconds of counting that a power cut may cost; writing takes the rest of the minute."""


class Memory:
    """What is remembered of one entry, in a file of its own.

    Home Assistant keeps states only for a week after an entity was last there, and writes them
    every quarter of an hour: a battery may be laid up for a winter, and a flat one takes Home
    Assistant down with it.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.memory.{entry_id}", atomic_writes=True
        )
        self._energy: dict[str, float] = {}
        self._told: dict[str, Any] | None = None
        self._knows_told = False
        self._known = Known()
        self._is_due = False

    async def async_load(self) -> None:
        """Read what was kept; what cannot be read is left as it is and not written over."""
        try:
            kept = await self._store.async_load()
        except HomeAssistantError as err:
            LOGGER.warning("What was kept of a BMS cannot be read: %s", err)
            self._store.make_read_only()
            return
        if not isinstance(kept, Mapping):
            return
        energy = kept.get("energy")
        if isinstance(energy, Mapping):
            self._energy = {key: kwh for key, kwh in energy.items() if _is_energy(kwh)}
        self._known = Known.from_dict(kept.get("known"))
        self._knows_told = "told" in kept
        self._told = kept.get("told")

    async def async_save(self) -> None:
        """Write what there is, and return when it can be read again."""
        if self._energy or self._knows_told or self._known != Known():
            await self._store.async_save(self._taken())

    async def async_remove(self) -> None:
        """Forget everything, with the entry."""
        await self._store.async_remove()

    def energy(self, key: str) -> float:
        """Return the kWh that were counted for a sensor."""
        return self._energy.get(key, 0.0)

    @callback
    def keep_energy(self, key: str, kwh: float, period: float) -> None:
        """Keep the kWh counted for a sensor; `period` is what one update counts, in s."""
        if kwh == self._energy.get(key, 0.0):
            return
        self._energy[key] = kwh
        if period < _LOST_AT_MOST:
            self._save_in(_LOST_AT_MOST - period)
        else:
            self._save_now()

    @property
    def knows_told(self) -> bool:
        """Whether anything is known of what was told."""
        return self._knows_told

    @property
    def told(self) -> ErrorState | None:
        """The error that was told to be there, None when it was told to be gone."""
        try:
            return None if self._told is None else ErrorState(**self._told)
        except TypeError:
            return None

    @callback
    def keep_told(self, error: ErrorState | None) -> None:
        """Keep what was told, at once: it must not be told again after a power cut."""
        self._knows_told = True
        self._told = None if error is None else asdict(error)
        self._save_now()

    @property
    def known(self) -> Known:
        """What the unit was found to know."""
        return self._known

    @callback
    def keep_known(self, known: Known) -> None:
        """Keep what the unit was found to know; that changes only while it is being found out."""
        self._known = known
        self._save_now()

    def _save_now(self) -> None:
        self._hass.async_create_task(self._store.async_save(self._taken()), "rec_bms memory")

    def _save_in(self, seconds: float) -> None:
        """Write in so many seconds; asking again does not put it off, as it would in the store."""
        if not self._is_due:
            self._is_due = True
            self._store.async_delay_save(self._taken, seconds)

    def _taken(self) -> dict[str, Any]:
        self._is_due = False
        kept: dict[str, Any] = {"energy": dict(self._energy)}
        if self._knows_told:
            kept["told"] = self._told
        if self._known != Known():
            kept["known"] = self._known.as_dict()
        return kept


def _is_energy(kwh: object) -> bool:
    return isinstance(kwh, int | float) and math.isfinite(kwh) and kwh >= 0
