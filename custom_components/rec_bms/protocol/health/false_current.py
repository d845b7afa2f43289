"""A current that is none: what a sensor tells of no current, its offset, which IOFF takes off.

The rest of a battery proves it: what is told to flow one way for hours has to move the cells'
voltages, and does not. That counts only where voltages would tell, even if CAPA were set to a
quarter of what the battery holds:

- A battery that the BMS has put to full just now cannot take 15 % of CAPA more. Its curve is steep.
- The curves of Li-Po and LiMnO2 rise by 2 mV or more with each percent everywhere (see
  open_circuit.py for the sources), so 20 % of CAPA show.
- That of LiFePO4 is flat; there it takes one and a half times CAPA.

Few batteries rest for so long. Where charge was counted from full to full some times (`measured`),
that tells the sensor's offset as well: as much goes in as comes out. Alone it proves nothing, since
what balancing takes and a charge that ends early look like it, nor does a current at rest alone,
which may well flow. That both are the same, rest after rest, is no chance.

A battery kept at a charger's float voltage does take what the BMS itself and balancing use up. So
less than 0.5 A into it is no proof, and while cells are so high that they are balanced, nothing is.
A consumer or a charger that is connected past the sensor looks the same: it is no less wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from ..bms import Update
from ..plausible import AMPERES
from ..state import State
from .kept import entries, number
from .measured import Offset
from .rest import RestWatch

_LEAST_IN, _LEAST_OUT = 0.5, 0.2
"""A."""
_SETTLED = 6 * 3600.0
"""Seconds of rest after which what is left of a cell's recovery is a few mV."""
_BLOCK = 3600.0
_SAMPLES_APART = 300.0
_FULL_SHARE, _STEEP_SHARE, _FLAT_SHARE = 0.15, 0.2, 1.5
"""Parts of CAPA that a current claims."""
_STEEP_VOLTS, _FLAT_VOLTS = 0.005, 0.02
"""V that cells may follow by all the same: their recovery, and 10 °C more or less."""
_FLAT = frozenset({3, 4})
_FULL_CHARGE = 0.995
_NEAR_CHAR = 0.03
_STILL_FULL = 0.03
"""The part of CAPA that may have been taken since."""
_SHORT_REST = 1200.0
"""Seconds after cells have settled of which the mean current is taken, once in a rest."""
_RESTS, _RESTS_KEPT = 3, 5
_SAME, _SAME_SHARE = 0.1, 0.25
"""A, and the part of it, by which rests differ from each other, and from what cycles show."""
_CERTAIN = 0.5
"""The part of the least current that is there for certain, by what cycles show."""
_GONE, _GONE_SHARE = 0.1, 0.25
_GONE_HOURS = 6.0


@dataclass(frozen=True, slots=True)
class _Block:
    """An hour of rest: its mean current in A and the mean of its middle cell's voltage in V."""

    hours: float
    amperes: float
    volts: float


@dataclass(slots=True)
class _Window:
    """Hours of rest through which a current has kept its sign."""

    first: _Block
    is_full: bool
    hours: float = 0.0
    ampere_hours: float = 0.0

    @property
    def amperes(self) -> float:
        """The mean current."""
        return self.ampere_hours / self.hours if self.hours else 0.0

    def goes_on(self, block: _Block) -> bool:
        """Tell whether an hour goes on as the first was."""
        if self.first.amperes > 0:
            return block.amperes >= _LEAST_IN
        return block.amperes <= -_LEAST_OUT

    def is_false(self, block: _Block, capacity: float, chemistry: float | None) -> bool:
        """Tell whether the current was none, after another hour, by CAPA in Ah and CHEM."""
        followed = math.copysign(1, self.first.amperes) * (block.volts - self.first.volts)
        share = abs(self.ampere_hours) / capacity
        is_steep = chemistry is not None and chemistry not in _FLAT
        is_overfull = self.is_full and self.first.amperes > 0
        if is_overfull and share >= _FULL_SHARE and followed <= _STEEP_VOLTS:
            return True
        if is_steep and share >= _STEEP_SHARE and followed <= _STEEP_VOLTS:
            return True
        return share >= _FLAT_SHARE and followed <= _FLAT_VOLTS


class _Hour:
    """Adds up a block."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._ampere_seconds = 0.0
        self._volts: list[float] = []
        self._sampled_at = -math.inf

    def add(self, seconds: float, amperes: float, state: State, at: float) -> _Block | None:
        """Take a current for a time in s; return the block when it is full."""
        self._seconds += seconds
        self._ampere_seconds += seconds * amperes
        if at - self._sampled_at >= _SAMPLES_APART and (volts := _middle_cell(state)) is not None:
            self._volts.append(volts)
            self._sampled_at = at
        if self._seconds < _BLOCK or not self._volts:
            return None
        amperes = self._ampere_seconds / self._seconds
        return _Block(self._seconds / 3600, amperes, fmean(self._volts))


class _Rests:
    """Takes the mean current of each rest, also of a short one."""

    def __init__(self) -> None:
        self.amperes: list[float] = []
        """Those of the last few rests, in A."""
        self._seconds = 0.0
        self._ampere_seconds = 0.0

    def add(self, seconds: float, amperes: float) -> bool:
        """Take a current for a time in s of a rest; tell whether there is another mean."""
        if self._seconds >= _SHORT_REST:
            return False
        self._seconds += seconds
        self._ampere_seconds += seconds * amperes
        if self._seconds < _SHORT_REST:
            return False
        self.amperes = [*self.amperes[1 - _RESTS_KEPT :], self._ampere_seconds / self._seconds]
        return True

    def end(self) -> None:
        """Wait for the next rest."""
        self._seconds = self._ampere_seconds = 0.0

    @property
    def usual(self) -> float | None:
        """The current that the last rests had, in A; None unless it was the same in all."""
        if len(self.amperes) < _RESTS:
            return None
        middle = median(self.amperes)
        return middle if all(_is_same(each, middle) for each in self.amperes) else None

    def have_less_than(self, amperes: float) -> bool:
        """Tell whether the last rests had next to no current."""
        last = self.amperes[-_RESTS:]
        return len(last) == _RESTS and all(abs(each) < amperes for each in last)


def _is_same(amperes: float, other: float) -> bool:
    return abs(amperes - other) <= max(_SAME, _SAME_SHARE * abs(other))


class _SinceFull:
    """Counts the Ah that have flowed since the BMS found the battery full, while it was heard."""

    def __init__(self) -> None:
        self.ampere_hours: float | None = None

    def add(self, state: State, ampere_hours: float | None) -> None:
        """Take what has flowed since the update before, in Ah; None where that is not known."""
        if _is_full(state):
            self.ampere_hours = 0.0
        elif self.ampere_hours is not None:
            self.ampere_hours = None if ampere_hours is None else self.ampere_hours + ampere_hours


class FalseCurrent:
    """Finds an offset of the current sensor.

    `longest_gap`, in s, is how long between two measurements a battery goes on as it did;
    `by_cycles` tells what cycles have shown of the sensor.
    """

    def __init__(
        self, longest_gap: float, by_cycles: Callable[[], Offset | None] = lambda: None
    ) -> None:
        self.offset: float | None = None
        """A; None unless what is told at rest is certain to be the sensor's."""
        self._by_cycles = by_cycles
        self._rests = _Rests()
        self._longest_gap = longest_gap
        self._watch = RestWatch(longest_gap)
        self._since_full = _SinceFull()
        self._capacity: float | None = None
        self._zero: float | None = None
        """IOFF."""
        self._last: tuple[float, float] | None = None
        self._rests_from: float | None = None
        self._hour = _Hour()
        self._window: _Window | None = None
        self._hours_gone = 0.0

    def add(self, update: Update, now: float) -> None:
        """Take what the BMS told at a Unix time in s."""
        self._watch.add(update, now)
        state, at = update.state, update.measured_at
        self._capacity = state.settings.get("capa") or self._capacity
        self._heed_zero(state.settings.get("ioff"))
        last, self._last = self._last, None if state.current is None else (at, state.current)
        amperes, seconds = self._flowed(last, update)
        self._since_full.add(state, None if amperes is None else amperes * seconds / 3600)
        if self._watch.rest is None or amperes is None or _is_balanced(state):
            self._rests_from, self._window, self._hour = None, None, _Hour()
            self._rests.end()
            return
        if self._rests.add(seconds, amperes):
            self._compare_with_cycles()
        if self._rests_from is None:
            self._rests_from = at
        if at - self._rests_from < _SETTLED:
            return
        if (block := self._hour.add(seconds, amperes, state, at)) is not None:
            self._hour = _Hour()
            self._look(block, state.settings.get("chem"))

    def _flowed(
        self, last: tuple[float, float] | None, update: Update
    ) -> tuple[float, float] | tuple[None, float]:
        """Return the mean current since the update before and the seconds; None if not known."""
        if last is None or update.state.current is None:
            return None, 0.0
        seconds = update.measured_at - last[0]
        if seconds < 0 or (seconds > self._longest_gap and not update.continuous):
            return None, 0.0
        return (last[1] + update.state.current) / 2, seconds

    def _heed_zero(self, zero: float | None) -> None:
        """Begin anew where IOFF has been set."""
        if zero is not None and self._zero is not None and zero != self._zero:
            self.offset, self._window, self._hour = None, None, _Hour()
            self._since_full, self._rests = _SinceFull(), _Rests()
        self._zero = self._zero if zero is None else zero

    def _compare_with_cycles(self) -> None:
        """Conclude from another rest, however short it was."""
        if self.offset is not None:
            if self._rests.have_less_than(self._is_gone_below(self.offset)):
                self.offset = None
            return
        usual, shown = self._rests.usual, self._by_cycles()
        if usual is None or shown is None or not _is_same(shown.amperes, usual):
            return
        least = _LEAST_IN if usual > 0 else _LEAST_OUT
        if abs(usual) >= least and abs(shown.amperes) - shown.off >= _CERTAIN * least:
            self.offset = usual

    def _look(self, block: _Block, chemistry: float | None) -> None:
        """Conclude from another hour of rest."""
        self._see_whether_gone(block)
        window = self._window
        if window is None or not window.goes_on(block):
            self._window = _Window(block, self._is_still_full())
            return
        window.hours += block.hours
        window.ampere_hours += block.hours * block.amperes
        if self.offset is not None or self._capacity is None:
            return
        if window.is_false(block, self._capacity, chemistry):
            self.offset = window.amperes

    def _is_still_full(self) -> bool:
        taken, capacity = self._since_full.ampere_hours, self._capacity
        return taken is not None and capacity is not None and -taken <= _STILL_FULL * capacity

    def _see_whether_gone(self, block: _Block) -> None:
        """Take the offset back when next to nothing is told at rest."""
        if self.offset is None or abs(block.amperes) >= self._is_gone_below(self.offset):
            self._hours_gone = 0.0
            return
        self._hours_gone += block.hours
        if self._hours_gone >= _GONE_HOURS:
            self.offset = None

    @staticmethod
    def _is_gone_below(offset: float) -> float:
        """Return the A below which an offset is none any more."""
        return max(_GONE, _GONE_SHARE * abs(offset))

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be kept; what was not heard to the end proves nothing."""
        rests = [round(each, 3) for each in self._rests.amperes]
        return {"offset": self.offset, "zero": self._zero, "rests": rests}

    def restore(self, kept: object) -> None:
        """Take what was kept, as far as it can be read."""
        known = entries(kept)
        self.offset = number(known.get("offset"), AMPERES)
        self._zero = number(known.get("zero"), AMPERES)
        rests = known.get("rests")
        told = rests[-_RESTS_KEPT:] if isinstance(rests, list) else []
        read = [amperes for each in told if (amperes := number(each, AMPERES)) is not None]
        self._rests.amperes = read


def _is_full(state: State) -> bool:
    """Tell whether the BMS finds a battery full: its count says so and its highest cell."""
    highest, char, charge = (
        state.max_cell_voltage,
        state.settings.get("char"),
        state.state_of_charge,
    )
    if highest is None or char is None or charge is None:
        return False
    return charge >= _FULL_CHARGE and highest >= char - _NEAR_CHAR


def _is_balanced(state: State) -> bool:
    """Tell whether cells may be balanced, which takes current."""
    highest, begins = state.max_cell_voltage, state.settings.get("bmin")
    if highest is None or begins is None or highest >= begins:
        return True
    table = state.balancing
    return table is not None and any(is_on for _, _, is_on in table)


def _middle_cell(state: State) -> float | None:
    """Return the voltage of the middle cell, which one that is weak or unbalanced is not."""
    table = state.cell_voltages
    known = [volts for _, _, volts in table or () if volts is not None]
    return median(known) if known else None
