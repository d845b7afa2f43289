"""docs/edges.md: every part at every edge, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "edges.md"
EDGES = (
    "Home Assistant starts",
    "Home Assistant stops",
    "The entry is reloaded",
    "The BMS is away",
    "°F, another unit",
    "Closed or forgotten",
    "Renamed, disabled, deleted",
    "Two BMSs on the wires",
    "A poll takes 30 s",
)
PARTS = (
    "Sensors and binary sensors",
    "Energy and time left",
    "Battery health",
    "Several batteries as one",
    "Error event",
    "Settings: numbers and selects",
    "What the settings were",
    "Devices and entities of units",
    "Repairs",
    "Dialogs: add, discovered, reconfigure, options",
    "Actions",
    "Assist",
    "Blueprints",
    "Triggers and conditions",
    "Dashboard and cards",
    "The settings page",
    "Ports and the line",
    "Diagnostics",
    "WiFi module",
)

type Row = tuple[str, str, str]


@cache
def tables() -> dict[str, list[Row]]:
    """Return the rows of each part's table: edge, what happens, what shows it."""
    parts: dict[str, list[Row]] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, _, text = section.partition("\n")
        cells = (line.strip("|").split(" | ") for line in text.splitlines() if line[:1] == "|")
        rows = [tuple(cell.strip() for cell in row) for row in cells]
        parts[name] = [(row[0], row[1], row[2]) for row in rows[2:]]
    return parts


@cache
def all_tests() -> frozenset[str]:
    """Return the names of all tests."""
    return frozenset(
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_the_page_has_all_parts() -> None:
    assert tuple(tables()) == PARTS


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_looked_at_at_each_edge(part: str) -> None:
    assert tuple(edge for edge, _, _ in tables()[part]) == EDGES


@pytest.mark.parametrize("part", PARTS)
def test_each_row_names_tests_that_are_there_or_says_why_none_is_needed(part: str) -> None:
    for edge, what, shown_by in tables()[part]:
        named = re.findall(r"`(test_\w+)`", shown_by)
        assert what, edge
        assert named or shown_by.startswith("—"), f"{edge}: no test and no reason"
        assert set(named) <= all_tests(), f"{edge}: {set(named) - all_tests()}"
