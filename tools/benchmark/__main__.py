"""The command `scripts/benchmark`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from custom_components.rec_bms.protocol.rs485 import scan
from tools.testkit.process import ROOT, ToolError

from . import decoding, first_reading, health, poll, restoring, rows, setting, table

BAUDRATES = (38400, 56000, 115200)
BATTERIES = ((1, 14), (15, 15))
PUSHING = ((1, 4), (8, 12))
MANY = ((1, 14, 20), (15, 15, 4))
"""Units, cells of each, and batteries, each on a port of its own."""
_WITHOUT_HOME_ASSISTANT = ("wire", "setting", "restore", "decoder", "health")
_WITH_HOME_ASSISTANT = ("load", "push", "long_runs", "adding", "search")
_ADDING_REPEATS = 3
_HEALTH_POLLS = 3000
"""Some eight hours: resistances are read a hundred times, and cells rest."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/benchmark",
        description="Measures polls on a simulated line against the time that the wire needs, and "
        "what they cost a Home Assistant. Prints a table and writes it as JSON; "
        "docs/performance.md explains it.",
    )
    made.add_argument(
        "--output",
        type=Path,
        default=ROOT / "benchmark.json",
        metavar="FILE",
        help="where to write the results (default: benchmark.json in the checkout)",
    )
    made.add_argument(
        "--polls",
        type=int,
        default=30,
        metavar="N",
        help="polls for each row that is timed (default 30)",
    )
    made.add_argument(
        "--writing-polls",
        type=int,
        default=180,
        metavar="N",
        help="polls over which states written are counted (default 180, half an hour's)",
    )
    made.add_argument(
        "--memory-polls",
        type=int,
        default=10_000,
        metavar="N",
        help="polls after which memory is compared (default 10000)",
    )
    made.add_argument(
        "--no-home-assistant",
        dest="parts",
        action="store_const",
        const=_WITHOUT_HOME_ASSISTANT,
        default=(*_WITHOUT_HOME_ASSISTANT, *_WITH_HOME_ASSISTANT),
        help="leave out what needs Home Assistant",
    )
    made.add_argument(
        "--only",
        dest="parts",
        nargs="+",
        choices=(*_WITHOUT_HOME_ASSISTANT, *_WITH_HOME_ASSISTANT),
        metavar="PART",
        help="measure only some of these: %(choices)s",
    )
    return made


class _Benchmark:
    """Measures one thing after the other and keeps rows and details."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self.rows: list[table.Row] = []
        self.details: dict[str, Any] = {}

    def run(self) -> None:
        """Measure all parts that are wanted."""
        parts: dict[str, Callable[[], None]] = {
            "wire": lambda: asyncio.run(self._wire()),
            "setting": lambda: asyncio.run(self._setting()),
            "restore": lambda: asyncio.run(self._restore()),
            "load": self._load,
            "push": lambda: asyncio.run(self._push()),
            "decoder": self._decoder,
            "health": self._health,
            "long_runs": self._long_runs,
            "adding": lambda: asyncio.run(self._adding()),
            "search": lambda: asyncio.run(self._search()),
        }
        for name, measure in parts.items():
            if name in self._options.parts:
                measure()

    async def _wire(self) -> None:
        results: list[poll.PollResult] = []
        for units, cells in BATTERIES:
            for baudrate in BAUDRATES:
                _say(f"polling {units}x{cells} cells at {baudrate} baud")
                polls = self._options.polls
                results += await poll.measure(self._folder, baudrate, units, cells, polls)
        if any(result.retries or result.fences for result in results):
            _say("requests had to be repeated: run it again on a machine at rest")
        self._keep("polls", results, [rows.of_poll(result) for result in results])

    async def _setting(self) -> None:
        _say("making settings")
        times = await setting.measure(self._folder, self._options.polls)
        self._keep("setting", [times], rows.of_setting(times))

    async def _restore(self) -> None:
        _say("restoring all settings")
        took = await restoring.measure(self._folder)
        self._keep("restore", [took], [rows.of_restore(took)])

    def _load(self) -> None:
        from . import load  # noqa: PLC0415  (needs Home Assistant)

        sizes = [load.Size(*size) for size in (*BATTERIES, *MANY)]
        _say(f"polling {len(sizes)} sets of batteries from Home Assistant, one after the other")
        results = list(load.measure(self._folder, sizes, self._options.polls))
        self._keep("load", results, [row for each in results for row in rows.of_load(each)])

    async def _push(self) -> None:
        from . import push  # noqa: PLC0415  (needs Home Assistant)

        _say("pushing from a WiFi module")
        results = [
            await push.measure(self._folder, units, cells, self._options.polls)
            for units, cells in PUSHING
        ]
        self._keep("push", results, [rows.of_push(result) for result in results])

    def _decoder(self) -> None:
        results = decoding.measure()
        self._keep("decoder", results, [rows.of_decoder(result) for result in results])

    def _health(self) -> None:
        _say(f"following batteries over {_HEALTH_POLLS} polls")
        results = list(health.measure(BATTERIES, _HEALTH_POLLS))
        self._keep("health", results, [row for each in results for row in rows.of_health(each)])

    def _long_runs(self) -> None:
        from . import virtual  # noqa: PLC0415  (needs Home Assistant)

        polls, many = self._options.writing_polls, self._options.memory_polls
        cases = [virtual.Case(*size, each) for size in BATTERIES for each in rows.SCENARIOS]
        _say(f"counting what {polls} polls write, and what {many} polls leave in memory")
        writes, memory = virtual.measure(cases, polls, many)
        self._keep("writes", writes, [row for each in writes for row in rows.of_writes(each)])
        self._keep("memory", memory, rows.of_memory(*memory))

    async def _adding(self) -> None:
        _say(f"adding a BMS in a Home Assistant process, {_ADDING_REPEATS} times")
        times = await first_reading.measure(self._folder, _ADDING_REPEATS)
        self._keep("first_reading", times, rows.of_first_reading(times))

    async def _search(self) -> None:
        _say(f"looking for a BMS at each speed, {_ADDING_REPEATS} times")
        times = await first_reading.search(self._folder, scan.BAUDRATES, _ADDING_REPEATS)
        self._keep("search", times, rows.of_search(times))

    def _keep(self, name: str, results: list[Any], made: list[table.Row]) -> None:
        self.details[name] = [asdict(result) for result in results]
        self.rows += made


def _say(text: str) -> None:
    sys.stdout.write(f"benchmark: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure, print and write."""
    options = parser().parse_args()
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    about = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "homeassistant": version("homeassistant"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_average_before": os.getloadavg()[0],
    }
    try:
        with tempfile.TemporaryDirectory(prefix="rec_bms_benchmark_") as folder:
            benchmark = _Benchmark(options, Path(folder))
            benchmark.run()
    except ToolError as err:
        sys.stderr.write(f"benchmark: {err}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write("\n" + table.as_text(benchmark.rows) + "\n")
    measured = {"rows": [row.as_json() for row in benchmark.rows], **benchmark.details}
    options.output.write_text(json.dumps({**about, **measured}, indent=2) + "\n", encoding="utf-8")
    _say(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
