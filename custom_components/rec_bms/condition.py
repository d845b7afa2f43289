"""Conditions: how it is with a BMS, for automations."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, override

import voluptuous as vol
from homeassistant.const import CONF_ABOVE, CONF_BELOW, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import Condition, ConditionConfig
from homeassistant.helpers.typing import ConfigType

from .bank import is_heard
from .coordinator import RecBmsConfigEntry
from .protocol.health.headroom import Side
from .protocol.state import Quantity
from .targets import Followed, warn_where_nobody_is_meant
from .trigger import CONF_END, QUANTITIES, millivolts_left

CONF_BEHAVIOR = "behavior"
CONF_WITHIN = "within"
_BEHAVIORS = {"any": any, "all": all}
_MILLIVOLTS = vol.All(vol.Coerce(float), vol.Range(min=-1000, max=4000))
_ONE_MINUTE = {"minutes": 1}


class _BmsCondition(Condition):
    """Something that is so of one, or of all, of the BMSs that a target means.

    What is not known is not so.
    """

    _fields: ClassVar[dict[Any, Any]] = {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and options."""
        behavior = {vol.Optional(CONF_BEHAVIOR, default="any"): vol.In(list(_BEHAVIORS))}
        schema = vol.Schema(
            {
                vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
                vol.Optional(CONF_OPTIONS, default=dict): {**behavior, **cls._fields},
            }
        )
        valid: ConfigType = schema(config)
        return valid

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        super().__init__(hass, config)
        self._target: ConfigType = config.target or {}
        self._options: dict[str, Any] = config.options or {}
        self._followed: Followed | None = None

    @property
    def _quantities(self) -> frozenset[str]:
        """What is to be asked for."""
        return frozenset()

    @override
    async def _async_setup(self) -> None:
        warn_where_nobody_is_meant(self._hass, self._target)
        self._followed = Followed(self._hass, self._target, self._quantities)

    @override
    def _async_unload(self) -> None:
        if self._followed is not None:
            self._followed.stop()
            self._followed = None

    @override
    def _async_check(self, **kwargs: Any) -> bool:
        entries = [] if self._followed is None else self._followed.entries
        holds = [is_heard(entry) and self._is_so(entry) for entry in entries]
        return bool(holds) and _BEHAVIORS[self._options[CONF_BEHAVIOR]](holds)

    @abstractmethod
    def _is_so(self, entry: RecBmsConfigEntry) -> bool:
        """Tell whether it is so of a BMS that is heard."""


class ErrorPresent(_BmsCondition):
    """The BMS reports an error."""

    @override
    def _is_so(self, entry: RecBmsConfigEntry) -> bool:
        error = entry.runtime_data.data.state.error
        return error is not None and error.present


class HeadroomIs(_BmsCondition):
    """The first cell at an end is further from its cut-off than so many mV, or nearer."""

    _fields: ClassVar = {
        vol.Required(CONF_END): vol.In([*map(str, Side)]),
        vol.Optional(CONF_ABOVE): _MILLIVOLTS,
        vol.Optional(CONF_BELOW): _MILLIVOLTS,
    }

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and options, of which at least one limit is needed."""
        valid = await super().async_validate_config(hass, config)
        if not {CONF_ABOVE, CONF_BELOW} & valid[CONF_OPTIONS].keys():
            raise vol.Invalid("Above, below or both are needed, in mV")
        return valid

    @property
    @override
    def _quantities(self) -> frozenset[str]:
        return QUANTITIES[Side(self._options[CONF_END])]

    @override
    def _is_so(self, entry: RecBmsConfigEntry) -> bool:
        left = millivolts_left(entry, Side(self._options[CONF_END]))
        above, below = self._options.get(CONF_ABOVE), self._options.get(CONF_BELOW)
        return (
            left is not None and (above is None or left > above) and (below is None or left < below)
        )


class IsCharging(_BmsCondition):
    """Current flows into the battery."""

    @override
    def _is_so(self, entry: RecBmsConfigEntry) -> bool:
        coordinator = entry.runtime_data
        return coordinator.data.state.has(Quantity.CURRENT) and coordinator.charging.is_on is True


class DataFresh(_BmsCondition):
    """Voltage and current were measured no longer ago than that."""

    _fields: ClassVar = {
        vol.Optional(CONF_WITHIN, default=_ONE_MINUTE): cv.positive_time_period,
    }

    @override
    def _is_so(self, entry: RecBmsConfigEntry) -> bool:
        age = self._hass.loop.time() - entry.runtime_data.data.measured_at
        return bool(age <= self._options[CONF_WITHIN].total_seconds())


CONDITIONS: dict[str, type[Condition]] = {
    "error_present": ErrorPresent,
    "headroom": HeadroomIs,
    "is_charging": IsCharging,
    "data_fresh": DataFresh,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions, by key."""
    return CONDITIONS
