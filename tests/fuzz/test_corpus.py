"""What the fuzzer has found worth keeping still holds; `scripts/fuzz` looks for more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from targets import Targets, load

CASES = sorted((Path(__file__).parent / "corpus").glob("*/*"))


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets(load())


def test_there_is_a_corpus_for_each_target(targets: Targets) -> None:
    assert {case.parent.name for case in CASES} == targets.by_name.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name[:8]}")
def test_what_must_hold_holds(targets: Targets, case: Path) -> None:
    targets.by_name[case.parent.name](case.read_bytes())
