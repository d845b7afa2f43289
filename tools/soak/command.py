"""The command: runs a soak and prints what it found."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .report import Report

_ABOUT = """\
Runs the integration in Home Assistant against simulated BMSs on lines with all faults at once, and
compares every value that an entity shows with what the BMS said at that time. Time is virtual and
passes over all waiting: timing on the line is exactly that of a real one, but an hour takes
seconds. The oracle, oracle.py, knows what may be shown; an entity of which it knows nothing is
listed, and neither right nor wrong."""
_WRONG = (
    "wrong_readings",
    "wrong_states",
    "disagreements",
    "wrong_sets",
    "overlaps",
    "never_sent",
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/soak",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--exchanges",
        type=int,
        default=100_000,
        help="end after so many requests answered or given up (default 100000)",
    )
    made.add_argument(
        "--seconds",
        type=float,
        default=float("inf"),
        help="end after so many seconds at the latest",
    )
    made.add_argument(
        "--faulty",
        type=float,
        default=0.2,
        help="the share of the requests that a fault strikes (default 0.2)",
    )
    made.add_argument("--seed", type=int, default=1, help="another one, other coincidences")
    made.add_argument(
        "--jobs", type=int, default=2, help="processes, each with all lines (default 2)"
    )
    made.add_argument(
        "--strict",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="fail where the oracle does not know an entity, too (default where CI is set)",
    )
    made.add_argument(
        "--wifi",
        type=float,
        metavar="HOURS",
        help="so many hours over a WiFi module in place of lines",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object instead")
    return made


def _one(exchanges: int, seconds: float, faulty: float, seed: int) -> Report:
    """Run a soak in this process."""
    from tools.testkit.virtual_time import VirtualTimeLoop  # noqa: PLC0415  (a parser needs no Home Assistant)

    from .run import soak  # noqa: PLC0415

    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    random.seed(seed)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        return runner.run(soak(folder, exchanges, seconds, faulty, seed))


def _all(options: argparse.Namespace) -> Report:
    each = -(-options.exchanges // options.jobs)
    seeds = [options.seed * 1000 + job for job in range(options.jobs)]
    report = Report()
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_one, each, options.seconds, options.faulty, seed) for seed in seeds]
        for done in waiting:
            report.add(done.result())
    return report


def _print(report: Report) -> None:
    counts = report.counts
    rows = (
        ("exchanges", "exchanges"),
        ("requests on the wire", "requests"),
        ("of them struck by a fault", "struck"),
        ("hours on the line", "hours"),
        ("readings compared", "readings"),
        ("states compared", "states"),
        ("wrong readings", "wrong_readings"),
        ("wrong values shown", "wrong_states"),
        ("entities that disagree at the end", "disagreements"),
        ("polls", "polls"),
        ("polls failed", "failed_polls"),
        ("sets made", "sets"),
        ("sets that told something wrong", "wrong_sets"),
        ("requests that ran into a response", "overlaps"),
        ("ERLD, ERRL and MODE sent", "never_sent"),
    )
    for label, name in rows:
        print(f"{label:36}{counts.get(name, 0):>10}")
    print(f"{'entities without an oracle':36}{len(report.without_oracle):>10}")
    avoidable = {
        why: number for why, number in report.failed_polls.items() if why.startswith("answered")
    }
    print(f"{'polls failed though answered':36}{sum(avoidable.values()):>10}")
    lost = {why: number for why, number in report.lost.items() if why.startswith("answered")}
    print(f"{'exchanges given up':36}{sum(report.lost.values()):>10}")
    print(f"{'exchanges given up though answered':36}{sum(lost.values()):>10}")
    _print_table("requests struck by", report.faults)
    _print_table("sets", report.sets)
    _print_table("polls failed though answered", avoidable)
    _print_table("exchanges given up though answered", lost)
    for key, number in sorted(report.without_oracle.items()):
        print(f"no oracle: {key} (looked at {number} times)")
    for example in report.examples:
        print(f"WRONG: {example}")


def _print_table(title: str, rows: dict[str, int]) -> None:
    if rows:
        print(f"{title}:")
    for name, number in sorted(rows.items(), key=lambda row: -row[1])[:20]:
        print(f"  {name:34}{number:>10}")


def _over_wifi(options: argparse.Namespace) -> int:
    """Run a soak over WiFi in this process and print what it found."""
    from tools.testkit.virtual_time import VirtualTimeLoop  # noqa: PLC0415  (a parser needs no Home Assistant)

    from .wifi import soak_over_wifi  # noqa: PLC0415

    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        report = runner.run(soak_over_wifi(folder, options.wifi, options.faulty, options.seed))
    print(f"{'seed':36}{options.seed:>10}")
    print(f"{'wrong values shown':36}{report.counts.pop('wrong', 0):>10}")
    for name, number in sorted(report.counts.items()):
        print(f"{name:36}{number:>10}")
    _print_table("messages struck by", report.faults)
    _print_table("sent to the module", report.sent)
    print(f"no oracle: {', '.join(sorted(report.without_oracle))}")
    for example in report.examples:
        print(f"WRONG: {example}")
    return 1 if report.examples else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 where something wrong was shown, or nobody knows whether it was."""
    options = parser().parse_args(arguments)
    if options.wifi is not None:
        return _over_wifi(options)
    began = time.monotonic()
    report = _all(options)
    if options.json:
        print(json.dumps(vars(report)))
    else:
        print(f"{'seed':36}{options.seed:>10}")
        print(f"{'seconds that it took':36}{time.monotonic() - began:>10.0f}")
        _print(report)
    wrong = sum(report.counts.get(name, 0) for name in _WRONG)
    unknown = len(report.without_oracle)
    if not options.json:
        print("soak: a wrong value was shown" if wrong else "soak: no wrong value was shown")
        if unknown:
            print(
                f"soak: no oracle for {unknown} kinds of entity: tell tools/soak/oracle.py of them"
            )
    return 1 if wrong or (unknown and options.strict) else 0
