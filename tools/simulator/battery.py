"""The battery behind a BMS: cells, their voltages, currents, heat, and a meter of its own.

It knows physics and no limits. What may flow is decided by the `Supervisor`, which is the BMS.
Current is in A and positive while charging.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from .chemistry import HIGHEST, LOWEST, Chemistry

LONGEST_STEP = 10.0
"""Seconds of battery time that are worked out at once at most, unless a battery is told others."""
DAY = 86400.0
YEAR = 365.25 * DAY

MEASURED_AT = 19.0
"""°C at which a cell's `resistance` is what it was made with: the captured unit's (protocol.md)."""
_DOUBLES_WITHIN = 25.0
"""Kelvin of cold that double a cell's resistance: about so from 25 to 0 °C, and three to five times
as much at -20 °C, in pulse tests of lithium-ion cells (Waag, Käbitz and Sauer, Applied Energy 102,
2013); a straight line of the logarithm is Arrhenius' law over so few degrees."""
_WARMED_BY = 0.05
"""Kelvin of change after which resistances are worked out anew."""
_RELAXES_WITHIN = 900.0
"""Seconds in which a cell's slow overvoltage nears the current that flows."""
_FADES_EVERY = 3600.0
"""Seconds after which what has faded is taken off the capacities."""

_HEAT_RESISTANCE = 0.18
"""Kelvin that a unit warms for each watt lost in it."""
_HEAT_TIME = 7200.0
"""Seconds in which a unit comes near the temperature that it is heading for."""
_BOARD_TIME = 600.0
"""The same for the BMS's own board."""


class Cell:
    """One cell: state of charge (1.0 full), capacity in Ah, `offset` in V.

    `bleed` is the balancing current in A that is drawn from it at this moment, `leak` what it
    loses by itself in A, `fade` the share of its capacity that it loses in a year.
    """

    def __init__(self, chemistry: Chemistry, charge: float, capacity: float, ohms: float) -> None:
        self.chemistry = chemistry
        self._piece = chemistry.piece(charge)
        self.capacity = capacity
        self._made_with = ohms
        self._contact = 0.0
        self._cold = 1.0
        self._ohms = ohms
        self.offset = 0.0
        self.overvoltage = 0.0
        """V that a current leaves behind for a while."""
        self.bleed = 0.0
        self.leak = 0.0
        self.fade = 0.0
        self.charge = charge

    @property
    def resistance(self) -> float:
        """Ω at its present temperature, with what its connection adds."""
        return self._ohms

    @resistance.setter
    def resistance(self, ohms: float) -> None:
        self._made_with = (ohms - self._contact) / self._cold
        self._ohms = ohms

    @property
    def contact(self) -> float:
        """Ω that a bad connection adds; none while the busbar is tight."""
        return self._contact

    @contact.setter
    def contact(self, ohms: float) -> None:
        self._contact = ohms
        self._ohms = self._made_with * self._cold + ohms

    def be_colder(self, times: float) -> None:
        """Have so many times the resistance that it was made with."""
        self._cold = times
        self._ohms = self._made_with * times + self._contact

    @property
    def charge(self) -> float:
        """State of charge, 0 empty to 1 full; a cell that is abused goes beyond."""
        return self._charge

    @charge.setter
    def charge(self, value: float) -> None:
        self._charge = value
        left, right, low, slope = self._piece
        if not left <= value <= right:
            self._piece = left, right, low, slope = self.chemistry.piece(value)
        self.open_circuit = min(max(low + (value - left) * slope, LOWEST), HIGHEST)

    def voltage(self, current: float) -> float:
        """Return the voltage in V at its poles while a current in A flows into it."""
        return self.open_circuit + self.offset + self.overvoltage + current * self._ohms

    def rest_at(self, voltage: float) -> None:
        """Bring the cell to the state of charge at which it rests at a voltage in V."""
        self.charge = self.chemistry.charge(voltage - self.offset)

    def flow(self, current: float, seconds: float) -> None:
        """Move charge: a current in A for a time in s."""
        into = current - self.bleed - self.leak
        self.charge = self._charge + into * seconds / 3600 / self.capacity

    def grow_older(self, seconds: float) -> None:
        """Lose capacity, and with it the charge that was in it."""
        self.capacity *= 1 - self.fade * seconds / YEAR


@dataclass
class Sensor:
    """A temperature sensor: what it shows above its unit's temperature, K, or a fixed reading."""

    offset: float = 0.0
    stuck: float | None = None
    """°C that a broken sensor shows whatever the temperature is."""


class Unit:
    """One unit of the battery: its cells in series and its sensors, at one temperature in °C."""

    def __init__(self, cells: list[Cell], sensors: list[Sensor], temperature: float) -> None:
        self.cells = cells
        self.sensors = sensors
        self.doubles_within = _DOUBLES_WITHIN
        """Kelvin of cold that double its cells' resistance."""
        self._worked_out_at = MEASURED_AT
        self.temperature = temperature

    @property
    def temperature(self) -> float:
        """°C of its cells, on which their resistance hangs."""
        return self._temperature

    @temperature.setter
    def temperature(self, degrees: float) -> None:
        self._temperature = degrees
        if abs(degrees - self._worked_out_at) > _WARMED_BY:
            self._worked_out_at = degrees
            times = 2 ** ((MEASURED_AT - degrees) / self.doubles_within)
            for cell in self.cells:
                cell.be_colder(times)

    def readings(self) -> list[float]:
        """Return what its sensors show, °C."""
        return [
            self.temperature + one.offset if one.stuck is None else one.stuck
            for one in self.sensors
        ]


class LooseBusbar:
    """The connection of one cell, which is loose from a time of the battery on.

    It adds some `ohms` while it has bad contact, more at some times than at others, and hardly any
    while it happens to have good one. Unit and cell count from 1; `since` in s of battery time.
    """

    def __init__(self, unit: int, cell: int, since: float, ohms: float, seed: int = 0) -> None:
        self.unit = unit
        self.cell = cell
        self.since = since
        self._ohms = ohms
        self._rng = random.Random(seed)
        self._moves_at = since

    def shake(self, battery: Battery) -> None:
        """Have the contact that it has at the battery's time."""
        if battery.time < self._moves_at:
            return
        self._moves_at = battery.time + self._rng.expovariate(1 / _HOLDS_FOR)
        bad = self._rng.random() < _BAD_SHARE
        times = self._rng.uniform(0.5, 2.0) if bad else self._rng.uniform(0.0, 0.05)
        battery.cell(self.unit, self.cell).contact = times * self._ohms


_HOLDS_FOR = 900.0
"""Seconds for which a loose contact stays as it is, on average."""
_BAD_SHARE = 0.75


@dataclass
class Meter:
    """Energy and charge through the battery's poles, counted exactly as they are simulated."""

    charged_wh: float = 0.0
    discharged_wh: float = 0.0
    charged_ah: float = 0.0
    discharged_ah: float = 0.0
    bled_wh: float = 0.0
    """Turned into heat by balancing."""
    lost_wh: float = 0.0
    """Turned into heat by the cells' resistance."""


class Supervisor(Protocol):
    """Who decides what may flow: the BMS."""

    def before_step(self, seconds: float) -> None:
        """Set the battery's current, its cells' bleeding and the ambient temperature."""

    def after_step(self, seconds: float) -> None:
        """Look at what came out."""


class Battery:
    """Cells in series, in one or more units that the same current flows through."""

    def __init__(self, units: list[Unit], ambient: float = 19.0) -> None:
        self.units = units
        self.ambient = ambient
        self.current = 0.0
        self.board_temperature = ambient + 4.0
        self.time = 10 * 3600.0
        """Seconds since a midnight, of battery time."""
        self.meter = Meter()
        self.supervisor: Supervisor | None = None
        self.longest_step = LONGEST_STEP
        """Seconds that are worked out at once at most."""
        self.relaxation = 0.0
        """Slow overvoltage of a lasting current, as a share of what resistance makes of it."""
        self.loose: list[LooseBusbar] = []
        self._lasting = 0.0
        self._grown_older = 0.0

    @property
    def cells(self) -> Iterator[Cell]:
        """All cells of all units."""
        return (cell for unit in self.units for cell in unit.cells)

    def cell(self, unit: int, cell: int) -> Cell:
        """Return a cell; both numbers count from 1."""
        return self.units[unit - 1].cells[cell - 1]

    def sensor(self, unit: int, sensor: int) -> Sensor:
        """Return a temperature sensor; both numbers count from 1."""
        return self.units[unit - 1].sensors[sensor - 1]

    def voltages(self) -> list[list[float]]:
        """Return the cells' voltages in V, a list for each unit."""
        return [[cell.voltage(self.current) for cell in unit.cells] for unit in self.units]

    @property
    def voltage(self) -> float:
        """Voltage at the poles, V."""
        return math.fsum(cell.voltage(self.current) for cell in self.cells)

    @property
    def spread(self) -> float:
        """Highest less lowest cell voltage, V."""
        volts = [cell.voltage(self.current) for cell in self.cells]
        return max(volts) - min(volts)

    def stored_wh(self) -> float:
        """Return the energy in Wh between empty and the cells' present state, by their curves."""
        return math.fsum(_stored_in(cell) for cell in self.cells)

    def advance(self, seconds: float) -> None:
        """Let a time in s of battery time pass."""
        left = seconds
        while left > 1e-9:
            step = min(left, self.longest_step)
            self._step(step)
            left -= step

    def _step(self, seconds: float) -> None:
        if self.supervisor is not None:
            self.supervisor.before_step(seconds)
        for busbar in self.loose:
            busbar.shake(self)
        current = self.current
        if self.relaxation:
            self._relax(current, seconds)
        volts = bled = lost = 0.0
        for unit in self.units:
            heat = 0.0
            for cell in unit.cells:
                volts += cell.voltage(current)
                heat += current * (current * cell.resistance + cell.overvoltage)
                bled += cell.bleed * cell.open_circuit
                cell.flow(current, seconds)
            lost += heat
            unit.temperature = _towards(
                unit.temperature, self.ambient + heat * _HEAT_RESISTANCE, seconds / _HEAT_TIME
            )
        self._warm_board(seconds)
        self._count((volts + self.voltage) / 2, bled, lost, seconds)
        self._grow_older(seconds)
        self.time += seconds
        if self.supervisor is not None:
            self.supervisor.after_step(seconds)

    def _relax(self, current: float, seconds: float) -> None:
        self._lasting = _towards(self._lasting, current, seconds / _RELAXES_WITHIN)
        share = self._lasting * self.relaxation
        for unit in self.units:
            for cell in unit.cells:
                cell.overvoltage = share * (cell.resistance - cell.contact)

    def _grow_older(self, seconds: float) -> None:
        self._grown_older += seconds
        if self._grown_older >= _FADES_EVERY:
            for cell in self.cells:
                cell.grow_older(self._grown_older)
            self._grown_older = 0.0

    def _warm_board(self, seconds: float) -> None:
        bleeding = [bool(cell.bleed) for unit in self.units for cell in unit.cells]
        share = sum(bleeding) / max(1, len(bleeding))
        goal = self.ambient + 4.0 + 4.0 * share + 0.02 * abs(self.current)
        self.board_temperature = _towards(self.board_temperature, goal, seconds / _BOARD_TIME)

    def _count(self, volts: float, bled: float, lost: float, seconds: float) -> None:
        hours, meter = seconds / 3600, self.meter
        if self.current > 0:
            meter.charged_wh += volts * self.current * hours
            meter.charged_ah += self.current * hours
        else:
            meter.discharged_wh -= volts * self.current * hours
            meter.discharged_ah -= self.current * hours
        meter.bled_wh += bled * hours
        meter.lost_wh += lost * hours


def _towards(now: float, goal: float, progress: float) -> float:
    return goal + (now - goal) * math.exp(-progress)


def _stored_in(cell: Cell) -> float:
    steps = 200
    width = cell.charge / steps
    middle = (cell.chemistry.voltage((index + 0.5) * width) for index in range(steps))
    return math.fsum(volts + cell.offset for volts in middle) * width * cell.capacity


def make_unit(
    chemistry: Chemistry,
    *,
    cells: int,
    sensors: int,
    capacity: float,
    voltage: float,
    rng: random.Random,
    weak_cell: int | None = None,
    temperature: float = 19.0,
) -> Unit:
    """Return a unit of cells that differ as real ones do.

    `capacity` in Ah, `voltage` in V at which its cells rest about, `temperature` in °C. The
    `weak_cell` (from 1) stands 8 mV lower than the others.
    """
    made: list[Cell] = []
    for number in range(1, cells + 1):
        ohms = rng.uniform(0.06e-3, 0.39e-3)
        cell = Cell(chemistry, 0.5, capacity * rng.uniform(1.0, 1.02), ohms)
        cell.rest_at(voltage + rng.uniform(-0.0006, 0.0006))
        if number == weak_cell:
            cell.rest_at(voltage - 0.0083)
        made.append(cell)
    fitted = [Sensor(0.0 if index == 0 else -rng.uniform(0.1, 0.9)) for index in range(sensors)]
    return Unit(made, fitted, temperature)
