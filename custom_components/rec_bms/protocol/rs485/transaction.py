"""One question at a time, and no answer taken for another question's.

An answer says who sent it, not what it answers, and a busy BMS may answer up to two seconds late.
docs/protocol.md ("Answers carry no name") has the rules that this module follows and why.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from ..errors import NoResponseError
from .frame import MASTER, Frame
from .instructions import BY_CODE, Instruction
from .pending import Debt, Debts
from .response import Gatherer, Layout, State, Verdict, gatherer
from .transport import Wire

ASKINGS = 3
ANSWER_BEGINS = 0.350
"""Seconds within which an answer begins, as a rule (manual)."""
ANSWER_AT_THE_LATEST = 2.0
"""Seconds after which a question is not answered any more."""
QUIET = 0.010
"""Seconds of quiet after which an answer sent twice is through."""
STALLED = 0.040
"""Seconds without a byte after which a frame's rest is not on its way."""

FENCES = ("ERRO", "LCD3", "LCD1")
"""Instructions whose answers' shapes nothing else has, save the beginning of some packs' arrays."""
_COUNTING_UNITS = frozenset(
    row.code for row in BY_CODE.values() if row.is_array and row.header is None
)


class Line:
    """The exchange of questions and answers over one wire; the caller holds its lock."""

    def __init__(self, wire: Wire) -> None:
        """Nothing was asked yet."""
        self._wire = wire
        self._debts = Debts()
        self._layouts: defaultdict[tuple[int, str], Layout] = defaultdict(Layout)
        self._last_answered: Instruction | None = None
        self._sent: Frame | None = None
        self._echo_heard = False
        self._echoes = True
        """Whether the adapter echoes, as far as the last exchange has shown."""

    async def ask(
        self, address: int, instruction: Instruction, *, askings: int = ASKINGS
    ) -> tuple[bytes, ...]:
        """Return the payloads of the answer's frames.

        Raises NoResponseError when no attempt was answered, PortError when the port is lost.
        """
        counters = self._wire.counters
        counters.exchanges += 1
        latest = 0.0
        for attempt in range(askings):
            await self._settle(address, instruction)
            counters.retries += attempt > 0
            counters.repeated_exchanges += attempt == 1
            if attempt == 0:
                latest = self._now + ANSWER_AT_THE_LATEST
            is_last = 0 < attempt == askings - 1
            if answer := await self._ask_once(address, instruction, latest if is_last else 0.0):
                return answer
        counters.unanswered += 1
        raise NoResponseError(address, instruction.code)

    async def set(self, address: int, instruction: Instruction, value: str) -> bytes | None:
        """Send a value once; return the BMS's word on it, None where none came.

        When this returns, nothing that was asked before can be mistaken for a read-back. Raises
        PortError when the port is lost.
        """
        question = f"{instruction.code} {value}".encode("ascii")
        asking = await self._send(address, question)
        verdict = await self._listen(
            address, Verdict(), begin_by=asking.asked_at + ANSWER_AT_THE_LATEST
        )
        if verdict:
            self._debts.remove(asking)
        await self._fence(address)
        return verdict[0] if verdict else None

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _ask_once(
        self, address: int, instruction: Instruction, wait_until: float = 0.0
    ) -> tuple[bytes, ...] | None:
        """Ask; listen as long as an answer may begin, or until `wait_until` if that is later."""
        first_asking = not any(owed.code == instruction.code for owed in self._owed_by(address))
        await self._let_doubles_pass(instruction)
        asking = await self._send(address, instruction.query)
        owed = {each.code for each in self._owed_by(address)} - {instruction.code}
        gather = gatherer(
            instruction,
            self._layouts[address, instruction.code],
            hear_out=not owed.isdisjoint(_COUNTING_UNITS),
        )
        answer = await self._listen(
            address,
            gather,
            begin_by=max(asking.asked_at + ANSWER_BEGINS, wait_until),
            # Another master's question that was heard only just now was not fenced off.
            spoiled=instruction.code not in FENCES and not owed.issubset(FENCES),
        )
        if answer is None:
            return None
        self._last_answered = instruction
        is_fence = first_asking and instruction.code in FENCES
        self._debts.pay(asking, self._now, all_older=is_fence)
        return answer

    def _owe(self, address: int, question: bytes, asked_at: float) -> Debt:
        return self._debts.add(address, question, asked_at, asked_at + ANSWER_AT_THE_LATEST)

    def _owed_by(self, address: int) -> list[Debt]:
        return self._debts.of(address, self._now)

    async def _settle(self, address: int, instruction: Instruction) -> None:
        """Return when no older answer can be mistaken for this instruction's."""
        await self._let_doubles_pass(instruction)
        await self._calm()
        if instruction.code in FENCES:
            return
        if any(owed.code != instruction.code for owed in self._owed_by(address)):
            await self._fence(address)

    async def _fence(self, address: int) -> None:
        """Return when all that was asked before is answered, or will not be any more."""
        owed = self._owed_by(address)
        busy = {each.code for each in owed}
        free = next((code for code in FENCES if code not in busy), None)
        if free is not None:
            self._wire.counters.fences += 1
            if await self._ask_once(address, BY_CODE[free]):
                return
        for each in owed:
            while self._now < each.expires_at:
                await self._wire.listen(each.expires_at)
        self._overhear()

    async def _let_doubles_pass(self, instruction: Instruction) -> None:
        """Wait until an answer sent twice cannot be taken for this instruction's."""
        last = self._last_answered
        if last is not None and kind(last) == kind(instruction):
            await self._quiet(self._wire.last_byte_at + QUIET)

    async def _quiet(self, until: float, latest: float | None = None) -> None:
        """Return at the loop time `until`, later if bytes keep coming, but not for ever."""
        latest = latest or self._now + ANSWER_AT_THE_LATEST
        while (now := self._now) < until and now < latest:
            await self._wire.listen(until)
            until = max(until, self._wire.last_byte_at + QUIET)

    async def _calm(self) -> None:
        """Let whoever is talking finish, and remember what was said.

        USB adapters hand bytes over in lumps, 16 ms apart by default, so that a frame which has
        begun needs longer than a quiet line.
        """
        if self._overhear() or self._wire.bytes_since_frame:
            latest = self._now + ANSWER_AT_THE_LATEST
            await self._quiet(self._wire.last_byte_at + QUIET, latest)
            if self._wire.pending:
                latest = max(latest, self._now + STALLED)
                await self._quiet(self._wire.last_byte_at + STALLED, latest)
            self._overhear()

    async def _send(self, address: int, question: bytes) -> Debt:
        await self._calm()
        self._wire.forget_unfinished()
        self._sent, self._echo_heard = Frame(address, MASTER, question), False
        self._wire.send(self._sent)
        return self._owe(address, question, self._now)

    async def _listen(
        self, address: int, gather: Gatherer, begin_by: float, *, spoiled: bool = False
    ) -> tuple[bytes, ...] | None:
        """Return the payloads of an answer that begins in time, None where none does.

        While `spoiled`, an answer that comes may be another question's and does not count.
        """
        wire = self._wire
        latest = begin_by + ANSWER_AT_THE_LATEST
        looked_inside_at = 0.0
        while True:
            while gather.state is not State.WHOLE and (taken := wire.next_frame()) is not None:
                spoiled |= self._sort(taken, address, gather)
            if gather.state is State.WHOLE and not spoiled:
                self._echoes = self._echo_heard
                return tuple(gather.payloads)
            if wire.bytes_since_frame:
                gather.interrupted()
            now, last_byte_at = self._now, wire.last_byte_at
            wake_at = max(begin_by, last_byte_at + STALLED)
            if gather.state is State.WHOLE_IF_QUIET:
                wake_at = last_byte_at + gather.quiet_needed
                if now >= wake_at:
                    gather.quiet()
                    continue
            elif wire.pending and looked_inside_at < last_byte_at:
                wake_at = last_byte_at + STALLED
                if now >= wake_at:
                    looked_inside_at = now
                    wire.resynchronise()
                    continue
            # A line that never falls quiet must not keep us for ever.
            wake_at = min(wake_at, latest)
            if now >= wake_at:
                return None
            await wire.listen(wake_at)

    def _sort(self, taken: tuple[float, Frame], address: int, gather: Gatherer) -> bool:
        """Give a frame to whom it belongs; return whether it spoils what is being gathered."""
        came_at, frame = taken
        if frame.destination == MASTER and frame.sender == address:
            gather.add(frame.payload)
        elif frame.sender == MASTER and frame.destination != MASTER:
            if not self._is_echo(frame):
                self._owe_to_another(came_at, frame)
                return frame.destination == address
        else:
            self._wire.counters.line_errors += 1
        return False

    def _is_echo(self, frame: Frame) -> bool:
        """Tell whether a frame is the adapter's echo of what we sent.

        An echo comes once, and every time: a second frame like ours, or one on an adapter that did
        not echo before, is another master's question, whose answer comes in addition to ours.
        """
        if frame != self._sent or self._echo_heard:
            return False
        was_expected = self._echoes
        self._echo_heard = self._echoes = True
        return was_expected

    def _overhear(self) -> bool:
        """Take frames that came while nobody listened; return whether there were any."""
        heard = False
        while (taken := self._wire.next_frame()) is not None:
            heard = True
            came_at, frame = taken
            if frame.sender == MASTER and frame.destination != MASTER:
                self._owe_to_another(came_at, frame)
            else:
                self._wire.counters.line_errors += 1
        return heard

    def _owe_to_another(self, came_at: float, frame: Frame) -> None:
        """Remember that another master asked: its answer will look like ours."""
        self._owe(frame.destination, frame.payload, came_at)
        self._wire.counters.line_errors += 1


def kind(instruction: Instruction) -> str:
    """Return what an answer looks like: those of one kind can be mistaken for each other."""
    if instruction.code in FENCES:
        return instruction.code
    return "array" if instruction.is_array else "single"
