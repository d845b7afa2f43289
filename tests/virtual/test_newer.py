"""What newer units know more: found out in the background, kept, and in nobody's way."""

from __future__ import annotations

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.rec_bms.protocol.rs485.bms import Rs485Bms
from custom_components.rec_bms.protocol.rs485.instructions import NEWER
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory

INTERVAL = 10
CODES = [row.code for row in NEWER]
NEVER_ASKED = {"ERLD", "ERRL", "MODE"}


@pytest.fixture
async def polled(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    """A rig with the usual time between polls, whose BMS knows everything."""
    rig = Rig(hass, battery, entry_for(battery, scan_interval=INTERVAL))
    await rig.set_up()
    return rig


async def probed(rig: Rig, polls: int = 2 * len(CODES) + 2) -> list[list[str]]:
    """Return what of newer units some polls asked for."""
    asked = []
    for _ in range(polls):
        rig.sim.log.clear()
        await rig.poll(after=INTERVAL)
        asked.append([code for code in rig.asked_at_all() if code in CODES])
    return asked


def rs485(rig: Rig) -> Rs485Bms:
    bms = rig.coordinator.bms
    assert isinstance(bms, Rs485Bms)
    return bms


@pytest.mark.long
async def test_the_first_poll_asks_for_none_of_it(polled: Rig) -> None:
    assert not set(polled.asked_at_all()) & set(CODES)


@pytest.mark.long
async def test_all_that_a_unit_knows_is_found_and_told(polled: Rig) -> None:
    await probed(polled, len(CODES))
    state = polled.coordinator.data.state
    assert state.serial_number == polled.bms.settings["SERI"]
    assert state.settings["strn"] == polled.bms.settings["STRN"]
    assert state.clock is not None
    assert abs(state.clock.deviation(polled.bms.clock().tzinfo)) < 2
    assert rs485(polled).known.answered >= set(CODES)


@pytest.mark.long
async def test_of_a_unit_that_knows_none_each_is_asked_in_two_rounds_and_then_no_more(
    short_silence: None, polled: Rig
) -> None:
    polled.bms.unsupported.update(CODES)
    asked = await probed(polled)
    assert {code for codes in asked for code in codes} == set(CODES)
    assert all(len(set(codes)) <= 1 for codes in asked)
    assert rs485(polled).unsupported == set(CODES)
    assert not any(await probed(polled, 5))


@pytest.mark.long
async def test_a_restart_does_not_ask_in_vain_again(short_silence: None, polled: Rig) -> None:
    polled.bms.unsupported.update(CODES[3:])
    await probed(polled)
    polled.sim.log.clear()
    await polled.reload()
    assert set(CODES[:3]) == set(polled.asked_at_all()) & set(CODES)
    asked = await probed(polled, 5)
    assert not {code for codes in asked for code in codes} & set(CODES[3:])


@pytest.mark.long
async def test_what_an_update_of_the_unit_brings_is_found(short_silence: None, polled: Rig) -> None:
    polled.bms.unsupported.update(CODES)
    await probed(polled)
    polled.bms.unsupported.clear()
    polled.bms.texts["SWVR"] = "3.0"
    await polled.reload()
    await probed(polled, len(CODES) + 1)
    assert rs485(polled).known.answered >= set(CODES)
    assert rs485(polled).known.software_version == "3.0"


@pytest.mark.long
async def test_another_unit_in_the_place_of_one_is_asked_for_all_again(
    short_silence: None, polled: Rig
) -> None:
    polled.bms.unsupported.update(set(CODES) - {"SERI"})
    await probed(polled)
    assert rs485(polled).unsupported == set(CODES) - {"SERI"}
    polled.bms.unsupported.clear()
    polled.bms.settings["SERI"] += 1
    await polled.reload()
    await probed(polled, len(CODES) + 1)
    assert rs485(polled).known.answered >= set(CODES)


@pytest.mark.long
async def test_what_must_never_be_asked_is_not_even_when_somebody_wants_it(polled: Rig) -> None:
    for code in sorted(NEVER_ASKED):
        for action, data in (("get_parameter", {}), ("set_parameter", {"value": 1})):
            with pytest.raises(ServiceValidationError, match="is no instruction of the BMS"):
                await polled.act(action, instruction=code, **data)
    await probed(polled)
    assert not NEVER_ASKED & set(polled.asked_at_all())


async def test_a_unit_that_answers_with_an_error_is_said_not_to_know_the_instruction(
    polled: Rig,
) -> None:
    polled.bms.refuses = True
    polled.bms.unsupported.add("STRN")
    with pytest.raises(HomeAssistantError, match=r"does not know .*\(STRN\)"):
        await polled.act("get_parameter", instruction="STRN")


@pytest.mark.long
async def test_of_a_unit_that_answers_with_errors_none_is_probed_twice(polled: Rig) -> None:
    polled.bms.refuses = True
    polled.bms.unsupported.update(CODES)
    asked = await probed(polled)
    assert {code for codes in asked for code in codes} == set(CODES)
    assert rs485(polled).unsupported == set(CODES)
    assert not any(await probed(polled, 5))


@pytest.mark.long
async def test_which_cell_is_balanced_is_told_of_one_unit(polled: Rig) -> None:
    await probed(polled, len(CODES))
    balancing = polled.coordinator.data.state.balancing
    assert balancing is not None
    assert {balanced for _, _, balanced in balancing} == {False}


@pytest.mark.long
async def test_of_several_units_it_is_not_known_which_cell_is_balanced(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(cells=[4, 4])
    rig = Rig(hass, sim, entry_for(sim, scan_interval=INTERVAL))
    await rig.set_up()
    await probed(rig, len(CODES))
    assert rig.coordinator.data.state.has("balancing")
    assert rig.coordinator.data.state.balancing is None
