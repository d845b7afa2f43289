"""What the entities that change a setting of the BMS have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import override

from homeassistant.const import EntityCategory
from homeassistant.core import Context
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers.entity import EntityDescription

from .const import DOMAIN
from .coordinator import RecBmsCoordinator
from .entity import RecBmsEntity
from .protocol.rs485.instructions import SETTABLE, Instruction


class AdministratorsOnlyError(Unauthorized):
    """A user who is no administrator wanted to change a limit."""

    def __init__(self, context: Context, entity_id: str) -> None:
        """Say who wanted to change which entity."""
        super().__init__(context=context, entity_id=entity_id)
        # The parent has a message of its own and leaves these empty.
        self.translation_domain = DOMAIN
        self.translation_key = "administrators_only"
        self.generate_message = True


def number_settings() -> Iterable[Instruction]:
    """Return the settings that are quantities."""
    return (row for row in SETTABLE if not row.choices)


def select_settings() -> Iterable[Instruction]:
    """Return the settings that are choices from a list."""
    return (row for row in SETTABLE if row.choices)


class RecBmsSettingEntity(RecBmsEntity):
    """Shows one setting as the BMS has it, and changes it."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(
        self,
        coordinator: RecBmsCoordinator,
        description: EntityDescription,
        instruction: Instruction,
    ) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, description, frozenset({instruction.code}))
        self.instruction = instruction

    @property
    def line_value(self) -> float | None:
        """The value that the BMS has, in the line's unit."""
        return self.coordinator.data.readings.number(self.instruction.code)

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
        await self.coordinator.async_set(self.instruction, line_value)

    @override
    def _content(self) -> object:
        return self.line_value
