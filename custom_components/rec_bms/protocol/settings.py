"""What can be set on a BMS, whatever the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Category(StrEnum):
    """What a setting or an instruction is about, in the words of the replaced toolset."""

    IDENTIFICATION = "Identification"
    INFORMATION = "Information"
    CELL = "Cell"
    TEMPERATURE = "Temperature"
    AMPERAGE = "Amperage"
    PACK = "Pack"
    SOC = "SOC"
    VICTRON = "Victron"
    ERROR = "Error"
    BMS = "BMS"


NO_CHOICES: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that can be set, with its limits in `line_unit`.

    `code` is REC's name for it, in its manuals and wherever a BMS tells it; `choices` names the
    values of one that is a list rather than a quantity.
    """

    code: str
    name: str
    category: Category
    minimum: float
    maximum: float
    line_unit: str | None = None
    whole_number: bool = False
    choices: Mapping[int, str] = field(default=NO_CHOICES, hash=False)

    @property
    def key(self) -> str:
        """What a state, an entity and a translation know it by."""
        return self.code.lower()

    def limits(self, present: float | None) -> tuple[float, float]:
        """Return the least and the largest value that may be set, in `line_unit`.

        What a BMS has beyond REC's own limits may stay, and come nearer to them: some units allow
        more than REC's list of instructions does. Choices have no order, so none comes nearer.
        """
        if present is None or self.choices:
            return self.minimum, self.maximum
        return min(self.minimum, present), max(self.maximum, present)
