"""Whether a battery is being charged, told from a current that is never quite nothing."""

from __future__ import annotations

_BEGINS = 0.1
_ENDS = 0.02
"""Amperes. A BMS tells the current in steps of 0.02 A, and noise changes it by two at most. A small
solar panel gives some 0.3 A."""


class Charging:
    """Follows the current of one battery, so that a current near nothing does not flicker."""

    def __init__(self) -> None:
        self.is_on: bool | None = None
        """Whether current flows into the battery; None while it is not known."""

    def add(self, amperes: float | None) -> None:
        """Take a measured current in A, positive while charging; None where it is not known."""
        if amperes is None:
            self.is_on = None
        else:
            self.is_on = amperes >= (_ENDS if self.is_on else _BEGINS)
