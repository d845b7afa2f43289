"""What a unit was found to know, to be kept so that nobody has to ask it in vain again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ..state import Quantity, State

_WHO = (
    Quantity.MODEL,
    Quantity.SOFTWARE_VERSION,
    Quantity.HARDWARE_VERSION,
    Quantity.SERIAL_NUMBER,
)


@dataclass(frozen=True, slots=True)
class Known:
    """Codes of the instructions that a unit has answered, and of those that it does not know.

    The rest says which unit that was, and of which version; None for what it did not tell.
    """

    answered: frozenset[str] = frozenset()
    unsupported: frozenset[str] = frozenset()
    model: str | None = None
    software_version: str | None = None
    hardware_version: str | None = None
    serial_number: int | None = None

    def is_of_another(self, state: State) -> bool:
        """Tell whether a unit says that it is another one, or of another version."""
        pairs = ((getattr(self, who), getattr(state, who)) for who in _WHO)
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def of(self, state: State) -> Self:
        """Return this of the unit that says who it is; what it did not say now stays."""
        told = {who: getattr(state, who) for who in _WHO if getattr(state, who) is not None}
        return replace(self, **told)

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON has it."""
        return {
            "answered": sorted(self.answered),
            "unsupported": sorted(self.unsupported),
            **{str(who): getattr(self, who) for who in _WHO},
        }

    @classmethod
    def from_dict(cls, kept: object) -> Self:
        """Return what `as_dict` gave; nothing is known where that is something else."""
        if not isinstance(kept, Mapping):
            return cls()
        number = kept.get(Quantity.SERIAL_NUMBER)
        return cls(
            answered=_codes(kept.get("answered")),
            unsupported=_codes(kept.get("unsupported")),
            model=_text(kept.get(Quantity.MODEL)),
            software_version=_text(kept.get(Quantity.SOFTWARE_VERSION)),
            hardware_version=_text(kept.get(Quantity.HARDWARE_VERSION)),
            serial_number=number if isinstance(number, int) else None,
        )


def _codes(kept: object) -> frozenset[str]:
    return frozenset(filter(_text, kept)) if isinstance(kept, list) else frozenset()


def _text(kept: object) -> str | None:
    return kept if isinstance(kept, str) else None
