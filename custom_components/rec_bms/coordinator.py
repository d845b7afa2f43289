"""Keeps what one BMS tells up to date, and hands it to the entities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_ALLOW_CHANGES,
    DOMAIN,
    LOGGER,
    MANUFACTURER,
)
from .health_memory import HealthMemory
from .history import Intent
from .memory import Memory
from .messages import translated
from .protocol.bms import Bms, SetResult, Update
from .protocol.charging import Charging
from .protocol.errors import (
    BmsError,
    ChangesForbiddenError,
    OutOfRangeError,
    ReadOnlyWayError,
    SettingError,
    StoppingError,
    WithdrawnError,
    WrongDeviceError,
)
from .protocol.health.headroom import HeadroomWatch, Side
from .protocol.health.record import Health
from .protocol.rs485.codec import parse_setting
from .protocol.rs485.instructions import BY_CODE, SETTINGS
from .protocol.settings import Setting
from .protocol.state import Quantity, State
from .snapshots import Snapshots

_DEVICE = frozenset({Quantity.MODEL, Quantity.SOFTWARE_VERSION, Quantity.HARDWARE_VERSION})
"""What the main device shows."""
_TOLD_AT_ONCE = 100
"""Listeners that are told before others in Home Assistant have their turn: a battery may have some
five hundred entities."""

type RecBmsConfigEntry = ConfigEntry[RecBmsCoordinator]


class RecBmsCoordinator(DataUpdateCoordinator[Update]):
    """Updates one BMS; changes its settings and shows what was read back."""

    config_entry: RecBmsConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RecBmsConfigEntry,
        bms: Bms,
        *,
        memory: Memory,
        snapshots: Snapshots,
        health_memory: HealthMemory,
    ) -> None:
        """Take the entry's BMS, which is open, and what is remembered of it in each file."""
        interval = bms.update_interval
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=None if interval is None else timedelta(seconds=interval),
        )
        self.bms = bms
        self.memory = memory
        self.snapshots = snapshots
        self.charging = Charging()
        self.headroom = {side: HeadroomWatch(side, bms.longest_gap) for side in Side}
        self.health_memory = health_memory
        self.main_device_id = ""
        self.hopes: list[Callable[[], Iterable[str]]] = []
        """Each tells which quantities would have an entity if only the BMS told them."""
        self._described: tuple[str | None, ...] | None = None
        self._numbers = count()
        self._to_tell: dict[int, Callable[[], None]] = {}
        self._telling: asyncio.Task[None] | None = None
        entry.async_on_unload(bms.subscribe(self._take))

    @property
    def health(self) -> Health:
        """What is found out about the battery."""
        return self.health_memory.health

    @property
    def changes_allowed(self) -> bool:
        """Whether the owner has switched changes on."""
        return bool(self.config_entry.options.get(CONF_ALLOW_CHANGES, False))

    @override
    async def _async_update_data(self) -> Update:
        """Update what is wanted; only the BMS or the way to it being gone fails."""
        try:
            update = await self.bms.update(self._wanted(), self._hoped_for)
        except BmsError as err:
            raise _failed(self.hass, err, self.config_entry.title) from err
        self._keep(update)
        return update

    @callback
    @override
    def async_add_listener(
        self, update_callback: Callable[[], None], context: Any = None
    ) -> Callable[[], None]:
        """Have a listener told of updates, a share of all listeners at a time."""
        stop = super().async_add_listener(update_callback, context)
        number = next(self._numbers)
        self._to_tell[number] = update_callback

        @callback
        def remove() -> None:
            self._to_tell.pop(number, None)
            stop()

        return remove

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell all listeners; when they are many, others have their turn in between."""
        self._telling = self.config_entry.async_create_task(
            self.hass, self._tell(list(self._to_tell)), f"{self.name} tell"
        )

    async def _tell(self, numbers: list[int]) -> None:
        for position, number in enumerate(numbers):
            if position and position % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
            if (tell := self._to_tell.get(number)) is None:
                continue
            try:
                tell()
            # As Home Assistant has it: what goes wrong in one listener costs no other its news.
            except Exception:
                self.logger.exception("Unexpected error in a listener of %s", self.name)

    @callback
    def _take(self, news: Update | BmsError) -> None:
        """Show what came by itself, or that nothing comes any more."""
        if isinstance(news, BmsError):
            self.async_set_update_error(_failed(self.hass, news, self.config_entry.title))
            if isinstance(news, WrongDeviceError) and self.is_loaded:
                # Set up anew, it fails and says why.
                self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
            return
        if self.update_interval is None:
            if not self.last_update_success:
                LOGGER.info("%s is back", self.config_entry.title)
            self.last_update_success = True
        self.data = news
        self._keep(news)
        self.async_update_listeners()

    async def async_set(self, key: str, value: object, context: Context | None) -> SetResult:
        """Set a setting's value in the line's unit, verify it, and show what was read back.

        Whose `context` it is, is kept with the change. Once begun, a set is carried through even
        when its caller is cancelled: a value that was sent must be read back. Raises
        HomeAssistantError, translated.
        """
        # No background task: those are cancelled at once when Home Assistant stops.
        task = self.hass.async_create_task(self._set(key, value, context), f"{self.name} set {key}")
        outcome = await asyncio.shield(task)
        if isinstance(outcome, BmsError):
            raise translated(self.hass, outcome, self.config_entry.title) from outcome
        return outcome

    async def async_read(self, code: str) -> Any:
        """Read one instruction now. Raises HomeAssistantError, translated."""
        try:
            reading = await self.bms.read(code)
        except BmsError as err:
            raise translated(self.hass, err, self.config_entry.title) from err
        if BY_CODE[code].settable and reading is not None:
            self.snapshots.read(code, reading)
        return reading

    async def _set(self, key: str, value: object, context: Context | None) -> SetResult | BmsError:
        """Return errors rather than raise them: whoever called may be gone."""
        setting = SETTINGS[key]
        intent = await self._intend(setting, value, context)
        outcome: SetResult | BmsError | None = None
        try:
            outcome = await self.bms.set(
                key, value, hindrance=lambda: self.hindrance(setting), may_lack=self.may_lack
            )
        except BmsError as err:
            # A way that was closed with its entry is no way that does not work.
            gone = None if isinstance(err, SettingError) else self.hindrance(setting)
            outcome = gone or err
        finally:
            if intent is not None:
                self.snapshots.after_set(setting.code, intent, outcome)
        if self._telling is not None:
            await self._telling
        return outcome

    async def _intend(
        self, setting: Setting, value: object, context: Context | None
    ) -> Intent | None:
        """Keep what is about to be set and who wants it; None for what will not be sent."""
        if self.hindrance(setting) is not None:
            return None
        try:
            wanted = parse_setting(BY_CODE[setting.code], value)
        except OutOfRangeError as err:
            # The BMS may have one still further out, so that this is let through.
            wanted = err.value
        except BmsError:
            return None
        user_id = None if context is None else context.user_id
        user = None if user_id is None else await self.hass.auth.async_get_user(user_id)
        intent = Intent(wanted, None if user is None else user.name)
        await self.snapshots.async_before_set(setting.code, intent)
        return intent

    def hindrance(self, setting: Setting) -> SettingError | None:
        """Return what forbids to set this or any other setting right now."""
        if setting.key not in self.bms.settings:
            return ReadOnlyWayError(setting)
        if self.hass.is_stopping:
            return StoppingError(setting)
        if not self.is_loaded:
            return WithdrawnError(setting)
        return None if self.changes_allowed else ChangesForbiddenError(setting)

    @property
    def is_loaded(self) -> bool:
        """Whether the entry's entities, which are made shortly before it is loaded, are ours."""
        entry = self.config_entry
        ours = getattr(entry, "runtime_data", None) is self
        return ours and entry.state in (
            ConfigEntryState.SETUP_IN_PROGRESS,
            ConfigEntryState.LOADED,
        )

    def may_lack(self, key: str) -> bool:
        """Tell whether the BMS may not have a setting: there never was an entity for it.

        A setting that has an entity, enabled or not, was told at some time.
        """
        entry_id = self.config_entry.entry_id
        registered = er.async_entries_for_config_entry(er.async_get(self.hass), entry_id)
        return all(entity.unique_id != f"{entry_id}_{key}" for entity in registered)

    def _wanted(self) -> set[str]:
        contexts: Iterable[Iterable[str]] = self.async_contexts()
        return {quantity for quantities in contexts for quantity in quantities}

    def _hoped_for(self) -> set[str]:
        return {quantity for hope in self.hopes for quantity in hope()} | _DEVICE

    def _keep(self, update: Update) -> None:
        """Have what is kept of the BMS go on with what it told."""
        state = update.state
        if state.has(Quantity.CURRENT):
            self.charging.add(state.current)
        self._keep_device_up_to_date(state)
        self.snapshots.see(state)
        self._follow_health(update)

    def _follow_health(self, update: Update) -> None:
        """Work out what is worked out.

        Whatever goes wrong with that costs what it is about, and no reading of the battery itself.
        """
        for watch in self.headroom.values():
            # Not what it was before, should it go wrong.
            watch.headroom = None
            try:
                watch.add(update)
            # See above: no mistake in this is worth a reading.
            except Exception:
                self.logger.exception("Unexpected error in the headroom of %s", self.name)
        try:
            self.health_memory.add(update)
        # See above.
        except Exception:
            self.logger.exception("Unexpected error in following the health of %s", self.name)

    def _keep_device_up_to_date(self, state: State) -> None:
        """Have the main device as the BMS describes itself; units hang on it."""
        described = (state.model, state.software_version, state.hardware_version)
        if described == self._described:
            return
        self._described = described
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            identifiers={(DOMAIN, self.config_entry.entry_id)},
            name=self.config_entry.title,
            manufacturer=MANUFACTURER,
            model=state.model,
            sw_version=state.software_version,
            hw_version=state.hardware_version,
        )
        self.main_device_id = device.id


def _failed(hass: HomeAssistant, err: BmsError, title: str) -> ConfigEntryError | UpdateFailed:
    """Return what Home Assistant is told; what stays wrong until its owner acts is not retried."""
    message = translated(hass, err, title)
    kind = ConfigEntryError if isinstance(err, WrongDeviceError) else UpdateFailed
    return kind(
        translation_domain=message.translation_domain,
        translation_key=message.translation_key,
        translation_placeholders=message.translation_placeholders,
    )
