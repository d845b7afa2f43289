"""The lines that a soak runs: what is on each, and what may be wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import cast

from tools.simulator import BMS, Entry, Faults, Line, Log
from tools.simulator.log import COLLISION
from tools.simulator.presets import MODELS
from tools.testkit.memory_port import Port

from .bms import SignedBms

LINE_SHARES = {
    "no_response": 1,
    "late": 3,
    "truncated": 1,
    "bit_flips": 2,
    "inserted_bytes": 1,
    "lost_bytes": 1,
    "doubled_bytes": 1,
    "doubled_response": 2,
    "noise": 2,
    "false_start": 1,
    "other_address": 1,
    "other_master": 3,
    "restart": 1,
}
"""How often each fault strikes, compared with the others."""
NEVER_SENT = ("ERLD", "ERRL", "MODE")
"""Instructions that nothing may send by itself."""
SET_SHARES = {
    "set_lost": 0.06,
    "set_refused": 0.04,
    "set_ignored": 0.04,
    "set_clamped": 0.04,
    "set_unheard": 0.06,
}


def shares(faulty: float) -> dict[str, float]:
    """Return the share of each fault such that so many exchanges are faulty in all."""
    total = sum(LINE_SHARES.values())
    return {**{name: faulty * part / total for name, part in LINE_SHARES.items()}, **SET_SHARES}


@dataclass(frozen=True, slots=True)
class Unit:
    """A BMS of a line: its address, the cells of each unit, one frame for all of them or not.

    `lacks` are codes that it does not know, to which it answers an error if it `refuses`.
    """

    address: int
    cells: tuple[int, ...]
    single: bool = False
    lacks: frozenset[str] = frozenset()
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A line: what is on it and how it is."""

    name: str
    units: tuple[Unit, ...]
    baud: int = 56000
    echo: bool = False
    other_master: int = 0
    """The address that another master asks from; 0 is ours."""
    latency: float = 0.0
    """Seconds for which the adapter holds bytes back, as FTDI's do."""
    turnaround: float = 0.015
    scan_interval: int = 10


_OLDER = MODELS["1q"].lacks
_ACTIVE = MODELS["active"].lacks
_HALF = frozenset(sorted(_OLDER)[::2])

PLANS = (
    Plan("a 1Q with 14 cells", (Unit(1, (14,)),)),
    Plan("an adapter that echoes", (Unit(2, (4,)),), baud=38400, echo=True, scan_interval=5),
    Plan("three BMSs", (Unit(1, (14,)), Unit(2, (8,)), Unit(3, (16,)))),
    Plan("15 units of 15 cells", (Unit(16, (15,) * 15),), baud=115200, scan_interval=20),
    Plan("four units in one frame", (Unit(1, (14,) * 4, single=True),), baud=115200),
    Plan(
        "four units and one, echo, another master at 14",
        (Unit(1, (14, 7, 16, 9)), Unit(5, (4,))),
        echo=True,
        other_master=14,
    ),
    Plan("a slow USB adapter", (Unit(1, (14,)),), latency=0.016),
    Plan("a quick BMS", (Unit(1, (16,)),), baud=115200, turnaround=0.003, scan_interval=2),
    Plan(
        "an Active BMS beside one that knows nothing newer",
        (Unit(2, (4,), lacks=_ACTIVE), Unit(1, (14,), lacks=_OLDER)),
        baud=115200,
    ),
    Plan(
        "two that answer what they do not know with an error",
        (
            Unit(6, (8,), lacks=_ACTIVE | _HALF, refuses=True),
            Unit(1, (14,), lacks=_OLDER, refuses=True),
        ),
    ),
)


class Scenario:
    """A line with its BMSs, running in the present loop."""

    def __init__(self, plan: Plan, number: int, seed: int, faulty: float) -> None:
        """Start what is on the line."""
        self.plan = plan
        self.port = Port(f"line-{number}", plan.latency)
        self.bms = {
            unit.address: SignedBms(
                unit.address,
                unit.cells,
                single=unit.single,
                seed=seed + unit.address,
                lacks=unit.lacks,
                refuses=unit.refuses,
            )
            for unit in plan.units
        }
        self.faults = Faults(shares(faulty), seed)
        self.log = Log(keep=2_000)
        self.requests = 0
        self.sets: Counter[int] = Counter()
        """How many sets the wire carried, by address."""
        self.never_sent = 0
        """How often it carried what must not be sent."""
        self.overlaps: list[str] = []
        self._counted = 0
        self.log.listeners.append(self._count)
        self.line = Line(
            cast("list[BMS]", [*self.bms.values()]),
            self.port.write,
            baud=plan.baud,
            turnaround=plan.turnaround,
            echo=plan.echo,
            faults=self.faults,
            seed=seed,
            log=self.log,
        )
        self.line.other_master = plan.other_master
        self.port.line = self.line

    def _count(self, entry: Entry) -> None:
        """Count an entry once, whatever becomes of it."""
        if entry.number <= self._counted or entry.by_other_master or entry.address < 0:
            return
        self._counted = entry.number
        self.requests += 1
        self.sets[entry.address] += entry.is_set
        self.never_sent += entry.instruction in NEVER_SENT
        # What a slow adapter holds back cannot be known when a request is sent.
        if entry.what == COLLISION and not entry.accident and not self.plan.latency:
            before = "\n    ".join(str(each) for each in [*self.log][-6:])
            self.overlaps.append(f"{self.plan.name}: a request ran into another\n    {before}")

    async def close(self) -> None:
        """Stop what is on the line."""
        await self.line.close()
