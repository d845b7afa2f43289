"""The current with which a BMS balances a cell, as far as its type tells."""

from __future__ import annotations

from ..state import State

_PASSIVE = "1Q"
"""Part of what a BMS calls itself that burns off charge in a resistor for each cell."""
_RESISTOR = 4.1
"""Ω of such a resistor: about 1 A at the voltages at which cells are balanced."""


def tells_balancing_current(model: str | None) -> bool:
    """Tell whether a BMS's type says with which current it balances."""
    return model is not None and _PASSIVE in model


def balancing_current(state: State) -> float | None:
    """Return the A with which a BMS of a known type balances a cell, at BVOL; None of others.

    How much an active BMS moves depends on its cells, and on what it moves it to.
    """
    volts = state.settings.get("bvol")
    if volts is None or not tells_balancing_current(state.model):
        return None
    return volts / _RESISTOR
