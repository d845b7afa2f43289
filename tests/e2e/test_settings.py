"""Limits are changed over Home Assistant's APIs, and only by who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tools.simulator.table import BY_CODE
from tools.testkit.api import Api, ApiError

if TYPE_CHECKING:
    from conftest import House

CHANGE = {"instruction": "CMAX", "value": 4.1}


async def setting(house: House, code: str) -> float:
    """Return what the simulator has."""
    value: float = (await house.bms.command("settings"))["settings"][code]
    return value


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def somebody(house: House) -> Api:
    """A user who is no administrator."""
    user = await house.client.command(
        "config/auth/create", name="Somebody", group_ids=["system-users"]
    )
    await house.client.command(
        "config/auth_provider/homeassistant/create",
        user_id=user["user"]["id"],
        username="somebody",
        password="a password",
    )
    return await house.client.log_in("somebody", "a password")


async def test_a_number_that_is_set_arrives_in_the_bms_and_is_shown(house: House) -> None:
    await house.bms.command("clear_log")
    entity_id = (await house.registered())["bvol"]["entity_id"]
    await house.client.act("number.set_value", entity_id=entity_id, value=4.05)
    assert len(await house.sets_heard()) == 1
    assert await setting(house, "BVOL") == pytest.approx(4.05)
    assert float(await house.value("bvol")) == pytest.approx(4.05)


async def test_a_choice_that_is_set_arrives_in_the_bms_and_is_shown(house: House) -> None:
    entity_id = (await house.registered())["canf"]["entity_id"]
    before = await house.value("canf")
    other = {"250_kbit_s": "500_kbit_s", "500_kbit_s": "250_kbit_s"}[before]
    for option in (other, before):
        await house.client.act("select.select_option", entity_id=entity_id, option=option)
        assert await house.value("canf") == option


async def test_a_value_out_of_range_is_refused_and_nothing_sent(house: House) -> None:
    await house.bms.command("clear_log")
    entity_id = (await house.registered())["bvol"]["entity_id"]
    with pytest.raises(ApiError, match="40"):
        await house.client.act("number.set_value", entity_id=entity_id, value=40)
    assert await house.sets_heard() == []


async def test_set_parameter_answers_with_what_was_read_back(house: House) -> None:
    before = await setting(house, "CHAR")
    response = await house.client.act(
        "rec_bms.set_parameter",
        respond=True,
        config_entry_id=house.entry_id,
        instruction="char",
        value=4.02,
    )
    assert response["success"] is True
    assert response["previous"] == pytest.approx(before)
    assert response["set"] == response["get"] == pytest.approx(4.02)
    assert response["unit"] == "V"
    assert await setting(house, "CHAR") == pytest.approx(4.02)
    assert float(await house.value("char")) == pytest.approx(4.02)


async def test_get_parameter_reads_several_at_once(house: House) -> None:
    response = await house.client.act(
        "rec_bms.get_parameter",
        respond=True,
        config_entry_id=house.entry_id,
        instruction=["cmax", "CELL"],
    )
    parameters = response["parameters"]
    assert list(parameters) == ["CMAX", "CELL"]
    assert parameters["CMAX"]["value"] == pytest.approx(await setting(house, "CMAX"))
    assert len(parameters["CELL"]["values"]) == 14


async def test_list_instructions_lists_all(house: House) -> None:
    response = await house.client.act("rec_bms.list_instructions", respond=True)
    listed = [each["code"] for each in response["instructions"]]
    assert listed == [*BY_CODE]
    configurable = await house.client.act(
        "rec_bms.list_instructions", respond=True, type="configurable"
    )
    settable = [code for code, row in BY_CODE.items() if row.settable]
    assert [each["code"] for each in configurable["instructions"]] == settable


async def test_who_is_no_administrator_cannot_change_anything(house: House, somebody: Api) -> None:
    await house.bms.command("clear_log")
    registered = await house.registered()
    with pytest.raises(ApiError, match=r"(?i)unauthorized"):
        await somebody.act("rec_bms.set_parameter", config_entry_id=house.entry_id, **CHANGE)
    with pytest.raises(ApiError, match="Only administrators can change settings"):
        await somebody.act("number.set_value", entity_id=registered["cmax"]["entity_id"], value=4.1)
    with pytest.raises(ApiError, match="Only administrators can change settings"):
        await somebody.act(
            "select.select_option",
            entity_id=registered["canf"]["entity_id"],
            option="250_kbit_s",
        )
    assert await house.sets_heard() == []


async def test_with_changes_switched_off_nothing_is_sent(house: House) -> None:
    result = await house.set_options(scan_interval=2, allow_changes=False)
    assert result["type"] == "create_entry"
    await house.bms.command("clear_log")
    try:
        with pytest.raises(ApiError, match="changes are switched off"):
            await house.client.act(
                "rec_bms.set_parameter", config_entry_id=house.entry_id, **CHANGE
            )
        entity_id = (await house.registered())["cmax"]["entity_id"]
        with pytest.raises(ApiError, match="changes are switched off"):
            await house.client.act("number.set_value", entity_id=entity_id, value=4.1)
        assert await house.sets_heard() == []
    finally:
        await house.set_options(scan_interval=2, allow_changes=True)
