"""The package works where there is no Home Assistant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROTOCOL = Path(__file__).parents[3] / "custom_components/rec_bms/protocol"

PROGRAM = """
import importlib, importlib.util, pathlib, sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("homeassistant", "voluptuous", "probatio", "custom_components"):
            raise ImportError(f"{name} is not to be had here")

sys.meta_path.insert(0, Nothing())
where = pathlib.Path(sys.argv[1])
spec = importlib.util.spec_from_file_location(
    "rec_protocol", where / "__init__.py", submodule_search_locations=[str(where)]
)
sys.modules["rec_protocol"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["rec_protocol"])
for each in sorted(where.rglob("*.py")):
    inside = each.relative_to(where).with_suffix("").parts
    if each.stem != "__init__":
        importlib.import_module(".".join(("rec_protocol", *inside)))
frame = importlib.import_module("rec_protocol.rs485.frame")
print(frame.Frame(2, 0, b"LCD1?").encode().hex())
assert not [name for name in sys.modules if name.startswith("homeassistant")]
"""


def test_the_package_imports_nothing_of_home_assistant() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(PROTOCOL)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "550200054c4344313f5390aa"
