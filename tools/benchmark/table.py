"""The benchmark's one table: what was measured, against what, and how much it may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_HEADINGS = ("what", "of", "measured", "against", "ratio", "worst", "at most", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement.

    `against` is what `measured` is divided by for `ratio`, in the same unit, and `divisor` says
    what that is. `worst` is the worst single case, a ratio where there is one. The limit `at_most`
    is the ratio's where there is one, else the measurement's own.
    """

    what: str
    of: str
    measured: float
    unit: str
    against: float | None = None
    divisor: str = ""
    ratio: float | None = None
    worst: float | None = None
    at_most: float | None = None

    @property
    def within(self) -> bool | None:
        """Whether the limit is kept, None where there is none."""
        if self.at_most is None:
            return None
        return (self.measured if self.ratio is None else self.ratio) <= self.at_most

    def as_json(self) -> dict[str, Any]:
        """Return the row as it is written to the file."""
        names = ("what", "of", "measured", "unit", "against", "divisor", "ratio", "worst")
        fields = {name: getattr(self, name) for name in names}
        return {**fields, "at_most": self.at_most, "within": self.within}

    def _cells(self) -> tuple[str, ...]:
        against = f"{_number(self.against)} {self.unit} {self.divisor}" if self.against else ""
        return (
            self.what,
            self.of,
            f"{_number(self.measured)} {self.unit}",
            against,
            *(_number(each) for each in (self.ratio, self.worst, self.at_most)),
            {None: "", True: "kept", False: "OVER"}[self.within],
        )


def row_against(*, measured: float, against: float, **fields: Any) -> Row:
    """Return a row whose ratio is the measurement by what it is held against."""
    return Row(measured=measured, against=against, ratio=measured / against, **fields)


def as_text(rows: Iterable[Row]) -> str:
    """Return the table for a terminal, which is Markdown as well."""
    lines = [_HEADINGS, *(row._cells() for row in rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(_HEADINGS))]
    rule = tuple("-" * width for width in widths)
    return "".join(
        "| " + " | ".join(map(str.ljust, line, widths, strict=True)) + " |\n"
        for line in (lines[0], rule, *lines[1:])
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}" if value < 0.1 else f"{value:.3f}"
