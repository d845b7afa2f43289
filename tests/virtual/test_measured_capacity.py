"""The repair that offers to set CAPA to the capacity that was measured."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.protocol.health.measured import Measured
from tests.virtual.conftest import Simulate
from tests.virtual.findings import AT, have_found, issue_of
from tests.virtual.keeping import listed
from tests.virtual.repair import Repair
from tests.virtual.rig import Rig, entry_for

CAPA = 450.0
MEASURED = Measured(capacity=412.34, uncertainty=6.2, start=1.0, end=0.18, at=AT)


@pytest.fixture
async def rig(hass_storage: dict[str, Any], hass: HomeAssistant, rig: Rig) -> Rig:
    """A rig whose files are in memory, with repairs."""
    assert await async_setup_component(hass, REPAIRS, {})
    return rig


async def measure(rig: Rig, measured: Measured | None = MEASURED) -> None:
    have_found(rig, "capacity", measured=measured)
    await rig.poll()


async def opened(rig: Rig) -> Repair:
    """Open the dialog of the issue."""
    repair = await Repair(rig, "capacity").open()
    assert (repair.result["type"], repair.result["step_id"]) == (FlowResultType.FORM, "confirm")
    return repair


# -- When it is offered ----------------------------------------------------------------------------


async def test_it_is_offered_where_measured_and_set_differ_by_more_than_is_uncertain(
    running: Rig,
) -> None:
    for capacity, offered in ((444.0, False), (443.7, True), (456.1, False), (456.3, True)):
        await measure(running, Measured(capacity, 6.2, 1.0, 0.18, AT))
        assert (issue_of(running, "capacity") is not None) == offered


@pytest.mark.long
async def test_without_a_measurement_nothing_is_offered(running: Rig) -> None:
    await measure(running, None)
    assert issue_of(running, "capacity") is None


async def test_where_changes_are_forbidden_nothing_is_offered(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate()
    rig = Rig(hass, sim, entry_for(sim, allow_changes=False))
    await rig.set_up()
    await measure(rig)
    assert issue_of(rig, "capacity") is None


async def test_while_the_capacity_that_is_set_is_not_known_nothing_is_offered(
    running: Rig,
) -> None:
    running.bms.settings["CAPA"] = 90_000
    await running.reload()
    await measure(running)
    assert issue_of(running, "capacity") is None


# -- The dialog ------------------------------------------------------------------------------------


async def test_the_dialog_says_what_was_measured_and_what_is_set(running: Rig) -> None:
    await measure(running)
    repair = await opened(running)
    assert repair.result["description_placeholders"] == {
        "title": running.entry.title,
        "measured": "412.3",
        "uncertainty": "6.2",
        "start": "100",
        "end": "18",
        "time": "2026-09-21",
        "present": "450",
    }


async def test_the_capacity_is_set_and_verified_and_the_issue_is_gone(running: Rig) -> None:
    await measure(running)
    repair = await opened(running)
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert running.bms.settings["CAPA"] == pytest.approx(412.3)
    assert running.number("capa") == 412.3
    assert issue_of(running, "capacity") is None
    await running.poll()
    assert issue_of(running, "capacity") is None


async def test_a_dialog_that_is_closed_halfway_has_changed_nothing(running: Rig) -> None:
    await measure(running)
    running.sim.log.clear()
    repair = await opened(running)
    repair.close()
    await running.poll()
    assert not running.sim.log.sets
    assert issue_of(running, "capacity") is not None


async def test_what_the_bms_refuses_is_told_and_can_be_tried_again(running: Rig) -> None:
    await measure(running)
    repair = await opened(running)
    running.sim.faults.next("set_refused")
    await repair.submit()
    assert (repair.result["type"], repair.result["step_id"]) == (FlowResultType.FORM, "failed")
    assert "refused 412.3 Ah" in repair.result["description_placeholders"]["reason"]
    assert running.number("capa") == CAPA
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY
    assert running.number("capa") == 412.3


async def test_while_the_bms_is_silent_nothing_is_set(short_silence: None, running: Rig) -> None:
    await measure(running)
    repair = await opened(running)
    running.bms.silent = True
    await repair.submit()
    assert "did not answer" in repair.result["description_placeholders"]["reason"]
    running.bms.silent = False
    await repair.submit()
    assert repair.result["type"] is FlowResultType.CREATE_ENTRY


async def test_while_the_entry_is_not_loaded_nothing_is_set(running: Rig) -> None:
    await measure(running)
    repair = await opened(running)
    await running.unload()
    await repair.submit()
    assert "is not there" in repair.result["description_placeholders"]["reason"]
    assert running.bms.settings["CAPA"] == CAPA


@pytest.mark.parametrize(
    "measured",
    [Measured(420.0, 4.0, 1.0, 0.1, AT + 86_400), Measured(449.0, 4.0, 1.0, 0.1, AT), None],
)
async def test_a_dialog_sets_nothing_but_what_it_has_shown(
    running: Rig, measured: Measured | None
) -> None:
    await measure(running)
    repair = await opened(running)
    await measure(running, measured)
    running.sim.log.clear()
    await repair.submit()
    assert (repair.result["type"], repair.result["reason"]) == (
        FlowResultType.ABORT,
        "measured_anew",
    )
    assert not running.sim.log.sets


async def test_a_capacity_that_was_set_elsewhere_meanwhile_is_not_written_over(
    running: Rig,
) -> None:
    await measure(running)
    repair = await opened(running)
    await running.set_number("capa", 430)
    running.sim.log.clear()
    await repair.submit()
    assert repair.result["reason"] == "measured_anew"
    assert not running.sim.log.sets


async def test_a_capacity_beyond_what_the_bms_takes_is_refused_before_anything_is_sent(
    running: Rig,
) -> None:
    await measure(running, Measured(7000.0, 10.0, 1.0, 0.18, AT))
    repair = await opened(running)
    running.sim.log.clear()
    await repair.submit()
    assert "CAPA" in repair.result["description_placeholders"]["reason"]
    assert not running.sim.log.sets


async def test_only_administrators_may_and_who_did_it_is_kept(
    running: Rig,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    await measure(running)
    data = {"handler": DOMAIN, "issue_id": f"capacity_{running.entry.entry_id}"}
    guest = await hass_client(hass_read_only_access_token)
    answer = await guest.post("/api/repairs/issues/fix", json=data)
    assert answer.status == HTTPStatus.UNAUTHORIZED
    client = await hass_client()
    opened = await (await client.post("/api/repairs/issues/fix", json=data)).json()
    flow = f"/api/repairs/issues/fix/{opened['flow_id']}"
    assert (await guest.post(flow, json={})).status == HTTPStatus.UNAUTHORIZED
    ended = await (await client.post(flow, json={})).json()
    assert ended["type"] == "create_entry"
    newest = (await listed(running))[0]
    assert (newest["reason"], newest["user"]) == ("home_assistant", hass_admin_user.name)
