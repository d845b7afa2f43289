"""The dialog that adds the integration, over Home Assistant's own HTTP API."""

from pathlib import Path

from tools.testkit.flow import FLOWS, answer, begin, scanned
from tools.testkit.home_assistant import HomeAssistant
from tools.testkit.simulated import running_simulator

AUTOMATIC = {"baudrate": "automatic"}


async def test_the_search_shows_progress_and_then_confirms_what_was_found(
    home_assistant: HomeAssistant, tmp_path: Path
) -> None:
    client = home_assistant.client
    battery = ("--address", "2", "--units", "2", "--cells", "12", "--scenario", "rest")
    async with running_simulator(tmp_path, "--baud", "38400", *battery) as bms:
        step = await begin(client)
        assert (step["type"], step["step_id"]) == ("form", "serial")

        step = await answer(client, step, {"port": bms.port, "more_options": AUTOMATIC})
        assert (step["type"], step["progress_action"]) == ("progress", "scan")
        assert step["description_placeholders"] == {"port": bms.port}

        fractions: list[float] = []
        step = await scanned(client, step, fractions.append)
        assert len(set(fractions)) > 5
        assert all(0 <= fraction <= 1 for fraction in fractions)

        assert (step["type"], step["step_id"]) == ("form", "confirm")
        assert step["description_placeholders"] == {
            "model": "REC BMS 1Q VICTRON",
            "address": "2",
            "baudrate": "38400",
            "units": "2",
            "cells": "12 + 12",
        }
        await client.delete(f"{FLOWS}/{step['flow_id']}")


async def test_a_port_that_cannot_be_opened_is_said_with_the_reason(
    home_assistant: HomeAssistant,
) -> None:
    client = home_assistant.client
    step = await begin(client)
    step = await answer(client, step, {"port": "/dev/nosuch", "more_options": AUTOMATIC})
    step = await scanned(client, step)
    assert (step["type"], step["step_id"]) == ("form", "serial")
    assert step["errors"] == {"base": "cannot_open"}
    assert "/dev/nosuch" in step["description_placeholders"]["reason"]
    await client.delete(f"{FLOWS}/{step['flow_id']}")


async def test_the_dialog_shows_the_integrations_own_images(
    home_assistant: HomeAssistant,
) -> None:
    brand = Path(__file__).parents[2] / "custom_components" / "rec_bms" / "brand"
    for image in brand.glob("*.png"):
        served = await home_assistant.client.request(
            "GET", f"/api/brands/integration/rec_bms/{image.name}"
        )
        assert served == image.read_bytes(), image.name
