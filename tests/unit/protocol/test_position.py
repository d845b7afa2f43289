"""Which unit an address of LCD3 or ERRO is: its position, or nothing where that is not certain."""

from __future__ import annotations

import pytest

from custom_components.rec_bms.protocol.state import PerUnit, State


def told(units: int | None, address: int | None) -> State:
    """Return the state of a BMS at an address, with a row of cells for each unit."""
    cells = {} if units is None else {"cell_voltages": PerUnit(((3.3,),) * units)}
    return State.of(cells, address)


@pytest.mark.parametrize("own", [None, 1, 2, 15, 16])
@pytest.mark.parametrize("address", [0, 1, 2, 7, 16, 255])
def test_a_single_unit_is_unit_1_whatever_its_address_says(own: int | None, address: int) -> None:
    assert told(1, own).position(address) == 1


@pytest.mark.parametrize("own", [1, 4, 16])
def test_the_units_of_a_master_before_or_after_them_are_those_of_their_addresses(own: int) -> None:
    state = told(3, own)
    assert [state.position(address) for address in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("own", [1, 16])
@pytest.mark.parametrize("address", [0, 4, 16, 255])
def test_an_address_that_no_unit_can_have_is_not_known(own: int, address: int) -> None:
    assert told(3, own).position(address) is None


@pytest.mark.parametrize("address", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("own", [None, 2, 3])
def test_among_units_in_the_middle_of_which_the_master_is_none_is_known(
    own: int | None, address: int
) -> None:
    assert told(3, own).position(address) is None


def test_before_the_cells_were_told_only_its_own_address_is_certain() -> None:
    assert [told(None, 2).position(address) for address in (1, 2, 3)] == [None, 1, None]
    assert told(None, None).position(1) is None
    assert told(None, None).position(None) is None


@pytest.mark.parametrize("own", [1, 2, 16])
@pytest.mark.parametrize("units", [1, 3])
def test_a_position_that_was_told_stays_what_it_is(own: int, units: int) -> None:
    state = told(units, own)
    for address in (0, 1, 2, 3, 4, 16):
        position = state.position(address)
        assert state.position(position) == position
