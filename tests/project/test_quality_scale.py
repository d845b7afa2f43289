"""What quality_scale.yaml and docs/quality-scale.md claim can be pointed at."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from custom_components.rec_bms import PLATFORMS
from custom_components.rec_bms.coordinator import RecBmsCoordinator
from custom_components.rec_bms.entity import RecBmsEntity

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "rec_bms"
RULES = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
]
LEAST_COVERAGE = 98


@dataclass(frozen=True)
class Row:
    """One rule in docs/quality-scale.md."""

    rule: str
    where: str
    shown_by: str

    @property
    def exempt(self) -> bool:
        return self.where.startswith("exempt: ")


def rows() -> list[Row]:
    text = (ROOT / "docs" / "quality-scale.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([a-z][a-z-]+) \| (.*?) \| ?(.*?) ?\|$", text, re.MULTILINE)
    return [Row(*cells) for cells in found if cells[0] != "rule"]


def statuses() -> dict[str, tuple[str, str]]:
    """Return status and comment by rule."""
    text = (INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8")
    return {
        rule: (said, "") if isinstance(said, str) else (said["status"], said["comment"])
        for rule, said in yaml.safe_load(text)["rules"].items()
    }


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def missing(text: str) -> Iterator[str]:
    """Yield what is named in backticks and is not there."""
    for name in re.findall(r"`([^`]+)`", text):
        file, _, test = name.partition("::")
        file, _, anchor = file.partition("#")
        if "." not in file and "/" not in file:
            continue
        path = next((each for each in (ROOT / file, INTEGRATION / file) if each.exists()), None)
        if (
            path is None
            or (test and test not in names_of_tests(path))
            or (anchor and anchor not in anchors(path))
        ):
            yield name


def test_every_rule_is_there_in_home_assistants_order() -> None:
    assert len(RULES) == 54
    assert list(statuses()) == RULES
    assert [row.rule for row in rows()] == RULES


def test_both_files_say_the_same_of_each_rule() -> None:
    said = statuses()
    assert {row.rule for row in rows() if row.exempt} == {
        rule for rule, (status, _) in said.items() if status == "exempt"
    }


def test_only_known_words_are_used_and_exemptions_give_a_reason() -> None:
    for rule, (status, comment) in statuses().items():
        assert status in {"done", "exempt", "todo"}, rule
        assert status == "done" or comment, rule


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.rule)
def test_what_is_named_for_a_rule_exists(row: Row) -> None:
    assert list(missing(row.where)) == []
    assert list(missing(row.shown_by)) == []
    if not row.exempt and statuses()[row.rule][0] == "done":
        assert "`" in row.where
        assert "::test_" in row.shown_by


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert list(missing("`nowhere.py`, `sensor.py`, `async_setup`")) == ["nowhere.py"]
    here = "tests/project/test_quality_scale.py"
    assert list(missing(f"`{here}::test_of_nothing`")) == [f"{here}::test_of_nothing"]
    assert list(missing("`docs/quality-scale.md#silver`, `docs/quality-scale.md#lead`")) == [
        "docs/quality-scale.md#lead"
    ]


def test_coordinator_and_entity_are_where_they_are_looked_for() -> None:
    assert RecBmsCoordinator.__module__.endswith(".rec_bms.coordinator")
    assert RecBmsEntity.__module__.endswith(".rec_bms.entity")


def test_every_entity_has_a_name_of_its_own() -> None:
    source = (INTEGRATION / "entity.py").read_text(encoding="utf-8")
    assert "_attr_has_entity_name = True" in source
    for platform in PLATFORMS:
        source = (INTEGRATION / f"{platform}.py").read_text(encoding="utf-8")
        assert "has_entity_name" not in source


def test_every_platform_says_how_many_updates_may_run_at_once() -> None:
    for platform in PLATFORMS:
        source = (INTEGRATION / f"{platform}.py").read_text(encoding="utf-8")
        assert re.search(r"^PARALLEL_UPDATES = \d+$", source, re.MULTILINE), platform


def test_what_lives_as_long_as_an_entry_is_its_runtime_data() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in INTEGRATION.rglob("*.py")}
    assert [path.name for path, text in sources.items() if "hass.data" in text] == []
    assert "entry.runtime_data = coordinator" in sources[INTEGRATION / "__init__.py"]
    assert "ConfigEntry[RecBmsCoordinator]" in sources[INTEGRATION / "coordinator.py"]


def test_too_little_coverage_fails_the_tests() -> None:
    text = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    required = re.search(r"^readonly REQUIRED_COVERAGE=(\d+)$", text, re.MULTILINE)
    assert required
    assert int(required[1]) >= LEAST_COVERAGE


def test_types_are_checked_strictly() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert mypy["strict"] is True
    assert "custom_components/rec_bms" in mypy["files"]
    assert "mypy" in (ROOT / "scripts" / "lint").read_text(encoding="utf-8")
    assert (INTEGRATION / "protocol" / "py.typed").exists()
