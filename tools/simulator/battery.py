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

from .chemistry import Chemistry

LONGEST_STEP = 10.0
"""Seconds of battery time that are worked out at once at most."""
DAY = 86400.0

_HEAT_RESISTANCE = 0.18
"""Kelvin that a unit warms for each watt lost in it."""
_HEAT_TIME = 7200.0
"""Seconds in which a unit comes near the temperature that it is heading for."""
_BOARD_TIME = 600.0
"""The same for the BMS's own board."""


class Cell:
    """One cell: state of charge (1.0 full), capacity in Ah, resistance in Ω, `offset` in V.

    `bleed` is the balancing current in A that is drawn from it at this moment.
    """

    def __init__(self, chemistry: Chemistry, charge: float, capacity: float, ohms: float) -> None:
        self.chemistry = chemistry
        self.capacity = capacity
        self.resistance = ohms
        self.offset = 0.0
        self.bleed = 0.0
        self.charge = charge

    @property
    def charge(self) -> float:
        """State of charge, 0 empty to 1 full; a cell that is abused goes beyond."""
        return self._charge

    @charge.setter
    def charge(self, value: float) -> None:
        self._charge = value
        self.open_circuit = self.chemistry.voltage(value)

    def voltage(self, current: float) -> float:
        """Return the voltage in V at its poles while a current in A flows into it."""
        return self.open_circuit + self.offset + current * self.resistance

    def rest_at(self, voltage: float) -> None:
        """Bring the cell to the state of charge at which it rests at a voltage in V."""
        self.charge = self.chemistry.charge(voltage - self.offset)

    def flow(self, current: float, seconds: float) -> None:
        """Move charge: a current in A for a time in s."""
        self.charge = self._charge + (current - self.bleed) * seconds / 3600 / self.capacity


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
        self.temperature = temperature

    def readings(self) -> list[float]:
        """Return what its sensors show, °C."""
        return [
            self.temperature + one.offset if one.stuck is None else one.stuck
            for one in self.sensors
        ]


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
            step = min(left, LONGEST_STEP)
            self._step(step)
            left -= step

    def _step(self, seconds: float) -> None:
        if self.supervisor is not None:
            self.supervisor.before_step(seconds)
        current = self.current
        volts, bled, lost = self.voltage, 0.0, 0.0
        for unit in self.units:
            heat = 0.0
            for cell in unit.cells:
                heat += current * current * cell.resistance
                bled += cell.bleed * cell.open_circuit
                cell.flow(current, seconds)
            lost += heat
            unit.temperature = _towards(
                unit.temperature, self.ambient + heat * _HEAT_RESISTANCE, seconds / _HEAT_TIME
            )
        self._warm_board(seconds)
        self._count((volts + self.voltage) / 2, bled, lost, seconds)
        self.time += seconds
        if self.supervisor is not None:
            self.supervisor.after_step(seconds)

    def _warm_board(self, seconds: float) -> None:
        bleeding = sum(1 for cell in self.cells if cell.bleed)
        share = bleeding / max(1, sum(1 for _ in self.cells))
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
