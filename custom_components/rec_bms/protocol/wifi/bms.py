"""A BMS behind REC's WiFi module, which tells by itself and takes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import ClientSession

from ..bms import Hindrance, Listener, SetResult, Update
from ..errors import (
    BmsError,
    ModuleError,
    NoNameError,
    NotToldError,
    ReadOnlyWayError,
    WrongDeviceError,
)
from ..rs485.instructions import BY_CODE, SETTINGS
from ..rs485.readings import Reading, reading_of, tells
from ..settings import Setting
from ..state import State
from .client import SILENCE, Client
from .identify import NAMED_WITHIN
from .messages import Message, Settings, Status

_LOGGER = logging.getLogger(__name__)
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 45.0
_GRACE = 30.0
"""Seconds for which what was told stays shown after the connection broke off."""
_FIRST_WITHIN = NAMED_WITHIN + _FIRST_PAUSE
_SETTINGS_STALE = 3 * NAMED_WITHIN

_NOTHING_SETTABLE: Mapping[str, Setting] = MappingProxyType({})


class WifiBms:
    """One BMS, told of by one module, which must be the one that it was set up with.

    What a module tells on a new connection is believed once it has said who it is: another one may
    have got its address.
    """

    update_interval: float | None = None
    longest_gap = SILENCE

    def __init__(self, session: ClientSession, host: str, name: str) -> None:
        """Take the session to connect with, the module's host, and the name that it must tell."""
        self._client = Client(session, host)
        self._name = name
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._away: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        """Set when the module was reached, has told something or was lost."""
        self._update: Update | None = None
        self._error: BmsError | None = None
        self._known: dict[type[Message], set[str]] = {Status: set(), Settings: set()}
        """What was ever told: where it is missing later, it is not known."""
        self._begin()

    def _begin(self) -> None:
        """Believe nothing on a new connection."""
        self._is_named = False
        self._status: Status | None = None
        self._status_at = 0.0
        self._period = SILENCE
        self._has_shown = False
        self._settings: Settings | None = None
        self._settings_at = 0.0

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Nothing: how the module takes a setting is not known."""
        return _NOTHING_SETTABLE

    async def open(self) -> None:
        """Connect and listen from now on. Raises ModuleError or NoModuleError."""
        self._task = asyncio.create_task(self._listen(), name=f"listen to {self._client.host}")
        try:
            await self._news.wait()
            self._raise_if_away()
        # A set-up that is cancelled leaves no connection behind, either.
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up."""
        self._set_away_at(None)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have a listener told of each update, and of the BMS being away."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def update(
        self, wanted: Collection[str], hoped_for: Callable[[], Collection[str]] = tuple
    ) -> Update:
        """Return what was told last; wait for that where nothing has been told yet.

        Raises ModuleError or NoModuleError while the BMS is away, NoNameError where a module does
        not tell who it is, WrongDeviceError where it is another one.
        """
        try:
            async with asyncio.timeout(_FIRST_WITHIN):
                while self._update is None and self._error is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as err:
            raise NoNameError(self._client.host) from err
        self._raise_if_away()
        assert self._update is not None
        return self._update

    async def read(self, code: str) -> Reading:
        """Return what the module told last of it. Raises NotToldError, and what `update` raises."""
        told = (await self.update(())).state.told
        if not tells(code, told):
            raise NotToldError(code, BY_CODE[code].name)
        return reading_of(code, told)

    async def set(
        self,
        key: str,
        value: object,
        *,
        hindrance: Hindrance,
        may_lack: Callable[[str], bool] = lambda _: False,
    ) -> SetResult:
        """Refuse. Raises ReadOnlyWayError."""
        raise ReadOnlyWayError(SETTINGS[key])

    def diagnostics(self) -> dict[str, Any]:
        """Return counters and the last messages, without the name that the module has told."""
        return {
            "counters": self._client.counters.as_dict(),
            "messages": [text.replace(self._name, "(name)") for text in self._client.last_messages],
        }

    async def _listen(self) -> None:
        """Connect again and again, until another BMS than ours is found."""
        pause = _FIRST_PAUSE
        while True:
            self._begin()
            try:
                await self._client.listen(self._take, self._news.set)
            except WrongDeviceError as err:
                self._fail(err)
                return
            except BmsError as err:
                self._lose(err)
            # What is wrong with one message or one listener must not end the listening.
            except Exception as err:
                _LOGGER.exception("Unexpected error while listening to %s", self._client.host)
                self._lose(ModuleError(self._client.host, repr(err)))
            if self._status is not None or self._settings is not None:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _take(self, message: Message) -> None:
        match message:
            case Settings():
                self._take_settings(message)
            case Status():
                now = self._now
                if self._status is not None:
                    self._period = now - self._status_at
                self._status, self._status_at = message, now
        if self._is_named and self._status is not None:
            self._show(self._status)

    def _take_settings(self, message: Settings) -> None:
        if message.name not in (None, self._name):
            raise WrongDeviceError(self._client.host, self._name, str(message.name))
        self._is_named = self._is_named or message.name is not None
        self._settings, self._settings_at = message, self._now

    def _show(self, status: Status) -> None:
        """Tell listeners what the module has told."""
        told = self._with_known(status)
        if self._settings is not None and self._now - self._settings_at < _SETTINGS_STALE:
            told |= self._with_known(self._settings)
        self._error = None
        self._update = Update(
            state=State.of(told, unit_addresses=status.unit_addresses),
            measured_at=self._status_at,
            # What was shown before came over this connection, not before the break.
            continuous=self._has_shown,
            period=self._period,
            duration=None,
            exchanges=0,
            repeated_exchanges=0,
            retries=0,
            line_errors=self._client.counters.dropped,
        )
        self._has_shown = True
        self._set_away_at(self._status_at + SILENCE)
        self._tell(self._update)

    def _with_known(self, message: Message) -> dict[str, object]:
        known = self._known[type(message)]
        known.update(message.told)
        return dict.fromkeys(known) | dict(message.told)

    def _lose(self, error: BmsError) -> None:
        """Keep what is shown for a while, in which the module may be back."""
        if self._update is None or self._error is not None:
            self._fail(error)
        else:
            self._set_away_at(self._now + _GRACE, error)

    def _fail(self, error: BmsError) -> None:
        self._set_away_at(None)
        self._error = error
        self._tell(error)

    def _raise_if_away(self) -> None:
        if self._error is not None:
            raise self._error

    def _tell(self, news: Update | BmsError) -> None:
        self._news.set()
        for listener in tuple(self._listeners):
            listener(news)

    def _set_away_at(self, moment: float | None, error: BmsError | None = None) -> None:
        """Have the BMS be away at a moment, unless it is heard before."""
        before = self._away
        if before is not None:
            before.cancel()
            if error is not None and moment is not None:
                moment = min(moment, before.when())
        self._away = None
        if moment is not None:
            error = error or ModuleError(self._client.host, f"no status for {SILENCE:.0f} s")
            self._away = asyncio.get_running_loop().call_at(moment, self._fail, error)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()
