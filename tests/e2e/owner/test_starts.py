"""Home Assistant goes down, in order or with the power, and comes up while there is trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.testkit.installed import until

if TYPE_CHECKING:
    from tests.e2e.owner.conftest import Owner

FLAT = "Cell voltage too low"


async def goes_down(owner: Owner, *, with_the_power: bool) -> None:
    if not with_the_power:
        await owner.home_assistant.stop()
        return
    process = owner.home_assistant.process
    assert process is not None
    process.kill()
    await process.wait()


async def comes_up(owner: Owner) -> None:
    await owner.home_assistant.start()
    await until(owner.is_loaded, within=60)


async def test_a_flat_battery_that_took_home_assistant_down_is_told_exactly_once(
    owner: Owner,
) -> None:
    bms = await owner.device_id()
    async with owner.automation("error_notification", bms=bms):
        try:
            await goes_down(owner, with_the_power=False)
            await owner.bms.command("raise_error", number=2, unit=1, location=4)
            await comes_up(owner)
            assert "Connect the charger soon" in await owner.is_told(FLAT, within=30)
            before = float(await owner.value("energy_discharged"))

            await goes_down(owner, with_the_power=True)
            await comes_up(owner)
            # Notifications do not outlive Home Assistant. What is told next comes after what would
            # have been told again.
            await owner.bms.command("clear_error")
            await owner.is_told(f"Gone: {FLAT}", within=30)
            assert set(await owner.notifications()) == {f"Gone: {FLAT}"}
            assert float(await owner.value("energy_discharged")) >= before - 0.01
        finally:
            await owner.bms.command("clear_error")
    await owner.dismiss_all()
