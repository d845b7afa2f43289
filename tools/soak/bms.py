"""A BMS whose every response tells what it answers: no value occurs under two instructions.

Values change with each response, so that an old one or another cell's is seen at once. What was
answered when is kept in `chronicle`. An instruction that is new in the table gets its values by
itself: only an array, of which the table does not tell the content, is not answered.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from tools.simulator.figures import float32, float32s, write_float
from tools.simulator.responses import REFUSED, SET, wanted
from tools.simulator.table import BY_CODE, RULES, Instruction, Reply

type Floats = tuple[float, ...]
type Response = Floats | tuple[Floats, ...] | float | str | time | date | None
"""What a response says: rows of floats for CELL, RINT and PTEM, numbers for other arrays."""

SENSORS = 2
MOST_CELLS = 16
_KEPT_SECONDS = 3600.0
_ERROR_LASTS = 90.0
_CLOCK_STARTS_AT = datetime(2026, 2, 28, 23, 50)  # noqa: DTZ001  (a BMS knows of no zone)
"""What a BMS's clock shows at nought of the loop's: ten minutes on, a month ends."""
CLOCK_AHEAD = 3725
"""Seconds by which that is ahead of the house's time."""
_ABOUT_MIDNIGHT = 60.0
_IN_A_FRAME = 63

SETTINGS = tuple(
    row for row in BY_CODE.values() if row.reply is not Reply.ARRAY and row.minimum is not None
)
COUNTERS = {"CYCL": 1000, "VMAX": 3000, "VMIN": 5000}
# Ranges in which random settings mostly agree with each other.
_SENSIBLE = {
    "CMIN": (2.4, 2.8),
    "CLOW": (2.9, 3.1),
    "BMIN": (3.2, 3.4),
    "BVOL": (3.5, 3.7),
    "CHAR": (3.5, 3.8),
    "CMAX": (3.9, 4.2),
    "TMIN": (-29.0, -2.0),
    "TMAX": (30.0, 60.0),
    "EAVC": (0.0001, 0.0003),
    "ODDC": (-0.0003, -0.0001),
}
_WHOLE = {"CHEM": (3, 5), "SISN": (6,), "CANF": (2,)}
_NOT_NEW = (*_WHOLE, *COUNTERS)
_FIRST_FRAMES = (1, 4, 8, 15, 28)
"""Numbers that are the first frame of an array here, so that no setting may be one of them."""
_MOST_CHOICES = 100
_MOST_TRIES = 1000
TEXTS = {
    **{row.code: f"{row.code} 1.0" for row in BY_CODE.values() if row.reply is Reply.STRING},
    "*IDN": "REC BMS 1Q VICTRON",
    "SWVR": "S2.35",
    "HWVR": "H2.0",
}
_ARRAYS = ("LCD1", "LCD3", "BTEM", "ERRO", "CELL", "RINT", "PTEM")
_MEASURED = tuple(
    row.code
    for row in BY_CODE.values()
    if row.minimum is None and row.reply in (Reply.FLOAT, Reply.INT, Reply.CHAR)
)
"""Single numbers that cannot be set."""


@dataclass(frozen=True, slots=True)
class Said:
    """One response: when it was made, in s of the loop's clock, and what it says."""

    at: float
    says: Response


class SignedBms:
    """A BMS as `simulator.Line` wants it."""

    def __init__(
        self,
        address: int,
        cells: Sequence[int],
        *,
        single: bool,
        seed: int,
        lacks: frozenset[str] = frozenset(),
        refuses: bool = False,
    ) -> None:
        """Take the cells of each unit and whether one frame holds those of all units.

        `lacks` are codes that it does not know: it answers an error if it `refuses`, else nothing.
        """
        self.address = address
        self.lacks = lacks
        self._refuses = refuses
        self.cells = tuple(cells)
        self.silent = False
        self.steady = False
        """While it is, responses do not change."""
        self.chronicle: dict[str, deque[Said]] = {code: deque() for code in BY_CODE}
        self._single = single
        self._rng = random.Random(seed)
        self._times: dict[str, int] = dict.fromkeys(BY_CODE, 0)
        self.settings: dict[str, float] = {}
        for row in SETTINGS:
            if row.code not in COUNTERS:
                self.set_value(row.code, self.sensible(row, self._rng))

    # -- settings --------------------------------------------------------------------------------

    def sensible(self, row: Instruction, rng: random.Random, *, any_value: bool = False) -> float:
        """Return a value within a setting's limits that no other setting can have.

        Its fourth and fifth digits are the setting's own.
        """
        assert row.minimum is not None
        assert row.maximum is not None
        if row.whole_number:
            return rng.choice(_whole_numbers(row))
        low, high = _sensible_range(row)
        if any_value and row.code not in ("EAVC", "ODDC"):
            low, high = row.minimum, row.maximum
        for _ in range(_MOST_TRIES):
            mantissa, exponent = f"{rng.uniform(low, high):.4e}".split("e")
            signed = float(f"{mantissa[:-2]}{SETTINGS.index(row):02d}e{exponent}")
            if row.minimum <= signed <= row.maximum:
                return signed
        # Limits that are too close to each other leave no room for digits of its own.
        return rng.uniform(low, high)

    def set_value(self, code: str, value: float) -> None:
        """Change a setting."""
        row = BY_CODE[code]
        self.settings[code] = int(value) if row.whole_number else float32(value)

    def drift(self, rng: random.Random) -> None:
        """Change one setting, as by another master."""
        known = self.settings.keys() - self.lacks
        row = rng.choice([row for row in SETTINGS if row.code in known])
        self.set_value(row.code, self.sensible(row, rng))

    # -- responding -------------------------------------------------------------------------------

    def respond(self, request: bytes) -> list[bytes] | None:
        """Do what a request asks for; return the response's payloads, None for silence."""
        code, rest = request[:4].decode("latin-1"), request[4:]
        row = BY_CODE.get(code)
        if row is None or code in self.lacks or (row.reply is Reply.ARRAY and code not in _ARRAYS):
            return [REFUSED] if self._refuses else None
        if rest[:1] == b" ":
            return [SET if self._take(request) else REFUSED]
        if rest != b"?":
            return None
        if not self.steady:
            self._times[code] += 1
        now = asyncio.get_running_loop().time()
        says, payloads = self._respond_to(code, self._times[code], now)
        said = self.chronicle[code]
        said.append(Said(now, says))
        while said[0].at < now - _KEPT_SECONDS and len(said) > 1:
            said.popleft()
        return payloads

    def _take(self, request: bytes) -> bool:
        if (change := wanted(request)) is None:
            return False
        self.set_value(change[0].code, change[1])
        return True

    def _respond_to(self, code: str, times: int, now: float) -> tuple[Response, list[bytes]]:
        match code:
            case "LCD1":
                return self._with_header(b"28", _main(times))
            case "BTEM":
                return self._with_header(b"1", (float32(100 + times % 100 / 10),))
            case "LCD3":
                content = (*_places(times), *divmod(times * 7 % 60000, 256))
                return content, [b"8", bytes(content)]
            case "ERRO":
                error = self._error(now)
                return error, [b"4", bytes(error)]
            case "CELL" | "RINT" | "PTEM":
                return self._table(code, times)
        return self._single_value(code, times, now)

    @staticmethod
    def _with_header(header: bytes, values: Floats) -> tuple[Response, list[bytes]]:
        return values, [header, float32s(values)]

    def _error(self, now: float) -> tuple[int, ...]:
        if self.steady:
            return (1, 1, 3, 2)
        phase = int(now / _ERROR_LASTS) + self.address
        return (1, phase % 15 + 1, phase % 20 + 1, phase % 16) if phase % 2 else (0, 0, 0, 0)

    def _table(self, code: str, times: int) -> tuple[Response, list[bytes]]:
        rows = tuple(
            tuple(_signed(code, unit, place, times) for place in range(self._places(code, cells)))
            for unit, cells in enumerate(self.cells)
        )
        header = str(len(rows)).encode("ascii")
        everything = [value for row in rows for value in row]
        if self._single and len(everything) <= _IN_A_FRAME:
            return rows, [header, float32s(everything)]
        return rows, [header, *(float32s(row) for row in rows)]

    @staticmethod
    def _places(code: str, cells: int) -> int:
        return SENSORS if code == "PTEM" else cells

    def _single_value(self, code: str, times: int, now: float) -> tuple[Response, list[bytes]]:
        if code in TEXTS:
            return TEXTS[code], [TEXTS[code].encode("ascii")]
        match code:
            case "WCBI":
                number = times % (self.cells[0] + 1)
                # Between two cells there is none.
                return number or None, [str(number or "none").encode("ascii")]
            case "TIME":
                return clock_at(now).time(), [f"{clock_at(now):%H:%M:%S}".encode("ascii")]
            case "DATE":
                return clock_at(now).date(), [f"{clock_at(now):%d.%m.%Y}".encode("ascii")]
        if code in COUNTERS:
            value: float = COUNTERS[code] + times % 1000
        elif code in self.settings:
            value = self.settings[code]
        else:
            value = _measured(BY_CODE[code], times)
        whole = BY_CODE[code].whole_number
        written = str(int(value)) if whole else write_float(value)
        return float(written), [written.encode("ascii")]


def clock_at(now: float) -> datetime:
    """Return what a BMS's clock shows, to the second, at a time of the loop in s."""
    return _CLOCK_STARTS_AT + timedelta(seconds=int(now))


def house_at(now: float, zone: tzinfo) -> datetime:
    """Return the time of a house in a zone, at a time of the loop in s."""
    first = _CLOCK_STARTS_AT - timedelta(seconds=CLOCK_AHEAD)
    return first.replace(tzinfo=zone).astimezone(UTC) + timedelta(seconds=now)


def is_about_midnight(now: float) -> bool:
    """Tell whether a BMS's date may change while all is read, at a time of the loop in s."""
    return clock_at(now - _ABOUT_MIDNIGHT).date() != clock_at(now + _ABOUT_MIDNIGHT).date()


def _measured(row: Instruction, times: int) -> float:
    """Return a number that cannot be set, such as nothing else has."""
    place, changes = _MEASURED.index(row.code), times % 100 / 10000
    if row.whole_number:
        # Larger than any that is a first frame, or a counter.
        return 10_000 + place
    # Above all settings of cells, and yet what a cell can be.
    return 4.5 + place / 100 + changes if row.newer else 5 + place + changes


def _whole_numbers(row: Instruction) -> Sequence[int]:
    """Return numbers within a setting's limits, if possible such as no other response is."""
    if row.code in _WHOLE:
        return _WHOLE[row.code]
    assert row.minimum is not None
    assert row.maximum is not None
    within = [*row.choices] or range(int(row.minimum), int(row.maximum) + 1)[:_MOST_CHOICES]
    unmistakable = [number for number in within if number not in _FIRST_FRAMES]
    taken = [number for numbers in _WHOLE.values() for number in numbers]
    new = [each for each in SETTINGS if each.whole_number and each.code not in _NOT_NEW]
    own = [
        number
        for number in unmistakable
        if number not in taken and number % len(new) == new.index(row)
    ]
    return own or unmistakable or within


def _sensible_range(row: Instruction) -> tuple[float, float]:
    """Return the range of a setting, within those that it must agree with."""
    if row.code in _SENSIBLE:
        return _SENSIBLE[row.code]
    assert row.minimum is not None
    assert row.maximum is not None
    everything = (row.minimum, row.maximum)
    low, high = everything
    for rule in RULES:
        if rule.high == row.code and rule.low in _SENSIBLE:
            low = max(low, _SENSIBLE[rule.low][1])
        if rule.low == row.code and rule.high in _SENSIBLE:
            high = min(high, _SENSIBLE[rule.high][0])
    return (low, high) if low <= high else everything


def _signed(code: str, unit: int, place: int, times: int) -> float:
    """Return a value that only one place of one table has."""
    step = times % 10
    match code:
        case "CELL":
            return float32(2 + 0.01 * (MOST_CELLS * unit + place) + 0.001 * step)
        case "RINT":
            return float32((100 + 10 * (MOST_CELLS * unit + place) + step) * 1e-6)
    return float32(-50 + SENSORS * unit + place + 0.1 * step)


def _main(times: int) -> Floats:
    amperes = 20 + times % 500 / 100
    content = (
        4.5 + times % 100 / 1000,
        4.7 + times % 100 / 1000,
        amperes if times // 50 % 2 else -10 - amperes,
        90 + times % 100 / 10,
        300 + times % 50000 / 1000,
        0.3 + times % 400 / 1000,
        0.8 + times % 100 / 1000,
    )
    return tuple(struct.unpack("<7f", struct.pack("<7f", *content)))


def _places(times: int) -> tuple[int, ...]:
    return tuple((times + shift) % 15 + 1 for shift in (0, 4, 8, 3, 6, 9))
