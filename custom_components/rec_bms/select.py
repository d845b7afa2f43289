"""Selects: the settings of the BMS that are choices from a list."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, async_add_as_they_appear
from .protocol.rs485.instructions import Instruction
from .setting import RecBmsSettingEntity, select_settings

# See number.py.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a select for each choice that this BMS lets be made."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        for row in select_settings():
            make = partial(RecBmsSelect, coordinator, row)
            yield Candidate(str(row.key), frozenset({row.code}), make, row.enabled)

    await async_add_as_they_appear(entry, Platform.SELECT, candidates, async_add_entities)


class RecBmsSelect(RecBmsSettingEntity, SelectEntity):
    """A choice; a number outside its list shows as unknown."""

    def __init__(self, coordinator: RecBmsCoordinator, instruction: Instruction) -> None:
        """Take the choices from the table of instructions."""
        description = SelectEntityDescription(
            key=str(instruction.key),
            translation_key=instruction.key,
            options=list(instruction.choices.values()),
            entity_registry_enabled_default=instruction.enabled,
        )
        super().__init__(coordinator, description, instruction)
        self._numbers = {option: number for number, option in instruction.choices.items()}

    @property
    @override
    def current_option(self) -> str | None:
        """The choice that the BMS has."""
        value = self.line_value
        return None if value is None else self.instruction.choices.get(int(value))

    @override
    async def async_select_option(self, option: str) -> None:
        """Make a choice and show what was read back."""
        await self.async_change(self._numbers[option])
