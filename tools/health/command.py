"""The command: lets batteries age and prints what was found of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context

from .cases import Case, Fault, cases
from .outcome import Outcome
from .report import Figure, alarms, figures

_ABOUT = """\
Lets simulated batteries age, used by owners through the seasons, and has the integration's battery
health follow them as it would through Home Assistant: with noise and the line's rounding, restarts
and gaps. Prints what was found against the truth, which the simulator knows. Ends with 1 where a
goal is not met."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/health",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--days", type=float, default=365, help="of each life (default 365)")
    made.add_argument("--batteries", type=int, default=20, help="of each chemistry (default 20)")
    made.add_argument("--chemistries", default="2,3,4,5", help="numbers of CHEM (default 2,3,4,5)")
    made.add_argument(
        "--faults",
        default="",
        help=f"only those that have these: {', '.join(Fault)} (default all, with commas)",
    )
    made.add_argument("--owner", default="", help="only this one's: boat, house, machine, camper")
    made.add_argument("--seed", type=int, default=1, help="another one, other batteries")
    made.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    made.add_argument(
        "--seconds", type=float, help="leave out the lives that have not ended after so long"
    )
    made.add_argument("--json", action="store_true", help="print all that was found instead")
    return made


def chosen(options: argparse.Namespace) -> list[Case]:
    """Return the cases that the options ask for."""
    chemistries = [int(number) for number in options.chemistries.split(",")]
    faults = {Fault(name.strip()) for name in options.faults.split(",") if name.strip()}
    return [
        case
        for case in cases(chemistries, options.batteries, options.days, options.seed)
        if (not faults or case.fault in faults) and options.owner in ("", case.owner)
    ]


def _live(case: Case) -> Outcome:
    """Live a case in this process."""
    from .life import live  # noqa: PLC0415  (a parser needs no Home Assistant)

    return live(case)


def _outcomes(chosen_cases: list[Case], jobs: int, seconds: float | None) -> Iterator[Outcome]:
    """Yield each life's outcome as it ends, those that end within so many seconds."""
    if jobs == 1:
        began = time.monotonic()
        for case in chosen_cases:
            if seconds is None or time.monotonic() - began < seconds:
                yield _live(case)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_live, case) for case in chosen_cases]
        try:
            for done in as_completed(waiting, seconds):
                yield done.result()
        except TimeoutError:
            pool.terminate_workers()


def _print(figure: Figure) -> None:
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
    goal = f"(goal {figure.goal})" if figure.goal else ""
    print(f"{figure.name:46}{figure.value:>28}  {goal:14}{verdict}".rstrip())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 where a goal is missed."""
    options = parser().parse_args(arguments)
    began = time.monotonic()
    outcomes = []
    for outcome in _outcomes(chosen(options), options.jobs, options.seconds):
        outcomes.append(outcome)
        print(f"{len(outcomes)}: {outcome.case}, {outcome.seconds:.0f} s", file=sys.stderr)
    outcomes.sort(key=lambda each: each.case.seed)
    if options.json:
        print(json.dumps([asdict(each) for each in outcomes]))
        return 0
    found = figures(outcomes)
    print(f"{'seed':46}{options.seed:>28}")
    print(f"{'seconds that it took':46}{time.monotonic() - began:>28.0f}")
    for figure in found:
        _print(figure)
    for alarm in alarms(outcomes):
        print(f"FALSE ALARM after {alarm.days:.0f} days: {alarm.what} ({alarm.outcome.case})")
    missed = sum(figure.met is False for figure in found)
    print(f"health: {missed} goals missed" if missed else "health: all goals met")
    return 1 if missed else 0
