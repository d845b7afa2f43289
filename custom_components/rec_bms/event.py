"""Event: an error appears, an error is gone."""

from __future__ import annotations

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import RecBmsEntity
from .protocol.models import ErrorState

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

APPEARED = "appeared"
CLEARED = "cleared"

DESCRIPTION = EventEntityDescription(
    key="error_event", translation_key="error_event", event_types=[APPEARED, CLEARED]
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event, which every BMS can have."""
    async_add_entities([RecBmsErrorEvent(entry.runtime_data)])


class RecBmsErrorEvent(RecBmsEntity, EventEntity):
    """Fires when the BMS begins and when it ceases to report an error.

    What was told last is kept over a restart, so that an error is told of once.
    """

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        """Sit on the main device."""
        super().__init__(coordinator, DESCRIPTION, frozenset({"ERRO"}))
        self._told: ErrorState | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Take up what was told before the restart."""
        await super().async_added_to_hass()
        if (last := await self.async_get_last_event_data()) is not None:
            self._told = _from_attributes(last.last_event_type, last.last_event_attributes)

    @override
    async def add_to_platform_finish(self) -> None:
        """Tell what changed during the restart; earlier, only the last of two would be written."""
        await super().add_to_platform_finish()
        self._tell_change()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._tell_change()
        super()._handle_coordinator_update()

    @override
    def _content(self) -> object:
        return self.state

    def _tell_change(self) -> None:
        """Tell that the old error is gone, that a new one is there, or both.

        An error that wanders from cell to cell is still the same.
        """
        error = self.coordinator.data.readings.error
        if error is None or not self.available:
            return
        now = error if error.present else None
        if _number(now) == _number(self._told):
            return
        if self._told is not None:
            self._tell(CLEARED, self._told)
        if now is not None:
            self._tell(APPEARED, now)
        self._told = now

    def _tell(self, event_type: str, error: ErrorState) -> None:
        self._trigger_event(
            event_type, {"number": error.number, "unit": error.unit, "location": error.location}
        )
        self.async_write_ha_state()


def _number(error: ErrorState | None) -> int | None:
    return None if error is None else error.number


def _from_attributes(
    event_type: str | None, attributes: dict[str, int] | None
) -> ErrorState | None:
    if event_type != APPEARED or attributes is None:
        return None
    return ErrorState(True, attributes["unit"], attributes["number"], attributes["location"])
