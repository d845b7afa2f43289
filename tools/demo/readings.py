"""What the user sees of the integration: names, states and units, as the web page has them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, groupby
from typing import Any

from tools.testkit.api import Api, WebSocket
from tools.testkit.flow import DOMAIN

UNAVAILABLE = "unavailable"
UNKNOWN = "unknown"

_FOUND_IN_WEEKS = (
    *("last_full_charge", "charge_since_full", "state_of_charge_correction"),
    *("measured_capacity", "measured_health"),
    *("cell_spread_rest", "cell_spread_top", "most_drifting_cell"),
)
"""Of battery health, what takes a full charge or weeks of rests: a demo may not wait for it."""
_MAY_BE_UNKNOWN = ("time_to_full", "time_to_empty", *_FOUND_IN_WEEKS)
_STATUS = ("error", "state_of_charge", "voltage", "current", "power", "cell_voltage_delta")
_SECTIONS = {None: "Readings", "diagnostic": "Diagnostic", "config": "Settings"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One enabled entity: its state as Home Assistant has it, None where it has none, and as shown.

    `key` is the part of its unique_id behind the entry's id.
    """

    entity_id: str
    key: str
    device: str
    name: str
    section: str
    state: str | None
    shown: str

    @property
    def has_value(self) -> bool:
        """Whether it shows something, or shows nothing because there is nothing to show."""
        if self.state == UNKNOWN:
            is_event = self.entity_id.startswith("event.")
            return is_event or self.key in _MAY_BE_UNKNOWN
        return self.state not in (None, UNAVAILABLE)


class Readings:
    """Reads what an entry's enabled entities show."""

    def __init__(self, client: Api, entry_id: str) -> None:
        """Nothing is read yet."""
        self._client = client
        self._entry_id = entry_id
        self._words: dict[str, str] = {}

    async def read(self) -> list[Shown]:
        """Return the enabled entities in the order in which they are to be shown."""
        async with self._client.websocket() as socket:
            registry = await socket.command("config/entity_registry/list")
            display = await socket.command("config/entity_registry/list_for_display")
            devices = await socket.command("config/device_registry/list")
            states = {state["entity_id"]: state for state in await socket.command("get_states")}
            if not self._words:
                self._words = await _words(socket)
        precisions = {entity["ei"]: entity.get("dp") for entity in display["entities"]}
        device_names = {
            device["id"]: device["name_by_user"] or device["name"] for device in devices
        }
        entities = [
            Shown(
                entity_id=entity["entity_id"],
                key=entity["unique_id"].removeprefix(f"{self._entry_id}_"),
                device=device_names.get(entity["device_id"], ""),
                name=entity["name"] or entity["original_name"] or "",
                section=_SECTIONS[entity["entity_category"]],
                state=state["state"] if state else None,
                shown=_shown(entity, state, precisions.get(entity["entity_id"]), self._words),
            )
            for entity in registry
            if entity["config_entry_id"] == self._entry_id and entity["disabled_by"] is None
            for state in (states.get(entity["entity_id"]),)
        ]
        sections = list(_SECTIONS.values())
        return sorted(entities, key=lambda each: (each.device, sections.index(each.section)))


async def _words(socket: WebSocket) -> dict[str, str]:
    """Return Home Assistant's and the integration's words for states."""
    words: dict[str, str] = {}
    for category in ("entity", "entity_component"):
        answer = await socket.command("frontend/get_translations", language="en", category=category)
        words |= answer["resources"]
    return words


def table(entities: Sequence[Shown], width: int) -> Iterator[str]:
    """Yield the lines of a table no wider than `width` characters, where names allow it."""
    for (device, section), members in groupby(entities, lambda each: (each.device, each.section)):
        rows = [(each.name, each.shown) for each in members]
        names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
        columns = max(1, min(len(rows), (width + 2) // (names + values + 6)))
        height = math.ceil(len(rows) / columns)
        yield f"{device}: {section}"
        stacks = list(batched(rows, height, strict=False))
        for line in range(height):
            cells = [stack[line] for stack in stacks if line < len(stack)]
            yield "".join(
                f"  {name:<{names}}  {value:>{values}}  " for name, value in cells
            ).rstrip()
        yield ""


def status(entities: Sequence[Shown]) -> str:
    """Return what matters most, on one line."""
    by_key = {each.key: each for each in entities}
    chosen = [by_key[key] for key in _STATUS if key in by_key]
    return "   ".join(f"{each.name} {each.shown}" for each in chosen)


def _shown(
    entity: dict[str, Any],
    state: dict[str, Any] | None,
    precision: int | None,
    words: dict[str, str],
) -> str:
    """Return a state as the web page shows it: rounded, translated, with its unit."""
    if state is None:
        return "no state"
    text = str(state["state"])
    domain = entity["entity_id"].partition(".")[0]
    attributes = state["attributes"]
    for key in (
        f"component.{DOMAIN}.entity.{domain}.{entity['translation_key']}.state.{text}",
        f"component.{domain}.entity_component.{attributes.get('device_class')}.state.{text}",
        f"component.{domain}.entity_component._.state.{text}",
    ):
        if key in words:
            return words[key]
    unit = attributes.get("unit_of_measurement")
    if precision is not None and text not in (UNKNOWN, UNAVAILABLE):
        text = f"{float(text):.{precision}f}"
    return f"{text} {unit}" if unit and text not in (UNKNOWN, UNAVAILABLE) else text
