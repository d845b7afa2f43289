"""Triggers: what happens to a BMS, for automations."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, override

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_FOR, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType

from .bank import is_heard
from .changes import SIGNAL_CHANGE
from .coordinator import RecBmsConfigEntry
from .errors import APPEARED, CLEARED, SIGNAL_ERROR
from .history import Change
from .protocol.alarms import error_name
from .protocol.health.headroom import Headroom, Side
from .protocol.rs485.instructions import BY_CODE
from .protocol.settings import Setting
from .protocol.state import ErrorState, Quantity, State
from .table import where
from .targets import Followed, main_device_id, targeted_entries, warn_where_nobody_is_meant
from .words import full_name

CONF_END = "end"
CONF_MARGIN = "margin"
EITHER_END = "either"
QUANTITIES = {
    Side.HIGH: frozenset({Quantity.MAX_CELL_VOLTAGE, Quantity.MAX_CELL, *Side.HIGH.limits}),
    Side.LOW: frozenset({Quantity.MIN_CELL_VOLTAGE, Quantity.MIN_CELL, *Side.LOW.limits}),
}
"""What it takes to tell how far the first cell at an end is from its limit."""
_NOISE = 5
"""mV by which a cell must move away again before it can come near a second time."""
_FULL = 0.9995
"""The state of charge that is shown as 100.0 %."""
_USED = 0.05
"""What must be used before a battery can be full again, where SOCH is not known."""
_FIVE_MINUTES = {"minutes": 5}


class _BmsTrigger(Trigger):
    """Something that happens to one of the BMSs that a target means."""

    _fields: ClassVar[dict[Any, Any]] = {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and options."""
        schema = vol.Schema(
            {
                vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
                vol.Optional(CONF_OPTIONS, default=dict): cls._fields,
            }
        )
        valid: ConfigType = schema(config)
        return valid

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._target: ConfigType = config.target or {}
        self._options: dict[str, Any] = config.options or {}
        self._run: TriggerActionRunner

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Begin to watch; returns what ends that."""
        self._run = run_action
        warn_where_nobody_is_meant(self._hass, self._target)
        return self._watch()

    @abstractmethod
    def _watch(self) -> CALLBACK_TYPE:
        """Begin to watch; returns what ends that."""

    def _tell(self, entry: RecBmsConfigEntry, what: str, **details: Any) -> None:
        device_id = main_device_id(self._hass, entry)
        self._run(
            {"device_id": device_id, "title": entry.title, **details}, f"{entry.title}: {what}"
        )

    def _means(self, entry: RecBmsConfigEntry) -> bool:
        return entry in targeted_entries(self._hass, self._target)


class _ErrorTrigger(_BmsTrigger):
    """An error appears, or is gone."""

    _what: ClassVar[str]

    @override
    def _watch(self) -> CALLBACK_TYPE:
        return async_dispatcher_connect(self._hass, SIGNAL_ERROR, self._take)

    @callback
    def _take(self, entry: RecBmsConfigEntry, what: str, error: ErrorState) -> None:
        if what != self._what or not self._means(entry):
            return
        self._tell(
            entry,
            f"error {error.number} {what}",
            number=error.number,
            error=error_name(error.number),
            unit=entry.runtime_data.data.state.position(error.unit),
            location=error.location,
        )


class ErrorAppeared(_ErrorTrigger):
    """The BMS begins to report an error."""

    _what = APPEARED


class ErrorCleared(_ErrorTrigger):
    """The BMS ceases to report an error."""

    _what = CLEARED


class SettingChangedElsewhere(_BmsTrigger):
    """A setting was changed, and not by Home Assistant."""

    @override
    def _watch(self) -> CALLBACK_TYPE:
        return async_dispatcher_connect(self._hass, SIGNAL_CHANGE, self._take)

    @callback
    def _take(self, entry: RecBmsConfigEntry, setting: Setting, change: Change) -> None:
        if not self._means(entry):
            return
        self._tell(
            entry,
            f"{setting.code} changed elsewhere",
            code=setting.code,
            setting=full_name(self._hass, setting),
            old=change.old,
            new=change.new,
            unit_of_measurement=BY_CODE[setting.code].line_unit,
        )


class _FollowingTrigger(_BmsTrigger):
    """Something that is seen by looking at each update, and at what becomes of the entry."""

    @override
    def _watch(self) -> CALLBACK_TYPE:
        return Followed(self._hass, self._target, self._quantities, self._look, self._forget).stop

    @property
    def _quantities(self) -> frozenset[str]:
        """What is to be asked for."""
        return frozenset()

    @abstractmethod
    def _look(self, entry: RecBmsConfigEntry) -> None:
        """Look whether it has happened."""

    @abstractmethod
    def _forget(self, entry_id: str) -> None:
        """Forget what is known of a BMS."""


class _Beginnings:
    """Tells what begins to be so from what was known to be so when it was looked at first.

    What was not known then is news as soon as it is known. Things go by an entry's id and a word.
    """

    def __init__(self) -> None:
        self._is_so: dict[tuple[str, str], bool] = {}

    def is_unknown(self, entry_id: str, what: str) -> None:
        """Be told that it is not known; what was known before stays."""
        self._is_so.setdefault((entry_id, what), False)

    def ends(self, entry_id: str, what: str) -> None:
        """Be told that it is over."""
        self._is_so[entry_id, what] = False

    def begins(self, entry_id: str, what: str, *, is_so: bool, is_over: bool) -> bool:
        """Tell whether it begins; between `is_so` and `is_over` it stays as it was."""
        before = self._is_so.get((entry_id, what))
        if is_so or is_over or before is None:
            self._is_so[entry_id, what] = is_so
        return is_so and before is False

    def forget(self, entry_id: str) -> None:
        """Look at an entry as for the first time."""
        self._is_so = {key: is_so for key, is_so in self._is_so.items() if key[0] != entry_id}


class CellNearCutOff(_FollowingTrigger):
    """A cell comes within so many mV of its cut-off, and stays there for some time."""

    _fields: ClassVar = {
        vol.Optional(CONF_MARGIN, default=50): vol.All(
            vol.Coerce(float), vol.Range(min=1, max=1000)
        ),
        vol.Optional(CONF_END, default=EITHER_END): vol.In([EITHER_END, *map(str, Side)]),
        vol.Optional(CONF_FOR, default={"seconds": 0}): cv.positive_time_period,
    }

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        end = self._options[CONF_END]
        self._sides = [side for side in Side if end in (EITHER_END, side)]
        self._near = _Beginnings()
        self._timers: dict[tuple[str, Side], CALLBACK_TYPE] = {}

    @property
    @override
    def _quantities(self) -> frozenset[str]:
        return frozenset().union(*(QUANTITIES[side] for side in self._sides))

    @override
    def _look(self, entry: RecBmsConfigEntry) -> None:
        for side in self._sides:
            left = millivolts_left(entry, side)
            if left is None or left >= self._options[CONF_MARGIN]:
                self._give_up(entry.entry_id, side)
            if left is None:
                self._near.is_unknown(entry.entry_id, side)
            else:
                self._judge(entry, side, left)

    def _judge(self, entry: RecBmsConfigEntry, side: Side, left: int) -> None:
        margin, delay = self._options[CONF_MARGIN], self._options[CONF_FOR].total_seconds()
        if not self._near.begins(
            entry.entry_id, side, is_so=left < margin, is_over=left >= margin + _NOISE
        ):
            return
        if delay:
            self._timers[entry.entry_id, side] = _call_later(
                self._hass, delay, partial(self._stayed, entry, side)
            )
        else:
            self._tell_headroom(entry, side)

    @callback
    def _stayed(self, entry: RecBmsConfigEntry, side: Side, _: datetime) -> None:
        del self._timers[entry.entry_id, side]
        self._tell_headroom(entry, side)

    def _give_up(self, entry_id: str, side: Side) -> None:
        """Have a cell that did not stay near, as far as is known, come near anew."""
        if (stop := self._timers.pop((entry_id, side), None)) is not None:
            stop()
            self._near.ends(entry_id, side)

    def _tell_headroom(self, entry: RecBmsConfigEntry, side: Side) -> None:
        coordinator = entry.runtime_data
        state, headroom = coordinator.data.state, coordinator.headroom[side].headroom
        if headroom is None:
            return
        left = _millivolts(headroom)
        self._tell(
            entry,
            f"a cell is {left} mV from {headroom.limit.upper()}",
            end=str(side),
            headroom=left,
            voltage=_cell_voltage(state, side),
            limit=state.settings.get(headroom.limit),
            code=headroom.limit.upper(),
            **where(state, state.max_cell if side is Side.HIGH else state.min_cell, "cell"),
        )

    @override
    def _forget(self, entry_id: str) -> None:
        for side in self._sides:
            self._give_up(entry_id, side)
        self._near.forget(entry_id)


class BatteryFull(_FollowingTrigger):
    """The battery becomes full by the BMS's own count."""

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._full = _Beginnings()

    @property
    @override
    def _quantities(self) -> frozenset[str]:
        return frozenset({Quantity.STATE_OF_CHARGE, "soch"})

    @override
    def _look(self, entry: RecBmsConfigEntry) -> None:
        entry_id = entry.entry_id
        state = entry.runtime_data.data.state if is_heard(entry) else None
        if state is None or (charge := state.state_of_charge) is None:
            self._full.is_unknown(entry_id, "full")
            return
        empty_enough = 1 - (state.settings.get("soch") or _USED)
        if self._full.begins(
            entry_id, "full", is_so=charge >= _FULL, is_over=charge <= empty_enough
        ):
            self._tell(entry, "full", state_of_charge=round(charge * 100, 1))

    @override
    def _forget(self, entry_id: str) -> None:
        self._full.forget(entry_id)


class _LinkTrigger(_FollowingTrigger):
    """The BMS is not heard for some time, or is heard again after that."""

    _fields: ClassVar = {
        vol.Optional(CONF_FOR, default=_FIVE_MINUTES): cv.positive_time_period,
    }

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._lost: set[str] = set()

    @override
    def _look(self, entry: RecBmsConfigEntry) -> None:
        entry_id = entry.entry_id
        if is_heard(entry):
            self._stop_timer(entry_id)
            if entry_id in self._lost:
                self._lost.remove(entry_id)
                self._is_back(entry)
        elif entry.disabled_by is not None:
            self._forget(entry_id)
        elif is_lost(entry) and entry_id not in self._timers and entry_id not in self._lost:
            seconds = self._options[CONF_FOR].total_seconds()
            self._timers[entry_id] = _call_later(
                self._hass, seconds, partial(self._time_is_over, entry)
            )

    @callback
    def _time_is_over(self, entry: RecBmsConfigEntry, _: datetime) -> None:
        del self._timers[entry.entry_id]
        # Who was taken off the port meanwhile is not asked.
        if entry.state is not ConfigEntryState.NOT_LOADED:
            self._lost.add(entry.entry_id)
            self._is_lost(entry)

    def _stop_timer(self, entry_id: str) -> None:
        if (stop := self._timers.pop(entry_id, None)) is not None:
            stop()

    @override
    def _forget(self, entry_id: str) -> None:
        self._stop_timer(entry_id)
        self._lost.discard(entry_id)

    @abstractmethod
    def _is_lost(self, entry: RecBmsConfigEntry) -> None:
        """Take that the BMS has not been heard for so long."""

    @abstractmethod
    def _is_back(self, entry: RecBmsConfigEntry) -> None:
        """Take that it is heard again after that."""


class BmsLost(_LinkTrigger):
    """The BMS has not been heard for some time."""

    @override
    def _is_lost(self, entry: RecBmsConfigEntry) -> None:
        self._tell(entry, "not heard")

    @override
    def _is_back(self, entry: RecBmsConfigEntry) -> None:
        """Do nothing: there is another trigger for that."""


class BmsBack(_LinkTrigger):
    """The BMS is heard again after it was not heard for some time."""

    @override
    def _is_lost(self, entry: RecBmsConfigEntry) -> None:
        """Do nothing: there is another trigger for that."""

    @override
    def _is_back(self, entry: RecBmsConfigEntry) -> None:
        self._tell(entry, "heard again")


def is_lost(entry: RecBmsConfigEntry) -> bool:
    """Tell whether the BMS was asked last in vain; one that is not asked at all is not lost."""
    if entry.state is ConfigEntryState.LOADED:
        return not entry.runtime_data.last_update_success
    return entry.state in (ConfigEntryState.SETUP_RETRY, ConfigEntryState.SETUP_ERROR)


def millivolts_left(entry: RecBmsConfigEntry, side: Side) -> int | None:
    """Return how far the first cell is from its limit, in mV; None while that is not known."""
    if not is_heard(entry):
        return None
    headroom = entry.runtime_data.headroom[side].headroom
    return None if headroom is None else _millivolts(headroom)


def _millivolts(headroom: Headroom) -> int:
    """Return it as its sensor shows it."""
    return round(headroom.volts * 1000)


def _cell_voltage(state: State, side: Side) -> float | None:
    cell = side.first_cell(state)
    return None if cell is None else round(cell, 3)


def _call_later(hass: HomeAssistant, seconds: float, action: Any) -> CALLBACK_TYPE:
    return async_call_later(hass, seconds, HassJob(action, cancel_on_shutdown=True))


TRIGGERS: dict[str, type[Trigger]] = {
    "error_appeared": ErrorAppeared,
    "error_cleared": ErrorCleared,
    "cell_near_cut_off": CellNearCutOff,
    "bms_lost": BmsLost,
    "bms_back": BmsBack,
    "battery_full": BatteryFull,
    "setting_changed_elsewhere": SettingChangedElsewhere,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers, by key."""
    return TRIGGERS
