"""What a battery really holds: the charge between full and empty.

Full is where the BMS says so by its own rule (`spread.FullWatch`). Empty is where the first cell
rests so low that its voltage says what is left in it (`open_circuit`). Between the two the current
is added up, so that what is measured is what can be taken out until the first cell is empty: less
than what the cells hold while they are out of balance.

A current sensor is off by a constant part, which adds up day by day. Between full and full as much
goes in as comes out, so what is missing then is that part, self-discharge included. What earlier
cycles have shown of it is taken off; what a cycle is missing beyond that may be balancing, and is
in the uncertainty. One way alone, from full to empty or back, is measured too, with more of it. The
sensor's gain shows nowhere: it is part of the uncertainty.

The uncertainty (95 %) has the gain, the curve, how well full can be repeated, what is left of the
constant part, and what nobody saw between two updates. A measurement that is more uncertain
than 5 % is none. A gap that is longer than the battery goes on as it did ends what was counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..bms import Update
from ..plausible import AMPERES, CHARGE_FRACTION
from .kept import amount, entries, not_after, number
from .open_circuit import Left, left_in
from .rest import RestWatch
from .shape import Rows
from .spread import FullWatch

_GAIN = 0.012
"""Shunts are of class 0.5, and the gain (IOJA) of a BMS is set to as much again."""
_FULL = {3: 0.005, 4: 0.005}
_FULL_OTHERWISE = 0.018
"""By which part of the capacity one full differs from another."""
_STEEP = {3: 8.0, 4: 8.0}
_STEEP_OTHERWISE = 0.7
"""V from one full to another, for the whole capacity: a current at which the charge ends lifts the
highest cell, so that the BMS takes it for full before it is. Sources as in `open_circuit`."""
_UNKNOWN_OFFSET = 2.0
"""A by which a sensor may be off of which nothing is known yet: what IOFF can put right."""
_STEADY = 0.02
"""A by which a sensor that was known last week may be off by now."""
_WORST = 0.05
_SHORTEST_CYCLE = 6 * 3600.0
_LEAKS = 0.05 / (30 * 24)
"""The part of its charge that a cell may lose by itself in an hour, which no sensor sees."""
_CYCLE = 43_200.0
"""Seconds after which a full is another one, though the battery was not empty between the two."""
_TAPERS = 7200.0
"""Seconds for which a charge may go on after the count has come to 100 %."""
_MOST = 8
_FEWEST_CYCLES = 4
_YEAR = 365.25 * 86_400
_FADES = 0.02
"""The part of its capacity that a battery may lose in a year: what is old says less of now."""
_SAME = 0.01
"""The part by which measurements that end at different charges left differ by the curve."""
_AS_GOOD = 1.02
_OFTEN = 30.0
"""Seconds between two updates. Loads of less than that move little charge."""
_UNSEEN = 6.0
"""A step is anywhere between two updates: a twelfth of its square; loads that are shorter: more."""
_UNSURE = 0.2
"""The part of a charge that such loads may have been."""
_PUT_RIGHT = 0.05
_ENDS = 0.0005
"""The part of CAPA by which a count that jumps was set, and next to which it cannot go on."""
_CAPACITIES = (1.0, 20_000.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """Capacity and its uncertainty (95 %) in Ah, between two states of charge, at a Unix time."""

    capacity: float
    uncertainty: float
    start: float
    end: float
    at: float


@dataclass(frozen=True, slots=True)
class _Once:
    """One measurement: what is off in each of the same battery, and what in this alone (95 %)."""

    capacity: float
    always: float
    once: float
    end: float
    at: float

    @property
    def off(self) -> float:
        return math.hypot(self.always, self.once)


@dataclass(frozen=True, slots=True)
class Offset:
    """A that the sensor tells too much, and how far off that is (95 %)."""

    amperes: float
    off: float


@dataclass(frozen=True, slots=True)
class _Mark:
    """What was counted until then: Ah, s, and Ah² that jumps of the current leave open.

    `by_health` are the Ah that would be less if the BMS counted in parts of CAPA times state of
    health: its manual does not say. `unsure` are the Ah that loads may have taken that nobody saw,
    nor the BMS counted.
    """

    charge: float
    seconds: float
    jumps: float
    by_health: float
    unsure: float


@dataclass(frozen=True, slots=True)
class _Full:
    """A full battery, and by how many Ah it can differ from another one (95 %)."""

    mark: _Mark
    off: float


@dataclass(frozen=True, slots=True)
class _Empty:
    """A battery near empty, and what is left in its first cell."""

    mark: _Mark
    left: Left


class _Counter:
    """Adds up charge while the battery is heard.

    Where the current is told often it is added up. Else a kettle comes and goes unseen between two
    updates, but not unseen by the BMS: then what its state of charge changes by counts, in parts of
    CAPA, except where it is put right or cannot go on.
    """

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap
        self._last: tuple[float, float] | None = None
        self._charge: float | None = None
        self.mark = _Mark(0.0, 0.0, 0.0, 0.0, 0.0)

    def add(self, update: Update, capacity: float | None) -> bool:
        """Take a current, and CAPA in Ah; tell whether what was counted so far still goes on."""
        state, at = update.state, update.measured_at
        if state.current is None:
            return True
        last, self._last = self._last, (state.current, at)
        before, self._charge = self._charge, state.state_of_charge
        if last is None:
            return False
        seconds = at - last[1]
        if seconds < 0 or (seconds > self._longest_gap and not update.continuous):
            return False
        told = (state.current + last[0]) / 2 * seconds / 3600
        step = (state.current - last[0]) * seconds / 3600
        if update.period <= _OFTEN or capacity is None:
            self._go_on(seconds, told, jumps=step**2 / _UNSEEN)
            return True
        part = _counted(before, state.state_of_charge)
        if part is None or abs(part * capacity - told) > _PUT_RIGHT * capacity:
            self._go_on(seconds, told, jumps=step**2 / _UNSEEN, unsure=_UNSURE * abs(told))
        else:
            health = state.state_of_health or 1.0
            self._go_on(seconds, part * capacity, by_health=part * capacity * (1 - health))
        return True

    def _go_on(
        self,
        seconds: float,
        charge: float,
        *,
        jumps: float = 0.0,
        by_health: float = 0.0,
        unsure: float = 0.0,
    ) -> None:
        mark = self.mark
        self.mark = _Mark(
            mark.charge + charge,
            mark.seconds + seconds,
            mark.jumps + jumps,
            mark.by_health + by_health,
            mark.unsure + unsure,
        )


def _counted(before: float | None, after: float | None) -> float | None:
    """Return by which part of CAPA a count changed; None where it may have been put right."""
    if before is None or after is None:
        return None
    low, high = sorted((before, after))
    return after - before if low > _ENDS and high < 1 - _ENDS else None


class MeasuredCapacity:
    """Counts charge between two certain states of charge.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did.
    `is_loose` tells whether a connection may be: then a charge ends too early. `is_weak` tells
    whether a cell is: then the first that is empty holds as little as the battery does.
    """

    def __init__(
        self,
        longest_gap: float,
        is_loose: Callable[[], bool] = lambda: False,
        is_weak: Callable[[], bool] = lambda: False,
    ) -> None:
        self.measured: Measured | None = None
        self._is_loose = is_loose
        self._is_weak = is_weak
        self._counter = _Counter(longest_gap)
        self._watch = RestWatch(longest_gap)
        self._full_watch = FullWatch()
        self._capacity: float | None = None
        self._chemistry: float | None = None
        self._rows = Rows()
        self._near: _Full | None = None
        self._full: _Full | None = None
        self._empty: _Empty | None = None
        self._cycle: tuple[_Full, _Full] | None = None
        """Between which two fulls the last of the offsets was seen, where it can be seen better."""
        self._now = 0.0
        self._list: list[_Once] = []
        self._offsets: list[Offset] = []
        self._zero: float | None = None
        """IOFF."""

    @property
    def offset(self) -> Offset | None:
        """What some cycles from full to full have shown of the sensor; None before there were."""
        return _known(self._offsets) if len(self._offsets) >= _FEWEST_CYCLES else None

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        state = update.state
        self._capacity = state.settings.get("capa") or self._capacity
        self._chemistry = state.settings.get("chem") or self._chemistry
        self._heed_zero(state.settings.get("ioff"))
        self._watch.add(update, now)
        self._full_watch.add(update)
        if not self._counter.add(update, self._capacity) or self._rows.add(state.cell_voltages):
            self._end()
        self._now = now
        self._leave_the_future(now)
        if self._is_loose():
            self._forget()
            return
        self._look_for_empty(state.min_cell_voltage)
        self._look_for_full(update.measured_at)

    def health(self, capacity: float | None) -> float | None:
        """Return the measured part of a rated capacity in Ah."""
        if self.measured is None or not capacity:
            return None
        return self.measured.capacity / capacity

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept; what is being counted ends with a restart."""
        pending = self._one_way(self._full, self._empty)
        return {
            "measurements": [
                [once.capacity, once.always, once.once, once.end, once.at]
                for once in self._with(pending)
            ],
            "offsets": [[offset.amperes, offset.off] for offset in self._offsets],
            "zero": self._zero,
        }

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        told = entries(kept)
        self._list = _read_list(told.get("measurements"))
        self._offsets = _read_offsets(told.get("offsets"))
        self._zero = number(told.get("zero"), AMPERES)
        self.measured = _together(self._list)

    # -- counting --------------------------------------------------------------------------------

    def _heed_zero(self, zero: float | None) -> None:
        """Begin anew where IOFF has been set: the sensor is another one."""
        if zero is not None and self._zero is not None and zero != self._zero:
            self._offsets = []
            self._forget()
        self._zero = self._zero if zero is None else zero

    def _end(self) -> None:
        """Take what was counted as far as it goes, since nothing is known of what comes."""
        self._take(self._one_way(self._full, self._empty))
        self._forget()

    def _forget(self) -> None:
        self._near = self._full = self._empty = self._cycle = None

    def _leave_the_future(self, now: float) -> None:
        """Have what was measured while the clock was ahead be of now at the latest."""
        if self.measured is not None and self.measured.at > now:
            self._list = [replace(each, at=not_after(each.at, now)) for each in self._list]
            self.measured = _together(self._list)

    def _look_for_empty(self, volts: float | None) -> None:
        """Note where a cell rests near empty, the surest of such rests or the last of those."""
        if self._watch.rest is None or volts is None:
            return
        left = left_in(self._chemistry, volts)
        if left is None:
            return
        if self._empty is None or left.off <= _AS_GOOD * self._empty.left.off:
            self._empty = _Empty(self._counter.mark, left)

    def _look_for_full(self, at: float) -> None:
        """Note where the battery is full, and take what was counted until then."""
        if self._full_watch.near_at == at:
            self._near = _Full(self._counter.mark, self._full_off())
        if not self._full_watch.is_full or self._near is None:
            return
        if self._full is None:
            self._take(self._one_way(self._near, self._empty))
        elif self._empty is not None or self._near.mark.seconds - self._full.mark.seconds >= _CYCLE:
            self._close(self._full, self._near)
        elif self._cycle is not None:
            self._see_the_taper(*self._cycle, self._near)
        self._full, self._empty = self._near, None

    def _full_off(self) -> float:
        """Return by how many Ah a battery that is full now can differ from another time."""
        chemistry = int(self._chemistry or 0)
        differs = _FULL.get(chemistry, _FULL_OTHERWISE)
        lifted = self._full_watch.lifted_by / _STEEP.get(chemistry, _STEEP_OTHERWISE)
        return math.hypot(differs, lifted) * (self._capacity or 0.0)

    def _close(self, before: _Full, full: _Full) -> None:
        """Take what a cycle from full to full has shown."""
        seconds = full.mark.seconds - before.mark.seconds
        missing = full.mark.charge - before.mark.charge
        hours = seconds / 3600
        if self._empty is not None and seconds > 0:
            share = (self._empty.mark.seconds - before.mark.seconds) / seconds
            known = _known(self._offsets).amperes * hours
            unexplained = missing - known
            taken = before.mark.charge - self._empty.mark.charge + known * share + unexplained / 2
            once = math.hypot(
                (1 - share) * before.off,
                share * full.off,
                # Cells may have been balanced when it was full, or the sensor be another one.
                unexplained / 2,
                _STEADY * hours * min(share, 1 - share),
                _LEAKS * hours * share * (self._capacity or 0.0),
                2 * math.sqrt(full.mark.jumps - before.mark.jumps),
                before.mark.by_health - self._empty.mark.by_health,
                full.mark.unsure - before.mark.unsure,
            )
            self._take(self._once(taken, once, 0.0, self._empty.left))
        self._cycle = None
        if seconds >= _SHORTEST_CYCLE:
            self._offsets = [*self._offsets[1 - _MOST :], _offset(before, full)]
            self._cycle = before, full

    def _see_the_taper(self, before: _Full, reached: _Full, full: _Full) -> None:
        """Take what still flowed in after a count that was ahead had come to 100 %."""
        if full.mark.seconds - reached.mark.seconds <= _TAPERS:
            self._offsets = [*self._offsets[:-1], _offset(before, full)]

    def _one_way(self, full: _Full | None, empty: _Empty | None) -> _Once | None:
        """Return what one way between full and empty has shown; None unless it is certain."""
        if full is None or empty is None:
            return None
        offset = _known(self._offsets)
        hours = (empty.mark.seconds - full.mark.seconds) / 3600
        taken = full.mark.charge - empty.mark.charge + offset.amperes * hours
        jumps = 2 * math.sqrt(abs(empty.mark.jumps - full.mark.jumps))
        once = math.hypot(
            full.off,
            jumps,
            _LEAKS * abs(hours) * (self._capacity or 0.0),
            full.mark.by_health - empty.mark.by_health,
            full.mark.unsure - empty.mark.unsure,
        )
        return self._once(taken, once, offset.off * abs(hours), empty.left)

    def _once(self, taken: float, once: float, always: float, left: Left) -> _Once | None:
        """Return the measurement of a charge in Ah; None where it is too uncertain."""
        least = taken / (1 - left.charge)
        # What is left is a part of what the first cell holds: as little as the battery does where
        # it is a small one, as much as the others where it was not full.
        most = least if self._is_weak() else max(least, self._capacity or 0.0)
        apart = (most - least) / 2
        capacity = taken + left.charge * (least + apart)
        part = 1 / (1 - left.charge)
        made = _Once(
            capacity,
            math.hypot(
                _GAIN * capacity, left.off * most * part, left.charge * apart, always * part
            ),
            once * part,
            left.charge,
            self._now,
        )
        return made if 0 < made.off <= _WORST * capacity else None

    def _take(self, made: _Once | None) -> None:
        if made is not None:
            self._list = self._with(made)
            self.measured = _together(self._list)

    def _with(self, made: _Once | None) -> list[_Once]:
        """Return the measurements with another one, without those that it contradicts."""
        if made is None:
            return self._list
        agreeing = [
            each
            for each in self._list
            if abs(each.capacity - made.capacity)
            <= math.hypot(each.once, made.once) + _SAME * made.capacity
        ]
        return [*agreeing[1 - _MOST :], made]


def _offset(before: _Full, full: _Full) -> Offset:
    """Return what a cycle shows of the sensor: as much goes in as comes out."""
    hours = (full.mark.seconds - before.mark.seconds) / 3600
    missing = full.mark.charge - before.mark.charge
    return Offset(missing / hours, math.hypot(math.hypot(before.off, full.off) / hours, _STEADY))


def _known(offsets: list[Offset]) -> Offset:
    """Return what cycles have shown of the sensor together."""
    if not offsets:
        return Offset(0.0, _UNKNOWN_OFFSET)
    weights = [each.off**-2 for each in offsets]
    mean = sum(weight * each.amperes for weight, each in zip(weights, offsets, strict=True)) / sum(
        weights
    )
    apart = max(abs(each.amperes - mean) for each in offsets)
    return Offset(mean, math.hypot(sum(weights) ** -0.5, _STEADY, apart))


def _together(measurements: list[_Once]) -> Measured | None:
    """Return what measurements say together, by their certainty; None without any."""
    if not measurements:
        return None
    last = measurements[-1]
    old = [_FADES * each.capacity * (last.at - each.at) / _YEAR for each in measurements]
    once = [math.hypot(each.once, fade) for each, fade in zip(measurements, old, strict=True)]
    weights = [1 / (each.always**2 + off**2) for each, off in zip(measurements, once, strict=True)]
    shares = [weight / sum(weights) for weight in weights]
    several = list(zip(shares, measurements, once, strict=True))
    capacity = sum(share * each.capacity for share, each, _ in several)
    always = sum(share * each.always for share, each, _ in several)
    alone = math.sqrt(sum((share * off) ** 2 for share, _, off in several))
    # What holds more week by week, since it is balanced, holds what was measured last.
    off = math.hypot(always, alone, last.capacity - capacity)
    return Measured(capacity, off, 1.0, last.end, last.at)


def _read_list(kept: object) -> list[_Once]:
    """Return the measurements that can be read."""
    read: list[_Once] = []
    for row in kept[-_MOST:] if isinstance(kept, list) else ():
        if not isinstance(row, list) or len(row) != 5:
            continue
        capacity, at = number(row[0], _CAPACITIES), amount(row[4])
        always, once = amount(row[1]), amount(row[2])
        end = number(row[3], CHARGE_FRACTION)
        if capacity is None or at is None or always is None or once is None or end is None:
            continue
        made = _Once(capacity, always, once, end, at)
        if 0 < made.off <= _WORST * capacity:
            read.append(made)
    return sorted(read, key=lambda made: made.at)


def _read_offsets(kept: object) -> list[Offset]:
    """Return what can be read of the sensor."""
    read: list[Offset] = []
    for row in kept[-_MOST:] if isinstance(kept, list) else ():
        if not isinstance(row, list) or len(row) != 2:
            continue
        amperes, off = number(row[0], AMPERES), amount(row[1])
        if amperes is not None and off:
            read.append(Offset(amperes, off))
    return read
