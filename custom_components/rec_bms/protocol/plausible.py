"""What can be, generously: outside lies a broken sensor or a mistaken response, not a battery."""

from __future__ import annotations

type Bounds = tuple[float, float]

CELL_VOLTS: Bounds = (0, 5.5)
CELL_OHMS: Bounds = (0, 1)
DEGREES: Bounds = (-55, 125)
AMPERES: Bounds = (-10_000, 10_000)
PACK_VOLTS: Bounds = (0, 1_500)
REFERENCE_VOLTS: Bounds = (0, 10)
CHARGE_FRACTION: Bounds = (-0.05, 1.05)
HEALTH_FRACTION: Bounds = (-0.05, 1.5)

_POWER_ON_DEGREES = 85.0
"""What a DS18B20 says before it has measured anything."""


def within[N: (int, float)](value: N, bounds: Bounds) -> N | None:
    """Return a value that can be, None for one that cannot; NaN cannot."""
    low, high = bounds
    return value if low <= value <= high else None


def temperature(value: float) -> float | None:
    """Return a temperature in °C, None for one that no sensor has measured."""
    return None if value == _POWER_ON_DEGREES else within(value, DEGREES)
