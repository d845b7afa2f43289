"""Selects: the settings of the BMS that are a choice from a list."""

from __future__ import annotations

from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .setting import RecBmsSettingEntity, async_add_settings

# See number.py.
PARALLEL_UPDATES = 0

SELECTS = (
    SelectEntityDescription(key="chem", translation_key="chem"),
    SelectEntityDescription(key="canf", translation_key="canf"),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a select for each choice that this BMS lets be made."""
    await async_add_settings(entry, Platform.SELECT, RecBmsSelect, SELECTS, async_add_entities)


class RecBmsSelect(RecBmsSettingEntity, SelectEntity):
    """A choice; a number outside its list shows as unknown."""

    def __init__(self, coordinator: RecBmsCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator, description)
        self._attr_options = list(self.setting.choices.values())
        self._numbers = {option: number for number, option in self.setting.choices.items()}

    @property
    @override
    def current_option(self) -> str | None:
        """The choice that the BMS has."""
        value = self.line_value
        return None if value is None else self.to_shown(value)

    @override
    async def async_select_option(self, option: str) -> None:
        """Make a choice and show what was read back."""
        await self.async_change(self.to_line(option))

    @override
    def to_line(self, shown: Any) -> float:
        """Return the number of a choice."""
        return self._numbers[shown]

    @override
    def to_shown(self, line_value: float) -> str | None:
        """Return the choice of a number."""
        return self.setting.choices.get(int(line_value))
