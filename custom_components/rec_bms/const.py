"""Names and numbers that several modules of the integration share."""

from __future__ import annotations

import logging
from typing import Final

DOMAIN: Final = "rec_bms"
LOGGER: Final = logging.getLogger(__package__)
MANUFACTURER: Final = "REC"

CONF_BAUDRATE: Final = "baudrate"
CONF_SCAN_INTERVAL: Final = "scan_interval"
CONF_ALLOW_CHANGES: Final = "allow_changes"
CONF_BALANCING_CURRENT: Final = "balancing_current"
"""The A with which a cell is balanced, where the BMS's type does not tell."""
CONF_MEMBERS: Final = "members"
"""Entry ids of the batteries of a bank; an entry that has them is no BMS."""
CONF_WIRING: Final = "wiring"

UNIT_AMPERE_HOURS: Final = "Ah"
UNIT_MILLIOHM: Final = "mΩ"
UNIT_MILLIVOLTS_A_MONTH: Final = "mV/month"

DEFAULT_SCAN_INTERVAL: Final = 10
MIN_SCAN_INTERVAL: Final = 2
MAX_SCAN_INTERVAL: Final = 300
