"""What tests of battery health do: have something be found without the months that takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from homeassistant.helpers import issue_registry as ir

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig

AT = 1_790_000_000.0
"""A Unix time in 2026."""


def file_of(rig: Rig) -> str:
    """Return the name of the file with what was found."""
    return f"rec_bms.health.{rig.entry.entry_id}"


def keep(storage: dict[str, Any], rig: Rig, data: Any, version: int = 1) -> None:
    """Have something in that file before the entry is set up."""
    key = file_of(rig)
    storage[key] = {"version": version, "minor_version": 1, "key": key, "data": data}


def have_found(rig: Rig, part: str, **found: Any) -> None:
    """Have a part of what follows the battery have found something, and go on with that."""
    health = rig.coordinator.health
    real = getattr(health, part)
    shown = {name: getattr(real, name) for name in dir(real) if not name.startswith("_")}
    still = {"add": lambda *_: None, "as_dict": dict}
    setattr(health, part, SimpleNamespace(**{**shown, **still, **found}))


def issue_of(rig: Rig, what: str) -> ir.IssueEntry | None:
    """Return an issue about the health of a rig's battery: drift, loose …, capacity."""
    kind, _, place = what.partition(" ")
    issue_id = "_".join(filter(None, (kind, rig.entry.entry_id, place)))
    issue = ir.async_get(rig.hass).async_get_issue(DOMAIN, issue_id)
    return issue if issue is not None and issue.active else None
