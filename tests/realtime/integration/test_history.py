"""History for years: what a real recorder keeps of it, and how much it is fed.

`REC_BMS_MINUTES=60 scripts/test tests/realtime/integration/test_history.py -s -k rows` prints how
many rows an hour makes, counted over a whole hour; without REC_BMS_MINUTES it is counted over some
minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components import recorder
from homeassistant.components.recorder.db_schema import States, Statistics, StatisticsMeta
from homeassistant.components.recorder.util import session_scope
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from sqlalchemy import func, select

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.rs485.client import Client, Response
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import Instruction
from tests.realtime.integration.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.wall_clock import MoveOn, wall_clock
from tools.simulator import BMS, SimulatorThread

INTERVAL = 10
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTES = int(os.environ.get("REC_BMS_MINUTES", "5"))

MEANS = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "state_of_charge": "%",
    "state_of_health": "%",
    "stored_energy": "kWh",
    "usable_capacity": "kWh",
    "remaining_capacity": "Ah",
    "consumed_charge": "Ah",
    "min_cell_voltage": "V",
    "max_cell_voltage": "V",
    "cell_voltage_delta": "V",
    "temperature_spread": "°C",
    "charge_current_limit": "A",
    "discharge_current_limit": "A",
    "headroom_high": "mV",
    "headroom_low": "mV",
    "max_temperature": "°C",
    "bms_temperature": "°C",
    "temperature_1_1": "°C",
    "temperature_1_2": "°C",
    **{f"cell_voltage_1_{cell}": "V" for cell in range(1, 15)},
    **{f"cell_resistance_1_{cell}": "mΩ" for cell in range(1, 15)},
}
"""What there is a mean, a lowest and a highest of, and its unit."""
SUMS = {"energy_charged": "kWh", "energy_discharged": "kWh", "cycles": None}
"""What is added up."""


@pytest.fixture
def starts_at() -> datetime:
    """When the test begins, by a clock that stands until it is moved on.

    Statistics are of certain minutes, so the machine's clock would cut what is recorded in two.
    """
    return NOON


@pytest.fixture
def wall_moves_on(starts_at: datetime) -> Iterator[MoveOn]:
    with wall_clock(starts_at, stands=True) as move_on:
        yield move_on


@pytest.fixture(autouse=True)
def _integration(
    wall_moves_on: MoveOn, recorder_mock: recorder.Recorder, enable_custom_integrations: None
) -> None:
    """Record everything in a real database, in memory."""


@dataclass
class Clock:
    """The loop's clock and the time of day; the batteries' clocks follow at each poll."""

    wall_moves_on: MoveOn
    _battery_at: dict[int, float] = field(default_factory=dict)

    def start(self, rig: Rig) -> None:
        """Let the battery's clock begin to go along."""
        self._battery_at[id(rig)] = rig.hass.loop.time()

    async def poll(self, rig: Rig, after: float) -> None:
        """Have the BMS polled once, so many seconds later."""
        self.wall_moves_on(after)
        if (lived_until := self._battery_at.get(id(rig))) is not None:
            now = rig.hass.loop.time() + after
            rig.sim.call(_live, rig.bms, now - lived_until)
            self._battery_at[id(rig)] = now
        await rig.poll(after)


def _live(bms: BMS, seconds: float) -> None:
    bms.battery.advance(seconds)
    # Noise is drawn anew each second of the real clock.
    bms._measured = None


@pytest.fixture
def clock(hass: HomeAssistant, wall_moves_on: MoveOn) -> Clock:
    return Clock(wall_moves_on)


def rows(hass: HomeAssistant, query: Any) -> list[Any]:
    """Return what the database has."""
    with session_scope(hass=hass, read_only=True) as session:
        return list(session.execute(query))


async def compile_statistics(hass: HomeAssistant) -> None:
    """Have statistics made of the present five minutes, and of its hour."""
    await async_wait_recording_done(hass)
    now = dt_util.utcnow().replace(second=0, microsecond=0)
    five_minutes = now.replace(minute=now.minute // 5 * 5)
    for start in sorted({five_minutes, five_minutes.replace(minute=55)}):
        do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)


async def long_term(rig: Rig) -> dict[str, Any]:
    """Return the hour's row and unit of each statistic, by key."""
    query = select(StatisticsMeta, Statistics).join(
        Statistics, Statistics.metadata_id == StatisticsMeta.id
    )
    found = await recorder.get_instance(rig.hass).async_add_executor_job(rows, rig.hass, query)
    prefix = f"{rig.entry.entry_id}_"
    keys = {
        each.entity_id: each.unique_id.removeprefix(prefix) for each in rig.registered_entities()
    }
    return {keys[meta.statistic_id]: (meta, row) for meta, row in found}


async def test_an_hour_leaves_a_row_of_everything_that_people_chart(rig: Rig) -> None:
    await rig.set_up()
    await compile_statistics(rig.hass)
    kept = await long_term(rig)
    for key, unit in MEANS.items():
        meta, row = kept[key]
        assert meta.unit_of_measurement == unit, key
        assert row.mean == pytest.approx(rig.number(key)), key
        assert row.min is not None
        assert row.max is not None
    for key, unit in SUMS.items():
        meta, row = kept[key]
        assert (meta.unit_of_measurement, meta.has_sum) == (unit, True), key
        assert row.state == rig.number(key)
        assert row.sum == 0


@pytest.mark.parametrize(
    "starts_at",
    [datetime(2026, 11, 22, hour, 50, tzinfo=UTC) for hour in (12, 23)],
    ids=["in the middle of a day", "at the end of a day"],
)
async def test_energy_is_added_up_in_the_statistics(
    hass: HomeAssistant, battery: SimulatorThread, clock: Clock, starts_at: datetime
) -> None:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    rig.sim.call(rig.bms.set_current, -100)
    await rig.set_up()
    before = rig.number("energy_discharged")
    for _ in range(10 * 60 // INTERVAL - 1):
        await clock.poll(rig, INTERVAL)
    await async_wait_recording_done(hass)
    for minutes in (0, 5):
        do_adhoc_statistics(hass, start=starts_at + timedelta(minutes=minutes))
    await async_wait_recording_done(hass)
    _, row = (await long_term(rig))["energy_discharged"]
    assert row.start_ts == starts_at.replace(minute=0).timestamp()
    assert row.state == rig.number("energy_discharged")
    assert row.sum == pytest.approx(row.state - before)
    assert row.sum == pytest.approx(rig.number("voltage") * 100 / 6000, rel=0.03)


async def test_the_energy_dashboard_finds_nothing_wrong(
    socket_enabled: None, hass_ws_client: WebSocketGenerator, rig: Rig
) -> None:
    assert await async_setup_component(rig.hass, "energy", {})
    await rig.set_up()
    await compile_statistics(rig.hass)
    battery = {
        "type": "battery",
        "stat_energy_from": rig.entity_id("energy_discharged"),
        "stat_energy_to": rig.entity_id("energy_charged"),
        "stat_soc": rig.entity_id("state_of_charge"),
        "power_config": {"stat_rate_inverted": rig.entity_id("power")},
    }
    socket = await hass_ws_client()
    await socket.send_json_auto_id({"type": "energy/save_prefs", "energy_sources": [battery]})
    saved = await socket.receive_json()
    assert saved["success"], saved
    await socket.send_json_auto_id({"type": "energy/validate"})
    assert (await socket.receive_json())["result"] == {
        "energy_sources": [[]],
        "device_consumption": [],
        "device_consumption_water": [],
    }
    await rig.hass.async_block_till_done()
    inverted = saved["result"]["energy_sources"][0]["stat_rate"]
    for amperes in (50, -50):
        rig.sim.call(rig.bms.set_current, amperes)
        await rig.poll()
        state = rig.hass.states.get(inverted)
        assert state is not None
        assert float(state.state) * amperes < 0


# -- how much the recorder is fed ------------------------------------------------------------------


def told_at_once(rig: Rig) -> Any:
    """Answer from the simulated BMS without a line between, so that an hour takes seconds."""

    async def request(client: Client, instruction: Instruction, **_: Any) -> Response:
        if client.address != rig.bms.address:
            raise NoResponseError(client.address, instruction.code, instruction.name, 1)
        payloads = rig.bms.respond(f"{instruction.code}?".encode())
        assert payloads is not None
        return Response(decode(instruction, tuple(payloads)), 1)

    return patch.object(Client, "request", request)


def unrounded() -> Any:
    """Let entities show all digits of what the BMS tells."""
    return patch(
        "custom_components.rec_bms.sensor.round", lambda value, _digits: value, create=True
    )


async def rows_in_an_hour(rig: Rig, clock: Clock, scenario: str, *, rounded: bool) -> float:
    """Return how many rows the recorder writes in an hour for this battery."""
    count = select(func.count()).select_from(States)
    instance = recorder.get_instance(rig.hass)

    async def written() -> int:
        await async_wait_recording_done(rig.hass)
        ((number,),) = await instance.async_add_executor_job(rows, rig.hass, count)
        return int(number)

    rig.bms.scenario = scenario
    rig.bms.noise = True
    await rig.set_up()
    clock.start(rig)
    with ExitStack() as stack:
        stack.enter_context(told_at_once(rig))
        if not rounded:
            stack.enter_context(unrounded())
        for _ in range(3):
            await clock.poll(rig, INTERVAL)
        before = await written()
        for _ in range(MINUTES * 60 // INTERVAL):
            await clock.poll(rig, INTERVAL)
        return (await written() - before) * 60 / MINUTES


@pytest.mark.parametrize("scenario", ["rest", "day"])
async def test_rounding_keeps_most_rows_out_of_the_recorder(
    hass: HomeAssistant, simulate: Simulate, clock: Clock, scenario: str
) -> None:
    sim = simulate(baud=921600, turnaround=0.0005)
    rig = Rig(hass, sim, entry_for(sim, scan_interval=INTERVAL))
    for cell in sim.bms[1].battery.cells:
        cell.rest_at(3.85)
    sim.bms[1].charge = 0.7
    before = await rows_in_an_hour(rig, clock, scenario, rounded=False)
    await rig.unload()
    after = await rows_in_an_hour(rig, clock, scenario, rounded=True)
    what = {"rest": "resting", "day": "working"}[scenario]
    print(
        f"\nrecorder rows per hour, {what} 14-cell battery, every {INTERVAL} s: "
        f"{before:.0f} before the rounding, {after:.0f} after it"
    )
    assert 0 < after < 0.9 * before
