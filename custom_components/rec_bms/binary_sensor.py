"""Binary sensors: is something wrong, is the battery being charged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .bank import BankConfigEntry, is_bank
from .bank_binary_sensor import BankCharging, BankProblem
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear
from .protocol.state import Quantity, State
from .table import RecBmsTableDescription, RecBmsTableEntity, Tables

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class RecBmsBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor: whether it is on, and the quantities that takes."""

    value_fn: Callable[[State], bool | None]
    required: frozenset[str]
    attributes_fn: Callable[[State], dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class RecBmsTableBinarySensorDescription(RecBmsTableDescription, BinarySensorEntityDescription):
    """A binary sensor for each cell of each unit."""


def _balancing(state: State) -> bool | None:
    """Tell whether any cell is being balanced; it is not known while one that may be is not."""
    cells = [balanced for _, _, balanced in state.balancing or ()]
    if any(cells):
        return True
    return None if not cells or None in cells else False


def _balanced_cells(state: State) -> dict[str, Any]:
    cells = state.balancing or ()
    return {"cells": [[unit, cell] for unit, cell, balanced in cells if balanced]}


PROBLEM = RecBmsBinarySensorDescription(
    key="problem",
    device_class=BinarySensorDeviceClass.PROBLEM,
    value_fn=lambda state: None if state.error is None else state.error.present,
    required=frozenset({Quantity.ERROR}),
)
BINARY_SENSORS = (
    PROBLEM,
    RecBmsBinarySensorDescription(
        key="balancing",
        translation_key="balancing",
        value_fn=_balancing,
        required=frozenset({Quantity.BALANCING}),
        attributes_fn=_balanced_cells,
    ),
)
TABLES = (
    RecBmsTableBinarySensorDescription(
        key="cell_balancing",
        translation_key="cell_balancing",
        entity_registry_enabled_default=False,
        quantity=Quantity.BALANCING,
        table_fn=lambda state: state.balancing,
        placeholder="cell",
    ),
)
CHARGING = BinarySensorEntityDescription(
    key="charging", device_class=BinarySensorDeviceClass.BATTERY_CHARGING
)
_CURRENT = frozenset({Quantity.CURRENT})


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry | BankConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors for what the BMS tells, or those of a bank."""
    if is_bank(entry):
        bank = entry.runtime_data
        async_add_entities([BankProblem(bank, PROBLEM), BankCharging(bank, CHARGING)])
        return
    coordinator = entry.runtime_data
    tables = Tables(entry, TABLES)

    def candidates() -> Iterable[Candidate]:
        for each in BINARY_SENSORS:
            make = partial(RecBmsBinarySensor, coordinator, each)
            yield Candidate(each.key, each.required, make, each.entity_registry_enabled_default)
        yield Candidate(CHARGING.key, _CURRENT, partial(RecBmsCharging, coordinator))
        yield from tables.candidates(RecBmsTableBinarySensor)

    await async_add_as_they_appear(
        entry, Platform.BINARY_SENSOR, candidates, async_add_entities, awaited=tables.awaited
    )


class RecBmsBinarySensor(RecBmsEntity, BinarySensorEntity):
    """Something that the BMS tells to be so or not."""

    entity_description: RecBmsBinarySensorDescription

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsBinarySensorDescription
    ) -> None:
        super().__init__(coordinator, description, description.required)

    @property
    @override
    def is_on(self) -> bool | None:
        """What the BMS told."""
        return self.entity_description.value_fn(self.coordinator.data.state)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Where it is so."""
        attributes_fn = self.entity_description.attributes_fn
        return None if attributes_fn is None else attributes_fn(self.coordinator.data.state)

    @override
    def _content(self) -> object:
        return self.is_on, self.extra_state_attributes


class RecBmsTableBinarySensor(RecBmsTableEntity, BinarySensorEntity):
    """Something that the BMS tells of one cell."""

    entity_description: RecBmsTableBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """What the BMS told."""
        return None if self.told is None else bool(self.told)


class RecBmsCharging(RecBmsEntity, BinarySensorEntity):
    """Whether current flows into the battery; what is next to nothing changes nothing."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        super().__init__(coordinator, CHARGING, _CURRENT)

    @property
    @override
    def is_on(self) -> bool | None:
        """What is made of the currents so far."""
        return self.coordinator.charging.is_on

    @override
    def _content(self) -> object:
        return self.is_on
