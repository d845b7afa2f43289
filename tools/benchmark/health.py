"""What battery health adds to a poll, against decoding what that poll brings."""

from __future__ import annotations

import json
import statistics
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.health.record import Health
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.frame import MASTER, Decoder, Frame
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from tools.health.readings import Reader
from tools.simulator import BMS

SCAN_INTERVAL = 10.0
_EACH_POLL = ("LCD1", "LCD3", "CELL", "ERRO")
_UNIX_TIME = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class HealthCost:
    """Seconds of CPU that health and decoding took of each poll; bytes in memory and kept."""

    units: int
    cells: int
    adding: float
    worst: float
    decoding: float
    memory: int
    kept: int


def measure(sizes: Sequence[tuple[int, int]], polls: int) -> Iterator[HealthCost]:
    """Yield the cost for batteries of so many units and cells of each, over so many polls."""
    for units, cells in sizes:
        bms = BMS(units=units, cells=cells, scenario="day", noise=True, time_factor=0)
        updates = list(_updates(bms, polls))
        took, _ = _follow(updates)
        tracemalloc.start()
        _, health = _follow(updates)
        memory, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        yield HealthCost(
            units,
            cells,
            adding=statistics.fmean(took),
            worst=max(took),
            decoding=_decoding(bms),
            memory=memory,
            kept=len(json.dumps(health.as_dict())),
        )


def _updates(bms: BMS, polls: int) -> Iterator[Update]:
    reader = Reader(bms)
    for _ in range(polls):
        bms.battery.advance(SCAN_INTERVAL)
        yield Update(
            state=reader.state(bms.battery.time),
            measured_at=bms.battery.time,
            continuous=True,
            period=SCAN_INTERVAL,
            duration=0.5,
            exchanges=len(_EACH_POLL),
            repeated_exchanges=0,
            retries=0,
            line_errors=0,
        )


def _follow(updates: Sequence[Update]) -> tuple[list[float], Health]:
    """Return the s of CPU that each poll took, and what was followed."""
    health = Health(3 * SCAN_INTERVAL)
    took = []
    for update in updates:
        began = time.thread_time()
        health.add(update, _UNIX_TIME + update.measured_at)
        took.append(time.thread_time() - began)
    return took, health


def _decoding(bms: BMS, repeats: int = 200) -> float:
    """Return the s of CPU from the bytes of a poll to its readings."""
    responses = {code: tuple(bms.respond(f"{code}?".encode()) or ()) for code in _EACH_POLL}
    line = {
        code: [Frame(MASTER, 1, payload).encode() for payload in payloads]
        for code, payloads in responses.items()
    }
    decoder = Decoder()
    began = time.thread_time()
    for _ in range(repeats):
        for code, payloads in responses.items():
            for data in line[code]:
                decoder.feed(data)
            decode(BY_CODE[code], payloads)
    return (time.thread_time() - began) / repeats
