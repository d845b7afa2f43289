"""What goes over the wire for a setting, and what is shown of it, are two tables of one thing."""

from __future__ import annotations

import pytest
from homeassistant.components.number import NumberEntityDescription

from custom_components.rec_bms.number import NUMBERS
from custom_components.rec_bms.protocol.rs485.instructions import SETTINGS
from custom_components.rec_bms.select import SELECTS


def test_each_setting_is_shown_once_and_nothing_is_shown_that_cannot_be_set() -> None:
    keys = [description.key for description in (*NUMBERS, *SELECTS)]
    assert sorted(keys) == sorted(SETTINGS)


def test_a_setting_is_a_select_where_it_has_choices_and_a_number_where_it_has_none() -> None:
    assert {each.key for each in SELECTS} == {key for key in SETTINGS if SETTINGS[key].choices}


@pytest.mark.parametrize("description", NUMBERS, ids=lambda description: description.key)
def test_a_number_moves_by_steps_within_its_limits_in_the_unit_of_the_line(
    description: NumberEntityDescription,
) -> None:
    setting = SETTINGS[description.key]
    in_percent = setting.line_unit == "fraction"
    span = (setting.maximum - setting.minimum) * (100 if in_percent else 1)
    assert description.native_step is not None
    assert 0 < description.native_step < span
    expected = "%" if in_percent else setting.line_unit
    assert description.native_unit_of_measurement == expected
    if setting.whole_number:
        assert description.native_step == 1
