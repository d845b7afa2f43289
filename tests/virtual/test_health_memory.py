"""What is found out about a battery outlives restarts, and is written rarely."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from custom_components.rec_bms.health_memory import HealthMemory
from custom_components.rec_bms.protocol.health.headroom import HeadroomWatch
from custom_components.rec_bms.protocol.health.measured import Measured
from custom_components.rec_bms.protocol.health.record import Health
from tests.virtual.conftest import Simulate
from tests.virtual.findings import AT, file_of, have_found, keep
from tests.virtual.rig import Rig, entry_for, passes
from tools.testkit.simulator_in_memory import SimulatorInMemory

INTERVAL = 60
QUARTER_OF_AN_HOUR = 900


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005, cells=4)


@pytest.fixture
def rig(hass_storage: dict[str, Any], hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    return Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))


async def discharged(rig: Rig, seconds: float, amperes: float = -100) -> None:
    """Take a current out of the battery for so long."""
    rig.sim.call(rig.bms.set_current, amperes)
    await passes(seconds)
    await rig.hass.async_block_till_done()


def written(storage: dict[str, Any], rig: Rig) -> float:
    """Return the Ah out of the battery that are in the file."""
    kept: float = storage[file_of(rig)]["data"]["lifetime"]["discharged"]
    return kept


async def test_what_was_found_goes_on_after_a_reload(rig: Rig) -> None:
    await rig.set_up()
    await discharged(rig, 600)
    before = rig.coordinator.health.lifetime.discharged
    assert before > 10
    await rig.reload()
    assert rig.coordinator.health.lifetime.discharged >= before
    assert rig.number("lifetime_discharged") >= round(before)


async def test_the_time_while_it_was_unloaded_counts_nothing(rig: Rig) -> None:
    await rig.set_up()
    await discharged(rig, 600)
    before = rig.coordinator.health.lifetime.discharged
    await rig.unload()
    await passes(7200)
    await rig.set_up()
    assert rig.coordinator.health.lifetime.discharged == pytest.approx(before, abs=2)


@pytest.mark.long
async def test_a_power_cut_costs_a_quarter_of_an_hour(
    hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    await discharged(rig, QUARTER_OF_AN_HOUR + INTERVAL)
    for _ in range(8):
        await discharged(rig, 300)
        lost = rig.coordinator.health.lifetime.discharged - written(hass_storage, rig)
        assert lost <= 100 * (QUARTER_OF_AN_HOUR + INTERVAL) / 3600


@pytest.mark.long
async def test_it_is_written_four_times_an_hour_and_never_while_the_bms_is_away(
    short_silence: None, rig: Rig
) -> None:
    taken = HealthMemory._taken
    with patch.object(HealthMemory, "_taken", autospec=True, side_effect=taken) as written:
        await rig.set_up()
        await discharged(rig, 3600)
        assert 3 <= written.call_count <= 5
        rig.bms.silent = True
        await passes(QUARTER_OF_AN_HOUR)
        written.reset_mock()
        await passes(7200)
        assert not written.called


async def test_what_takes_weeks_to_find_is_written_within_a_minute(
    hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    hass_storage.pop(file_of(rig), None)
    measured = Measured(412.0, 6.0, 1.0, 0.2, AT)
    found = Health.add

    def add(health: Health, *args: Any) -> None:
        found(health, *args)
        have_found(rig, "capacity", measured=measured, as_dict=lambda: {"is": "there"})

    with patch.object(Health, "add", add):
        await passes(INTERVAL + 61)
    await rig.hass.async_block_till_done()
    assert hass_storage[file_of(rig)]["data"]["capacity"] == {"is": "there"}


@pytest.mark.long
async def test_what_is_written_again_and_again_as_rare_is_written_once_a_minute(
    rig: Rig,
) -> None:
    taken, found = HealthMemory._taken, Health.add

    def add(health: Health, update: Any, now: float) -> None:
        found(health, update, now)
        have_found(rig, "capacity", measured=Measured(now, 6.0, 1.0, 0.2, now))

    with patch.object(HealthMemory, "_taken", autospec=True, side_effect=taken) as written:
        await rig.set_up()
        with patch.object(Health, "add", add):
            await passes(3600)
    assert written.call_count <= 61


async def test_when_home_assistant_stops_nothing_is_lost(
    hass: HomeAssistant, hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    await discharged(rig, 300)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert written(hass_storage, rig) == rig.coordinator.health.lifetime.discharged


@pytest.mark.long
async def test_the_file_of_a_later_version_is_left_alone(
    hass_storage: dict[str, Any], rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    later = {"lifetime": {"charged": 5.0}, "more": 1}
    keep(hass_storage, rig, later, version=2)
    await rig.set_up()
    assert "cannot be read" in caplog.text
    await discharged(rig, 2 * QUARTER_OF_AN_HOUR)
    assert rig.number("lifetime_discharged") > 0
    await rig.reload()
    assert hass_storage[file_of(rig)]["data"] == later


@pytest.mark.parametrize(
    "rubbish",
    [[], "x", {}, {"lifetime": []}, {"full": 3, "drift": {"cells": "?"}}, {"capacity": [None]}],
)
async def test_rubbish_in_the_file_is_no_reason_to_fail(
    hass_storage: dict[str, Any], rig: Rig, rubbish: Any
) -> None:
    keep(hass_storage, rig, rubbish)
    await rig.set_up()
    assert rig.entry.state is ConfigEntryState.LOADED
    assert rig.shown("lifetime_charged") == "0"


async def test_with_the_entry_its_file_goes(
    hass: HomeAssistant, hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    await discharged(rig, QUARTER_OF_AN_HOUR + INTERVAL)
    assert file_of(rig) in hass_storage
    await hass.config_entries.async_remove(rig.entry.entry_id)
    await passes(QUARTER_OF_AN_HOUR)
    await hass.async_block_till_done()
    assert file_of(rig) not in hass_storage


# -- What it is fed with ---------------------------------------------------------------------------


async def test_each_measurement_is_taken_once_and_at_the_time_of_day(rig: Rig) -> None:
    with patch.object(Health, "add") as add:
        await rig.set_up()
        await passes(5 * INTERVAL)
        measured_at = [call.args[0].measured_at for call in add.call_args_list]
        await rig.set_number("maxc", 100)
        await rig.hass.async_block_till_done()
    assert len(measured_at) == len(set(measured_at)) >= 5
    assert [call.args[0].measured_at for call in add.call_args_list] == measured_at
    assert dt_util.utc_from_timestamp(add.call_args.args[1]).year == 2026


async def test_nothing_is_taken_while_the_bms_is_away(short_silence: None, rig: Rig) -> None:
    await rig.set_up()
    rig.bms.silent = True
    with patch.object(Health, "add") as add:
        await passes(10 * INTERVAL)
    assert not add.called


async def test_what_was_found_is_there_when_entities_are_told(rig: Rig) -> None:
    await rig.set_up()
    await discharged(rig, 600)
    shown = rig.number("lifetime_discharged")
    assert shown == round(rig.coordinator.health.lifetime.discharged) > 0


async def test_a_mistake_in_what_is_worked_out_does_not_hide_the_battery(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.set_up()
    with patch.object(Health, "add", side_effect=HomeAssistantError("a mistake")):
        rig.sim.call(rig.bms.set_current, 12)
        await passes(2 * INTERVAL)
        await rig.hass.async_block_till_done()
    assert rig.number("current") == pytest.approx(12, abs=0.5)
    assert "following the health of" in caplog.text


@pytest.mark.long
async def test_a_mistake_in_headroom_does_not_hide_the_battery_nor_its_health(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.set_up()
    with patch.object(HeadroomWatch, "_minutes", side_effect=HomeAssistantError("a mistake")):
        rig.sim.call(rig.bms.set_current, -12)
        await passes(20 * INTERVAL)
        await rig.hass.async_block_till_done()
        assert rig.number("current") == pytest.approx(-12, abs=0.5)
        assert rig.shown("headroom_low") == "unknown"
    assert rig.coordinator.health.lifetime.discharged > 0
    assert "the headroom of" in caplog.text
