"""The values that a BMS is delivered with, as REC's manuals give them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_FACTORY: Mapping[int, Mapping[str, float]] = MappingProxyType({})
"""By chemistry, as CHEM counts them, and by code, in the line's unit."""


def factory_value(code: str, chemistry: float | None) -> float | None:
    """Return a setting's factory value for a chemistry, None where no manual gives one."""
    return None if chemistry is None else _FACTORY.get(int(chemistry), {}).get(code)
