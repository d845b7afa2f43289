"""What any bytes are put through, and what must hold of them whatever they are.

`decoder` and `replies` take the bytes of one fuzz case and raise AssertionError, or whatever the
protocol package raises, where something does not hold. They need neither atheris nor Home
Assistant.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "rec_bms_protocol"
_FOLDER = Path(__file__).parents[2] / "custom_components" / "rec_bms" / "protocol"

_MOST_ROUNDS = 4
_SLICES = (1, 2, 3, 7, 16, 62, 262, 1000)
_POLYNOMIAL = 0xA001
_FEWEST_BYTES = 7


def load(while_importing: AbstractContextManager[object] | None = None) -> dict[str, ModuleType]:
    """Import the protocol package by itself, without the integration around it."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(PACKAGE, _FOLDER / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = package
        spec.loader.exec_module(package)
    with while_importing or nullcontext():
        names = (
            "rs485.frame",
            "rs485.response",
            "rs485.codec",
            "rs485.instructions",
            "rs485.trace",
            "state",
        )
        return {name: import_module(f"{PACKAGE}.{name}") for name in names}


class Targets:
    """The targets, on one copy of the protocol package."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._frame = modules["rs485.frame"]
        self._answer = modules["rs485.response"]
        self._values = modules["rs485.codec"]
        self._models = modules["state"]
        self._trace = modules["rs485.trace"]
        self._instructions = modules["rs485.instructions"].INSTRUCTIONS

    @property
    def by_name(self) -> dict[str, Callable[[bytes], None]]:
        return {"decoder": self.decoder, "replies": self.replies}

    # -- bytes to frames -------------------------------------------------------------------------

    def decoder(self, data: bytes) -> None:
        """The first byte says how the others are sliced."""
        size = _SLICES[data[0] % len(_SLICES)] if data else 1
        stream = data[1:]
        decoder = self._frame.Decoder()
        found = []
        for start in range(0, len(stream), size):
            found += decoder.feed(stream[start : start + size])
            assert len(decoder._held) < self._frame.MAX_FRAME
            assert len(decoder._noise) <= self._frame.MAX_FRAME
        found += decoder.resynchronise()
        told = [(each.destination, each.sender, each.payload) for each in found]
        assert told == [*frames_in(stream)]
        for each in found:
            assert each.encode() in stream
            self._trace.describe(each.payload)

    # -- payloads to readings --------------------------------------------------------------------

    def replies(self, data: bytes) -> None:
        """The first byte picks an instruction; the others are events, frames' payloads mostly."""
        if not data:
            return
        instruction = self._instructions[data[0] % len(self._instructions)]
        shape = self._answer.ArrayShape()
        rounds = 0
        assembler = self._answer.response_assembler(instruction, shape)
        acknowledgement = self._answer.Acknowledgement()
        for event in _events(data[1:]):
            if event is None:
                assembler.interrupted()
            elif event is True:
                if assembler.progress is self._answer.Progress.WHOLE_IF_IDLE:
                    assembler.idle()
            else:
                assembler.add(event)
                acknowledgement.add(event)
                self._read_back(instruction, event)
            assert len(assembler.payloads) <= 16
            if assembler.progress is not self._answer.Progress.WHOLE:
                continue
            # A BMS that does not know the instruction says so; a transaction goes no further.
            if not self._values.is_refusal(assembler.payloads[0]):
                self._check(self._values.decode(instruction, tuple(assembler.payloads)))
            rounds += 1
            if rounds == _MOST_ROUNDS:
                return
            assembler = self._answer.response_assembler(instruction, shape)

    def _read_back(self, instruction: Any, payload: bytes) -> None:
        """Compare as after a set, which is done with what could be decoded alone."""
        values = self._values
        if not instruction.settable or not values.fits(instruction, payload):
            return
        if isinstance(values.decode(instruction, (payload,)), int | float):
            values.matches(instruction, 1.0, read_back=payload, previous=payload)

    def _check(self, reading: object) -> None:
        if isinstance(reading, str):
            assert reading.isprintable()
        for number in self._numbers(reading):
            assert math.isfinite(number)

    def _numbers(self, reading: object) -> Iterator[float]:
        if isinstance(reading, int | float):
            yield reading
        elif isinstance(reading, tuple):
            for each in reading:
                yield from self._numbers(each)
        elif reading is not None and not isinstance(reading, str):
            for name in reading.__slots__:  # type: ignore[attr-defined]  # all other readings have them
                yield from self._numbers(getattr(reading, name))


def _events(data: bytes) -> Iterator[bytes | bool | None]:
    """Yield payloads, None for bytes that are no frame, True for quiet.

    A byte up to 250 is the length of the payload behind it.
    """
    while data:
        length, data = data[0], data[1:]
        if length > 253:
            yield True
        elif length > 250:
            yield None
        else:
            yield data[:length]
            data = data[length:]


def frames_in(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield destination, sender and payload of each whole frame, found in the plainest way."""
    at = 0
    while (at := stream.find(0x55, at)) != -1:
        end = at + stream[at + 3] + _FEWEST_BYTES if at + 3 < len(stream) else len(stream) + 1
        if (
            end <= len(stream)
            and stream[end - 1] == 0xAA
            and _checksum(stream[at + 1 : end - 3]) == stream[end - 3] * 256 + stream[end - 2]
        ):
            yield stream[at + 1], stream[at + 2], stream[at + 4 : end - 3]
            at = end
        else:
            at += 1


def _checksum(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc
