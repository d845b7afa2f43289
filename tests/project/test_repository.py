"""Where the project is published is said once, and everything else agrees with it."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = "scripts/set-repository"
MENTIONED_IN = (
    "pyproject.toml",
    "README.md",
    "info.md",
    "custom_components/rec_bms/manifest.json",
    ".github/workflows/tests.yml",
    ".github/workflows/hassfest.yml",
    ".github/workflows/hacs.yml",
)


def project_files(root: Path) -> list[Path]:
    """Return what git has or would add; without git, everything outside hidden folders."""
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        paths = [root / name for name in listed if name]
    else:
        paths = [
            path
            for path in root.rglob("*")
            if not any(
                part.startswith(".") and part not in {".ci", ".github", ".gitignore"}
                for part in path.relative_to(root).parts
            )
            and "__pycache__" not in path.parts
        ]
    return [path for path in paths if path.is_file()]


def texts(root: Path) -> dict[str, str]:
    """Return the text files by their path."""
    found = {}
    for path in project_files(root):
        try:
            found[str(path.relative_to(root))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def published_at(root: Path) -> tuple[str, str, str]:
    """Return owner, name and code owner from pyproject's urls."""
    urls = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    owner, name = urls["Repository"].removeprefix("https://github.com/").split("/")
    return owner, name, urls["Codeowner"].removeprefix("https://github.com/")


def places(text: str, name: str) -> set[tuple[str, str]]:
    """Return every (owner, name) under which a text mentions this project."""
    return {
        *re.findall(rf"github\.com/([\w.-]+)/({re.escape(name)})\b", text),
        *re.findall(r"owner=([\w.-]+)&(?:amp;)?repository=([\w-]+)", text),
        *re.findall(r"github\.repository == '([\w.-]+)/([\w.-]+)'", text),
        *re.findall(rf"img\.shields\.io/github/\S*?([\w.-]+)/({re.escape(name)})\b", text),
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project's files, with a form of the link that may come one day."""
    for path in project_files(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    owner, name, codeowner = published_at(ROOT)
    (tmp_path / "docs" / "links.md").write_text(
        f"git clone https://github.com/{owner}/{name}.git\n"
        f"See https://github.com/{owner}/{name}. Or [us](https://github.com/{codeowner}).\n"
        f"![release](https://img.shields.io/github/v/release/{owner}/{name}?style=flat)\n"
        f"Thanks to @{codeowner}.\n",
        encoding="utf-8",
    )
    return tmp_path


def set_repository(root: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run the script that a copy brought along."""
    return subprocess.run(
        [sys.executable, SCRIPT, *names], cwd=root, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("file", MENTIONED_IN)
def test_each_file_that_names_the_repository_names_the_one_in_pyproject(file: str) -> None:
    owner, name, _ = published_at(ROOT)
    assert places(texts(ROOT)[file], name) == {(owner, name)}


def test_no_other_file_names_another_repository() -> None:
    owner, name, _ = published_at(ROOT)
    named = {file: places(text, name) for file, text in texts(ROOT).items()}
    # The files that are about this say it with variables.
    named.pop("tests/project/test_repository.py")
    assert {file: found for file, found in named.items() if found - {(owner, name)}} == {}


def test_the_code_owner_is_the_one_in_pyproject() -> None:
    _, _, codeowner = published_at(ROOT)
    assert json.loads(texts(ROOT)[MENTIONED_IN[3]])["codeowners"] == [f"@{codeowner}"]


@pytest.mark.parametrize(
    "names",
    [("battery-fans", "rec_bms"), ("ann", "home-battery"), ("battery-fans", "rec", "ann-b")],
    ids=["another owner", "another name", "a code owner of its own"],
)
def test_set_repository_changes_every_place_and_leaves_nothing_of_the_old(
    copy: Path, names: tuple[str, ...]
) -> None:
    old_owner, old_name, old_codeowner = published_at(copy)

    done = set_repository(copy, *names)

    assert done.returncode == 0, done.stderr
    owner, name, codeowner = (*names, names[0])[:3]
    assert published_at(copy) == (owner, name, codeowner)
    after = texts(copy)
    for file in MENTIONED_IN:
        assert places(after[file], name) == {(owner, name)}, file
    assert json.loads(after[MENTIONED_IN[3]])["codeowners"] == [f"@{codeowner}"]
    assert after["docs/links.md"] == (
        f"git clone https://github.com/{owner}/{name}.git\n"
        f"See https://github.com/{owner}/{name}. Or [us](https://github.com/{codeowner}).\n"
        f"![release](https://img.shields.io/github/v/release/{owner}/{name}?style=flat)\n"
        f"Thanks to @{codeowner}.\n"
    )
    for file, text in after.items():
        # The decision that tells of the placeholder is rewritten with the rest.
        assert f"{old_owner}/{old_name}" not in text, file
        assert f"@{old_codeowner}" not in text, file
        assert f"owner={old_owner}" not in text, file
        assert f"%2F{old_owner}%2F" not in text, file


def test_set_repository_changes_only_the_names(copy: Path) -> None:
    before = texts(copy)
    old = published_at(copy)

    set_repository(copy, "battery-fans", "home-battery", "ann-b")
    set_repository(copy, *old)

    assert texts(copy) == before


def test_set_repository_with_the_names_in_force_changes_nothing(copy: Path) -> None:
    done = set_repository(copy, *published_at(copy))
    assert done.returncode == 0
    assert done.stdout.endswith(" 0 files changed\n")


@pytest.mark.parametrize("names", [(), ("one",), ("a/b", "c"), ("a", "b", "@c"), ("a b", "c")])
def test_set_repository_refuses_what_is_no_name(copy: Path, names: tuple[str, ...]) -> None:
    before = texts(copy)
    done = set_repository(copy, *names)
    assert done.returncode != 0
    assert done.stderr.startswith("usage: ")
    assert texts(copy) == before
