"""Which frames make up the response to an instruction.

A response says who sent it, not what it answers, so its shape is all there is to go by. An
assembler takes one frame's payload after the other and tells when it holds a whole response; what
does not fit is dropped. Source: docs/protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from .codec import fits, is_acknowledgement, is_refusal
from .instructions import Instruction, Reply

IDLE_AFTER_VALUE = 0.010
"""Seconds without a byte after which a lone value is not an array's first frame any more."""
IDLE_AFTER_UNITS = 0.300
"""Seconds without a byte after which no further unit is expected, while the shape is not known."""

_FIXED_LENGTHS = {"LCD1": 28, "LCD3": 8, "ERRO": 4, "BTEM": 4}
_MAX_UNITS = 15
_FLOAT_LENGTH = 4
_LONGEST_HEADER = 2
_CHANGED_SHAPE_TIMES = 3
_UNSURE_SHAPE_TIMES = 2


class Progress(Enum):
    """How far a response has come."""

    PARTIAL = auto()
    WHOLE_IF_IDLE = auto()
    """It is whole if nothing follows: what follows would show that it was the start of another."""
    WHOLE = auto()


class ResponseAssembler(Protocol):
    """Puts the frames of one response together."""

    payloads: list[bytes]
    progress: Progress
    idle_needed: float
    """Seconds without a byte that make a WHOLE_IF_IDLE response whole."""

    def add(self, payload: bytes) -> None:
        """Take the next frame's payload."""

    def interrupted(self) -> None:
        """Learn that bytes followed which are no frame (yet)."""

    def idle(self) -> None:
        """Learn that the line fell idle while the response was WHOLE_IF_IDLE."""


class SingleValue:
    """One frame of text; a short one may be the first frame of somebody else's array.

    It may be the BMS's word that it does not know the instruction.
    """

    def __init__(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self.payloads: list[bytes] = []
        self.progress = Progress.PARTIAL
        self.idle_needed = IDLE_AFTER_VALUE

    def add(self, payload: bytes) -> None:
        """Take a fitting text, unless it comes close behind another."""
        close_behind = self.progress is Progress.WHOLE_IF_IDLE
        self.interrupted()
        if close_behind or not (fits(self._instruction, payload) or is_refusal(payload)):
            return
        self.payloads = [payload]
        self.progress = Progress.WHOLE_IF_IDLE if self._may_be_header(payload) else Progress.WHOLE

    def interrupted(self) -> None:
        """Drop what is held: it was the first frame of an array."""
        self.payloads = []
        self.progress = Progress.PARTIAL

    def idle(self) -> None:
        """Nothing followed, so it stands alone."""
        self.progress = Progress.WHOLE

    def _may_be_header(self, payload: bytes) -> bool:
        return self._instruction.reply is Reply.STRING or len(payload) <= _LONGEST_HEADER


class AnyFrames:
    """Whatever comes, of a response whose form is not known, until the line has been quiet."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.progress = Progress.PARTIAL
        self.idle_needed = IDLE_AFTER_UNITS

    def add(self, payload: bytes) -> None:
        """Take a frame; more may follow, but nothing does behind an error."""
        self.payloads.append(payload)
        refused = len(self.payloads) == 1 and is_refusal(payload)
        self.progress = Progress.WHOLE if refused else Progress.WHOLE_IF_IDLE

    def interrupted(self) -> None:
        """Go on: further frames may be coming."""

    def idle(self) -> None:
        """Nothing followed, so that was all."""
        self.progress = Progress.WHOLE


class Acknowledgement:
    """The word about a set: SET, or ERROR and what follows it."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.progress = Progress.PARTIAL
        self.idle_needed = 0.0

    def add(self, payload: bytes) -> None:
        """Take an acknowledgement."""
        if is_acknowledgement(payload):
            self.payloads = [payload]
            self.progress = Progress.WHOLE

    def interrupted(self) -> None:
        """Go on waiting."""

    def idle(self) -> None:
        """Go on waiting."""


class FixedArray:
    """A header of known text, then one frame of known length.

    Four units with one sensor each, or eight with two, answer PTEM with frames that begin just like
    ERRO's or LCD3's response: with `hear_out`, it counts once nothing has followed.
    """

    def __init__(self, instruction: Instruction, *, hear_out: bool) -> None:
        self._when_complete = Progress.WHOLE_IF_IDLE if hear_out else Progress.WHOLE
        self._code = instruction.code
        self._header = (instruction.header or "").encode("ascii")
        self.payloads: list[bytes] = []
        self.progress = Progress.PARTIAL
        self.idle_needed = IDLE_AFTER_VALUE

    def add(self, payload: bytes) -> None:
        """Take the header, then the data right behind it."""
        if len(self.payloads) == 1 and self._fits(payload):
            self.payloads.append(payload)
            self.progress = self._when_complete
        else:
            self.payloads = [payload] if payload == self._header else []
            self.progress = Progress.PARTIAL

    def _fits(self, data: bytes) -> bool:
        flag_is_boolean = self._code != "ERRO" or data[:1] in (b"\0", b"\1")
        return len(data) == _FIXED_LENGTHS[self._code] and flag_is_boolean

    def interrupted(self) -> None:
        """Drop what something follows; of an unfinished one the rest may still be on its way."""
        if self.progress is Progress.WHOLE_IF_IDLE:
            self.payloads = []
            self.progress = Progress.PARTIAL

    def idle(self) -> None:
        """Nothing followed, so it is no other array's beginning."""
        self.progress = Progress.WHOLE


@dataclass(slots=True)
class ArrayShape:
    """The number of units and the data frames' lengths that a BMS has been answering with.

    `known` is None until there was a response. Another shape counts when it has come several times
    running, so that a lost frame is not taken for a unit that went.
    """

    known: tuple[int, ...] | None = None
    _candidate: tuple[int, ...] | None = field(default=None)
    _times: int = 0

    def accepts(self, shape: tuple[int, ...], *, sure: bool) -> bool:
        """Tell whether a response of this shape counts, and remember it.

        `sure` is whether there was a frame for each unit: one frame for all looks the same as one
        unit's frame whose fellows were lost.
        """
        if shape == self.known:
            self._candidate = None
            return True
        self._times = self._times + 1 if shape == self._candidate else 1
        self._candidate = shape
        needed = 1 if sure else _UNSURE_SHAPE_TIMES
        if self._times < (needed if self.known is None else _CHANGED_SHAPE_TIMES):
            return False
        self.known, self._candidate = shape, None
        return True


class UnitsArray:
    """The number of units, then a frame of float32s for each, or one frame for all of them."""

    def __init__(self, shape: ArrayShape) -> None:
        self._memory = shape
        self._units = 0
        self.payloads: list[bytes] = []
        self.progress = Progress.PARTIAL
        self.idle_needed = IDLE_AFTER_UNITS

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
            known = self._shape == self._memory.known
            # A frame for all may have been learnt wrongly, so even then a second one is heard out.
            self.idle_needed = IDLE_AFTER_VALUE if known else IDLE_AFTER_UNITS
            self.progress = Progress.WHOLE_IF_IDLE
        else:
            self.progress = Progress.PARTIAL

    def interrupted(self) -> None:
        """Go on: the frames of further units may be coming."""

    def idle(self) -> None:
        """Take the one frame for that of all units, if that is how this BMS responds."""
        self._conclude()

    def _conclude(self) -> None:
        sure = len(self.payloads) == 1 + self._units
        if self._memory.accepts(self._shape, sure=sure):
            self.progress = Progress.WHOLE
        else:
            self._restart()

    def _restart(self, units: int = 0, *header: bytes) -> None:
        self._units = units
        self.payloads = [*header]
        self.progress = Progress.PARTIAL

    @property
    def _shape(self) -> tuple[int, ...]:
        return self._units, *(len(payload) for payload in self.payloads[1:])


def _unit_count(payload: bytes) -> int | None:
    if len(payload) <= _LONGEST_HEADER and payload.isdigit() and 1 <= int(payload) <= _MAX_UNITS:
        return int(payload)
    return None


def response_assembler(
    instruction: Instruction, shape: ArrayShape, *, hear_out: bool = False
) -> ResponseAssembler:
    """Return what assembles the response to an instruction.

    `hear_out` is whether an array of units may come in place of a fixed one.
    """
    if instruction.reply is Reply.RAW:
        return AnyFrames()
    if not instruction.is_array:
        return SingleValue(instruction)
    if instruction.header is not None:
        return FixedArray(instruction, hear_out=hear_out)
    return UnitsArray(shape)
