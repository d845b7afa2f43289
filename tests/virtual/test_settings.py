"""All settings: shown right, changed within their limits, refused outside."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from tests.virtual.rig import Rig
from tests.virtual.table import NUMBERS, SELECTS, SETTABLE, Row
from tools.simulator import BMS

# Which limits must stand in which order, as the design says: low, high.
ORDER = (
    ("CMIN", "CMAX"),
    ("CMIN", "CLOW"),
    ("CLOW", "CMAX"),
    ("BMIN", "BVOL"),
    ("BVOL", "CMAX"),
    ("CHAR", "CMAX"),
    ("TMIN", "TMAX"),
)


def make_room(bms: BMS, code: str, value: float) -> None:
    """Move the other limits away, so that they do not forbid a value."""
    for low, high in ORDER:
        if code == low:
            bms.settings[high] = max(bms.settings[high], value + 0.5)
        elif code == high:
            bms.settings[low] = min(bms.settings[low], value - 0.5)


def values_of(row: Row) -> list[float]:
    """Return the minimum, the maximum and a value between."""
    assert row.minimum is not None
    assert row.maximum is not None
    between = row.minimum + (row.maximum - row.minimum) * 0.37
    between = round(between) if row.whole_number else round(between, 5)
    return [row.minimum, between, row.maximum]


def outside(row: Row) -> list[float]:
    """Return values just below the minimum and just above the maximum, in the line's unit."""
    assert row.minimum is not None
    assert row.maximum is not None
    step = (row.step or 1) / row.scale
    return [row.minimum - step, row.maximum + step]


def option(rig: Rig, row: Row, value: float) -> str:
    """Return the option that stands for a number: they are in that order."""
    options: list[str] = rig.state(row.key).attributes["options"]
    return options[int(value) - 1]


def shows(rig: Rig, row: Row) -> bool:
    """Tell whether an entity shows what the simulator has."""
    has = rig.bms.settings[row.code]
    if row.platform == "select":
        return rig.shown(row.key) == option(rig, row, has)
    return rig.number(row.key) == pytest.approx(has * row.scale, rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("preset", ["kokam", "lifepo4"])
async def test_all_are_shown_as_the_bms_has_them(
    all_enabled: None, hass: Any, simulate: Any, preset: str
) -> None:
    from tests.virtual.rig import entry_for

    sim = simulate(preset=preset)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    await rig.probe()
    assert [row.code for row in SETTABLE if not shows(rig, row)] == []


@pytest.mark.long
async def test_all_are_set_to_minimum_maximum_and_between_and_read_back(
    complete: Rig, subtests: pytest.Subtests
) -> None:
    for row in SETTABLE:
        for value in values_of(row):
            with subtests.test(code=row.code, value=value):
                make_room(complete.bms, row.code, value)
                if row.platform == "select":
                    await complete.select(row.key, option(complete, row, value))
                else:
                    await complete.set_number(row.key, round(value * row.scale, 6))
                assert complete.bms.settings[row.code] == pytest.approx(value, rel=1e-6)
                assert shows(complete, row)
    assert len(complete.sim.log.sets) == 3 * len(SETTABLE)


@pytest.mark.long
async def test_outside_their_limits_numbers_are_refused_without_traffic(
    complete: Rig, subtests: pytest.Subtests
) -> None:
    complete.sim.log.clear()
    for row in NUMBERS:
        for value in outside(row):
            with subtests.test(code=row.code, value=value), pytest.raises(ServiceValidationError):
                await complete.set_number(row.key, value * row.scale)
    assert not complete.sim.log.requests()


async def test_outside_their_limits_all_are_refused_by_the_action_without_traffic(
    running: Rig, subtests: pytest.Subtests
) -> None:
    running.sim.log.clear()
    for row in SETTABLE:
        for value in outside(row):
            with subtests.test(code=row.code, value=value):
                with pytest.raises(ServiceValidationError) as refused:
                    await running.act("set_parameter", instruction=row.code, value=value)
                assert refused.value.translation_key in ("out_of_range", "out_of_range_percent")
    assert not running.sim.log.requests()


async def test_an_option_that_there_is_not_is_refused_without_traffic(running: Rig) -> None:
    running.sim.log.clear()
    for row in SELECTS:
        with pytest.raises(ServiceValidationError):
            await running.select(row.key, "no such option")
    assert not running.sim.log.requests()


async def test_a_number_of_a_setting_outside_its_list_shows_as_unknown(running: Rig) -> None:
    running.bms.settings["CANF"] = 3
    await running.reload()
    assert running.shown("canf") == "unknown"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_what_is_no_finite_number_is_refused_without_traffic(
    running: Rig, value: float
) -> None:
    running.sim.log.clear()
    with pytest.raises(ServiceValidationError):
        await running.set_number("cmax", value)
    assert not running.sim.log.requests()


async def test_a_fraction_of_a_whole_number_is_refused_without_traffic(running: Rig) -> None:
    running.sim.log.clear()
    with pytest.raises(ServiceValidationError) as refused:
        await running.set_number("sisn", 1.5)
    assert refused.value.translation_key == "not_a_whole_number"
    assert not running.sim.log.requests()


# -- coherence -----------------------------------------------------------------------------------


CONTRADICTIONS = (
    ("cmin", 3.5),
    ("cmax", 4.05),
    ("clow", 3.1),
    ("clow", 4.19),
    ("bmin", 4.1),
    ("bvol", 3.9),
    ("bvol", 4.2),
    ("char", 4.2),
    ("tmin", 55),
    ("tmax", 0),
)


async def test_a_limit_that_contradicts_another_is_refused(running: Rig) -> None:
    for key, value in CONTRADICTIONS:
        before = running.shown(key)
        with pytest.raises(ServiceValidationError) as refused:
            await running.set_number(key, value)
        assert refused.value.translation_key == "incoherent"
        assert running.shown(key) == before
    assert not running.sim.log.sets


async def test_limits_that_may_be_equal_may_be_equal(running: Rig) -> None:
    for key, value in (("clow", 3.2), ("bmin", 4.08), ("bvol", 4.18)):
        await running.set_number(key, value)
        assert running.number(key) == value


@pytest.mark.long
async def test_the_other_limits_are_read_freshly(running: Rig) -> None:
    running.bms.settings["CMAX"] = 4.05
    assert running.number("cmax") == 4.18, "another program changed it, nobody has looked yet"
    with pytest.raises(ServiceValidationError) as refused:
        await running.set_number("char", 4.1)
    assert refused.value.translation_placeholders["other_value"] == "4.05 V"
    assert not running.sim.log.sets


async def test_an_incoherence_that_was_there_can_be_mended_step_by_step(running: Rig) -> None:
    running.bms.settings.update({"CMIN": 3.9, "CLOW": 3.4})
    await running.set_number("cmin", 3.6)
    with pytest.raises(ServiceValidationError):
        await running.set_number("cmin", 3.7)
    await running.set_number("cmin", 3.3)
    assert running.bms.settings["CMIN"] == pytest.approx(3.3)


async def test_a_limit_that_the_bms_does_not_know_forbids_nothing(
    short_silence: None, simulate: Any, hass: Any
) -> None:
    from tests.virtual.rig import entry_for

    sim = simulate(unsupported={"CLOW"})
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    await rig.set_number("cmin", 3.5)
    assert rig.number("cmin") == 3.5


async def test_a_limit_that_was_wrongly_taken_for_unsupported_is_kept_to(
    short_silence: None, simulate: Any, hass: Any
) -> None:
    from tests.virtual.rig import entry_for

    sim = simulate(unsupported={"CMAX"})
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    assert "CMAX" in rig.coordinator.bms.unsupported
    rig.bms.unsupported.clear()
    for value in (4.18, 4.19):
        with pytest.raises(ServiceValidationError) as refused:
            await rig.set_number("clow", value)
        assert refused.value.translation_key == "incoherent"
    assert not sim.log.sets
    await rig.set_number("clow", 4.17)
    assert rig.number("clow") == 4.17


@pytest.mark.parametrize("enabled", [True, False], ids=["enabled", "disabled"])
async def test_silence_about_a_limit_that_has_an_entity_forbids_the_set(
    short_silence: None, running: Rig, enabled: bool
) -> None:
    """It was told at some time, so the BMS has it, whatever the last set-up made of it."""
    if not enabled:
        registry = er.async_get(running.hass)
        disabled_by = er.RegistryEntryDisabler.USER
        registry.async_update_entity(running.entity_id("cmax"), disabled_by=disabled_by)
    running.bms.unsupported.add("CMAX")
    await running.reload()
    assert "CMAX" in running.coordinator.bms.unsupported
    with pytest.raises(HomeAssistantError) as refused:
        await running.set_number("clow", 3.3)
    assert refused.value.translation_key == "no_answer"
    assert refused.value.translation_placeholders["name"] == "Cell overvoltage cut-off (CMAX)"
    assert not running.sim.log.sets


async def test_an_entity_of_another_bms_says_nothing_of_this_ones_limits(
    short_silence: None, simulate: Any, hass: Any
) -> None:
    from tests.virtual.rig import entry_for

    sim = simulate(addresses=[1, 2])
    sim.bms[2].unsupported.add("CMAX")
    first, second = (Rig(hass, sim, entry_for(sim, address=address)) for address in (1, 2))
    await first.set_up()
    await second.set_up()
    await second.set_number("clow", 3.3)
    assert second.number("clow") == 3.3


async def test_a_limit_that_cannot_be_read_forbids_the_set(
    short_silence: None, running: Rig
) -> None:
    running.sim.faults.next("no_response", 3, instruction="CMAX")
    with pytest.raises(HomeAssistantError) as refused:
        await running.set_number("char", 4.05)
    assert refused.value.translation_key == "no_answer"
    assert not running.sim.log.sets
