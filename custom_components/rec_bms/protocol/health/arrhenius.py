"""How resistance depends on temperature: as Arrhenius has it, by an activation energy.

For LiFePO4 33.8 and 40.9 kJ/mol are measured for the transfer of charge (Electrochimica Acta 60,
2012, 269 to 273); what electrolyte and metal add depends on temperature less. So what a whole cell
comes to is between; 20 kJ/mol double a resistance from 25 to 0 °C. It cannot be learned from what a
BMS tells: its moving average belongs to the temperatures of hours or days before.
"""

from __future__ import annotations

ENERGY, ENERGY_SPREAD = 20e3, 8e3
"""J/mol, and its standard deviation among batteries: our reading of the above."""
_GAS_CONSTANT = 8.314
_ZERO_CELSIUS = 273.15
_REFERENCE = 298.15


def coldness(celsius: float) -> float:
    """Return how much colder than 25 °C a temperature is, in mol/J."""
    return (1 / (celsius + _ZERO_CELSIUS) - 1 / _REFERENCE) / _GAS_CONSTANT
