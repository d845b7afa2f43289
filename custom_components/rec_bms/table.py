"""What entities of single cells and temperature sensors have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, override

from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import EntityDescription

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity
from .protocol.state import Location, PerUnit, Quantity, State


def where(state: State, location: Location | None, number: str) -> dict[str, Any]:
    """Tell at which unit, by position, and which cell or sensor it is."""
    if location is None:
        return {"unit": None, number: None}
    unit = location.position or state.position(location.unit)
    return {"unit": unit, number: location.number}


@dataclass(frozen=True, kw_only=True)
class RecBmsTableDescription(EntityDescription):
    """An entity for each cell or temperature sensor of each unit."""

    table_fn: Callable[[State], PerUnit | None]
    quantity: Quantity
    placeholder: str
    only_plausible: bool = False
    """Leave out what has no value: some units answer for sensors that are not fitted."""


class RecBmsTableEntity(RecBmsEntity):
    """An entity of one cell, or of one of the battery's temperature sensors."""

    entity_description: RecBmsTableDescription

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: RecBmsTableDescription,
        unit: int,
        number: int,
    ) -> None:
        single = replace(description, key=f"{description.key}_{unit}_{number}")
        super().__init__(coordinator, single, frozenset({description.quantity}), unit=unit)
        self._attr_translation_placeholders = {description.placeholder: str(number)}
        self._unit = unit
        self._number = number

    @property
    @override
    def available(self) -> bool:
        """Whether the BMS tells of this cell or sensor at all."""
        table = self._table
        return super().available and table is not None and table.has(self._unit, self._number)

    @property
    def told(self) -> float | None:
        """What the BMS told of it."""
        table = self._table
        return None if table is None else table.get(self._unit, self._number)

    @property
    def _table(self) -> PerUnit | None:
        return self.entity_description.table_fn(self.coordinator.data.state)

    @override
    def _content(self) -> object:
        return self.told


class Tables:
    """The cells and sensors of one BMS that have, or may get, an entity."""

    def __init__(
        self, entry: RecBmsConfigEntry, descriptions: Sequence[RecBmsTableDescription]
    ) -> None:
        """Take the tables of one platform."""
        self._entry = entry
        self._descriptions = descriptions
        entry.runtime_data.hopes.append(self._hoped_for)

    def candidates(
        self,
        make: Callable[[RecBmsCoordinator, RecBmsTableDescription, int, int], RecBmsEntity],
    ) -> Iterable[Candidate]:
        """Yield an entity for each cell or sensor."""
        for each in self._descriptions:
            for unit, number in sorted(self._places(each)):
                yield Candidate(
                    f"{each.key}_{unit}_{number}",
                    frozenset({each.quantity}),
                    partial(make, self._entry.runtime_data, each, unit, number),
                    each.entity_registry_enabled_default,
                )

    @property
    def awaited(self) -> frozenset[str]:
        """The quantities that are to be asked for although no entity shows them."""
        return frozenset(each.quantity for each in self._descriptions if self._is_awaited(each))

    def _hoped_for(self) -> Iterable[str]:
        """Yield the tables of which not even one cell or sensor is known."""
        return (each.quantity for each in self._descriptions if not self._places(each))

    def _places(self, description: RecBmsTableDescription) -> set[tuple[int, int]]:
        """Return unit and number of each: those told of, else those known from before.

        What the BMS has no more is left out, and can be deleted: Home Assistant lets its owner
        delete what nobody provides.
        """
        if (table := description.table_fn(self._entry.runtime_data.data.state)) is None:
            return set(self._known_places(description))
        return {
            (unit, number)
            for unit, number, value in table
            if value is not None or not description.only_plausible
        }

    def _is_awaited(self, description: RecBmsTableDescription) -> bool:
        """Tell whether a table is to be asked for although none of its entities shows it.

        Those that read nothing sensible at the start, but may at any time, are not there to want
        it.
        """
        if description.table_fn(self._entry.runtime_data.data.state) is None:
            return False
        known = self._known_places(description)
        places = self._places(description)
        enabled = {place for place, is_enabled in known.items() if is_enabled}
        return not enabled <= places or not (known or places)

    def _known_places(self, description: RecBmsTableDescription) -> dict[tuple[int, int], bool]:
        """Return unit and number of each in the registry, and whether it is enabled."""
        entry_id = self._entry.entry_id
        place = re.compile(rf"{entry_id}_{description.key}_(\d+)_(\d+)")
        registry = er.async_get(self._entry.runtime_data.hass)
        places = {}
        for known in er.async_entries_for_config_entry(registry, entry_id):
            # Not every key that begins like a table's is a cell's: cell_voltage_delta.
            if found := place.fullmatch(known.unique_id):
                places[int(found[1]), int(found[2])] = not known.disabled
        return places
