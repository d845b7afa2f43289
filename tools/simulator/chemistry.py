"""Open-circuit voltage of a cell over its state of charge, one curve a chemistry.

The curves are drawn after published ones and bent so that a full cell (1.0) stands where the
settings of `presets` end the charge. They go on above 1.0 and below 0 so that a cell can be
overcharged and emptied too far.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

LOWEST = 0.5
HIGHEST = 5.0
"""Volts that no curve leaves."""


@dataclass(frozen=True, slots=True)
class Chemistry:
    """A kind of cell: `number` is the BMS's CHEM, the curve gives volts at states of charge."""

    number: int
    name: str
    charges: Sequence[float]
    volts: Sequence[float]

    def voltage(self, charge: float) -> float:
        """Return the open-circuit voltage in V at a state of charge (1.0 is full)."""
        index = min(max(bisect_right(self.charges, charge), 1), len(self.charges) - 1)
        left, right = self.charges[index - 1], self.charges[index]
        low, high = self.volts[index - 1], self.volts[index]
        volts = low + (high - low) * (charge - left) / (right - left)
        return min(max(volts, LOWEST), HIGHEST)

    def piece(self, charge: float) -> tuple[float, float, float, float]:
        """Return the straight piece of the curve in which a state of charge lies.

        From one state of charge to another, the V at the first, and the V that each 1.0 adds.
        """
        index = min(max(bisect_right(self.charges, charge), 1), len(self.charges) - 1)
        left, right = self.charges[index - 1], self.charges[index]
        low, high = self.volts[index - 1], self.volts[index]
        return left, right, low, (high - low) / (right - left)

    def charge(self, voltage: float) -> float:
        """Return the state of charge at which a cell rests at a voltage in V."""
        index = min(max(bisect_right(self.volts, voltage), 1), len(self.volts) - 1)
        left, right = self.charges[index - 1], self.charges[index]
        low, high = self.volts[index - 1], self.volts[index]
        return left + (right - left) * (voltage - low) / (high - low)


_TENTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98, 1.0, 1.1, 1.2, 1.3)
_IRON = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.7, 0.9, 0.95, 0.98, 0.99, 1.0, 1.02, 1.05, 1.1)

# fmt: off
CHEMISTRIES: dict[int, Chemistry] = {
    kind.number: kind
    for kind in (
        Chemistry(
            1,
            "Li-Po Kokam high power",
            _TENTHS,
            (3.0, 3.36, 3.5, 3.59, 3.64, 3.68, 3.73, 3.78,
             3.83, 3.88, 3.93, 3.968, 3.99, 4.07, 4.17, 4.3),
        ),
        Chemistry(
            2,
            "Li-Po Kokam high capacity",
            _TENTHS,
            (3.0, 3.38, 3.49, 3.57, 3.62, 3.66, 3.71, 3.76,
             3.81, 3.87, 3.92, 3.968, 3.99, 4.07, 4.17, 4.3),
        ),
        Chemistry(
            3,
            "LiFePO4 Winston",
            _IRON,
            (2.6, 2.9, 3.1, 3.2, 3.25, 3.29, 3.305, 3.325,
             3.345, 3.36, 3.4, 3.45, 3.57, 3.75, 4.0, 4.3),
        ),
        Chemistry(
            4,
            "LiFePO4 A123",
            _IRON,
            (2.5, 2.85, 3.08, 3.19, 3.25, 3.292, 3.307, 3.329,
             3.347, 3.36, 3.41, 3.47, 3.57, 3.78, 4.02, 4.3),
        ),
        Chemistry(
            5,
            "LiMnO2",
            _TENTHS,
            (3.0, 3.45, 3.6, 3.7, 3.76, 3.81, 3.85, 3.89,
             3.93, 3.98, 4.05, 4.12, 4.14, 4.2, 4.27, 4.35),
        ),
    )
}
# fmt: on
