"""Polls one BMS and hands what it told to the entities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_ALLOW_CHANGES,
    CONF_SCAN_INTERVAL,
    DEFAULT_SCAN_INTERVAL,
    DOMAIN,
    LOGGER,
    MANUFACTURER,
)
from .memory import Memory
from .messages import translated
from .protocol.errors import (
    BmsError,
    ChangesForbiddenError,
    NoResponseError,
    NotTakenError,
    PortError,
    ReadsBackDifferentlyError,
    RefusedError,
    SettingError,
    StoppingError,
    UnverifiedError,
    WithdrawnError,
)
from .protocol.rs485.client import Client, SetResult
from .protocol.rs485.instructions import BY_CODE, Instruction
from .protocol.rs485.schedule import FIRST, Schedule
from .protocol.state import Reading, Readings

_LOST_IN_A_ROW = 2
"""So many questions without an answer, one after the other, make a BMS seem to be gone."""
_LONGEST_PAUSE = 3
"""Scan intervals between two polls after which the BMS was not heard in between."""
_DEVICE = frozenset({"*IDN", "SWVR", "HWVR"})
"""What the main device shows."""
_TOLD_AT_ONCE = 100
"""Listeners that are told before others in Home Assistant have their turn: a battery may have some
five hundred entities."""

type RecBmsConfigEntry = ConfigEntry[RecBmsCoordinator]


@dataclass(frozen=True, slots=True)
class BmsData:
    """What entities read: the BMS's readings, and how the line is doing."""

    readings: Readings
    read_at: float
    """When LCD1 was read, in s of the event loop's clock."""
    continuous: bool
    """Whether no poll failed, and none was left out, since LCD1 was read the time before."""
    poll_duration: float
    """How long the last poll took, in s."""
    line_errors: int
    retries: int
    exchanges: int
    """Exchanges in polls that found the BMS there."""
    repeated_exchanges: int
    """Those of them that needed more than one attempt."""


class RecBmsCoordinator(DataUpdateCoordinator[BmsData]):
    """Polls one BMS; changes its settings and shows what was read back."""

    config_entry: RecBmsConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: RecBmsConfigEntry, client: Client, memory: Memory
    ) -> None:
        """Take the client that talks to the entry's BMS, and what is remembered of it."""
        self.scan_interval = entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL)
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(seconds=self.scan_interval),
        )
        self.client = client
        self.memory = memory
        self.schedule = Schedule(self.scan_interval)
        self.main_device_id = ""
        self.hopes: list[Callable[[], Iterable[str]]] = []
        """Each tells which instructions would have an entity if only the BMS answered them."""
        self._described: tuple[str | None, ...] | None = None
        self._values: dict[str, Reading] = {}
        self._was_away = True
        self._ended_at = 0.0
        self._attempts: list[int] = []
        """How often each request of the running poll was sent."""
        self._exchanges = 0
        self._repeated_exchanges = 0

    @property
    def changes_allowed(self) -> bool:
        """Whether the owner has switched changes on."""
        return bool(self.config_entry.options.get(CONF_ALLOW_CHANGES, False))

    @override
    async def _async_update_data(self) -> BmsData:
        """Ask for what is due; only the BMS or its port being gone fails the poll."""
        started = self.hass.loop.time()
        pause = started - self._ended_at
        continuous = not self._was_away and pause <= _LONGEST_PAUSE * self.scan_interval
        self.schedule.begin(started)
        due = self.schedule.due(
            self._wanted(), started, everything=self._was_away, hoped_for=self._hoped_for
        )
        self._was_away = True
        self._attempts.clear()
        try:
            lost = await self._first_round(due)
            await self._second_round(lost)
        except BmsError as err:
            message = translated(err, self.config_entry.title)
            raise UpdateFailed(
                translation_domain=message.translation_domain,
                translation_key=message.translation_key,
                translation_placeholders=message.translation_placeholders,
            ) from err
        self._was_away = False
        self._exchanges += len(self._attempts)
        self._repeated_exchanges += sum(each > 1 for each in self._attempts)
        for code in self.schedule.stale(self._values):
            del self._values[code]
        self._keep_device_up_to_date()
        self._ended_at = self.hass.loop.time()
        return self._snapshot(self._ended_at - started, continuous=continuous)

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell all listeners; when they are many, others have their turn in between."""
        self.config_entry.async_create_task(
            self.hass, self._tell(list(self._listeners)), f"{self.name} tell"
        )

    async def _tell(self, listener_ids: list[int]) -> None:
        for number, listener_id in enumerate(listener_ids):
            if number and number % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
            if (listener := self._listeners.get(listener_id)) is None:
                continue
            try:
                listener[0]()
            # As Home Assistant has it: what goes wrong in one listener costs no other its news.
            except Exception:
                self.logger.exception("Unexpected error in a listener of %s", self.name)

    async def async_set(self, instruction: Instruction, value: object) -> SetResult:
        """Set a value in the line's unit, verify it, and show what was read back.

        Raises HomeAssistantError, translated. Once begun, a set is carried through even when its
        caller is cancelled: a value that was sent must be read back.
        """
        # No background task: those are cancelled at once when Home Assistant stops.
        task = self.hass.async_create_task(
            self._set(instruction, value), f"{self.name} set {instruction.code}"
        )
        outcome = await asyncio.shield(task)
        if isinstance(outcome, BmsError):
            raise translated(outcome, self.config_entry.title) from outcome
        return outcome

    async def async_read(self, instruction: Instruction) -> Reading:
        """Read one instruction now. Raises HomeAssistantError, translated."""
        try:
            return (await self.client.request(instruction)).reading
        except BmsError as err:
            raise translated(err, self.config_entry.title) from err

    async def _set(self, instruction: Instruction, value: object) -> SetResult | BmsError:
        """Return errors rather than raise them: whoever called may be gone."""
        try:
            result = await self.client.set(
                instruction,
                value,
                hindrance=lambda: self._hindrance(instruction.code),
                may_lack=self._may_lack,
            )
        except (RefusedError, NotTakenError, ReadsBackDifferentlyError) as err:
            await self._show(instruction.code, err.current)
            return err
        except UnverifiedError as err:
            await self._hide(instruction.code)
            return err
        except BmsError as err:
            # A port that was closed with its entry is no port that does not work.
            return self._hindrance(instruction.code) or err
        await self._show(instruction.code, result.read_back)
        return result

    def _hindrance(self, code: str) -> SettingError | None:
        """Return what forbids a set right now."""
        if self.hass.is_stopping:
            return StoppingError(code)
        if not self._is_loaded:
            return WithdrawnError(code)
        return None if self.changes_allowed else ChangesForbiddenError(code)

    @property
    def _is_loaded(self) -> bool:
        """Whether the entry's entities, which are made shortly before it is loaded, are ours."""
        entry = self.config_entry
        ours = getattr(entry, "runtime_data", None) is self
        return ours and entry.state in (
            ConfigEntryState.SETUP_IN_PROGRESS,
            ConfigEntryState.LOADED,
        )

    def _may_lack(self, code: str) -> bool:
        """Tell whether this BMS may not have a setting: it never told it, nor was there an entity.

        A setting that has an entity, enabled or not, was told at some time.
        """
        entry_id = self.config_entry.entry_id
        unique_id = f"{entry_id}_{BY_CODE[code].key}"
        registered = er.async_entries_for_config_entry(er.async_get(self.hass), entry_id)
        return code in self.schedule.unsupported and all(
            entity.unique_id != unique_id for entity in registered
        )

    def _wanted(self) -> set[str]:
        contexts: Iterable[Iterable[str]] = self.async_contexts()
        return {code for codes in contexts for code in codes}

    def _hoped_for(self) -> set[str]:
        return {code for hope in self.hopes for code in hope()} | _DEVICE

    async def _first_round(self, due: list[Instruction]) -> list[Instruction]:
        """Ask each once and return those that were lost.

        Every question to a silent line takes two seconds. So when the BMS or the port seems to be
        gone, what is returned is the first, which tells whether it is, and all the rest.
        """
        lost: list[Instruction] = []
        lost_in_a_row = 0
        for position, instruction in enumerate(due):
            try:
                await self._read(instruction)
                lost_in_a_row = 0
            except (NoResponseError, PortError) as err:
                lost.append(instruction)
                lost_in_a_row += 1
                if lost_in_a_row == _LOST_IN_A_ROW or isinstance(err, PortError):
                    rest = [*lost, *due[position + 1 :]]
                    return [BY_CODE[FIRST], *(row for row in rest if row.code != FIRST)]
        return lost

    async def _second_round(self, lost: list[Instruction]) -> None:
        """Ask what was lost once more; raise if the BMS or the port is gone."""
        unsupported = self.schedule.unsupported
        for instruction in lost:
            if instruction.code in unsupported:
                continue
            try:
                await self._read(instruction)
            except NoResponseError:
                if instruction.code == FIRST:
                    raise

    async def _read(self, instruction: Instruction) -> None:
        try:
            response = await self.client.request(instruction)
        except NoResponseError as err:
            self._attempts.append(err.attempts)
            self.schedule.missed(instruction.code, self.hass.loop.time())
            raise
        self._attempts.append(response.attempts)
        self._keep(instruction.code, response.reading)

    def _keep(self, code: str, reading: Reading) -> None:
        self._values[code] = reading
        self.schedule.answered(code, self.hass.loop.time())

    async def _show(self, code: str, value: float) -> None:
        self._keep(code, value)
        await self._publish(code)

    async def _hide(self, code: str) -> None:
        """Show that a value is not known; Home Assistant drops calls to what is unavailable."""
        self.schedule.forget(code)
        if code in self._values:
            self._values[code] = None
            await self._publish(code)

    async def _publish(self, code: str) -> None:
        """Show what has become of one reading; a running poll shows the rest at its end."""
        values = {**self.data.readings.values, code: self._values[code]}
        self.data = replace(
            self.data, readings=Readings(MappingProxyType(values), self.client.address)
        )
        await self._tell(list(self._listeners))

    def _snapshot(self, poll_duration: float, *, continuous: bool) -> BmsData:
        counters = self.client.connection.counters
        return BmsData(
            readings=Readings(MappingProxyType(dict(self._values)), self.client.address),
            read_at=self.schedule.read_at(FIRST),
            continuous=continuous,
            poll_duration=poll_duration,
            line_errors=counters.line_errors,
            retries=counters.retries,
            exchanges=self._exchanges,
            repeated_exchanges=self._repeated_exchanges,
        )

    def _keep_device_up_to_date(self) -> None:
        """Have the main device as the BMS describes itself; units hang on it."""
        described = tuple(self._text(code) for code in ("*IDN", "SWVR", "HWVR"))
        if described == self._described:
            return
        self._described = described
        model, software_version, hardware_version = described
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            identifiers={(DOMAIN, self.config_entry.entry_id)},
            name=self.config_entry.title,
            manufacturer=MANUFACTURER,
            model=model,
            sw_version=software_version,
            hw_version=hardware_version,
        )
        self.main_device_id = device.id

    def _text(self, code: str) -> str | None:
        value = self._values.get(code)
        return value if isinstance(value, str) else None
