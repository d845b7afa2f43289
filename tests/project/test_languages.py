"""Every language says the same things, in a shape that Home Assistant and hassfest accept.

That English has a text for everything, and no text too many, is shown in tests/virtual.
"""

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from custom_components.rec_bms.config_flow import (
    AUTOMATIC,
    STEP_BALANCING,
    STEP_OPTIONS,
    STEP_SERIAL,
    STEP_WIFI,
)
from custom_components.rec_bms.flow_bank import bank_form
from custom_components.rec_bms.protocol.bank import Wiring
from custom_components.rec_bms.protocol.health.headroom import Side
from custom_components.rec_bms.protocol.rs485.instructions import Category, Kind
from custom_components.rec_bms.protocol.rs485.scan import BAUDRATES
from custom_components.rec_bms.trigger import EITHER_END

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "rec_bms"
TRANSLATIONS = INTEGRATION / "translations"
LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "sl")
OTHERS = LANGUAGES[1:]

TEXT = "text"
STEP = {
    "title": TEXT,
    "description": TEXT,
    "data": {"*": TEXT},
    "data_description": {"*": TEXT},
    "sections": {
        "*": {
            "name": TEXT,
            "description": TEXT,
            "data": {"*": TEXT},
            "data_description": {"*": TEXT},
        }
    },
    "submit": TEXT,
    "menu_options": {"*": TEXT},
    "menu_option_descriptions": {"*": TEXT},
}
FLOW = {
    "step": {"*": STEP},
    "error": {"*": TEXT},
    "abort": {"*": TEXT},
    "progress": {"*": TEXT},
    "create_entry": {"*": TEXT},
    "flow_title": TEXT,
}
FIELDS = {"*": {"name": TEXT, "description": TEXT}}
# What Home Assistant reads of a custom integration's translations; hassfest refuses the rest.
SHAPE = {
    "config": FLOW,
    "options": FLOW,
    "device": {"*": {"name": TEXT}},
    "entity": {
        "*": {
            "*": {
                "name": TEXT,
                "state": {"*": TEXT},
                "state_attributes": {"*": {"name": TEXT, "state": {"*": TEXT}}},
                "unit_of_measurement": TEXT,
            }
        }
    },
    "exceptions": {"*": {"message": TEXT}},
    "issues": {"*": {"title": TEXT, "description": TEXT, "fix_flow": FLOW}},
    "selector": {"*": {"options": {"*": TEXT}}},
    "triggers": {"*": {"name": TEXT, "description": TEXT, "fields": FIELDS}},
    "conditions": {"*": {"name": TEXT, "description": TEXT, "fields": FIELDS}},
    "services": {"*": {"name": TEXT, "description": TEXT, "fields": FIELDS}},
}
KEY = re.compile(r"(?!.*[_-]{2})[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
ADDRESS_OF_A_PAGE = re.compile(
    r"(?:https?|mqtts?|socket)://[a-z0-9.-]+\.[a-z]{2,5}\b|www\.", re.IGNORECASE
)

# Names, units, and words that the languages share. Anything else that is as in English was
# forgotten.
SAME_EVERYWHERE = {
    "115200 baud",
    "19200 baud",
    "250 kbit/s",
    "38400 baud",
    "500 kbit/s",
    "56000 baud",
    "57600 baud",
    "9600 baud",
    "BMS",
    "LiFePO4 A123",
    "LiFePO4 Winston",
    "LiMnO2",
    "Victron",
    "{name}",
}
SAME_IN: dict[str, set[str]] = {
    "de": {"Host", "Information", "Sensor", "Text"},
    "es": {"Error", "Host", "Sensor", "{title}: error {number}"},
    "fr": {
        "Batteries",
        "Cycles",
        "Identification",
        "Instruction",
        "Instructions",
        "Options",
        "Port",
        "Type",
    },
    "it": {"Backup", "Host"},
    "nl": {"Host", "Sensor", "Unit", "{main} unit {number}"},
    "sl": set(),
}


def read(language: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8")
    )
    return loaded


def texts(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from texts(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def misshapen(node: object, shape: Any, path: str = "") -> list[str]:
    """Return the paths of what does not fit a shape."""
    if shape == TEXT:
        return [] if isinstance(node, str) else [path]
    if not isinstance(node, dict):
        return [path]
    wrong = []
    for key, value in node.items():
        inner = shape.get(key, shape.get("*"))
        if inner is None or not KEY.fullmatch(key):
            wrong.append(f"{path}{key}")
        else:
            wrong += misshapen(value, inner, f"{path}{key}.")
    return wrong


@pytest.fixture(scope="module")
def english() -> dict[str, Any]:
    return read("en")


def test_there_is_one_file_for_each_language() -> None:
    assert sorted(path.name for path in TRANSLATIONS.iterdir()) == sorted(
        f"{language}.json" for language in LANGUAGES
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_has_the_shape_that_home_assistant_reads(language: str) -> None:
    assert misshapen(read(language), SHAPE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_has_what_hassfest_refuses(language: str) -> None:
    for path, text in texts(read(language)):
        assert text.strip() == text != "", path
        assert not re.search(r"<[^>]+>", text), f"{path}: no HTML"
        assert not re.search(r"'\{\w+\}'", text), f"{path}: no placeholder in quotes"
        assert not ADDRESS_OF_A_PAGE.search(text), f"{path}: no address of a page"
        assert "[%" not in text, f"{path}: no reference, nothing resolves it here"
        assert all(name.isidentifier() for name in placeholders(text)), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_states_and_attributes_have_no_placeholders(language: str) -> None:
    for platform in read(language)["entity"].values():
        for entity in platform.values():
            for part in ("state", "state_attributes"):
                for path, text in texts(entity.get(part, {})):
                    assert placeholders(text) == set(), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_straight_apostrophe_hides_a_placeholder(language: str) -> None:
    # The web page takes one before a brace for a quotation mark, and shows the brace.
    assert [path for path, text in texts(read(language)) if "'{" in text or "'}" in text] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_keys_of_english_in_its_order(
    language: str, english: dict[str, Any]
) -> None:
    assert [path for path, _ in texts(read(language))] == [path for path, _ in texts(english)]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_placeholders_of_english(language: str, english: dict[str, Any]) -> None:
    other = dict(texts(read(language)))
    wrong = {
        path: other[path]
        for path, text in texts(english)
        if sorted(re.findall(r"\{\w+\}", text)) != sorted(re.findall(r"\{\w+\}", other[path]))
    }
    assert wrong == {}


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_keeps_what_is_emphasised_and_listed(
    language: str, english: dict[str, Any]
) -> None:
    other = dict(texts(read(language)))
    for path, text in texts(english):
        for mark in ("**", "\n", "|"):
            assert other[path].count(mark) == text.count(mark), f"{path}: {mark!r}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_was_left_in_english(language: str, english: dict[str, Any]) -> None:
    other = dict(texts(read(language)))
    allowed = SAME_EVERYWHERE | SAME_IN[language]
    left = {path: text for path, text in texts(english) if other[path] == text}
    assert {path: text for path, text in left.items() if text not in allowed} == {}


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_the_same_on_purpose_still_is(language: str, english: dict[str, Any]) -> None:
    other = dict(texts(read(language)))
    same = {text for path, text in texts(english) if other[path] == text}
    assert SAME_IN[language] - same == set()


def test_every_field_of_the_forms_has_a_name_and_an_explanation(english: dict[str, Any]) -> None:
    fields = {str(key) for key in STEP_SERIAL.schema}
    (section,) = fields - {"port"}
    inner = {str(key) for key in STEP_SERIAL.schema[section].schema.schema}
    for step in ("serial", "reconfigure"):
        form = english["config"]["step"][step]
        assert form["data"].keys() == form["data_description"].keys() == {"port"}
        more = form["sections"][section]
        assert more["data"].keys() == more["data_description"].keys() == inner
    hosts = {str(key) for key in STEP_WIFI.schema}
    for step in ("wifi", "reconfigure_wifi"):
        form = english["config"]["step"][step]
        assert form["data"].keys() == form["data_description"].keys() == hosts
    for step, adding in (("bank", True), ("reconfigure_bank", False)):
        form = english["config"]["step"][step]
        asked = {str(key) for key in bank_form([], adding=adding).schema}
        assert form["data"].keys() == form["data_description"].keys() == asked
    ways = english["config"]["step"]["user"]
    assert ways["menu_options"].keys() == ways["menu_option_descriptions"].keys()
    for step, asked_for in (("init", [*STEP_OPTIONS.schema]), ("wifi", [])):
        options = english["options"]["step"][step]
        wanted = {str(key) for key in (*asked_for, *STEP_BALANCING.schema)}
        assert options["data"].keys() == options["data_description"].keys() == wanted


def test_every_choice_has_a_name(english: dict[str, Any]) -> None:
    selector = {key: set(value["options"]) for key, value in english["selector"].items()}
    assert selector == {
        "baudrate": {AUTOMATIC, *map(str, BAUDRATES)},
        "wiring": set(Wiring),
        "end": {EITHER_END, *Side},
        "instruction_type": {kind.value for kind in Kind},
        "instruction_category": {category.lower() for category in Category},
    }
