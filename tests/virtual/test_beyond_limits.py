"""Units that allow more than REC's list of instructions: MAXD 350 where that ends at 345."""

from __future__ import annotations

import pytest
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.house import House

HIGHEST = 345


@pytest.fixture
async def beyond(running: House) -> House:
    """A BMS that has a MAXD of 350 A."""
    running.bms.maxima["MAXD"] = 360
    running.bms.settings["MAXD"] = 350.0
    await running.reload()
    return running


async def set_by_action(house: House, value: float) -> float:
    answer = await house.hass.services.async_call(
        DOMAIN,
        "set_parameter",
        {"config_entry_id": house.entry.entry_id, "instruction": "MAXD", "value": value},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return float(str(answer["get"]))


async def test_what_a_unit_has_beyond_them_is_shown_with_room_for_it(beyond: House) -> None:
    assert beyond.number("maxd") == 350
    assert beyond.state("maxd").attributes["max"] == 350


async def test_once_within_them_the_field_ends_at_them_again(beyond: House) -> None:
    await beyond.set_number("maxd", 340)
    assert beyond.number("maxd") == 340
    assert beyond.state("maxd").attributes["max"] == HIGHEST


@pytest.mark.parametrize("value", [350, 347, 345, 100])
async def test_it_can_be_kept_and_made_smaller(beyond: House, value: float) -> None:
    assert await set_by_action(beyond, value) == value
    assert beyond.number("maxd") == value


async def test_it_cannot_be_made_larger_and_the_message_says_whose_limits_these_are(
    beyond: House,
) -> None:
    with pytest.raises(ServiceValidationError, match="list of instructions"):
        await set_by_action(beyond, 351)
    with pytest.raises(HomeAssistantError):
        await beyond.set_number("maxd", 351)
    assert not beyond.sim.log.sets


async def test_what_was_made_smaller_elsewhere_is_no_excuse_for_what_is_beyond(
    beyond: House,
) -> None:
    beyond.bms.settings["MAXD"] = 300.0
    with pytest.raises(ServiceValidationError, match="345 A"):
        await set_by_action(beyond, 350)
    assert not beyond.sim.log.sets
    assert beyond.bms.settings["MAXD"] == 300
