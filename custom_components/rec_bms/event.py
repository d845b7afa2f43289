"""Event: an error appears, an error is gone."""

from __future__ import annotations

from datetime import datetime
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import RecBmsEntity
from .protocol.state import ErrorState, Quantity

# The coordinator does the talking; entities only show what it found.
PARALLEL_UPDATES = 0

_HEARD_AFTER = 5.0
"""Seconds after Home Assistant's start in which automations and their ways to tell get ready."""

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

    What was told last is kept over restarts and power cuts, so that an error is told of once. What
    changed while Home Assistant was down is told when it has started: earlier, no automation hears.
    """

    def __init__(self, coordinator: RecBmsCoordinator) -> None:
        super().__init__(coordinator, DESCRIPTION, frozenset({Quantity.ERROR}))
        self._told: ErrorState | None = None
        self._is_heard = False

    @override
    async def async_added_to_hass(self) -> None:
        """Take up what was told before the restart."""
        await super().async_added_to_hass()
        memory = self.coordinator.memory
        if memory.knows_told:
            self._told = memory.told
        elif (last := await self.async_get_last_event_data()) is not None:
            self._told = _from_attributes(last.last_event_type, last.last_event_attributes)

    @override
    async def add_to_platform_finish(self) -> None:
        """Tell what changed during the restart; earlier, only the last of two would be written."""
        await super().add_to_platform_finish()
        if self.hass.state is CoreState.running:
            self._begin_to_tell()
        else:
            self.async_on_remove(async_at_started(self.hass, self._begin_soon))

    @callback
    def _begin_soon(self, _: HomeAssistant) -> None:
        self.async_on_remove(async_call_later(self.hass, _HEARD_AFTER, self._begin_to_tell))

    @callback
    def _begin_to_tell(self, _: datetime | None = None) -> None:
        self._is_heard = True
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
        error = self.coordinator.data.state.error
        if error is None or not self.available or not self._is_heard:
            return
        now = error if error.present else None
        if _number(now) == _number(self._told):
            return
        if self._told is not None:
            self._tell(CLEARED, self._told)
        if now is not None:
            self._tell(APPEARED, now)
        self._told = now
        self.coordinator.memory.keep_told(now)

    def _tell(self, event_type: str, error: ErrorState) -> None:
        unit = self.coordinator.data.state.position(error.unit)
        self._trigger_event(
            event_type, {"number": error.number, "unit": unit, "location": error.location}
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
