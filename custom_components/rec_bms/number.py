"""Numbers: the settings of the BMS that are quantities."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, async_add_as_they_appear
from .protocol.instructions import Instruction
from .setting import RecBmsSettingEntity, number_settings

# The line takes one question at a time as it is. With Home Assistant's own limit a call would wait
# with its context replaced by that of the next caller, and who called decides what is allowed.
PARALLEL_UPDATES = 0

_DEVICE_CLASSES = {
    "V": NumberDeviceClass.VOLTAGE,
    "A": NumberDeviceClass.CURRENT,
    "°C": NumberDeviceClass.TEMPERATURE,
}
_DIFFERENCES = {"BMTH": NumberDeviceClass.TEMPERATURE_DELTA}
_LINE_DIGITS = 9
_SIGNIFICANT_DIGITS = 6


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a number for each quantity that this BMS lets be set."""
    coordinator = entry.runtime_data

    def candidates() -> Iterable[Candidate]:
        for row in number_settings():
            make = partial(RecBmsNumber, coordinator, row)
            yield Candidate(str(row.key), frozenset({row.code}), make, row.enabled)

    await async_add_as_they_appear(entry, Platform.NUMBER, candidates, async_add_entities)


class RecBmsNumber(RecBmsSettingEntity, NumberEntity):
    """A limit or coefficient; typed in, so that no finger on a phone drags it."""

    _attr_mode = NumberMode.BOX

    def __init__(self, coordinator: RecBmsCoordinator, instruction: Instruction) -> None:
        """Take limits, step and unit from the table of instructions."""
        assert instruction.minimum is not None
        assert instruction.maximum is not None
        self._scale = 100 if instruction.line_unit == "fraction" else 1
        description = NumberEntityDescription(
            key=str(instruction.key),
            translation_key=instruction.key,
            device_class=_DIFFERENCES.get(
                instruction.code, _DEVICE_CLASSES.get(instruction.unit or "")
            ),
            native_unit_of_measurement=instruction.unit,
            native_min_value=instruction.minimum * self._scale,
            native_max_value=instruction.maximum * self._scale,
            native_step=instruction.step,
            entity_registry_enabled_default=instruction.enabled,
        )
        super().__init__(coordinator, description, instruction)

    @property
    @override
    def native_value(self) -> float | None:
        """The value that the BMS has, in as many digits as it gives."""
        if (value := self.line_value) is None:
            return None
        return float(f"{value * self._scale:.{_SIGNIFICANT_DIGITS}g}")

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set a value and show what was read back."""
        await self.async_change(round(value / self._scale, _LINE_DIGITS))
