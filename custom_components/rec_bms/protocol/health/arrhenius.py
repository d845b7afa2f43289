"""How resistance depends on temperature: as Arrhenius has it, and how much, each battery teaches.

For LiFePO4 33.8 and 40.9 kJ/mol are measured for the transfer of charge (Electrochimica Acta 60,
2012, 269 to 273); what electrolyte and metal add depends on temperature less. So what a whole cell
comes to is between; 20 kJ/mol, with which this begins, double a resistance from 25 to 0 °C.
"""

from __future__ import annotations

import math

from .kept import amount, number

_GAS_CONSTANT = 8.314
_ZERO_CELSIUS = 273.15
_REFERENCE = 298.15
_ENERGY, _ENERGY_SPREAD = 20e3, 8e3
"""J/mol before anything was learned, and its standard deviation."""
_LEAST_ENERGY, _MOST_ENERGY = 0.0, 45e3
_READING_SPREAD = 0.1
"""Standard deviation of the logarithm of what the cells of a unit have in common in a reading."""


def coldness(celsius: float) -> float:
    """Return how much colder than 25 °C a temperature is, in mol/J."""
    return (1 / (celsius + _ZERO_CELSIUS) - 1 / _REFERENCE) / _GAS_CONSTANT


class Law:
    """What the logarithm of a battery's resistance rises by with `coldness`: J/mol."""

    def __init__(self) -> None:
        self._xx = 0.0
        self._xy = 0.0

    @property
    def energy(self) -> float:
        """The likeliest activation energy."""
        learned = (self._xy + _PRIOR * _ENERGY) / (self._xx + _PRIOR)
        return min(max(learned, _LEAST_ENERGY), _MOST_ENERGY)

    @property
    def spread(self) -> float:
        """The standard deviation of that."""
        return _READING_SPREAD / math.sqrt(self._xx + _PRIOR)

    def learn(self, colder: float, higher: float) -> None:
        """Take by how much logarithms were higher when it was colder by so many mol/J."""
        self._xx += colder * colder
        self._xy += colder * higher

    def as_list(self) -> list[float]:
        """Return what is to be kept."""
        return [self._xx, self._xy]

    def restore(self, kept: object) -> None:
        """Take what was kept, if it can be read."""
        match kept:
            case [squares, products]:
                xx, xy = amount(squares), number(products, (-math.inf, math.inf))
                if xx is not None and xy is not None:
                    self._xx, self._xy = xx, xy


_PRIOR = (_READING_SPREAD / _ENERGY_SPREAD) ** 2
