"""Random readings and settings on a line where much goes wrong, compared with the truth."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from conftest import Connect, Simulate, read

from custom_components.rec_bms.protocol.errors import (
    IncoherentError,
    NoResponseError,
    NotTakenError,
    ReadsBackDifferentlyError,
    RefusedError,
    UnverifiedError,
)
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, INSTRUCTIONS, Instruction
from tools.simulator.faults import LINE_FAULTS, SET_FAULTS
from tools.simulator.figures import float32
from tools.testkit.simulator_in_memory import SimulatorInMemory

LINES = 10
EXCHANGES = 45
"""On each line."""

# None of them moves a reading, so that the truth is still the same when a response came late.
CHANGED = {
    "MAXH": (0.01, 0.2, 3),
    "MINH": (0.01, 0.2, 3),
    "CHIS": (0.01, 0.2, 3),
    "SOCH": (0.01, 0.5, 3),
    "BMTH": (1, 10, 1),
    "CMAX": (4.1, 4.3, 3),
    "CLOW": (3.2, 3.5, 3),
    "CANF": (1, 2, 0),
}
# A response twice is told by its coming at once, which threads on a busy machine do not keep to:
# test_line.py has it, with both in one piece.
STRIKING = sorted(set(LINE_FAULTS) - {"doubled_response"})

NOT_SET = (RefusedError, NotTakenError, ReadsBackDifferentlyError)


class Trial:
    """One line, its faults and what came of them."""

    def __init__(self, sim: SimulatorInMemory, client: Client, seed: int) -> None:
        self.sim = sim
        self.client = client
        self.random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[object] = []

    async def run(self) -> None:
        for _ in range(EXCHANGES):
            if self.random.random() < 0.25:
                await self.change(self.random.choice(list(CHANGED)))
            else:
                await self.read(self.random.choice(INSTRUCTIONS))

    async def read(self, row: Instruction) -> None:
        try:
            reading = await read(self.client, row)
        except NoResponseError:
            self.outcomes["not read"] += 1
            return
        self.outcomes["read"] += 1
        response = self.sim.call(self.sim.bms[1].respond, row.query)
        assert response is not None
        if reading != (truth := decode(row, tuple(response))):
            self.wrong.append((row.code, reading, truth))

    async def change(self, code: str) -> None:
        low, high, digits = CHANGED[code]
        value = round(self.random.uniform(low, high), digits)
        try:
            result = await self.client.set(BY_CODE[code], value, hindrance=lambda: None)
        except NOT_SET as err:
            self.outcomes[type(err).__name__] += 1
            self.compare(code, err.current)
        except (UnverifiedError, NoResponseError, IncoherentError) as err:
            self.outcomes[type(err).__name__] += 1
        else:
            self.outcomes["set"] += 1
            self.compare(code, result.read_back)
            if self.kept(code) != pytest.approx(float32(value)):
                self.wrong.append((code, "set", value, self.kept(code)))

    def compare(self, code: str, said: float) -> None:
        if said != pytest.approx(self.kept(code), rel=1e-4):
            self.wrong.append((code, "said", said, self.kept(code)))

    def kept(self, code: str) -> float:
        return self.sim.bms[1].settings[code]


def all_faults(share: float) -> dict[str, float]:
    lines = {name: share / len(STRIKING) for name in STRIKING}
    return lines | {name: share / len(SET_FAULTS) for name in SET_FAULTS}


async def test_under_all_faults_at_once_a_value_is_right_or_absent(
    simulate: Simulate, connect: Connect
) -> None:
    trials = []
    for seed in range(LINES):
        sim = simulate(seed=seed, turnaround=0.004, faults=all_faults(0.25), echo=seed % 5 == 0)
        sim.faults.restart = (0.2, 0.8)
        trials.append(Trial(sim, Client(connect(sim.port), 1), seed))
    await asyncio.gather(*(trial.run() for trial in trials))

    outcomes = sum((trial.outcomes for trial in trials), Counter())
    struck = sum((trial.sim.faults.counts for trial in trials), Counter())
    assert [wrong for trial in trials for wrong in trial.wrong] == []
    assert sum(outcomes.values()) == LINES * EXCHANGES
    assert outcomes["read"] > 10 * outcomes["not read"]
    assert outcomes["set"] > outcomes["UnverifiedError"]
    assert set(struck) >= set(STRIKING)
    for trial in trials:
        assert not trial.sim.log.overlaps
        for entry in trial.sim.log.sets:
            row = BY_CODE[entry.instruction]
            assert row.minimum is not None
            assert row.maximum is not None
            assert row.minimum <= float(entry.payload[5:]) <= row.maximum


@pytest.mark.parametrize("fault", STRIKING)
async def test_each_fault_by_itself_is_survived(
    sim: SimulatorInMemory, client: Client, fault: str
) -> None:
    sim.faults.next(fault, seconds=0.5)
    for code in ("CMAX", "CMIN", "CHEM", "CELL", "LCD1"):
        response = sim.call(sim.bms[1].respond, BY_CODE[code].query)
        assert response is not None
        assert await read(client, BY_CODE[code]) == decode(BY_CODE[code], tuple(response))
    assert sim.faults.counts[fault] == 1
    assert not sim.log.overlaps


@pytest.mark.parametrize("place", ["between", "around", "after"])
async def test_another_master_at_any_moment_is_survived(
    simulate: Simulate, connect: Connect, place: str
) -> None:
    """Whatever it asks, also what we ask ourselves; several lines, since it asks at random."""

    async def trial(seed: int) -> None:
        sim = simulate(seed=seed)
        client = Client(connect(sim.port), 1)
        await read(client, BY_CODE["CYCL"])
        for code, following in (("CMAX", "CMIN"), ("CYCL", "VMAX"), ("CELL", "RINT")):
            sim.faults.next("other_master", place=place)
            for each in (code, following):
                response = sim.call(sim.bms[1].respond, BY_CODE[each].query)
                assert response is not None
                assert await read(client, BY_CODE[each]) == decode(BY_CODE[each], tuple(response))

    await asyncio.gather(*(trial(seed) for seed in range(8)))
