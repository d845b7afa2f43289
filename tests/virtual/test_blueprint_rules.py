"""What the blueprints decide: on states set by hand and on a clock that the tests move on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from homeassistant.components import persistent_notification
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_conversion import (
    ElectricCurrentConverter,
    TemperatureConverter,
)
from pytest_homeassistant_custom_component.common import async_mock_service

from tests.virtual.rig import passes
from tests.wall_clock import LoopsWallClock

FOLDER = Path(__file__).parents[2] / "blueprints" / "automation"
AUTOMATION = "automation.it"
MAY_BE_LATE = 0.5
"""Seconds that Home Assistant may do late what goes by the clock, so that not all comes at once."""
TURNS = 30
"""How often the loop goes round: a few times are enough for what an automation does at once."""
TELL = [{"action": "test.tell", "data": {"title": "{{ title }}", "message": "{{ message }}"}}]

TEMPERATURE = "sensor.battery_temperature"
CURRENT = "number.battery_maximum_charge_current"
CHARGE = "sensor.battery_state_of_charge"

TEMPERATURE_UNITS = sorted(TemperatureConverter.VALID_UNITS)
CURRENT_UNITS = [*sorted(ElectricCurrentConverter.VALID_UNITS), "\u00b5A"]


@dataclass
class Desk:
    """A Home Assistant with one automation from a blueprint, and states that tests set."""

    hass: HomeAssistant
    calls: list[ServiceCall]
    config: dict[str, Any] = field(default_factory=dict)

    async def automate(self, blueprint: str, **inputs: Any) -> None:
        """Make the automation, as it is in the configuration from now on."""
        self.choose(blueprint, **inputs)
        assert await async_setup_component(self.hass, "automation", self.config)
        await self.settle()
        if self.hass.state is CoreState.running:
            assert self.runs_at_all()

    def choose(self, blueprint: str, **inputs: Any) -> None:
        """Put the automation into the configuration, for a start or reload to find."""
        uses = {"path": f"rec_bms/{blueprint}.yaml", "input": inputs}
        self.config["automation"] = [{"id": "it", "alias": "it", "use_blueprint": uses}]

    def runs_at_all(self) -> bool:
        """Tell whether Home Assistant found nothing wrong with the automation."""
        state = self.hass.states.get(AUTOMATION)
        return state is not None and state.state == "on"

    async def act(self, action: str, **data: Any) -> None:
        """Call an action."""
        await self.hass.services.async_call(*action.split("."), data, blocking=True)
        await self.settle()

    async def reload(self) -> None:
        """Have the configuration's automations read again."""
        path = "homeassistant.config.load_yaml_config_file"
        with patch(path, autospec=True, return_value=self.config):
            await self.act("automation.reload")

    async def start(self) -> None:
        """Bring a Home Assistant that is about to start to its end of starting."""
        await self.hass.async_start()
        await self.settle()
        assert self.runs_at_all()

    async def settle(self) -> None:
        """Let everything happen that needs no time.

        async_block_till_done would wait for the end of runs that wait for something.
        """
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def show(self, entity_id: str, state: object, **attributes: Any) -> None:
        """Set what an entity shows."""
        self.hass.states.async_set(entity_id, str(state), attributes)
        await self.settle()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await passes(seconds + MAY_BE_LATE)
        await self.settle()

    def told(self) -> list[str]:
        """Return and forget the titles of what the owner was told."""
        titles = [call.data["title"] for call in self.calls]
        self.calls.clear()
        return titles

    def message(self) -> str:
        """Return and forget the one message that the owner was told."""
        (call,) = self.calls
        self.calls.clear()
        message: str = call.data["message"]
        return message

    def notes(self) -> dict[str, str]:
        """Return the messages of the persistent notifications by id."""
        made = persistent_notification._async_get_or_create_notifications(self.hass)
        return {key: each["message"] for key, each in made.items()}


@pytest.fixture
async def desk(hass: HomeAssistant, wall_clock: LoopsWallClock) -> AsyncIterator[Desk]:
    wall_clock.move_to(datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC))
    assert await async_setup_component(hass, "persistent_notification", {})
    desk = Desk(hass, async_mock_service(hass, "test", "tell"))
    yield desk
    # What goes by the clock would otherwise go on after the test.
    await desk.act("automation.turn_off", entity_id=AUTOMATION)


@pytest.fixture(autouse=True)
def _blueprints_of_the_repository() -> Iterator[None]:
    folder = PropertyMock(return_value=FOLDER)
    with patch.object(DomainBlueprints, "blueprint_folder", folder):
        yield


# -- charging gently -------------------------------------------------------------------------------


@dataclass
class Charger:
    """The setting for the charge current, and who changes it."""

    desk: Desk
    sets: list[ServiceCall]
    unit: str = "A"
    temperature_unit: str = "°C"

    async def automate(self, **inputs: Any) -> None:
        """Have the current lowered to 20 A in the cold and raised to 120 A when it is warm."""
        given = {"cold_current": 20, "warm_current": 120, **inputs}
        await self.desk.automate(
            "charge_gently_when_cold", temperature=TEMPERATURE, charge_current=CURRENT, **given
        )

    async def is_at(self, amperes: float) -> None:
        """Show a charge current in the unit that the owner chose."""
        unit = self.unit.replace("\u00b5", "\u03bc")
        shown = ElectricCurrentConverter.convert(amperes, "A", unit)
        await self.desk.show(CURRENT, shown, unit_of_measurement=self.unit)

    async def measures(self, celsius: float) -> None:
        """Show a temperature in the unit that the owner chose."""
        shown = TemperatureConverter.convert(celsius, "°C", self.temperature_unit)
        unit = self.temperature_unit
        await self.desk.show(TEMPERATURE, round(shown, 2), unit_of_measurement=unit)

    def was_set_to(self) -> list[float]:
        """Return and forget what the setting was set to, in the unit that it shows."""
        assert all(call.data["entity_id"] == [CURRENT] for call in self.sets)
        values = [float(call.data["value"]) for call in self.sets]
        self.sets.clear()
        return values


@pytest.fixture
def charger(desk: Desk) -> Charger:
    return Charger(desk, async_mock_service(desk.hass, "number", "set_value"))


@pytest.mark.parametrize("unit", TEMPERATURE_UNITS)
async def test_frost_lowers_the_charge_current_whatever_the_unit_of_the_temperature(
    charger: Charger, unit: str
) -> None:
    charger.temperature_unit = unit
    await charger.is_at(150)
    await charger.measures(10)
    await charger.automate()
    await charger.measures(-3)
    assert charger.was_set_to() == [20]
    await charger.is_at(20)
    await charger.desk.pass_time(1200)
    await charger.measures(11)
    await charger.desk.pass_time(1200)
    assert charger.was_set_to() == []
    await charger.measures(12.5)
    assert charger.was_set_to() == [120]


@pytest.mark.parametrize("unit", TEMPERATURE_UNITS)
async def test_a_temperature_at_a_limit_changes_nothing_in_any_unit(
    charger: Charger, unit: str
) -> None:
    charger.temperature_unit = unit
    await charger.is_at(60)
    await charger.measures(10)
    await charger.automate()
    for celsius in (8, 12):
        await charger.measures(celsius)
        await charger.desk.pass_time(1200)
    assert charger.was_set_to() == []


@pytest.mark.parametrize("unit", CURRENT_UNITS)
async def test_the_charge_current_is_set_in_the_unit_that_the_setting_shows(
    charger: Charger, unit: str
) -> None:
    charger.unit = unit
    shown = {"A": 1, "mA": 1_000}.get(unit, 1_000_000)
    await charger.is_at(150)
    await charger.measures(4)
    await charger.automate()
    await charger.desk.pass_time(600)
    assert charger.was_set_to() == [20 * shown]
    await charger.is_at(20)
    await charger.desk.pass_time(1200)
    assert charger.was_set_to() == []
    await charger.measures(20)
    assert charger.was_set_to() == [120 * shown]
    assert charger.desk.notes() == {}


async def test_a_change_of_the_shown_unit_changes_no_current(charger: Charger) -> None:
    await charger.is_at(20)
    await charger.measures(4)
    await charger.automate()
    for charger.temperature_unit in TEMPERATURE_UNITS:
        await charger.measures(4)
        for charger.unit in CURRENT_UNITS:
            await charger.is_at(20)
            await charger.desk.pass_time(600)
    assert charger.was_set_to() == []


async def test_a_lower_current_is_left_as_it_is_in_the_cold(charger: Charger) -> None:
    await charger.is_at(10)
    await charger.measures(10)
    await charger.automate()
    await charger.measures(4)
    await charger.desk.pass_time(1200)
    assert charger.was_set_to() == []


@pytest.mark.parametrize("unit", ["°R", "V", None])
async def test_a_temperature_in_an_unknown_unit_changes_nothing_and_is_told_once(
    charger: Charger, unit: str | None
) -> None:
    desk = charger.desk
    await charger.is_at(60)
    await desk.show(TEMPERATURE, -3, unit_of_measurement=unit)
    await charger.automate()
    for value in (30, -3, 10):
        await desk.show(TEMPERATURE, value, unit_of_measurement=unit)
        await desk.pass_time(600)
    (message,) = desk.notes().values()
    assert message.startswith(f"{TEMPERATURE} is shown in {unit}, of which no °C can be made.")
    persistent_notification.async_dismiss_all(desk.hass)
    await desk.pass_time(1800)
    assert desk.notes() == {}
    assert charger.was_set_to() == []


@pytest.mark.parametrize("unit", ["kA", "°C", None])
async def test_a_charge_current_in_an_unknown_unit_changes_nothing_and_is_told(
    charger: Charger, unit: str | None
) -> None:
    desk = charger.desk
    await desk.show(CURRENT, 60, unit_of_measurement=unit)
    await charger.measures(10)
    await charger.automate()
    await charger.measures(-3)
    await desk.pass_time(1800)
    (message,) = desk.notes().values()
    assert message.startswith(f"{CURRENT} is shown in {unit}, of which no A can be made.")
    assert charger.was_set_to() == []


@pytest.mark.parametrize("celsius", [-3, 10])
async def test_gentle_charging_goes_on_once_the_unit_is_known(
    charger: Charger, celsius: float
) -> None:
    desk = charger.desk
    await charger.is_at(60)
    await desk.show(TEMPERATURE, celsius, unit_of_measurement="°R")
    await charger.automate()
    await desk.pass_time(600)
    assert len(desk.notes()) == 1
    charger.temperature_unit = "°F"
    await charger.measures(celsius)
    assert desk.notes() == {}
    assert charger.was_set_to() == ([20] if celsius == -3 else [])


@pytest.mark.parametrize(
    "inputs",
    [{"cold_below": 25, "warm_above": 10}, {"cold_below": 12}, {"cold_current": 130}],
    ids=str,
)
async def test_limits_that_contradict_each_other_change_nothing_and_are_told_once(
    charger: Charger, inputs: dict[str, float]
) -> None:
    desk = charger.desk
    await charger.is_at(60)
    await charger.measures(15)
    await charger.automate(**inputs)
    for celsius in (4, 40, 11):
        await charger.measures(celsius)
        await desk.pass_time(600)
    assert charger.was_set_to() == []
    (message,) = desk.notes().values()
    assert "must be below warm" in message
    assert "Correct the automation it" in message
    persistent_notification.async_dismiss_all(desk.hass)
    await desk.pass_time(1800)
    assert desk.notes() == {}


@pytest.mark.parametrize("state", ["unknown", "unavailable", "nan", "inf", None])
async def test_a_temperature_that_stays_unknown_counts_as_cold(
    charger: Charger, state: str | None
) -> None:
    desk = charger.desk
    await charger.is_at(120)
    if state is not None:
        await desk.show(TEMPERATURE, state, unit_of_measurement="°C")
    await charger.automate()
    await desk.pass_time(600)
    assert charger.was_set_to() == [20]
    (message,) = desk.notes().values()
    assert "lowered to 20 A" in message
    await charger.is_at(20)
    persistent_notification.async_dismiss_all(desk.hass)
    await desk.pass_time(1800)
    assert charger.was_set_to() == []
    assert desk.notes() == {}


async def test_a_temperature_that_is_known_again_takes_the_message_away(charger: Charger) -> None:
    desk = charger.desk
    await charger.is_at(120)
    await desk.show(TEMPERATURE, "unknown", unit_of_measurement="°C")
    await charger.automate()
    await desk.pass_time(600)
    await charger.is_at(20)
    assert len(desk.notes()) == 1
    await charger.measures(10)
    assert desk.notes() == {}
    await charger.measures(13)
    assert charger.was_set_to() == [20, 120]


async def test_a_short_gap_in_the_temperature_changes_nothing(charger: Charger) -> None:
    desk = charger.desk
    await charger.is_at(120)
    await charger.measures(15)
    await charger.automate()
    await desk.pass_time(420)
    await desk.show(TEMPERATURE, "unavailable", unit_of_measurement="°C")
    await desk.pass_time(240)
    await charger.measures(15)
    await desk.pass_time(1200)
    assert charger.was_set_to() == []


@pytest.mark.long
@pytest.mark.parametrize("state", ["unknown", "unavailable", "nan"])
async def test_a_charge_current_that_is_not_known_is_not_set(charger: Charger, state: str) -> None:
    desk = charger.desk
    await desk.show(CURRENT, state, unit_of_measurement="A")
    await charger.measures(10)
    await charger.automate()
    await charger.measures(4)
    await desk.pass_time(1200)
    await desk.show(TEMPERATURE, "unavailable", unit_of_measurement="°C")
    await desk.pass_time(1200)
    assert charger.was_set_to() == []
    assert desk.notes() == {}


# -- a lost link -----------------------------------------------------------------------------------


async def watch_link(desk: Desk, **inputs: Any) -> None:
    """Have the owner told when the BMS has not been heard for five minutes."""
    await desk.automate("link_lost", state_of_charge=CHARGE, **{"actions": TELL, **inputs})


LOST, BACK = "The BMS is not heard", "The BMS is heard again"


async def test_a_lost_link_is_told_once_and_so_is_its_return(desk: Desk) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk)
    await desk.pass_time(93)
    await desk.show(CHARGE, "unavailable")
    await desk.pass_time(295)
    assert desk.told() == []
    await desk.pass_time(10)
    assert desk.message().startswith("Home Assistant has not heard from the BMS since 04:01.")
    await desk.pass_time(900)
    assert desk.told() == []
    await desk.show(CHARGE, 50)
    assert desk.told() == [BACK]
    await desk.pass_time(900)
    assert desk.told() == []


async def test_a_short_silence_is_not_told(desk: Desk) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk)
    for _ in range(5):
        await desk.show(CHARGE, "unavailable")
        await desk.pass_time(240)
        await desk.show(CHARGE, 50)
        await desk.pass_time(60)
    assert desk.told() == []


async def test_a_bms_that_is_away_when_home_assistant_starts_is_told_once(desk: Desk) -> None:
    desk.hass.set_state(CoreState.not_running)
    await desk.show(CHARGE, "unavailable", restored=True)
    await watch_link(desk)
    await desk.start()
    await desk.pass_time(295)
    assert desk.told() == []
    await desk.show(CHARGE, "unavailable")
    await desk.pass_time(70)
    assert desk.told() == [LOST]
    await desk.pass_time(900)
    assert desk.told() == []
    await desk.show(CHARGE, 50)
    assert desk.told() == [BACK]


@pytest.mark.parametrize("later", [0, 30, 200])
async def test_a_bms_that_comes_up_later_during_the_start_is_not_told(
    desk: Desk, later: int
) -> None:
    desk.hass.set_state(CoreState.not_running)
    await desk.show(CHARGE, "unavailable", restored=True)
    await watch_link(desk)
    await desk.start()
    await desk.pass_time(later)
    await desk.show(CHARGE, 50)
    await desk.pass_time(900)
    assert desk.told() == []


async def test_a_bms_that_is_away_when_the_automation_is_made_or_turned_on_is_told_once(
    desk: Desk,
) -> None:
    await desk.show(CHARGE, "unavailable")
    await watch_link(desk)
    await desk.pass_time(900)
    assert desk.told() == [LOST]
    await desk.act("automation.turn_off", entity_id=AUTOMATION)
    await desk.pass_time(900)
    await desk.act("automation.turn_on", entity_id=AUTOMATION)
    await desk.pass_time(900)
    assert desk.told() == [LOST]


async def test_reloading_automations_does_not_make_it_forget_that_the_link_is_lost(
    desk: Desk,
) -> None:
    await desk.show(CHARGE, "unavailable")
    await watch_link(desk)
    await desk.pass_time(900)
    await desk.reload()
    await desk.pass_time(900)
    assert desk.told() == [LOST]


async def test_a_bms_whose_state_of_charge_is_not_known_is_heard(desk: Desk) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk)
    await desk.show(CHARGE, "unknown")
    await desk.pass_time(900)
    assert desk.told() == []


async def test_a_sensor_that_was_renamed_is_told_and_is_no_return(desk: Desk) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk)
    await desk.show(CHARGE, "unavailable")
    await desk.pass_time(120)
    desk.hass.states.async_remove(CHARGE)
    await desk.pass_time(900)
    assert f"There is no {CHARGE}." in desk.message()


async def test_an_action_that_fails_is_not_tried_again_and_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk, actions=[*TELL, {"action": "notify.of_a_phone_that_is_gone"}])
    await desk.show(CHARGE, "unavailable")
    await desk.pass_time(900)
    assert desk.told() == [LOST]


# -- run by hand -----------------------------------------------------------------------------------


async def run_by_hand(desk: Desk) -> None:
    """Run the actions as the button in the automation's menu does: whatever its conditions say."""
    data = {"entity_id": AUTOMATION}
    await desk.hass.services.async_call("automation", "trigger", data)
    await desk.settle()


async def test_gentle_charging_run_by_hand_sets_what_it_would_set_by_itself(
    charger: Charger,
) -> None:
    await charger.is_at(60)
    await charger.measures(10)
    await charger.automate()
    await run_by_hand(charger.desk)
    assert charger.was_set_to() == []
    charger.temperature_unit = "°F"
    await charger.measures(4)
    assert charger.was_set_to() == [20]
    await run_by_hand(charger.desk)
    assert charger.was_set_to() == [20]


async def test_a_lost_link_run_by_hand_tells_nothing_false(desk: Desk) -> None:
    await desk.show(CHARGE, 50)
    await watch_link(desk)
    await run_by_hand(desk)
    await desk.pass_time(900)
    assert desk.told() == []
