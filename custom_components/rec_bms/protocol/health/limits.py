"""The currents that a BMS lets its inverters have: its settings, multiplied.

By what the instructions are said to mean: CHAC or DCHC, in C, times the capacity CAPA in Ah is what
the battery may have, MAXC or MAXD what each inverter or charger may. How many those are is SISN, or
STRN, which newer units have in its place (docs/protocol.md). That the smaller of the two counts,
and that a BMS may ask for less, is our reading: no BMS tells what it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..state import State, product

_COUNTS = ("strn", "sisn")


class Way(StrEnum):
    """The way of a current."""

    CHARGE = "charge"
    DISCHARGE = "discharge"

    @property
    def coefficient(self) -> str:
        """The setting of how many C the battery may have."""
        return "chac" if self is Way.CHARGE else "dchc"

    @property
    def for_each(self) -> str:
        """The setting of how many A each inverter may have."""
        return "maxc" if self is Way.CHARGE else "maxd"

    def settings(self, count: str) -> frozenset[str]:
        """Return the settings that the limit takes, that which counts the inverters included."""
        return frozenset({self.coefficient, "capa", self.for_each, count})


@dataclass(frozen=True, slots=True)
class CurrentLimit:
    """A, and the setting that it comes from: a coefficient, or a current for each inverter."""

    amperes: float
    limited_by: str


def count_setting(state: State) -> str | None:
    """Return which setting counts the inverters; None while neither is told."""
    return next(filter(state.has, _COUNTS), None)


def current_limit(state: State, way: Way, count: str) -> CurrentLimit | None:
    """Return the most that the BMS asks for; None unless all that it takes is known.

    `count` is the setting that counts the inverters.
    """
    battery = product(state.settings.get(way.coefficient), state.settings.get("capa"))
    inverters = product(state.settings.get(way.for_each), state.settings.get(count))
    if battery is None or inverters is None:
        return None
    if battery <= inverters:
        return CurrentLimit(battery, way.coefficient)
    return CurrentLimit(inverters, way.for_each)


def temperature_spread(state: State) -> float | None:
    """Return by how many °C the battery's sensors differ; None unless two of them are known."""
    table: Iterable[tuple[int, int, float | None]] = state.temperatures or ()
    known = [value for _, _, value in table if value is not None]
    return max(known) - min(known) if len(known) > 1 else None
