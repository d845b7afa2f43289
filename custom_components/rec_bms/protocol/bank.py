"""What several batteries that are wired together are as one, made of what each BMS told.

A figure of all is None where one of its parts is not known: a part of a sum is a wrong sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from .bms import Update
from .energy import Direction, minutes_left
from .state import Location, State, product

_SAME_BAR = 0.1
"""Share by which batteries in parallel may differ in voltage, one of them under load."""


class Wiring(StrEnum):
    """How the batteries of a bank are connected with each other."""

    PARALLEL = "parallel"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Bank:
    """Batteries that are wired together: what each has told, None of one that is away."""

    wiring: Wiring
    members: tuple[State | None, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every member is there."""
        return None not in self.members

    def tells(self, quantities: Iterable[str]) -> bool:
        """Tell whether every member is there and has told all these quantities."""
        wanted = tuple(quantities)
        return all(state is not None and all(map(state.has, wanted)) for state in self.members)

    def of_all(self, value: Callable[[State], float | None]) -> list[float] | None:
        """Return a value of each member; None where one is away or does not know it."""
        values = [None if state is None else value(state) for state in self.members]
        known = [each for each in values if each is not None]
        return known if len(known) == len(values) else None


@dataclass(frozen=True, slots=True)
class Extreme:
    """The lowest or highest value of all, in the unit of its quantity, and where it is.

    `member` counts from 0; `unit` is a position from 1 and `number` a cell or sensor from 1, None
    where that is not told.
    """

    value: float
    member: int
    unit: int | None
    number: int | None


def voltage(bank: Bank) -> float | None:
    """Return the voltage in V between the bank's poles.

    Batteries in parallel have one voltage. Where they differ too much for that, one of them is not
    connected or they are not in parallel, and their mean is found nowhere.
    """
    volts = bank.of_all(lambda state: state.voltage)
    if volts is None:
        return None
    if bank.wiring is Wiring.SERIES:
        return sum(volts)
    return _mean(volts) if max(volts) - min(volts) <= _SAME_BAR * max(volts) else None


def current(bank: Bank) -> float | None:
    """Return the current in A, positive while charging: that of all, or through all."""
    amperes = bank.of_all(lambda state: state.current)
    if amperes is None:
        return None
    return sum(amperes) if bank.wiring is Wiring.PARALLEL else _mean(amperes)


def power(bank: Bank) -> float | None:
    """Return the power in W, positive while charging; the wiring makes no difference to it."""
    return _sum(bank.of_all(lambda state: state.power))


def state_of_charge(bank: Bank) -> float | None:
    """Return the state of charge as a fraction, in which a battery weighs what it can hold."""
    capacities = _capacities(bank)
    charges = bank.of_all(_charge)
    if capacities is None or charges is None:
        return None
    return sum(charges) / sum(capacities)


def stored_energy(bank: Bank) -> float | None:
    """Return what is left in all batteries, in kWh."""
    if _capacities(bank) is None:
        return None
    return _sum(bank.of_all(lambda state: product(_charge(state), state.voltage, 0.001)))


def time_left(bank: Bank, direction: Direction, amperes: float) -> int | None:
    """Return the minutes until full or empty at a current in A; None where it makes no sense.

    Batteries in parallel fill and empty together. In series the first that is full or empty ends
    it for all.
    """
    capacities = _capacities(bank)
    charges = bank.of_all(_charge)
    if capacities is None or charges is None:
        return None
    if bank.wiring is Wiring.PARALLEL:
        capacities, charges = [sum(capacities)], [sum(charges)]
    each = (
        minutes_left(direction, capacity, charge / capacity, amperes)
        for capacity, charge in zip(capacities, charges, strict=True)
    )
    return min((minutes for minutes in each if minutes is not None), default=None)


def lowest_cell(bank: Bank) -> Extreme | None:
    """Return the lowest cell of all, in V."""
    return _extreme(bank, min, lambda state: state.min_cell_voltage, lambda state: state.min_cell)


def highest_cell(bank: Bank) -> Extreme | None:
    """Return the highest cell of all, in V."""
    return _extreme(bank, max, lambda state: state.max_cell_voltage, lambda state: state.max_cell)


def hottest_sensor(bank: Bank) -> Extreme | None:
    """Return the hottest sensor of all, in °C."""
    return _extreme(
        bank, max, lambda state: state.max_temperature, lambda state: state.hottest_sensor
    )


def spread(bank: Bank) -> float | None:
    """Return how far the highest cell of all is above the lowest, in V."""
    low, high = lowest_cell(bank), highest_cell(bank)
    return None if low is None or high is None else high.value - low.value


def problem(bank: Bank) -> bool | None:
    """Tell whether any battery reports an error.

    One that does is enough, whoever else is away. That there is none, all must say.
    """
    errors = [None if state is None else state.error for state in bank.members]
    if any(error is not None and error.present for error in errors):
        return True
    return None if None in errors else False


def fresh_until(update: Update, longest_gap: float) -> float:
    """Return when what was measured is too old to be added to what others measure.

    In s of the event loop's clock. What is measured when a poll begins is told when it ends, and
    is replaced when the next one ends, which may take as long.
    """
    return update.measured_at + longest_gap + 2 * (update.duration or 0.0)


def _capacities(bank: Bank) -> list[float] | None:
    """Return what each can hold, in Ah; None also where one could hold nothing at all."""
    capacities = bank.of_all(lambda state: state.settings.get("capa"))
    return capacities if capacities is not None and min(capacities) > 0 else None


def _charge(state: State) -> float | None:
    """Return what a battery holds, in Ah."""
    return product(state.settings.get("capa"), state.state_of_charge)


def _extreme(
    bank: Bank,
    choose: Callable[[list[float]], float],
    value: Callable[[State], float | None],
    location: Callable[[State], Location | None],
) -> Extreme | None:
    """Return the lowest or highest of all; of equal ones that of the first member."""
    values = bank.of_all(value)
    if values is None:
        return None
    member = values.index(choose(values))
    state = bank.members[member]
    assert state is not None
    where = location(state)
    if where is None:
        return Extreme(values[member], member, None, None)
    unit = where.position or state.position(where.unit)
    return Extreme(values[member], member, unit, where.number)


def _sum(values: list[float] | None) -> float | None:
    return None if values is None else sum(values)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
