"""One BMS at one address: who it is, what it reads, and setting its values safely."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from .coherence import check, rules_for
from .connection import Connection
from .errors import (
    ChangesForbiddenError,
    NoAnswerError,
    NotTakenError,
    PortError,
    ReadsBackDifferentlyError,
    RefusedError,
    UnverifiedError,
)
from .instructions import BY_CODE, Instruction
from .line import ASKINGS, Line
from .models import Identity, PerUnit, Reading
from .values import agrees, decode, encode_setting, parse_setting

_TAKEN = b"SET"
_READ_BACK_ROUNDS = 3
"""A value that was sent must be read back, however bad the line is just then."""


@dataclass(frozen=True, slots=True)
class SetResult:
    """A setting made and verified, in the line's unit; `previous` is None where it was nonsense."""

    instruction: Instruction
    previous: float | None
    requested: float
    read_back: float


@dataclass(frozen=True, slots=True)
class Description:
    """What a BMS says of itself when it is met: cells per unit, in the order of units."""

    identity: Identity
    cells: tuple[int, ...]


class Client:
    """Talks to one BMS; many clients may share a connection."""

    def __init__(self, connection: Connection, address: int) -> None:
        """Take the connection that leads to a BMS and its address, 1 to 255."""
        self.connection = connection
        self.address = address
        self.exchanges = 0
        """Questions of `read` that were answered or given up; others on the port do not count."""
        self.repeated_exchanges = 0
        """Those of them that needed more than one asking."""

    async def read(self, instruction: Instruction, *, askings: int = ASKINGS) -> Reading:
        """Return what the BMS answers to an instruction, in the line's units.

        Raises NoAnswerError or PortError.
        """
        counters = self.connection.counters
        async with self.connection.turn() as line:
            exchanges, repeated = counters.exchanges, counters.repeated_exchanges
            try:
                payloads = await line.ask(self.address, instruction, askings=askings)
            finally:
                self.exchanges += counters.exchanges - exchanges
                self.repeated_exchanges += counters.repeated_exchanges - repeated
        return decode(instruction, payloads)

    async def identify(self, *, askings: int = ASKINGS) -> str:
        """Return the identification, such as `REC BMS 1Q VICTRON` (capture).

        Raises NoAnswerError or PortError.
        """
        return str(await self.read(BY_CODE["*IDN"], askings=askings))

    async def describe(self) -> Description:
        """Return who this BMS is and what cells it has. Raises NoAnswerError or PortError."""
        identity = Identity(
            model=await self.identify(),
            software_version=await self._text_or_none("SWVR"),
            hardware_version=await self._text_or_none("HWVR"),
        )
        cells = await self.read(BY_CODE["CELL"])
        rows = cells.units if isinstance(cells, PerUnit) else ()
        return Description(identity, tuple(len(row) for row in rows))

    async def set(
        self,
        instruction: Instruction,
        value: object,
        *,
        permitted: Callable[[], bool],
        unsupported: Collection[str] = (),
    ) -> SetResult:
        """Set a value, read it back, and return both; `value` is in the line's unit.

        Nothing is sent unless the value is valid, coherent with freshly read other limits (those
        in `unsupported` are not asked for) and `permitted` says yes, asked last of all. A value is
        sent once. The read-back decides: it is the requested value, or an exception tells what the
        BMS has now.

        Raises NotSettableError, WrongTypeError, OutOfRangeError, ChangesForbiddenError,
        IncoherentError, NoAnswerError or PortError, all before anything was sent; RefusedError,
        NotTakenError, ReadsBackDifferentlyError or UnverifiedError after.
        """
        if not permitted():
            raise ChangesForbiddenError(instruction.code)
        requested = parse_setting(instruction, value)
        async with self.connection.turn() as line:
            before = await line.ask(self.address, instruction)
            previous = _number(instruction, before)
            others = {
                rule.other(instruction.code): 0.0
                for rule in rules_for(instruction.code)
                if rule.other(instruction.code) not in unsupported
            }
            for other in others:
                others[other] = await self._limit(line, BY_CODE[other])
            check(instruction.code, requested, previous, others)
            if not permitted():
                raise ChangesForbiddenError(instruction.code)
            read_back = await self._send_and_verify(line, instruction, requested, before[0])
        return SetResult(instruction, previous, requested, read_back)

    async def _send_and_verify(
        self, line: Line, instruction: Instruction, requested: float, before: bytes
    ) -> float:
        try:
            verdict = await line.set(self.address, instruction, encode_setting(requested))
            payloads = await self._read_back(line, instruction)
        except (NoAnswerError, PortError) as err:
            raise UnverifiedError(instruction.code, requested) from err
        current = _number(instruction, payloads)
        if current is None:
            raise UnverifiedError(instruction.code, requested)
        if agrees(instruction, requested, payloads[0], before):
            return current
        if verdict is None:
            raise NotTakenError(instruction.code, requested, current)
        if verdict != _TAKEN:
            answer = verdict.decode("ascii", "backslashreplace")
            raise RefusedError(instruction.code, requested, answer, current)
        raise ReadsBackDifferentlyError(instruction.code, requested, current)

    async def _read_back(self, line: Line, instruction: Instruction) -> tuple[bytes, ...]:
        for _ in range(_READ_BACK_ROUNDS - 1):
            with suppress(NoAnswerError):
                return await line.ask(self.address, instruction)
        return await line.ask(self.address, instruction)

    async def _limit(self, line: Line, instruction: Instruction) -> float:
        """Return a limit that another is checked against; nonsense is as good as no answer."""
        value = _number(instruction, await line.ask(self.address, instruction))
        if value is None:
            raise NoAnswerError(self.address, instruction.code)
        return value

    async def _text_or_none(self, code: str) -> str | None:
        try:
            return str(await self.read(BY_CODE[code]))
        except NoAnswerError:
            return None


def _number(instruction: Instruction, payloads: tuple[bytes, ...]) -> float | None:
    reading = decode(instruction, payloads)
    return reading if isinstance(reading, int | float) else None
