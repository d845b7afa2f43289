"""Home Assistant starts: what changed while it was down is told once automations can hear it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig

BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation"
TOLD = {"present": True, "unit": 1, "number": 3, "location": 4}


@pytest.fixture
def told(hass: HomeAssistant) -> list[ServiceCall]:
    """What the owner's telephone shows."""
    return async_mock_service(hass, "notify", "telephone")


@pytest.fixture
def starting(hass_storage: dict[str, Any], hass: HomeAssistant, rig: Rig) -> Iterator[Rig]:
    """A rig whose Home Assistant is starting; its automations are loaded, but not armed."""
    hass.set_state(CoreState.not_running)
    with patch.object(DomainBlueprints, "blueprint_folder", PropertyMock(return_value=BLUEPRINTS)):
        yield rig


async def load_automation(rig: Rig) -> None:
    """Load the automation that tells of errors, as it was set up before the restart."""
    what_to_do = [
        {"action": "notify.telephone", "data": {"message": "{{ title }}"}},
    ]
    # The device is in the registry since the BMS was added.
    if rig.hass.config_entries.async_get_entry(rig.entry.entry_id) is None:
        rig.entry.add_to_hass(rig.hass)
    device = dr.async_get(rig.hass).async_get_or_create(
        config_entry_id=rig.entry.entry_id, identifiers={(DOMAIN, rig.entry.entry_id)}
    )
    automation = {
        "alias": "tell",
        "use_blueprint": {
            "path": "rec_bms/error_notification.yaml",
            "input": {"bms": device.id, "actions": what_to_do},
        },
    }
    assert await async_setup_component(rig.hass, "automation", {"automation": [automation]})


async def start(rig: Rig) -> None:
    await rig.hass.async_start()
    await rig.hass.async_block_till_done()


async def seconds_pass(rig: Rig, seconds: float) -> None:
    async_fire_time_changed(rig.hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await rig.hass.async_block_till_done()


def titles(told: list[ServiceCall]) -> list[str]:
    return [call.data["message"] for call in told]


@pytest.mark.parametrize("automations_first", [True, False])
async def test_an_error_that_came_while_home_assistant_was_down_is_told_exactly_once(
    starting: Rig, told: list[ServiceCall], automations_first: bool
) -> None:
    starting.sim.call(starting.bms.raise_error, 2, 1, 4)
    if automations_first:
        await load_automation(starting)
    await starting.set_up()
    if not automations_first:
        await load_automation(starting)
    await start(starting)
    assert not told, "some ways to tell are not ready yet"
    await seconds_pass(starting, 6)
    assert titles(told) == ["Cell voltage too low"]
    for _ in range(3):
        await starting.poll()
    await seconds_pass(starting, 60)
    assert titles(told) == ["Cell voltage too low"]


async def test_an_error_that_went_and_another_that_came_meanwhile_are_both_told(
    hass_storage: dict[str, Any], starting: Rig, told: list[ServiceCall]
) -> None:
    key = f"rec_bms.memory.{starting.entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": {"told": TOLD}}
    starting.sim.call(starting.bms.raise_error, 2, 1, 4)
    await load_automation(starting)
    await starting.set_up()
    await start(starting)
    await seconds_pass(starting, 6)
    assert titles(told) == ["Gone: Cell voltages differ too much", "Cell voltage too low"]


async def test_an_error_that_was_told_before_the_restart_is_not_told_again(
    hass_storage: dict[str, Any], starting: Rig, told: list[ServiceCall]
) -> None:
    key = f"rec_bms.memory.{starting.entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": {"told": TOLD}}
    starting.sim.call(starting.bms.raise_error, 3, 1, 4)
    await load_automation(starting)
    await starting.set_up()
    await start(starting)
    await seconds_pass(starting, 6)
    await starting.poll()
    assert not told


async def test_an_error_of_a_bms_that_is_heard_only_after_the_start_is_told(
    short_silence: None, starting: Rig, told: list[ServiceCall]
) -> None:
    starting.bms.silent = True
    await starting.try_to_set_up()
    await load_automation(starting)
    await start(starting)
    await seconds_pass(starting, 60)
    starting.bms.silent = False
    starting.sim.call(starting.bms.raise_error, 2, 1, 4)
    await starting.reload()
    await starting.poll()
    assert titles(told) == ["Cell voltage too low"]


async def test_what_could_not_be_told_before_home_assistant_stopped_is_told_next_time(
    hass_storage: dict[str, Any], starting: Rig
) -> None:
    starting.sim.call(starting.bms.raise_error, 2, 1, 4)
    await starting.set_up()
    await start(starting)
    await starting.unload()
    assert (
        "told"
        not in hass_storage.get(f"rec_bms.memory.{starting.entry.entry_id}", {"data": {}})["data"]
    )
    await starting.set_up()
    assert starting.state("error_event").attributes["event_type"] == "appeared"
