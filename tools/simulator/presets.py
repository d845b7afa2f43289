"""How a BMS leaves its owner's hands: settings and cells, after the readings of real units.

An instruction that is missing here gets its value from `defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .table import BY_CODE

TEXTS: Mapping[str, str] = {"*IDN": "REC BMS 1Q VICTRON", "SWVR": "2.35", "HWVR": "2.0"}
_COMMON: Mapping[str, float] = {
    "IOFF": 0.0,
    "SISN": 1,
    "CANF": 2,
    "VMAX": 3,
    "VMIN": 1,
    "EAVC": 0.0,
    "ODDC": 0.0,
    "REFC": 5.0,
}
_LIPO: Mapping[str, float] = {
    **_COMMON,
    "BVOL": 4.08,
    "BMIN": 3.95,
    "CMAX": 4.18,
    "MAXH": 0.05,
    "CMIN": 3.2,
    "MINH": 0.1,
    "CHAR": 4.0,
    "CHIS": 0.02,
    "RAZL": 0.25,
    "TMAX": 55.0,
    "TMIN": 0.0,
    "TBAL": 60.0,
    "BMTH": 5.0,
    "IOJA": 0.019531,
    "CYCL": 103,
    "CAPA": 450.0,
    "CHEM": 2,
    "SOCH": 0.05,
    "SOCS": 0.98,
    "CHAC": 0.6,
    "DCHC": 1.5,
    "MAXC": 150.0,
    "MAXD": 200.0,
    "CLOW": 3.4,
}
_IRON: Mapping[str, float] = {
    **_COMMON,
    "BVOL": 3.58,
    "BMIN": 3.45,
    "CMAX": 3.65,
    "MAXH": 0.25,
    "CMIN": 3.0,
    "MINH": 0.1,
    "CHAR": 3.58,
    "CHIS": 0.25,
    "RAZL": 0.25,
    "TMAX": 55.0,
    "TMIN": -10.0,
    "TBAL": 55.0,
    "BMTH": 2.0,
    "IOJA": 0.019531,
    "CYCL": 37,
    "CAPA": 320.0,
    "CHEM": 3,
    "SOCH": 0.05,
    "SOCS": 0.75,
    "CHAC": 0.5,
    "DCHC": 0.5,
    "MAXC": 150.0,
    "MAXD": 150.0,
    "CLOW": 3.1,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of installation. `voltage` in V is where its cells rest, `current` in A at rest.

    `charge` and `health` are what the BMS believes about the battery, 0 to 1.
    """

    settings: Mapping[str, float]
    cells: int
    voltage: float
    current: float
    charge: float
    health: float
    weak_cell: int | None = None


PRESETS: Mapping[str, Preset] = {
    "kokam": Preset(_LIPO, 14, 3.9665, -2.45, 0.97992, 0.9897, weak_cell=8),
    "kokam-power": Preset({**_LIPO, "CHEM": 1}, 14, 3.9665, -2.45, 0.97992, 0.9897, weak_cell=8),
    "lifepo4": Preset(_IRON, 4, 3.33, 7.46, 0.745, 0.9963, weak_cell=3),
    "lifepo4-a123": Preset({**_IRON, "CHEM": 4}, 4, 3.33, 7.46, 0.745, 0.9963, weak_cell=3),
    "limno2": Preset(
        {**_LIPO, "CHEM": 5, "CMAX": 4.25, "CHAR": 4.15, "BMIN": 4.05, "BVOL": 4.15},
        14,
        3.95,
        -2.45,
        0.74,
        0.9897,
        weak_cell=8,
    ),
}


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of unit: where it is found, and what it knows. `lacks` are codes it does not know."""

    address: int
    baud: int
    preset: str
    lacks: frozenset[str] = frozenset()
    refuses: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    error_log: tuple[bytes, ...] = ()


_NEWER = frozenset(row.code for row in BY_CODE.values() if row.newer)
_ACTIVE: Mapping[str, float] = {
    "SERI": 2261,
    "STRN": 2,
    "CFVC": 0.1,
    "RE1L": 3.55,
    "RE1H": 0.15,
    "RE1T": 1979711486,
    "RE1V": 3.30481,
    "OP2L": 3.55,
    "OP2H": 0.15,
    "OP2T": 380239933,
    "OP2V": 3.31648,
    "RSBR": 2,
}
MODELS: Mapping[str, Model] = {
    "1q": Model(1, 56000, "kokam", lacks=_NEWER),
    "active": Model(
        2,
        115200,
        "lifepo4",
        lacks=frozenset({"EAVC", "ODDC", "REFC", "SISN", "CANF"}),
        texts={"*IDN": "ACTIVE"},
        settings=_ACTIVE,
        error_log=tuple(f"entry {number}".encode("ascii") for number in range(1, 13)),
    ),
    "error1": Model(1, 56000, "kokam", lacks=_NEWER, refuses=True),
}
"""After what is known of real units; the form of an error log's entries is made up."""
