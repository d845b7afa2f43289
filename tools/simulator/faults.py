"""What goes wrong on a line, when, and how often: drawn by chance or ordered by a test."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Where = Literal["response", "request"]

LINE_FAULTS: Mapping[str, str] = {
    "no_response": "the BMS does what it was asked for but says nothing",
    "late": "the response comes up to two seconds late, after whatever was asked before it",
    "truncated": "the end of a frame is missing",
    "bit_flips": "one to three bits are wrong",
    "inserted_bytes": "one to three bytes too many, somewhere inside",
    "lost_bytes": "one to three bytes are missing, somewhere inside",
    "doubled_bytes": "a byte is there twice",
    "doubled_response": "the whole response comes twice, the second at once behind the first",
    "noise": "noise before, between or after the frames",
    "false_start": "a false STX with a long LEN in front of the good response",
    "other_address": "a response from another BMS, instead of ours or in front of it",
    "other_master": "another master asks, and is answered, near our exchange or amid it",
    "restart": "the BMS restarts in mid-response and is silent for some time",
}
SET_FAULTS: Mapping[str, str] = {
    "set_lost": "the set was taken, its SET is lost",
    "set_refused": "ERROR1, and the old value stays",
    "set_ignored": "SET is said, but the old value stays",
    "set_clamped": "SET is said, but another value is kept",
    "set_unheard": "the set never reaches the BMS",
}
ABOUT: Mapping[str, str] = {**LINE_FAULTS, **SET_FAULTS}
DAMAGES = ("truncated", "bit_flips", "inserted_bytes", "lost_bytes", "doubled_bytes")
"""Faults of bytes, which can strike a request as well as a response."""

_SHARE_ON_REQUESTS = 0.2
"""How many of the damages drawn by chance strike the request."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault for one exchange. What it does not say is drawn by chance.

    `seconds`: how late, or how long a restart takes. `where`: for damages and `no_response`, the
    response or the request (which then is not heard). `place`: for `noise` "before", "between" or
    "after" the frames; for `other_master` "between" our request and our response, "around" (their
    request in between, their response behind ours) or "after"; for `other_address` "instead" or
    "before". `value`: for `set_clamped`, what is kept. `instruction`, `address`: strikes only
    those exchanges.
    """

    name: str
    seconds: float | None = None
    where: Where = "response"
    place: str | None = None
    value: float | None = None
    instruction: str | None = None
    address: int | None = None

    def fits(self, address: int, payload: bytes) -> bool:
        """Tell whether this fault can strike an exchange."""
        code = payload[:4].decode("latin-1")
        return (
            self.instruction in (None, code)
            and self.address in (None, address)
            and (self.name not in SET_FAULTS or payload[4:5] == b" ")
        )


@dataclass
class Faults:
    """Which exchange is struck by what.

    `shares` is how many of the exchanges (of the sets, for `set_…`) each fault strikes, 0 to 1;
    an exchange has one fault at most, so the shares of a kind add up to 1 at most. `late` and
    `restart` are the bounds in s between which delays are drawn. `counts` tells what struck.
    """

    shares: dict[str, float] = field(default_factory=dict)
    seed: int = 0
    late: tuple[float, float] = (0.1, 1.9)
    restart: tuple[float, float] = (0.5, 2.0)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._ordered: list[Fault] = []
        self.set_shares(self.shares)

    def set_shares(self, shares: Mapping[str, float]) -> None:
        """Replace the shares; raise ValueError for an unknown fault or shares over 1."""
        for name, share in shares.items():
            _check(name)
            if not 0 <= share <= 1:
                msg = f"the share of {name} is {share}, not between 0 and 1"
                raise ValueError(msg)
        for kind in (LINE_FAULTS, SET_FAULTS):
            if sum(share for name, share in shares.items() if name in kind) > 1 + 1e-9:
                msg = "the shares of all faults add up to more than 1"
                raise ValueError(msg)
        self.shares = dict(shares)

    def next(
        self,
        name: str,
        count: int = 1,
        *,
        seconds: float | None = None,
        where: Where = "response",
        place: str | None = None,
        value: float | None = None,
        instruction: str | None = None,
        address: int | None = None,
    ) -> None:
        """Let the next exchange, or the next `count` of them, be struck (see `Fault`)."""
        _check(name)
        fault = Fault(name, seconds, where, place, value, instruction, address)
        self._ordered += [fault] * count

    @property
    def waiting(self) -> list[Fault]:
        """The ordered faults that have not struck yet."""
        return list(self._ordered)

    def clear(self) -> None:
        """Take back all ordered faults and all shares; the counts stay."""
        self._ordered.clear()
        self.shares = {}

    def draw(self, address: int, payload: bytes) -> Fault | None:
        """Return what strikes an exchange, ordered faults first."""
        for index, fault in enumerate(self._ordered):
            if fault.fits(address, payload):
                del self._ordered[index]
                break
        else:
            found = self._by_chance(payload)
            if found is None:
                return None
            fault = found
        self.counts[fault.name] += 1
        return fault

    def _by_chance(self, payload: bytes) -> Fault | None:
        if payload[4:5] == b" ":
            fault = self._pick(SET_FAULTS)
            if fault is not None:
                return fault
        return self._pick(LINE_FAULTS)

    def _pick(self, kind: Mapping[str, str]) -> Fault | None:
        if not self.shares:
            return None
        left = self.rng.random()
        for name, share in self.shares.items():
            if name not in kind:
                continue
            left -= share
            if left < 0:
                struck = name in DAMAGES and self.rng.random() < _SHARE_ON_REQUESTS
                return Fault(name, where="request" if struck else "response")
        return None

    def delay(self, fault: Fault) -> float:
        """Return for how many s a fault delays a response or keeps a BMS away."""
        if fault.seconds is not None:
            return fault.seconds
        return self.rng.uniform(*(self.restart if fault.name == "restart" else self.late))


def _check(name: str) -> None:
    if name not in ABOUT:
        msg = f"no fault is called {name!r}; there are: {', '.join(ABOUT)}"
        raise ValueError(msg)


def damage(fault: str, data: bytes, rng: random.Random) -> bytes:
    """Return bytes as they arrive when one of `DAMAGES` strikes them."""
    changed = bytearray(data)
    times = rng.randint(1, 3)
    if fault == "truncated":
        return data[: rng.randrange(1, len(data))]
    if fault == "bit_flips":
        for bit in rng.sample(range(8 * len(data)), times):
            changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)
    for _ in range(1 if fault == "doubled_bytes" else times):
        at = rng.randrange(len(changed))
        if fault == "inserted_bytes":
            changed.insert(at, rng.randrange(256))
        elif fault == "doubled_bytes":
            changed.insert(at, changed[at])
        elif len(changed) > 1:
            del changed[at]
    return bytes(changed)


def damage_one(fault: str, frames: list[bytes], rng: random.Random) -> list[bytes]:
    """Return a response's frames with one of them damaged."""
    struck = rng.randrange(len(frames))
    return [
        damage(fault, frame, rng) if index == struck else frame
        for index, frame in enumerate(frames)
    ]


def noise(rng: random.Random) -> bytes:
    """Return some bytes of noise; some of them look like the start of a frame."""
    made = bytearray(rng.randbytes(rng.randint(1, 20)))
    if rng.random() < 0.4:
        made[rng.randrange(len(made))] = 0x55
    return bytes(made)


def with_noise(frames: list[bytes], place: str | None, rng: random.Random) -> list[bytes]:
    """Return a response's frames with noise before, between or after them."""
    places = ("before", "between", "after") if len(frames) > 1 else ("before", "after")
    chosen = place or rng.choice(places)
    if chosen == "before":
        return [noise(rng), *frames]
    if chosen == "between" and len(frames) > 1:
        return [frames[0], noise(rng), *frames[1:]]
    return [*frames, noise(rng)]


def false_start(rng: random.Random) -> bytes:
    """Return the head of a frame that never comes, with a long LEN."""
    return bytes((0x55, 0, rng.randrange(16), rng.randrange(100, 256)))
