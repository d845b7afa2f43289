"""Numbers: the settings of the BMS that are quantities."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.components.number.const import UNIT_CONVERTERS
from homeassistant.const import (
    Platform,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfRatio,
    UnitOfTemperature,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import UNIT_AMPERE_HOURS
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .setting import RecBmsSettingEntity, async_add_settings

# The line takes one request at a time as it is. With Home Assistant's own limit a call would wait
# with its context replaced by that of the next caller, and who called decides what is allowed.
PARALLEL_UPDATES = 0

_SIGNIFICANT_DIGITS = 6
"""What a BMS gives of a value at most."""


def _number(
    key: str,
    step: float,
    unit: str | None = None,
    device_class: NumberDeviceClass | None = None,
    *,
    enabled: bool = True,
) -> NumberEntityDescription:
    """Describe a number in the entity's unit; its limits are those of the setting."""
    return NumberEntityDescription(
        key=key,
        translation_key=key,
        device_class=device_class,
        native_unit_of_measurement=unit,
        native_step=step,
        entity_registry_enabled_default=enabled,
    )


_VOLT = UnitOfElectricPotential.VOLT
_AMPERE = UnitOfElectricCurrent.AMPERE
_CELSIUS = UnitOfTemperature.CELSIUS
_VOLTAGE = NumberDeviceClass.VOLTAGE
_CURRENT = NumberDeviceClass.CURRENT
_TEMPERATURE = NumberDeviceClass.TEMPERATURE
_TEMPERATURE_DELTA = NumberDeviceClass.TEMPERATURE_DELTA

NUMBERS = (
    _number("bvol", 0.001, _VOLT, _VOLTAGE),
    _number("bmin", 0.001, _VOLT, _VOLTAGE),
    _number("cmax", 0.001, _VOLT, _VOLTAGE),
    _number("maxh", 0.001, _VOLT, _VOLTAGE),
    _number("cmin", 0.001, _VOLT, _VOLTAGE),
    _number("minh", 0.001, _VOLT, _VOLTAGE),
    _number("char", 0.001, _VOLT, _VOLTAGE),
    _number("chis", 0.001, _VOLT, _VOLTAGE),
    _number("razl", 0.001, _VOLT, _VOLTAGE),
    _number("tmax", 0.1, _CELSIUS, _TEMPERATURE),
    _number("tmin", 0.1, _CELSIUS, _TEMPERATURE),
    _number("tbal", 0.1, _CELSIUS, _TEMPERATURE),
    _number("bmth", 0.1, _CELSIUS, _TEMPERATURE_DELTA),
    _number("ioff", 0.001, _AMPERE, _CURRENT, enabled=False),
    _number("ioja", 0.000001, enabled=False),
    _number("cycl", 1, "cycles", enabled=False),
    _number("capa", 0.1, UNIT_AMPERE_HOURS),
    _number("soch", 0.1, UnitOfRatio.PERCENTAGE),
    _number("socs", 0.1, UnitOfRatio.PERCENTAGE, enabled=False),
    _number("chac", 0.01, "C"),
    _number("dchc", 0.01, "C"),
    _number("sisn", 1),
    _number("maxc", 1, _AMPERE, _CURRENT),
    _number("maxd", 1, _AMPERE, _CURRENT),
    _number("clow", 0.001, _VOLT, _VOLTAGE),
    _number("vmax", 1, enabled=False),
    _number("vmin", 1, enabled=False),
    _number("eavc", 0.00001, _VOLT, _VOLTAGE, enabled=False),
    _number("oddc", 0.00001, _VOLT, _VOLTAGE, enabled=False),
    _number("strn", 1),
    _number("cfvc", 0.01),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: RecBmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a number for each quantity that this BMS lets be set."""
    await async_add_settings(entry, Platform.NUMBER, RecBmsNumber, NUMBERS, async_add_entities)


class RecBmsNumber(RecBmsSettingEntity, NumberEntity):
    """A limit or coefficient; typed in, so that no finger on a phone drags it."""

    _attr_mode = NumberMode.BOX

    def __init__(self, coordinator: RecBmsCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator, description)
        self._scale = 100 if self.setting.line_unit == "fraction" else 1

    @property
    @override
    def native_min_value(self) -> float:
        """The least value that may be set: REC's limit, or what the BMS has below it."""
        return self._native(self.setting.limits(self.line_value)[0])

    @property
    @override
    def native_max_value(self) -> float:
        """The largest value that may be set: REC's limit, or what the BMS has above it."""
        return self._native(self.setting.limits(self.line_value)[1])

    @property
    @override
    def native_value(self) -> float | None:
        """The value that the BMS has, in as many digits as it gives."""
        if (value := self.line_value) is None:
            return None
        return self._native(value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set a value and show what was read back."""
        await self.async_change(self._line(value))

    @override
    def to_line(self, shown: Any) -> float:
        """Return what is shown, in whatever unit, in the line's."""
        if isinstance(shown, bool):
            raise TypeError
        return self._line(self.convert_to_native_value(float(shown)))

    @override
    def to_shown(self, line_value: float) -> float:
        """Return a value of the line in the unit that is shown."""
        return self._convert_to_state_value(self._native(line_value), round, self.device_class)

    def _native(self, line_value: float) -> float:
        return in_digits_of_the_bms(line_value * self._scale)

    def _line(self, native_value: float) -> float:
        # What was typed in another unit has digits that nobody typed: 131.6 °F are 55.3333… °C.
        return in_digits_of_the_bms(native_value / self._scale)

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


def in_digits_of_the_bms(value: float) -> float:
    """Return a value in as many digits as a BMS gives."""
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def _decimals(value: float, size: float) -> int:
    """Return how many decimals say all of a value in a unit `size` times that of the BMS."""
    # The BMS answers in nine characters: the sign of a number or of its exponent costs a digit.
    digits = _SIGNIFICANT_DIGITS - (value < 0) - (abs(value) < 1)
    last_digit = Decimal(f"{value:.{digits - 1}e}").as_tuple().exponent
    assert isinstance(last_digit, int)
    return math.floor(math.log10(size) - last_digit + 1e-9)
