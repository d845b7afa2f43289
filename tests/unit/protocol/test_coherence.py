"""Which limits contradict each other: at equality, and one step of a float32 to either side."""

from __future__ import annotations

import struct

import pytest

from custom_components.rec_bms.protocol.constraints import RULES, check, rules_for
from custom_components.rec_bms.protocol.errors import IncoherentError
from custom_components.rec_bms.protocol.rs485.instructions import SETTINGS

# As the README has it, and not as the code has: low, relation, high, and where they meet.
TABLE = (
    ("CMIN", "<", "CMAX", 3.6),
    ("CMIN", "<=", "CLOW", 3.1),
    ("CLOW", "<", "CMAX", 3.6),
    ("BMIN", "<=", "BVOL", 3.45),
    ("BVOL", "<=", "CMAX", 3.6),
    ("CHAR", "<=", "CMAX", 3.6),
    ("TMIN", "<", "TMAX", 0.0),
)

rule = pytest.mark.parametrize(
    ("low", "relation", "high", "limit"), TABLE, ids=[f"{row[0]}{row[1]}{row[2]}" for row in TABLE]
)


def float32(value: float) -> float:
    (kept,) = struct.unpack("<f", struct.pack("<f", value))
    return float(kept)


def above(value: float, steps: int = 1) -> float:
    """Return the float32 that comes so many steps after a value's own."""
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    (moved,) = struct.unpack("<f", struct.pack("<i", bits + steps))
    return float(moved)


def below(value: float) -> float:
    """Return the float32 that comes before a value's own."""
    return -above(0.0) if value == 0 else above(value, -1)


def check_codes(code: str, value: float, previous: float | None, others: dict[str, float]) -> None:
    named = {SETTINGS[other.lower()]: limit for other, limit in others.items()}
    check(SETTINGS[code.lower()], value, previous, named)


def is_refused(code: str, value: float, previous: float | None, others: dict[str, float]) -> bool:
    try:
        check_codes(code, value, previous, others)
    except IncoherentError:
        return True
    return False


def test_the_rules_are_those_of_the_readme() -> None:
    relations = {True: "<", False: "<="}
    assert [(each.low, relations[each.strict], each.high) for each in RULES] == [
        row[:3] for row in TABLE
    ]


@rule
def test_a_rule_is_broken_from_equality_on_or_above_it(
    low: str, relation: str, high: str, limit: float
) -> None:
    (tied,) = (each for each in RULES if (each.low, each.high) == (low, high))
    limit = float32(limit)
    assert not tied.broken({low: below(limit), high: limit})
    assert tied.broken({low: limit, high: limit}) is (relation == "<")
    assert tied.broken({low: above(limit), high: limit})


@rule
def test_a_new_low_limit_is_measured_against_the_high_one(
    low: str, relation: str, high: str, limit: float
) -> None:
    others = {high: float32(limit)}
    assert not is_refused(low, below(limit), None, others)
    assert is_refused(low, float32(limit), None, others) is (relation == "<")
    assert is_refused(low, above(limit), None, others)


@rule
def test_a_new_high_limit_is_measured_against_the_low_one(
    low: str, relation: str, high: str, limit: float
) -> None:
    others = {low: float32(limit)}
    assert not is_refused(high, above(limit), None, others)
    assert is_refused(high, float32(limit), None, others) is (relation == "<")
    assert is_refused(high, below(limit), None, others)


@rule
def test_what_the_device_keeps_alike_is_equal(
    low: str, relation: str, high: str, limit: float
) -> None:
    """A value as it was typed differs from its own float32."""
    typed = limit + 1e-10
    assert float32(typed) == pytest.approx(limit, abs=1e-6)
    assert is_refused(low, typed, None, {high: float32(typed)}) is (relation == "<")
    assert is_refused(high, typed, None, {low: float32(typed)}) is (relation == "<")


@rule
def test_a_low_limit_that_was_too_high_may_stay_or_fall_but_not_rise(
    low: str, relation: str, high: str, limit: float
) -> None:
    others = {high: float32(limit)}
    for steps in (1, 2, 1000):
        previous = above(limit, steps)
        assert not is_refused(low, previous, previous, others), "no worse"
        assert not is_refused(low, below(previous), previous, others), "better"
        assert is_refused(low, above(previous), previous, others), "worse"


@rule
def test_a_high_limit_that_was_too_low_may_stay_or_rise_but_not_fall(
    low: str, relation: str, high: str, limit: float
) -> None:
    for steps in (1, 2, 1000):
        others = {low: above(limit, steps)}
        previous = float32(limit)
        assert not is_refused(high, previous, previous, others), "no worse"
        assert not is_refused(high, above(previous), previous, others), "better"
        assert is_refused(high, below(previous), previous, others), "worse"


@rule
def test_equal_limits_may_stay_equal_but_not_cross(
    low: str, relation: str, high: str, limit: float
) -> None:
    limit = float32(limit)
    assert not is_refused(low, limit, limit, {high: limit})
    assert is_refused(low, above(limit), limit, {high: limit})
    assert not is_refused(high, limit, limit, {low: limit})
    assert is_refused(high, below(limit), limit, {low: limit})


@rule
def test_limits_that_were_in_order_excuse_nothing(
    low: str, relation: str, high: str, limit: float
) -> None:
    limit = float32(limit)
    assert is_refused(low, above(limit), below(limit), {high: limit})
    assert is_refused(high, below(limit), above(limit), {low: limit})
    assert is_refused(low, limit, below(limit), {high: limit}) is (relation == "<")
    assert is_refused(high, limit, above(limit), {low: limit}) is (relation == "<")


@rule
def test_a_value_that_is_not_known_excuses_nothing(
    low: str, relation: str, high: str, limit: float
) -> None:
    assert is_refused(low, above(limit), None, {high: float32(limit)})


@rule
def test_a_limit_that_there_is_not_forbids_nothing(
    low: str, relation: str, high: str, limit: float
) -> None:
    assert not is_refused(low, limit + 100, None, {})
    assert not is_refused(high, limit - 100, None, {})


@rule
def test_the_refusal_names_the_other_limit_and_how_the_two_must_stand(
    low: str, relation: str, high: str, limit: float
) -> None:
    mirrored = relation.replace("<", ">")
    for code, value, other, sign in (
        (low, above(limit), high, relation),
        (high, below(limit), low, mirrored),
    ):
        with pytest.raises(IncoherentError) as refused:
            check_codes(code, value, None, {other: float32(limit)})
        error = refused.value
        assert (error.setting.code, error.value) == (code, value)
        assert (error.relation, error.other.code) == (sign, other)
        assert error.other_value == float32(limit)


def test_each_rule_of_a_limit_is_looked_at() -> None:
    """CLOW lies between two others, and either of them is named where it is the one."""
    others = {"CMIN": 3.0, "CMAX": 3.6}
    assert not is_refused("CLOW", 3.2, None, others)
    for value, other in ((2.9, "CMIN"), (3.7, "CMAX")):
        with pytest.raises(IncoherentError) as refused:
            check_codes("CLOW", value, None, others)
        assert refused.value.other.code == other


def test_a_contradiction_that_is_let_through_hides_no_other() -> None:
    """BVOL is below BMIN already, which gets better, while it crosses CMAX."""
    others = {"BMIN": 3.5, "CMAX": 3.4}
    assert not is_refused("BVOL", 3.3, 3.0, others)
    with pytest.raises(IncoherentError) as refused:
        check_codes("BVOL", 3.45, 3.0, others)
    assert refused.value.other.code == "CMAX"


def test_a_setting_that_no_rule_names_goes_with_all_others() -> None:
    assert list(rules_for("MAXC")) == []
    check_codes("MAXC", 345.0, 5.0, {"CMAX": 3.6})
