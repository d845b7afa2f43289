"""Assist in a real Home Assistant, asked over its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import LiveRig


async def test_how_full_is_the_battery_is_answered(rig: LiveRig) -> None:
    await rig.have_values()
    agent = "conversation.scripted_agent"
    question = {"text": "How full is the battery?", "agent_id": agent, "language": "en"}
    answer = await rig.client.post("/api/conversation/process", question)
    said = answer["response"]["speech"]["plain"]["speech"]
    charge = float(await rig.value("state_of_charge"))
    assert said == f"{rig.added.title} is at {charge:.1f} %."
