"""A test that failed fails again: nothing is drawn anew, and no clock is anything but a clock."""

from __future__ import annotations

import ast
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from tests.wall_clock import wall_clock
from tools.simulator import BMS, Faults

ROOT = Path(__file__).parents[2]
FRESH = {"random", "secrets", "uuid"}
"""Modules whose functions give something else each time; `random.Random(seed)` does not."""


def test_what_hypothesis_draws_is_the_same_in_every_run() -> None:
    assert settings.default is not None
    assert settings.default.derandomize
    assert settings.default.database is None


def drawn_anew(source: str) -> list[str]:
    """Return the calls that give something else each time."""
    return [
        ast.unparse(call)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in FRESH
        and not (call.func.attr == "Random" and call.args)
    ]


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("tests", "tools/simulator")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_is_drawn_without_a_seed(path: Path) -> None:
    assert drawn_anew(path.read_text(encoding="utf-8")) == []


def test_drawing_without_a_seed_is_noticed() -> None:
    fresh = ["random.random()", "random.Random()", "uuid.uuid4()", "secrets.token_hex(8)"]
    for call in fresh:
        assert drawn_anew(f"x = {call}") == [call]
    assert drawn_anew("random.Random(7)") == []


def test_a_simulator_that_is_given_no_seed_has_one() -> None:
    assert Faults().rng.random() == Faults().rng.random()
    assert BMS()._rng.random() == BMS()._rng.random()


# -- the time of day -------------------------------------------------------------------------------


def test_at_another_time_of_day_seconds_are_counted_as_ever() -> None:
    before, counted = time.time(), time.monotonic()
    start = datetime(2031, 5, 6, 23, 59, 59, tzinfo=UTC)
    with wall_clock(start) as move_on:
        move_on(3600)
        assert timedelta(hours=1) < datetime.now(UTC) - start < timedelta(hours=1, minutes=1)
        assert time.gmtime()[:3] == (2031, 5, 7)
        assert time.localtime().tm_gmtoff is not None
        assert time.monotonic() - counted < 60
    assert time.time() - before < 60


def test_a_clock_that_stands_is_moved_on_by_nothing_else() -> None:
    start = datetime(2031, 5, 6, 12, tzinfo=UTC)
    with wall_clock(start, stands=True) as move_on:
        assert datetime.now(UTC) == start
        move_on(2.5)
        assert datetime.now(UTC) == start + timedelta(seconds=2.5)
