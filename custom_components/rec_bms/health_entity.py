"""What sensors of battery health have in common: they show what is found out over a long time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .coordinator import RecBmsCoordinator
from .entity import RecBmsEntity
from .protocol.health.record import Health
from .protocol.state import State


@dataclass(frozen=True, kw_only=True)
class RecBmsHealthDescription(SensorEntityDescription):
    """A sensor of something that is found out, and the quantities that finding it out takes."""

    value_fn: Callable[[Health, State], float | str | datetime | None]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    """Quantities that are asked for as well, if the BMS tells them."""
    attributes_fn: Callable[[Health, State], dict[str, Any]] | None = None


class RecBmsHealthSensor(RecBmsEntity, SensorEntity):
    """Something that was found out about the battery; unknown until it was."""

    entity_description: RecBmsHealthDescription
    # They change as often as the state, and the recorder has that.
    _unrecorded_attributes = frozenset({"charged", "discharged"})

    def __init__(
        self, coordinator: RecBmsCoordinator, description: RecBmsHealthDescription
    ) -> None:
        super().__init__(
            coordinator, description, description.required, optional=description.optional
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Show what begins anew at once: the next poll may be minutes away."""
        await super().async_added_to_hass()
        memory = self.coordinator.health_memory
        self.async_on_remove(memory.async_subscribe(self._show_anew))

    @callback
    def _show_anew(self) -> None:
        self._seen = ()
        self._handle_coordinator_update()

    @property
    @override
    def native_value(self) -> float | str | datetime | None:
        """What was found, to what can be known."""
        state = self.coordinator.data.state
        return self.entity_description.value_fn(self.coordinator.health, state)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """When and where it was found."""
        attributes_fn = self.entity_description.attributes_fn
        if attributes_fn is None:
            return None
        return attributes_fn(self.coordinator.health, self.coordinator.data.state)

    @override
    def _content(self) -> object:
        return self.native_value, self.extra_state_attributes


def moment(at: float | None) -> datetime | None:
    """Return a Unix time as Home Assistant has it, to the second."""
    return None if at is None else dt_util.utc_from_timestamp(int(at))


def stamp(at: float | None) -> str | None:
    """Return a Unix time as attributes have it."""
    return None if (when := moment(at)) is None else when.isoformat()


def rounded(value: float | None, digits: int, scale: float = 1.0) -> float | None:
    """Return a value in another unit, to so many digits; None where there is none.

    What is less than a digit below nought is nought.
    """
    return None if value is None else round(value * scale, digits) + 0.0
