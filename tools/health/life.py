"""One battery's life: the simulator ages, `Health` is told of it, and both are compared."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace

from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.health.record import Health
from tools.simulator.battery import DAY

from .cases import Case, Fault, Made, make
from .outcome import Capacity, Corrected, Drifted, Judged, Offset, Outcome, Stepped
from .readings import Reader
from .truth import left, truth

_EPOCH = 1_767_225_600.0
"""2026-01-01, UTC."""
_INTERVALS = (60.0, 120.0, 180.0, 300.0, 300.0, 300.0)
"""Seconds between polls."""
_LATE = 2.0
"""Seconds by which a poll comes late at most."""
_POLLS_IN_A_GAP = 3
"""As many scan intervals without a poll end what goes on (`longest_gap` of a line)."""
_RESTARTS_EVERY = 12 * DAY
_GAPS_EVERY = 20 * DAY
_CLOCK_SET_EVERY = 300 * DAY
_LONGEST_STEP = 300.0
_NEAR_FULL, _NEAR_EMPTY = 0.12, 0.15
"""V from CHAR and CLOW."""
_LARGE = 0.05
"""The fraction beyond which a correction is a large one."""
_SAME_CHARGE = 6 * 3600.0
"""s before the end of a charge in which a measurement that it closes may be made."""
_SAME_FULL = 3600.0
"""Seconds after which a correction that is found is not the last true one."""
_IN_USE = 0.02
"""C above which a current counts as use."""


@dataclass(slots=True)
class _Gap:
    """A time without polls, and whether Home Assistant was started anew at its end."""

    at: float
    seconds: float
    restart: bool


class Life:
    """Lets one battery age and keeps what is found and what is true."""

    def __init__(self, case: Case, interval: float | None = None) -> None:
        """Build the battery; `interval` in s is drawn where it is not given."""
        self.made = make(case)
        made = self.made
        self._rng = made.rng
        self._bms = made.bms
        self._battery = made.bms.battery
        self._reader = Reader(made.bms)
        self._fixed_interval = interval
        self._interval = interval or self._rng.choice(_INTERVALS)
        self._began = self._battery.time
        self._booted = self._began
        self._clock_ahead = 0.0
        self.health = Health(self._longest_gap)
        self.outcome = Outcome(case, (made.unit, made.cell), made.loose_since / DAY)
        self._watch = _Watch(self)
        self._gaps = self._plan_gaps(case.days * DAY)
        self._clock_set_at = self._rng.expovariate(1 / _CLOCK_SET_EVERY)
        self._next_day = 0.0
        self._continuous = False
        self.is_heard = True

    @property
    def _longest_gap(self) -> float:
        return _POLLS_IN_A_GAP * self._interval

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self._battery.time - self._began

    def run(self) -> Outcome:
        """Live to the end."""
        started = time.process_time()
        end = self.outcome.case.days * DAY
        while self.passed < end:
            if self._gaps and self.passed >= self._gaps[0].at:
                self._be_away(self._gaps.pop(0))
            self._let_pass(self._interval + self._rng.uniform(0, _LATE))
            self._poll()
            if self.passed >= self._next_day:
                self._next_day += DAY
                self._watch.judge()
        self._watch.end()
        self.outcome.years = self.passed / DAY / 365.25
        self.outcome.seconds = time.process_time() - started
        return self.outcome

    def _plan_gaps(self, seconds: float) -> list[_Gap]:
        """Return restarts of minutes, and gaps of hours or days, half of them with a restart."""
        gaps, at, rng = [], 0.0, self._rng
        while (at := at + rng.expovariate(1 / _RESTARTS_EVERY)) < seconds:
            gaps.append(_Gap(at, rng.uniform(30, 600), restart=True))
        at = 0.0
        while (at := at + rng.expovariate(1 / _GAPS_EVERY)) < seconds:
            hours = rng.choice((1, 3, 8, 30, 100)) * rng.uniform(0.5, 1.5)
            gaps.append(_Gap(at, hours * 3600, restart=rng.random() < 0.5))
        return sorted(gaps, key=lambda gap: gap.at)

    def _be_away(self, gap: _Gap) -> None:
        if gap.restart:
            self._restart()
        self.is_heard = False
        self._let_pass(gap.seconds)
        self.is_heard = True
        self.outcome.restarts += gap.restart
        self.outcome.gaps += not gap.restart
        self._continuous = False

    def _restart(self) -> None:
        """Keep what is known as JSON, and begin anew with it; the loop's clock begins anew too."""
        kept = json.loads(json.dumps(self.health.as_dict(), allow_nan=False))
        self._interval = self._fixed_interval or self._rng.choice(
            (self._interval, self._interval, self._rng.choice(_INTERVALS))
        )
        self.health = Health(self._longest_gap)
        self.health.restore(kept)
        self._reader = Reader(self._bms)
        self._booted = self._battery.time - self._rng.uniform(20, 100)
        self._watch.restarted()

    def _poll(self) -> None:
        now = self._battery.time
        if self.passed >= self._clock_set_at:
            self._clock_ahead = self._rng.choice((-1, 1)) * self._rng.uniform(30, 5400)
            self._clock_set_at += self._rng.expovariate(1 / _CLOCK_SET_EVERY)
        update = Update(
            state=self._reader.state(now),
            measured_at=now - self._booted,
            continuous=self._continuous,
            period=self._interval,
            duration=1.0,
            exchanges=8,
            repeated_exchanges=0,
            retries=0,
            line_errors=0,
        )
        started = time.thread_time()
        self.health.add(update, _EPOCH + now + self._clock_ahead)
        self.outcome.seconds_in_health += time.thread_time() - started
        self.outcome.polls += 1
        self._continuous = True
        self._watch.look()

    def _let_pass(self, seconds: float) -> None:
        battery, left = self._battery, seconds
        while left > 1e-6:
            step = min(left, self._step())
            battery.longest_step = step
            full = self._bms.guard.charge_ended
            counted = self._bms.charge
            battery.advance(step)
            left -= step
            self._watch.stepped(step, counted, was_full=full)

    def _step(self) -> float:
        """Return the s for which nothing changes much: least of all near an end of the curve.

        Between the ends a steady current moves charge evenly, however long the step is.
        """
        battery, keep = self._battery, self._bms.settings
        current = battery.current
        cells = [cell.open_circuit for unit in battery.units for cell in unit.cells]
        if current > 0 and max(cells) > keep["CHAR"] - _NEAR_FULL:
            return 10.0
        if current < 0 and min(cells) < keep["CLOW"] + _NEAR_EMPTY:
            return 20.0
        bleeding = [cell for unit in battery.units for cell in unit.cells if cell.bleed]
        return (
            60.0
            if bleeding
            else min(_LONGEST_STEP, self.made.owner.until_next_change(battery.time))
        )


class _Watch:
    """Compares with the truth what `Health` says, whenever it says something new."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._made: Made = life.made
        self._bms = life.made.bms
        self._measured: object = None
        self._capacity = math.nan
        """Ah that could be taken when the BMS last found the battery full."""
        self._last_correction: object = None
        self._steps: set[tuple[int, int]] = set()
        self._offset_found = False
        self._true_correction: float | None = None
        self._put_right_at = 0.0
        self._charged = self._discharged = 0.0
        """Ah that the sensor told of while the BMS was heard."""
        self._corrections: list[float] = []
        self._beyond = 0.0
        """Ah that the sensor told of after the BMS had counted 100 %, and before it was full."""

    def restarted(self) -> None:
        """Take what was restored for known."""
        health = self._life.health
        self._measured = health.capacity.measured
        self._last_correction = health.full.corrections[-1:]

    def stepped(self, seconds: float, counted: float, *, was_full: bool) -> None:
        """Note what the BMS did in a step: how it put its count right, and for how long in use."""
        bms, outcome = self._bms, self._life.outcome
        sensor = bms.current_sensor
        told = bms.battery.current * sensor.gain + sensor.offset
        if self._life.is_heard:
            self._charged += max(told, 0.0) * seconds / 3600
            self._discharged += max(-told, 0.0) * seconds / 3600
        if counted < 1.0 or was_full:
            self._beyond = 0.0
        elif bms.charge == 1.0:
            self._beyond += told * seconds / 3600
        if bms.guard.charge_ended and not was_full and bms.charge == 1.0:
            outcome.true_fulls += 1
            self._capacity = left(bms.battery)
            outcome.capacities = [
                replace(one, true=self._capacity) if self._is_of_now(one) else one
                for one in outcome.capacities
            ]
            self._put_right(1.0 - counted - self._beyond / bms.settings["CAPA"])
        if self._made.case.fault is Fault.LOOSE and self._life.passed > self._made.loose_since:
            capacity = bms.settings["CAPA"]
            if abs(bms.battery.current) > _IN_USE * capacity:
                outcome.hours_of_use_loose += seconds / 3600

    def _is_of_now(self, measured: Capacity) -> bool:
        """Tell whether a capacity was measured by the charge that has just ended, or by none yet.

        What lay for weeks before that held more when it was full the last time.
        """
        since = self._life.passed - measured.days * DAY
        return math.isnan(measured.true) or since <= _SAME_CHARGE

    def _put_right(self, correction: float) -> None:
        """Note a true correction, and whether three running have one sign and are large."""
        self._true_correction, self._put_right_at = correction, self._life.passed
        self._corrections = [*self._corrections[-2:], correction]
        if len(self._corrections) == 3:
            self._life.outcome.drifts_true |= (
                min(self._corrections) > _LARGE or max(self._corrections) < -_LARGE
            )

    def look(self) -> None:
        """Note what is new after a poll."""
        health, days = self._life.health, self._life.passed / DAY
        outcome = self._life.outcome
        if (measured := health.capacity.measured) is not self._measured:
            self._measured = measured
            if measured is not None:
                outcome.capacities.append(
                    Capacity(
                        measured.capacity,
                        measured.uncertainty,
                        self._capacity_at_full(),
                        self._bms.current_sensor.gain,
                        days,
                    )
                )
        for step in health.resistances.steps:
            if (place := (step.unit, step.cell)) not in self._steps:
                self._steps.add(place)
                outcome.steps.append(Stepped(place, outcome.hours_of_use_loose, days))
        found = health.false_current.offset
        if (found is not None) != self._offset_found:
            self._offset_found = found is not None
            if found is not None:
                outcome.offsets.append(Offset(found, self._bms.current_sensor.offset, days))
        if (last := health.full.corrections[-1:]) != self._last_correction:
            self._last_correction = last
            if last:
                is_that = self._life.passed - self._put_right_at <= _SAME_FULL
                true = self._true_correction if is_that else None
                outcome.corrections.append(Corrected(last[0].by, true, days))
        outcome.drifts_said |= health.full.drifts

    def _capacity_at_full(self) -> float:
        """Return what could be taken after the last full charge, or now where that is the first."""
        if math.isnan(self._capacity) and self._bms.charge == 1.0:
            return left(self._bms.battery)
        return self._capacity

    def judge(self) -> None:
        """Compare the diagnosis with the truth, once a day."""
        said, true = self._life.health.diagnosing.diagnosis, truth(self._bms.battery)
        self._life.outcome.judged.append(
            Judged(
                "not_enough_data" if said is None else said.finding.value,
                (None, None) if said is None else (said.unit, said.cell),
                None if said is None else said.imbalance,
                true.condition.value,
                (true.unit, true.cell),
                true.imbalance,
                self._life.passed / DAY,
            )
        )

    def end(self) -> None:
        """Note what is known at the end of a life."""
        health, outcome = self._life.health, self._life.outcome
        if (most := health.drift.most) is not None:
            outcome.drifted = Drifted((most.unit, most.cell), most.volts_a_month)
        lifetime = health.lifetime
        outcome.lifetime = {
            "charged": (lifetime.charged, self._charged),
            "discharged": (lifetime.discharged, self._discharged),
        }
        outcome.kept = len(json.dumps(health.as_dict(), allow_nan=False))


def live(case: Case) -> Outcome:
    """Live a case from beginning to end."""
    return Life(case).run()
