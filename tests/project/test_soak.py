"""The soak finds mistakes that are made on purpose, and calls nothing wrong that is right."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.project.forked import output_of
from tools.soak import command
from tools.soak.flow import Flow, Main
from tools.soak.health import Life
from tools.soak.oracle import knows

SEED = 424242000
"""With this one the first poll of a BMS takes longer than its first reading is shown."""

# Mistakes are made in a process of their own, since the soak has a loop and a Home Assistant too.
SOAK = """
import json
import tools.soak.run
from dataclasses import replace
from custom_components.rec_bms.coordinator import RecBmsCoordinator
from custom_components.rec_bms.protocol.rs485.transaction import Transactions
from tools.soak import command, oracle
{mistakes}
report = command._one(300, 200.0, 0.2, {seed})
print(json.dumps(vars(report)))
"""
MISTAKES = """
update, code_of = RecBmsCoordinator._async_update_data, oracle.code_of
request = Transactions.request

async def longer(self):
    data = await update(self)
    return replace(data, duration=data.duration * 1.02)

async def one_more_retry(self, *args, **options):
    counters = self._transport.counters
    before = counters.retries
    try:
        return await request(self, *args, **options)
    finally:
        counters.retries += counters.retries > before

RecBmsCoordinator._async_update_data = longer
Transactions.request = one_more_retry
oracle.code_of = lambda key: None if key == "reference_voltage" else code_of(key)
"""


def soak(mistakes: str = "") -> dict[str, Any]:
    """Run a short soak in which something is done wrong; return what it found."""
    said = output_of(SOAK.format(mistakes=mistakes, seed=SEED))
    report: dict[str, Any] = json.loads(said.splitlines()[-1])
    return report


def wrongly_shown(report: dict[str, Any]) -> set[str]:
    """Return the keys of the entities that were said to show something wrong."""
    return {example.split(": ", 1)[1].split()[0] for example in report["examples"]}


@pytest.mark.long
def test_what_is_right_is_not_called_wrong_even_when_a_first_poll_takes_long() -> None:
    report = soak()
    assert report["examples"] == []
    assert report["counts"]["states"] > 1000
    assert report["without_oracle"] == {}


@pytest.mark.long
def test_mistakes_are_found_and_what_there_is_no_oracle_for_is_named() -> None:
    report = soak(MISTAKES)
    assert report["counts"]["wrong_states"] > 0
    assert wrongly_shown(report) == {"poll_duration", "retries"}
    assert set(report["without_oracle"]) == {"reference_voltage"}


# -- what becomes of an entity without an oracle ---------------------------------------------------


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> command.Report:
    """What the command finds, which nothing was wrong with; strict it is only when told."""
    report = command.Report()
    monkeypatch.setattr(command, "_all", lambda _options: report)
    monkeypatch.delenv("CI", raising=False)
    return report


def test_an_entity_without_an_oracle_is_named_and_is_not_wrong(
    found: command.Report, capsys: pytest.CaptureFixture[str]
) -> None:
    found.without_oracle = {"something_new": 12, "cell_age": 3}
    assert command.main([]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "no oracle: something_new (looked at 12 times)" in said
    assert ["entities", "without", "an", "oracle", "2"] in [line.split() for line in said]
    assert "soak: no wrong value was shown" in said


@pytest.mark.parametrize("how", ["--strict", "CI"])
def test_where_nobody_looks_an_entity_without_an_oracle_fails_the_soak_as_what_it_is(
    found: command.Report,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    if how == "CI":
        monkeypatch.setenv("CI", "true")
    arguments = ["--strict"] if how == "--strict" else []
    assert command.main(arguments) == 0
    found.without_oracle = {"something_new": 12}
    assert command.main(arguments) == 1
    said = capsys.readouterr().out
    assert "soak: a wrong value was shown" not in said
    assert "soak: no oracle for 1 kind" in said


def test_a_wrong_value_fails_the_soak(found: command.Report) -> None:
    found.counts = {"wrong_states": 1}
    assert command.main([]) == 1


# -- the rules by themselves -----------------------------------------------------------------------

COUNTERS = {"retries": 11, "line_errors": 19}
MAIN = Main(0.0, (3.9, 4.0, 100.0, 25.0, 50.0, 0.5, 1.0))


@pytest.fixture
def long_poll() -> Flow:
    """A first poll, every two seconds, whose LCD1 is older than it may be at its end."""
    flow = Flow(scan_interval=2)
    flow.polled(MAIN, 0.0, 9.1, COUNTERS)
    return flow


def test_a_poll_is_judged_by_itself(long_poll: Flow) -> None:
    for key, right, wrong in (
        ("poll_duration", "9100.0", "9282.0"),
        ("retries", "11", "12"),
        ("line_errors", "19", "18"),
    ):
        assert long_poll.may_show(key, right, [])
        assert not long_poll.may_show(key, wrong, [])


def test_energy_is_nothing_before_there_was_a_reading() -> None:
    assert not Flow(scan_interval=2).may_show("energy_charged", "0.0", [])


def test_health_that_takes_a_full_charge_may_show_nothing() -> None:
    life = Life()
    life.polled(MAIN)
    for key in ("last_full_charge", "measured_capacity", "cell_drift_1_3"):
        assert not life.may_show(key, "1")
    assert life.may_show("diagnosis", "not_enough_data")
    assert not life.may_show("diagnosis", "weak_cell")


def test_an_extreme_is_something_that_was_read_and_no_time_is_longer_than_the_soak() -> None:
    life = Life()
    life.polled(MAIN)
    life.polled(replace(MAIN, read_at=36.0))
    assert life.may_show("highest_cell_voltage_ever", "4.0")
    assert not life.may_show("highest_cell_voltage_ever", "4.1")
    assert life.may_show("time_above_limits", "0.01")
    assert not life.may_show("time_above_limits", "0.03")


@pytest.mark.parametrize("key", ["voltage", "error_event", "stored_energy", "cell_voltage_2_3"])
def test_there_is_an_oracle_for_what_the_bms_tells(key: str) -> None:
    assert knows(key)


def test_there_is_no_oracle_for_what_was_added_later() -> None:
    assert not knows("something_new")
