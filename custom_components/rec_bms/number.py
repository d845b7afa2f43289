"""Numbers: the settings of the BMS that are quantities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.components.number.const import UNIT_CONVERTERS
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .entity import Candidate, async_add_as_they_appear
from .protocol.rs485.instructions import Instruction
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
_SIGNIFICANT_DIGITS = 6
"""What a BMS gives of a value at most."""


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
        return _in_digits_of_the_bms(value * self._scale)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set a value and show what was read back."""
        # What was typed in another unit has digits that nobody typed: 131.6 °F are 55.3333… °C.
        await self.async_change(_in_digits_of_the_bms(value / self._scale))

    @override
    def _convert_to_state_value(
        self,
        value: float,
        method: Callable[[float, int], float],
        device_class: NumberDeviceClass | None,
    ) -> float:
        """Convert a value or a limit to the unit that its owner has chosen.

        Home Assistant keeps the decimals that it has in the BMS's unit, with which 4.18 V are
        0.0 kV, 131.1 °F are 131.1001 once they were read back, and a least hysteresis of 1 °C
        becomes 1 °F.
        """
        unit, shown = self.native_unit_of_measurement, self.unit_of_measurement
        if unit == shown or device_class not in UNIT_CONVERTERS:
            return value
        converter = UNIT_CONVERTERS[device_class]
        decimals = _decimals(value, converter.get_unit_ratio(unit, shown))
        # Adding nought makes minus nought plain.
        return round(converter.convert(value, unit, shown), decimals) + 0.0


def _in_digits_of_the_bms(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def _decimals(value: float, size: float) -> int:
    """Return how many decimals say all of a value in a unit `size` times that of the BMS."""
    # The BMS answers in nine characters: the sign of a number or of its exponent costs a digit.
    digits = _SIGNIFICANT_DIGITS - (value < 0) - (abs(value) < 1)
    last_digit = Decimal(f"{value:.{digits - 1}e}").as_tuple().exponent
    assert isinstance(last_digit, int)
    return math.floor(math.log10(size) - last_digit + 1e-9)
