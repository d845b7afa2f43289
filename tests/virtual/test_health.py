"""What is worked out of what the BMS tells: how the battery is."""

from __future__ import annotations

import pytest
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM

from custom_components.rec_bms.protocol.health.limits import temperature_spread
from tests.virtual.rig import Rig


async def test_headroom_is_what_is_left_to_the_limits_of_the_bms(running: Rig) -> None:
    limits = running.bms.settings
    lowest, highest = running.number("min_cell_voltage"), running.number("max_cell_voltage")
    first = max(limits["CMIN"], limits["CLOW"])
    assert running.number("headroom_high") == pytest.approx((limits["CMAX"] - highest) * 1e3, abs=1)
    assert running.number("headroom_low") == pytest.approx((lowest - first) * 1e3, abs=1)


async def test_headroom_tells_which_cell_and_which_limit(running: Rig) -> None:
    for key, cell, limit in (
        ("headroom_high", "max_cell_voltage", "cmax"),
        ("headroom_low", "min_cell_voltage", "clow"),
    ):
        where, told = running.state(cell).attributes, running.state(key).attributes
        assert (told["unit"], told["cell"]) == (where["unit"], where["cell"])
        assert (told["limit"], told["minutes"]) == (limit, None)


async def test_headroom_follows_a_limit_that_was_set(running: Rig) -> None:
    before = running.number("headroom_high")
    await running.set_number("cmax", running.bms.settings["CMAX"] - 0.05)
    await running.hass.async_block_till_done()
    assert running.number("headroom_high") == pytest.approx(before - 50, abs=1)


async def test_headroom_of_a_limit_that_cannot_be_is_not_known(running: Rig) -> None:
    running.bms.settings["CLOW"] = 90.0
    await running.reload()
    assert running.shown("headroom_low") == "unknown"
    assert running.number("headroom_high") > 0


async def test_headroom_is_away_with_the_bms(running: Rig) -> None:
    running.sim.unplug()
    await running.poll()
    assert running.shown("headroom_high") == "unavailable"


async def test_temperature_spread_is_that_of_the_sensors(running: Rig) -> None:
    degrees = [running.number(f"temperature_1_{sensor}") for sensor in (1, 2)]
    spread = abs(degrees[0] - degrees[1])
    assert running.number("temperature_spread") == pytest.approx(spread, abs=0.11)


async def test_temperature_spread_is_a_difference_also_in_fahrenheit(rig: Rig) -> None:
    """18 °F for 10 °C, rather than 50 °F as for a temperature."""
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    state = rig.state("temperature_spread")
    kelvin = temperature_spread(rig.coordinator.data.state)
    assert kelvin is not None
    scale = 1.8 if state.attributes["unit_of_measurement"] == "°F" else 1.0
    assert float(state.state) == pytest.approx(kelvin * scale, abs=0.11)


async def test_with_one_temperature_sensor_there_is_no_spread(rig: Rig) -> None:
    rig.bms.break_sensor(1, 2)
    await rig.set_up()
    keys = {each.unique_id for each in rig.registered_entities()}
    assert f"{rig.entry.entry_id}_temperature_spread" not in keys


async def test_current_limits_are_worked_out_of_the_settings(running: Rig) -> None:
    keep = running.bms.settings
    for way, coefficient, for_each in (("charge", "CHAC", "MAXC"), ("discharge", "DCHC", "MAXD")):
        key = f"{way}_current_limit"
        battery, inverters = keep[coefficient] * keep["CAPA"], keep[for_each] * keep["SISN"]
        assert running.number(key) == pytest.approx(min(battery, inverters), abs=0.05)
        by = running.state(key).attributes["limited_by"]
        assert by == (coefficient if battery <= inverters else for_each).lower()


async def test_a_current_limit_follows_a_setting_that_was_set(running: Rig) -> None:
    await running.set_number("maxc", 20)
    await running.set_number("sisn", 2)
    await running.hass.async_block_till_done()
    assert running.number("charge_current_limit") == 40
    assert running.state("charge_current_limit").attributes["limited_by"] == "maxc"


@pytest.mark.long
async def test_what_is_worked_out_is_asked_for_while_nothing_else_shows_it(running: Rig) -> None:
    """A limit goes on although the numbers that it is made of are disabled."""
    registry = er.async_get(running.hass)
    for key in ("chac", "capa", "maxc", "sisn"):
        registry.async_update_entity(
            running.entity_id(key), disabled_by=er.RegistryEntryDisabler.USER
        )
    await running.reload()
    for _ in range(60):
        await running.poll()
    assert running.number("charge_current_limit") > 0


@pytest.mark.long
async def test_a_count_set_by_hand_is_looked_for_though_its_number_is_disabled(
    running: Rig,
) -> None:
    for _ in range(60):
        await running.poll()
    assert "socs" in running.coordinator.data.state.settings


async def test_a_count_that_is_told_later_is_shown_at_once(running: Rig) -> None:
    running.bms.settings.update({"MAXC": 10.0, "SISN": 1, "STRN": 3})
    await running.reload()
    assert running.number("charge_current_limit") == 10
    while not running.coordinator.data.state.has("strn"):
        await running.poll(10)
    assert running.number("charge_current_limit") == 30


async def test_once_a_newer_unit_tells_its_count_that_one_counts(running: Rig) -> None:
    running.bms.settings.update({"MAXC": 10.0, "SISN": 1, "STRN": 3})
    await running.reload()
    await running.probe(10)
    assert running.number("charge_current_limit") == 30
    await running.reload()
    assert running.number("charge_current_limit") == 30


async def test_headroom_is_in_mv_also_where_degrees_are_those_of_fahrenheit(
    rig: Rig,
) -> None:
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    state = rig.state("headroom_high")
    assert state.attributes["unit_of_measurement"] == "mV"
    expected = (rig.bms.settings["CMAX"] - rig.number("max_cell_voltage")) * 1e3
    assert float(state.state) == pytest.approx(expected, abs=1)
