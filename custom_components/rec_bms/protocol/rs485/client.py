"""One BMS at one address: who it is, what it reads, and setting its values safely."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ..bms import SetResult
from ..constraints import check, rules_for
from ..errors import (
    NoResponseError,
    NotTakenError,
    PortError,
    ReadsBackDifferentlyError,
    RefusedError,
    SettingError,
    UnknownInstructionError,
    UnverifiedError,
)
from ..settings import Setting
from ..state import PerUnit
from .codec import decode, encode_setting, matches, parse_setting
from .connection import Connection
from .instructions import BY_CODE, ERROR_LOG, Instruction
from .readings import Reading
from .transaction import ATTEMPTS, Exchange, Transactions

_TAKEN = b"SET"
_MOST_LOG_ENTRIES = 12
"""An Active BMS has so many, a master fewer (manual)."""
_READ_BACK_ROUNDS = 3
"""A value that was sent must be read back, however bad the line is just then."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a BMS told, in the line's units, and how often it was sent the request for it."""

    reading: Reading
    attempts: int


@dataclass(frozen=True, slots=True)
class ErrorLog:
    """The payloads of each entry's frames, and why there are no more.

    `ended` is `repeat`, `silence`, `error`, or `most` where no more are asked for.
    """

    entries: tuple[tuple[bytes, ...], ...]
    ended: str


class Client:
    """Talks to one BMS; many clients may share a connection."""

    def __init__(self, connection: Connection, address: int) -> None:
        """Take the connection that leads to a BMS and its address, 1 to 255."""
        self.connection = connection
        self.address = address

    async def request(self, instruction: Instruction, *, attempts: int = ATTEMPTS) -> Response:
        """Return what the BMS responds to an instruction.

        Raises NoResponseError or PortError.
        """
        async with self.connection.turn() as transactions:
            exchange = await transactions.request(self.address, instruction, attempts=attempts)
        return Response(decode(instruction, exchange.payloads), exchange.attempts)

    async def identify(self, *, attempts: int = ATTEMPTS) -> str:
        """Return the identification, such as `REC BMS 1Q VICTRON` (capture).

        Raises NoResponseError or PortError.
        """
        return str((await self.request(BY_CODE["*IDN"], attempts=attempts)).reading)

    async def count_cells(self, *, attempts: int = ATTEMPTS) -> tuple[int, ...]:
        """Return how many cells each unit has. Raises NoResponseError or PortError."""
        cells = (await self.request(BY_CODE["CELL"], attempts=attempts)).reading
        return tuple(len(row) for row in cells.units) if isinstance(cells, PerUnit) else ()

    async def read_error_log(self) -> ErrorLog:
        """Ask for one entry of the error log after the other. Raises PortError.

        Each question moves the BMS's pointer, so none is repeated.
        """
        entries: list[tuple[bytes, ...]] = []
        for _ in range(_MOST_LOG_ENTRIES):
            try:
                async with self.connection.turn() as transactions:
                    exchange = await transactions.request(self.address, ERROR_LOG, attempts=1)
            except UnknownInstructionError:
                return ErrorLog(tuple(entries), "error")
            except NoResponseError:
                return ErrorLog(tuple(entries), "silence")
            if exchange.payloads in entries:
                return ErrorLog(tuple(entries), "repeat")
            entries.append(exchange.payloads)
        return ErrorLog(tuple(entries), "most")

    async def set(
        self,
        instruction: Instruction,
        value: object,
        *,
        hindrance: Callable[[], SettingError | None],
        may_lack: Callable[[str], bool] = lambda _: False,
        present: float | None = None,
    ) -> SetResult:
        """Set a value, read it back, and return both; `value` is in the line's unit.

        Nothing is sent unless the value is valid, coherent with freshly read other limits, and
        `hindrance` knows of nothing in its way: that is looked up first, when the line is free, and
        last of all. Silence about a limit forbids the set, unless `may_lack` says that this BMS
        may not have the limit of that code. A value beyond REC's limits is let through where the
        BMS has one further beyond, as its last response, `present`, and a fresh one say. A value is
        sent once. The read-back decides: it is the requested value, or an exception tells what the
        BMS has now.

        Raises NotSettableError, WrongTypeError, OutOfRangeError, the hindrance, IncoherentError,
        NoResponseError or PortError, all before anything was sent; RefusedError, NotTakenError,
        ReadsBackDifferentlyError or UnverifiedError after.
        """
        _raise(hindrance())
        requested = parse_setting(instruction, value, present)
        async with self.connection.turn() as transactions:
            _raise(hindrance())
            before = await transactions.request(self.address, instruction)
            limits = await self._limits(transactions, instruction.code, may_lack)
            if None in limits.values():
                # Silence says something of a limit only while the BMS answers others.
                before = await transactions.request(self.address, instruction)
            previous = _number(instruction, before.payloads)
            parse_setting(instruction, requested, previous)
            known = {other: limit for other, limit in limits.items() if limit is not None}
            check(instruction.setting, requested, previous, known)
            _raise(hindrance())
            read_back = await self._send_and_verify(
                transactions, instruction, requested, before.payloads[0]
            )
        return SetResult(previous, requested, read_back)

    async def _limits(
        self, transactions: Transactions, code: str, may_lack: Callable[[str], bool]
    ) -> dict[Setting, float | None]:
        """Return the limits that a setting is checked against; None where there is none."""
        limits: dict[Setting, float | None] = {}
        for rule in rules_for(code):
            other = BY_CODE[rule.other(code)]
            try:
                exchange = await transactions.request(self.address, other)
            except NoResponseError:
                if not may_lack(other.code):
                    raise
                limits[other.setting] = None
                continue
            limit = _number(other, exchange.payloads)
            if limit is None:
                # Nonsense is as good as no response.
                raise NoResponseError(self.address, other.code, other.name, exchange.attempts)
            limits[other.setting] = limit
        return limits

    async def _send_and_verify(
        self, transactions: Transactions, instruction: Instruction, requested: float, before: bytes
    ) -> float:
        try:
            acknowledgement = await transactions.set(
                self.address, instruction, encode_setting(requested)
            )
            payloads = (await self._read_back(transactions, instruction)).payloads
        except (NoResponseError, PortError) as err:
            raise UnverifiedError(instruction.setting, requested) from err
        current = _number(instruction, payloads)
        if current is None:
            raise UnverifiedError(instruction.setting, requested)
        if matches(instruction, requested, payloads[0], before):
            return current
        previous = _number(instruction, (before,))
        if acknowledgement is None:
            raise NotTakenError(instruction.setting, requested, current, previous)
        if acknowledgement != _TAKEN:
            word = acknowledgement.decode("ascii", "backslashreplace")
            raise RefusedError(instruction.setting, requested, word, current, previous)
        raise ReadsBackDifferentlyError(instruction.setting, requested, current, previous)

    async def _read_back(self, transactions: Transactions, instruction: Instruction) -> Exchange:
        for _ in range(_READ_BACK_ROUNDS - 1):
            with suppress(NoResponseError):
                return await transactions.request(self.address, instruction)
        return await transactions.request(self.address, instruction)


def _raise(hindrance: SettingError | None) -> None:
    if hindrance is not None:
        raise hindrance


def _number(instruction: Instruction, payloads: tuple[bytes, ...]) -> float | None:
    reading = decode(instruction, payloads)
    return reading if isinstance(reading, int | float) else None
