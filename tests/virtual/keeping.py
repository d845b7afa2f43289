"""What tests of kept settings do: ask what was kept, and change settings behind our back."""

from __future__ import annotations

from typing import Any

from homeassistant.helpers import issue_registry as ir

from custom_components.rec_bms import snapshots
from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig


def file_of(rig: Rig) -> str:
    """Return the name of the file with what was kept."""
    return f"rec_bms.settings.{rig.entry.entry_id}"


def keep(storage: dict[str, Any], rig: Rig, data: Any, version: int = 1) -> None:
    """Have something in that file before the entry is set up."""
    key = file_of(rig)
    storage[key] = {"version": version, "minor_version": 1, "key": key, "data": data}


def forget(rig: Rig) -> None:
    """Have Home Assistant forget what it has in memory, as by a restart; its files stay."""
    snapshots._of_all_entries(rig.hass).clear()


async def listed(rig: Rig, **data: Any) -> list[dict[str, Any]]:
    """Return what was kept, newest first."""
    backups: list[dict[str, Any]] = (await rig.act("list_backups", **data))["backups"]
    return backups


def change(rig: Rig, **values: float) -> None:
    """Have another program change settings, which nobody has read yet."""
    for code, value in values.items():
        rig.sim.call(rig.bms.set_value, code, value)


async def changed_elsewhere(rig: Rig, **values: float) -> None:
    """Have another program change settings, and read them."""
    change(rig, **values)
    for code in values:
        await rig.act("get_parameter", instruction=code)


def issue_of(rig: Rig) -> ir.IssueEntry | None:
    """Return the issue about settings that were changed elsewhere."""
    registry = ir.async_get(rig.hass)
    return registry.async_get_issue(DOMAIN, f"changed_{rig.entry.entry_id}")
