"""What was kept and cannot be read, and what is asked of places that are not there, is told so."""

from __future__ import annotations

import pytest

from custom_components.rec_bms.protocol.health.measured import MeasuredCapacity
from custom_components.rec_bms.protocol.health.open_circuit import at_least_left_in
from custom_components.rec_bms.protocol.health.resistance_past import Past, Reading
from custom_components.rec_bms.protocol.health.spread import Place, place
from custom_components.rec_bms.protocol.state import PerUnit

TWO_UNITS = PerUnit(((3.3, 3.4), (3.5,)))


def test_a_chemistry_that_is_not_known_has_no_curve() -> None:
    assert at_least_left_in(9.0, 3.3) is None


def test_cells_are_found_by_their_place_in_all_units() -> None:
    assert [place(TWO_UNITS, index) for index in range(3)] == [
        Place(1, 1),
        Place(1, 2),
        Place(2, 1),
    ]


def test_there_is_no_place_beyond_the_last_cell() -> None:
    with pytest.raises(IndexError):
        place(TWO_UNITS, 3)


@pytest.mark.parametrize("row", [[1.0], 3, ["x", 0.1], [0.1, None], [0.1, 0]])
def test_an_offset_that_cannot_be_read_is_left_out(row: object) -> None:
    capacity = MeasuredCapacity(60)
    capacity.restore({"measurements": [], "offsets": [row, [0.1, 0.2]]})
    assert capacity.as_dict()["offsets"] == [[0.1, 0.2]]


@pytest.mark.parametrize("kept", [None, ["x", [1e-4]], [20.0, [1e-4, 2e-4]], [20.0]])
def test_resistances_that_cannot_be_read_are_no_reading(kept: object) -> None:
    assert Reading.of(kept, 1) is None


def test_before_any_reading_a_unit_has_no_resistances_of_its_own() -> None:
    assert Past(2, (1e-4, 2e-4)).own == ()
