"""Each blueprint is imported, an automation is made from it, and what it does is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.owner.conftest import Owner


async def test_every_blueprint_can_be_imported_and_is_listed(owner: Owner) -> None:
    from tests.e2e.owner.conftest import BLUEPRINTS, IMPORTED

    names = {file.stem for file in BLUEPRINTS.glob("*.yaml")}
    assert len(names) == 5
    for name in names:
        await owner.import_blueprint(name)
    listed = await owner.client.command("blueprint/list", domain="automation")
    for name in names:
        about = listed[f"{IMPORTED}/{name}.yaml"]
        assert "error" not in about
        assert about["metadata"]["name"].startswith("REC BMS: ")


async def test_an_error_is_told_with_advice_and_so_is_its_end(owner: Owner) -> None:
    await owner.dismiss_all()
    bms = await owner.device_id()
    async with owner.automation("error_notification", bms=bms):
        await owner.bms.command("raise_error", number=4, unit=1, location=2)
        message = await owner.is_told("Cell temperature too high")
        assert "(error 4, unit 1, cell or sensor 2)" in message
        assert "Wait until the pack has cooled" in message

        await owner.bms.command("raise_error", number=11, unit=1, location=1)
        assert "Switch off chargers and loads" in await owner.is_told("Contactor fault")
        await owner.is_told("Gone: Cell temperature too high")

        await owner.bms.command("raise_error", number=42)
        assert "Look it up in the manual" in await owner.is_told("Error 42")

        await owner.bms.command("clear_error")
        await owner.is_told("Gone: Error 42")
        assert len(await owner.notifications()) == 6


async def test_a_cell_that_comes_near_a_limit_of_its_bms_is_told(owner: Owner) -> None:
    await owner.dismiss_all()
    inputs = {
        "bms": await owner.device_id(),
        "low_margin": 100,
        "high_margin": 200,
        "spread": await owner.entity_id("cell_voltage_delta"),
        "spread_limit": 0.03,
        "lasting": {"seconds": 1},
    }
    async with owner.automation("cell_warning", **inputs):
        for offset, title, advice in (
            (-0.6, "A cell is low", " has 3.36"),
            (0.025, "A cell is high", " has 3.99"),
        ):
            await owner.bms.command("cell", unit=1, cell=5, offset=offset)
            message = await owner.is_told(title)
            assert message.startswith("Cell 5 of unit 1 of ")
            assert advice in message
            assert "V apart" in await owner.is_told("The cells drift apart")
            await owner.bms.command("cell", unit=1, cell=5, offset=0)
            await owner.shows("cell_voltage_delta", "0.009")
            await owner.dismiss_all()


async def test_a_link_that_is_lost_is_told_and_so_is_its_return(owner: Owner) -> None:
    await owner.dismiss_all()
    inputs = {
        "state_of_charge": await owner.entity_id("state_of_charge"),
        "lasting": {"seconds": 1},
    }
    async with owner.automation("link_lost", **inputs):
        await owner.bms.command("silent", value=True)
        try:
            message = await owner.is_told("The BMS is not heard", within=30)
        finally:
            await owner.bms.command("silent", value=False)
        assert "goes on protecting the battery" in message
        await owner.is_told("The BMS is heard again", within=30)
    await owner.have_values(within=30)


async def test_when_it_gets_cold_the_charge_current_of_the_bms_is_lowered(owner: Owner) -> None:
    async def maximum() -> float:
        settings = (await owner.bms.command("settings"))["settings"]
        value: float = settings["MAXC"]
        return value

    async def temperature(celsius: float | None) -> None:
        for sensor in (1, 2):
            await owner.bms.command("sensor", unit=1, sensor=sensor, celsius=celsius)

    assert await maximum() == 150
    inputs = {
        "temperature": await owner.entity_id("max_temperature"),
        "charge_current": await owner.entity_id("maxc"),
        "cold_current": 20,
        "warm_current": 120,
    }
    try:
        async with owner.automation("charge_gently_when_cold", **inputs):
            for celsius, amperes in ((4, 20), (14, 120), (10, 120), (7.5, 20), (11, 20)):
                await temperature(celsius)
                await owner.shows("max_temperature", str(float(celsius)))
                await owner.shows("maxc", str(float(amperes)))
                assert await maximum() == pytest.approx(amperes)
    finally:
        await temperature(None)
        await owner.bms.command("clear_error")
        await owner.bms.command("set", instruction="MAXC", value=150)
