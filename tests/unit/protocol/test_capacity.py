"""What a full battery holds, from what its BMS tells."""

from __future__ import annotations

from typing import Any

import pytest

from custom_components.rec_bms.protocol.capacity import cells_in_series, usable_capacity
from custom_components.rec_bms.protocol.state import PerUnit, State

IRON = 3


def told(units: int, cells: int, volts: float, **more: Any) -> State:
    """Return the state of a battery of LiFePO4 cells near 3.3 V, with so many V as a whole."""
    rows = tuple((3.25, *(3.3,) * (cells - 2), 3.35) for _ in range(units))
    return State.of(
        {
            "voltage": volts,
            "min_cell_voltage": 3.25,
            "max_cell_voltage": 3.35,
            "cell_voltages": PerUnit(rows),
            "state_of_health": 0.5,
            "capa": 100.0,
            "chem": IRON,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("units", "cells", "volts", "in_series"),
    [(1, 4, 13.2, 4), (3, 16, 158.4, 48), (2, 4, 13.1, 4), (15, 4, 13.3, 4)],
)
def test_the_pack_voltage_tells_how_many_cells_are_in_series(
    units: int, cells: int, volts: float, in_series: int
) -> None:
    assert cells_in_series(told(units, cells, volts)) == in_series


@pytest.mark.parametrize("volts", [0.0, 9.9, 21.0, None])
def test_a_pack_voltage_that_fits_no_wiring_tells_nothing(volts: float | None) -> None:
    assert cells_in_series(told(2, 4, 0.0, voltage=volts)) is None


def test_a_load_between_two_readings_costs_no_cell() -> None:
    assert cells_in_series(told(1, 16, 16 * 3.3 * 0.92)) == 16


def test_capacity_does_not_follow_the_load() -> None:
    at_rest = usable_capacity(told(1, 4, 13.2))
    assert at_rest == pytest.approx(100 * 0.5 * 4 * 3.2 / 1000)
    assert usable_capacity(told(1, 4, 12.6)) == at_rest


@pytest.mark.parametrize(
    "missing", ["capa", "chem", "state_of_health", "cell_voltages", "min_cell_voltage"]
)
def test_what_is_not_known_is_not_made_up(missing: str) -> None:
    assert usable_capacity(told(1, 4, 13.2, **{missing: None})) is None


def test_an_unknown_chemistry_has_no_nominal_voltage() -> None:
    assert usable_capacity(told(1, 4, 13.2, chem=9)) is None
