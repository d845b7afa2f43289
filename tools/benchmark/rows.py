"""Turns what was measured into rows of the table, with the limits that hold for it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from custom_components.rec_bms.protocol.rs485.scan import BAUDRATES

from .decoding import LINE, Throughput
from .first_reading import FirstReading, PortToFound
from .health import HealthCost
from .poll import SCAN_INTERVAL, PollResult
from .restoring import RestoreTime
from .setting import SettingTimes
from .table import Row, row_against

if TYPE_CHECKING:
    from .load import Load
    from .push import PushResult
    from .virtual import Memory, Writes

SCENARIOS = {"rest": "at rest", "day": "at work"}

_POLL_LIMIT = 1.05
_SETTING_LIMIT = 500.0
_BLOCK_LIMIT = 10.0
_FOUND_LIMIT = 2.5
_MEMORY_LIMIT = 1.02
_MEBIBYTE = 2**20


def of_poll(result: PollResult) -> Row:
    """Return a poll's time against the wire's; of all polls the ratio is the median."""
    return Row(
        what=f"{result.what} poll",
        of=f"{_size(result)}, {result.baudrate} baud, {result.requests} requests",
        measured=result.took * 1000,
        unit="ms",
        against=result.wire * 1000,
        divisor="on the wire",
        ratio=result.ratio,
        worst=result.worst_ratio,
        # Of a first poll, docs/performance.md tells what it waits for and why.
        at_most=_POLL_LIMIT if result.what == "regular" else None,
    )


def of_setting(times: SettingTimes) -> list[Row]:
    """Return the longest that a setting took, from the call to the verified result."""
    return [
        Row(
            what="setting made and verified",
            of=f"the longest of {times.sets}, 56000 baud, {when}",
            measured=seconds * 1000,
            unit="ms",
            at_most=_SETTING_LIMIT,
        )
        for when, seconds in (("at rest", times.idle), ("in polls of 15x15 cells", times.polling))
    ]


def of_restore(took: RestoreTime) -> Row:
    """Return how long all settings took to be restored."""
    return Row(
        what="all settings restored",
        of=f"{took.settings} settings, 56000 baud",
        measured=took.seconds * 1000,
        unit="ms",
    )


def of_load(load: Load) -> list[Row]:
    """Return the processor time of a poll, the longest blocks of the event loop, and memory.

    The simulators of several batteries keep a small machine busy: their blocks are given in
    processor time.
    """
    milliseconds = load.cpu * 1000
    divisors = ((load.wire * 1000, "on the wire"), (SCAN_INTERVAL * 1000, "between polls"))
    cpu = [
        row_against(
            what="CPU time of a poll",
            of=_size(load),
            measured=milliseconds,
            unit="ms",
            against=against,
            divisor=divisor,
        )
        for against, divisor in divisors
    ]
    blocks = {"polling": load.polling, "setting up": load.setting_up}
    several = load.batteries > 1
    memory = row_against(
        what="memory of the process",
        of=f"{_size(load)}, {load.entities} entities",
        measured=load.held / _MEBIBYTE,
        unit="MiB",
        against=load.before / _MEBIBYTE,
        divisor="without them",
    )
    return [
        *cpu,
        *(
            Row(
                what="longest block of the loop",
                of=f"{_size(load)}, {when}",
                measured=(block.cpu if several else block.took) * 1000,
                unit="ms CPU" if several else "ms",
                at_most=_BLOCK_LIMIT,
            )
            for when, block in blocks.items()
        ),
        *([memory] if several else []),
    ]


def of_push(push: PushResult) -> Row:
    """Return what a WiFi module's push takes until the last state is written: median, worst."""
    return Row(
        what="push to the last state",
        of=f"{push.units}x{push.cells}, {push.states} states",
        measured=push.median_ms,
        unit="ms",
        worst=push.worst_ms,
        at_most=1000.0,
    )


def of_decoder(throughput: Throughput) -> Row:
    """Return what the decoder takes against what the quickest line brings."""
    return row_against(
        what="decoder",
        of=throughput.of,
        measured=throughput.bytes_per_second / 1000,
        unit="kB/s",
        against=LINE / 1000,
        divisor="at 115200 baud",
    )


def of_health(cost: HealthCost) -> list[Row]:
    """Return what battery health adds to a poll, and what it takes of memory."""
    size = f"{cost.units}x{cost.cells} cells"
    time = row_against(
        what="battery health",
        of=f"CPU of a poll, {size}, worst {cost.worst * 1000:.1f} ms",
        measured=cost.adding * 1e6,
        unit="µs",
        against=cost.decoding * 1e6,
        divisor="to decode it",
    )
    memory = Row(
        what="battery health",
        of=f"memory, {size}, {cost.kept / 1024:.0f} KiB kept",
        measured=cost.memory / 1024,
        unit="KiB",
    )
    return [time, memory]


def of_writes(writes: Writes) -> list[Row]:
    """Return states written for each poll, and rows for the recorder in an hour."""
    of = f"{_size(writes)}, {SCENARIOS[writes.scenario]}"
    return [
        row_against(
            what="states written per poll",
            of=of,
            measured=writes.per_poll,
            unit="states",
            against=float(writes.entities),
            divisor="enabled",
        ),
        row_against(
            what="recorder rows per hour",
            of=of,
            measured=writes.rows_per_hour,
            unit="rows",
            against=writes.unrounded_rows_per_hour,
            divisor="without rounding",
        ),
    ]


def of_memory(few: Memory, many: Memory) -> list[Row]:
    """Return memory after many polls against that after few: the process's, and Python's."""
    of = f"14 cells, after {many.polls} polls"
    return [
        row_against(
            what="memory of the process",
            of=of,
            measured=many.rss / _MEBIBYTE,
            unit="MiB",
            against=few.rss / _MEBIBYTE,
            divisor=f"after {few.polls}",
            at_most=_MEMORY_LIMIT,
        ),
        row_against(
            what="blocks that Python holds",
            of=of,
            measured=float(many.blocks),
            unit="blocks",
            against=float(few.blocks),
            divisor=f"after {few.polls}",
            at_most=_MEMORY_LIMIT,
        ),
    ]


def of_first_reading(times: Sequence[FirstReading]) -> list[Row]:
    """Return the seconds from the dialog's first step; there is nothing to divide them by."""
    found = [each.found for each in times]
    reading = [each.reading for each in times]
    return [
        Row(
            what=what,
            of="from the dialog's first step",
            measured=statistics.median(seconds),
            unit="s",
        )
        for what, seconds in (("BMS added", found), ("first reading", reading))
    ]


def of_search(times: Sequence[PortToFound]) -> list[Row]:
    """Return the seconds from the port to a BMS; a limit holds at the factory's speed."""
    rows = []
    for baudrate in BAUDRATES:
        seconds = [each.seconds for each in times if each.baudrate == baudrate]
        rows.append(
            Row(
                what="from the port to found",
                of=f"{baudrate} baud, address 1",
                measured=statistics.median(seconds),
                unit="s",
                worst=max(seconds),
                at_most=_FOUND_LIMIT if baudrate == BAUDRATES[0] else None,
            )
        )
    return rows


def _size(of: PollResult | Load | Writes) -> str:
    size = f"{of.cells} cells" if of.units == 1 else f"{of.units}x{of.cells} cells"
    batteries = getattr(of, "batteries", 1)
    return size if batteries == 1 else f"{batteries} BMSs of {size}"
