"""The files that Home Assistant, HACS and pip read say what their readers accept."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "rec_bms"
BRAND = INTEGRATION / "brand"
USUAL = "requirements_test.txt"
NEWEST = "requirements_test_newest.txt"
OLDEST = "requirements_test_oldest.txt"

# What hassfest lets stand in the manifest of a custom integration like this one.
MANIFEST_KEYS = {
    "after_dependencies",
    "codeowners",
    "config_flow",
    "dependencies",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "name",
    "quality_scale",
    "requirements",
    "usb",
    "version",
}
USB_KEYS = {"description", "known_devices", "manufacturer", "pid", "serial_number", "vid"}
# Platforms, and what is there wherever Home Assistant runs, need not be named as dependencies.
ALWAYS_THERE = {
    "binary_sensor",
    "diagnostics",
    "event",
    "number",
    "repairs",
    "select",
    "sensor",
    "websocket_api",
}

# From HACS' validator, which refuses any other key.
HACS_KEYS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}


def read_json(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def manifest() -> dict[str, Any]:
    return read_json(INTEGRATION / "manifest.json")


@pytest.fixture
def project() -> dict[str, Any]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = tomllib.loads(text)["project"]
    return loaded


def on_the_oldest() -> bool:
    """Tell whether `scripts/test --oldest` runs this."""
    return sys.prefix.endswith(".venv-oldest")


def pins(file: str) -> dict[str, str]:
    """Return the versions that a file of requirements pins, by package."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_manifest_keys_are_in_the_order_hassfest_wants(manifest: dict[str, Any]) -> None:
    domain, name, *others = manifest
    assert (domain, name) == ("domain", "name")
    assert others == sorted(others)


def test_manifest_has_what_hacs_and_hassfest_require(manifest: dict[str, Any]) -> None:
    assert manifest["domain"] == INTEGRATION.name
    assert {"codeowners", "documentation", "issue_tracker", "name", "version"} <= manifest.keys()
    assert manifest["config_flow"] is True
    assert manifest["integration_type"] == "device"
    assert manifest["iot_class"] == "local_polling"
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    assert all(manifest[key].startswith("https://") for key in ("documentation", "issue_tracker"))


def test_manifest_has_nothing_that_hassfest_refuses(manifest: dict[str, Any]) -> None:
    # Among them quality_scale, which only Home Assistant's own integrations have.
    assert manifest.keys() <= MANIFEST_KEYS


def test_requirements_name_a_package_and_a_version(manifest: dict[str, Any]) -> None:
    for requirement in manifest["requirements"]:
        assert re.fullmatch(r"[A-Za-z0-9._-]+(==|>=|~=)\d+(\.\d+)*", requirement)


def test_usb_matchers_are_narrow_and_written_as_hassfest_wants(manifest: dict[str, Any]) -> None:
    for matcher in manifest["usb"]:
        assert {"vid", "pid", "description"} <= matcher.keys() <= USB_KEYS
        for key in ("vid", "pid"):
            assert re.fullmatch(r"[0-9A-F]{4}", matcher[key])
        for key in ("description", "manufacturer", "serial_number"):
            assert matcher.get(key, "") == matcher.get(key, "").lower()
        # The chips are in all kinds of devices: only what says what it is may be offered.
        assert "485" in matcher["description"]


def test_what_the_code_uses_of_home_assistant_is_a_dependency(manifest: dict[str, Any]) -> None:
    used: set[str] = set()
    for path in INTEGRATION.rglob("*.py"):
        here: set[str] = set()
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\s*from homeassistant\.components\.(\w+)", line):
                here.add(found[1])
            elif found := re.match(r"\s*from homeassistant\.components import (.+)", line):
                here |= {name.split(" as ")[0].strip() for name in found[1].split(",")}
        # A platform is loaded by what it is a platform of, such as llm.py.
        used |= here - {path.stem}
    named = {*manifest["dependencies"], *manifest["after_dependencies"]}
    assert used - ALWAYS_THERE == named


def test_version_and_requirements_agree_with_pyproject(
    manifest: dict[str, Any], project: dict[str, Any]
) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert project["version"] == manifest["version"]
    assert set(manifest["requirements"]) <= set(project["dependencies"])


def test_hacs_json_has_only_keys_that_hacs_knows(project: dict[str, Any]) -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert hacs.keys() <= HACS_KEYS
    assert hacs["name"] == "REC BMS"
    assert f"homeassistant>={hacs['homeassistant']}" in project["dependencies"]


def test_hacs_finds_one_integration_and_something_to_read() -> None:
    folders = [path for path in INTEGRATION.parent.iterdir() if path.name != "__pycache__"]
    assert folders == [INTEGRATION]
    assert (ROOT / "README.md").stat().st_size
    assert (ROOT / "info.md").stat().st_size


def test_hacs_gets_the_file_that_the_release_workflow_builds() -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert hacs["zip_release"] is True
    release = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert f"--output={hacs['filename']} " in release
    assert f'gh release upload "$TAG" {hacs["filename"]}' in release


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the file is built from what git has")
def test_the_released_file_has_what_home_assistant_needs_at_its_root(tmp_path: Path) -> None:
    release = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    command = re.search(r"run: (git archive .+)$", release, re.MULTILINE)
    assert command
    archive = tmp_path / read_json(ROOT / "hacs.json")["filename"]
    words = shlex.split(command[1].replace("--output=", f"--output={tmp_path}/"))
    subprocess.run(words, cwd=ROOT, check=True)
    with ZipFile(archive) as built:
        names = built.namelist()
    assert {"__init__.py", "manifest.json", "translations/en.json", "brand/icon.png"} <= set(names)
    assert [name for name in names if "__pycache__" in name or "custom_components" in name] == []


def test_whoever_reports_a_bug_is_asked_for_diagnostics_and_a_log() -> None:
    forms = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")
    }
    assert forms.keys() == {"bug_report", "feature_request", "config"}
    asked = {part.get("id"): part for part in forms["bug_report"]["body"]}
    for wanted in ("diagnostics", "log", "versions"):
        assert asked[wanted]["validations"]["required"] is True


def test_the_changelog_begins_with_this_version_or_what_comes_next(
    manifest: dict[str, Any],
) -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert headings[0] in (manifest["version"], "Unreleased")
    assert manifest["version"] in headings


def test_both_ends_of_the_versions_and_what_most_have_are_tested() -> None:
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    commands = {step.get("run") for job in tests["jobs"].values() for step in job["steps"]}
    assert {".ci/run", "scripts/test --oldest", "scripts/test --newest"} <= commands


@pytest.mark.skipif(not on_the_oldest(), reason="for scripts/test --oldest")
def test_the_oldest_home_assistant_is_the_one_that_hacs_json_names() -> None:
    assert version("homeassistant") == read_json(ROOT / "hacs.json")["homeassistant"]


@pytest.mark.parametrize("package", ["aiousbwatcher", "serialx", "home-assistant-frontend"])
def test_what_home_assistant_fixes_is_pinned_at_its_version(package: str) -> None:
    import homeassistant

    constraints = Path(homeassistant.__file__).with_name("package_constraints.txt")
    pinned = pins(OLDEST if on_the_oldest() else USUAL)[package]
    assert f"{package}=={pinned}" in constraints.read_text().splitlines()


@pytest.mark.parametrize("file", [USUAL, OLDEST, NEWEST])
def test_every_test_requirement_is_pinned(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in wanted if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_both_ends_are_tested_with_the_same_tools() -> None:
    tools = (ROOT / OLDEST).read_text(encoding="utf-8").partition("# Tools.")[2].split()
    assert tools
    usual = pins(USUAL).items()
    assert {tuple(tool.split("==")) for tool in tools} <= set(usual)


def test_what_is_pinned_goes_up_from_the_oldest_to_the_newest() -> None:
    def number(file: str, package: str) -> tuple[int, ...]:
        return tuple(int(part) for part in pins(file)[package].split("."))

    for package in ("serialx", "home-assistant-frontend", "home-assistant-intents"):
        assert number(OLDEST, package) < number(USUAL, package) < number(NEWEST, package)


@pytest.mark.parametrize("prefix", ["", "dark_"])
@pytest.mark.parametrize(("suffix", "edge"), [("", 256), ("@2x", 512)])
def test_icons_are_square_and_of_the_size_home_assistant_asks_for(
    prefix: str, suffix: str, edge: int
) -> None:
    with Image.open(BRAND / f"{prefix}icon{suffix}.png") as icon:
        assert (icon.format, icon.size) == ("PNG", (edge, edge))


@pytest.mark.parametrize("prefix", ["", "dark_"])
@pytest.mark.parametrize(("suffix", "least", "most"), [("", 128, 256), ("@2x", 256, 512)])
def test_logos_are_wide_and_as_high_as_home_assistant_asks_for(
    prefix: str, suffix: str, least: int, most: int
) -> None:
    with Image.open(BRAND / f"{prefix}logo{suffix}.png") as logo:
        assert logo.format == "PNG"
        assert least <= logo.height <= most
        assert logo.width > logo.height


def test_brand_images_are_trimmed_and_transparent() -> None:
    for path in BRAND.glob("*.png"):
        with Image.open(path) as image:
            box = image.getchannel("A").getbbox()
            assert box == (0, 0, *image.size), path.name
