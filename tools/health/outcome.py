"""What was found in one battery's life and what was true then, in plain types for processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from .cases import Case


@dataclass(frozen=True, slots=True)
class Capacity:
    """A measured capacity, its uncertainty and the truth in Ah, after so many days."""

    measured: float
    uncertainty: float
    true: float
    sensor_gain: float
    days: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What the diagnosis said of a day and what was true; the cells as unit and cell from 1."""

    said: str
    said_cell: tuple[int | None, int | None]
    said_imbalance: float | None
    true: str
    true_cell: tuple[int, int]
    true_imbalance: float
    days: float


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step of resistance that was found: unit and cell from 1, h of use since it came loose."""

    cell: tuple[int, int]
    hours_of_use: float
    days: float


@dataclass(frozen=True, slots=True)
class Drifted:
    """The most drifting cell at the end of a life, unit and cell from 1, in V a month."""

    cell: tuple[int, int]
    volts_a_month: float


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset that was found and the true one, in A."""

    found: float
    true: float
    days: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that was found and the true one within the hour before it, fractions."""

    found: float
    true: float | None
    days: float


@dataclass(slots=True)
class Outcome:
    """All that one life brought."""

    case: Case
    true_cell: tuple[int, int]
    loose_after: float = 0.0
    """Days after which its busbar, where it has such a one, comes loose."""
    years: float = 0.0
    polls: int = 0
    restarts: int = 0
    gaps: int = 0
    capacities: list[Capacity] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    steps: list[Stepped] = field(default_factory=list)
    hours_of_use_loose: float = 0.0
    drifted: Drifted | None = None
    offsets: list[Offset] = field(default_factory=list)
    corrections: list[Corrected] = field(default_factory=list)
    true_fulls: int = 0
    drifts_said: bool = False
    drifts_true: bool = False
    lifetime: dict[str, tuple[float | None, float]] = field(default_factory=dict)
    """What was added up over a life, and what the sensor told of while the BMS was heard, in Ah."""
    kept: int = 0
    """Bytes of memory as JSON at the end."""
    seconds: float = 0.0
    seconds_in_health: float = 0.0
