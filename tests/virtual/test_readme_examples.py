"""The examples of the README, taken out of it and tried in both unit systems."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
import yaml
from homeassistant.components import persistent_notification
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM

from tests.virtual.rig import Rig, passes
from tests.virtual.watching import charge_to, leave, move

ROOT = Path(__file__).parents[2]
IMPORTED = "rec-bms-community"
"""Where Home Assistant puts what it imports: the owner of the repository."""


def examples() -> list[dict[str, Any]]:
    """Return what stands in the README as YAML."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)]


def automation(alias: str) -> dict[str, Any]:
    """Return the automation of that name."""
    (found,) = (example for example in examples() if example.get("alias") == alias)
    return found


def entity_ids(value: object) -> set[str]:
    """Return the ids of entities that an example names."""
    domains = r"(?:binary_sensor|event|number|select|sensor)"
    return set(re.findall(rf"\b{domains}\.[a-z0-9_]+", yaml.safe_dump(value)))


def test_each_automation_has_a_test() -> None:
    automations = [each for each in examples() if {"triggers", "use_blueprint"} & each.keys()]
    assert [each["alias"] for each in automations] == [
        "Tell when a cell is nearly full",
        "Heat water with what the battery does not take",
        "Charge gently when cold",
    ]


@pytest.mark.long
async def test_the_entities_of_the_examples_are_named_as_those_of_a_bms(complete: Rig) -> None:
    named = entity_ids(examples())
    assert len(named) >= 4
    assert {each for each in named if complete.hass.states.get(each) is None} == set()


async def automate(rig: Rig, alias: str) -> None:
    assert await async_setup_component(rig.hass, "persistent_notification", {})
    config = {"automation": [automation(alias)]}
    assert await async_setup_component(rig.hass, "automation", config)
    await rig.hass.async_block_till_done()


def notifications(hass: HomeAssistant) -> dict[str, str]:
    """Return the messages of the notifications by title."""
    made = persistent_notification._async_get_or_create_notifications(hass)
    return {str(each["title"]): each["message"] for each in made.values()}


async def test_a_cell_that_is_nearly_full_is_told_with_its_place(running: Rig) -> None:
    await leave(running, "high", 200)
    await automate(running, "Tell when a cell is nearly full")
    await leave(running, "high", 40)
    assert notifications(running.hass) == {}
    await passes(31)
    await running.hass.async_block_till_done()
    assert re.fullmatch(
        r"Cell 3 of REC BMS 1Q VICTRON is [34]\d mV from CMAX\.",
        notifications(running.hass)["A cell is nearly full"],
    )


@pytest.mark.parametrize("far", [True, False])
async def test_water_is_heated_once_the_battery_is_full_and_no_cell_is_low(
    running: Rig, far: bool
) -> None:
    running.sim.call(move, running, "low", 500 if far else 250)
    await charge_to(running, 0.9)
    await automate(running, "Heat water with what the battery does not take")
    await charge_to(running, 1.0)
    assert ("The battery is full" in notifications(running.hass)) is far


@pytest.mark.parametrize("units", [METRIC_SYSTEM, US_CUSTOMARY_SYSTEM], ids=["metric", "us"])
async def test_charging_gently_lowers_the_current_in_frost_and_raises_it_when_warm(
    hass: HomeAssistant, rig: Rig, units: Any, tmp_path: Path
) -> None:
    hass.config.units = units
    await rig.set_up()
    shutil.copytree(ROOT / "blueprints" / "automation" / "rec_bms", tmp_path / IMPORTED)
    example = {**automation("Charge gently when cold"), "initial_state": False}
    with patch.object(DomainBlueprints, "blueprint_folder", PropertyMock(return_value=tmp_path)):
        assert await async_setup_component(hass, "automation", {"automation": [example]})
        await hass.async_block_till_done()
    for celsius, amperes in ((-3, 20), (10, 20), (14, 120)):
        rig.sim.call(rig.bms.break_sensor, 1, 1, celsius)
        await rig.poll()
        data = {"entity_id": "automation.charge_gently_when_cold", "skip_condition": False}
        await hass.services.async_call("automation", "trigger", data, blocking=True)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert rig.bms.settings["MAXC"] == amperes
