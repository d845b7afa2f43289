"""The command `scripts/benchmark`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from demo.process import ROOT, DemoError

from . import first_reading, poll
from .poll import PollResult

BAUDRATES = (38400, 56000, 115200)
BATTERIES = ((1, 14), (15, 15))

_HEADINGS = ("baud", "units x cells", "poll", "questions", "took", "wire", "ratio", "worst ratio")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/benchmark",
        description="Measures polls on a simulated line against the time that the wire needs, and "
        "how long the dialog takes in a real Home Assistant. Prints a table and writes it as JSON.",
    )
    made.add_argument(
        "--output",
        type=Path,
        default=ROOT / "benchmark.json",
        metavar="FILE",
        help="where to write the results (default: benchmark.json in the checkout)",
    )
    made.add_argument(
        "--polls", type=int, default=30, metavar="N", help="polls for each row (default 30)"
    )
    made.add_argument(
        "--no-home-assistant", action="store_true", help="leave out what needs Home Assistant"
    )
    return made


def _row(result: PollResult) -> tuple[str, ...]:
    return (
        str(result.baudrate),
        f"{result.units}x{result.cells}",
        result.what,
        str(result.questions),
        f"{result.took * 1000:.1f} ms",
        f"{result.wire * 1000:.1f} ms",
        f"{result.ratio:.3f}",
        f"{result.worst_ratio:.3f}",
    )


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells) + "\n")


async def _measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    results: list[PollResult] = []
    for units, cells in BATTERIES:
        for baudrate in BAUDRATES:
            _say(f"polling {units}x{cells} cells at {baudrate} baud")
            results += await poll.measure(folder, baudrate, units, cells, options.polls)
    measured: dict[str, Any] = {"polls": [asdict(result) for result in results]}
    sys.stdout.write("\n")
    _print_table([_HEADINGS, *map(_row, results)])
    sys.stdout.write("\n")
    if any(result.retries or result.fences for result in results):
        _say("questions had to be repeated: run it again on a machine at rest")
    if not options.no_home_assistant:
        _say("adding a BMS in a real Home Assistant, three times")
        times = await first_reading.measure(folder, repeats=3)
        measured["first_reading"] = [asdict(each) for each in times]
        found = statistics.median(each.found for each in times)
        reading = statistics.median(each.reading for each in times)
        _say(f"from the dialog's first step: added after {found:.1f} s, reading {reading:.1f} s")
    return measured


def _say(text: str) -> None:
    sys.stdout.write(f"benchmark: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure, print and write."""
    options = parser().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="rec_bms_benchmark_") as folder:
            measured = asyncio.run(_measure(options, Path(folder)))
    except DemoError as err:
        sys.stderr.write(f"benchmark: {err}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    about = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "homeassistant": version("homeassistant"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
    options.output.write_text(json.dumps({**about, **measured}, indent=2) + "\n", encoding="utf-8")
    _say(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
