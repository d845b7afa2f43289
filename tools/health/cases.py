"""The batteries that are looked at: what each is made of, what is wrong with it, who uses it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from tools.simulator import BMS
from tools.simulator.battery import Cell, LooseBusbar
from tools.simulator.bms import CurrentSensor
from tools.simulator.chemistry import CHEMISTRIES, Chemistry

from .owners import OWNERS, Owner

MONTH = 30.44 * 86400.0


class Fault(StrEnum):
    """What is wrong with a battery."""

    NONE = "healthy"
    WEAK = "weak cell"
    UNBALANCED = "unbalanced"
    LOOSE = "loose busbar"
    OFFSET = "false current"
    LEAKING = "leaking cell"
    FADED = "faded"


_A_ROUND = (
    *(Fault.NONE, Fault.WEAK, Fault.LOOSE, Fault.UNBALANCED, Fault.NONE),
    *(Fault.OFFSET, Fault.NONE, Fault.LEAKING, Fault.WEAK, Fault.LOOSE),
    *(Fault.NONE, Fault.UNBALANCED, Fault.FADED, Fault.NONE, Fault.OFFSET),
    *(Fault.LOOSE, Fault.WEAK, Fault.NONE, Fault.LEAKING, Fault.UNBALANCED),
)
"""Twenty batteries of a chemistry."""
_PRESETS = {1: "kokam-power", 2: "kokam", 3: "lifepo4", 4: "lifepo4-a123", 5: "limno2"}
_IRON = (3, 4)
_NEAR_EMPTY, _NEAR_FULL = 0.05, 0.9
"""States of charge below and above which a curve falls off and rises."""


@dataclass(frozen=True, slots=True)
class Case:
    """One battery's life: CHEM, what is wrong, who uses it, days, and the seed of its luck."""

    chemistry: int
    fault: Fault
    owner: str
    days: float
    seed: int

    def __str__(self) -> str:
        """Name it so that it can be found again."""
        return f"CHEM {self.chemistry}, {self.fault}, {self.owner}, seed {self.seed}"


@dataclass(slots=True)
class Made:
    """A case as simulated: what is wrong at which cell (unit and cell from 1), from when (s)."""

    case: Case
    owner: Owner
    bms: BMS
    rng: random.Random
    unit: int
    cell: int
    loose_since: float


def cases(chemistries: list[int], batteries: int, days: float, seed: int) -> list[Case]:
    """Return so many batteries of each chemistry; owners and faults meet in every combination."""
    owners = list(OWNERS)
    return [
        Case(
            chemistry,
            _A_ROUND[number % len(_A_ROUND)],
            owners[(number + number // len(owners) + place) % len(owners)],
            days,
            seed * 100_000 + chemistry * 1000 + number,
        )
        for number in range(batteries)
        for place, chemistry in enumerate(chemistries)
    ]


def make(case: Case) -> Made:
    """Build a case's battery and its BMS."""
    rng = random.Random(case.seed)
    iron = case.chemistry in _IRON
    cells = rng.choice((4, 4, 8) if iron else (7, 7, 14))
    preset = _PRESETS[case.chemistry]
    usual = BMS(preset=preset, time_factor=0).settings["CAPA"]
    capa = float(rng.choice((100, 160, 200, 320, 450)))
    owner = Owner(case.owner, case.seed, rng.randrange(365))
    bms = BMS(
        preset=preset,
        cells=[cells, cells] if rng.random() < 0.15 and cells < 8 else cells,
        settings={"CAPA": capa},
        scenario=owner,
        time_factor=0,
        noise=True,
        seed=case.seed,
    )
    made = Made(
        case,
        owner,
        bms,
        rng,
        rng.randint(1, len(bms.battery.units)),
        rng.randint(1, cells),
        case.days * 86400 * rng.uniform(0.3, 0.6),
    )
    _differ_as_real_ones_do(made, capa, usual)
    _break(made, capa)
    return made


def _differ_as_real_ones_do(made: Made, capa: float, usual: float) -> None:
    """Have cells, converters and sensor differ as those of a sound battery do."""
    bms, rng = made.bms, made.rng
    bms.cell_noise = rng.uniform(0.7e-3, 1.3e-3)
    bms.current_sensor = CurrentSensor(_within(rng, 0.02), 1 + _within(rng, 0.004))
    bms.battery.relaxation = rng.uniform(0.4, 1.0)
    holds = capa * rng.uniform(0.97, 1.03)
    curve = _curve(rng, CHEMISTRIES[made.case.chemistry])
    leaks = capa * rng.uniform(0.01, 0.02) / (MONTH / 3600)
    missing = rng.uniform(0.1, 0.5)
    for unit in bms.battery.units:
        unit.doubles_within = rng.uniform(21, 30)
        for cell in unit.cells:
            cell.chemistry = curve
            cell.capacity = holds * (1 + _within(rng, 0.007))
            cell.resistance *= usual / capa
            cell.offset = _within(rng, 0.0005)
            cell.leak = leaks * (1 + _within(rng, 0.1))
            cell.fade = rng.uniform(0.01, 0.03)
            _lack(cell, capa * (missing + _within(rng, 0.003)))
    bms.charge = 1 - missing
    bms.consumed = missing * capa


def _curve(rng: random.Random, usual: Chemistry) -> Chemistry:
    """Return the curve of another maker's cells: others near empty, some mV off in the middle."""
    stretched, volts = rng.uniform(0.8, 1.25), _within(rng, 0.003)
    return Chemistry(
        usual.number,
        usual.name,
        [charge * stretched if 0 < charge <= _NEAR_EMPTY else charge for charge in usual.charges],
        [
            one + volts if _NEAR_EMPTY < charge < _NEAR_FULL else one
            for charge, one in zip(usual.charges, usual.volts, strict=True)
        ],
    )


def _break(made: Made, capa: float) -> None:
    """Do what is wrong with this one."""
    bms, rng = made.bms, made.rng
    cell = bms.battery.cell(made.unit, made.cell)
    match made.case.fault:
        case Fault.WEAK:
            lacks = (1 - cell.charge) * cell.capacity
            cell.capacity *= rng.uniform(0.7, 0.88)
            _lack(cell, lacks * rng.uniform(0.85, 1.0))
        case Fault.UNBALANCED:
            lacks = (1 - cell.charge) * cell.capacity
            _lack(cell, lacks + capa * rng.uniform(0.06, 0.15))
            _balance_maybe(made)
        case Fault.LOOSE:
            ohms = cell.resistance * rng.uniform(3, 10)
            since = bms.battery.time + made.loose_since
            bms.battery.loose.append(LooseBusbar(made.unit, made.cell, since, ohms, made.case.seed))
        case Fault.OFFSET:
            bms.current_sensor.offset = rng.choice((-1, 1)) * rng.uniform(0.5, 2.0)
        case Fault.LEAKING:
            cell.leak += capa * rng.uniform(0.03, 0.08) / (MONTH / 3600)
            _balance_maybe(made)
        case Fault.FADED:
            for each in bms.battery.cells:
                lacks = (1 - each.charge) * each.capacity
                each.capacity *= 0.78
                _lack(each, lacks)


def _balance_maybe(made: Made) -> None:
    """Have half of the batteries balanced; the others' BMSs begin at a voltage never reached."""
    if made.rng.random() < 0.5:
        made.bms.settings["BMIN"] = made.bms.settings["BVOL"] = 4.3


def _lack(cell: Cell, hours: float) -> None:
    """Take so many Ah out of a full cell."""
    cell.charge = 1 - hours / cell.capacity


def _within(rng: random.Random, deviation: float) -> float:
    """Return luck around nought, never beyond two and a half standard deviations."""
    return min(max(rng.gauss(0, deviation), -2.5 * deviation), 2.5 * deviation)
