"""One request at a time, and no response taken for another request's.

A response says who sent it, not what it answers, and a busy BMS may respond up to two seconds late.
docs/protocol.md ("Responses carry no name") has the rules that this module follows and why.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import NoResponseError, UnknownInstructionError
from .codec import is_refusal
from .frame import MASTER, Frame
from .instructions import BY_CODE, Instruction
from .pending import PendingRequest, PendingRequests
from .response import Acknowledgement, ArrayShape, Progress, ResponseAssembler, response_assembler
from .transport import Transport

ATTEMPTS = 3
RESPONSE_TIMEOUT = 0.350
"""Seconds within which a response begins, as a rule (manual)."""
LATEST_RESPONSE = 2.0
"""Seconds after which a request is not answered any more."""
IDLE_GAP = 0.010
"""Seconds without a byte after which no duplicate of a response comes any more."""
INTER_BYTE_TIMEOUT = 0.040
"""Seconds without a byte after which a frame's rest is not on its way."""

FENCES = ("ERRO", "LCD3", "LCD1")
"""Instructions whose responses have shapes of their own, save some packs' arrays that begin so."""
_COUNTING_UNITS = frozenset(
    row.code for row in BY_CODE.values() if row.is_array and row.header is None
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The payloads of a response's frames, and how many attempts it took.

    A second look at what may have been a duplicate is no attempt: nothing was lost.
    """

    payloads: tuple[bytes, ...]
    attempts: int


class Transactions:
    """Requests and their responses over one transport; the caller holds its lock."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pending = PendingRequests()
        self._shapes: defaultdict[tuple[int, str], ArrayShape] = defaultdict(ArrayShape)
        self._last_answered: Instruction | None = None
        self._last_told: dict[tuple[int, str], tuple[bytes, ...]] = {}
        """What each instruction's last response said, header left out."""
        self._recent: set[tuple[int, bytes]] = set()
        """Senders and payloads of what was taken and whose duplicate may still come."""
        self._doubted = False
        """Whether a response came to the last attempt that another look is taken at."""
        self._sent: Frame | None = None
        self._echo_heard = False
        self._echoes = True
        """Whether the adapter echoes, as far as the last exchange has shown."""

    async def request(
        self, address: int, instruction: Instruction, *, attempts: int = ATTEMPTS
    ) -> Exchange:
        """Return the response to an instruction.

        Raises NoResponseError when no attempt was answered, UnknownInstructionError when one was
        with an error, PortError when the port is lost.
        """
        counters = self._transport.counters
        counters.exchanges += 1
        latest = 0.0
        lost, second_look = 0, False
        for attempt in range(attempts):
            is_last = attempt == attempts - 1
            # Only where another attempt is left can a response be doubted and looked at again.
            cautious = attempt > 0 or is_last or self._expects_doubt(address, instruction)
            await self._clear_the_way(address, instruction, cautious=cautious)
            counters.second_looks += second_look
            counters.retries += attempt > 0 and not second_look
            counters.repeated_exchanges += lost == 1 and not second_look
            if attempt == 0:
                latest = self._now + LATEST_RESPONSE
            wait_until = latest if is_last and attempt > 0 else 0.0
            payloads = await self._attempt(address, instruction, wait_until, cautious=cautious)
            if payloads and is_refusal(payloads[0]):
                raise UnknownInstructionError(address, instruction.code, instruction.name, lost + 1)
            if payloads:
                return Exchange(payloads, lost + 1)
            second_look = self._doubted
            lost += not second_look
        counters.unanswered += 1
        raise NoResponseError(address, instruction.code, instruction.name, attempts)

    async def set(self, address: int, instruction: Instruction, value: str) -> bytes | None:
        """Send a value once; return the BMS's acknowledgement, None where none came.

        When this returns, nothing that was sent before can be mistaken for a read-back. Raises
        PortError when the port is lost.
        """
        request = await self._send(address, f"{instruction.code} {value}".encode("ascii"))
        acknowledgement = await self._listen(
            address, Acknowledgement(), begin_by=request.sent_at + LATEST_RESPONSE
        )
        if acknowledgement:
            self._pending.remove(request)
        await self._fence(address)
        await self._let_duplicates_pass()
        return acknowledgement[0] if acknowledgement else None

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _attempt(
        self,
        address: int,
        instruction: Instruction,
        wait_until: float = 0.0,
        *,
        cautious: bool,
    ) -> tuple[bytes, ...] | None:
        """Send a request; listen as long as a response may begin, or until a later `wait_until`."""
        is_first = not any(each.code == instruction.code for each in self._pending_at(address))
        if cautious:
            await self._let_duplicates_pass()
        request = await self._send(address, instruction.query)
        others = {each.code for each in self._pending_at(address)} - {instruction.code}
        assembler = response_assembler(
            instruction,
            self._shapes[address, instruction.code],
            hear_out=not others.isdisjoint(_COUNTING_UNITS),
        )
        payloads = await self._listen(
            address,
            assembler,
            begin_by=max(request.sent_at + RESPONSE_TIMEOUT, wait_until),
            # Another master's request that was heard only just now was not fenced off.
            spoiled=instruction.code not in FENCES and not others.issubset(FENCES),
            doubts=instruction.code not in FENCES,
        )
        if payloads is None:
            return None
        self._last_answered = instruction
        told = self._last_told[address, instruction.code] = _told(payloads)
        self._recent.update((address, payload) for payload in told)
        is_fence = is_first and instruction.code in FENCES
        self._pending.settle(request, self._now, all_older=is_fence)
        return payloads

    def _add_pending(self, address: int, payload: bytes, sent_at: float) -> PendingRequest:
        return self._pending.add(address, payload, sent_at, sent_at + LATEST_RESPONSE)

    def _pending_at(self, address: int) -> list[PendingRequest]:
        return self._pending.of(address, self._now)

    async def _clear_the_way(
        self, address: int, instruction: Instruction, *, cautious: bool
    ) -> None:
        """Return when no older response can be mistaken for this instruction's.

        A duplicate of the last one can be, unless `cautious`; it is told by its payload.
        """
        if cautious:
            await self._let_duplicates_pass()
        await self._wait_for_idle()
        if instruction.code in FENCES:
            return
        if any(each.code != instruction.code for each in self._pending_at(address)):
            await self._fence(address)

    async def _fence(self, address: int) -> None:
        """Return when all that was sent before is answered, or will not be any more."""
        pending = self._pending_at(address)
        busy = {each.code for each in pending}
        free = next((code for code in FENCES if code not in busy), None)
        if free is not None:
            self._transport.counters.fences += 1
            cautious = self._expects_doubt(address, BY_CODE[free])
            if await self._attempt(address, BY_CODE[free], cautious=cautious):
                return
        for each in pending:
            while self._now < each.expires_at:
                await self._wait(each.expires_at)
        self._drain()

    def _expects_doubt(self, address: int, instruction: Instruction) -> bool:
        """Tell whether a response as the last one would have to be doubted."""
        if instruction.code in FENCES:
            return instruction is self._last_answered
        told = self._last_told.get((address, instruction.code), ())
        return any((address, payload) in self._recent for payload in told)

    async def _let_duplicates_pass(self) -> None:
        """Wait until no duplicate of an older response comes any more, but not for ever."""
        latest = self._now + LATEST_RESPONSE
        while self._recent and self._now < latest:
            await self._wait(self._duplicates_until)

    @property
    def _duplicates_until(self) -> float:
        """Until when the line must stay idle for no duplicate to come any more."""
        begun = self._transport.frame_begun
        return self._transport.last_byte_at + (INTER_BYTE_TIMEOUT if begun else IDLE_GAP)

    async def _wait(self, until: float) -> None:
        """Return when bytes have come, or at the loop time `until`.

        Only what was waited for in vain shows that the line was idle: while others keep the event
        loop busy, bytes may be there that nobody has taken in.
        """
        duplicates_until = self._duplicates_until
        if not await self._transport.listen(until) and self._now >= duplicates_until:
            self._recent.clear()

    async def _idle_until(self, until: float, latest: float) -> None:
        """Return at the loop time `until`, later if bytes keep coming, but never after `latest`."""
        while (now := self._now) < until and now < latest:
            await self._wait(until)
            until = max(until, self._transport.last_byte_at + IDLE_GAP)

    async def _wait_for_idle(self) -> None:
        """Let whoever is talking finish, and remember what was said.

        USB adapters hand bytes over in lumps, 16 ms apart by default, so that a frame which has
        begun needs longer than an idle gap.
        """
        if self._drain() or self._transport.bytes_since_frame:
            latest = self._now + LATEST_RESPONSE
            await self._idle_until(self._transport.last_byte_at + IDLE_GAP, latest)
            if self._transport.frame_begun:
                latest = max(latest, self._now + INTER_BYTE_TIMEOUT)
                await self._idle_until(self._transport.last_byte_at + INTER_BYTE_TIMEOUT, latest)
            self._drain()

    async def _send(self, address: int, payload: bytes) -> PendingRequest:
        await self._wait_for_idle()
        self._transport.forget_unfinished()
        self._sent, self._echo_heard = Frame(address, MASTER, payload), False
        self._transport.send(self._sent)
        return self._add_pending(address, payload, self._now)

    async def _listen(
        self,
        address: int,
        assembler: ResponseAssembler,
        begin_by: float,
        *,
        spoiled: bool = False,
        doubts: bool = False,
    ) -> tuple[bytes, ...] | None:
        """Return the payloads of a response that begins in time, None where none does.

        While `spoiled`, a response that comes may be another request's and does not count. With
        `doubts`, one that is like another that came just before does not count either.
        """
        transport = self._transport
        latest = begin_by + LATEST_RESPONSE
        looked_inside_at = 0.0
        doubtful: set[bytes] = set()
        self._doubted = False
        while True:
            while (
                assembler.progress is not Progress.WHOLE
                and (received := transport.next_frame()) is not None
            ):
                _, frame = received
                if (frame.sender, frame.payload) in self._recent:
                    doubtful.add(frame.payload)
                spoiled |= self._sort(received, address, assembler)
            if assembler.progress is Progress.WHOLE and not spoiled:
                self._echoes = self._echo_heard
                self._doubted = doubts and not doubtful.isdisjoint(_told(assembler.payloads))
                return None if self._doubted else tuple(assembler.payloads)
            if transport.bytes_since_frame:
                assembler.interrupted()
            now, last_byte_at = self._now, transport.last_byte_at
            wake_at = max(begin_by, last_byte_at + INTER_BYTE_TIMEOUT)
            if assembler.progress is Progress.WHOLE_IF_IDLE:
                wake_at = last_byte_at + assembler.idle_needed
                if now >= wake_at:
                    assembler.idle()
                    continue
            elif transport.frame_begun and looked_inside_at < last_byte_at:
                wake_at = last_byte_at + INTER_BYTE_TIMEOUT
                if now >= wake_at:
                    looked_inside_at = now
                    transport.resynchronise()
                    continue
            # A line that never falls idle must not keep us for ever.
            wake_at = min(wake_at, latest)
            if now >= wake_at:
                return None
            if self._recent:
                wake_at = min(wake_at, self._duplicates_until)
            await self._wait(wake_at)

    def _sort(
        self, received: tuple[float, Frame], address: int, assembler: ResponseAssembler
    ) -> bool:
        """Give a frame to whom it belongs; return whether it spoils what is being assembled."""
        came_at, frame = received
        if frame.destination == MASTER and frame.sender == address:
            assembler.add(frame.payload)
        elif frame.sender == MASTER and frame.destination != MASTER:
            if not self._is_echo(frame):
                self._note_other_master(came_at, frame)
                return frame.destination == address
        else:
            self._transport.counters.line_errors += 1
        return False

    def _is_echo(self, frame: Frame) -> bool:
        """Tell whether a frame is the adapter's echo of what we sent.

        An echo comes once, and every time: a second frame like ours, or one on an adapter that did
        not echo before, is another master's request, whose response comes in addition to ours.
        """
        if frame != self._sent or self._echo_heard:
            return False
        was_expected = self._echoes
        self._echo_heard = self._echoes = True
        return was_expected

    def _drain(self) -> bool:
        """Take frames that came while nobody listened; return whether there were any."""
        heard = False
        while (received := self._transport.next_frame()) is not None:
            heard = True
            came_at, frame = received
            if frame.sender == MASTER and frame.destination != MASTER:
                self._note_other_master(came_at, frame)
            else:
                self._transport.counters.line_errors += 1
        return heard

    def _note_other_master(self, came_at: float, frame: Frame) -> None:
        """Remember another master's request: its response will look like ours."""
        self._add_pending(frame.destination, frame.payload, came_at)
        self._transport.counters.line_errors += 1


def _told(payloads: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return what a response says: the header of an array is like many others."""
    return tuple(payloads[1:] or payloads)
