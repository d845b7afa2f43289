"""What the dashboard is told of settings, of changes to come and of those made."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.rec_bms.history import Reason
from tests.virtual.banks import bank_of
from tests.virtual.conftest import Simulate
from tests.virtual.keeping import change, changed_elsewhere
from tests.virtual.rig import Rig, entry_for
from tests.virtual.table import BY_CODE
from tests.virtual.test_settings_in_other_units import show_in


@pytest.fixture
def rig(hass_storage: dict[str, Any], rig: Rig) -> Rig:
    """A rig whose files are in memory."""
    return rig


class Page:
    """What the dashboard's page asks about one battery."""

    def __init__(self, rig: Rig, client: Any) -> None:
        self._rig = rig
        self.client = client

    async def asks(self, command: str, **data: Any) -> dict[str, Any]:
        entry_id = self._rig.entry.entry_id
        await self.client.send_json_auto_id(
            {"type": f"rec_bms/{command}", "entry_id": entry_id, **data}
        )
        answer: dict[str, Any] = await self.client.receive_json()
        return answer

    async def settings(self) -> dict[str, Any]:
        result: dict[str, Any] = (await self.asks("settings"))["result"]
        return result

    async def review(self, **changes: Any) -> dict[str, Any]:
        result: dict[str, Any] = (await self.asks("review", changes=changes))["result"]
        return result

    async def hears(self) -> list[dict[str, Any]]:
        """Return the backups of the next event."""
        event = await self.client.receive_json()
        assert event["type"] == "event"
        backups: list[dict[str, Any]] = event["event"]["backups"]
        return backups


@pytest.fixture
async def page(running: Rig, hass_ws_client: WebSocketGenerator) -> Page:
    return Page(running, await hass_ws_client(running.hass))


# -- Settings --------------------------------------------------------------------------------------


async def test_each_setting_has_its_code_and_the_chemistry_is_told(page: Page) -> None:
    told = await page.settings()
    assert told["settings"]["cmax"] == {"code": "CMAX", "factory": None}
    assert "ioff" not in told["settings"], "it is disabled"
    assert told["chemistry"] == "li_po_kokam_high_capacity"
    assert (told["may_change"], told["reason"]) == (True, None)


async def test_with_changes_forbidden_it_says_so(
    hass: HomeAssistant, simulate: Simulate, hass_ws_client: WebSocketGenerator
) -> None:
    sim = simulate()
    rig = Rig(hass, sim, entry_for(sim, allow_changes=False))
    await rig.set_up()
    told = await Page(rig, await hass_ws_client(hass)).settings()
    assert (told["may_change"], told["reason"]) == (False, "changes_forbidden")


async def test_who_is_no_administrator_is_told_so_and_may_not_review(
    running: Rig,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    hass_read_only_user: MockUser,
) -> None:
    page = Page(running, await hass_ws_client(running.hass, hass_read_only_access_token))
    told = await page.settings()
    assert (told["may_change"], told["reason"]) == (False, "administrators_only")
    assert told["settings"]
    assert (await page.asks("review", changes={}))["error"]["code"] == "unauthorized"
    hass_read_only_user.mock_policy({"entities": {"domains": {"select": True}}})
    assert (await page.settings())["settings"].keys() == {"chem", "canf"}


async def test_while_entities_come_and_the_entry_is_not_quite_loaded_changes_are_allowed(
    running: Rig, page: Page
) -> None:
    running.entry.mock_state(running.hass, ConfigEntryState.SETUP_IN_PROGRESS)
    told = await page.settings()
    running.entry.mock_state(running.hass, ConfigEntryState.LOADED)
    assert (told["may_change"], told["reason"]) == (True, None)


async def test_a_battery_that_is_not_loaded_or_not_there(running: Rig, page: Page) -> None:
    await running.unload()
    told = await page.settings()
    assert (told["settings"], told["chemistry"], told["reason"]) == ({}, None, "not_loaded")
    assert (await page.asks("review", changes={}))["error"]["code"] == "not_loaded"
    for command in ("settings", "review", "kept"):
        message = {"type": f"rec_bms/{command}", "entry_id": "nobody"}
        if command == "review":
            message["changes"] = {}  # type: ignore[assignment]
        await page.client.send_json_auto_id(message)
        assert (await page.client.receive_json())["error"]["code"] == "not_found"


# -- Review ----------------------------------------------------------------------------------------


async def test_changes_are_put_into_the_order_in_which_they_can_be_sent(
    running: Rig, page: Page
) -> None:
    running.sim.log.clear()
    found = await page.review(cmax=3.5, bvol=3.4, bmin=3.3, char=3.4, maxc=100)
    assert found["problems"] == []
    assert [step["key"] for step in found["steps"]] == ["bmin", "bvol", "char", "cmax", "maxc"]
    assert found["steps"][-1] == {"key": "maxc", "from": 150, "to": 100}
    assert not running.sim.log.requests(), "nothing is sent"
    for step in found["steps"]:
        await running.set_number(step["key"], step["to"])


async def test_what_is_the_same_is_no_step(page: Page) -> None:
    assert await page.review(maxc=150, chem="li_po_kokam_high_capacity") == {
        "steps": [],
        "problems": [],
    }


async def test_percent_and_options_are_taken_as_they_are_shown(page: Page) -> None:
    found = await page.review(soch=12.5, canf="250_kbit_s")
    assert found["steps"] == [
        {"key": "soch", "from": 5.0, "to": 12.5},
        {"key": "canf", "from": "500_kbit_s", "to": "250_kbit_s"},
    ]


async def test_fahrenheit_and_millivolts_are_taken_as_they_are_shown(
    rig: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    rig.hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    show_in(rig, BY_CODE["CMAX"], "mV")
    await rig.hass.async_block_till_done()
    page = Page(rig, await hass_ws_client(rig.hass))
    before = rig.number("tmax")
    found = await page.review(tmax=122, cmax=4100)
    assert found["problems"] == []
    assert found["steps"] == [
        {"key": "cmax", "from": rig.number("cmax"), "to": 4100},
        {"key": "tmax", "from": before, "to": 122},
    ]
    for step in found["steps"]:
        await rig.set_number(step["key"], step["to"])
    assert rig.bms.settings["TMAX"] == pytest.approx(50)
    assert rig.bms.settings["CMAX"] == pytest.approx(4.1)
    # 65 °C at most: 149 °F are, 150 °F are not, whatever 65 and 150 look like.
    assert (await page.review(tmax=149))["problems"] == []
    assert [each["key"] for each in (await page.review(tmax=150))["problems"]] == ["tmax"]


async def test_each_problem_is_told_with_its_setting(page: Page) -> None:
    found = await page.review(
        cmax=9, maxc="much", sisn=1.5, chem="lead", nothing=1, ioff=0.1, canf=True, dchc=True
    )
    problems = {each["key"]: each["message"] for each in found["problems"]}
    assert problems.keys() == {"cmax", "maxc", "sisn", "chem", "nothing", "ioff", "canf", "dchc"}
    assert "outside the limits of Cell overvoltage cut-off (CMAX)" in problems["cmax"]
    assert "Give a whole number" in problems["sisn"]
    assert "there is no entity for it, or it is disabled" in problems["ioff"]
    assert found["steps"] == []


async def test_no_number_that_is_infinite_or_nan_gets_through(page: Page) -> None:
    for value in ("nan", "inf", "-inf", "1e999"):
        found = await page.review(maxc=value)
        assert [each["key"] for each in found["problems"]] == ["maxc"], value


async def test_a_choice_outside_its_list_can_be_put_right(
    running: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    change(running, CANF=7)
    await running.reload()
    page = Page(running, await hass_ws_client(running.hass))
    found = await page.review(canf="500_kbit_s")
    assert found["steps"] == [{"key": "canf", "from": None, "to": "500_kbit_s"}]


async def test_what_contradicts_is_told_and_the_rest_is_still_listed(page: Page) -> None:
    found = await page.review(cmax=3.0, cmin=3.1, maxc=100)
    (problem,) = found["problems"]
    assert problem["key"] in ("cmax", "cmin")
    assert "it must be" in problem["message"]
    assert sorted(step["key"] for step in found["steps"]) == ["cmax", "cmin", "maxc"]


async def test_problems_are_told_in_the_language_of_home_assistant(
    rig: Rig, hass_ws_client: WebSocketGenerator
) -> None:
    rig.hass.config.language = "de"
    await rig.set_up()
    page = Page(rig, await hass_ws_client(rig.hass))
    (problem,) = (await page.review(maxc=9999))["problems"]
    assert "Maximaler Ladestrom je Wechselrichter (MAXC)" in problem["message"]
    assert "Grenzen" in problem["message"]
    assert problem["translation_key"] == "out_of_range"
    assert problem["translation_placeholders"]["value"] == "9999 A"


# -- What was kept ---------------------------------------------------------------------------------


async def test_the_page_hears_what_was_kept_and_of_what_comes(running: Rig, page: Page) -> None:
    await running.set_number("soch", 10)
    assert (await page.asks("kept"))["success"]
    newest, first = await page.hears()
    assert first["reason"] == "first"
    assert newest["changes"] == {"soch": {"old": 5.0, "new": 10.0, "unit": "%"}}
    await changed_elsewhere(running, MAXC=100)
    newest = (await page.hears())[0]
    assert newest["reason"] == "elsewhere"
    assert newest["changes"] == {"maxc": {"old": 150.0, "new": 100.0, "unit": "A"}}


async def test_the_page_hears_nothing_more_once_it_has_unsubscribed(
    running: Rig, page: Page
) -> None:
    subscribed = await page.asks("kept")
    await page.hears()
    await page.client.send_json_auto_id(
        {"type": "unsubscribe_events", "subscription": subscribed["id"]}
    )
    assert (await page.client.receive_json())["success"]
    await changed_elsewhere(running, MAXC=100)
    assert (await page.settings())["settings"]


async def test_the_page_hears_nothing_of_what_its_user_may_not_see(
    running: Rig,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    hass_read_only_user: MockUser,
) -> None:
    await changed_elsewhere(running, MAXC=100, CANF=1)
    hass_read_only_user.mock_policy({"entities": {"domains": {"select": True}}})
    page = Page(running, await hass_ws_client(running.hass, hass_read_only_access_token))
    await page.asks("kept")
    assert [list(each["changes"]) for each in await page.hears()] == [["canf"], [], []]


async def test_what_has_no_entity_is_told_in_the_unit_of_the_line(running: Rig, page: Page) -> None:
    await changed_elsewhere(running, IOFF=0.5, SOCH=0.1)
    await page.asks("kept")
    newest, before = (await page.hears())[:2]
    assert newest["changes"]["soch"] == {"old": 5, "new": 10, "unit": "%"}
    assert before["changes"]["ioff"] == {"old": 0, "new": 0.5, "unit": "A"}


async def test_a_bms_that_is_not_loaded_still_has_its_history(running: Rig, page: Page) -> None:
    await changed_elsewhere(running, SOCH=0.1)
    await running.hass.config_entries.async_unload(running.entry.entry_id)
    await page.asks("kept")
    newest = (await page.hears())[0]
    assert newest["changes"] == {"soch": {"old": 0.05, "new": 0.1, "unit": "fraction"}}


async def test_what_only_a_later_version_knows_is_left_out(running: Rig, page: Page) -> None:
    history = running.coordinator.snapshots.history
    for value in (1.0, 2.0):
        history.changed({"CLOX": value}, dt_util.utcnow(), Reason.ELSEWHERE)
    await page.asks("kept")
    newest, first = await page.hears()
    assert (newest["changes"], first["changes"]) == ({}, {})
    await changed_elsewhere(running, SOCH=0.1)
    assert list((await page.hears())[0]["changes"]) == ["soch"]


@pytest.mark.long
async def test_the_subscription_goes_on_over_a_reload(running: Rig, page: Page) -> None:
    await page.asks("kept")
    await page.hears()
    await running.reload()
    change(running, MAXC=100)
    await running.act("get_parameter", instruction="MAXC")
    while not (newest := (await page.hears())[0])["changes"]:
        pass
    assert "maxc" in newest["changes"]


# -- A bank ----------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_bank_has_no_settings_and_nothing_was_kept_of_it(
    hass: HomeAssistant, running: Rig, simulate: Simulate, hass_ws_client: WebSocketGenerator
) -> None:
    sim = simulate()
    other = Rig(hass, sim, entry_for(sim, title="Other"))
    await other.set_up()
    bank = await bank_of(hass, running, other)
    client = await hass_ws_client(hass)
    for message in ({"type": "rec_bms/settings"}, {"type": "rec_bms/kept"}):
        await client.send_json_auto_id({**message, "entry_id": bank.entry.entry_id})
        assert (await client.receive_json())["error"]["code"] == "not_found"
    for action in ("list_backups", "backup_settings"):
        with pytest.raises(ServiceValidationError) as refused:
            await hass.services.async_call(
                "rec_bms",
                action,
                {"config_entry_id": bank.entry.entry_id},
                blocking=True,
                return_response=True,
            )
        assert refused.value.translation_key == "is_bank"
