"""The battery as a source of Home Assistant's Energy dashboard, and its statistics for years."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from tools.testkit.installed import until

if TYPE_CHECKING:
    from tests.e2e.owner.conftest import Owner

CHARTED = (
    "voltage",
    "current",
    "power",
    "energy_charged",
    "energy_discharged",
    "state_of_charge",
    "stored_energy",
    "remaining_capacity",
    "max_temperature",
    "temperature_1_1",
    "bms_temperature",
    "min_cell_voltage",
    "max_cell_voltage",
    "cell_voltage_delta",
    *(f"cell_voltage_1_{cell}" for cell in range(1, 15)),
)


async def sources(owner: Owner) -> dict[str, Any]:
    """Return the battery as the README says that it is to be set up."""
    return {
        "type": "battery",
        "stat_energy_from": await owner.entity_id("energy_discharged"),
        "stat_energy_to": await owner.entity_id("energy_charged"),
        "stat_soc": await owner.entity_id("state_of_charge"),
        "power_config": {"stat_rate_inverted": await owner.entity_id("power")},
    }


async def test_as_a_source_of_the_dashboard_its_power_is_negative_while_charging(
    owner: Owner,
) -> None:
    battery = await sources(owner)
    saved = await owner.client.command("energy/save_prefs", energy_sources=[battery])
    (source,) = saved["energy_sources"]
    assert source == {**battery, "stat_rate": source["stat_rate"]}

    async def watts() -> float:
        state = await owner.client.get(f"/api/states/{source['stat_rate']}")
        assert state["attributes"]["unit_of_measurement"] == "W"
        return float(state["state"])

    try:
        for amperes in (10, -30):
            await owner.bms.command("current", amperes=amperes)
            await owner.shows("current", str(float(amperes)))
            shown = await watts()
            assert shown == -float(await owner.value("power"))
            assert shown * amperes < 0
            assert abs(shown) > 500
    finally:
        await owner.bms.command("current", amperes=None)


async def test_energy_goes_up_while_it_flows_and_is_kept_over_a_restart(owner: Owner) -> None:
    async def total() -> float:
        return float(await owner.value("energy_discharged"))

    start = await total()
    await owner.bms.command("current", amperes=-200)
    try:
        await owner.shows("current", "-200.0")
        assert await owner.value("energy_charged") != "unknown"

        async def has_grown() -> bool:
            return await total() > start + 0.015

        await until(has_grown, within=20)
    finally:
        await owner.bms.command("current", amperes=None)
    await owner.shows("current", "-2.45")
    before = await total(), float(await owner.value("energy_charged"))
    await owner.home_assistant.stop()
    let_time_pass(database_of(owner))
    await owner.home_assistant.start()
    await owner.have_values(within=30)
    after = await total(), float(await owner.value("energy_charged"))
    assert after[0] == pytest.approx(before[0], abs=0.003)
    assert after[0] >= before[0]
    assert after[1] == before[1]


@pytest.mark.timeout(400)
async def test_statistics_are_kept_and_the_dashboard_finds_nothing_wrong(owner: Owner) -> None:
    await owner.client.command("energy/save_prefs", energy_sources=[await sources(owner)])
    wanted = {key: await owner.entity_id(key) for key in CHARTED}

    database = database_of(owner)
    give_up_at = time.monotonic() + 330
    while not set(wanted.values()) <= rows_of(database).keys():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(2)
    assert await owner.client.command("energy/validate") == {
        "energy_sources": [[]],
        "device_consumption": [],
        "device_consumption_water": [],
    }
    for key, entity_id in wanted.items():
        # Means are kept of what goes up and down, sums of what is counted.
        state, mean, total = rows_of(database)[entity_id]
        if key.startswith("energy"):
            assert state is not None
            assert total is not None
            assert 0 <= total <= state
        else:
            assert mean is not None


async def test_the_log_has_no_complaints_but_that_the_bms_was_gone(owner: Owner) -> None:
    complaints = [
        line
        for line in owner.home_assistant.log.splitlines()
        if "rec_bms" in line and re.search(r" (WARNING|ERROR|CRITICAL) ", line)
    ]
    # The last says that another program had the machine: Home Assistant goes by the clock.
    known = ("did not answer", "We found a custom integration", "Updating state for ")
    assert [line for line in complaints if not any(words in line for words in known)] == []


def database_of(owner: Owner) -> str:
    return str(owner.home_assistant.config_dir / "home-assistant_v2.db")


def let_time_pass(database: str) -> None:
    """Make what was recorded ten minutes older, so that the next five are over at the next start.

    Home Assistant makes up for statistics that it missed; otherwise they would come some time in
    the next five minutes.
    """
    connection = sqlite3.connect(database)
    with connection:
        for column in ("last_updated_ts", "last_changed_ts", "last_reported_ts"):
            connection.execute(f"update states set {column} = {column} - 600")
        connection.execute("update statistics_runs set start = datetime(start, '-10 minutes')")
        connection.execute("update recorder_runs set start = datetime(start, '-10 minutes')")
    connection.close()


def rows_of(database: str) -> dict[str, tuple[float | None, float | None, float | None]]:
    """Return the latest statistics row of each statistic."""
    query = """
        select statistic_id, state, mean, sum from statistics_short_term
        join statistics_meta on statistics_meta.id = metadata_id order by start_ts
    """
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return {row[0]: row[1:] for row in connection.execute(query)}
    finally:
        connection.close()
