"""The README is a manual: in the order in which a user needs it, and with nothing left out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_components.rec_bms.protocol.rs485.instructions import SETTABLE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENGLISH: dict[str, Any] = json.loads(
    (ROOT / "custom_components/rec_bms/translations/en.json").read_text(encoding="utf-8")
)
SECTIONS = [
    "Devices",
    "What you need",
    "Install",
    "Set up",
    "Entities",
    "Settings and safety",
    "Actions",
    "Triggers",
    "Conditions",
    "Dashboard",
    "Energy dashboard",
    "Blueprints",
    "How data is updated",
    "Examples",
    "Known limitations",
    "Troubleshooting",
    "Remove",
    "Where it comes from",
    "License",
]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def section(title: str) -> str:
    """Return what stands under a heading, up to the next one of its rank."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def anchor(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def links(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'(?:src|srcset)="([^"]+)"', text)}


def test_the_sections_come_in_the_order_in_which_a_user_needs_them() -> None:
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    for title in SECTIONS[:-1]:
        assert len(section(title).strip()) > 80, title


def test_both_commands_come_before_the_manual() -> None:
    start = README[: README.index("\n## Devices\n")]
    assert "`scripts/demo`" in start
    assert "`scripts/test`" in start


def test_every_field_and_option_is_explained() -> None:
    text = section("Set up")
    steps = ENGLISH["config"]["step"]
    forms = [steps["serial"], steps["serial"]["sections"]["more_options"]]
    forms += [steps["wifi"], steps["confirm"]]
    names = [name for form in forms for name in form["data"].values()]
    names += steps["user"]["menu_options"].values()
    names += ENGLISH["options"]["step"]["init"]["data"].values()
    assert [name for name in names if name not in text] == []


def test_every_entity_is_explained() -> None:
    text = section("Entities")
    entities = ENGLISH["entity"]
    settings = {**entities["number"], **entities["select"]}
    names = [each["name"] for key, each in entities["sensor"].items() if key not in settings]
    names += [each["name"] for each in entities["binary_sensor"].values()]
    names += [event["name"] for event in ENGLISH["entity"]["event"].values()]
    wanted = {word for name in names for word in [re.sub(r"\{\w+\}", "*n*", name)]}
    short = {"Lowest cell voltage": "Lowest, Highest cell voltage"}
    assert {name for name in wanted if short.get(name, name) not in text} == set()


def test_every_setting_is_explained() -> None:
    text = section("Settings and safety")
    assert [row.code for row in SETTABLE if not re.search(rf"\b{row.code}\b", text)] == []


def test_every_action_and_its_fields_are_explained() -> None:
    text = section("Actions")
    for action in ENGLISH["services"]:
        assert f"`rec_bms.{action}`" in text
    for field in (
        *("config_entry_id", "instruction", "value", "type", "category"),
        *("name", "values", "backup", "only"),
    ):
        assert field in text


@pytest.mark.parametrize("kind", ["triggers", "conditions"])
def test_every_trigger_and_condition_and_its_fields_are_explained(kind: str) -> None:
    text = section(kind.capitalize())
    for key, texts in ENGLISH[kind].items():
        assert f"*{texts['name']}*: `rec_bms.{key}`" in text
        for field in texts.get("fields", {}):
            assert f"`{field}`" in text, f"{key}: {field}"


def test_the_examples_are_yaml() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        assert isinstance(yaml.safe_load(example), dict)


def test_every_blueprint_can_be_imported() -> None:
    text = section("Blueprints")
    for blueprint in (ROOT / "blueprints" / "automation" / "rec_bms").glob("*.yaml"):
        assert f"rec_bms%2F{blueprint.name})" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        file, _, fragment = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists():
            dead.append(link)
        elif fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            if fragment not in map(anchor, headings):
                dead.append(link)
    assert dead == []
