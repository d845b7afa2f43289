"""The files that Home Assistant, HACS and pip read say what their readers accept."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "rec_bms"
BRAND = INTEGRATION / "brand"

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


def requirement(package: str) -> str:
    """Return the version that requirements_test.txt pins."""
    text = (ROOT / "requirements_test.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==(\S+)$", text, re.MULTILINE)
    assert found, f"{package} is not pinned"
    return found[1]


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


def test_manifest_leaves_out_what_only_home_assistants_own_integrations_have(
    manifest: dict[str, Any],
) -> None:
    assert "quality_scale" not in manifest


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


@pytest.mark.parametrize("package", ["aiousbwatcher", "serialx", "home-assistant-frontend"])
def test_what_home_assistant_fixes_is_pinned_at_its_version(package: str) -> None:
    import homeassistant

    constraints = Path(homeassistant.__file__).with_name("package_constraints.txt")
    assert f"{package}=={requirement(package)}" in constraints.read_text().splitlines()


def test_every_test_requirement_is_pinned() -> None:
    lines = (ROOT / "requirements_test.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in wanted if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


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
