"""Payloads to typed values and back.

Source: REC's manuals and bytes captured from a REC BMS 1Q (docs/protocol.md).
"""

from __future__ import annotations

import math
import re
import struct
from datetime import date, time
from decimal import Decimal

from ..errors import NotSettableError, OutOfRangeError, WrongTypeError
from ..plausible import (
    AMPERES,
    CELL_OHMS,
    CELL_VOLTS,
    CHARGE_FRACTION,
    DEGREES,
    HEALTH_FRACTION,
    PACK_VOLTS,
    REFERENCE_VOLTS,
    Bounds,
    temperature,
    within,
)
from ..settings import Setting
from ..state import ErrorState, Location, PerUnit
from .instructions import Instruction, Reply
from .readings import BmsTemperature, Extremes, MainData, Reading

_WORD: Bounds = (0, 2**32 - 1)
"""Whatever 32 bits can say."""
_PER_UNIT_BOUNDS = {"CELL": CELL_VOLTS, "RINT": CELL_OHMS, "PTEM": DEGREES}
_ANYTHING: Bounds = (-10_000, 10_000)
"""Of what is V, A, °C or a fraction, as the BMS is set up."""
_SINGLE_BOUNDS = {
    "REFC": REFERENCE_VOLTS,
    **dict.fromkeys(("UBDI", "CAL1", "CAL2", "CAL3", "CAL4"), (-CELL_VOLTS[1], CELL_VOLTS[1])),
    **dict.fromkeys(("SERI", "STRN", "RE1T", "OP2T", "RSBR"), _WORD),
}
"""Of what cannot be set: what can be has limits to go by."""

_DECIMAL = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?|nan|inf(inity)?)", re.ASCII | re.IGNORECASE
)
_PLAIN_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_32_BITS = re.compile(r"\d{1,10}", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_NO_DIGIT = re.compile(r"\D*", re.ASCII)
_MAY_BE_BLANK = (Reply.CELL, Reply.TIME, Reply.DATE)

_FLOAT32_ROUNDING = 2.0**-23
_DIGITS_TO_ROUND = 4
_FINEST_DECIMALS = 9


def text(payload: bytes) -> str | None:
    """Return a payload's printable ASCII text without padding, None if it is something else."""
    stripped = payload.strip(b"\0 \r\n")
    try:
        decoded = stripped.decode("ascii")
    except UnicodeDecodeError:
        return None
    return decoded if decoded and decoded.isprintable() else None


def fits(instruction: Instruction, payload: bytes) -> bool:
    """Tell whether a payload has the shape of this single value's response."""
    if is_acknowledgement(payload):
        return False
    if (decoded := text(payload)) is None:
        return instruction.reply in _MAY_BE_BLANK and _is_blank(payload)
    match instruction.reply:
        case Reply.STRING:
            return True
        case Reply.CELL:
            # Whatever else has a digit in it tells something else.
            return any(each.fullmatch(decoded) for each in (_32_BITS, _NO_DIGIT))
    return _pattern(instruction).fullmatch(decoded) is not None


def _is_blank(payload: bytes) -> bool:
    # Noughts are no blank: ERRO's data are four of them while there is no error.
    return not payload.strip(b" \r\n")


def _pattern(instruction: Instruction) -> re.Pattern[str]:
    match instruction.reply:
        case Reply.TIME:
            return _TIME
        case Reply.DATE:
            return _DATE
        case Reply.FLOAT:
            return _DECIMAL
    return _INTEGER if instruction.settable else _32_BITS


def is_refusal(payload: bytes) -> bool:
    """Tell whether a payload says that a BMS will not do, or does not know, what it was sent."""
    return payload.startswith(b"ERROR")


def is_acknowledgement(payload: bytes) -> bool:
    """Tell whether a payload says that a set was taken or refused."""
    return payload == b"SET" or is_refusal(payload)


def decode(instruction: Instruction, payloads: tuple[bytes, ...]) -> Reading:
    """Return what the frames of one response say; they have the shape that is due.

    Values are in the line's units; None for a single value that cannot be.
    """
    match instruction.code, instruction.reply:
        case "LCD1", _:
            return _main_data(payloads[1])
        case "LCD3", _:
            return _extremes(payloads[1])
        case "ERRO", _:
            present, unit, number, location = payloads[1]
            return ErrorState(bool(present), unit, number, location)
        case "BTEM", _:
            return BmsTemperature(temperature(_floats(payloads[1])[0]))
        case code, Reply.ARRAY:
            return _per_unit(payloads, _PER_UNIT_BOUNDS[code])
        case _, Reply.STRING:
            return text(payloads[0]) or ""
        case _, Reply.CELL:
            decoded = text(payloads[0]) or ""
            return int(decoded) if decoded.isdecimal() else None
        case _, Reply.TIME:
            return _time(payloads[0])
        case _, Reply.DATE:
            return _date(payloads[0])
    return _number(instruction, payloads[0])


def _time(payload: bytes) -> time | None:
    """Return a time of day, None for one that there is not."""
    found = _TIME.fullmatch(text(payload) or "")
    try:
        return time(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _date(payload: bytes) -> date | None:
    """Return a day, None for one that there is not, such as 00.00.2000."""
    found = _DATE.fullmatch(text(payload) or "")
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


def _number(instruction: Instruction, payload: bytes) -> float | None:
    decoded = text(payload) or ""
    number = int(decoded) if instruction.whole_number else float(decoded)
    return within(number, single_bounds(instruction))


def single_bounds(instruction: Instruction) -> Bounds:
    """Allow as much beyond its limits as a setting has between them: a BMS may be set up oddly."""
    if instruction.minimum is None or instruction.maximum is None:
        return _SINGLE_BOUNDS.get(instruction.code, _ANYTHING)
    span = instruction.maximum - instruction.minimum
    return instruction.minimum - span, instruction.maximum + span


def _floats(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 4}f", data)


def _main_data(data: bytes) -> MainData:
    low, high, current, hottest, volts, charge, health = _floats(data)
    return MainData(
        min_cell_voltage=within(low, CELL_VOLTS),
        max_cell_voltage=within(high, CELL_VOLTS),
        current=within(current, AMPERES),
        max_temperature=temperature(hottest),
        voltage=within(volts, PACK_VOLTS),
        state_of_charge=within(charge, CHARGE_FRACTION),
        state_of_health=within(health, HEALTH_FRACTION),
    )


def _extremes(data: bytes) -> Extremes:
    """Read LCD3; its Ah come high byte first (manual), whatever older libraries do."""
    return Extremes(
        min_cell=Location(data[0], data[1]),
        max_cell=Location(data[2], data[3]),
        max_temperature=Location(data[4], data[5]),
        consumed_charge=int.from_bytes(data[6:8], "big"),
    )


def _per_unit(payloads: tuple[bytes, ...], bounds: Bounds) -> PerUnit:
    units = int(payloads[0])
    rows = [_floats(data) for data in payloads[1:]]
    if len(rows) < units:
        rows = [*_split(rows[0], units)]
    check = temperature if bounds is DEGREES else lambda value: within(value, bounds)
    return PerUnit(tuple(tuple(check(value) for value in row) for row in rows))


def _split(values: tuple[float, ...], units: int) -> list[tuple[float, ...]]:
    per_unit = len(values) // units
    return [values[start : start + per_unit] for start in range(0, len(values), per_unit)]


def parse_setting(instruction: Instruction, value: object, present: float | None = None) -> float:
    """Return a value to set as a number in the line's unit: an int where that is what is set.

    Takes a number, or text that is one plain decimal number, to nine decimals: no setting is finer.
    `present` is what the BMS has, which may be beyond the limits. Raises NotSettableError,
    WrongTypeError (also for booleans, NaN and infinity) or OutOfRangeError.
    """
    if not instruction.settable:
        raise NotSettableError(instruction.code, instruction.name)
    setting = instruction.setting
    number = _finite(setting, value)
    if setting.whole_number and not number.is_integer():
        raise WrongTypeError(setting, value)
    lowest, highest = setting.limits(present)
    if not lowest <= number <= highest:
        raise OutOfRangeError(setting, number)
    # Adding nought makes minus nought plain.
    return int(number) if setting.whole_number else round(number, _FINEST_DECIMALS) + 0.0


def _finite(setting: Setting, value: object) -> float:
    number = math.nan
    if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not math.isfinite(number):
        raise WrongTypeError(setting, value)
    return number


def encode_setting(value: float) -> str:
    """Return a value to set in plain decimal notation, as the replaced toolset sent it.

    Nine significant digits are what a float32 can keep; further ones would only be noise of our own
    arithmetic, in a BMS whose room for a value's text is not known.
    """
    if isinstance(value, int):
        return str(value)
    plain = format(Decimal(f"{value:.9g}"), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def matches(instruction: Instruction, requested: float, read_back: bytes, previous: bytes) -> bool:
    """Tell whether a read-back is the requested value as the device keeps it.

    A whole number is kept as it is. Anything else is kept as a float32 and given back with four to
    six significant digits (capture: `4.50000e2`, `-1.2351e2`): the two must agree to the last digit
    that the BMS gives. Fewer digits than four leave no room for rounding. Where the BMS gives what
    it gave before, `previous`, only half a digit is allowed, so that a set that was ignored is not
    taken for one that changed the last digit.
    """
    kept = Decimal(text(read_back) or "NaN")
    if not kept.is_finite():
        return False
    if instruction.whole_number:
        return kept == requested
    tolerance = abs(requested) * _FLOAT32_ROUNDING
    digits = len(kept.as_tuple().digits)
    if digits >= _DIGITS_TO_ROUND:
        last_digit = 10.0 ** (kept.adjusted() + 1 - digits)
        tolerance = max(tolerance, last_digit * (0.5 if read_back == previous else 1))
    return abs(float(kept) - requested) <= tolerance
