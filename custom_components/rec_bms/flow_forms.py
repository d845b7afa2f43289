"""The forms that the config flow shows, and what they say of what was found."""

from __future__ import annotations

import voluptuous as vol
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_PORT
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
)

from .const import (
    CONF_ALLOW_CHANGES,
    CONF_BALANCING_CURRENT,
    CONF_BAUDRATE,
    CONF_SCAN_INTERVAL,
    DEFAULT_SCAN_INTERVAL,
    MAX_SCAN_INTERVAL,
    MIN_SCAN_INTERVAL,
)
from .flow_search import Bms
from .protocol.rs485.frame import MAX_ADDRESS
from .protocol.rs485.scan import BAUDRATES
from .protocol.wifi.identify import Module

SECTION_MORE_OPTIONS = "more_options"
AUTOMATIC = "automatic"
UNKNOWN = "?"

STEP_SERIAL = vol.Schema(
    {
        vol.Required(CONF_PORT): SerialPortSelector(),
        vol.Required(SECTION_MORE_OPTIONS): section(
            vol.Schema(
                {
                    vol.Required(CONF_BAUDRATE, default=AUTOMATIC): SelectSelector(
                        SelectSelectorConfig(
                            options=[AUTOMATIC, *(str(speed) for speed in BAUDRATES)],
                            mode=SelectSelectorMode.DROPDOWN,
                            translation_key=CONF_BAUDRATE,
                        )
                    ),
                    vol.Optional(CONF_ADDRESS): NumberSelector(
                        NumberSelectorConfig(
                            min=1, max=MAX_ADDRESS, step=1, mode=NumberSelectorMode.BOX
                        )
                    ),
                }
            ),
            {"collapsed": True},
        ),
    }
)

STEP_WIFI = vol.Schema({vol.Required(CONF_HOST): TextSelector()})

STEP_OPTIONS = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL, default=DEFAULT_SCAN_INTERVAL): NumberSelector(
            NumberSelectorConfig(
                min=MIN_SCAN_INTERVAL,
                max=MAX_SCAN_INTERVAL,
                step=1,
                unit_of_measurement="s",
                mode=NumberSelectorMode.BOX,
            )
        ),
        vol.Required(CONF_ALLOW_CHANGES, default=False): BooleanSelector(),
    }
)

STEP_BALANCING = vol.Schema(
    {
        vol.Optional(CONF_BALANCING_CURRENT): NumberSelector(
            NumberSelectorConfig(
                min=0.01,
                max=20,
                step=0.01,
                unit_of_measurement="A",
                mode=NumberSelectorMode.BOX,
            )
        ),
    }
)
"""What is asked about a BMS whose type does not tell how it balances."""


def confirm_form(*, adding: bool) -> vol.Schema:
    """Ask, where a BMS is added, whether it may be changed."""
    if not adding:
        return vol.Schema({})
    return vol.Schema({vol.Required(CONF_ALLOW_CHANGES, default=False): BooleanSelector()})


def description(bms: Bms) -> dict[str, str]:
    """Return what a user recognises a BMS by."""
    return {
        "model": bms.model,
        "address": str(bms.address),
        "baudrate": str(bms.baudrate),
        **_counts(bms.cells),
    }


def description_of_module(module: Module) -> dict[str, str]:
    """Return what a user recognises a BMS behind a WiFi module by."""
    return {
        "model": module.name,
        "address": module.host,
        "baudrate": UNKNOWN,
        **_counts(module.cells),
    }


def _counts(cells: tuple[int, ...]) -> dict[str, str]:
    return {
        "units": str(len(cells) or UNKNOWN),
        "cells": " + ".join(map(str, cells)) or UNKNOWN,
    }
