"""What goes wrong with what a WiFi module pushes, when, and how often: by chance or ordered."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

ABOUT: Mapping[str, str] = {
    "lost": "the message is not sent",
    "truncated": "the end of the JSON text is missing",
    "nulls": "some values are null",
    "strings": "some numbers come as texts",
    "missing_keys": "some keys are missing",
    "impossible": "some numbers cannot be: 1e999, 9999999, -9999999, the text NaN",
    "long_integers": "some numbers are integers of 20, 400 or 5000 digits",
    "doubled": "the message comes twice",
    "binary": "a binary frame of noise in place of the message",
    "too_long": "the message is longer than 256 kB",
    "broken_frame": "bytes that are no WebSocket frame in place of the message",
    "connection_lost": "all connections break off in place of the message",
    "stall": "the module hangs for some time: it pushes nothing and answers no ping",
}
TOO_LONG = 256 * 1024
"""Bytes that a message of the fault `too_long` exceeds."""

_IMPOSSIBLE = ("@1e999@", "@-1e999@", 9999999, -9999999, "NaN")
_DIGITS = (20, 400, 5000)
_RAW = re.compile(r'"@(.*?)@"')
"""A value that is to stand in the JSON text as it is, though no Python value is written so."""


class WifiFaults:
    """Which of a module's messages is struck by what.

    `shares` is how many of the messages each fault strikes, 0 to 1, together 1 at most. `stall` is
    between which s a stall lasts. `counts` tells what struck.
    """

    def __init__(
        self,
        shares: Mapping[str, float] | None = None,
        seed: int = 0,
        stall: tuple[float, float] = (5.0, 120.0),
    ) -> None:
        self.shares: dict[str, float] = {}
        self.stall = stall
        self.counts: Counter[str] = Counter()
        self._rng = random.Random(seed)
        self._ordered: list[str] = []
        self.set_shares(shares or {})

    def set_shares(self, shares: Mapping[str, float]) -> None:
        """Replace the shares; raise ValueError for an unknown fault or shares over 1."""
        for name, share in shares.items():
            _check(name)
            if not 0 <= share <= 1:
                msg = f"the share of {name} is {share}, not between 0 and 1"
                raise ValueError(msg)
        if sum(shares.values()) > 1 + 1e-9:
            msg = "the shares of all WiFi faults add up to more than 1"
            raise ValueError(msg)
        self.shares = dict(shares)

    def next(self, name: str, count: int = 1) -> None:
        """Let the next message, or the next `count` of them, be struck."""
        _check(name)
        self._ordered += [name] * count

    def clear(self) -> None:
        """Take back all ordered faults and all shares; the counts stay."""
        self._ordered.clear()
        self.shares = {}

    def draw(self) -> str | None:
        """Return what strikes a message, ordered faults first, None for nothing."""
        name = self._ordered.pop(0) if self._ordered else self._by_chance()
        if name is not None:
            self.counts[name] += 1
        return name

    def _by_chance(self) -> str | None:
        if not self.shares:
            return None
        left = self._rng.random()
        for name, share in self.shares.items():
            left -= share
            if left < 0:
                return name
        return None

    def stall_for(self) -> float:
        """Return for how many s the module hangs."""
        return self._rng.uniform(*self.stall)

    def broken_frame(self) -> bytes:
        """Return bytes that are no frame: reserved bits are set, and a reserved opcode."""
        return b"\xff\x7f" + self._rng.randbytes(20)

    def spoilt(self, fault: str | None, message: str) -> list[str | bytes]:
        """Return what is pushed in place of a message when a fault of its content strikes."""
        match fault:
            case None:
                return [message]
            case "lost":
                return []
            case "doubled":
                return [message, message]
            case "truncated":
                return [message[: self._rng.randrange(1, len(message))]]
            case "binary":
                return [self._rng.randbytes(self._rng.randint(1, 2000))]
            case "too_long":
                return [f'{message[:-1]},"pad":"{"x" * TOO_LONG}"}}']
            case _:
                return [self._with_other_values(fault, message)]

    def _with_other_values(self, fault: str, message: str) -> str:
        parsed = json.loads(message)
        numbers_only = fault not in ("missing_keys", "nulls")
        places = list(_places(parsed, numbers_only=numbers_only))
        for place, key in self._rng.sample(places, min(len(places), self._rng.randint(1, 4))):
            if fault == "missing_keys":
                place.pop(key, None)
            else:
                place[key] = self._instead_of(fault, place[key])
        return _RAW.sub(r"\1", json.dumps(parsed, separators=(",", ":")))

    def _instead_of(self, fault: str, value: object) -> str | int | None:
        """Return what stands in place of a value."""
        match fault:
            case "nulls":
                return None
            case "strings":
                return str(value)
            case "impossible":
                return self._rng.choice(_IMPOSSIBLE)
            case _:
                return f"@{self._rng.choice(('', '-'))}{'9' * self._rng.choice(_DIGITS)}@"


def _check(name: str) -> None:
    if name not in ABOUT:
        msg = f"no WiFi fault is called {name!r}; there are: {', '.join(ABOUT)}"
        raise ValueError(msg)


def _places(value: Any, *, numbers_only: bool) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where in a message something stands: a number, or anything."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _places(inner, numbers_only=numbers_only)
        if not numbers_only or isinstance(inner, (int, float)):
            yield value, key
