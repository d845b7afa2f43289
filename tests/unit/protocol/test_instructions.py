"""The one table: each row by itself, and those of the library against it: instructions.csv.

A row that is not from the instruction library needs no line there; what is true of every row is
true of it, too.
"""

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


def test_all_42_instructions_of_the_library_are_there_in_its_order() -> None:
    assert len(REFERENCE) == 42
    library = [row["code"] for row in REFERENCE]
    assert [row.code for row in INSTRUCTIONS if row.code in library] == library
    assert [row.code for row in INSTRUCTIONS if not row.newer] == library
    assert sum(row.code in library for row in SETTABLE) == 31


def test_no_two_instructions_have_a_name_or_an_entity_in_common() -> None:
    assert len(BY_CODE) == len(INSTRUCTIONS)
    names = [name.casefold() for row in INSTRUCTIONS for name in (row.code, row.alias)]
    assert len(names) == len(set(names))
    assert len(SETTINGS) == len(SETTABLE)


@pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.code)
def test_each_row_agrees_with_itself(row: Instruction) -> None:
    assert len(row.code) == 4
    assert row.code == row.code.upper()
    assert row.code.isascii()
    assert (row.minimum is None) == (row.maximum is None)
    if row.minimum is None or row.maximum is None:
        assert not row.choices
        return
    assert row.minimum < row.maximum
    assert row.reply in (Reply.FLOAT, Reply.INT, Reply.CHAR)
    if row.choices:
        assert row.whole_number
        assert (min(row.choices), max(row.choices)) == (row.minimum, row.maximum)


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
    library = [row["code"] for row in REFERENCE if BY_CODE[row["code"]].choices]
    assert {code: dict(BY_CODE[code].choices) for code in library} == SELECTS
    for code, choices in SELECTS.items():
        assert (min(choices), max(choices)) == (BY_CODE[code].minimum, BY_CODE[code].maximum)
