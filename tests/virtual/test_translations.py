"""Everything that a user sees has an English text, and every text has a use."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant.config_entries import ConfigFlow
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

import custom_components.rec_bms as integration
from custom_components.rec_bms.config_flow import RecBmsConfigFlow, RecBmsOptionsFlow
from custom_components.rec_bms.messages import translated
from custom_components.rec_bms.number import NUMBERS
from custom_components.rec_bms.protocol.errors import BmsError
from custom_components.rec_bms.select import SELECTS
from tests.virtual.rig import Rig

FOLDER = Path(integration.__file__).parent
ENGLISH: dict[str, Any] = json.loads((FOLDER / "translations/en.json").read_text("utf-8"))
ICONS: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text("utf-8"))
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "services.yaml").read_text("utf-8"))
SOURCES = {path: path.read_text("utf-8") for path in FOLDER.rglob("*.py")}
# Entities without a name of their own are named by Home Assistant after their device class.
NAMED_BY_CLASS = {
    "sensor": {"state_of_charge", "voltage", "current", "power"},
    "binary_sensor": {"problem", "charging"},
}


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def calls(source: str, *names: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names
    ]


def raised() -> dict[str, set[str] | None]:
    """Return the keys of all translated exceptions in the code with their placeholders.

    None stands for placeholders that are not written out where the exception is made.
    """
    found: dict[str, set[str] | None] = {}
    for source in SOURCES.values():
        for call in calls(source, "invalid", "failed"):
            key = call.args[0]
            named = {word.arg for word in call.keywords if word.arg}
            complete = all(word.arg for word in call.keywords)
            for text in [key.value] if isinstance(key, ast.Constant) else []:
                found[text] = named if complete else None
        for key in re.findall(r'translation_key(?:=| = )"(\w+)"', source):
            if key in ENGLISH["exceptions"]:
                found.setdefault(key, None)
    return found


def test_every_exception_has_a_text_with_its_placeholders() -> None:
    found = raised()
    for key, named in found.items():
        assert key in ENGLISH["exceptions"], key
        if named is not None:
            assert placeholders(ENGLISH["exceptions"][key]["message"]) == named, key


def test_every_text_of_an_exception_has_a_use() -> None:
    everything = "\n".join(SOURCES.values())
    unused = [key for key in ENGLISH["exceptions"] if f'"{key}"' not in everything]
    assert unused == []


async def test_every_entity_has_a_name_and_an_icon(complete: Rig) -> None:
    for entry in complete.registered_entities():
        key = entry.unique_id.removeprefix(f"{complete.entry.entry_id}_")
        if key in NAMED_BY_CLASS.get(entry.domain, ()):
            continue
        assert entry.translation_key, key
        assert ENGLISH["entity"][entry.domain][entry.translation_key]["name"], key
        assert ICONS["entity"][entry.domain][entry.translation_key]["default"], key


async def test_every_state_of_a_list_has_a_text(complete: Rig) -> None:
    for entry in complete.registered_entities():
        options = complete.hass.states.get(entry.entity_id).attributes.get("options")  # type: ignore[union-attr]
        if options is not None:
            assert set(ENGLISH["entity"][entry.domain][entry.translation_key]["state"]) == set(
                options
            )


@pytest.mark.parametrize("what", [ENGLISH, ICONS], ids=["names", "icons"])
async def test_every_name_and_icon_has_an_entity(complete: Rig, what: dict[str, Any]) -> None:
    entries = complete.registered_entities()
    known = {(str(entry.domain), entry.translation_key) for entry in entries}
    # What can be set over a line can only be seen over WiFi, and only some units tell the rest.
    known |= {("sensor", each.key) for each in (*NUMBERS, *SELECTS)}
    known |= {("binary_sensor", "balancing"), ("binary_sensor", "cell_balancing")}
    known.add(("sensor", "serial_number"))
    assert {(platform, key) for platform, keys in what["entity"].items() for key in keys} <= known


@pytest.mark.long
async def test_attributes_have_names(complete: Rig) -> None:
    for key, texts in ENGLISH["entity"]["sensor"].items():
        # At which battery it is, a bank alone tells.
        for attribute in texts.get("state_attributes", {}).keys() - {"battery"}:
            assert attribute in complete.state(key).attributes


def steps(flow: type[Any]) -> set[str]:
    """Return the steps of a flow that show something."""
    own = {name for name in vars(flow) if name.startswith("async_step_")}
    return {name.removeprefix("async_step_") for name in own}


def test_every_step_of_the_flows_has_texts() -> None:
    assert issubclass(RecBmsConfigFlow, ConfigFlow)
    shown = steps(RecBmsConfigFlow) - {"scan", "listen", "move", "usb", "integration_discovery"}
    assert set(ENGLISH["config"]["step"]) == shown
    assert set(ENGLISH["options"]["step"]) == steps(RecBmsOptionsFlow)
    assert set(ENGLISH["config"]["progress"]) == {"scan", "listen"}


def test_every_error_of_the_flow_has_a_text() -> None:
    source = SOURCES[FOLDER / "config_flow.py"]
    errors = set(re.findall(r'_errors\["base"\] = "(\w+)"', source)) | {"no_bms", "no_other_bms"}
    errors |= set(re.findall(r'errors\[\w+\] = "(\w+)"', SOURCES[FOLDER / "flow_bank.py"]))
    assert set(ENGLISH["config"]["error"]) == errors


def test_actions_fields_and_texts_are_the_same_everywhere() -> None:
    assert set(SERVICES) == set(ENGLISH["services"]) == set(ICONS["services"])
    for name, action in SERVICES.items():
        assert set(action["fields"]) == set(ENGLISH["services"][name]["fields"])


async def test_actions_are_those_that_are_registered(running: Rig) -> None:
    registered = running.hass.services.async_services()["rec_bms"]
    assert set(registered) == set(SERVICES)
    for name, action in SERVICES.items():
        schema = registered[name].schema
        assert schema is not None
        fields = {str(key) for key in schema.schema}
        assert fields == set(action["fields"])


def test_selectors_have_texts_for_their_options() -> None:
    for field in SERVICES["list_instructions"]["fields"].values():
        select = field["selector"]["select"]
        texts = ENGLISH["selector"][select["translation_key"]]["options"]
        assert list(texts) == select["options"]


def test_platforms_have_modules() -> None:
    for platform in integration.PLATFORMS:
        assert (FOLDER / f"{platform}.py").is_file()
    assert set(ENGLISH["entity"]) <= {str(each) for each in Platform}


def test_an_error_that_nobody_foresaw_is_told_as_it_is(hass: HomeAssistant) -> None:
    error = translated(hass, BmsError("the sea got in"), "Rig battery")
    assert error.translation_placeholders == {"port": "Rig battery", "reason": "the sea got in"}


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "translations").glob("*.json")), ids=lambda p: p.stem
)
def test_a_setting_has_one_name_whether_it_can_be_set_or_not(path: Path) -> None:
    entities = json.loads(path.read_text("utf-8"))["entity"]
    for platform in ("number", "select"):
        for key, texts in entities[platform].items():
            if key in entities["sensor"]:
                assert entities["sensor"][key] == texts
