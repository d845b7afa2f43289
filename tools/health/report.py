"""What many lives found, against the truth, as figures with their goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import median

from .cases import Fault
from .outcome import Judged, Outcome, Stepped
from .truth import Condition

_FOUND_WITHIN = 48.0
"""Hours of use."""
_MEDIAN_ERROR, _WORST_ERROR, _INSIDE = 0.02, 0.05, 0.95
_TOLD_APART = 0.95
_NOT_SAID = "not_enough_data"
_OUT_OF_DATE = 14.0
"""Days for which an answer that was right may be told: until charges show otherwise."""
_UNBIASED = 0.3
"""A of an offset that no alarm should be raised of; a sound sensor's is far smaller."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the report; `met` is None where there is no goal, or nothing to judge."""

    name: str
    value: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something wrong that was said of a battery, after so many days."""

    outcome: Outcome
    days: float
    what: str


def figures(outcomes: list[Outcome]) -> list[Figure]:
    """Return all figures of some lives."""
    parts: tuple[Callable[[list[Outcome]], Iterable[Figure]], ...] = (
        _amount,
        _capacity,
        _diagnosis,
        _false_alarms,
        _loose,
        _drift,
        _current,
        _full,
        _lifetime,
    )
    return [figure for part in parts for figure in part(outcomes)]


def _amount(outcomes: list[Outcome]) -> Iterable[Figure]:
    polls = sum(each.polls for each in outcomes)
    years = sum(each.years for each in outcomes)
    yield Figure("batteries", str(len(outcomes)))
    yield Figure("battery-years", f"{years:.1f}")
    yield Figure("polls", str(polls))
    yield Figure("restarts", str(sum(each.restarts for each in outcomes)))
    yield Figure("gaps of hours or days", str(sum(each.gaps for each in outcomes)))
    spent = sum(each.seconds_in_health for each in outcomes) / max(1, polls)
    yield Figure("µs of each poll in Health.add", f"{spent * 1e6:.0f}", "100", spent < 1e-4)
    yield Figure("bytes kept, at most", str(max(each.kept for each in outcomes)))
    spent = sum(each.seconds for each in outcomes) / max(years, 1e-9)
    yield Figure("s of computing for a battery-year", f"{spent:.0f}")


def _capacity(outcomes: list[Outcome]) -> Iterable[Figure]:
    measured = [(each, one) for each in outcomes for one in each.capacities if one.true > 0]
    errors = [abs(one.measured / one.true - 1) for _, one in measured]
    inside = [abs(one.measured - one.true) <= one.uncertainty for _, one in measured]
    batteries = sum(bool(each.capacities) for each in outcomes)
    yield Figure("capacities measured", f"{len(measured)}")
    yield Figure("of batteries", f"{batteries} of {len(outcomes)}")
    if not measured:
        return
    middle, worst, share = median(errors), max(errors), sum(inside) / len(inside)
    stated = median(one.uncertainty / one.measured for _, one in measured)
    yield Figure("capacity error, median", _percent(middle), "2 %", middle <= _MEDIAN_ERROR)
    yield Figure("capacity error, worst", _percent(worst), "5 %", worst <= _WORST_ERROR)
    yield Figure("inside the stated uncertainty", _percent(share), "95 %", share >= _INSIDE)
    yield Figure("stated uncertainty, median", _percent(stated))
    yield Figure("worst capacity of", str(measured[errors.index(worst)][0].case))


def _diagnosis(outcomes: list[Outcome]) -> Iterable[Figure]:
    for fault, condition in (
        (Fault.WEAK, Condition.WEAK_CELL),
        (Fault.UNBALANCED, Condition.UNBALANCED),
        (Fault.NONE, Condition.BALANCED),
    ):
        those = [each for each in outcomes if each.case.fault is fault]
        days = [day for each in those for day in each.judged if day.true == condition]
        said = [day for day in days if day.said != _NOT_SAID]
        right = [day for day in said if _is_right(day)]
        found = [each for each in those if any(_told(day, condition) for day in each.judged)]
        wrong = Counter(day.said for day in said if not _is_right(day))
        yield Figure(f"{condition}: batteries it was said of", f"{len(found)} of {len(those)}")
        yield Figure(f"{condition}: days with an answer", f"{len(said)} of {len(days)}")
        if said:
            share = len(right) / len(said)
            answers = ", ".join(f"{name} {count}" for name, count in wrong.items())
            yield Figure(
                f"{condition}: right answers",
                _percent(share) + (f" (else {answers})" if answers else ""),
                "95 %",
                share >= _TOLD_APART,
            )
    ratios = [
        day.said_imbalance / day.true_imbalance
        for each in outcomes
        for day in each.judged
        if day.said == day.true == Condition.UNBALANCED and day.said_imbalance
    ]
    if ratios:
        yield Figure("imbalance said, of the true Ah, median", f"{median(ratios):.2f}")


def _told(day: Judged, condition: Condition) -> bool:
    return day.true == condition and _is_right(day)


def _is_right(day: Judged) -> bool:
    """Tell whether the condition is true, and the cell, where one is weak."""
    if day.said != day.true:
        return False
    return day.true != Condition.WEAK_CELL or day.said_cell == day.true_cell


def alarms(outcomes: list[Outcome]) -> list[Alarm]:
    """Return what was wrongly said to be wrong, once for each battery and kind."""
    return [alarm for each in outcomes for alarm in _alarms(each)]


def _alarms(outcome: Outcome) -> Iterable[Alarm]:
    loose = outcome.case.fault is Fault.LOOSE
    for step in outcome.steps:
        if not loose or step not in _true_steps(outcome):
            yield Alarm(outcome, step.days, f"loose connection at {step.cell}")
    for offset in outcome.offsets:
        if abs(offset.true) < _UNBIASED or offset.true * offset.found < 0:
            yield Alarm(outcome, offset.days, f"false current {offset.found:.2f} A")
    for said in (Condition.WEAK_CELL, Condition.UNBALANCED):
        wrong = [
            day
            for day in outcome.judged
            if day.said == said and _is_false(day) and not _was_right(day, outcome)
        ]
        if wrong:
            yield Alarm(
                outcome, wrong[0].days, f"{said} at {wrong[0].said_cell}, {len(wrong)} days"
            )
    if outcome.drifts_said and not outcome.drifts_true:
        yield Alarm(outcome, outcome.case.days, "state of charge drifts")


def _is_false(day: Judged) -> bool:
    return day.true != Condition.UNCLEAR and not _is_right(day)


def _was_right(day: Judged, outcome: Outcome) -> bool:
    """Tell whether the answer of a day was the right one some days before."""
    return any(
        _is_right(replace(before, said=day.said, said_cell=day.said_cell))
        for before in outcome.judged
        if 0 < day.days - before.days <= _OUT_OF_DATE
    )


def _false_alarms(outcomes: list[Outcome]) -> Iterable[Figure]:
    sound = [each for each in outcomes if each.case.fault is Fault.NONE]
    count, years = len(alarms(sound)), sum(each.years for each in sound)
    yield Figure(
        "false alarms on healthy batteries", f"{count} in {years:.1f} years", "0", count == 0
    )
    others = [each for each in outcomes if each.case.fault is not Fault.NONE]
    count, years = len(alarms(others)), sum(each.years for each in others)
    yield Figure(
        "false alarms on batteries with another fault",
        f"{count} in {years:.1f} years",
        "0",
        not count,
    )


def _loose(outcomes: list[Outcome]) -> Iterable[Figure]:
    those = [each for each in outcomes if each.case.fault is Fault.LOOSE]
    used = [each for each in those if each.hours_of_use_loose >= _FOUND_WITHIN]
    first = {
        id(each): min((step.hours_of_use for step in _true_steps(each)), default=None)
        for each in those
    }
    hours = [found for each in those if (found := first[id(each)]) is not None]
    in_time = [
        each for each in used if (found := first[id(each)]) is not None and found <= _FOUND_WITHIN
    ]
    yield Figure(
        "loose busbars found within 48 h of use",
        f"{len(in_time)} of {len(used)}",
        "all",
        len(in_time) == len(used) if used else None,
    )
    yield Figure("loose busbars found at all", f"{len(hours)} of {len(those)}")
    if hours:
        yield Figure("hours of use until found, median", f"{median(hours):.1f}")
        yield Figure("hours of use until found, worst", f"{max(hours):.1f}")


def _true_steps(outcome: Outcome) -> list[Stepped]:
    """Return the steps that were found of the loose busbar, once it was loose."""
    return [
        step
        for step in outcome.steps
        if step.cell == outcome.true_cell and step.days >= outcome.loose_after
    ]


def _drift(outcomes: list[Outcome]) -> Iterable[Figure]:
    those = [each for each in outcomes if each.case.fault is Fault.LEAKING]
    told = [(each, each.drifted) for each in those if each.drifted is not None]
    cell = [drift for each, drift in told if drift.cell == each.true_cell]
    sign = [drift for drift in cell if drift.volts_a_month < 0]
    yield Figure("leaking cells: batteries with a drift", f"{len(told)} of {len(those)}")
    yield Figure("leaking cells: drift of the right cell", f"{len(cell)} of {len(told)}")
    yield Figure("leaking cells: and of the right sign", f"{len(sign)} of {len(cell)}")
    sound = [
        abs(each.drifted.volts_a_month)
        for each in outcomes
        if each.case.fault is Fault.NONE and each.drifted is not None
    ]
    if sound:
        yield Figure("healthy: largest drift, mV a month", f"{max(sound) * 1000:.2f}")


def _current(outcomes: list[Outcome]) -> Iterable[Figure]:
    those = [each for each in outcomes if each.case.fault is Fault.OFFSET]
    found = [each for each in those if each.offsets]
    either = [each for each in those if each.offsets or each.drifts_said]
    share = len(found) / max(1, len(those))
    yield Figure("false currents found", f"{len(found)} of {len(those)} ({share * 100:.0f} %)")
    yield Figure("or said to drift, by their charge", f"{len(either)} of {len(those)}")
    errors = [abs(one.found - one.true) for each in found for one in each.offsets]
    if errors:
        yield Figure("error of the offset, A, median", f"{median(errors):.3f}")
        yield Figure("error of the offset, A, worst", f"{max(errors):.3f}")


def _full(outcomes: list[Outcome]) -> Iterable[Figure]:
    corrections = [one for each in outcomes for one in each.corrections]
    errors = [abs(one.found - one.true) for one in corrections if one.true is not None]
    yield Figure("full charges", str(sum(each.true_fulls for each in outcomes)))
    yield Figure("corrections found", str(len(corrections)))
    if errors:
        yield Figure("error of a correction, median", _percent(median(errors)))
        yield Figure("error of a correction, worst", _percent(max(errors)))
    said = [each for each in outcomes if each.drifts_said]
    true = [each for each in outcomes if each.drifts_true]
    both = [each for each in said if each.drifts_true]
    yield Figure(
        "state of charge drifts: said, true, both", f"{len(said)}, {len(true)}, {len(both)}"
    )


def _lifetime(outcomes: list[Outcome]) -> Iterable[Figure]:
    for name in ("charged", "discharged"):
        shares = [
            kept / told
            for each in outcomes
            for kept, told in [each.lifetime.get(name, (None, 0.0))]
            if told and kept is not None
        ]
        if shares:
            yield Figure(
                f"lifetime: {name}, of Ah told when heard",
                f"{min(shares):.3f} to {max(shares):.3f}, median {median(shares):.3f}",
            )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
