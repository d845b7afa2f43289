"""What tests of kept settings do: ask what was kept, and change settings behind our back."""

from __future__ import annotations

from typing import Any

from homeassistant.helpers import issue_registry as ir

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.house import House


def file_of(house: House) -> str:
    """Return the name of the file with what was kept."""
    return f"rec_bms.settings.{house.entry.entry_id}"


def keep(storage: dict[str, Any], house: House, data: Any, version: int = 1) -> None:
    """Have something in that file before the entry is set up."""
    key = file_of(house)
    storage[key] = {"version": version, "minor_version": 1, "key": key, "data": data}


def forget(house: House) -> None:
    """Have Home Assistant forget what it has in memory, as by a restart; its files stay."""
    house.hass.data.pop("rec_bms_snapshots")


async def listed(house: House, **data: Any) -> list[dict[str, Any]]:
    """Return what was kept, newest first."""
    backups: list[dict[str, Any]] = (await house.act("list_backups", **data))["backups"]
    return backups


def change(house: House, **values: float) -> None:
    """Have another program change settings, which nobody has read yet."""
    for code, value in values.items():
        house.sim.call(house.bms.set_value, code, value)


async def changed_elsewhere(house: House, **values: float) -> None:
    """Have another program change settings, and read them."""
    change(house, **values)
    for code in values:
        await house.act("get_parameter", instruction=code)


def issue_of(house: House) -> ir.IssueEntry | None:
    """Return the issue about settings that were changed elsewhere."""
    registry = ir.async_get(house.hass)
    return registry.async_get_issue(DOMAIN, f"changed_{house.entry.entry_id}")
