"""The dashboard's copy of Lit is the one that was pinned, and keeps its licence."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools" / "frontend"
LIT = ROOT / "custom_components/rec_bms/dashboard/frontend/vendor/lit.js"
PINNED: dict[str, Any] = json.loads((TOOLS / "package.json").read_text(encoding="utf-8"))
LOCKED: dict[str, Any] = json.loads((TOOLS / "package-lock.json").read_text(encoding="utf-8"))


def test_it_is_the_pinned_file() -> None:
    assert sha256(LIT.read_bytes()).hexdigest() == PINNED["vendored"]["lit.js"]


def test_it_is_of_the_pinned_version() -> None:
    found = re.match(r"/\*!\nLit (\S+), made by scripts/vendor-lit\.", LIT.read_text("utf-8"))
    assert found is not None
    assert found[1] == PINNED["dependencies"]["lit"]


def test_it_keeps_its_licence() -> None:
    header = LIT.read_text("utf-8").partition("*/")[0]
    for part in (
        "BSD 3-Clause License",
        "Copyright (c) 2017 Google LLC. All rights reserved.",
        "Redistributions of source code must retain the above copyright notice",
        "Redistributions in binary form must reproduce the above copyright notice",
        "Neither the name of the copyright holder",
        "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS",
    ):
        assert part in header


def test_what_comes_from_npm_is_pinned_by_version_and_hash_and_to_no_server() -> None:
    wanted = PINNED["dependencies"] | PINNED["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    packages = {name: each for name, each in LOCKED["packages"].items() if name}
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name
