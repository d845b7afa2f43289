"""Which frames make up the answer to an instruction.

An answer says who sent it, not what it answers, so its shape is all there is to go by. A gatherer
takes one frame's payload after the other and tells when it holds a whole answer; what does not fit
is dropped. Source: docs/protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from .codec import answers, is_verdict
from .instructions import Instruction, Reply

QUIET_AFTER_VALUE = 0.010
"""Seconds after which a lone value is not the first frame of an array any more."""
QUIET_AFTER_UNITS = 0.300
"""Seconds after which no frame of a further unit is expected, while the layout is not known."""

_FIXED_LENGTHS = {"LCD1": 28, "LCD3": 8, "ERRO": 4, "BTEM": 4}
_MAX_UNITS = 15
_FLOAT_LENGTH = 4
_LONGEST_HEADER = 2
_CHANGED_LAYOUT_TIMES = 3
_UNSURE_LAYOUT_TIMES = 2


class State(Enum):
    """How far an answer has come."""

    PARTIAL = auto()
    WHOLE_IF_QUIET = auto()
    """It is whole if nothing follows: what follows would show that it was the start of another."""
    WHOLE = auto()


class Gatherer(Protocol):
    """Gathers the frames of one answer."""

    payloads: list[bytes]
    state: State
    quiet_needed: float
    """Seconds of quiet that make a WHOLE_IF_QUIET answer whole."""

    def add(self, payload: bytes) -> None:
        """Take the next frame's payload."""

    def interrupted(self) -> None:
        """Learn that bytes followed which are no frame (yet)."""

    def quiet(self) -> None:
        """Learn that the line fell quiet while the answer was WHOLE_IF_QUIET."""


class SingleValue:
    """One frame of text; a short one may be the first frame of somebody else's array."""

    def __init__(self, instruction: Instruction) -> None:
        """Wait for the answer to an instruction."""
        self._instruction = instruction
        self.payloads: list[bytes] = []
        self.state = State.PARTIAL
        self.quiet_needed = QUIET_AFTER_VALUE

    def add(self, payload: bytes) -> None:
        """Take a fitting text, unless it comes close behind another."""
        close_behind = self.state is State.WHOLE_IF_QUIET
        self.interrupted()
        if close_behind or not answers(self._instruction, payload):
            return
        self.payloads = [payload]
        self.state = State.WHOLE_IF_QUIET if self._may_be_header(payload) else State.WHOLE

    def interrupted(self) -> None:
        """Drop what is held: it was the first frame of an array."""
        self.payloads = []
        self.state = State.PARTIAL

    def quiet(self) -> None:
        """Nothing followed, so it stands alone."""
        self.state = State.WHOLE

    def _may_be_header(self, payload: bytes) -> bool:
        return self._instruction.reply is Reply.STRING or len(payload) <= _LONGEST_HEADER


class Verdict:
    """The word about a set: SET, or ERROR and what follows it."""

    def __init__(self) -> None:
        """Wait for a verdict."""
        self.payloads: list[bytes] = []
        self.state = State.PARTIAL
        self.quiet_needed = 0.0

    def add(self, payload: bytes) -> None:
        """Take a verdict."""
        if is_verdict(payload):
            self.payloads = [payload]
            self.state = State.WHOLE

    def interrupted(self) -> None:
        """Go on waiting."""

    def quiet(self) -> None:
        """Go on waiting."""


class FixedArray:
    """A header of known text, then one frame of known length.

    Four units with one sensor each, or eight with two, answer PTEM with frames that begin just like
    ERRO's or LCD3's answer: with `hear_out`, it counts once nothing has followed.
    """

    def __init__(self, instruction: Instruction, *, hear_out: bool) -> None:
        """Wait for the answer to an instruction with a fixed header."""
        self._when_complete = State.WHOLE_IF_QUIET if hear_out else State.WHOLE
        self._code = instruction.code
        self._header = (instruction.header or "").encode("ascii")
        self.payloads: list[bytes] = []
        self.state = State.PARTIAL
        self.quiet_needed = QUIET_AFTER_VALUE

    def add(self, payload: bytes) -> None:
        """Take the header, then the data right behind it."""
        if len(self.payloads) == 1 and self._fits(payload):
            self.payloads.append(payload)
            self.state = self._when_complete
        else:
            self.payloads = [payload] if payload == self._header else []
            self.state = State.PARTIAL

    def _fits(self, data: bytes) -> bool:
        flag_is_boolean = self._code != "ERRO" or data[:1] in (b"\0", b"\1")
        return len(data) == _FIXED_LENGTHS[self._code] and flag_is_boolean

    def interrupted(self) -> None:
        """Drop what something follows; of an unfinished answer the rest may still be on its way."""
        if self.state is State.WHOLE_IF_QUIET:
            self.payloads = []
            self.state = State.PARTIAL

    def quiet(self) -> None:
        """Nothing followed, so it is no other array's beginning."""
        self.state = State.WHOLE


@dataclass(slots=True)
class Layout:
    """The number of units and the data frames' lengths that a BMS has been answering with.

    `known` is None until there was an answer. Another layout counts when it has come several times
    running, so that a lost frame is not taken for a unit that went.
    """

    known: tuple[int, ...] | None = None
    _candidate: tuple[int, ...] | None = field(default=None)
    _times: int = 0

    def accepts(self, layout: tuple[int, ...], *, sure: bool) -> bool:
        """Tell whether an answer of this layout counts, and remember it.

        `sure` is whether there was a frame for each unit: one frame for all looks the same as one
        unit's frame whose fellows were lost.
        """
        if layout == self.known:
            self._candidate = None
            return True
        self._times = self._times + 1 if layout == self._candidate else 1
        self._candidate = layout
        needed = 1 if sure else _UNSURE_LAYOUT_TIMES
        if self._times < (needed if self.known is None else _CHANGED_LAYOUT_TIMES):
            return False
        self.known, self._candidate = layout, None
        return True


class UnitsArray:
    """The number of units, then a frame of float32s for each, or one frame for all of them."""

    def __init__(self, layout: Layout) -> None:
        """Wait for an answer of a layout that may be known already."""
        self._memory = layout
        self._units = 0
        self.payloads: list[bytes] = []
        self.state = State.PARTIAL
        self.quiet_needed = QUIET_AFTER_UNITS

    def add(self, payload: bytes) -> None:
        """Take the number of units, then the data frames."""
        if (units := _unit_count(payload)) is not None:
            self._restart(units, payload)
        elif self._units and len(payload) % _FLOAT_LENGTH == 0 and payload:
            self._add_data(payload)
        else:
            self._restart()

    def _add_data(self, payload: bytes) -> None:
        self.payloads.append(payload)
        frames = len(self.payloads) - 1
        if frames == self._units:
            self._conclude()
        elif frames == 1 and len(payload) // _FLOAT_LENGTH % self._units == 0:
            known = self._layout == self._memory.known
            # A frame for all may have been learnt wrongly, so even then a second one is heard out.
            self.quiet_needed = QUIET_AFTER_VALUE if known else QUIET_AFTER_UNITS
            self.state = State.WHOLE_IF_QUIET
        else:
            self.state = State.PARTIAL

    def interrupted(self) -> None:
        """Go on: the frames of further units may be coming."""

    def quiet(self) -> None:
        """Take the one frame for that of all units, if that is how this BMS answers."""
        self._conclude()

    def _conclude(self) -> None:
        sure = len(self.payloads) == 1 + self._units
        if self._memory.accepts(self._layout, sure=sure):
            self.state = State.WHOLE
        else:
            self._restart()

    def _restart(self, units: int = 0, *header: bytes) -> None:
        self._units = units
        self.payloads = [*header]
        self.state = State.PARTIAL

    @property
    def _layout(self) -> tuple[int, ...]:
        return self._units, *(len(payload) for payload in self.payloads[1:])


def _unit_count(payload: bytes) -> int | None:
    if len(payload) <= _LONGEST_HEADER and payload.isdigit() and 1 <= int(payload) <= _MAX_UNITS:
        return int(payload)
    return None


def gatherer(instruction: Instruction, layout: Layout, *, hear_out: bool = False) -> Gatherer:
    """Return what gathers the answer to an instruction.

    `hear_out` is whether an array of units may come in place of a fixed one.
    """
    if not instruction.is_array:
        return SingleValue(instruction)
    if instruction.header is not None:
        return FixedArray(instruction, hear_out=hear_out)
    return UnitsArray(layout)
