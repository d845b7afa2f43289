"""Each module has its job written down where a stranger looks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "rec_bms"
NAMED = {
    Path(name).name
    for name in re.findall(r"`([\w/]+\.py)`", (ROOT / "docs" / "architecture.md").read_text())
}
MODULES = sorted(
    str(module.relative_to(INTEGRATION))
    for module in INTEGRATION.rglob("*.py")
    if module.name not in ("__init__.py", "const.py")
)


@pytest.mark.parametrize("module", MODULES)
def test_what_each_module_is_for_is_written_down(module: str) -> None:
    assert Path(module).name in NAMED


def test_each_module_that_is_written_about_is_there() -> None:
    folders = [INTEGRATION, ROOT / "tools", ROOT / "tests"]
    assert {path.name for folder in folders for path in folder.rglob("*.py")} >= NAMED
