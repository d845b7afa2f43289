"""scripts/setup changes what belongs to its checkout, and nothing else.

It runs in a checkout of its own, with a Python and a uv that only note what they are asked for, so
that nothing is fetched.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOOLS = (
    *("awk", "bash", "cat", "cksum", "cp", "dirname", "find", "flock", "head", "id", "ls"),
    *("mkdir", "mktemp", "readlink", "rm", "sed", "sh", "sort", "tail", "touch", "tr"),
)
"""What the script may use of the machine: a Python or a uv that is there is none of them."""
PYTHON = """\
#!/bin/sh
exit 0
"""
NO_PYTHON = """\
#!/bin/sh
exit 1
"""
UV = """\
#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
*" venv "*)
	for folder; do :; done
	rm -rf "$folder"/*
	mkdir -p "$folder/bin"
	touch "$folder/pyvenv.cfg"
	cp "$(command -v python3.14)" "$folder/bin/python"
	;;
*"pip install"*) ;;
*) exit 1 ;;
esac
"""
PIP = """\
#!/bin/sh
echo "python3 $*" >>"$CALLS"
while [ $# -gt 0 ]; do
	[ "$1" != --target ] || touch "$2/fetched"
	shift
done
"""
NOTHING_TO_FETCH = """\
#!/bin/sh
echo "$0 $*" >>"$CALLS"
exit 1
"""


class Checkout:
    """A folder with the script, and another folder that is somebody else's."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.others = folder / "others"
        self.calls = folder / "calls"
        self.programs = folder / "programs"
        for made in (self.root / "scripts", self.others, self.programs):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup", self.root / "scripts")
        (self.root / "requirements_test.txt").write_text("nothing\n")
        for name in TOOLS:
            if (tool := shutil.which(name)) is not None:
                (self.programs / name).symlink_to(tool)
        self.program("python3.14", PYTHON)
        self.program("python3", PIP)
        self.program("uv", UV)
        for name in ("apt-get", "dpkg-deb"):
            self.program(name, NOTHING_TO_FETCH)

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.programs),
            "HOME": str(self.others),
            "CALLS": str(self.calls),
        }
        return subprocess.run(
            ["bash", str(self.root / "scripts" / "setup"), *arguments],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def called(self) -> list[str]:
        """Return what the programs were asked for."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def environment(folder: Path, stamp: str = "another checkout\n") -> None:
    """Make something that looks like an environment that somebody uses."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /somewhere\n")
    (folder / "bin" / "python").write_text(PYTHON)
    (folder / "bin" / "python").chmod(0o755)
    (folder / ".setup-stamp").write_text(stamp)
    (folder / "precious").write_text("somebody's\n")


def test_it_makes_an_environment_and_then_leaves_it_alone(checkout: Checkout) -> None:
    first = checkout.setup()
    assert first.returncode == 0, first.stderr
    assert (checkout.root / ".venv" / ".setup-stamp").is_file()
    checkout.calls.unlink()
    assert checkout.setup().returncode == 0
    assert checkout.called() == []


def test_the_environment_of_a_checkout_that_was_moved_is_made_anew(checkout: Checkout) -> None:
    environment(checkout.root / ".venv")
    assert checkout.setup().returncode == 0
    assert not (checkout.root / ".venv" / "precious").exists()


def test_an_environment_behind_a_link_is_not_touched(checkout: Checkout) -> None:
    environment(checkout.others / ".venv")
    before = content(checkout.others)
    (checkout.root / ".venv").symlink_to(checkout.others / ".venv")
    done = checkout.setup()
    assert content(checkout.others) == before
    assert done.returncode == 1
    assert f".venv is a link to {checkout.others / '.venv'}" in done.stderr
    assert "rm .venv" in done.stderr
    assert (checkout.root / ".venv").is_symlink()
    assert checkout.called() == []


def test_a_link_that_leads_nowhere_is_named_and_left(checkout: Checkout) -> None:
    (checkout.root / ".venv").symlink_to(checkout.others / "gone")
    done = checkout.setup()
    assert done.returncode == 1
    assert ".venv is a link to" in done.stderr
    assert not (checkout.others / "gone").exists()


def test_a_folder_that_is_no_environment_is_not_cleared(checkout: Checkout) -> None:
    (checkout.root / "photos").mkdir()
    (checkout.root / "photos" / "boat.jpg").write_text("a boat\n")
    done = checkout.setup("requirements_test.txt", "photos")
    assert done.returncode == 1
    assert "photos is not an environment" in done.stderr
    assert content(checkout.root / "photos") == {"boat.jpg": "a boat\n"}


@pytest.mark.parametrize("path", ["../others/.venv", "linked/.venv"])
def test_an_environment_outside_the_checkout_is_not_touched(checkout: Checkout, path: str) -> None:
    environment(checkout.others / ".venv")
    before = content(checkout.others)
    (checkout.root / "linked").symlink_to(checkout.others)
    done = checkout.setup("requirements_test.txt", path)
    assert content(checkout.others) == before
    assert done.returncode == 1
    assert "outside" in done.stderr


@pytest.mark.parametrize("uv", [UV, NO_PYTHON], ids=["with uv", "without uv"])
def test_a_python_behind_a_link_is_not_replaced(checkout: Checkout, uv: str) -> None:
    checkout.program("python3.14", NO_PYTHON)
    checkout.program("uv", uv)
    (checkout.others / "debian").mkdir()
    (checkout.others / "debian" / "precious").write_text("somebody's\n")
    (checkout.root / ".python").symlink_to(checkout.others)
    before = content(checkout.others)
    done = checkout.setup()
    assert content(checkout.others) == before
    assert done.returncode == 1
    assert f".python is a link to {checkout.others}" in done.stderr
    assert not any("install" in call for call in checkout.called())


def test_a_uv_behind_a_link_is_not_replaced(checkout: Checkout) -> None:
    (checkout.programs / "uv").unlink()
    (checkout.root / ".uv").symlink_to(checkout.others)
    (checkout.others / "precious").write_text("somebody's\n")
    before = content(checkout.others)
    done = checkout.setup()
    assert content(checkout.others) == before
    assert done.returncode == 1
    assert f".uv is a link to {checkout.others}" in done.stderr
