"""Units that allow more than REC's list of instructions: MAXD 350 where that ends at 345."""

from __future__ import annotations

import pytest
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig

HIGHEST = 345


@pytest.fixture
async def beyond(running: Rig) -> Rig:
    """A BMS that has a MAXD of 350 A."""
    running.bms.maxima["MAXD"] = 360
    running.bms.settings["MAXD"] = 350.0
    await running.reload()
    return running


async def set_by_action(rig: Rig, value: float) -> float:
    answer = await rig.hass.services.async_call(
        DOMAIN,
        "set_parameter",
        {"config_entry_id": rig.entry.entry_id, "instruction": "MAXD", "value": value},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return float(str(answer["get"]))


@pytest.mark.long
async def test_what_a_unit_has_beyond_them_is_shown_with_room_for_it(beyond: Rig) -> None:
    assert beyond.number("maxd") == 350
    assert beyond.state("maxd").attributes["max"] == 350


async def test_once_within_them_the_field_ends_at_them_again(beyond: Rig) -> None:
    await beyond.set_number("maxd", 340)
    assert beyond.number("maxd") == 340
    assert beyond.state("maxd").attributes["max"] == HIGHEST


@pytest.mark.parametrize("value", [350, 347, 345, 100])
async def test_it_can_be_kept_and_made_smaller(beyond: Rig, value: float) -> None:
    assert await set_by_action(beyond, value) == value
    assert beyond.number("maxd") == value


async def test_it_cannot_be_made_larger_and_the_message_says_whose_limits_these_are(
    beyond: Rig,
) -> None:
    with pytest.raises(ServiceValidationError, match="list of instructions"):
        await set_by_action(beyond, 351)
    with pytest.raises(HomeAssistantError):
        await beyond.set_number("maxd", 351)
    assert not beyond.sim.log.sets


async def test_what_was_made_smaller_elsewhere_is_no_excuse_for_what_is_beyond(
    beyond: Rig,
) -> None:
    beyond.bms.settings["MAXD"] = 300.0
    with pytest.raises(ServiceValidationError, match="345 A"):
        await set_by_action(beyond, 350)
    assert not beyond.sim.log.sets
    assert beyond.bms.settings["MAXD"] == 300
