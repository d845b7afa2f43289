"""Settings in what their owner has Home Assistant show: °F, mV, mA and the like."""

from __future__ import annotations

import asyncio

import pytest
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM

from tests.virtual.rig import Rig
from tests.virtual.table import BY_CODE, NUMBERS, Row
from tests.virtual.test_settings import make_room

# What Home Assistant can show instead: how much of it is one of the line's unit.
IN_VOLTS = {"mV": 1e3, "μV": 1e6, "kV": 1e-3, "MV": 1e-6}
IN_AMPERES = {"mA": 1e3}
TEMPERATURES = [row for row in NUMBERS if row.unit == "°C" and row.code != "BMTH"]


def fahrenheit(celsius: float) -> float:
    return celsius * 9 / 5 + 32


@pytest.fixture
async def american(all_enabled: None, rig: Rig) -> Rig:
    """A rig where Home Assistant shows °F."""
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    return rig


def show_in(rig: Rig, row: Row, unit: str) -> None:
    """Have an owner choose another unit for a number."""
    er.async_get(rig.hass).async_update_entity_options(
        rig.entity_id(row.key), "number", {"unit_of_measurement": unit}
    )


def sent(rig: Rig) -> list[str]:
    """Return what was sent as values since the log was cleared."""
    return [entry.payload.decode().split(" ")[1] for entry in rig.sim.log.sets]


def bounds(rig: Rig, row: Row) -> tuple[float, float]:
    attributes = rig.state(row.key).attributes
    return attributes["min"], attributes["max"]


# -- °F ------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_temperature_is_shown_in_fahrenheit_with_its_limits(american: Rig) -> None:
    for row in TEMPERATURES:
        assert row.minimum is not None
        assert row.maximum is not None
        has = american.bms.settings[row.code]
        assert american.state(row.key).attributes["unit_of_measurement"] == "°F"
        assert american.number(row.key) == pytest.approx(fahrenheit(has), abs=1e-6)
        assert bounds(american, row) == (fahrenheit(row.minimum), fahrenheit(row.maximum))


async def test_a_difference_of_temperatures_is_no_temperature(american: Rig) -> None:
    """10 °C more are not 50 °F more; Home Assistant leaves them as they are unless told."""
    row = BY_CODE["BMTH"]
    assert american.state("bmth").attributes["unit_of_measurement"] == "°C"
    show_in(american, row, "°F")
    await american.hass.async_block_till_done()
    has = american.bms.settings["BMTH"]
    assert american.number("bmth") == pytest.approx(has * 1.8)
    assert bounds(american, row) == (1.8, 54.0)
    for typed, kept in ((9, 5), (1.8, 1), (54, 30)):
        await american.set_number("bmth", typed)
        assert american.number("bmth") == typed
        assert american.bms.settings["BMTH"] == kept
    with pytest.raises(ServiceValidationError):
        await american.set_number("bmth", 1.7)


async def test_every_tenth_of_a_degree_fahrenheit_is_shown_as_it_was_typed(
    american: Rig,
) -> None:
    for typed in (131.0, 131.1, 131.2, 131.3, 131.4, 131.5, 131.6, 131.7, 131.8, 131.9):
        await american.set_number("tmax", typed)
        assert american.shown("tmax") == str(typed)
        assert american.bms.settings["TMAX"] == pytest.approx((typed - 32) / 1.8, abs=1e-4)


async def test_nought_and_frost_in_fahrenheit_are_shown_as_they_were_typed(
    american: Rig,
) -> None:
    for typed in (0.0, -0.1, 0.1, -4.0, 31.9, 32.0, 32.1):
        await american.set_number("tmin", typed)
        assert american.shown("tmin") == str(typed)


async def test_no_more_digits_are_sent_than_the_bms_gives(american: Rig) -> None:
    american.sim.log.clear()
    for typed in (131.6, 100.1, 122.0):
        await american.set_number("tmax", typed)
    assert sent(american) == ["55.3333", "37.8333", "50"]


async def test_limits_typed_in_fahrenheit_are_taken_and_what_is_beyond_is_refused(
    american: Rig, subtests: pytest.Subtests
) -> None:
    for row in TEMPERATURES:
        assert row.minimum is not None
        assert row.maximum is not None
        for typed, line_value in zip(
            bounds(american, row), (row.minimum, row.maximum), strict=True
        ):
            with subtests.test(code=row.code, value=line_value):
                make_room(american.bms, row.code, line_value)
                american.sim.log.clear()
                await american.set_number(row.key, typed)
                assert sent(american) == [f"{line_value:g}"]
                assert american.number(row.key) == typed
        low, high = bounds(american, row)
        american.sim.log.clear()
        for typed in (low - 0.1, high + 0.1):
            with subtests.test(code=row.code, beyond=typed):
                with pytest.raises(ServiceValidationError) as refused:
                    await american.set_number(row.key, typed)
                assert refused.value.translation_key == "out_of_range"
                placeholders = refused.value.translation_placeholders
                assert placeholders is not None
                assert placeholders["min_value"] == str(low), "in the unit that was typed"
                assert placeholders["max_value"] == str(high)
        assert not american.sim.log.requests()


async def test_a_contradiction_is_told_in_the_unit_of_the_bms(american: Rig) -> None:
    has = american.bms.settings["TMAX"]
    with pytest.raises(ServiceValidationError) as refused:
        await american.set_number("tmin", fahrenheit(has + 1))
    assert refused.value.translation_key == "incoherent"
    placeholders = refused.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["value"] == f"{has + 1:g} °C"
    assert placeholders["other_value"] == f"{has:g} °C"
    assert not american.sim.log.sets


async def test_home_assistant_turned_to_fahrenheit_while_it_runs_changes_nothing(
    running: Rig,
) -> None:
    has = running.bms.settings["TMAX"]
    await running.hass.config.async_update(unit_system="us_customary")
    await running.poll()
    await running.set_number("tmax", fahrenheit(has) + 1.8)
    assert running.bms.settings["TMAX"] == pytest.approx(has + 1)


# -- a unit of the owner's own -------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("unit", [*IN_VOLTS, *IN_AMPERES])
async def test_a_number_in_its_owners_unit_is_shown_set_and_kept_within_its_limits(
    complete: Rig, subtests: pytest.Subtests, unit: str
) -> None:
    per_unit = {**IN_VOLTS, **IN_AMPERES}[unit]
    rows = [row for row in NUMBERS if row.unit == ("V" if unit in IN_VOLTS else "A")]
    for row in rows:
        show_in(complete, row, unit)
    await complete.hass.async_block_till_done()
    for row in rows:
        has = complete.bms.settings[row.code]
        assert complete.number(row.key) == pytest.approx(has * per_unit, rel=1e-5)
    for row in rows:
        assert row.minimum is not None
        assert row.maximum is not None
        with subtests.test(code=row.code):
            low, high = bounds(complete, row)
            assert low == pytest.approx(row.minimum * per_unit, rel=1e-9)
            assert high == pytest.approx(row.maximum * per_unit, rel=1e-9)
            middle = round((row.minimum + row.maximum) / 2, 5)
            complete.sim.log.clear()
            for line_value, typed in (
                (row.minimum, low),
                (middle, middle * per_unit),
                (row.maximum, high),
            ):
                make_room(complete.bms, row.code, line_value)
                await complete.set_number(row.key, typed)
                assert complete.bms.settings[row.code] == pytest.approx(line_value, rel=1e-6)
                assert complete.number(row.key) == pytest.approx(typed, rel=1e-9)
            assert all(len(value.lstrip("-0.").replace(".", "")) <= 6 for value in sent(complete))
            complete.sim.log.clear()
            for beyond in (low - abs(low) * 1e-3, high + abs(high) * 1e-3):
                with pytest.raises(ServiceValidationError) as refused:
                    await complete.set_number(row.key, beyond)
                assert refused.value.translation_key == "out_of_range"
            assert not complete.sim.log.requests()


@pytest.mark.long
async def test_a_limit_in_millivolts_is_held_to_one_in_volts(complete: Rig) -> None:
    show_in(complete, BY_CODE["CLOW"], "mV")
    await complete.hass.async_block_till_done()
    for typed in (4180, 4190):
        with pytest.raises(ServiceValidationError) as refused:
            await complete.set_number("clow", typed)
        assert refused.value.translation_key == "incoherent"
    await complete.set_number("clow", 4179)
    assert complete.shown("clow") == "4179.0"
    assert complete.number("cmax") == 4.18


@pytest.mark.long
async def test_a_unit_that_is_changed_while_a_set_waits_changes_no_value(
    complete: Rig,
) -> None:
    async with complete.coordinator.bms.client.connection.turn():
        setting = asyncio.create_task(complete.set_number("clow", 3.3))
        await asyncio.sleep(0)
        show_in(complete, BY_CODE["CLOW"], "mV")
    await setting
    assert complete.bms.settings["CLOW"] == pytest.approx(3.3)
    assert complete.number("clow") == 3300
