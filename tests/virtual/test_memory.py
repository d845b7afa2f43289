"""What outlives restarts and power cuts: the energy that was counted, the error that was told."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant, State
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data

from custom_components.rec_bms.protocol.rs485.instructions import NEWER
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.test_energy import kwh, shown
from tools.testkit.simulator_in_memory import SimulatorInMemory

INTERVAL = 10


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005)


@pytest.fixture
def rig(hass_storage: dict[str, Any], hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    rig.bms.time_factor = 1
    return rig


def file_of(rig: Rig) -> str:
    return f"rec_bms.memory.{rig.entry.entry_id}"


def keep(storage: dict[str, Any], rig: Rig, data: Any, version: int = 1) -> None:
    key = file_of(rig)
    storage[key] = {"version": version, "minor_version": 1, "key": key, "data": data}


def remember_states(hass: HomeAssistant, *energies: float) -> None:
    """Have Home Assistant restore what the energy sensors showed, as after a restart."""
    keys = ("energy_charged", "energy_discharged")
    restored = [
        (
            State(f"sensor.rec_bms_1q_victron_{key}", str(kwh)),
            {"native_value": kwh, "native_unit_of_measurement": "kWh"},
        )
        for key, kwh in zip(keys, energies, strict=True)
    ]
    hass.set_state(CoreState.not_running)
    mock_restore_cache_with_extra_data(hass, restored)


async def test_totals_go_on_where_home_assistant_has_forgotten_the_states(
    hass_storage: dict[str, Any], rig: Rig
) -> None:
    energy = {"energy_charged": 1234.567, "energy_discharged": 987.654}
    keep(hass_storage, rig, {"energy": energy})
    await rig.set_up()
    assert shown(rig) == (1234.567, 987.654)


@pytest.mark.parametrize("interval", [2, INTERVAL, 60, 300])
async def test_a_power_cut_costs_a_minute_of_counting_or_one_poll(
    hass_storage: dict[str, Any], rig: Rig, interval: int
) -> None:
    rig.entry.add_to_hass(rig.hass)
    rig.hass.config_entries.async_update_entry(
        rig.entry, options={**rig.entry.options, "scan_interval": interval}
    )
    await rig.set_up()
    rig.sim.call(rig.bms.set_current, -100)
    await rig.poll(interval)
    for _ in range(12):
        await rig.poll(interval)
        await rig.hass.async_block_till_done()
        kept = hass_storage.get(file_of(rig), {"data": {"energy": {}}})["data"]["energy"]
        lost = rig.number("energy_discharged") - kept.get("energy_discharged", 0.0)
        # What was written is a poll older than what the next one is about to show.
        assert lost <= kwh(100, max(60 - interval, 0) + 1) + 0.001


@pytest.mark.long
async def test_at_rest_nothing_is_written_once_it_is_known_what_the_unit_knows(
    hass_storage: dict[str, Any], rig: Rig
) -> None:
    rig.sim.call(rig.bms.set_current, 0)
    await rig.set_up()
    for _ in range(len(NEWER) + 1):
        await rig.poll(INTERVAL)
    await rig.hass.async_block_till_done()
    del hass_storage[file_of(rig)]
    for _ in range(20):
        await rig.poll(INTERVAL)
    await rig.hass.async_block_till_done()
    assert file_of(rig) not in hass_storage


async def test_of_two_records_the_higher_counts_so_that_no_total_goes_back(
    hass: HomeAssistant, hass_storage: dict[str, Any], rig: Rig
) -> None:
    keep(hass_storage, rig, {"energy": {"energy_charged": 10.0, "energy_discharged": 20.0}})
    remember_states(hass, 9.5, 20.25)
    await rig.set_up()
    assert shown(rig) == (10.0, 20.25)


@pytest.mark.long
async def test_totals_are_kept_over_a_reload_although_nothing_was_due_to_be_written(
    rig: Rig,
) -> None:
    await rig.set_up()
    rig.sim.call(rig.bms.set_current, -100)
    for _ in range(3):
        await rig.poll(INTERVAL)
    before = shown(rig)
    assert before[1] > 0
    await rig.reload()
    assert shown(rig) == before


@pytest.mark.parametrize(
    "rubbish",
    [
        [],
        {"energy": []},
        {"energy": {"energy_charged": "1", "energy_discharged": None}},
        {"energy": {"energy_charged": -1, "energy_discharged": float("inf")}, "told": []},
        {"told": {"number": 3}},
    ],
)
async def test_rubbish_in_the_file_is_no_reason_to_fail(
    hass_storage: dict[str, Any], rig: Rig, rubbish: Any
) -> None:
    keep(hass_storage, rig, rubbish)
    await rig.set_up()
    assert shown(rig) == (0, 0)


async def test_the_file_of_a_later_version_is_left_alone(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    rig: Rig,
    caplog: pytest.LogCaptureFixture,
) -> None:
    later = {"energy": {"energy_charged": 5.0}, "more": 1}
    keep(hass_storage, rig, later, version=2)
    remember_states(hass, 3.0, 0.0)
    await rig.set_up()
    assert rig.entry.state is ConfigEntryState.LOADED
    assert shown(rig) == (3.0, 0.0)
    assert "cannot be read" in caplog.text
    rig.sim.call(rig.bms.set_current, -100)
    for _ in range(3):
        await rig.poll(INTERVAL)
    await rig.reload()
    assert hass_storage[file_of(rig)]["data"] == later


async def test_with_the_entry_its_file_goes(
    hass: HomeAssistant, hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    rig.sim.call(rig.bms.raise_error, 3, 1, 4)
    await rig.poll(INTERVAL)
    await hass.async_block_till_done()
    assert file_of(rig) in hass_storage
    await hass.config_entries.async_remove(rig.entry.entry_id)
    await hass.async_block_till_done()
    assert file_of(rig) not in hass_storage


async def test_what_was_told_is_written_at_once(
    hass: HomeAssistant, hass_storage: dict[str, Any], rig: Rig
) -> None:
    await rig.set_up()
    rig.sim.call(rig.bms.raise_error, 3, 1, 4)
    await rig.poll(INTERVAL)
    await hass.async_block_till_done()
    told = {"present": True, "unit": 1, "number": 3, "location": 4}
    assert hass_storage[file_of(rig)]["data"]["told"] == told
    rig.sim.call(rig.bms.clear_error)
    await rig.poll(INTERVAL)
    await hass.async_block_till_done()
    assert hass_storage[file_of(rig)]["data"]["told"] is None


async def test_an_error_that_was_told_before_a_power_cut_is_not_told_again(
    hass_storage: dict[str, Any], rig: Rig
) -> None:
    told = {"present": True, "unit": 1, "number": 3, "location": 4}
    keep(hass_storage, rig, {"energy": {}, "told": told})
    rig.sim.call(rig.bms.raise_error, 3, 1, 4)
    await rig.set_up()
    assert rig.shown("error_event") == "unknown"
