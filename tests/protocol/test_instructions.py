"""The one table, row by row against the reference: instructions.csv."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from custom_components.rec_bms.protocol.rs485.instructions import (
    BY_CODE,
    INSTRUCTIONS,
    SETTABLE,
    SETTINGS,
    Category,
    Group,
    Instruction,
    Kind,
    Reply,
    find,
)

with Path(__file__).with_name("instructions.csv").open(encoding="utf-8", newline="") as file:
    REFERENCE = list(csv.DictReader(file))

# What instructions.csv says in its notes, or leaves to design.md.
HEADERS = {"LCD1": "28", "LCD3": "8", "BTEM": "1", "ERRO": "4"}
SLOW = {"RINT", "CYCL", "VMAX", "VMIN"}
SENSORS_ALONE = {"LCD1", "LCD3"}
POLLED = {
    Group.MAIN: {"LCD1", "LCD3", "CELL", "ERRO"},
    Group.TEMPERATURES: {"PTEM", "BTEM"},
    Group.SLOW: SLOW,
    Group.IDENTITY: {"*IDN", "SWVR", "HWVR", "REFC"},
}
SELECTS = {
    "CHEM": {
        1: "li_po_kokam_high_power",
        2: "li_po_kokam_high_capacity",
        3: "lifepo4_winston",
        4: "lifepo4_a123",
        5: "limno2",
    },
    "CANF": {1: "250_kbit_s", 2: "500_kbit_s"},
}

each_row = pytest.mark.parametrize("row", REFERENCE, ids=[row["code"] for row in REFERENCE])


def number(cell: str) -> float | None:
    return float(cell) if cell else None


def platform(instruction: Instruction) -> str:
    if instruction.choices:
        return "select"
    if instruction.settable:
        return "number"
    return "device" if instruction.reply is Reply.STRING else "sensor"


def test_there_are_42_instructions_of_which_31_can_be_set() -> None:
    assert len(REFERENCE) == len(INSTRUCTIONS) == len(BY_CODE) == 42
    assert len(SETTABLE) == 31
    assert [row["code"] for row in REFERENCE] == [row.code for row in INSTRUCTIONS]


@each_row
def test_each_row_is_as_the_reference_has_it(row: dict[str, str]) -> None:
    instruction = BY_CODE[row["code"]]
    assert instruction.alias == row["alias"]
    assert instruction.name == row["name"]
    assert instruction.category == row["category"]
    assert instruction.settable == (row["access"] == "rw")
    assert instruction.reply == row["reply"]
    assert instruction.minimum == number(row["min"])
    assert instruction.maximum == number(row["max"])
    assert instruction.line_unit == (row["line_unit"] or None)
    assert instruction.common == (row["common"] == "y")
    assert platform(instruction) == row["platform"]


@each_row
def test_what_can_be_set_has_the_key_and_the_limits_of_its_row(row: dict[str, str]) -> None:
    instruction = BY_CODE[row["code"]]
    setting = SETTINGS.get(instruction.key)
    assert (setting is not None) == instruction.settable
    if setting is not None:
        assert setting.key == row["entity_key"]
        assert (setting.code, setting.name) == (row["code"], row["name"])
        assert (setting.minimum, setting.maximum) == (number(row["min"]), number(row["max"]))
        assert setting.line_unit == (row["line_unit"] or None)
        assert setting.whole_number == (row["reply"] in ("int", "char"))


@each_row
def test_each_row_is_found_by_code_and_alias_in_any_case(row: dict[str, str]) -> None:
    for name in (row["code"], row["alias"]):
        for spelling in (name, name.lower(), name.upper(), name.swapcase(), f" {name}\n"):
            assert find(spelling) is BY_CODE[row["code"]]


@pytest.mark.parametrize("name", ["", " ", "CMA", "CMAXX", "C MAX", "?", "CMAX?", "Error"])
def test_other_names_find_nothing(name: str) -> None:
    assert find(name) is None


@each_row
def test_each_row_is_asked_for_by_its_code_and_a_question_mark(row: dict[str, str]) -> None:
    assert BY_CODE[row["code"]].query == row["code"].encode("ascii") + b"?"


@each_row
def test_each_row_is_of_the_kinds_that_its_columns_say(row: dict[str, str]) -> None:
    expected = {
        Kind.STRING: row["reply"] == "string",
        Kind.ARRAY: row["reply"] == "array",
        Kind.RANGE: bool(row["min"]),
        Kind.CONFIGURABLE: row["access"] == "rw",
        Kind.COMMON: row["common"] == "y",
    }
    assert {kind: BY_CODE[row["code"]].is_kind(kind) for kind in Kind} == expected


@each_row
def test_each_row_is_polled_in_the_group_that_the_design_names(row: dict[str, str]) -> None:
    code = row["code"]
    expected = next((group for group, codes in POLLED.items() if code in codes), Group.SETTING)
    assert BY_CODE[code].group is expected


@each_row
def test_arrays_have_the_headers_that_the_reference_notes(row: dict[str, str]) -> None:
    instruction = BY_CODE[row["code"]]
    assert instruction.header == HEADERS.get(row["code"])
    if instruction.header is not None:
        assert f'header "{instruction.header}"' in row["note"]


def test_the_categories_are_those_of_the_replaced_toolset() -> None:
    assert {str(category) for category in Category} == {row["category"] for row in REFERENCE}


def test_the_choices_of_selects_are_numbered_as_the_bms_numbers_them() -> None:
    assert {row.code: dict(row.choices) for row in INSTRUCTIONS if row.choices} == SELECTS
    for code, choices in SELECTS.items():
        assert (min(choices), max(choices)) == (BY_CODE[code].minimum, BY_CODE[code].maximum)
