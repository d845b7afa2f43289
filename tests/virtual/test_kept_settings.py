"""What a BMS's settings were is kept, told, compared and put back."""

from __future__ import annotations

from typing import Any

from homeassistant.core import Context
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.rec_bms.history import Reason
from tests.virtual.house import House


def file_of(house: House) -> str:
    return f"rec_bms.settings.{house.entry.entry_id}"


async def listed(house: House) -> list[dict[str, Any]]:
    """Return what was kept, newest first."""
    backups: list[dict[str, Any]] = (await house.act("list_backups"))["backups"]
    return backups


async def changed_elsewhere(house: House, code: str, value: float) -> None:
    """Have another program change a setting, which is then read."""
    house.sim.call(house.bms.set_value, code, value)
    await house.act("get_parameter", instruction=code)


async def test_the_first_reading_is_kept_and_nothing_has_changed(running: House) -> None:
    (first,) = await listed(running)
    assert first["reason"] == Reason.FIRST
    assert first["changes"] == {}
    assert first["user"] is first["name"] is None


async def test_what_was_set_is_kept_with_who_did_it(
    running: House, hass_admin_user: MockUser
) -> None:
    before = running.number("cmax")
    await running.set_number("cmax", 4.17, Context(user_id=hass_admin_user.id))
    newest, first = await listed(running)
    assert first["reason"] == Reason.FIRST
    assert newest["reason"] == Reason.HOME_ASSISTANT
    assert newest["user"] == hass_admin_user.name
    assert newest["changes"] == {"CMAX": [before, 4.17]}


async def test_what_another_program_set_is_kept_as_changed_elsewhere(running: House) -> None:
    before = running.number("cmax")
    await changed_elsewhere(running, "CMAX", 4.17)
    newest = (await listed(running))[0]
    assert newest["reason"] == Reason.ELSEWHERE
    assert newest["user"] is None
    assert newest["changes"] == {"CMAX": [before, 4.17]}


async def test_a_backup_is_compared_and_restored(running: House) -> None:
    backup = await running.act("backup_settings", name="before the visit")
    before = backup["values"]["CMAX"]
    await changed_elsewhere(running, "CMAX", 4.17)
    told = await running.act("compare_settings", backup="before the visit")
    assert told == {
        "differences": {
            "CMAX": {
                "name": "Cell overvoltage cut-off",
                "unit": "V",
                "backup": before,
                "current": 4.17,
            }
        },
        "missing": [],
    }
    results = (await running.act("restore_settings", backup=backup))["results"]
    assert results == {"CMAX": {"previous": 4.17, "set": before, "get": before, "success": True}}
    assert running.number("cmax") == before
    assert (await running.act("restore_settings", backup="before the visit"))["results"] == {}
