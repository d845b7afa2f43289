"""What is found out about a battery is shown with its basis, and unknown until it is."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM

from custom_components.rec_bms.diagnostics import async_get_config_entry_diagnostics
from custom_components.rec_bms.protocol.health.diagnosis import Diagnosis, Finding, Reason
from custom_components.rec_bms.protocol.health.drift import Drifting
from custom_components.rec_bms.protocol.health.full import Correction
from custom_components.rec_bms.protocol.health.lifetime import Deepest, Extreme
from custom_components.rec_bms.protocol.health.measured import Measured
from custom_components.rec_bms.protocol.health.spread import Place, Spread
from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.findings import AT, have_found
from tests.virtual.rig import Rig, entry_for

THEN = dt_util.utc_from_timestamp(AT).isoformat()
FINDINGS = (
    *("last_full_charge", "charge_since_full", "state_of_charge_correction"),
    *("measured_capacity", "measured_health"),
    *("cell_spread_rest", "cell_spread_top", "most_drifting_cell"),
)
"""What takes a full charge at least."""
WITHIN_MINUTES = (
    *("highest_cell_voltage_ever", "lowest_cell_voltage_ever", "deepest_discharge"),
    *("lifetime_charged", "lifetime_discharged", "time_above_limits", "time_below_limits"),
)
CELLS = ("cell_drift_1_3", "cell_resistance_change_1_3")


@pytest.fixture
async def running(hass_storage: dict[str, Any], running: Rig) -> Rig:
    """A rig whose files are in memory."""
    return running


def attributes(rig: Rig, key: str, *names: str) -> list[Any]:
    return [rig.state(key).attributes[name] for name in names]


async def test_what_is_not_found_yet_is_unknown_rather_than_unavailable(running: Rig) -> None:
    await running.poll()
    assert {running.shown(key) for key in FINDINGS} == {"unknown"}
    assert running.shown("diagnosis") == "not_enough_data"
    assert not {running.shown(key) for key in WITHIN_MINUTES} & {"unknown", "unavailable"}


async def test_while_the_bms_is_away_nothing_is_shown_and_after_it_what_was(
    short_silence: None, running: Rig
) -> None:
    have_found(running, "full", last=AT)
    await running.poll()
    running.bms.silent = True
    await running.poll()
    assert running.shown("last_full_charge") == "unavailable"
    running.bms.silent = False
    await running.poll()
    assert running.shown("last_full_charge") == THEN


async def test_a_full_charge_is_shown_with_what_went_in_and_out_since(running: Rig) -> None:
    corrections = (Correction(AT, 0.0912),)
    have_found(
        running,
        "full",
        last=AT,
        charged=12.4,
        discharged=150.6,
        correction=0.0912,
        corrections=corrections,
    )
    await running.poll()
    assert running.shown("last_full_charge") == THEN
    assert running.number("charge_since_full") == -138
    assert attributes(running, "charge_since_full", "charged", "discharged") == [12, 151]
    assert running.number("state_of_charge_correction") == 9.1
    assert attributes(running, "state_of_charge_correction", "at") == [THEN]


async def test_of_a_small_battery_tenths_of_an_ah_are_told(running: Rig) -> None:
    await running.set_number("capa", 20)
    have_found(running, "full", last=AT, charged=1.24, discharged=3.56)
    await running.poll()
    assert running.number("charge_since_full") == -2.3
    assert attributes(running, "charge_since_full", "charged", "discharged") == [1.2, 3.6]


async def test_what_is_next_to_nothing_is_nothing_and_not_less(running: Rig) -> None:
    have_found(running, "full", last=AT, charged=0.0, discharged=0.3)
    have_found(running, "drift", most=Drifting(1, 7, -0.00002, AT))
    await running.poll()
    assert running.shown("charge_since_full") == "0.0"
    assert running.shown("most_drifting_cell") == "0.0"


async def test_a_measured_capacity_is_shown_with_its_basis(running: Rig) -> None:
    measured = Measured(capacity=412.34, uncertainty=6.25, start=1.0, end=0.184, at=AT)
    have_found(running, "capacity", measured=measured, health=lambda capa: 412.34 / capa)
    await running.poll()
    assert running.number("measured_capacity") == 412.3
    basis = attributes(running, "measured_capacity", "uncertainty", "from", "to", "measured_at")
    assert basis == [6.2, 100, 18, THEN]
    assert running.number("measured_health") == 91.6


async def test_spreads_are_in_mv_with_the_cells_that_are_furthest_apart(running: Rig) -> None:
    spread = Spread(0.0127, AT, lowest=Place(1, 4), highest=Place(1, 9))
    have_found(running, "spreads", rest=spread, top=None)
    await running.poll()
    assert running.number("cell_spread_rest") == 13
    names = ("at", "lowest_unit", "lowest_cell", "highest_unit", "highest_cell")
    assert attributes(running, "cell_spread_rest", *names) == [THEN, 1, 4, 1, 9]
    assert running.shown("cell_spread_top") == "unknown"
    assert attributes(running, "cell_spread_top", *names) == [None] * 5


async def test_the_cell_that_drifts_most_is_named(running: Rig) -> None:
    have_found(running, "drift", most=Drifting(1, 7, -0.00234, AT))
    await running.poll()
    assert running.number("most_drifting_cell") == -2.3
    assert attributes(running, "most_drifting_cell", "unit", "cell", "since") == [1, 7, THEN]
    assert running.state("most_drifting_cell").attributes["unit_of_measurement"] == "mV/month"


@pytest.mark.long
async def test_each_cell_has_its_drift_and_change_of_resistance_if_enabled(
    complete: Rig,
) -> None:
    have_found(complete, "drift", of_cell=lambda unit, cell: unit * cell / 1000)
    have_found(complete, "resistances", change=lambda unit, cell: cell / 100)
    await complete.poll()
    assert complete.number("cell_drift_1_3") == 3
    assert complete.number("cell_resistance_change_1_14") == 14


async def test_sensors_of_single_cells_are_disabled_at_first(running: Rig) -> None:
    for key in CELLS:
        assert running.registered(key).disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_the_diagnosis_says_why_and_what_balancing_takes(running: Rig) -> None:
    reasons = (Reason.DIFFERENT_CELLS_FIRST,)
    diagnosis = Diagnosis(Finding.UNBALANCED, 1, 9, reasons, 8.42, AT)
    have_found(running, "diagnosing", diagnosis=diagnosis, balancing_hours=lambda amps: 8.42 / amps)
    await running.poll()
    assert running.shown("diagnosis") == "unbalanced"
    told = attributes(running, "diagnosis", "unit", "cell", "reasons", "imbalance")
    assert told == [1, 9, ["different_cells_first"], 8.4]
    amperes = running.bms.settings["BVOL"] / 4.1
    hours = running.state("diagnosis").attributes["balancing_hours"]
    assert hours == pytest.approx(8.42 / amperes, abs=0.5)


async def test_extremes_are_shown_with_time_and_cell(running: Rig) -> None:
    have_found(
        running,
        "lifetime",
        highest=Extreme(4.2112, AT, 1, 3),
        since=AT,
        lowest=Extreme(2.9, AT, None, None),
        deepest=Deepest(0.1234, AT),
        charged=1234.4,
        discharged=987.6,
        seconds_above=5400.0,
        seconds_below=0.0,
    )
    await running.poll()
    assert running.number("highest_cell_voltage_ever") == 4.211
    assert attributes(running, "highest_cell_voltage_ever", "at", "unit", "cell") == [THEN, 1, 3]
    assert attributes(running, "lowest_cell_voltage_ever", "unit", "cell") == [None, None]
    assert running.number("deepest_discharge") == 12.3
    assert running.shown("lifetime_charged") == "1234"
    assert attributes(running, "lifetime_charged", "since") == [THEN]
    assert running.shown("lifetime_discharged") == "988"
    assert (running.number("time_above_limits"), running.number("time_below_limits")) == (1.5, 0)


async def test_nothing_of_it_is_a_temperature_in_fahrenheit(rig: Rig) -> None:
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    units = {
        rig.state(key).attributes.get("unit_of_measurement")
        for key in (*FINDINGS, *WITHIN_MINUTES, "diagnosis")
    }
    assert units == {None, "Ah", "%", "mV", "mV/month", "V", "h"}


async def test_cells_that_are_added_have_their_sensors(
    hass: HomeAssistant, simulate: Simulate, all_enabled: None
) -> None:
    sim = simulate(addresses=[16], units=1, cells=4)
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    sim.call(rig.bms.add_unit, 4)
    await rig.poll()
    await rig.poll()
    assert rig.shown("cell_drift_2_4") == "unknown"
    assert rig.registered("cell_drift_2_4").device_id == rig.device(2).id


async def test_what_was_found_is_in_the_diagnostics(running: Rig) -> None:
    told = await async_get_config_entry_diagnostics(running.hass, running.entry)
    assert told["health"].keys() >= {"lifetime", "full", "capacity", "drift"}


# -- The action ------------------------------------------------------------------------------------


async def test_lifetime_figures_begin_anew_with_what_is_now(
    hass_storage: dict[str, Any], running: Rig
) -> None:
    running.coordinator.health.lifetime.restore(
        {
            "since": AT,
            "charged": 900.0,
            "discharged": 800.0,
            "highest": {"volts": 4.4, "at": AT, "unit": 1, "cell": 2},
        }
    )
    await running.poll()
    assert running.number("lifetime_charged") >= 900
    assert running.number("highest_cell_voltage_ever") == 4.4
    await running.act("reset_lifetime", response=False)
    await running.hass.async_block_till_done()
    assert running.number("lifetime_charged") == 0
    for _ in range(2):
        await running.poll()
    assert running.number("highest_cell_voltage_ever") == running.number("max_cell_voltage")
    kept = hass_storage[f"rec_bms.health.{running.entry.entry_id}"]["data"]["lifetime"]
    assert kept["charged"] == 0


async def test_lifetime_figures_begin_anew_also_while_the_bms_is_away(
    short_silence: None, running: Rig
) -> None:
    running.coordinator.health.lifetime.restore({"charged": 900.0})
    running.bms.silent = True
    await running.poll()
    await running.act("reset_lifetime", response=False)
    running.bms.silent = False
    await running.poll()
    assert running.number("lifetime_charged") == 0


async def test_only_administrators_reset_lifetime_figures(
    hass: HomeAssistant, running: Rig, hass_owner_user: Any
) -> None:
    guest = await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_USER])
    running.coordinator.health.lifetime.restore({"charged": 900.0})
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "rec_bms",
            "reset_lifetime",
            {"config_entry_id": running.entry.entry_id},
            blocking=True,
            context=Context(user_id=guest.id),
        )
    assert running.coordinator.health.lifetime.charged == 900


async def test_a_bank_has_no_lifetime_figures(hass: HomeAssistant, simulate: Simulate) -> None:
    members = batteries(hass, simulate, {"cells": 4}, {"cells": 4})
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    with pytest.raises(ServiceValidationError, match="bank"):
        await bank.act("reset_lifetime", response=False)
