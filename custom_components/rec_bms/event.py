"""Event: an error appears, an error is gone."""

from __future__ import annotations

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import RecBmsEntity
from .errors import APPEARED, CLEARED, SIGNAL_ERROR
from .protocol.state import ErrorState, Quantity

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

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
    """Fires when the BMS begins and when it ceases to report an error, once each."""

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        super().__init__(coordinator, DESCRIPTION, frozenset({Quantity.ERROR}))

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to what is told, and hand over what an older version told before the restart."""
        await super().async_added_to_hass()
        memory = self.coordinator.memory
        last = await self.async_get_last_event_data()
        if last is not None and not memory.knows_told:
            memory.keep_told(_from_attributes(last.last_event_type, last.last_event_attributes))
        self.async_on_remove(async_dispatcher_connect(self.hass, SIGNAL_ERROR, self._tell))

    @override
    def _content(self) -> object:
        return self.state

    @callback
    def _tell(self, entry: RecBmsConfigEntry, event_type: str, error: ErrorState) -> None:
        if entry is not self.coordinator.config_entry:
            return
        unit = self.coordinator.data.state.position(error.unit)
        self._trigger_event(
            event_type, {"number": error.number, "unit": unit, "location": error.location}
        )
        self.async_write_ha_state()


def _from_attributes(
    event_type: str | None, attributes: dict[str, int] | None
) -> ErrorState | None:
    if event_type != APPEARED or attributes is None:
        return None
    return ErrorState(True, attributes["unit"], attributes["number"], attributes["location"])
