"""The pair of wires: who hears what and when, who answers, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import faults as wrong
from .bms import BMS
from .clock import Alarm
from .faults import Fault, Faults
from .framing import Frame, Listener, build
from .log import (
    ANSWERED,
    COLLISION,
    DAMAGED,
    NOISE,
    NOT_MINE,
    SILENT,
    UNANSWERED,
    UNKNOWN,
    WRONG_SPEED,
    Entry,
    Log,
)
from .responses import REFUSED, SET, wanted
from .wire import BITS, Wire

_LOGGER = logging.getLogger("tools.simulator.line")
_PAUSE = 0.05
"""Seconds without a byte after which an unfinished request is given up."""
_OTHER_ASKS = (b"CMAX?", b"CMIN?", b"BVOL?", b"CAPA?", b"LCD1?", b"CELL?", b"RINT?", b"CYCL?")


@dataclass
class Job:
    """A request that waits for its BMS. `due` is when its response starts, `loop.time()` s."""

    entry: Entry
    frame: Frame
    due: float
    fault: Fault | None = None
    spoilt: bool = False
    done: bool = False


class Station:
    """A BMS on the line: answers one request after the other, in the order asked."""

    def __init__(self, bms: BMS, line: Line) -> None:
        self.bms = bms
        self.jobs: list[Job] = []
        self.away_until = 0.0
        self._ready_at = 0.0
        self._line = line
        self._loop = line.loop
        self._alarm = Alarm(line.loop)
        self._wake = asyncio.Event()
        self._task = line.loop.create_task(self._work())

    def give(self, job: Job) -> None:
        """Hand over a request that was heard."""
        self.jobs.append(job)
        self._wake.set()

    @property
    def away(self) -> bool:
        """Whether the BMS is off or restarting."""
        return self.bms.silent or self._loop.time() < self.away_until

    async def close(self) -> None:
        """Stop answering."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._alarm.close()

    async def _work(self) -> None:
        while True:
            while not self.jobs:
                self._wake.clear()
                await self._wake.wait()
            job = self.jobs[0]
            try:
                await self._serve(job)
            except Exception:  # a BMS that a test has broken must not stop the line
                _LOGGER.exception("the BMS at %s cannot answer %s", self.bms.address, job.entry)
                self._line.log.settle(job.entry, SILENT, "broken")
            job.done = True
            self._ready_at = self._loop.time() + self._line.turnaround
            if job in self.jobs:
                self.jobs.remove(job)

    async def _serve(self, job: Job) -> None:
        line, entry = self._line, job.entry
        delay = line.faults.delay(job.fault) if _is(job, "late") and job.fault else 0.0
        due = max(job.due + delay, self._ready_at)
        await self._alarm.until(due - min(line.turnaround / 2, 0.005))
        if job.spoilt:
            return
        if self.away:
            line.log.settle(entry, SILENT)
            return
        payloads = self._do(job)
        if payloads is None:
            line.log.settle(entry, UNKNOWN)
            return
        entry.response = tuple(payloads)
        if _is(job, "no_response", "set_lost"):
            line.log.settle(entry, UNANSWERED)
            return
        await self._respond(job, payloads, due)

    def _do(self, job: Job) -> list[bytes] | None:
        """Do what is asked for, or what a fault makes of it."""
        bms, fault, payload = self.bms, job.fault, job.frame.payload
        change = wanted(payload)
        if fault is None or change is None:
            return bms.respond(payload)
        if fault.name == "set_refused":
            return [REFUSED]
        if fault.name == "set_ignored":
            return [SET]
        response = bms.respond(payload) if fault.name != "set_clamped" else [SET]
        if fault.name == "set_clamped":
            row, value = change
            kept = (bms.settings[row.code] + value) / 2 if fault.value is None else fault.value
            bms.set_value(row.code, kept)
        return response

    async def _respond(self, job: Job, payloads: list[bytes], due: float) -> None:
        line, entry, fault = self._line, job.entry, job.fault
        address, master = self.bms.address, job.frame.sender
        frames = [build(master, address, payload) for payload in payloads]
        if fault is not None and fault.name == "other_master":
            await self._other_master_first(fault, due)
        frames = self._spoil(frames, job)
        data = self._cut_or_doubled(b"".join(frames), fault)
        delayed = fault is not None or due - job.due > 0.05
        entry.response_began, entry.response_ended = await line.wire.play(
            self._alarm, data, due, "response", innocent=delayed
        )
        line.log.settle(entry, ANSWERED)
        await self._afterwards(job, fault)

    def _cut_or_doubled(self, data: bytes, fault: Fault | None) -> bytes:
        if fault is None or fault.name not in ("restart", "doubled_response"):
            return data
        if fault.name == "doubled_response":
            return data + data
        return data[: self._line.faults.rng.randrange(1, len(data))]

    async def _afterwards(self, job: Job, fault: Fault | None) -> None:
        line = self._line
        if fault is None:
            return
        if fault.name == "restart":
            self.away_until = self._loop.time() + line.faults.delay(fault)
            for waiting in self.jobs:
                if waiting is not job and not waiting.spoilt:
                    waiting.spoilt = True
                    line.log.settle(waiting.entry, SILENT, "forgotten in the restart")
            self.jobs = [job]
        elif fault.name == "noise" and self._tail:
            tail, self._tail = self._tail, b""
            await line.wire.play(self._alarm, tail, self._loop.time(), "noise", innocent=True)
        elif fault.name == "other_master" and self._other_place != "between":
            await self._other_master_behind()

    # -- faults ----------------------------------------------------------------------------------

    _tail = b""
    _other_place = "between"
    _other_request = b""

    def _spoil(self, frames: list[bytes], job: Job) -> list[bytes]:
        """Return the pieces that go over the line in place of a response's frames."""
        fault, rng = job.fault, self._line.faults.rng
        if fault is None:
            return frames
        if fault.name in wrong.DAMAGES and fault.where == "response":
            return wrong.damage_one(fault.name, frames, rng)
        if fault.name == "noise":
            pieces = wrong.with_noise(frames, fault.place, rng)
            self._tail = b"" if pieces[-1] is frames[-1] else pieces.pop()
            return pieces
        if fault.name == "false_start":
            return [wrong.false_start(rng), *frames]
        if fault.name == "other_address":
            place = fault.place or rng.choice(("instead", "before"))
            strange = self._line.strange_response(job.frame)
            return strange if place == "instead" else [*strange, *frames]
        return frames

    async def _other_master_first(self, fault: Fault, due: float) -> None:
        """Let another master ask, before our response, and perhaps be answered."""
        line, rng = self._line, self._line.faults.rng
        self._other_place = fault.place or rng.choice(("between", "around", "after"))
        self._other_request = rng.choice(_OTHER_ASKS)
        if self._other_place == "after":
            return
        await self._play_other(self._request_of_other(), due)
        if self._other_place == "between":
            await self._play_other(self._response_to_other(), self._loop.time() + line.turnaround)

    async def _other_master_behind(self) -> None:
        """Let another master be answered behind our response, and perhaps ask there too."""
        line = self._line
        if self._other_place == "after":
            await self._play_other(self._request_of_other(), self._loop.time() + 0.003)
        await self._play_other(self._response_to_other(), self._loop.time() + line.turnaround)

    async def _play_other(self, data: bytes, start: float) -> None:
        await self._line.wire.play(self._alarm, data, start, "another master", innocent=True)

    def _request_of_other(self) -> bytes:
        return build(self.bms.address, self._line.other_master, self._other_request)

    def _response_to_other(self) -> bytes:
        payloads = self.bms.respond(self._other_request) or []
        now = self._loop.time()
        entry = Entry(now, self.bms.address, self._other_request, by_other_master=True)
        entry.response = tuple(payloads)
        self._line.log.settle(self._line.log.add(entry), ANSWERED)
        return b"".join(build(self._line.other_master, self.bms.address, p) for p in payloads)


def _is(job: Job, *names: str) -> bool:
    return job.fault is not None and job.fault.name in names


class Line:
    """Two wires with BMSs on them. The link gives it what the client sends: `hear`.

    `baud` bits a second, `turnaround` s between a request and its response. With `echo` the client
    hears itself, as with some adapters. `other_master` is the address that another master asks
    from. Collisions are noticed, and nobody understands what collided, while `collisions` is on.
    """

    def __init__(
        self,
        bmss: Iterable[BMS],
        write: Callable[[bytes], None],
        *,
        baud: int = 56000,
        turnaround: float = 0.015,
        echo: bool = False,
        collisions: bool = True,
        faults: Faults | None = None,
        seed: int = 0,
        log: Log | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.turnaround = turnaround
        self.echo = echo
        self.collisions = collisions
        self.other_master = 0
        self.faults = faults if faults is not None else Faults(seed=seed)
        self.log = log if log is not None else Log()
        self._rng = random.Random(seed)
        self.wire = Wire(self.loop, baud, write, self._rng)
        self._echo_wire = Wire(self.loop, baud, write, self._rng)
        self.stations = {bms.address: Station(bms, self) for bms in bmss}
        self._echoes: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        self._echo_task = self.loop.create_task(self._echo_back())
        self._stranger: BMS | None = None
        self._listener = Listener()
        self._busy_until = 0.0
        self._began = 0.0
        self._run_into: tuple[str, bool] | None = None
        self._last: Job | None = None

    @property
    def baud(self) -> int:
        """Bits a second."""
        return self.wire.baud

    async def close(self) -> None:
        """Stop everything that happens on the line."""
        self._echo_task.cancel()
        await asyncio.gather(self._echo_task, return_exceptions=True)
        for station in self.stations.values():
            await station.close()

    # -- hearing ---------------------------------------------------------------------------------

    def hear(self, data: bytes, speed: int | None = None) -> None:
        """Take bytes that the client began to send now, at a speed (None: the line's own)."""
        now = self.loop.time()
        start = max(now, self._busy_until)
        wrong_speed = bool(speed) and speed != self.baud
        byte_time = BITS / (speed if speed and wrong_speed else self.baud)
        if self._listener.waiting and start - self._busy_until > _PAUSE:
            self._note_noise(self._listener.forget(), now)
        self._busy_until = self.wire.client_until = start + len(data) * byte_time
        if self.echo:
            self._echoes.put_nowait((data, start))
        if wrong_speed:
            entry = self.log.add(Entry(now, -1, data, heard=self._busy_until))
            self.log.settle(entry, WRONG_SPEED, f"{speed} baud, not {self.baud}")
            return
        self._notice_response(now)
        for found in self._listener.feed(data):
            heard = start + (len(data) - (self._listener.count - found.end)) * byte_time
            if isinstance(found, Frame):
                self._request(found, now, heard)
            else:
                self._note_noise(found.raw, now)

    def _notice_response(self, now: float) -> None:
        """Notice that the client talks while something else is on the line."""
        if not self._listener.waiting:
            self._run_into, self._began = None, now
        if self.wire.playing and self.collisions:
            self.wire.disturb(self._busy_until)
            self._run_into = (self.wire.playing, self.wire.innocent)

    def _note_noise(self, raw: bytes, now: float) -> None:
        self.log.settle(self.log.add(Entry(now, -1, raw)), NOISE, raw.hex(" "))

    def _request(self, frame: Frame, now: float, heard: float) -> None:
        entry = self.log.add(Entry(self._began, frame.destination, frame.payload, heard=heard))
        job = Job(entry, frame, heard + self.turnaround)
        previous, self._last = self._last, job
        if self._collides(job, previous):
            return
        self._began = now
        station = self.stations.get(frame.destination)
        if station is None:
            self.log.settle(entry, NOT_MINE)
            return
        entry.early = self._is_early()
        if station.away:
            self.log.settle(entry, SILENT)
            return
        job.fault = self.faults.draw(frame.destination, frame.payload)
        entry.fault = job.fault.name if job.fault else None
        if self._is_spoilt_on_the_way(job):
            self.log.settle(entry, DAMAGED)
            return
        station.give(job)

    def _is_early(self) -> bool:
        now = self.loop.time()
        return any(
            not job.done and not job.spoilt and job.fault is None and now < job.due
            for station in self.stations.values()
            for job in station.jobs
        )

    def _is_spoilt_on_the_way(self, job: Job) -> bool:
        fault = job.fault
        if fault is None:
            return False
        if fault.name == "set_unheard":
            return True
        if fault.where != "request" or fault.name not in (*wrong.DAMAGES, "no_response"):
            return False
        if fault.name == "no_response":
            return True
        heard = Listener().feed(wrong.damage(fault.name, job.frame.raw, self.faults.rng))
        return not any(isinstance(found, Frame) and found == job.frame for found in heard)

    def _collides(self, job: Job, previous: Job | None) -> bool:
        """Notice a request that began amid a response or amid the request before it."""
        if not self.collisions:
            return False
        if self._run_into is not None:
            what, job.entry.accident = self._run_into
            self._run_into = None
            job.spoilt = True
            self.log.settle(job.entry, COLLISION, f"with {what}")
            return True
        if previous is None or job.entry.time >= previous.entry.heard:
            return False
        for one in (previous, job):
            if not one.spoilt:
                one.spoilt = True
                self.log.settle(one.entry, COLLISION, "with another request")
        return True

    # -- talking ---------------------------------------------------------------------------------

    async def _echo_back(self) -> None:
        alarm = Alarm(self.loop)
        try:
            while True:
                data, start = await self._echoes.get()
                await self._echo_wire.play(alarm, data, start, "echo")
        finally:
            alarm.close()

    def strange_response(self, frame: Frame) -> list[bytes]:
        """Return what a BMS at another address would say to a request."""
        if self._stranger is None:
            address = next(n for n in range(2, 255) if n not in self.stations)
            self._stranger = BMS(address, preset="lifepo4", cells=14, time_factor=0)
        stranger = self._stranger
        is_set = frame.payload[4:5] == b" "
        payloads = [SET] if is_set else stranger.respond(frame.payload) or [b"0"]
        return [build(frame.sender, stranger.address, part) for part in payloads]
