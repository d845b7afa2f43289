"""What is left in a cell at rest near empty."""

from __future__ import annotations

import pytest

from custom_components.rec_bms.protocol.health.open_circuit import left_in
from tools.simulator.chemistry import CHEMISTRIES


@pytest.mark.parametrize(
    ("volts", "charge"), [(2.74, 0.012), (2.93, 0.027), (3.087, 0.053), (3.19, 0.089)]
)
def test_a_measured_cell_is_within_what_is_said_of_it(volts: float, charge: float) -> None:
    left = left_in(3, volts)
    assert left is not None
    assert abs(left.charge - charge) <= left.off / 2


@pytest.mark.parametrize("number", CHEMISTRIES)
def test_the_simulators_cells_are_within_what_is_said_of_them(number: int) -> None:
    kind = CHEMISTRIES[number]
    seen = 0
    for thousandth in range(250):
        left = left_in(number, kind.voltage(thousandth / 1000))
        if left is not None:
            seen += 1
            assert abs(left.charge - thousandth / 1000) <= left.off
    assert seen > 60


@pytest.mark.parametrize("chemistry", [3, 4])
@pytest.mark.parametrize("volts", [3.21, 3.25, 3.3, 3.35, 3.5])
def test_the_flat_part_of_a_curve_tells_nothing(chemistry: int, volts: float) -> None:
    assert left_in(chemistry, volts) is None


@pytest.mark.parametrize("volts", [-1.0, 0.0, 1.5, 2.19, 5.0])
def test_a_broken_wire_is_no_empty_cell(volts: float) -> None:
    assert left_in(3, volts) is None


@pytest.mark.parametrize("chemistry", [None, 0.0, 6.0])
def test_of_unknown_cells_nothing_is_known(chemistry: float | None) -> None:
    assert left_in(chemistry, 3.0) is None


@pytest.mark.parametrize("chemistry", [1, 2, 3, 4, 5])
def test_more_volts_are_never_less_charge(chemistry: int) -> None:
    volts = [2.3 + step / 1000 for step in range(1500)]
    left = [each for at in volts if (each := left_in(chemistry, at)) is not None]
    charges = [each.charge for each in left]
    assert charges == sorted(charges)
    assert all(each.off > 0 for each in left)
