"""Limits are changed over Home Assistant's APIs, and only by who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tools.simulator.table import BY_CODE
from tools.testkit.api import Api, ApiError

if TYPE_CHECKING:
    from conftest import LiveRig

CHANGE = {"instruction": "CMAX", "value": 4.1}


async def setting(rig: LiveRig, code: str) -> float:
    """Return what the simulator has."""
    value: float = (await rig.bms.command("settings"))["settings"][code]
    return value


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def somebody(rig: LiveRig) -> Api:
    """A user who is no administrator."""
    user = await rig.client.command(
        "config/auth/create", name="Somebody", group_ids=["system-users"]
    )
    await rig.client.command(
        "config/auth_provider/homeassistant/create",
        user_id=user["user"]["id"],
        username="somebody",
        password="a password",
    )
    return await rig.client.log_in("somebody", "a password")


async def test_a_number_that_is_set_arrives_in_the_bms_and_is_shown(rig: LiveRig) -> None:
    await rig.bms.command("clear_log")
    entity_id = (await rig.registered())["bvol"]["entity_id"]
    await rig.client.act("number.set_value", entity_id=entity_id, value=4.05)
    assert len(await rig.sets_heard()) == 1
    assert await setting(rig, "BVOL") == pytest.approx(4.05)
    assert float(await rig.value("bvol")) == pytest.approx(4.05)


async def test_a_choice_that_is_set_arrives_in_the_bms_and_is_shown(rig: LiveRig) -> None:
    entity_id = (await rig.registered())["canf"]["entity_id"]
    before = await rig.value("canf")
    other = {"250_kbit_s": "500_kbit_s", "500_kbit_s": "250_kbit_s"}[before]
    for option in (other, before):
        await rig.client.act("select.select_option", entity_id=entity_id, option=option)
        assert await rig.value("canf") == option


async def test_a_value_out_of_range_is_refused_and_nothing_sent(rig: LiveRig) -> None:
    await rig.bms.command("clear_log")
    entity_id = (await rig.registered())["bvol"]["entity_id"]
    with pytest.raises(ApiError, match="40"):
        await rig.client.act("number.set_value", entity_id=entity_id, value=40)
    assert await rig.sets_heard() == []


async def test_set_parameter_answers_with_what_was_read_back(rig: LiveRig) -> None:
    before = await setting(rig, "CHAR")
    response = await rig.client.act(
        "rec_bms.set_parameter",
        respond=True,
        config_entry_id=rig.entry_id,
        instruction="char",
        value=4.02,
    )
    assert response["success"] is True
    assert response["previous"] == pytest.approx(before)
    assert response["set"] == response["get"] == pytest.approx(4.02)
    assert response["unit"] == "V"
    assert await setting(rig, "CHAR") == pytest.approx(4.02)
    assert float(await rig.value("char")) == pytest.approx(4.02)


async def test_get_parameter_reads_several_at_once(rig: LiveRig) -> None:
    response = await rig.client.act(
        "rec_bms.get_parameter",
        respond=True,
        config_entry_id=rig.entry_id,
        instruction=["cmax", "CELL"],
    )
    parameters = response["parameters"]
    assert list(parameters) == ["CMAX", "CELL"]
    assert parameters["CMAX"]["value"] == pytest.approx(await setting(rig, "CMAX"))
    assert len(parameters["CELL"]["values"]) == 14


async def test_list_instructions_lists_all(rig: LiveRig) -> None:
    response = await rig.client.act("rec_bms.list_instructions", respond=True)
    listed = [each["code"] for each in response["instructions"]]
    assert listed == [*BY_CODE]
    configurable = await rig.client.act(
        "rec_bms.list_instructions", respond=True, type="configurable"
    )
    settable = [code for code, row in BY_CODE.items() if row.settable]
    assert [each["code"] for each in configurable["instructions"]] == settable


async def test_who_is_no_administrator_cannot_change_anything(rig: LiveRig, somebody: Api) -> None:
    await rig.bms.command("clear_log")
    registered = await rig.registered()
    with pytest.raises(ApiError, match=r"(?i)unauthorized"):
        await somebody.act("rec_bms.set_parameter", config_entry_id=rig.entry_id, **CHANGE)
    with pytest.raises(ApiError, match="Only administrators can change settings"):
        await somebody.act("number.set_value", entity_id=registered["cmax"]["entity_id"], value=4.1)
    with pytest.raises(ApiError, match="Only administrators can change settings"):
        await somebody.act(
            "select.select_option",
            entity_id=registered["canf"]["entity_id"],
            option="250_kbit_s",
        )
    assert await rig.sets_heard() == []


async def test_with_changes_switched_off_nothing_is_sent(rig: LiveRig) -> None:
    result = await rig.set_options(scan_interval=2, allow_changes=False)
    assert result["type"] == "create_entry"
    await rig.bms.command("clear_log")
    try:
        with pytest.raises(ApiError, match="changes are switched off"):
            await rig.client.act("rec_bms.set_parameter", config_entry_id=rig.entry_id, **CHANGE)
        entity_id = (await rig.registered())["cmax"]["entity_id"]
        with pytest.raises(ApiError, match="changes are switched off"):
            await rig.client.act("number.set_value", entity_id=entity_id, value=4.1)
        assert await rig.sets_heard() == []
    finally:
        await rig.set_options(scan_interval=2, allow_changes=True)
