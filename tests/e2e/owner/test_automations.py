"""Triggers and conditions as the page for automations has them: described, named, and used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from custom_components.rec_bms.condition import CONDITIONS
from custom_components.rec_bms.trigger import TRIGGERS
from tools.testkit.installed import until

if TYPE_CHECKING:
    from tests.e2e.owner.conftest import Owner

KINDS = [("trigger", TRIGGERS), ("condition", CONDITIONS)]
NO_TIME = {"hours": 0, "minutes": 0, "seconds": 0}
NUMBER = "1764324000000"
"""The automation's id, as the page makes one of the time."""


@pytest.mark.parametrize(("kind", "in_code"), KINDS, ids=["triggers", "conditions"])
async def test_the_page_is_told_of_all_with_targets_and_fields(
    owner: Owner, kind: str, in_code: dict[str, Any]
) -> None:
    async with owner.client.websocket() as socket:
        await socket.command(f"{kind}_platforms/subscribe")
        described: dict[str, Any] = {}
        while not {f"rec_bms.{key}" for key in in_code} <= described.keys():
            event = await socket.event(10)
            assert event is not None, described.keys()
            described |= event
    for key in in_code:
        (entity,) = described[f"rec_bms.{key}"]["target"]["entity"]
        assert entity["integration"] in ("rec_bms", ["rec_bms"])


@pytest.mark.parametrize(("kind", "in_code"), KINDS, ids=["triggers", "conditions"])
@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "it", "nl", "sl"])
async def test_the_page_has_names_and_icons_for_all(
    owner: Owner, kind: str, in_code: dict[str, Any], language: str
) -> None:
    answer = await owner.client.command(
        "frontend/get_translations",
        language=language,
        category=f"{kind}s",
        integration=["rec_bms"],
    )
    icons = await owner.client.command(
        "frontend/get_icons", category=f"{kind}s", integration="rec_bms"
    )
    for key in in_code:
        assert answer["resources"][f"component.rec_bms.{kind}s.{key}.name"]
        assert icons["resources"]["rec_bms"][key][kind].startswith("mdi:")


def automation(target: dict[str, Any]) -> dict[str, Any]:
    """Return an automation as the page sends it."""
    return {
        "alias": "From the page",
        "triggers": [
            {"trigger": "rec_bms.error_appeared", "target": target},
            {
                "trigger": "rec_bms.cell_near_cut_off",
                "target": target,
                "options": {"margin": 200, "end": "either", "for": NO_TIME},
            },
        ],
        "conditions": [
            {"condition": "rec_bms.error_present", "target": target, "options": {}},
            {
                "condition": "rec_bms.headroom",
                "target": target,
                "options": {"end": "high", "above": 100, "behavior": "all"},
            },
            {
                "condition": "rec_bms.data_fresh",
                "target": target,
                "options": {"within": {"hours": 0, "minutes": 1, "seconds": 0}},
            },
        ],
        "actions": [
            {
                "action": "persistent_notification.create",
                "data": {"notification_id": "page", "message": "{{ trigger.title }}"},
            }
        ],
        "mode": "single",
    }


@pytest.mark.parametrize("way", ["device_id", "entity_id"])
async def test_an_automation_that_was_made_on_the_page_runs(owner: Owner, way: str) -> None:
    target = await (owner.device_id() if way == "device_id" else owner.entity_id("voltage"))
    path = f"/api/config/automation/config/{NUMBER}"
    await owner.client.post(path, automation({way: [target]}))

    async def is_told() -> bool:
        notes = await owner.client.command("persistent_notification/get")
        return "page" in {note["notification_id"] for note in notes}

    async def runs() -> bool:
        states = await owner.client.get("/api/states")
        return ("automation.from_the_page", "on") in {
            (state["entity_id"], state["state"]) for state in states
        }

    try:
        await until(runs)
        assert not await is_told()
        await owner.bms.command("raise_error", number=4, unit=1, location=2)
        await until(is_told)
    finally:
        await owner.bms.command("clear_error")
        await owner.shows("problem", "off")
        await owner.client.delete(path)
        await owner.client.act("persistent_notification.dismiss", notification_id="page")
