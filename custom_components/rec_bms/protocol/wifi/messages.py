"""What the module's messages tell, each key by itself.

Source: messages captured from a module on a 4-cell BMS, and programs that run on others
(docs/wifi.md). Any key may be missing, and a value that is null, of another kind or impossible is
no value for its own quantity and touches no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from ..plausible import (
    AMPERES,
    CELL_OHMS,
    CELL_VOLTS,
    PACK_VOLTS,
    Bounds,
    temperature,
    within,
)
from ..rs485.codec import single_bounds
from ..rs485.instructions import BY_CODE, Instruction
from ..state import ErrorState, Location, PerUnit, Quantity

LONGEST = 256 * 1024
"""Bytes of a message that is looked into."""

_MOST_DIGITS = 18
_MOST_UNITS = 16
_MOST_CELLS = 24
_INDEX = re.compile(r"0|[1-9]\d?", re.ASCII)
_NAME = re.compile(r"[\w-]{1,32}", re.ASCII)
_SERIAL_NUMBER = re.compile(r"\w+-(\d{1,9})", re.ASCII)
_FRACTION: Bounds = (-0.05, 1.05)
_PERCENT: Bounds = (1.05, 105)
_BYTE: Bounds = (0, 255)
_AMPERE_HOURS: Bounds = (-100_000, 100_000)

type Unit = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """What the BMS measures: quantities, and the addresses of its units where all are told."""

    told: Mapping[str, object]
    unit_addresses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the BMS is set to, by key, and who it is: `name`, None where that is not told."""

    told: Mapping[str, object]
    name: str | None


type Message = Status | Settings


def parse(text: str) -> Message | None:
    """Return what a message tells; None for one that is too long, no JSON, or of another kind."""
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        return None
    try:
        content = json.loads(text, parse_int=_whole, parse_constant=_nothing)
    except ValueError, RecursionError:
        return None
    match content:
        case {"type": "status", "bms_array": dict(array)}:
            return _status(array)
        case {"type": "settings"}:
            return _settings(content)
    return None


def _whole(digits: str) -> int | None:
    """Return an integer, None for one of absurd length: no measurement, and costly to read."""
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _nothing(_: str) -> None:
    """Return None for NaN and infinities, which are no JSON."""


def _number(check: Callable[[float], float | None], value: object) -> float | None:
    """Return a number that passes a check; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return check(value)


def _in(bounds: Bounds) -> Callable[[object], float | None]:
    return partial(_number, lambda value: within(value, bounds))


def _fraction(value: object) -> float | None:
    """Return a fraction of 1; a program says that some modules tell percent."""
    fraction = _in(_FRACTION)(value)
    if fraction is None and (percent := _in(_PERCENT)(value)) is not None:
        return percent / 100
    return fraction


def _byte(value: object) -> int | None:
    number = _in(_BYTE)(value)
    return int(number) if number is not None and number == int(number) else None


def _flag(value: object) -> bool | None:
    return bool(value) if value in (0, 1) and not isinstance(value, float) else None


def _error(value: object) -> ErrorState | None:
    """Read `erro`; where the error is, is told with nothing but its unit."""
    told = value if isinstance(value, dict) else {}
    if (present := _flag(told.get("present"))) is None:
        return None
    if not present:
        return ErrorState(present=False, unit=0, number=0, location=None)
    return ErrorState(
        present=True, unit=_byte(told.get("addr")), number=_byte(told.get("st")) or 0, location=None
    )


_CELSIUS = partial(_number, temperature)
_MASTER: Mapping[str, tuple[Quantity, Callable[[object], object]]] = MappingProxyType(
    {
        "vbat": (Quantity.VOLTAGE, _in(PACK_VOLTS)),
        "ibat": (Quantity.CURRENT, _in(AMPERES)),
        "soc": (Quantity.STATE_OF_CHARGE, _fraction),
        "soh": (Quantity.STATE_OF_HEALTH, _fraction),
        "mincell": (Quantity.MIN_CELL_VOLTAGE, _in(CELL_VOLTS)),
        "maxcell": (Quantity.MAX_CELL_VOLTAGE, _in(CELL_VOLTS)),
        "tmax": (Quantity.MAX_TEMPERATURE, _CELSIUS),
        "erro": (Quantity.ERROR, _error),
    }
)
_TABLES: Mapping[str, tuple[Quantity, Callable[[object], float | None]]] = MappingProxyType(
    {
        "nap": (Quantity.CELL_VOLTAGES, _in(CELL_VOLTS)),
        "res": (Quantity.CELL_RESISTANCES, _in(CELL_OHMS)),
        "temp": (Quantity.TEMPERATURES, _CELSIUS),
        "bal": (Quantity.BALANCING, lambda value: value if isinstance(value, bool) else None),
    }
)


def _status(array: Mapping[str, Any]) -> Status:
    master = _object(array.get("master"))
    units = [_object(unit) for unit in _in_order(array.get("slave"), _MOST_UNITS)]
    told: dict[str, object] = {
        quantity: read(master[key]) for key, (quantity, read) in _MASTER.items() if key in master
    }
    for key, (quantity, read) in _TABLES.items():
        if any(key in unit for unit in units):
            told[quantity] = _table(units, key, read)
    if units and "temp_bms" in units[0]:
        told[Quantity.BMS_TEMPERATURE] = _CELSIUS(units[0]["temp_bms"])
    told |= _extremes(units, told)
    return Status(MappingProxyType(told), _addresses(units))


def _object(value: object) -> Unit:
    return value if isinstance(value, dict) else {}


def _in_order(value: object, most: int) -> list[Any]:
    """Return what goes by indices from 0, None for each index that is not there."""
    named = {int(key): each for key, each in _object(value).items() if _INDEX.fullmatch(key)}
    last = max((index for index in named if index < most), default=-1)
    return [named.get(index) for index in range(last + 1)]


def _table(units: Sequence[Unit], key: str, read: Callable[[object], float | None]) -> PerUnit:
    return PerUnit(tuple(tuple(map(read, _in_order(unit.get(key), _MOST_CELLS))) for unit in units))


def _addresses(units: Sequence[Unit]) -> tuple[int, ...]:
    """Return the units' addresses; none at all where not every unit has one of its own."""
    addresses = [_byte(unit.get("address")) for unit in units]
    known = {address for address in addresses if address}
    return tuple(address for address in addresses if address) if len(known) == len(units) else ()


def _extremes(units: Sequence[Unit], told: Mapping[str, Any]) -> dict[str, Location | None]:
    """Work out where the extremes are: what the module tells of that lags behind."""
    places = (
        (Quantity.MIN_CELL, Quantity.CELL_VOLTAGES, "st_celic", min),
        (Quantity.MAX_CELL, Quantity.CELL_VOLTAGES, "st_celic", max),
        (Quantity.HOTTEST_SENSOR, Quantity.TEMPERATURES, "st_temp", max),
    )
    addresses = _addresses(units)
    found: dict[str, Location | None] = {}
    for quantity, of, count, pick in places:
        if (table := told.get(of)) is not None:
            place = _extreme(table, [_byte(unit.get(count)) for unit in units], pick)
            found[quantity] = place and Location(
                addresses[place[0] - 1] if addresses else None, place[1], position=place[0]
            )
    return found


def _extreme(
    table: PerUnit, counts: Sequence[int | None], pick: Callable[..., Any]
) -> tuple[int, int] | None:
    """Return unit and number of an extreme, both from 1; None unless every value is known."""
    values = list(table)
    whole = all(len(row) >= (due or 1) for row, due in zip(table.units, counts, strict=True))
    if not values or not whole or any(value is None for _, _, value in values):
        return None
    unit, number, _ = pick(values, key=lambda each: each[2])
    return unit, number


_SETTING_OF = MappingProxyType({"cans": "canf"})
"""The module's own names for settings, where they are not REC's."""


def _settings(content: Mapping[str, Any]) -> Settings:
    told: dict[str, object] = {}
    for key, value in content.items():
        code = _SETTING_OF.get(key, key).upper()
        row = BY_CODE.get(code) if key.isascii() and key == key.lower() else None
        if row is not None and row.is_number:
            told[row.key] = _setting(row, value)
    if "Ah" in content:
        told[Quantity.CONSUMED_CHARGE] = _in(_AMPERE_HOURS)(content["Ah"])
    name = content.get("bms_name")
    name = name if isinstance(name, str) and _NAME.fullmatch(name) else None
    if name and (serial := _SERIAL_NUMBER.fullmatch(name)):
        told[Quantity.SERIAL_NUMBER] = int(serial[1])
    return Settings(MappingProxyType(told), name)


def _setting(row: Instruction, value: object) -> float | None:
    number = _in(single_bounds(row))(value)
    if number is None or not row.whole_number:
        return number
    return int(number) if number == int(number) else None
