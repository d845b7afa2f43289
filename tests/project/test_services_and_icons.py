"""Actions and icons are described as hassfest wants them.

That all of them are described, and none too many, is shown in tests/virtual.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant.helpers import selector

from custom_components.rec_bms.health_services import RESET_SCHEMA
from custom_components.rec_bms.protocol.rs485.instructions import Category, Kind
from custom_components.rec_bms.services import GET_SCHEMA, LIST_SCHEMA, SET_SCHEMA
from custom_components.rec_bms.settings_services import (
    BACKUP_SCHEMA,
    COMPARE_SCHEMA,
    LIST_BACKUPS_SCHEMA,
    RESTORE_SCHEMA,
)

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "rec_bms"
SCHEMAS = {
    "get_parameter": GET_SCHEMA,
    "set_parameter": SET_SCHEMA,
    "list_instructions": LIST_SCHEMA,
    "backup_settings": BACKUP_SCHEMA,
    "list_backups": LIST_BACKUPS_SCHEMA,
    "compare_settings": COMPARE_SCHEMA,
    "restore_settings": RESTORE_SCHEMA,
    "reset_lifetime": RESET_SCHEMA,
}
FIELD_KEYS = {"advanced", "default", "example", "required", "selector"}
ICON = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        (INTEGRATION / "services.yaml").read_text(encoding="utf-8")
    )
    return loaded


@pytest.fixture(scope="module")
def english() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8")
    )
    return loaded


@pytest.fixture(scope="module")
def icons() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("action", SCHEMAS)
def test_an_action_has_the_fields_that_its_code_takes(
    action: str, services: dict[str, Any]
) -> None:
    fields = services[action]["fields"]
    taken = {str(key): type(key).__name__ for key in SCHEMAS[action].schema}
    assert fields.keys() == taken.keys()
    for name, field in fields.items():
        assert field.keys() <= FIELD_KEYS
        assert field.get("required", False) == (taken[name] == "Required")
        selector.validate_selector(field["selector"])


def test_the_choices_of_a_filter_are_those_of_the_code(services: dict[str, Any]) -> None:
    fields = services["list_instructions"]["fields"]
    for field, choices in (("type", Kind), ("category", Category)):
        options = fields[field]["selector"]["select"]["options"]
        assert len(options) == len(set(options))
        assert set(options) == {choice.lower() for choice in choices}


def test_icons_have_the_shape_that_hassfest_wants(icons: dict[str, Any]) -> None:
    assert icons.keys() == {"entity", "triggers", "conditions", "services"}
    for platform in icons["entity"].values():
        for entity in platform.values():
            assert {"default"} <= entity.keys() <= {"default", "state", "state_attributes"}
            shown = [entity["default"], *entity.get("state", {}).values()]
            assert all(ICON.fullmatch(icon) for icon in shown)
    for action in icons["services"].values():
        assert action.keys() <= {"service", "sections"}
        assert ICON.fullmatch(action["service"])


def test_every_icon_of_a_state_is_that_of_a_state(
    icons: dict[str, Any], english: dict[str, Any]
) -> None:
    for platform, entities in icons["entity"].items():
        for key, entity in entities.items():
            states = english["entity"][platform][key].get("state", {})
            assert entity.get("state", {}).keys() <= states.keys(), key
