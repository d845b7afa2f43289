"""A BMS on an RS-485 line: polls what is due, keeps what it told, sets and shows what is set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from typing import Any

from ..bms import Hindrance, Listener, SetResult, Update
from ..clock import Clock, Told, clock
from ..errors import (
    NoResponseError,
    NotTakenError,
    PortError,
    ReadsBackDifferentlyError,
    RefusedError,
    UnknownInstructionError,
    UnverifiedError,
)
from ..settings import Setting
from ..state import PerUnit, Quantity, State
from .client import Client, ErrorLog
from .connection import Connection
from .instructions import BY_CODE, SETTINGS, Instruction
from .known import Known
from .readings import CODE_OF, Reading, balancing, codes_of, told_by
from .schedule import FIRST, Schedule

_LOST_IN_A_ROW = 2
"""So many requests without a response, one after the other, make a BMS seem to be gone."""
_LONGEST_PAUSE = 3
"""Scan intervals between two polls after which the BMS was not heard in between."""


class Rs485Bms:
    """One BMS at one address; several may share a connection."""

    def __init__(
        self,
        acquire: Callable[[], Awaitable[Connection]],
        release: Callable[[Connection], Awaitable[None]],
        address: int,
        scan_interval: float,
    ) -> None:
        """Take how to get the connection and give it back; `scan_interval` is in s."""
        self.address = address
        self._acquire = acquire
        self._release = release
        self._scan_interval = scan_interval
        self._client: Client | None = None
        self._schedule = Schedule(scan_interval)
        self._readings: dict[str, Reading] = {}
        self._told: dict[str, object] = {}
        """What the last update told, and what became of settings since."""
        self._update: Update | None = None
        self._attempts: list[int] = []
        """Those of each exchange of the update that is running, or of the last one."""
        self._listeners: list[Listener] = []
        self._was_away = True
        self._ended_at = 0.0
        self._known = Known()
        self._keep_known: Callable[[Known], object] = lambda _: None
        self._heard_at: dict[str, datetime] = {}
        """When the clock told what it did (UTC)."""
        self._clock: Clock | None = None

    def remember(self, known: Known, keep: Callable[[Known], object]) -> None:
        """Take what was found of the unit before; `keep` is told when anything else is found.

        It counts as long as the unit says that it is the same one, of the same version.
        """
        self._known, self._keep_known = known, keep
        self._schedule.remember(known)

    @property
    def known(self) -> Known:
        """What this unit was found to know."""
        return self._known

    @property
    def update_interval(self) -> float:
        """The scan interval in s."""
        return self._scan_interval

    @property
    def longest_gap(self) -> float:
        """Seconds between two measurements within which a battery goes on as it did."""
        return _LONGEST_PAUSE * self._scan_interval

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What can be set, by key."""
        return SETTINGS

    @property
    def client(self) -> Client:
        """What talks to the BMS, while this is open."""
        assert self._client is not None
        return self._client

    @property
    def unsupported(self) -> frozenset[str]:
        """Codes of the instructions that this BMS never answered, while it answered others."""
        return self._schedule.unsupported

    async def open(self) -> None:
        """Get the connection; what that raises is raised."""
        self._client = Client(await self._acquire(), self.address)

    async def close(self) -> None:
        """Give the connection back."""
        await self._release(self.client.connection)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener what became of a setting, without waiting for the poll that is running.

        It gets the state as of the last update, and that setting anew.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def update(
        self, wanted: Collection[str], hoped_for: Callable[[], Collection[str]] = tuple
    ) -> Update:
        """Poll once. Raises NoResponseError or PortError when the BMS or its port is gone."""
        started = self._now
        pause = started - self._ended_at
        continuous = not self._was_away and pause <= self.longest_gap
        self._schedule.begin(started)
        due = self._schedule.due(
            _codes(wanted),
            started,
            everything=self._was_away,
            hoped_for=lambda: _codes(hoped_for()),
        )
        self._was_away = True
        self._attempts.clear()
        await self._second_round(await self._first_round(due))
        self._was_away = False
        for code in self._schedule.stale(self._readings):
            del self._readings[code]
        self._told = self._all_told()
        self._find_out()
        self._ended_at = self._now
        counters = self.client.connection.counters
        self._update = Update(
            state=State.of(self._told, self.address),
            measured_at=self._schedule.read_at(FIRST),
            continuous=continuous,
            period=self._scan_interval,
            duration=self._ended_at - started,
            exchanges=len(self._attempts),
            repeated_exchanges=sum(each > 1 for each in self._attempts),
            retries=counters.retries,
            line_errors=counters.line_errors,
        )
        return self._update

    async def read(self, code: str) -> Reading:
        """Read one instruction now, whatever is due, and tell listeners of a setting's new value.

        Raises NoResponseError or PortError.
        """
        reading = (await self.client.request(BY_CODE[code])).reading
        kept = self._readings.get(code)
        if BY_CODE[code].settable and kept is not None and isinstance(reading, int | float):
            self._keep(code, reading)
            if reading != kept:
                self._tell(code)
        return reading

    async def read_error_log(self) -> ErrorLog:
        """Read the error log, for its action alone; see `Client.read_error_log`."""
        return await self.client.read_error_log()

    async def set(
        self,
        key: str,
        value: object,
        *,
        hindrance: Hindrance,
        may_lack: Callable[[str], bool] = lambda _: False,
    ) -> SetResult:
        """Set a value, verify it, and tell listeners what was read back; see `Client.set`."""
        instruction = BY_CODE[CODE_OF[key]]
        unsupported = self.unsupported
        present = self._readings.get(instruction.code)
        try:
            result = await self.client.set(
                instruction,
                value,
                hindrance=hindrance,
                may_lack=lambda code: code in unsupported and may_lack(BY_CODE[code].key),
                present=present if isinstance(present, int | float) else None,
            )
        except (RefusedError, NotTakenError, ReadsBackDifferentlyError) as err:
            self._show(instruction.code, err.current)
            raise
        except UnverifiedError:
            self._hide(instruction.code)
            raise
        self._show(instruction.code, result.read_back)
        return result

    def diagnostics(self) -> dict[str, Any]:
        """Return readings and settings, counters, and the last frames of the line."""
        readings = {code: _plain(reading) for code, reading in self._readings.items()}
        connection = self.client.connection
        return {
            "what_this_unit_knows": self._known.as_dict(),
            "supported_instructions": sorted(readings),
            "unsupported_instructions": sorted(self.unsupported),
            "readings": {c: each for c, each in readings.items() if not BY_CODE[c].settable},
            "settings": {c: each for c, each in readings.items() if BY_CODE[c].settable},
            "counters": connection.counters.as_dict(),
            "trace": [f"{each.time.isoformat()} {each}" for each in connection.trace],
        }

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _first_round(self, due: list[Instruction]) -> list[Instruction]:
        """Request each once and return those that were lost.

        Every request to a silent line takes two seconds. So when the BMS or the port seems to be
        gone, what is returned is the first, which tells whether it is, and all the rest.
        """
        lost: list[Instruction] = []
        lost_in_a_row = 0
        for position, instruction in enumerate(due):
            try:
                await self._poll(instruction)
                lost_in_a_row = 0
            except UnknownInstructionError:
                # Whoever says so is there.
                lost_in_a_row = 0
            except (NoResponseError, PortError) as err:
                lost.append(instruction)
                lost_in_a_row += 1
                if lost_in_a_row == _LOST_IN_A_ROW or isinstance(err, PortError):
                    rest = [*lost, *due[position + 1 :]]
                    return [BY_CODE[FIRST], *(row for row in rest if row.code != FIRST)]
        return lost

    async def _second_round(self, lost: list[Instruction]) -> None:
        """Request what was lost once more; raise if the BMS or the port is gone."""
        unsupported = self.unsupported
        for instruction in lost:
            if instruction.code in unsupported:
                continue
            try:
                await self._poll(instruction)
            except NoResponseError:
                if instruction.code == FIRST:
                    raise

    async def _poll(self, instruction: Instruction) -> None:
        try:
            response = await self.client.request(instruction)
        except NoResponseError as err:
            self._attempts.append(err.attempts)
            self._schedule.missed(instruction.code, self._now)
            raise
        self._attempts.append(response.attempts)
        self._keep(instruction.code, response.reading)

    def _keep(self, code: str, reading: Reading) -> None:
        self._readings[code] = reading
        self._schedule.answered(code, self._now)
        if isinstance(reading, time | date):
            self._heard_at[code] = datetime.now(UTC)
            self._read_clock()

    def _read_clock(self) -> None:
        """Put time and date together; about midnight, what was certain before stays."""
        match self._readings.get("TIME"), self._readings.get("DATE"):
            case time() as now, date() as day:
                said = clock(Told(now, self._heard_at["TIME"]), Told(day, self._heard_at["DATE"]))
                self._clock = said or self._clock

    def _all_told(self) -> dict[str, object]:
        """Return what all readings tell, each by itself and several together."""
        readings = self._readings
        told = {
            quantity: value
            for code, reading in readings.items()
            for quantity, value in told_by(code, reading).items()
        }
        if "WCBI" in readings:
            voltages = told.get(Quantity.CELL_VOLTAGES)
            cells = voltages if isinstance(voltages, PerUnit) else None
            told[Quantity.BALANCING] = balancing(readings["WCBI"], cells)
        if "TIME" in readings and "DATE" in readings:
            blank = None in (readings["TIME"], readings["DATE"])
            told[Quantity.CLOCK] = None if blank else self._clock
        return told

    def _find_out(self) -> None:
        """See what is known of the unit by now, and have it kept when that is something new."""
        state = State.of(self._told)
        if self._known.is_of_another(state):
            self._schedule.forget_unit()
            self._known = Known()
        known = replace(
            self._known.of(state),
            answered=self._schedule.answered_ever,
            unsupported=self._schedule.unsupported,
        )
        if known != self._known:
            self._known = known
            self._keep_known(known)

    def _show(self, code: str, value: float) -> None:
        self._keep(code, value)
        self._tell(code)

    def _hide(self, code: str) -> None:
        """Show that a value is not known; Home Assistant drops calls to what is unavailable."""
        self._schedule.forget(code)
        if code in self._readings:
            self._readings[code] = None
            self._tell(code)

    def _tell(self, code: str) -> None:
        """Tell listeners of one reading; a running poll tells the rest at its end."""
        self._told = {**self._told, **told_by(code, self._readings[code])}
        assert self._update is not None
        # No exchange of an update is counted twice for what was set since.
        self._update = replace(
            self._update,
            state=State.of(self._told, self.address),
            exchanges=0,
            repeated_exchanges=0,
        )
        for listener in tuple(self._listeners):
            listener(self._update)


def _codes(quantities: Iterable[str]) -> set[str]:
    """Return the instructions that tell quantities; those of another way are passed over."""
    return {code for quantity in quantities for code in codes_of(quantity)}


def _plain(reading: Reading) -> Any:
    if reading is None or isinstance(reading, float | int | str):
        return reading
    if isinstance(reading, time | date):
        return reading.isoformat()
    return asdict(reading)
