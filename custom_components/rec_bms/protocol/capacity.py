"""What a battery can hold, in kWh, from what its BMS tells.

Source: docs/decisions.md.
"""

from __future__ import annotations

from .state import State, product

_NOMINAL = {1: 3.7, 2: 3.7, 3: 3.2, 4: 3.3, 5: 3.7}
"""V of a cell, by CHEM, as is usual of Kokam Li-Po, Winston, A123, LiMnO2; REC tells none."""
_FITS = 0.15
"""By which part of it the pack voltage may differ from that of its cells."""


def usable_capacity(state: State) -> float | None:
    """Return in kWh what a full battery holds at its nominal voltage; None if not known."""
    chemistry = state.settings.get("chem")
    return product(
        state.settings.get("capa"),
        state.state_of_health,
        cells_in_series(state),
        None if chemistry is None else _NOMINAL.get(int(chemistry)),
        0.001,
    )


def cells_in_series(state: State) -> int | None:
    """Return how many cells make up the pack voltage; None if that cannot be told.

    Units in parallel have the voltage of one of them.
    """
    cells, lowest, highest = state.cell_voltages, state.min_cell_voltage, state.max_cell_voltage
    if cells is None or state.voltage is None or lowest is None or highest is None:
        return None
    together = sum(map(len, cells.units))
    for strings in {1, len(cells.units)}:
        if not strings or together % strings:
            continue
        in_series = together // strings
        if abs(in_series * (lowest + highest) / 2 - state.voltage) < _FITS * state.voltage:
            return in_series
    return None
