"""One BMS at one address: settings, measurements, errors, and its responses as payloads."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from . import defaults, responses
from .battery import Battery, Unit, make_unit
from .chemistry import CHEMISTRIES
from .figures import float32, write_float
from .guard import HIGH, LOW, SENSOR, Guard, Measured
from .presets import PRESETS, TEXTS
from .scenarios import Demand, Scenario, View, scenario as scenario_named
from .table import BY_CODE, Instruction

Layout = Literal["frames", "single"]
"""How CELL, RINT and PTEM answer: a data frame for each unit, or one frame with all of it."""

MOST_UNITS = 15
MOST_CELLS = 16

_NOISE = 0.4
"""Steps of a converter by which it errs, as a standard deviation."""
_ADC_STEP = 5.0 / 65536 * 4
"""Volts between two readings of a cell."""
_CURRENT_STEP = 0.02
"""Amperes between two readings of the current."""
_SENSOR_STEP = 0.0625
"""Kelvin between two readings of a DS18B20."""
_SHORTEST_STEP = 0.05
"""Seconds of battery time that are not worth working out."""
_BLEED = 1.0
"""Amperes that balancing takes out of a cell."""
_BALANCED = 0.002
"""Volts above the lowest cell at which balancing leaves a cell alone."""


_LEAST_CHANGE = 20.0
"""Amperes by which the current must change for resistances to be worked out: from that change and
the cells' between two measurements, as REC's manual of the Active BMS 4S says (page 10)."""
_NEWEST_SHARE = 0.25
"""What the newest has in the moving average that RINT tells; how long it is is not known."""


@dataclass(slots=True)
class CurrentSensor:
    """How a current sensor errs: what it shows of no current, A, and of each ampere."""

    offset: float = 0.0
    gain: float = 1.0


class BMS:
    """A REC BMS: address, settings, a battery, and responses to requests.

    `cells` is one number for all units or one for each. `settings` go over those of the preset
    (see `presets.PRESETS`), and `defaults` makes up what neither has. `unsupported` are
    instructions that it does not answer, or, if it `refuses`, with an error.
    `absent_sensors` is how many sensors PTEM shows that are not
    there. With `noise` (drawn from `seed`) it measures as a real converter does; without, exactly.
    Setting CHEM does not change what the cells are made of.
    """

    def __init__(
        self,
        address: int = 1,
        *,
        preset: str = "kokam",
        units: int = 1,
        cells: int | Sequence[int] | None = None,
        sensors: int = 2,
        absent_sensors: int = 0,
        settings: Mapping[str, float] | None = None,
        texts: Mapping[str, str] | None = None,
        unsupported: Collection[str] = (),
        refuses: bool = False,
        error_log: Sequence[bytes] = (),
        layout: Layout = "frames",
        scenario: str | Scenario = "rest",
        time_factor: float = 1.0,
        noise: bool = False,
        seed: int = 0,
    ) -> None:
        self.address = address
        self.preset = PRESETS[preset]
        self.settings: dict[str, float] = {
            code: _as_kept(BY_CODE[code], value)
            for code, value in defaults.completed(
                {**self.preset.settings, **(settings or {})}
            ).items()
        }
        self.texts = defaults.completed_texts({**TEXTS, **(texts or {})})
        self.unsupported = set(unsupported)
        self.layout: Layout = layout
        self.absent_sensors = absent_sensors
        self.noise = noise
        self.cell_noise = _NOISE * _ADC_STEP
        """V by which it errs at each cell where there is noise, as a standard deviation."""
        self.current_sensor = CurrentSensor()
        self.silent = False
        self._rng = random.Random(seed)
        self._sensors = sensors
        self.battery = self._make_battery(units, cells)
        self.battery.supervisor = self
        self.guard = Guard(self.settings)
        self.charge = self.preset.charge
        """State of charge as the BMS counts it, 0 to 1."""
        self.health = self.preset.health
        """State of health, 0 to 1."""
        self.consumed = (1 - self.charge) * self.settings["CAPA"]
        """Ah taken since the battery was full."""
        self._cycled = 0.0
        self.current_wanted: float | None = None
        """A that tests ask for; None leaves it to the scenario."""
        self.ambient_wanted: float | None = None
        """°C around the battery that tests ask for; None leaves it to the scenario."""
        self.scenario = scenario
        self._measured: tuple[int, Measured] | None = None
        self._ohms: list[list[float]] = []
        """What RINT tells where there is noise; empty before it was measured."""
        self._last_current = 0.0
        self._time_factor = time_factor
        self._seen = time.monotonic()
        self.refuses = refuses
        """Whether it answers what it does not know with an error rather than silence."""
        self.maxima: dict[str, float] = {}
        """Where it allows more than REC's list of instructions does."""
        self.error_log = list(error_log)
        self.log_pointer = 0
        self.offences: list[str] = []
        """What it was sent and must never be."""
        self.clock_ahead = 0.0
        """Seconds by which the BMS's clock is ahead of the time."""
        self._demand()
        self.guard.look(self._sample(), self.charge)

    # -- what it is made of ----------------------------------------------------------------------

    def _make_battery(self, units: int, cells: int | Sequence[int] | None) -> Battery:
        counts = cells if isinstance(cells, Sequence) else [cells or self.preset.cells] * units
        if not 1 <= len(counts) <= MOST_UNITS or not all(1 <= n <= MOST_CELLS for n in counts):
            msg = f"a BMS has 1 to {MOST_UNITS} units of 1 to {MOST_CELLS} cells"
            raise ValueError(msg)
        return Battery([self._make_unit(count, first=not n) for n, count in enumerate(counts)])

    def _make_unit(self, cells: int, *, first: bool) -> Unit:
        weak = self.preset.weak_cell
        return make_unit(
            CHEMISTRIES[int(self.settings["CHEM"])],
            cells=cells,
            sensors=self._sensors,
            capacity=self.settings["CAPA"],
            voltage=self.preset.voltage,
            rng=self._rng,
            weak_cell=weak if first else None,
            temperature=19.0 if first else 18.5,
        )

    def add_unit(self, cells: int | None = None) -> None:
        """Connect another child unit, of as many cells as the first unless told."""
        if len(self.battery.units) >= MOST_UNITS:
            msg = f"there are {MOST_UNITS} units already"
            raise ValueError(msg)
        count = cells or len(self.battery.units[0].cells)
        self.battery.units.append(self._make_unit(count, first=False))
        self._measured, self._ohms = None, []

    def remove_unit(self) -> None:
        """Disconnect the last child unit."""
        if len(self.battery.units) == 1:
            msg = "the unit that answers cannot be removed"
            raise ValueError(msg)
        self.battery.units.pop()
        self._measured, self._ohms = None, []

    @property
    def scenario(self) -> Scenario:
        """What is asked of the battery; can be set by name."""
        return self._scenario

    @scenario.setter
    def scenario(self, value: str | Scenario) -> None:
        self._scenario = scenario_named(value) if isinstance(value, str) else value

    # -- time ------------------------------------------------------------------------------------

    @property
    def time_factor(self) -> float:
        """Seconds of battery time in a second; 0 stops the battery's clock."""
        return self._time_factor

    @time_factor.setter
    def time_factor(self, value: float) -> None:
        self.catch_up()
        self._time_factor = value

    def catch_up(self) -> None:
        """Let the battery live through the time since it was last looked at."""
        now = time.monotonic()
        passed = (now - self._seen) * self._time_factor
        if not self._time_factor:
            self._seen = now
        elif passed > _SHORTEST_STEP:
            self._seen = now
            self.battery.advance(passed)

    def before_step(self, seconds: float) -> None:
        """Set current, balancing and weather (called by the battery)."""
        self._demand()
        self._balance()

    def after_step(self, seconds: float) -> None:
        """Count charge and cycles and compare with the limits (called by the battery)."""
        self._measure_resistances()
        measured = self._sample()
        moved = measured.current * seconds / 3600
        capacity = self.settings["CAPA"]
        self.charge = min(max(self.charge + moved / capacity, 0.0), 1.0)
        self.consumed = max(self.consumed - moved, 0.0)
        self._count_cycles(max(-moved, 0.0) / capacity)
        was_ended = self.guard.charge_ended
        self._react(self.guard.look(measured, self.charge))
        if self.guard.charge_ended and not was_ended and self.battery.current > 0:
            self.charge, self.consumed = 1.0, 0.0

    def _react(self, new: set[int]) -> None:
        for error, counter in ((HIGH, "VMAX"), (LOW, "VMIN")):
            if error in new:
                self.settings[counter] = min(self.settings[counter] + 1, 8000)
        if new:
            self._demand()

    def _count_cycles(self, cycles: float) -> None:
        self._cycled += cycles
        while self._cycled >= 1:
            self._cycled -= 1
            self.settings["CYCL"] = min(self.settings["CYCL"] + 1, 8000)
            self.health = max(self.health - 1e-4, 0.0)

    # -- currents --------------------------------------------------------------------------------

    def _demand(self) -> None:
        battery = self.battery
        demand = self._scenario(self._view())
        if self.current_wanted is not None:
            demand = Demand(self.current_wanted, demand.ambient, demand.error)
        battery.ambient = demand.ambient if self.ambient_wanted is None else self.ambient_wanted
        battery.current = self._let_through(demand.current)
        self._scenario_error(demand.error)

    def _view(self) -> View:
        return View(
            time=self.battery.time,
            capacity=self.settings["CAPA"],
            rest_current=self.preset.current,
            full=self.guard.charge_ended,
            empty=self.guard.protected or LOW in self.guard.found,
        )

    _scenario_raised = 0

    def _scenario_error(self, number: int) -> None:
        if number == self._scenario_raised:
            return
        previous, self._scenario_raised = self._scenario_raised, number
        if previous:
            self.clear_error(previous)
        if number:
            self.raise_error(number)

    def _let_through(self, wanted: float) -> float:
        """Return what the BMS lets flow of a current in A."""
        keep = self.settings
        if wanted > 0:
            if not self.guard.may_charge:
                return 0.0
            most = min(keep["CHAC"] * keep["CAPA"], keep["MAXC"] * keep["SISN"])
            return min(wanted, most) * self._taper(min(wanted, most))
        if not self.guard.may_discharge:
            return 0.0
        most = min(keep["DCHC"] * keep["CAPA"], keep["MAXD"] * keep["SISN"])
        return max(wanted, -most)

    def _taper(self, current: float) -> float:
        """Return the share of a charge current that is left when a cell comes near CHAR."""
        highest, ohms = max((cell.voltage(0.0), cell.resistance) for cell in self.battery.cells)
        band = max(0.01, 2 * current * ohms)
        return min(max((self.settings["CHAR"] - highest) / band, 0.05), 1.0)

    def _balance(self) -> None:
        keep, current = self.settings, self.battery.current
        cells = [(cell, cell.voltage(current)) for cell in self.battery.cells]
        lowest = min(volts for _, volts in cells)
        for cell, volts in cells:
            high = volts > keep["BMIN"] and volts > lowest + _BALANCED
            cell.bleed = _BLEED if high or volts > keep["BVOL"] else 0.0

    def set_current(self, amperes: float | None) -> None:
        """Ask for a current in A (positive charges); None gives it back to the scenario."""
        self.catch_up()
        self.current_wanted = amperes
        self._refresh()

    # -- errors ----------------------------------------------------------------------------------

    def raise_error(self, number: int, unit: int = 1, location: int = 1) -> None:
        """Show an error (1 to 16 are known, up to 255 possible) at a unit's cell or sensor."""
        self.guard.forced.pop(number, None)
        self.guard.forced[number] = (unit, location)
        self._react({number})
        self._refresh()

    def clear_error(self, number: int | None = None) -> None:
        """Take back one error that was raised, or all; those of physics stay while they are."""
        if number is None:
            self.guard.forced.clear()
        else:
            self.guard.forced.pop(number, None)
        self._refresh()

    @property
    def error(self) -> tuple[int, int, int] | None:
        """Number, unit and location of the error that ERRO shows, None without one."""
        return self.guard.current_error()

    def break_sensor(self, unit: int, sensor: int, reading: float = 85.0) -> None:
        """Let a temperature sensor show one reading in °C for ever, with error 8."""
        self.battery.sensor(unit, sensor).stuck = reading
        self.raise_error(SENSOR, unit, sensor)

    def mend_sensor(self, unit: int, sensor: int) -> None:
        """Undo `break_sensor`."""
        self.battery.sensor(unit, sensor).stuck = None
        self.clear_error(SENSOR)

    # -- measuring -------------------------------------------------------------------------------

    def measure(self) -> Measured:
        """Return what the BMS measures now: with noise once a second, without at every look."""
        if not self.noise:
            return self._sample()
        second = int(time.monotonic())
        if self._measured is None or self._measured[0] != second:
            self._measured = (second, self._blurred(self._sample()))
        return self._measured[1]

    def sample(self) -> Measured:
        """Return another round of measurements, whatever the time is."""
        return self._blurred(self._sample()) if self.noise else self._sample()

    def resistances(self) -> list[list[float]]:
        """Return the cells' resistances in Ω: with noise as of the last changes of the current."""
        if not self.noise:
            return self._exact_resistances()
        # Until a current has changed enough, it tells what it began with.
        self._ohms = self._ohms or self._exact_resistances()
        return self._ohms

    def _exact_resistances(self) -> list[list[float]]:
        return [[cell.resistance for cell in unit.cells] for unit in self.battery.units]

    def _measure_resistances(self) -> None:
        """Measure them anew where the current has changed enough to tell."""
        change = abs(self.battery.current - self._last_current)
        self._last_current = self.battery.current
        if not self.noise or change < _LEAST_CHANGE:
            return
        error = self.cell_noise * math.sqrt(2) / change
        exact = self._exact_resistances()
        before = self._ohms or exact
        self._ohms = [
            [
                kept + _NEWEST_SHARE * (abs(self._rng.gauss(ohms, error)) - kept)
                for kept, ohms in zip(row, told, strict=True)
            ]
            for row, told in zip(before, exact, strict=True)
        ]

    def _sample(self) -> Measured:
        """Measure without noise, but with the corrections that are set."""
        keep, battery = self.settings, self.battery
        correction = (keep["ODDC"], keep["EAVC"])
        current = battery.current * keep["IOJA"] / float32(self.preset.settings["IOJA"])
        return Measured(
            [[v + correction[n % 2] for n, v in enumerate(unit)] for unit in battery.voltages()],
            [unit.readings() for unit in battery.units],
            current * self.current_sensor.gain + self.current_sensor.offset + keep["IOFF"],
            battery.board_temperature,
        )

    def _blurred(self, exact: Measured) -> Measured:
        """Return measurements as converters of limited resolution give them."""
        gauss = self._rng.gauss

        def blur(value: float, step: float, error: float) -> float:
            return round((value + gauss() * error) / step) * step

        noise, degrees = self.cell_noise, _NOISE * _SENSOR_STEP
        return Measured(
            [[blur(volts, _ADC_STEP, noise) for volts in unit] for unit in exact.volts],
            [[blur(one, _SENSOR_STEP, degrees) for one in unit] for unit in exact.celsius],
            blur(exact.current, _CURRENT_STEP, _NOISE * _CURRENT_STEP),
            blur(exact.board, _SENSOR_STEP, degrees),
        )

    def look_again(self) -> None:
        """Compare with the limits at once, after something was changed from outside."""
        self._react(self.guard.look(self._sample(), self.charge))
        self._refresh()

    def _refresh(self) -> None:
        """Let currents and measurements follow a change from outside."""
        self._demand()
        self._measured = None

    # -- responding ------------------------------------------------------------------------------

    def respond(self, request: bytes) -> list[bytes] | None:
        """Do what a request asks for; return the payloads of the response, None for silence."""
        return responses.respond(self, request)

    def clock(self) -> datetime:
        """Return what the BMS's clock shows: the time of where this runs, and how far it is off."""
        return datetime.now().astimezone() + timedelta(seconds=self.clock_ahead)

    def written(self, code: str) -> str:
        """Return a setting as it goes over the line."""
        value = self.settings[code]
        return str(int(value)) if BY_CODE[code].whole_number else write_float(value)

    def unit_address(self, unit: int) -> int:
        """Return the address that LCD3 and ERRO give for a unit: its own when alone, else from 1.

        A unit that there is not, which an error may name, stays as it is.
        """
        return self.address if unit == len(self.battery.units) == 1 else unit

    def set_value(self, code: str, value: float) -> None:
        """Change a setting in the line's unit, within limits or not, as by its own buttons."""
        self.catch_up()
        self.settings[code] = _as_kept(BY_CODE[code], value)
        if code == "SOCS":
            self.charge = self.settings[code]
            self.consumed = (1 - self.charge) * self.settings["CAPA"]
        self.look_again()


def _as_kept(row: Instruction, value: float) -> float:
    return int(value) if row.whole_number else float32(value)
