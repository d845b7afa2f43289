"""What tests of battery health do: have something be found without the months that takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from homeassistant.helpers import issue_registry as ir

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.house import House

AT = 1_790_000_000.0
"""A Unix time in 2026."""


def file_of(house: House) -> str:
    """Return the name of the file with what was found."""
    return f"rec_bms.health.{house.entry.entry_id}"


def keep(storage: dict[str, Any], house: House, data: Any, version: int = 1) -> None:
    """Have something in that file before the entry is set up."""
    key = file_of(house)
    storage[key] = {"version": version, "minor_version": 1, "key": key, "data": data}


def have_found(house: House, part: str, **found: Any) -> None:
    """Have a part of what follows the battery have found something, and go on with that."""
    health = house.coordinator.health
    real = getattr(health, part)
    shown = {name: getattr(real, name) for name in dir(real) if not name.startswith("_")}
    still = {"add": lambda *_: None, "as_dict": dict}
    setattr(health, part, SimpleNamespace(**{**shown, **still, **found}))


def issue_of(house: House, what: str) -> ir.IssueEntry | None:
    """Return an issue about the health of a house's battery: drift, loose …, capacity."""
    kind, _, place = what.partition(" ")
    issue_id = "_".join(filter(None, (kind, house.entry.entry_id, place)))
    issue = ir.async_get(house.hass).async_get_issue(DOMAIN, issue_id)
    return issue if issue is not None and issue.active else None
