"""What happened on the line: every request heard, and what became of it."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

_LOGGER = logging.getLogger("tools.simulator.line")

HEARD = "heard"
ANSWERED = "answered"
COLLISION = "collision"
UNANSWERED = "unanswered"
"""A fault kept the response back, whole."""
UNKNOWN = "unknown"
"""The instruction is not known, switched off, or no instruction at all."""
NOT_MINE = "not_mine"
"""No BMS on this line has that address."""
SILENT = "silent"
"""The BMS is off or restarting."""
DAMAGED = "damaged"
"""A fault spoilt the request on its way."""
NOISE = "noise"
"""Bytes that are no frame: wrong CRC, ETX, or unfinished."""
WRONG_SPEED = "wrong_speed"
"""The client talks at another speed than the BMS."""


@dataclass
class Entry:
    """A request (or bytes that are none). Times are of `loop.time()`, in s.

    `time` is when its first byte began, `heard` when its last one was in. `what` is one of this
    module's words. `fault` is the fault that struck this exchange. `response` are the payloads that
    the BMS meant to send, `response_began` and `response_ended` when they were on the line.

    `accident` says that a collision was nobody's mistake: what was run into was noise, another
    master, or a response that a fault had delayed or doubled. `early` says that the request began
    while a request that nothing had delayed was still to be answered.
    """

    time: float
    address: int
    payload: bytes
    what: str = HEARD
    detail: str = ""
    heard: float = 0.0
    fault: str | None = None
    response: tuple[bytes, ...] = ()
    response_began: float | None = None
    response_ended: float | None = None
    accident: bool = False
    early: bool = False
    by_other_master: bool = False
    number: int = 0

    @property
    def instruction(self) -> str:
        """The instruction's code, as far as the payload has one."""
        return self.payload[:4].decode("latin-1")

    @property
    def is_set(self) -> bool:
        """Whether it asks to change something."""
        return self.payload[4:5] == b" "

    def as_dict(self) -> dict[str, Any]:
        """Return it with plain JSON types."""
        plain = asdict(self)
        plain["payload"] = self.payload.decode("latin-1")
        plain["response"] = [part.hex() for part in self.response]
        return plain


@dataclass
class Log:
    """The entries, the last `keep` of them, and how many of each kind there were in all."""

    keep: int = 20_000
    counts: Counter[str] = field(default_factory=Counter)
    listeners: list[Callable[[Entry], None]] = field(default_factory=list)
    """Called with each entry when it is settled what became of it."""

    def __post_init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=self.keep)
        self._number = 0

    def add(self, entry: Entry) -> Entry:
        """Remember an entry."""
        self._number += 1
        entry.number = self._number
        self._entries.append(entry)
        return entry

    def settle(self, entry: Entry, what: str, detail: str = "") -> None:
        """Say what became of an entry."""
        entry.what = what
        entry.detail = detail or entry.detail
        self.counts[what] += 1
        self.counts["early"] += entry.early
        _LOGGER.debug("%s", entry)
        for listener in self.listeners:
            listener(entry)

    def clear(self) -> None:
        """Forget everything so far."""
        self._entries.clear()
        self.counts.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def requests(self, instruction: str | None = None, address: int | None = None) -> list[Entry]:
        """Return the client's requests, all or those for an instruction or an address."""
        return [
            entry
            for entry in self
            if entry.payload
            and entry.what not in (NOISE, WRONG_SPEED)
            and not entry.by_other_master
            and instruction in (None, entry.instruction)
            and address in (None, entry.address)
        ]

    @property
    def sets(self) -> list[Entry]:
        """The client's requests to change something."""
        return [entry for entry in self.requests() if entry.is_set]

    @property
    def collisions(self) -> list[Entry]:
        """Requests that ran into a response or another request, by the client's own fault."""
        return [entry for entry in self if entry.what == COLLISION and not entry.accident]

    @property
    def accidents(self) -> list[Entry]:
        """Requests that ran into something that the client could not know of."""
        return [entry for entry in self if entry.what == COLLISION and entry.accident]

    @property
    def early(self) -> list[Entry]:
        """Requests that began before an undelayed earlier one had been answered."""
        return [entry for entry in self if entry.early]

    @property
    def overlaps(self) -> list[Entry]:
        """Collisions and early requests: empty for clients that never talk over each other."""
        return [e for e in self if e.early or (e.what == COLLISION and not e.accident)]
