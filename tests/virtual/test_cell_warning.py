"""The blueprint that warns of cells: by their own BMS's limits, and of a spread in any unit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from homeassistant.components import persistent_notification
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util.unit_conversion import ElectricPotentialConverter
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM

from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.test_blueprint_rules import (
    AUTOMATION,
    TELL,
    Desk,
    _blueprints_of_the_repository,
    desk,
    run_by_hand,
)
from tests.virtual.watching import move
from tools.testkit.simulator_in_memory import SimulatorInMemory

__all__ = ["_blueprints_of_the_repository", "desk"]
"""The fixtures of another."""

SPREAD = "sensor.battery_spread"
VOLTAGE_UNITS = [*sorted(ElectricPotentialConverter.VALID_UNITS), "\u00b5V"]
LOW, HIGH, APART = "A cell is low", "A cell is high", "The cells drift apart"
FAR, NEAR = 200, 40
"""mV to a limit: of both margins, and within both of them."""


@dataclass
class Cells:
    """A battery, a spread that tests show, and an automation that warns after 30 s."""

    desk: Desk
    rig: Rig

    async def automate(self, **inputs: Any) -> None:
        """Have it warn 100 mV before the lower limit, 50 mV before the upper, and above 0.1 V."""
        bms = inputs.pop("bms", self.rig.device().id)
        spread = {"spread": SPREAD, **inputs}
        await self.desk.automate("cell_warning", bms=bms, actions=TELL, **spread)

    async def are(self, side: str, millivolts: float) -> None:
        """Have the first cell so far from its limit, and let it be read."""
        self.rig.sim.call(move, self.rig, side, millivolts)
        await self.desk.pass_time(11)

    async def are_apart(self, volts: float, unit: str = "V") -> None:
        """Show a spread, given in V, in the unit that the owner chose."""
        shown = ElectricPotentialConverter.convert(volts, "V", unit.replace("\u00b5", "\u03bc"))
        await self.desk.show(SPREAD, round(shown, 9), unit_of_measurement=unit)


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005)


@pytest.fixture
async def cells(
    desk: Desk, hass: HomeAssistant, battery: SimulatorInMemory, short_silence: None
) -> AsyncIterator[Cells]:
    rig = Rig(hass, battery, entry_for(battery, scan_interval=10, title="Battery"))
    await rig.set_up()
    cells = Cells(desk, rig)
    await cells.are_apart(0.05)
    await cells.are("high", FAR)
    yield cells
    await desk.act("automation.turn_off", entity_id=AUTOMATION)


# -- near a limit ----------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("side", "title", "words"),
    [
        ("low", LOW, r" mV from CLOW. Charge soon, or draw less."),
        ("high", HIGH, r" mV from CMAX. Charge with less current or to a lower voltage."),
    ],
)
async def test_a_cell_that_stays_near_its_limit_is_told_once(
    cells: Cells, side: str, title: str, words: str
) -> None:
    await cells.automate()
    await cells.are(side, NEAR)
    await cells.desk.pass_time(15)
    assert cells.desk.told() == []
    await cells.desk.pass_time(20)
    (call,) = cells.desk.calls
    assert call.data["title"] == title
    message = call.data["message"]
    assert message.startswith("Cell 3 of unit 1 of Battery has ")
    assert message.endswith(words)
    await cells.desk.pass_time(600)
    assert cells.desk.told() == [title]
    assert cells.desk.notes() == {}


@pytest.mark.long
async def test_it_goes_by_the_limit_of_the_bms_and_not_by_volts(cells: Cells) -> None:
    await cells.are("high", 120)
    await cells.automate()
    await cells.desk.pass_time(60)
    assert cells.desk.told() == []
    await cells.rig.set_number("cmax", cells.rig.bms.settings["CMAX"] - 0.08)
    await cells.desk.pass_time(40)
    assert cells.desk.told() == [HIGH]


async def test_the_margins_are_those_that_were_chosen(cells: Cells) -> None:
    await cells.automate(low_margin=30, high_margin=150)
    await cells.are("low", NEAR)
    await cells.desk.pass_time(60)
    assert cells.desk.told() == []
    await cells.are("high", 140)
    await cells.desk.pass_time(60)
    assert cells.desk.told() == [HIGH]


async def test_a_cell_beyond_its_limit_reads_well(cells: Cells) -> None:
    await cells.automate(lasting={"seconds": 0})
    await cells.are("low", -20)
    assert " mV beyond CLOW. " in cells.desk.message()


async def test_a_short_peak_is_not_told(cells: Cells) -> None:
    await cells.automate()
    await cells.are("high", NEAR)
    await cells.are("high", FAR)
    await cells.desk.pass_time(120)
    assert cells.desk.told() == []


@pytest.mark.long
async def test_a_cell_of_a_bank_is_told_with_its_battery(
    desk: Desk, hass: HomeAssistant, simulate: Simulate
) -> None:
    members = batteries(hass, simulate, {}, {})
    for member in members:
        await member.set_up()
    bank = await bank_of(hass, *members)
    cells = Cells(desk, members[1])
    await cells.are_apart(0.05)
    await cells.are("high", FAR)
    await cells.automate(bms=bank.device().id)
    await cells.are("high", NEAR)
    await desk.pass_time(60)
    assert desk.message().startswith("Cell 3 of unit 1 of Battery 2 has ")
    await desk.act("automation.turn_off", entity_id=AUTOMATION)


@pytest.mark.long
@pytest.mark.parametrize("system", [METRIC_SYSTEM, US_CUSTOMARY_SYSTEM])
async def test_it_tells_volts_in_either_unit_system(cells: Cells, system: Any) -> None:
    cells.desk.hass.config.units = system
    await cells.rig.reload()
    await cells.automate()
    await cells.are("high", NEAR)
    await cells.desk.pass_time(60)
    assert " has 4.1" in cells.desk.message()


# -- when it begins to watch -----------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(("side", "title"), [("low", LOW), ("high", HIGH)])
async def test_a_cell_that_is_near_when_home_assistant_starts_is_told_once(
    cells: Cells, side: str, title: str
) -> None:
    desk = cells.desk
    await cells.are(side, NEAR)
    desk.hass.set_state(CoreState.not_running)
    await cells.automate()
    await desk.start()
    await desk.pass_time(25)
    assert desk.told() == []
    await desk.pass_time(10)
    assert "is less than " in desk.calls[0].data["message"]
    assert desk.told() == [title]
    await desk.pass_time(600)
    assert desk.told() == []
    await cells.are(side, FAR)
    await cells.are(side, NEAR)
    await desk.pass_time(60)
    assert desk.told() == [title]


@pytest.mark.long
async def test_a_cell_that_is_back_soon_after_the_start_is_not_told(cells: Cells) -> None:
    desk = cells.desk
    await cells.are("low", NEAR)
    desk.hass.set_state(CoreState.not_running)
    await cells.automate()
    await desk.start()
    await cells.are("low", 400)
    await cells.are("low", NEAR)
    await desk.pass_time(15)
    assert desk.told() == []
    await desk.pass_time(20)
    assert desk.told() == [LOW]
    await desk.pass_time(600)
    assert desk.told() == []


@pytest.mark.long
@pytest.mark.parametrize("later", [0, 10, 60, 600])
async def test_a_bms_that_comes_up_later_with_a_cell_near_its_limit_is_told_once(
    cells: Cells, later: int
) -> None:
    desk = cells.desk
    cells.rig.bms.silent = True
    await desk.pass_time(30)
    desk.hass.set_state(CoreState.not_running)
    await cells.automate()
    await desk.start()
    await desk.pass_time(later)
    cells.rig.bms.silent = False
    await cells.are("low", NEAR)
    await desk.pass_time(600)
    assert desk.told() == [LOW]


@pytest.mark.long
async def test_a_bms_that_goes_away_and_comes_back_just_after_the_start_is_told_once(
    cells: Cells,
) -> None:
    desk = cells.desk
    await cells.are("low", NEAR)
    desk.hass.set_state(CoreState.not_running)
    await cells.automate()
    await desk.start()
    cells.rig.bms.silent = True
    await desk.pass_time(12)
    cells.rig.bms.silent = False
    await desk.pass_time(600)
    assert desk.told() == [LOW]


@pytest.mark.long
async def test_a_cell_near_its_limit_is_told_when_the_automation_is_changed(cells: Cells) -> None:
    desk = cells.desk
    await cells.are("low", 150)
    await cells.automate()
    await desk.pass_time(60)
    await cells.automate(low_margin=200)
    await desk.reload()
    await desk.pass_time(600)
    assert desk.told() == [LOW]


@pytest.mark.long
async def test_reloading_other_automations_tells_nothing_again(cells: Cells) -> None:
    desk = cells.desk
    await cells.automate()
    await cells.are("low", NEAR)
    await desk.pass_time(60)
    assert desk.told() == [LOW]
    await desk.reload()
    await desk.pass_time(600)
    assert desk.told() == []


@pytest.mark.long
async def test_a_cell_near_its_limit_is_told_when_the_automation_is_turned_on(
    cells: Cells,
) -> None:
    desk = cells.desk
    await cells.automate()
    await desk.act("automation.turn_off", entity_id=AUTOMATION)
    await cells.are("low", NEAR)
    await desk.pass_time(600)
    assert desk.told() == []
    await desk.act("automation.turn_on", entity_id=AUTOMATION)
    await desk.pass_time(600)
    assert desk.told() == [LOW]


async def test_run_by_hand_it_tells_nothing_false(cells: Cells) -> None:
    await cells.automate()
    await run_by_hand(cells.desk)
    await cells.desk.pass_time(60)
    assert cells.desk.told() == []
    assert cells.desk.notes() == {}


# -- the spread ------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("unit", VOLTAGE_UNITS)
async def test_cells_that_drift_apart_are_told_in_volts_whatever_the_unit(
    cells: Cells, unit: str
) -> None:
    desk = cells.desk
    await cells.are_apart(0.1, unit)
    await cells.automate()
    await desk.pass_time(120)
    assert desk.told() == []
    await cells.are_apart(0.125, unit)
    await desk.pass_time(25)
    assert desk.told() == []
    await desk.pass_time(10)
    (call,) = desk.calls
    assert call.data["title"] == APART
    assert " are 0.125 V apart." in call.data["message"]
    await desk.pass_time(600)
    assert desk.told() == [APART]


@pytest.mark.long
async def test_a_spread_when_home_assistant_starts_is_told_once(cells: Cells) -> None:
    desk = cells.desk
    desk.hass.set_state(CoreState.not_running)
    await cells.are_apart(0.2, "mV")
    await cells.automate()
    await desk.start()
    await desk.pass_time(25)
    assert desk.told() == []
    await cells.are_apart(0.201, "mV")
    await desk.pass_time(10)
    assert desk.told() == [APART]
    await desk.pass_time(600)
    assert desk.told() == []


async def test_a_spread_that_is_back_soon_after_the_start_is_not_told(cells: Cells) -> None:
    desk = cells.desk
    desk.hass.set_state(CoreState.not_running)
    await cells.are_apart(0.2)
    await cells.automate()
    await desk.start()
    await desk.pass_time(20)
    await cells.are_apart(0.05)
    await desk.pass_time(60)
    assert desk.told() == []


async def test_all_that_is_so_when_home_assistant_starts_is_told(cells: Cells) -> None:
    desk = cells.desk
    await cells.are("low", NEAR)
    desk.hass.set_state(CoreState.not_running)
    await cells.are_apart(0.2)
    await cells.automate(high_margin=1000)
    await desk.start()
    await desk.pass_time(40)
    assert sorted(desk.told()) == [HIGH, LOW, APART]


@pytest.mark.long
async def test_a_spread_in_an_unknown_unit_warns_of_nothing_false_and_is_told_once(
    cells: Cells,
) -> None:
    desk = cells.desk
    await cells.automate()
    await desk.show(SPREAD, 0.5, unit_of_measurement="bananas")
    await desk.pass_time(120)
    (message,) = desk.notes().values()
    assert message.startswith(f"{SPREAD} is shown in bananas, of which no V can be made.")
    persistent_notification.async_dismiss_all(desk.hass)
    for value in (0.6, 9, 0.5):
        await desk.show(SPREAD, value, unit_of_measurement="bananas")
        await desk.pass_time(60)
    assert desk.notes() == {}
    assert desk.told() == []


async def test_a_spread_in_an_unknown_unit_when_home_assistant_starts_is_told_until_it_is_known(
    cells: Cells,
) -> None:
    desk = cells.desk
    desk.hass.set_state(CoreState.not_running)
    await desk.show(SPREAD, 0.2)
    await cells.automate()
    await desk.start()
    assert len(desk.notes()) == 1
    await cells.are_apart(0.2)
    assert desk.notes() == {}
    await desk.pass_time(40)
    assert desk.told() == [APART]
