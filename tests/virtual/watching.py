"""What tests of triggers and conditions do: watch a BMS, and have something happen to it."""

from __future__ import annotations

import logging
from typing import Any, Self

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import condition, config_validation as cv
from homeassistant.helpers.trigger import (
    async_initialize_triggers,
    async_validate_trigger_config,
)
from homeassistant.setup import async_setup_component

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig


class Watcher:
    """An automation's trigger, and what it told."""

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        self._hass = hass
        self._key = key
        self._detach: CALLBACK_TYPE | None = None
        self._told: list[dict[str, Any]] = []

    async def attach(self, target: dict[str, Any], **options: Any) -> Self:
        """Begin to watch, as an automation does that was written in YAML."""
        # What any automation brings along.
        assert await async_setup_component(self._hass, "automation", {})
        written = {"trigger": f"{DOMAIN}.{self._key}", "target": target, "options": options}
        config = await async_validate_trigger_config(self._hass, cv.TRIGGER_SCHEMA([written]))

        @callback
        def tell(variables: dict[str, Any], context: Context | None = None) -> None:
            self._told.append(variables["trigger"])

        self._detach = await async_initialize_triggers(
            self._hass, config, tell, "tests", self._key, _log
        )
        assert self._detach is not None
        return self

    def detach(self) -> None:
        """Watch no more, as when the automation is turned off or loaded anew."""
        assert self._detach is not None
        self._detach()

    def told(self) -> list[dict[str, Any]]:
        """Return and forget what was told."""
        told, self._told = self._told, []
        return told

    def count(self) -> int:
        """Return how often it was told of something, and forget it."""
        return len(self.told())


async def watch(rig: Rig, key: str, **options: Any) -> Watcher:
    """Watch a BMS by its device."""
    return await Watcher(rig.hass, key).attach(by_device(rig), **options)


async def condition_of(
    hass: HomeAssistant, key: str, target: dict[str, Any], **options: Any
) -> condition.ConditionChecker:
    """Return a condition as an automation has it that was written in YAML."""
    assert await async_setup_component(hass, "automation", {})
    written = {"condition": f"{DOMAIN}.{key}", "target": target, "options": options}
    config = await condition.async_validate_condition_config(hass, cv.CONDITION_SCHEMA(written))
    return await condition.async_from_config(hass, config)


def by_device(rig: Rig, unit: int = 1) -> dict[str, Any]:
    """Return a target that means a BMS by the device of a unit."""
    return {"device_id": [rig.device(unit).id]}


def by_entity(rig: Rig, key: str) -> dict[str, Any]:
    """Return a target that means a BMS by one of its entities."""
    return {"entity_id": [rig.entity_id(key)]}


async def leave(rig: Rig, side: str, millivolts: float) -> None:
    """Have the first cell at an end so far from its limit, and have it noticed."""
    rig.sim.call(move, rig, side, millivolts)
    await rig.poll()


async def near(rig: Rig) -> None:
    """Bring a cell near its upper cut-off."""
    await leave(rig, "high", 40)


async def far(rig: Rig) -> None:
    """Take all cells away from it."""
    await leave(rig, "high", 200)


async def error(rig: Rig, number: int = 2) -> None:
    """Have the BMS report an error."""
    rig.sim.call(rig.bms.raise_error, number, 1, 4)
    await rig.poll()


async def no_error(rig: Rig) -> None:
    """Have it report none any more."""
    rig.sim.call(rig.bms.clear_error)
    await rig.poll()


def move(rig: Rig, side: str, millivolts: float) -> None:
    """Have the first cell at an end so far from its limit."""
    settings = rig.bms.settings
    volts = (
        settings["CMAX"] - millivolts / 1000
        if side == "high"
        else max(settings["CMIN"], settings["CLOW"]) + millivolts / 1000
    )
    rig.bms.battery.cell(1, 3).rest_at(volts)
    rig.bms.look_again()


async def charge_to(rig: Rig, charge: float) -> None:
    """Have the BMS count so much charge, a fraction, and have it noticed."""
    rig.sim.call(setattr, rig.bms, "charge", charge)
    rig.sim.call(rig.bms.look_again)
    await rig.poll()


def _log(level: int, message: str, **kwargs: Any) -> None:
    logging.getLogger(__name__).log(level, message, **kwargs)
