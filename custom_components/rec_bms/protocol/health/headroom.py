"""How far the first cell is from the limit at which the BMS steps in.

The limits are the BMS's own, by what the instructions are said to mean: it stops charging above
CMAX and discharging below CMIN, and below CLOW it asks the inverters to stop discharging.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, linear_regression

from ..bms import Update
from ..energy import in_grains
from ..state import State

_WINDOW = 900.0
_SHORTEST = 300.0
_FEWEST = 5
_APART = 5.0
"""Seconds. Who is told more often learns nothing more of a slope, and would reckon for longer."""
_FEWEST_VOLTS = 0.005
"""A cell's voltage is told to 1 mV and is off by one or two: less is no slope."""
_STANDARD_ERRORS = 4.0
_LONGEST_HOURS = 24.0
_SAME_AMPERES = 1.0
_SAME_SHARE = 0.2
"""What the current may change by: a load that comes and goes makes a step, which is no slope."""


class Side(StrEnum):
    """At which end the limit is: what the highest, or the lowest, cell comes to."""

    HIGH = "high"
    LOW = "low"

    @property
    def limits(self) -> tuple[str, ...]:
        """The settings in which the BMS has its limits at this end."""
        return ("cmax",) if self is Side.HIGH else ("cmin", "clow")

    def first_cell(self, state: State) -> float | None:
        """Return the voltage of the cell that comes to a limit first, in V."""
        return state.max_cell_voltage if self is Side.HIGH else state.min_cell_voltage


@dataclass(frozen=True, slots=True)
class Headroom:
    """V to a limit, which is a setting's key; negative beyond it.

    `minutes` says in how many it is reached at the present slope, None where no slope can be told.
    """

    volts: float
    limit: str
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    volts: float
    amperes: float


class HeadroomWatch:
    """Follows one end of one battery from update to update.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    """

    def __init__(self, side: Side, longest_gap: float) -> None:
        self.headroom: Headroom | None = None
        """None while the cell or a limit is not known."""
        self._side = side
        self._longest_gap = longest_gap
        self._limits: set[str] = set()
        self._samples: deque[_Sample] = deque()

    def add(self, update: Update) -> None:
        """Take what the BMS told last."""
        state = update.state
        # A limit that was told once is there, also while it is not told: the other is further away.
        self._limits.update(filter(state.has, self._side.limits))
        self._keep(update)
        distances = self._distances(state)
        if distances is None:
            self.headroom = None
            return
        limit, volts = min(distances.items(), key=lambda item: item[1])
        self.headroom = Headroom(volts, limit, self._minutes(volts))

    def _distances(self, state: State) -> dict[str, float] | None:
        """Return the V to each limit; None unless all are known."""
        cell = self._side.first_cell(state)
        # In the order of the table: of two that are equal it is always the same one.
        limits = filter(self._limits.__contains__, self._side.limits)
        told = {key: state.settings.get(key) for key in limits}
        known = {key: volts for key, volts in told.items() if volts is not None}
        if cell is None or not known or len(known) < len(told):
            return None
        sign = 1 if self._side is Side.HIGH else -1
        return {key: sign * (volts - cell) for key, volts in known.items()}

    def _keep(self, update: Update) -> None:
        """Keep the samples of the last minutes that belong together."""
        cell, amperes = self._side.first_cell(update.state), update.state.current
        if cell is None or amperes is None:
            self._samples.clear()
            return
        sample = _Sample(update.measured_at, cell, amperes)
        if self._samples and sample.at <= self._samples[-1].at:
            return
        if self._samples and not self._goes_on(sample, continuous=update.continuous):
            self._samples.clear()
        if self._samples and sample.at - self._samples[-1].at < _APART:
            return
        self._samples.append(sample)
        # Who is told seldom has to look longer.
        window = max(_WINDOW, _FEWEST * update.period)
        while self._samples[0].at < sample.at - window:
            self._samples.popleft()

    def _goes_on(self, sample: _Sample, *, continuous: bool) -> bool:
        """Tell whether the battery was heard since, and gives or takes what it did."""
        if sample.at - self._samples[-1].at > self._longest_gap and not continuous:
            return False
        before = fmean(each.amperes for each in self._samples)
        return abs(sample.amperes - before) <= max(_SAME_AMPERES, _SAME_SHARE * abs(before))

    def _minutes(self, volts: float) -> int | None:
        slope = self._slope()
        if slope is None or volts <= 0:
            return None
        hours = volts / slope / 3600
        return in_grains(hours) if hours <= _LONGEST_HOURS else None

    def _slope(self) -> float | None:
        """Return the V a s towards the limit; None unless it stands out from the noise."""
        samples = self._samples
        if len(samples) < _FEWEST or (span := samples[-1].at - samples[0].at) < _SHORTEST:
            return None
        times = [each.at - samples[0].at for each in samples]
        volts = [each.volts for each in samples]
        slope, start = linear_regression(times, volts)
        middle = fmean(times)
        left = sum((y - start - slope * x) ** 2 for x, y in zip(times, volts, strict=True))
        spread = sum((x - middle) ** 2 for x in times)
        error = math.sqrt(left / (len(samples) - 2) / spread)
        towards = slope if self._side is Side.HIGH else -slope
        if towards * span < _FEWEST_VOLTS or towards < _STANDARD_ERRORS * error:
            return None
        return towards
