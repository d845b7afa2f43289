"""The 42 instructions as the project was given them, independent of the code's own table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parents[1] / "protocol" / "instructions.csv"


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


with _FILE.open(encoding="utf-8", newline="") as file:
    ROWS = tuple(
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

BY_CODE = {row.code: row for row in ROWS}
SETTABLE = tuple(row for row in ROWS if row.access == "rw")
NUMBERS = tuple(row for row in SETTABLE if row.platform == "number")
SELECTS = tuple(row for row in SETTABLE if row.platform == "select")
