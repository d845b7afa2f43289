"""Keeps what a BMS's settings were, who changed them and when, in a file of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .history import NOT_REPORTED, Change, History, Intent, Reason, Report, Snapshot, Unit
from .protocol.bms import SetResult
from .protocol.errors import (
    BmsError,
    NotTakenError,
    ReadsBackDifferentlyError,
    RefusedError,
    UnverifiedError,
)
from .protocol.rs485.instructions import SETTINGS
from .protocol.state import State

_VERSION = 1


async def async_get_snapshots(hass: HomeAssistant, entry_id: str) -> Snapshots:
    """Return the snapshots of an entry, the same ones over reloads, whether it is loaded or not."""
    snapshots = _of_all_entries(hass).setdefault(entry_id, Snapshots(hass, entry_id))
    await snapshots.async_load()
    return snapshots


async def async_remove_snapshots(hass: HomeAssistant, entry_id: str) -> None:
    """Forget the snapshots of an entry."""
    snapshots = _of_all_entries(hass).pop(entry_id, Snapshots(hass, entry_id))
    await snapshots.async_remove()


@singleton(f"{DOMAIN}_snapshots")
def _of_all_entries(hass: HomeAssistant) -> dict[str, Snapshots]:
    """Return what was kept of each entry whose file has been read."""
    return {}


class Snapshots:
    """The settings of one entry's BMS as they were, over restarts, reloads and moves."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.settings.{entry_id}", atomic_writes=True
        )
        self._history = History()
        self._being_set: Counter[str] = Counter()
        self._reported: Mapping[str, Report] = {}
        self._told: set[datetime] = set()
        self._loading = asyncio.Lock()
        self._is_loaded = False
        self._listeners: list[Callable[[], None]] = []
        self.can_be_kept = True
        """Whether what is added now is there after a restart."""

    @property
    def history(self) -> History:
        """What is known; to be changed by this class alone."""
        return self._history

    async def async_load(self) -> None:
        """Read what was kept; what cannot be read is left as it is and not written over."""
        async with self._loading:
            if self._is_loaded:
                return
            try:
                kept = await self._store.async_load()
                if kept is not None:
                    self._history = History.from_dict(kept)
                    self._reported = dict(self._history.reports)
                    self._told = {snapshot.time for snapshot in self._history.snapshots}
            except (HomeAssistantError, ValueError) as err:
                LOGGER.warning("What was kept of a BMS's settings cannot be read: %s", err)
                self._store.make_read_only()
                self.can_be_kept = False
            self._is_loaded = True

    async def async_save(self) -> None:
        """Write what there is, and return when it can be read again."""
        if self._history.snapshots:
            await self._store.async_save(self._history.as_dict())

    async def async_remove(self) -> None:
        """Forget everything, with the entry."""
        await self._store.async_remove()
        self._store.make_read_only()

    @callback
    def async_subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have a listener told when anything was added; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def see(self, state: State) -> None:
        """Look at what a BMS tells by now, however it came."""
        news = self._history.meet(Unit(state.model, state.serial_number))
        told = {
            setting.code: value
            for key, setting in SETTINGS.items()
            if (value := state.settings.get(key)) is not None
        }
        self._read(told, news=news)

    @callback
    def read(self, code: str, value: float) -> None:
        """Look at what was just read of one setting."""
        self._read({code: value})

    async def async_before_set(self, code: str, intent: Intent) -> None:
        """Keep who wants what before it is sent: whatever comes after, it was not elsewhere."""
        self._being_set[code] += 1
        self._history.intend(code, intent)
        await self.async_save()

    @callback
    def after_set(self, code: str, intent: Intent, outcome: SetResult | BmsError | None) -> None:
        """Look at what became of a set; None where that is not known."""
        self._being_set[code] -= 1
        if outcome is None or isinstance(outcome, UnverifiedError):
            # What is read next tells.
            return
        self._history.withdraw(code, intent)
        match outcome:
            case SetResult(previous=previous, read_back=current):
                self._was_set(code, previous, current, intent)
            case (
                RefusedError(previous=previous, current=current)
                | NotTakenError(previous=previous, current=current)
                | ReadsBackDifferentlyError(previous=previous, current=current)
            ):
                self._was_set(code, previous, current, intent)
        self._keep()

    def _was_set(self, code: str, previous: float | None, current: float, intent: Intent) -> None:
        """Tell apart what was changed before a set, and by it."""
        now = dt_util.utcnow()
        if previous is not None:
            self._history.read({code: previous}, now)
        self._history.changed({code: current}, now, Reason.HOME_ASSISTANT, intent.user)

    async def async_name(self, name: str | None, values: Mapping[str, float]) -> Snapshot:
        """Keep what was just read of the settings, for ever where it gets a name."""
        snapshot = self._history.name(name, values, dt_util.utcnow())
        await self.async_save()
        self._tell()
        return snapshot

    @callback
    def accept(self, reports: Mapping[str, Report]) -> None:
        """Take the owner's word for it that changes made elsewhere are to stay."""
        self._history.accept(reports)
        self._keep()

    @callback
    def has_new_reports(self) -> bool:
        """Tell whether any change was reported since this was asked last, or the file read."""
        before, self._reported = self._reported, dict(self._history.reports)
        return any(before.get(code) != report for code, report in self._reported.items())

    @callback
    def changed_elsewhere(self) -> list[tuple[str, Change]]:
        """Return code and change of what was changed elsewhere since this was asked last.

        The first time, since the file was read.
        """
        snapshots = self._history.snapshots
        before, self._told = self._told, {snapshot.time for snapshot in snapshots}
        return [
            (code, change)
            for snapshot in snapshots
            if snapshot.time not in before and snapshot.reason is Reason.ELSEWHERE
            for code, change in snapshot.changes.items()
            if code not in NOT_REPORTED
        ]

    def _read(self, values: Mapping[str, float], *, news: bool = False) -> None:
        read = {code: value for code, value in values.items() if not self._being_set[code]}
        if self._history.read(read, dt_util.utcnow()) or news:
            self._keep()

    def _keep(self) -> None:
        self._hass.async_create_task(self.async_save(), "rec_bms settings")
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
