"""What is asked when; what is shown when the BMS does not answer."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.rec_bms.protocol.rs485.instructions import NEWER
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for, passes, until
from tests.virtual.table import LIBRARY, SETTABLE
from tools.testkit.simulator_in_memory import SimulatorInMemory

INTERVAL = 10
ALWAYS = ["CELL", "ERRO", "LCD1", "LCD3"]
ALIKE = {"EAVC", "ERRO", "IOFF", "ODDC"}
"""Calibrations that are all nought in this BMS, and the fence that a second look takes."""
COUNTERS = {"CYCL", "VMAX", "VMIN"}
SETTINGS = {row.code for row in LIBRARY if row in SETTABLE} - COUNTERS
SHOWN_SETTINGS = [
    row.code for row in LIBRARY if (row.enabled or row.code == "SOCS") and row.code in SETTINGS
]
"""Those of what is enabled; SOCS tells a count that was set by hand from a correction."""


@pytest.fixture
async def polled(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    """A rig with the usual time between polls; nothing was asked since the first poll."""
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    await rig.set_up()
    battery.log.clear()
    return rig


async def asked_in(rig: Rig, polls: int, after: float = INTERVAL) -> list[list[str]]:
    """Return what some polls, an interval apart, asked for."""
    asked = []
    for _ in range(polls):
        rig.sim.log.clear()
        await rig.poll(after=after)
        asked.append(sorted(rig.asked()))
    return asked


def disable(rig: Rig, *keys: str) -> None:
    registry = er.async_get(rig.hass)
    for key in keys:
        registry.async_update_entity(rig.entity_id(key), disabled_by=er.RegistryEntryDisabler.USER)


# -- the table -----------------------------------------------------------------------------------


@pytest.mark.long
async def test_at_start_everything_is_asked_once_and_what_may_be_a_duplicate_again(
    running: Rig,
) -> None:
    said: list[tuple[str, tuple[bytes, ...]]] = [
        (entry.instruction, entry.response) for entry in running.sim.log.requests()
    ]
    assert {code for code, _ in said} == {row.code for row in LIBRARY}
    seen: dict[str, tuple[bytes, ...]] = {}
    again = set()
    for code, answer in said:
        if code in seen:
            again.add(code)
        seen[code] = answer
    assert again <= ALIKE
    assert len(said) <= len(LIBRARY) + 2 * len(again - {"ERRO"})


async def test_every_poll_asks_for_the_main_readings_and_one_setting(polled: Rig) -> None:
    for asked in await asked_in(polled, 2):
        (setting,) = set(asked) - set(ALWAYS)
        assert sorted([*ALWAYS, setting]) == asked
        assert setting in SHOWN_SETTINGS


@pytest.mark.long
async def test_settings_that_are_shown_come_one_per_poll_in_turn(polled: Rig) -> None:
    asked = await asked_in(polled, len(SHOWN_SETTINGS))
    assert [next(c for c in codes if c in SETTINGS) for codes in asked] == SHOWN_SETTINGS


async def test_temperatures_are_asked_every_half_minute(polled: Rig) -> None:
    asked = await asked_in(polled, 9)
    for code in ("PTEM", "BTEM"):
        assert [code in codes for codes in asked] == [False, False, True] * 3


@pytest.mark.long
async def test_resistances_and_counters_are_asked_every_five_minutes(polled: Rig) -> None:
    asked = await asked_in(polled, 60)
    for code in ("RINT", *COUNTERS):
        assert [number for number, codes in enumerate(asked, 1) if code in codes] == [30, 60]


async def test_versions_are_not_asked_again(polled: Rig) -> None:
    await polled.poll(after=100_000)
    assert not {"*IDN", "SWVR", "HWVR", "REFC"} & set(polled.asked())


@pytest.mark.long
async def test_what_no_enabled_entity_shows_is_not_polled(polled: Rig) -> None:
    cells = [f"cell_{what}_1_{n}" for what in ("voltage", "resistance") for n in range(1, 15)]
    await asked_in(polled, len(NEWER))
    shown = ("balancing", "consumed_charge", "cycles", "bms_temperature", "cmax")
    worked_out = ("headroom_high", "usable_capacity", "time_above_limits", "diagnosis")
    found = ("cell_spread_rest", "cell_spread_top", "most_drifting_cell")
    measured = ("measured_capacity", "measured_health")
    disable(polled, *cells, *shown, *worked_out, *found, *measured)
    await polled.reload()
    asked = Counter(code for codes in await asked_in(polled, 30) for code in codes)
    assert not {"CELL", "CYCL", "BTEM", "CMAX"} & set(asked)
    assert asked["RINT"] == 1, "the issue about a loose connection still needs it"
    assert asked["LCD3"] == 30, "the extremes' attributes still need it"


async def test_lcd1_and_erro_are_asked_whatever_is_disabled(polled: Rig) -> None:
    registry = er.async_get(polled.hass)
    for each in polled.registered_entities():
        registry.async_update_entity(each.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await polled.reload()
    assert await asked_in(polled, 2) == [["ERRO", "LCD1"]] * 2


@pytest.mark.long
async def test_a_setting_changed_by_another_program_shows_up_in_its_turn(polled: Rig) -> None:
    polled.sim.call(polled.bms.set_value, "CLOW", 3.45)
    await asked_in(polled, len(SHOWN_SETTINGS))
    assert polled.number("clow") == 3.45


async def test_polls_come_by_themselves(hass: HomeAssistant, battery: SimulatorInMemory) -> None:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    await rig.set_up()
    for _ in range(2):
        battery.log.clear()
        await passes(INTERVAL + 1)
        assert battery.log.requests("LCD1")
        assert battery.log.requests("ERRO")


async def test_polling_never_talks_over_an_answer(polled: Rig) -> None:
    await asked_in(polled, 10)
    assert not polled.sim.log.overlaps


# -- writing states ------------------------------------------------------------------------------


def writes(rig: Rig) -> dict[str, object]:
    return {
        state.entity_id: (state.last_reported, state.last_updated)
        for state in rig.hass.states.async_all()
    }


@pytest.mark.long
async def test_what_has_not_changed_is_not_written_again(complete: Rig) -> None:
    complete.sim.call(complete.bms.set_current, 0)
    for _ in range(len(NEWER) + 1):
        await complete.poll()
    before = writes(complete)
    for _ in range(3):
        await complete.poll()
    after = writes(complete)
    written = {entity_id for entity_id in after if after[entity_id] != before[entity_id]}
    # The BMS's clock shows whole seconds, so that what it is ahead may be one more or less.
    may_be = ("poll_duration", "clock", "clock_deviation")
    assert written <= {complete.entity_id(key) for key in may_be}


@pytest.mark.long
async def test_only_what_has_changed_is_written(polled: Rig) -> None:
    await asked_in(polled, len(NEWER) + 1)
    before = writes(polled)
    polled.sim.call(polled.bms.raise_error, 3, 1, 4)
    await polled.poll(after=INTERVAL)
    after = writes(polled)
    written = {entity_id for entity_id in after if after[entity_id] != before[entity_id]}
    assert {polled.entity_id("error"), polled.entity_id("problem")} <= written
    assert polled.entity_id("voltage") not in written


# -- one instruction lost ------------------------------------------------------------------------


async def test_what_a_poll_lost_is_asked_once_more_at_its_end(polled: Rig) -> None:
    polled.sim.faults.next("no_response", 3, instruction="CELL")
    polled.sim.call(polled.bms.set_value, "ODDC", 0.0003)
    polled.bms.settings["ODDC"] = 0.1
    expected = polled.bms.measure().volts[0][0]
    await polled.poll(after=INTERVAL)
    assert polled.asked().count("CELL") == 4
    assert polled.asked()[-1] == "CELL"
    assert polled.number("cell_voltage_1_1") == pytest.approx(expected, abs=0.0005)


async def test_what_is_lost_in_both_rounds_keeps_its_last_value(
    short_silence: None, polled: Rig
) -> None:
    before = polled.shown("cell_voltage_1_1")
    polled.bms.unsupported.add("CELL")
    await polled.poll(after=INTERVAL)
    assert polled.coordinator.last_update_success
    assert polled.shown("cell_voltage_1_1") == before


async def test_slow_readings_go_stale_after_three_of_their_intervals(
    short_silence: None, polled: Rig
) -> None:
    polled.bms.unsupported.add("RINT")
    await polled.poll(after=300)
    assert polled.shown("cell_resistance_1_1") != "unavailable"
    await polled.poll(after=500)
    assert polled.shown("cell_resistance_1_1") != "unavailable"
    await polled.poll(after=200)
    assert polled.shown("cell_resistance_1_1") == "unavailable"
    assert polled.shown("cell_voltage_1_1") != "unavailable"
    polled.bms.unsupported.clear()
    await polled.poll(after=INTERVAL)
    assert polled.shown("cell_resistance_1_1") != "unavailable"


# -- instructions that the BMS does not know -----------------------------------------------------


@pytest.fixture
async def knows_less(
    short_silence: None, hass: HomeAssistant, simulate: Simulate, tmp_path: Path
) -> Rig:
    """A rig with a BMS that knows neither CANF nor BTEM, and an adapter with a stable name."""
    sim = simulate(link=tmp_path / "usb-FTDI", unsupported={"CANF", "BTEM"})
    rig = Rig(hass, sim, entry_for(sim, scan_interval=INTERVAL))
    await rig.set_up()
    return rig


def keys_of(rig: Rig) -> set[str]:
    prefix = f"{rig.entry.entry_id}_"
    return {each.unique_id.removeprefix(prefix) for each in rig.registered_entities()}


async def test_what_the_bms_does_not_know_is_asked_in_two_rounds_and_has_no_entity(
    knows_less: Rig,
) -> None:
    assert knows_less.asked().count("CANF") == 6
    assert knows_less.coordinator.bms.unsupported == {"CANF", "BTEM"}
    assert not {"canf", "bms_temperature"} & keys_of(knows_less)


@pytest.mark.long
async def test_what_the_bms_does_not_know_is_asked_again_once_an_hour(
    knows_less: Rig,
) -> None:
    asked = await asked_in(knows_less, 30)
    assert not any({"CANF", "BTEM"} & set(codes) for codes in asked)
    knows_less.bms.unsupported.clear()
    asked = await asked_in(knows_less, 1, after=3600)
    asked += await asked_in(knows_less, 1)
    assert [len({"CANF", "BTEM"} & set(codes)) for codes in asked] == [1, 1]
    assert {"canf", "bms_temperature"} <= keys_of(knows_less)
    assert knows_less.shown("canf") == "500_kbit_s"


async def test_what_the_bms_does_not_know_is_asked_again_after_a_reconnect(
    knows_less: Rig,
) -> None:
    knows_less.sim.unplug()
    await knows_less.poll(after=INTERVAL)
    knows_less.sim.replug(other_device=True)
    knows_less.bms.unsupported.clear()
    asked = await asked_in(knows_less, 2)
    assert [len({"CANF", "BTEM"} & set(codes)) for codes in asked] == [1, 1]
    assert {"canf", "bms_temperature"} <= keys_of(knows_less)


# -- gone and back -------------------------------------------------------------------------------


@pytest.fixture
def linked(
    simulate: Simulate, hass: HomeAssistant, tmp_path_factory: pytest.TempPathFactory
) -> Rig:
    """A rig whose adapter has a stable name."""
    link = tmp_path_factory.mktemp("by-id") / "usb-FTDI"
    sim = simulate(link=link)
    return Rig(hass, sim, entry_for(sim, scan_interval=INTERVAL))


def said(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.rec_bms") and record.levelno == level
    ]


async def test_a_bms_that_is_gone_is_unavailable_and_the_log_says_so_once(
    short_silence: None, polled: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    polled.bms.silent = True
    await polled.poll(after=INTERVAL)
    await polled.poll(after=INTERVAL)
    states = [polled.shown(key) for key in ("voltage", "error", "cmax", "cell_voltage_1_1")]
    assert states == ["unavailable"] * 4
    (gone,) = said(caplog, logging.ERROR)
    assert "did not answer" in gone
    polled.bms.silent = False
    await polled.poll(after=INTERVAL)
    await polled.poll(after=INTERVAL)
    assert polled.number("voltage") > 50
    assert len(said(caplog, logging.ERROR)) == 1
    assert len([line for line in said(caplog, logging.INFO) if "recovered" in line]) == 1
    assert polled.entry.state is ConfigEntryState.LOADED


async def test_after_the_bms_was_gone_everything_is_read_anew(
    short_silence: None, polled: Rig
) -> None:
    polled.bms.silent = True
    await polled.poll(after=INTERVAL)
    polled.bms.silent = False
    polled.bms.texts["SWVR"] = "3.0"
    polled.sim.call(polled.bms.set_value, "MAXC", 99)
    await polled.poll(after=INTERVAL)
    assert polled.device().sw_version == "3.0"
    assert polled.number("maxc") == 99


async def test_an_adapter_that_comes_back_under_another_name_is_found(linked: Rig) -> None:
    await linked.set_up()
    linked.sim.unplug()
    await linked.poll(after=INTERVAL)
    assert linked.shown("voltage") == "unavailable"
    linked.sim.replug(other_device=True)
    await linked.poll(after=INTERVAL)
    assert linked.number("voltage") > 50


async def test_home_assistant_starts_without_the_adapter_and_finds_it_when_it_returns(
    linked: Rig,
) -> None:
    linked.sim.unplug()
    await linked.try_to_set_up()
    assert linked.entry.state is ConfigEntryState.SETUP_RETRY
    linked.sim.replug()
    from homeassistant.components.usb import DOMAIN as USB

    for notify in linked.hass.data[USB]._port_event_callbacks:
        notify({"an adapter"}, set())
    await linked.hass.async_block_till_done()
    assert linked.entry.state is ConfigEntryState.LOADED


async def test_unloading_in_the_middle_of_a_poll_takes_no_longer_than_a_second(
    polled: Rig,
) -> None:
    import asyncio

    polled.bms.silent = True
    polling = asyncio.create_task(polled.coordinator.async_refresh())
    await until(polled.sim.log.requests)
    started = asyncio.get_running_loop().time()
    await polled.unload()
    assert asyncio.get_running_loop().time() - started < 1
    await polling
