"""What the entities that change a setting of the BMS have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, override

from homeassistant.const import EntityCategory, Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_platforms,
)

from .const import DOMAIN
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, RecBmsEntity, async_add_as_they_appear


class AdministratorsOnlyError(Unauthorized):
    """A user who is no administrator wanted to change a limit."""

    def __init__(self, context: Context, entity_id: str) -> None:
        """Say who wanted to change which entity."""
        super().__init__(context=context, entity_id=entity_id)
        # The parent has a message of its own and leaves these empty.
        self.translation_domain = DOMAIN
        self.translation_key = "administrators_only"
        self.generate_message = True


class RecBmsSettingEntity(RecBmsEntity):
    """Shows one setting as the BMS has it, and changes it."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: RecBmsCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator, description, frozenset({description.key}))
        self.setting = coordinator.bms.settings[description.key]

    @property
    def line_value(self) -> float | None:
        """The value that the BMS has, in the line's unit."""
        return self.coordinator.data.state.settings.get(self.setting.key)

    @abstractmethod
    def to_line(self, shown: Any) -> float:
        """Return what is shown in the line's unit. Raises TypeError, ValueError or LookupError."""

    @abstractmethod
    def to_shown(self, line_value: float) -> float | str | None:
        """Return a value of the line as this entity shows it; None for an unknown choice."""

    async def async_change(self, line_value: float) -> None:
        """Set a value in the line's unit and show what was read back.

        Raises HomeAssistantError, translated; Unauthorized for users who are no administrators.
        """
        # Taken before anything is awaited: the next caller's context replaces it.
        context = self._context
        if context is not None and context.user_id is not None:
            user = await self.hass.auth.async_get_user(context.user_id)
            if user is None or not user.is_admin:
                raise AdministratorsOnlyError(context, self.entity_id)
        await self.coordinator.async_set(self.setting.key, line_value, context)

    @override
    def _content(self) -> object:
        return self.line_value


@callback
def setting_entities(
    hass: HomeAssistant, entry: RecBmsConfigEntry
) -> dict[str, RecBmsSettingEntity]:
    """Return an entry's entities that change settings, by key; those that are enabled."""
    return {
        entity.setting.key: entity
        for platform in async_get_platforms(hass, DOMAIN)
        if platform.config_entry is entry
        for entity in platform.entities.values()
        if isinstance(entity, RecBmsSettingEntity)
    }


async def async_add_settings(
    entry: RecBmsConfigEntry,
    platform: Platform,
    make: Callable[[RecBmsCoordinator, EntityDescription], RecBmsSettingEntity],
    descriptions: Iterable[EntityDescription],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each setting that this BMS has."""
    coordinator = entry.runtime_data
    offered = [each for each in descriptions if each.key in coordinator.bms.settings]

    def candidates() -> Iterable[Candidate]:
        for each in offered:
            yield Candidate(
                each.key,
                frozenset({each.key}),
                partial(make, coordinator, each),
                each.entity_registry_enabled_default,
            )

    await async_add_as_they_appear(entry, platform, candidates, async_add_entities)
