"""What clients of a simulated line share: they ask, and take frames out of what they hear."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tools.simulator.framing import Frame, Listener, build


class Asking(ABC):
    """A client that sends bytes, and listens with deadlines in s."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Leave the port."""

    @property
    @abstractmethod
    def now(self) -> float:
        """The time in s, from a moment that does not matter."""

    @abstractmethod
    def send(self, raw: bytes) -> None:
        """Send bytes."""

    @abstractmethod
    def receive(self, quiet: float = 0.1, first: float = 2.0, enough: int = 1 << 30) -> bytes:
        """Return what comes until the line is quiet, or until there is enough."""

    def ask(
        self, request: bytes | str, address: int = 1, quiet: float = 0.1, first: float = 2.0
    ) -> list[bytes]:
        """Ask and return the payloads of the good frames that came back."""
        return [frame.payload for frame in self.ask_frames(request, address, quiet, first)]

    def ask_frames(
        self, request: bytes | str, address: int = 1, quiet: float = 0.1, first: float = 2.0
    ) -> list[Frame]:
        payload = request.encode() if isinstance(request, str) else request
        self.send(build(address, 0, payload))
        return frames(self.receive(quiet, first))

    def timed(self, request: str, size: int, address: int = 1) -> tuple[float, bytes]:
        """Ask and return the seconds until so many bytes were there, and the bytes."""
        start = self.now
        self.send(build(address, 0, request.encode()))
        raw = self.receive(1, 1, size)
        return self.now - start, raw


def frames(raw: bytes) -> list[Frame]:
    return [found for found in Listener().feed(raw) if isinstance(found, Frame)]


def floats(payload: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(payload) // 4}f", payload))
