"""What is worked out of what the BMS tells: how the battery is."""

from __future__ import annotations

import pytest
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM

from tests.virtual.house import House


async def test_headroom_is_what_is_left_to_the_limits_of_the_bms(running: House) -> None:
    limits = running.bms.settings
    lowest, highest = running.number("min_cell_voltage"), running.number("max_cell_voltage")
    first = max(limits["CMIN"], limits["CLOW"])
    assert running.number("headroom_high") == pytest.approx((limits["CMAX"] - highest) * 1e3, abs=1)
    assert running.number("headroom_low") == pytest.approx((lowest - first) * 1e3, abs=1)


async def test_headroom_tells_which_cell_and_which_limit(running: House) -> None:
    for key, cell, limit in (
        ("headroom_high", "max_cell_voltage", "cmax"),
        ("headroom_low", "min_cell_voltage", "clow"),
    ):
        where, told = running.state(cell).attributes, running.state(key).attributes
        assert (told["unit"], told["cell"]) == (where["unit"], where["cell"])
        assert (told["limit"], told["minutes"]) == (limit, None)


async def test_headroom_follows_a_limit_that_was_set(running: House) -> None:
    before = running.number("headroom_high")
    await running.set_number("cmax", running.bms.settings["CMAX"] - 0.05)
    await running.hass.async_block_till_done()
    assert running.number("headroom_high") == pytest.approx(before - 50, abs=1)


async def test_headroom_of_a_limit_that_cannot_be_is_not_known(running: House) -> None:
    running.bms.settings["CLOW"] = 90.0
    await running.reload()
    assert running.shown("headroom_low") == "unknown"
    assert running.number("headroom_high") > 0


async def test_headroom_is_away_with_the_bms(running: House) -> None:
    running.sim.unplug()
    await running.poll()
    assert running.shown("headroom_high") == "unavailable"


async def test_headroom_is_in_mv_also_where_degrees_are_those_of_fahrenheit(
    house: House,
) -> None:
    house.hass.config.units = US_CUSTOMARY_SYSTEM
    await house.set_up()
    state = house.state("headroom_high")
    assert state.attributes["unit_of_measurement"] == "mV"
    expected = (house.bms.settings["CMAX"] - house.number("max_cell_voltage")) * 1e3
    assert float(state.state) == pytest.approx(expected, abs=1)
