"""Plans of restores: each step is coherent, and there is one exactly where there is an order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import permutations

import pytest

from custom_components.rec_bms.protocol.constraints import RULES, check
from custom_components.rec_bms.protocol.errors import IncoherentError, NoOrderError
from custom_components.rec_bms.protocol.restoring import (
    BY_NAME_ONLY,
    obstacles,
    plan,
    restored,
    same,
)
from custom_components.rec_bms.protocol.rs485.instructions import SETTINGS

KNOWN = {setting.code: setting for setting in SETTINGS.values()}
TIED = sorted({code for rule in RULES for code in (rule.low, rule.high)})
COHERENT_PAIRS = 2500
ANY_PAIRS = 2500
MOST_ORDERS = 5
"""Settings of which all orders are tried, one by one: 120."""

type Values = Mapping[str, float]


def is_coherent(values: Values) -> bool:
    return not any(rule.broken(values) for rule in RULES)


def is_let_through(code: str, value: float, values: Values) -> bool:
    """Tell whether a set would be sent, with the limits as they are by then."""
    others = {KNOWN[other]: limit for other, limit in values.items() if other != code}
    try:
        check(KNOWN[code], value, values.get(code), others)
    except IncoherentError:
        return False
    return True


def incoherent_steps(order: tuple[str, ...], wanted: Values, current: Values) -> int:
    """Return how many steps of a plan are refused when they are made one after the other."""
    values, wrong = dict(current), 0
    for code in order:
        wrong += not is_let_through(code, wanted[code], values)
        values[code] = wanted[code]
    assert all(same(values[code], value) for code, value in wanted.items())
    return wrong


def works(order: tuple[str, ...], wanted: Values, current: Values) -> bool:
    values = dict(current)
    for code in order:
        if not is_let_through(code, wanted[code], values):
            return False
        values[code] = wanted[code]
    return True


def drawn(dice: random.Random) -> dict[str, float]:
    """Return values within their limits, coherent or not; rounded, so that some are equal."""
    return {
        code: round(dice.uniform(KNOWN[code].minimum, KNOWN[code].maximum), dice.choice((1, 3)))
        for code in TIED
    }


def coherent(dice: random.Random) -> dict[str, float]:
    while True:
        values = drawn(dice)
        if is_coherent(values):
            return values


@pytest.mark.long
def test_between_coherent_settings_there_is_a_plan_and_each_of_its_steps_is_coherent() -> None:
    dice = random.Random(15)
    wrong = steps = 0
    for _ in range(COHERENT_PAIRS):
        wanted, current = coherent(dice), coherent(dice)
        order = plan(wanted, current, KNOWN)
        values = dict(current)
        for code in order:
            values[code] = wanted[code]
            steps += 1
            wrong += not is_coherent(values)
        wrong += incoherent_steps(order, wanted, current)
    print(f"\nplans checked: {COHERENT_PAIRS}, steps: {steps}, incoherent steps: {wrong}")
    assert steps > 5 * COHERENT_PAIRS
    assert wrong == 0


@pytest.mark.long
def test_there_is_a_plan_exactly_where_there_is_an_order_whatever_is_set_now() -> None:
    dice = random.Random(51)
    refused = wrong = 0
    for _ in range(ANY_PAIRS):
        current, target = drawn(dice), drawn(dice)
        codes = dice.sample(TIED, dice.randint(1, MOST_ORDERS))
        wanted = {code: target[code] for code in codes}
        changing = [code for code in codes if not same(wanted[code], current[code])]
        there_is = any(works(order, wanted, current) for order in permutations(changing))
        try:
            order = plan(wanted, current, KNOWN)
        except NoOrderError:
            refused += 1
            assert not there_is, (wanted, current)
        else:
            assert there_is, (wanted, current)
            wrong += incoherent_steps(order, wanted, current)
    print(f"\nplans checked against all orders: {ANY_PAIRS}, refused: {refused}, wrong: {wrong}")
    assert 100 < refused < ANY_PAIRS - 100
    assert wrong == 0


def test_what_is_there_already_is_not_set_again() -> None:
    current = {"CMAX": 4.15, "CMIN": 2.8}
    assert plan({"CMAX": 4.150000095367432, "CMIN": 2.8}, current, KNOWN) == ()


def test_limits_move_out_of_each_others_way() -> None:
    current = {"CMIN": 2.5, "CLOW": 2.6, "CMAX": 3.0}
    assert plan({"CMIN": 3.4, "CLOW": 3.5, "CMAX": 4.2}, current, KNOWN) == (
        "CMAX",
        "CLOW",
        "CMIN",
    )


def test_the_chemistry_is_set_first_and_what_is_tied_before_what_is_free() -> None:
    current = {"CMAX": 4.15, "CHEM": 1, "RAZL": 0.1, "MAXC": 50}
    wanted = {"CMAX": 3.6, "CHEM": 3, "RAZL": 0.2, "MAXC": 60}
    assert plan(wanted, current, KNOWN) == ("CHEM", "CMAX", "RAZL", "MAXC")


def test_what_cannot_be_ordered_is_refused_with_the_contradiction() -> None:
    with pytest.raises(NoOrderError) as refused:
        plan({"CMAX": 3.0, "CMIN": 3.2}, {"CMAX": 4.15, "CMIN": 2.8}, KNOWN)
    reason = refused.value.reason
    assert {reason.setting.code, reason.other.code} == {"CMAX", "CMIN"}


def test_a_limit_that_is_left_out_is_in_the_way_of_the_other() -> None:
    with pytest.raises(NoOrderError) as refused:
        plan({"CMIN": 3.2}, {"CMAX": 3.0, "CMIN": 2.8}, KNOWN)
    assert (refused.value.reason.other.code, refused.value.reason.other_value) == ("CMAX", 3.0)


def test_a_setting_whose_value_is_not_known_is_set() -> None:
    assert plan({"CMAX": 4.1}, {"CMIN": 2.8}, KNOWN) == ("CMAX",)


def test_some_things_are_restored_only_by_their_names() -> None:
    kept = dict.fromkeys([*BY_NAME_ONLY, "CMAX"], 1.0)
    assert restored(kept, None) == {"CMAX": 1.0}
    assert restored(kept, {"CHEM", "CYCL"}) == {"CHEM": 1.0, "CYCL": 1.0}
    assert {
        *("CYCL", "VMAX", "VMIN", "SOCS", "IOFF", "IOJA", "EAVC", "ODDC", "CHEM", "CANF")
    } == BY_NAME_ONLY


@pytest.mark.parametrize("value", [4.4, 1.9, float("inf"), float("nan")])
def test_what_a_unit_does_not_take_is_named(value: float) -> None:
    found = obstacles({"CMAX": value, "CMIN": 2.8}, KNOWN, {"CMAX": 4.2, "CMIN": 2.8})
    assert found
    assert [setting.code for setting, _ in found.outside] == ["CMAX"]
    assert found.missing == ()


def test_what_a_unit_lacks_is_named_and_not_judged() -> None:
    found = obstacles({"STRN": 9, "CMAX": 4.1, "SISN": 1.5}, KNOWN, {"CMAX": 4.2, "SISN": 1})
    assert [setting.code for setting in found.missing] == ["STRN"]
    assert [setting.code for setting, _ in found.outside] == ["SISN"]


def test_nothing_is_in_the_way_of_what_fits() -> None:
    assert not obstacles({"CMAX": 4.1}, KNOWN, {"CMAX": 4.2})


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (3.58, 3.5799999237060547, True),
        (0.019531, 0.01953100040555, True),
        (3.58, 3.581, False),
        (345.0, 345.001, False),
        (0.0, 0.0, True),
        (0.0, 0.00001, False),
        (-0.0001, 0.0001, False),
    ],
)
def test_a_value_is_the_same_whatever_a_float32_made_of_it(
    one: float, other: float, *, is_same: bool
) -> None:
    assert same(one, other) is is_same


def test_what_a_unit_has_beyond_the_limits_may_be_kept_and_come_nearer() -> None:
    for value in (350, 346):
        assert not obstacles({"MAXD": value}, KNOWN, {"MAXD": 350})
    assert obstacles({"MAXD": 351}, KNOWN, {"MAXD": 350})
    assert obstacles({"MAXD": 350}, KNOWN, {"MAXD": 345})
    assert obstacles({"MAXD": 350}, KNOWN, {"MAXD": None})
