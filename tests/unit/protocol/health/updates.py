"""Updates as a BMS brings them, for what follows a battery from one to the next."""

from __future__ import annotations

from typing import Any

from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.state import State


def update(at: float, *, continuous: bool = True, period: float = 10, **told: Any) -> Update:
    """Return an update that tells quantities and settings, measured at a time in s."""
    return Update(
        state=State.of(told),
        measured_at=at,
        continuous=continuous,
        period=period,
        duration=0.1,
        exchanges=5,
        repeated_exchanges=0,
        retries=0,
        line_errors=0,
    )
