"""Keeps together what the batteries of a bank tell, and hands it to the bank's entities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from typing import Any, TypeGuard, TypeIs, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import CONF_MEMBERS, CONF_WIRING, LOGGER
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .issues import async_review_members, async_take_back
from .memory import Memory
from .protocol.bank import Bank, Wiring, fresh_until
from .protocol.state import Quantity, State

_WANTED = frozenset(
    {
        Quantity.VOLTAGE,
        Quantity.CURRENT,
        Quantity.STATE_OF_CHARGE,
        Quantity.MIN_CELL_VOLTAGE,
        Quantity.MAX_CELL_VOLTAGE,
        Quantity.MAX_TEMPERATURE,
        Quantity.MIN_CELL,
        Quantity.MAX_CELL,
        Quantity.HOTTEST_SENSOR,
        Quantity.ERROR,
        "capa",
    }
)
"""What each member is asked for, whatever of its own entities is disabled."""

type BankConfigEntry = ConfigEntry[BankCoordinator]


@dataclass(frozen=True, slots=True)
class BankUpdate:
    """What a bank is after one of its members has told something, or is away."""

    bank: Bank
    names: tuple[str, ...]
    """What the members are called, in their order."""
    measured_at: float
    """When the latest of what it is made of was measured, in s of the event loop's clock."""
    continuous: bool
    """Whether the batteries went on as they did since the last update that had all of them."""
    period: float
    """Seconds for which it stands, until the next."""


class BankCoordinator(DataUpdateCoordinator[BankUpdate]):
    """Follows the members of a bank as they tell, come and go; asks nobody itself."""

    config_entry: BankConfigEntry

    def __init__(self, hass: HomeAssistant, entry: BankConfigEntry, memory: Memory) -> None:
        """Take the bank's entry, and what is remembered of it."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title, update_interval=None)
        self.memory = memory
        self.wiring = Wiring(entry.data[CONF_WIRING])
        self._followed: dict[str, tuple[RecBmsCoordinator, Callable[[], None]]] = {}
        self._expiry: asyncio.TimerHandle | None = None
        self._all_were_there = False
        self._complete_at: float | None = None
        """When the latest of the last update that had all members was measured."""
        self.data = self._now()

    @callback
    def follow(self) -> None:
        """Follow the members from now on, until the bank is unloaded."""
        entry = self.config_entry
        entry.async_on_unload(
            async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._review_if_member)
        )
        entry.async_on_unload(self._let_go)
        entry.async_on_unload(self.async_shutdown)
        entry.async_on_unload(partial(async_take_back, self.hass, entry))
        self.review()

    @property
    def member_ids(self) -> list[str]:
        """The members' entry ids, in their order."""
        return list(self.config_entry.data[CONF_MEMBERS])

    def members(self) -> list[RecBmsConfigEntry | None]:
        """Return the members' entries, None for one that was deleted."""
        return [self.hass.config_entries.async_get_entry(each) for each in self.member_ids]

    @callback
    def review(self) -> None:
        """Put together anew what the members tell at this moment."""
        self._follow_loaded()
        self.async_set_updated_data(self._now())
        self._review_when_stale()
        async_review_members(self.hass, self.config_entry, self.members().count(None))

    def diagnostics(self) -> dict[str, Any]:
        """Return what each member told of what a bank is made of, None of one that is away."""
        return {
            "members": [
                None
                if state is None
                else {key: _plain(state.told[key]) for key in sorted(_WANTED & set(state.told))}
                for state in self.data.bank.members
            ],
            "continuous": self.data.continuous,
        }

    @override
    async def _async_update_data(self) -> BankUpdate:
        """Put together what there is: that members are asked is their own business."""
        return self._now()

    @callback
    def _review_if_member(self, _: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.entry_id in self.member_ids:
            self.review()

    def _follow_loaded(self) -> None:
        """Listen to the coordinators that members have now, and to no other."""
        loaded = {
            member.entry_id: member.runtime_data for member in self.members() if _is_loaded(member)
        }
        for entry_id, (coordinator, stop) in list(self._followed.items()):
            if loaded.get(entry_id) is not coordinator:
                del self._followed[entry_id]
                stop()
        for entry_id, coordinator in loaded.items():
            if entry_id not in self._followed:
                stop = coordinator.async_add_listener(self.review, _WANTED)
                self._followed[entry_id] = coordinator, stop

    @callback
    def _let_go(self) -> None:
        for _, stop in self._followed.values():
            stop()
        self._followed.clear()
        if self._expiry is not None:
            self._expiry.cancel()

    def _review_when_stale(self) -> None:
        """Look again when the first of what is shown has become too old."""
        if self._expiry is not None:
            self._expiry.cancel()
        now = self.hass.loop.time()
        moments = [_fresh_until(member) for member in self.members() if is_heard(member)]
        ahead = [moment for moment in moments if moment > now]
        self._expiry = self.hass.loop.call_at(min(ahead), self.review) if ahead else None

    def _now(self) -> BankUpdate:
        """Return what the members have told that is not too old to be put together."""
        members = self.members()
        updates = [member.runtime_data.data for member in members if is_heard(member)]
        measured_at = max((update.measured_at for update in updates), default=0.0)
        update = BankUpdate(
            bank=Bank(self.wiring, self._states(members)),
            names=tuple(self._name(member) for member in members),
            measured_at=measured_at,
            continuous=self._goes_on(measured_at, all(each.continuous for each in updates)),
            period=min((each.period for each in updates), default=0.0),
        )
        self._all_were_there = len(updates) == len(members)
        if update.bank.is_complete:
            self._complete_at = measured_at
        return update

    def _goes_on(self, measured_at: float, continuous: bool) -> bool:
        """Tell whether the time since all were there last may be bridged."""
        if self._complete_at is None:
            return False
        gaps = [
            member.runtime_data.bms.longest_gap for member in self.members() if is_heard(member)
        ]
        is_short = measured_at - self._complete_at <= max(gaps, default=0.0)
        return is_short or (continuous and self._all_were_there)

    def _states(self, members: list[RecBmsConfigEntry | None]) -> tuple[State | None, ...]:
        """Return what each has told, None of what is away or too old; of a BMS read twice none."""
        if is_read_twice(member for member in members if member is not None):
            return (None,) * len(members)
        now = self.hass.loop.time()
        return tuple(
            member.runtime_data.data.state
            if is_heard(member) and now < _fresh_until(member)
            else None
            for member in members
        )

    def _name(self, member: RecBmsConfigEntry | None) -> str:
        """Return what a member is called: as its owner named its device."""
        if member is None:
            return ""
        if not _is_loaded(member):
            return member.title
        device = dr.async_get(self.hass).async_get(member.runtime_data.main_device_id)
        return (device and device.name_by_user) or member.title


def is_bank(entry: ConfigEntry[Any]) -> TypeIs[BankConfigEntry]:
    """Tell whether an entry is a bank, and so no BMS."""
    return CONF_MEMBERS in entry.data


def is_read_twice(members: Iterable[ConfigEntry[Any]]) -> bool:
    """Tell whether one BMS is among them over both ways, by its serial number."""
    told: dict[bool, set[int | None]] = {True: set(), False: set()}
    for member in members:
        if _is_loaded(member):
            serial_number = member.runtime_data.data.state.serial_number
            told[CONF_HOST in member.data].add(serial_number)
    return bool(told[True] & told[False] - {None})


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _is_loaded(member: ConfigEntry[Any] | None) -> TypeGuard[RecBmsConfigEntry]:
    return member is not None and member.state is ConfigEntryState.LOADED


def is_heard(member: ConfigEntry[Any] | None) -> TypeGuard[RecBmsConfigEntry]:
    """Tell whether a BMS was heard when it was asked, or was due to tell, last."""
    return _is_loaded(member) and member.runtime_data.last_update_success


def _fresh_until(member: RecBmsConfigEntry) -> float:
    coordinator = member.runtime_data
    return fresh_until(coordinator.data, coordinator.bms.longest_gap)
