"""What a battery has been through: extremes that are certain, charge, and time beyond limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.rec_bms.protocol.health.lifetime import Deepest, Extreme, Lifetime
from custom_components.rec_bms.protocol.state import ErrorState, Location, PerUnit
from tests.unit.protocol.health.updates import update

GAP = 30.0
NOON = 1_800_000_000.0
LIMITS = {"cmax": 3.65, "cmin": 2.8}


def follow(
    life: Lifetime, told: list[dict[str, Any]], *, start: float = 0, step: float = 10
) -> Lifetime:
    """Have a battery followed from measurement to measurement."""
    for index, each in enumerate(told):
        at = start + index * step
        life.add(update(at, continuous=bool(index), **{**LIMITS, **each}), NOON + at)
    return life


def highs(*volts: float | None) -> list[dict[str, Any]]:
    return [{"max_cell_voltage": each} for each in volts]


def lows(*volts: float | None) -> list[dict[str, Any]]:
    return [{"min_cell_voltage": each} for each in volts]


def after_restart(life: Lifetime) -> Lifetime:
    """Return what goes on after a restart, from what was written to a file."""
    other = Lifetime(GAP)
    other.restore(json.loads(json.dumps(life.as_dict())))
    return other


def test_counting_begins_with_the_first_update() -> None:
    life = Lifetime(GAP)
    assert life.since is None
    follow(life, highs(3.4, 3.4))
    assert life.since == NOON


def test_the_furthest_that_was_measured_twice_running_is_kept() -> None:
    life = follow(Lifetime(GAP), highs(3.4, 3.5, 3.52, 3.51, 3.3, 3.3))
    assert life.highest == Extreme(3.51, NOON + 30, None, None)
    life = follow(Lifetime(GAP), lows(3.1, 2.9, 2.85, 2.95, 3.2, 3.2))
    assert life.lowest == Extreme(2.9, NOON + 10, None, None)


@pytest.mark.parametrize("glitch", [0.0, 1.0, 5.4])
def test_a_single_wrong_reading_is_no_extreme(glitch: float) -> None:
    both = [
        {"max_cell_voltage": max(each, 3.4), "min_cell_voltage": min(each, 3.4)}
        for each in (3.4, 3.4, glitch, 3.4, 3.4)
    ]
    life = follow(Lifetime(GAP), both)
    assert life.highest is not None
    assert life.lowest is not None
    assert (life.highest.volts, life.lowest.volts) == (3.4, 3.4)
    assert (life.seconds_above, life.seconds_below) == (0, 0)


def test_the_same_measurement_told_twice_is_one() -> None:
    life = Lifetime(GAP)
    for _ in range(5):
        life.add(update(0, max_cell_voltage=5.4, current=10.0, **LIMITS), NOON)
    assert life.highest is None
    assert life.charged == 0


@pytest.mark.parametrize("number", [6, 9, 10])
def test_what_a_bms_does_not_believe_itself_is_no_extreme(number: int) -> None:
    error = ErrorState(present=True, unit=1, number=number, location=3)
    told = [{"min_cell_voltage": 0.2, "error": error}] * 5
    assert follow(Lifetime(GAP), told).lowest is None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_errors_of_cells_are_what_extremes_are_about(number: int) -> None:
    error = ErrorState(present=True, unit=1, number=number, location=3)
    life = follow(Lifetime(GAP), [{"min_cell_voltage": 2.5, "error": error}] * 2)
    assert life.lowest is not None
    assert life.lowest.volts == 2.5


def test_an_error_that_is_over_hides_nothing() -> None:
    error = ErrorState(present=False, unit=1, number=10, location=3)
    life = follow(Lifetime(GAP), [{"min_cell_voltage": 2.5, "error": error}] * 2)
    assert life.lowest is not None


def test_two_readings_with_a_gap_between_are_not_running() -> None:
    life = follow(Lifetime(GAP), highs(3.4, 3.4, 3.7))
    life.add(update(3_000, continuous=False, max_cell_voltage=3.7), NOON + 3_000)
    assert life.highest is not None
    assert life.highest.volts == 3.4


def test_a_reading_that_is_missing_between_two_parts_them() -> None:
    life = follow(Lifetime(GAP), highs(3.7, None, 3.7))
    assert life.highest is None


def test_a_slow_poll_of_a_bms_that_was_heard_all_the_time_is_no_gap() -> None:
    life = follow(Lifetime(GAP), highs(3.7, 3.7), step=300)
    assert life.highest is not None
    assert life.seconds_above == 300


def place(**told: Any) -> tuple[int | None, int | None]:
    """Return where an extreme is said to be."""
    life = follow(Lifetime(GAP), [{"max_cell_voltage": 3.6, **told}] * 2)
    assert life.highest is not None
    return life.highest.unit, life.highest.cell


CELLS = PerUnit(((3.4, 3.4), (3.4, 3.6)))


def test_an_extreme_has_its_place() -> None:
    assert place(max_cell=Location(None, 2, position=2), cell_voltages=CELLS) == (2, 2)
    assert place(max_cell=Location(None, 2, position=2)) == (2, 2)
    one = PerUnit(((3.4, 3.6),))
    assert place(max_cell=Location(16, 2), cell_voltages=one) == (1, 2)


def test_a_place_that_is_not_certain_is_not_told() -> None:
    assert place() == (None, None)
    assert place(max_cell=Location(2, 2), cell_voltages=CELLS) == (None, None)


def test_a_place_that_the_cells_contradict_is_not_told() -> None:
    assert place(max_cell=Location(None, 1, position=1), cell_voltages=CELLS) == (None, None)
    assert place(max_cell=Location(None, 3, position=1), cell_voltages=CELLS) == (None, None)


def test_the_place_is_that_of_the_voltage_that_is_kept() -> None:
    life = follow(
        Lifetime(GAP),
        [
            {"max_cell_voltage": 3.6, "max_cell": Location(None, 1, position=1)},
            {"max_cell_voltage": 3.7, "max_cell": Location(None, 2, position=1)},
        ],
    )
    assert life.highest == Extreme(3.6, NOON, 1, 1)


def test_the_deepest_discharge_is_the_lowest_count_that_was_told_twice() -> None:
    told = [{"state_of_charge": each} for each in (0.5, 0.4, 0.02, 0.41, 0.42)]
    assert follow(Lifetime(GAP), told).deepest == Deepest(0.4, NOON + 10)


def test_charge_is_counted_each_way() -> None:
    """Half an hour in at 20 A, half an hour out at 10 A, and a minute that goes from one to the
    other."""
    told = [{"current": 20.0}] * 31 + [{"current": -10.0}] * 31
    life = follow(Lifetime(120), told, step=60)
    assert life.charged == pytest.approx(10 + 20 * (40 / 3600) / 2)
    assert life.discharged == pytest.approx(5 + 10 * (20 / 3600) / 2)


def test_nothing_is_counted_over_gaps() -> None:
    told = [{"current": 20.0, "max_cell_voltage": 3.7, "min_cell_voltage": 2.5}] * 2
    life = follow(Lifetime(GAP), told)
    once = life.charged, life.seconds_above, life.seconds_below
    follow(life, told, start=5_000)
    assert (life.charged, life.seconds_above, life.seconds_below) == pytest.approx(
        tuple(2 * each for each in once)
    )


def test_a_current_that_is_not_known_counts_nothing() -> None:
    told = [{"current": each} for each in (20.0, None, 20.0)]
    assert follow(Lifetime(GAP), told).charged == 0


def test_time_beyond_a_limit_is_counted_while_it_is_beyond_at_both_ends() -> None:
    life = follow(Lifetime(GAP), highs(3.6, 3.66, 3.66, 3.66, 3.65, 3.6))
    assert life.seconds_above == 20
    assert life.seconds_below == 0
    life = follow(Lifetime(GAP), lows(2.9, 2.79, 2.79, 2.8))
    assert life.seconds_below == 10


def test_the_limit_is_the_one_that_is_set_at_the_time() -> None:
    told = [{"max_cell_voltage": 3.5, "cmax": cmax} for cmax in (3.4, 3.4, 3.65, 3.65, 3.65)]
    assert follow(Lifetime(GAP), told).seconds_above == 10


@pytest.mark.parametrize("limit", [{"cmax": None}, {"cmax": 3.4, "max_cell_voltage": None}])
def test_beyond_what_is_not_known_is_nothing(limit: dict[str, Any]) -> None:
    told = [{"max_cell_voltage": 3.7, **limit}] * 3
    assert follow(Lifetime(GAP), told).seconds_above == 0


def test_all_of_it_outlives_a_restart() -> None:
    told = [
        {
            "max_cell_voltage": 3.7,
            "min_cell_voltage": 2.5,
            "max_cell": Location(None, 3, position=1),
            "state_of_charge": 0.3,
            "current": -20.0,
        }
    ] * 3
    life = follow(Lifetime(GAP), told)
    life.charged = 7.5
    other = after_restart(life)
    assert other.as_dict() == life.as_dict()
    assert other.highest == Extreme(3.7, NOON, 1, 3)
    assert other.discharged > 0
    assert other.seconds_above == other.seconds_below == 20


def test_after_a_restart_one_reading_is_not_two() -> None:
    other = after_restart(follow(Lifetime(GAP), highs(3.4, 3.7)))
    follow(other, highs(3.7), start=1)
    assert other.highest is not None
    assert other.highest.volts == 3.4


def test_a_reset_begins_anew() -> None:
    life = follow(Lifetime(GAP), [{"max_cell_voltage": 3.7, "current": 9.0}] * 3)
    life.reset(NOON + 100)
    assert life.as_dict() == {**Lifetime(GAP).as_dict(), "since": NOON + 100}
    follow(life, highs(3.5, 3.5), start=100)
    assert life.highest is not None
    assert life.highest.volts == 3.5
    assert life.since == NOON + 100


def test_a_clock_that_was_ahead_leaves_no_time_in_the_future() -> None:
    told = [{"max_cell_voltage": 3.6, "min_cell_voltage": 3.0, "state_of_charge": 0.3}] * 2
    life = follow(Lifetime(GAP), told)
    earlier = NOON - 1e6
    life.add(update(20, **told[0]), earlier)
    assert life.since == earlier
    assert life.highest == Extreme(3.6, earlier, None, None)
    assert life.lowest == Extreme(3.0, earlier, None, None)
    assert life.deepest == Deepest(0.3, earlier)


def test_an_extreme_that_was_seen_just_before_the_clock_was_set_is_not_in_the_future() -> None:
    life = follow(Lifetime(GAP), highs(3.6))
    life.add(update(10, max_cell_voltage=3.7), NOON - 1_000)
    assert life.highest == Extreme(3.6, NOON - 1_000, None, None)


KEPT = {
    "since": NOON,
    "highest": {"volts": 3.7, "at": NOON, "unit": 1, "cell": 3},
    "lowest": {"volts": 2.5, "at": NOON, "unit": None, "cell": None},
    "deepest": {"state_of_charge": 0.1, "at": NOON},
    "charged": 10.0,
    "discharged": 9.0,
    "seconds_above": 60.0,
    "seconds_below": 70.0,
}
FRESH = Lifetime(GAP).as_dict()


@pytest.mark.parametrize("field", list(KEPT))
@pytest.mark.parametrize(
    "nonsense", [None, "x", float("nan"), float("inf"), -1.0, True, [], {}, {"volts": 3.3}, 10**400]
)
def test_what_cannot_be_read_is_left_out_by_itself(field: str, nonsense: object) -> None:
    life = Lifetime(GAP)
    life.restore({**KEPT, field: nonsense})
    assert life.as_dict() == {**KEPT, field: FRESH[field]}


@pytest.mark.parametrize("kept", [None, [], "x", 3, {}])
def test_what_is_of_another_shape_leaves_a_fresh_one(kept: object) -> None:
    life = Lifetime(GAP)
    life.restore(kept)
    assert life.as_dict() == FRESH


@pytest.mark.parametrize(
    "wrong", [{"volts": 7.0}, {"at": -5}, {"volts": float("nan")}, {"at": None}, {"volts": "3.4"}]
)
def test_an_extreme_that_cannot_be_is_left_out(wrong: dict[str, Any]) -> None:
    life = Lifetime(GAP)
    life.restore({"highest": {"volts": 3.7, "at": NOON, "unit": 1, "cell": 3, **wrong}})
    assert life.highest is None


@pytest.mark.parametrize("wrong", [{"unit": 0}, {"cell": None}, {"cell": 1.5}, {"unit": True}])
def test_half_a_place_is_none(wrong: dict[str, Any]) -> None:
    life = Lifetime(GAP)
    life.restore({"highest": {"volts": 3.7, "at": NOON, "unit": 1, "cell": 3, **wrong}})
    assert life.highest == Extreme(3.7, NOON, None, None)


_VOLTS = st.none() | st.floats(0, 5.5)
_STEPS = st.lists(
    st.tuples(_VOLTS, st.none() | st.floats(-300, 300), st.floats(0, 100), st.floats(-1e4, 1e4)),
    max_size=30,
)


@given(_STEPS)
def test_whatever_comes_nothing_goes_back_or_beyond_what_was_measured(
    steps: list[tuple[float | None, float | None, float, float]],
) -> None:
    life = Lifetime(GAP)
    at = 0.0
    told: list[float | None] = []
    before = life.as_dict()
    for volts, amperes, seconds, jump in steps:
        at += seconds
        now = NOON + at + jump
        life.add(
            update(at, continuous=False, max_cell_voltage=volts, current=amperes, **LIMITS), now
        )
        told.append(volts)
        kept = life.as_dict()
        assert all(kept[key] >= before[key] for key in ("charged", "discharged"))
        assert 0 <= life.seconds_above <= at
        assert life.since is not None
        assert life.since <= now
        if life.highest is not None:
            assert life.highest.volts in told
            assert life.highest.volts <= max(each for each in told if each is not None)
            assert life.highest.at <= now
        assert after_restart(life).as_dict() == kept
        before = kept
