"""Triggers and conditions are described as hassfest wants them, with the fields of their code."""

import json
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
import yaml
from homeassistant.helpers import selector

from custom_components.rec_bms.condition import CONDITIONS
from custom_components.rec_bms.trigger import TRIGGERS
from tests.project.test_services_and_icons import ICON

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "rec_bms"
KINDS = [("triggers", TRIGGERS), ("conditions", CONDITIONS)]
EACH = [
    (kind, key, {str(field) for field in each._fields})
    for kind, all_of_them in KINDS
    for key, each in all_of_them.items()
]


def described(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((INTEGRATION / f"{kind}.yaml").read_text("utf-8"))
    return loaded


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((INTEGRATION / name).read_text("utf-8"))
    return loaded


@pytest.mark.parametrize(("kind", "in_code"), KINDS, ids=["triggers", "conditions"])
def test_all_are_described_named_and_have_an_icon(kind: str, in_code: dict[str, Any]) -> None:
    assert described(kind).keys() == in_code.keys()
    assert read("translations/en.json")[kind].keys() == in_code.keys()
    icons = read("icons.json")[kind]
    assert icons.keys() == in_code.keys()
    for icon in icons.values():
        assert icon.keys() == {kind.removesuffix("s")}
        assert all(ICON.fullmatch(each) for each in icon.values())


@pytest.mark.parametrize(("kind", "key", "fields"), EACH, ids=[key for _, key, _ in EACH])
def test_the_fields_are_those_of_the_code_and_have_texts(
    kind: str, key: str, fields: set[str]
) -> None:
    wanted = fields | ({"behavior"} if kind == "conditions" else set())
    one = described(kind)[key]
    selector.TargetSelector.CONFIG_SCHEMA(one["target"])
    assert one.get("fields", {}).keys() == wanted
    texts = read("translations/en.json")[kind][key]
    assert texts.get("fields", {}).keys() == wanted
    for field in one.get("fields", {}).values():
        selector.validate_selector(field["selector"])


@pytest.mark.parametrize(("kind", "key", "fields"), EACH, ids=[key for _, key, _ in EACH])
def test_what_the_page_suggests_is_what_yaml_gets_without_it(
    kind: str, key: str, fields: set[str]
) -> None:
    code = dict(KINDS)[kind][key]._fields
    shown = described(kind)[key].get("fields", {})
    for marker, check in code.items():
        if "default" in shown[str(marker)] and marker.default is not vol.UNDEFINED:
            schema = vol.Schema(check)
            assert schema(marker.default()) == schema(shown[str(marker)]["default"])
