"""Batteries that age: what is found of them, and that a finding against the truth is an alarm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.health import command
from tools.health.cases import Case, Fault, cases
from tools.health.life import Life
from tools.health.outcome import Judged, Offset, Outcome, Stepped
from tools.health.report import alarms, figures
from tools.simulator.battery import LooseBusbar

MACHINE = Case(3, Fault.NONE, "machine", 12, 1)
"""A battery that is emptied every day."""


@pytest.fixture(scope="module")
def lived() -> Outcome:
    return Life(MACHINE, interval=300).run()


def test_of_a_healthy_battery_nothing_is_said(lived: Outcome) -> None:
    assert not alarms([lived])
    assert lived.true_fulls > 3
    assert lived.polls > 3000
    assert lived.kept > 0


def test_what_it_holds_is_measured(lived: Outcome) -> None:
    for one in lived.capacities:
        assert one.measured == pytest.approx(one.true, rel=0.05)
        assert abs(one.measured - one.true) <= one.uncertainty
    assert all(0.9 < kept / true < 1.1 for kept, true in lived.lifetime.values() if kept)


@pytest.mark.long
def test_a_loose_busbar_is_found_in_its_cell() -> None:
    life = Life(Case(3, Fault.LOOSE, "machine", 14, 3), interval=300)
    busbar = LooseBusbar(*life.outcome.true_cell, 6.5 * 86400.0, 2e-3)
    life.made.bms.battery.loose, life.made.loose_since = [busbar], 6 * 86400.0
    life.outcome.loose_after = 6.0
    outcome = life.run()
    assert [step.cell for step in outcome.steps] == [outcome.true_cell]
    assert 0 < outcome.steps[0].hours_of_use < 48
    assert not alarms([outcome])


@pytest.mark.long
def test_a_false_current_is_found_in_idle_hours_between_charges() -> None:
    outcome = Life(Case(3, Fault.OFFSET, "machine", 14, 3), interval=300).run()
    assert [each.found for each in outcome.offsets] == [
        pytest.approx(outcome.offsets[0].true, abs=0.1)
    ]
    assert not alarms([outcome])


def test_the_same_seed_lives_the_same_life() -> None:
    lives = [Life(replace(MACHINE, days=2), interval=300).run() for _ in range(2)]
    first, again = (replace(one, seconds=0.0, seconds_in_health=0.0) for one in lives)
    assert first == again


@pytest.mark.parametrize("said", ["weak_cell", "unbalanced"])
def test_a_finding_of_a_healthy_battery_is_a_false_alarm(said: str) -> None:
    day = Judged(said, (1, 2), None, "balanced", (1, 1), 0.1, 3)
    assert len(alarms([Outcome(MACHINE, (1, 1), judged=[day, day])])) == 1


@pytest.mark.parametrize(("days", "count"), [(10, 0), (30, 1)])
def test_an_answer_that_was_right_is_no_false_alarm_for_two_weeks(days: int, count: int) -> None:
    """Until charges have shown that cells are in balance again."""
    was = Judged("not_enough_data", (None, None), None, "unbalanced", (1, 2), 9.0, 2)
    still = Judged("unbalanced", (1, 2), 9.0, "balanced", (1, 1), 0.1, 2 + days)
    assert len(alarms([Outcome(MACHINE, (1, 1), judged=[was, still])])) == count


def test_a_step_of_another_cell_or_before_its_time_is_a_false_alarm() -> None:
    loose = replace(MACHINE, fault=Fault.LOOSE)
    right, wrong, early = (
        Stepped((1, 1), 5, 3),
        Stepped((1, 2), 5, 3),
        Stepped((1, 1), 0, 1),
    )
    assert not alarms([Outcome(loose, (1, 1), 2, steps=[right])])
    assert alarms([Outcome(loose, (1, 1), 2, steps=[wrong])])
    assert alarms([Outcome(loose, (1, 1), 2, steps=[early])])
    assert alarms([Outcome(MACHINE, (1, 1), steps=[right])])


def test_an_offset_that_is_none_is_a_false_alarm() -> None:
    assert alarms([Outcome(MACHINE, (1, 1), offsets=[Offset(0.4, 0.01, 5)])])
    biased = replace(MACHINE, fault=Fault.OFFSET)
    assert alarms([Outcome(biased, (1, 1), offsets=[Offset(0.9, -0.9, 5)])])
    assert not alarms([Outcome(biased, (1, 1), offsets=[Offset(0.9, 0.8, 5)])])


def test_a_missed_goal_is_a_figure_that_says_so() -> None:
    wrong = Outcome(MACHINE, (1, 1), years=1, polls=1, steps=[Stepped((1, 2), 0, 3)])
    missed = [figure.name for figure in figures([wrong]) if figure.met is False]
    assert missed == ["false alarms on healthy batteries"]


def test_every_owner_meets_every_chemistry_and_faults_are_among_them() -> None:
    made = cases([2, 3, 4, 5], 20, 365, 1)
    assert len(made) == 80
    assert len({(case.chemistry, case.owner) for case in made}) == 16
    assert {case.fault for case in made} == set(Fault)
    assert len({case.seed for case in made}) == 80
    assert sum(case.fault is Fault.NONE for case in made) >= 20


def test_it_prints_its_seed_and_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--days", "1", "--batteries", "1", "--chemistries", "3", "--seed", "7"]
    code = command.main([*options, "--jobs", "1"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["seed", "7"]
    assert any(line.startswith("false alarms on healthy batteries") for line in said)
    assert code == (1 if any(line.endswith("MISSED") for line in said) else 0)
