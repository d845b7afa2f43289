"""What the dashboard is told of the batteries, and the modules that it is made of."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.rec_bms import dashboard
from custom_components.rec_bms.protocol.rs485.instructions import SETTABLE
from tests.virtual.banks import bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for


async def layout(hass: HomeAssistant, ws: WebSocketGenerator, **user: Any) -> dict[str, Any]:
    """Return what the command answers."""
    client = await ws(hass, **user)
    await client.send_json_auto_id({"type": "rec_bms/layout"})
    answer = await client.receive_json()
    assert answer["success"]
    result: dict[str, Any] = answer["result"]
    return result


async def test_it_tells_the_entity_of_each_key(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    (battery,) = (await layout(running.hass, hass_ws_client))["batteries"]
    assert battery["entry_id"] == running.entry.entry_id
    assert battery["title"] == running.entry.title
    assert battery["devices"] == {running.device().id: 1}
    assert battery["entities"]["cell_voltage_1_8"] == running.entity_id("cell_voltage_1_8")
    assert battery["entities"]["cmax"] == running.entity_id("cmax")
    enabled = [each for each in running.registered_entities() if not each.disabled]
    assert sorted(battery["entities"].values()) == sorted(each.entity_id for each in enabled)


async def test_it_tells_the_units(
    hass: HomeAssistant, simulate: Simulate, hass_ws_client: WebSocketGenerator
) -> None:
    sim = simulate(units=3, cells=5)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    (battery,) = (await layout(hass, hass_ws_client))["batteries"]
    assert battery["devices"] == {rig.device(unit).id: unit for unit in (1, 2, 3)}
    assert battery["entities"]["cell_voltage_3_5"] == rig.entity_id("cell_voltage_3_5")


async def test_a_renamed_entity_is_found_and_a_disabled_one_left_out(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    registry = er.async_get(running.hass)
    registry.async_update_entity(running.entity_id("cmax"), new_entity_id="number.top")
    registry.async_update_entity(
        running.entity_id("cmin"), disabled_by=er.RegistryEntryDisabler.USER
    )
    (battery,) = (await layout(running.hass, hass_ws_client))["batteries"]
    assert battery["entities"]["cmax"] == "number.top"
    assert "cmin" not in battery["entities"]


async def test_a_bms_that_is_away_keeps_its_place(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    await running.unload()
    (battery,) = (await layout(running.hass, hass_ws_client))["batteries"]
    assert "cell_voltage_1_14" in battery["entities"]


async def test_settings_come_in_the_order_and_groups_of_the_instructions(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    groups = (await layout(running.hass, hass_ws_client))["settings"]
    assert [group["category"] for group in groups][:3] == ["cell", "temperature", "amperage"]
    keys = [key for group in groups for key in group["keys"]]
    assert sorted(keys) == sorted(str(row.key) for row in SETTABLE)
    assert groups[0]["keys"][:3] == ["bvol", "bmin", "cmax"]


async def test_who_may_see_nothing_is_told_of_nothing(
    running: Rig,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    hass_read_only_user: MockUser,
) -> None:
    mine = await layout(running.hass, hass_ws_client, access_token=hass_read_only_access_token)
    assert mine["batteries"][0]["entities"]
    hass_read_only_user.mock_policy({"entities": {"domains": {"number": True}}})
    mine = await layout(running.hass, hass_ws_client, access_token=hass_read_only_access_token)
    assert all(each.startswith("number.") for each in mine["batteries"][0]["entities"].values())


async def test_the_modules_are_served_under_their_version(
    rig: Rig, hass_client: ClientSessionGenerator
) -> None:
    hass = rig.hass
    hass.config.components.add("frontend")
    hass.data[DATA_EXTRA_MODULE_URL] = urls = set()  # type: ignore[assignment]
    await rig.set_up()
    client = await hass_client()
    (url,) = urls
    assert re.fullmatch(r"/rec_bms/[0-9a-f]{12}/main\.js", url)
    for module in ("main.js", "views/overview.js", "languages/en.js"):
        answer = await client.get(url.replace("main.js", module))
        assert answer.status == HTTPStatus.OK
        assert "javascript" in answer.headers["Content-Type"]
        assert "max-age" in answer.headers["Cache-Control"]


async def test_without_a_web_page_nothing_is_served(running: Rig) -> None:
    assert DATA_EXTRA_MODULE_URL not in running.hass.data


def test_another_content_is_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "_FOLDER", tmp_path)
    versions = set()
    for name, text in (("main.js", "1"), ("main.js", "2"), ("other.js", "2")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        versions.add(dashboard._version())
    assert len(versions) == 3


def test_modules_are_only_fetched_from_the_house_itself() -> None:
    for module in Path(dashboard.__file__).with_name("frontend").rglob("*.js"):
        text = module.read_text(encoding="utf-8")
        assert "://" not in text, f"{module} has an address in it"
        for source in re.findall(r'\b(?:from|import)\s*\(?\s*"([^"]+)"', text):
            assert source.startswith("."), f"{module} imports {source}"
            assert (module.parent / source).is_file(), f"{module} imports {source}"


async def test_a_bank_is_told_apart_from_the_batteries_that_it_is_made_of(
    hass: HomeAssistant, simulate: Simulate, hass_ws_client: WebSocketGenerator
) -> None:
    members = batteries(hass, simulate, {}, {})
    for member in members:
        await member.set_up()
    rig = await bank_of(hass, *members, wiring="series")
    told = await layout(hass, hass_ws_client)
    assert [each["title"] for each in told["batteries"]] == ["Battery 1", "Battery 2"]
    (bank,) = told["banks"]
    assert bank["entry_id"] == rig.entry.entry_id
    assert (bank["title"], bank["wiring"]) == ("Bank", "series")
    assert bank["members"] == [member.entry.entry_id for member in members]
    (device,) = rig.devices()
    assert bank["devices"] == {device.id: 1}
    assert bank["entities"]["voltage"] == rig.entity_id("voltage")
