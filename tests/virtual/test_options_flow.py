"""The options: how often the BMS is asked, whether it may be changed, how it balances."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData

from tests.virtual.conftest import Simulate
from tests.virtual.findings import have_found
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory


@pytest.fixture
async def forbidden(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    """A rig with changes switched off."""
    rig = Rig(hass, battery, entry_for(battery, allow_changes=False))
    await rig.set_up()
    return rig


@pytest.fixture
async def another(hass: HomeAssistant, simulate: Simulate) -> Rig:
    """A rig with a BMS whose type does not tell how it balances."""
    sim = simulate(addresses=[2], cells=4, preset="lifepo4", texts={"*IDN": "REC ABMS"})
    rig = Rig(hass, sim, entry_for(sim, address=2))
    await rig.set_up()
    return rig


async def choose(rig: Rig, **options: Any) -> None:
    flow = await rig.hass.config_entries.options.async_init(rig.entry.entry_id)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "init")
    result = await rig.hass.config_entries.options.async_configure(flow["flow_id"], options)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await rig.hass.async_block_till_done()
    assert rig.entry.state is ConfigEntryState.LOADED


@pytest.mark.long
async def test_changes_are_allowed_without_a_restart(forbidden: Rig) -> None:
    await choose(forbidden, scan_interval=300, allow_changes=True)
    await forbidden.set_number("maxc", 100)
    assert forbidden.number("maxc") == 100


async def test_another_time_between_polls_counts_at_once(forbidden: Rig) -> None:
    await choose(forbidden, scan_interval=5.0, allow_changes=False)
    assert forbidden.coordinator.update_interval is not None
    assert forbidden.coordinator.update_interval.total_seconds() == 5
    assert forbidden.entry.options == {"scan_interval": 5, "allow_changes": False}
    assert isinstance(forbidden.entry.options["scan_interval"], int)


async def test_the_options_are_shown_as_they_are(forbidden: Rig) -> None:
    flow = await forbidden.hass.config_entries.options.async_init(forbidden.entry.entry_id)
    schema = flow["data_schema"]
    assert schema is not None
    suggested = {str(key): key.description["suggested_value"] for key in schema.schema}
    assert suggested == {"scan_interval": 300, "allow_changes": False}


@pytest.mark.parametrize("seconds", [1, 301, "soon"])
async def test_a_time_outside_the_limits_is_refused(forbidden: Rig, seconds: object) -> None:
    with pytest.raises(InvalidData):
        await choose(forbidden, scan_interval=seconds, allow_changes=False)


async def test_a_1q_is_not_asked_with_which_current_it_balances(forbidden: Rig) -> None:
    with pytest.raises(InvalidData):
        await choose(forbidden, scan_interval=300, allow_changes=False, balancing_current=1.0)


@pytest.mark.parametrize("amperes", [0, 21, "one"])
async def test_a_balancing_current_that_cannot_be_is_refused(another: Rig, amperes: object) -> None:
    with pytest.raises(InvalidData):
        await choose(another, scan_interval=300, allow_changes=False, balancing_current=amperes)


async def test_the_balancing_current_of_another_type_tells_how_long_balancing_takes(
    another: Rig,
) -> None:
    hours = "balancing_hours"
    have_found(another, "diagnosing", balancing_hours=lambda amperes: 6 / amperes)
    await another.poll()
    assert another.state("diagnosis").attributes[hours] is None
    await choose(another, scan_interval=300, allow_changes=False, balancing_current=1.5)
    have_found(another, "diagnosing", balancing_hours=lambda amperes: 6 / amperes)
    await another.poll()
    assert another.state("diagnosis").attributes[hours] == 4
    await choose(another, scan_interval=300, allow_changes=False)
    assert "balancing_current" not in another.entry.options


async def test_while_the_bms_is_away_its_type_is_not_known_and_the_current_is_asked(
    forbidden: Rig,
) -> None:
    await forbidden.unload()
    flow = await forbidden.hass.config_entries.options.async_init(forbidden.entry.entry_id)
    schema = flow["data_schema"]
    assert schema is not None
    assert "balancing_current" in {str(key) for key in schema.schema}
