"""The instructions: the library's as the project was given them, those added later as they are.

What the reference has is independent of the code's own table.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from custom_components.rec_bms.number import NUMBERS as SHOWN_NUMBERS
from custom_components.rec_bms.protocol.rs485.instructions import INSTRUCTIONS, Instruction, Reply
from custom_components.rec_bms.select import SELECTS as SHOWN_SELECTS

_DESCRIPTIONS = {each.key: each for each in (*SHOWN_NUMBERS, *SHOWN_SELECTS)}
_FILE = Path(__file__).parents[1] / "unit" / "protocol" / "instructions.csv"


@dataclass(frozen=True)
class Row:
    """A row of instructions.csv; limits are in the line's unit."""

    code: str
    alias: str
    name: str
    category: str
    access: str
    reply: str
    minimum: float | None
    maximum: float | None
    line_unit: str | None
    common: bool
    key: str
    platform: str
    enabled: bool
    unit: str | None
    step: float | None
    newer: bool = False

    def __str__(self) -> str:
        return self.code

    @property
    def scale(self) -> int:
        """What the line's unit is multiplied with to get the entity's."""
        return 100 if self.line_unit == "fraction" else 1

    @property
    def whole_number(self) -> bool:
        """Whether the line carries an integer."""
        return self.reply in ("int", "char")


def _number(text: str) -> float | None:
    return float(text) if text else None


def _platform(row: Instruction) -> str:
    if row.settable:
        return "select" if row.choices else "number"
    return "device" if row.reply is Reply.STRING else "sensor"


def _added(row: Instruction) -> Row:
    """Return a row of the code's tables that the reference does not have."""
    shown = _DESCRIPTIONS.get(row.key)
    return Row(
        code=row.code,
        alias=row.alias,
        name=row.name,
        category=row.category,
        access="rw" if row.settable else "ro",
        reply=row.reply,
        minimum=row.minimum,
        maximum=row.maximum,
        line_unit=row.line_unit,
        common=row.common,
        key=row.key if row.settable else "",
        platform=_platform(row),
        enabled=shown is None or shown.entity_registry_enabled_default,
        unit=getattr(shown, "native_unit_of_measurement", None),
        step=getattr(shown, "native_step", None),
        newer=row.newer,
    )


with _FILE.open(encoding="utf-8", newline="") as file:
    _REFERENCE = tuple(
        Row(
            code=row["code"],
            alias=row["alias"],
            name=row["name"],
            category=row["category"],
            access=row["access"],
            reply=row["reply"],
            minimum=_number(row["min"]),
            maximum=_number(row["max"]),
            line_unit=row["line_unit"] or None,
            common=row["common"] == "y",
            key=row["entity_key"],
            platform=row["platform"],
            enabled=row["enabled_by_default"] == "y",
            unit=row["unit"] or None,
            step=_number(row["step"]),
        )
        for row in csv.DictReader(file)
    )

_IN_REFERENCE = {row.code: row for row in _REFERENCE}
_IN_TABLE = {row.code for row in INSTRUCTIONS}
ROWS = (
    *(_IN_REFERENCE.get(row.code) or _added(row) for row in INSTRUCTIONS),
    # One that the code's table has lost is missed.
    *(row for row in _REFERENCE if row.code not in _IN_TABLE),
)
LIBRARY = tuple(row for row in ROWS if not row.newer)
"""The 1Q's; the others are probed once a BMS was read."""
BY_CODE = {row.code: row for row in ROWS}
SETTABLE = tuple(row for row in ROWS if row.access == "rw")
NUMBERS = tuple(row for row in SETTABLE if row.platform == "number")
SELECTS = tuple(row for row in SETTABLE if row.platform == "select")
