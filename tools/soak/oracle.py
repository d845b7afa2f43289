"""What each entity may show: worked out from what the BMS said, by rules of this module's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import product
from typing import Any, cast

from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE

from . import rules
from .bms import CLOCK_AHEAD, SETTINGS, Response, SignedBms

ABSENT = ("unavailable", "unknown")
_TABLES = {
    "cell_voltage": ("CELL", 1.0, 3),
    "cell_resistance": ("RINT", 1000.0, 3),
    "temperature": ("PTEM", 1.0, 1),
}
_OF_TABLE = re.compile(r"(cell_voltage|cell_resistance|temperature)_(\d+)_(\d+)")
_BALANCING = re.compile(r"balancing|cell_balancing_(\d+)_(\d+)")
# Key: field of LCD1, factor, decimals shown.
_MAIN = {
    "min_cell_voltage": (0, 1, 3),
    "max_cell_voltage": (1, 1, 3),
    "current": (2, 1, 2),
    "max_temperature": (3, 1, 1),
    "voltage": (4, 1, 3),
    "state_of_charge": (5, 100, 1),
    "state_of_health": (6, 100, 1),
}
_COUNTERS = {"cycles": "CYCL", "overvoltage_count": "VMAX", "undervoltage_count": "VMIN"}
_SETTINGS = {row.key: row for row in SETTINGS}
_NEWER = {row.key: row.code for row in BY_CODE.values() if row.newer and row.is_number}
_TASKS = ("re1t", "op2t")
_MODES = (
    "off",
    "voltage",
    "temperature",
    "current",
    "state_of_charge",
    "lowest_cell",
    "highest_cell",
    "charge_enable",
    "discharge_enable",
)
_CLOCK = ("clock", "clock_deviation")
_LONGEST_ON_ITS_WAY = 3
"""Seconds from a BMS's looking at its clock to the end of what it answers, at most."""
_ZONE = 15
"""Minutes by whole numbers of which zones differ."""
# Key: code, place of the unit in LCD3, name of the attribute that goes with it.
_WHERE = {
    "min_cell_voltage": (0, "cell"),
    "max_cell_voltage": (2, "cell"),
    "max_temperature": (4, "sensor"),
    "headroom_low": (0, "cell"),
    "headroom_high": (2, "cell"),
}
_ERRORS = (
    "no_error",
    "cell_voltage_high",
    "cell_voltage_low",
    "cell_difference",
    "cell_temperature_high",
    "bms_temperature_high",
    "cells_or_address",
    "temperature_low_charging",
    "temperature_sensor",
    "communication",
    "cell_measurement",
    "contactor",
    "current_measurement",
    "chemistry",
    "memory",
    "balancing_transistor",
    "internal",
    "battery_current",
)
_EVENTS = "error_event"
_PRODUCTS = ("remaining_capacity", "stored_energy", "usable_capacity")
_NOMINAL = {1: 3.7, 2: 3.7, 3: 3.2, 4: 3.3, 5: 3.7}
"""Volts of a cell, by CHEM."""
# Key: field of LCD1, sign, the limits.
_HEADROOMS = {"headroom_high": (1, 1, ("CMAX",)), "headroom_low": (0, -1, ("CMIN", "CLOW"))}

# Key: coefficient, current for each inverter.
_CURRENT_LIMITS = {
    "charge_current_limit": ("CHAC", "MAXC"),
    "discharge_current_limit": ("DCHC", "MAXD"),
}
_SPREAD = "temperature_spread"


@dataclass(frozen=True, slots=True)
class Shown:
    """What an entity shows."""

    state: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is shown, and since when what it shows may have been said, by instruction."""

    oldest: Mapping[str, float]

    def since(self, code: str) -> float:
        """Return from when on a response to an instruction may still be shown."""
        return self.oldest[code]


def code_of(key: str) -> str | None:
    """Return the instruction that an entity shows; None if it shows more than one or none."""
    if found := _OF_TABLE.fullmatch(key):
        return _TABLES[found[1]][0]
    if _BALANCING.fullmatch(key):
        return "WCBI"
    if key in _MAIN or key in ("power", "discharge_power", "cell_voltage_delta", "charging"):
        return "LCD1"
    if key in ("error", "problem"):
        return "ERRO"
    if key in _SETTINGS:
        return _SETTINGS[key].code
    return {
        "consumed_charge": "LCD3",
        "bms_temperature": "BTEM",
        "reference_voltage": "REFC",
        "serial_number": "SERI",
        **dict.fromkeys(_CLOCK, "TIME"),
        **_NEWER,
        **_COUNTERS,
    }.get(key)


def is_of_one_response(key: str) -> bool:
    """Tell whether an entity is of one response; a date may make an earlier time a clock's."""
    return key not in _CLOCK


def knows(key: str) -> bool:
    """Tell whether there is a rule for what an entity may show."""
    worked_out = (*_PRODUCTS, *_HEADROOMS, *_CURRENT_LIMITS, _SPREAD)
    return key in (_EVENTS, *worked_out) or code_of(key) is not None


def is_true(bms: SignedBms, key: str, shown: Shown, moment: Moment) -> bool:
    """Tell whether the BMS said what an entity shows, recently enough."""
    if shown.state in ABSENT:
        return True
    if key == _EVENTS:
        return _is_true_event(bms, shown)
    if key in _CLOCK:
        return _is_true_clock(bms, key, shown.state, moment)
    if key == "balancing":
        return _is_true_balancing(bms, shown, moment)
    if not any(_matches(shown.state, each) for each in _candidates(bms, key, moment)):
        return False
    if key in _WHERE:
        return _is_true_place(bms, key, shown.attributes, moment)
    if key == "error":
        return _are_true_details(bms, shown, moment)
    return True


def capacities(bms: SignedBms, moment: Moment) -> Iterator[float]:
    """Yield what the BMS said of its capacity, in Ah, since it may be shown."""
    yield from _responses(bms, "CAPA", moment)


def _responses(bms: SignedBms, code: str, moment: Moment) -> Iterator[Any]:
    """Yield what the BMS said to an instruction since it may be shown, latest first."""
    for said in reversed(bms.chronicle[code]):
        if said.at < moment.since(code):
            return
        yield said.says


def _candidates(bms: SignedBms, key: str, moment: Moment) -> Iterator[tuple[float, float] | str]:
    """Yield what may be shown: numbers with the error that rounding may make, or words."""
    if key in _PRODUCTS:
        yield from _products(bms, key, moment)
        return
    if key in _HEADROOMS:
        yield from _headrooms(bms, key, moment)
        return
    if key in _CURRENT_LIMITS:
        yield from _current_limits(bms, key, moment)
        return
    if key == _SPREAD:
        yield from _spreads(bms, moment)
        return
    code = code_of(key)
    if code is None:
        return
    if code == "WCBI" and len(bms.cells) != 1:
        # It tells no unit.
        return
    for response in _responses(bms, code, moment):
        if key == "charging":
            yield from rules.charging(response[2])
        elif found := _BALANCING.fullmatch(key):
            balanced = response is not None and (found[2] is None or response == int(found[2]))
            yield "on" if balanced else "off"
        else:
            yield _expected(key, code, response)


def _expected(key: str, code: str, response: Any) -> tuple[float, float] | str:
    if found := _OF_TABLE.fullmatch(key):
        _, factor, decimals = _TABLES[found[1]]
        rows: tuple[tuple[float, ...], ...] = response
        unit, place = int(found[2]) - 1, int(found[3]) - 1
        if unit >= len(rows) or place >= len(rows[unit]):
            return "nothing"
        return rows[unit][place] * factor, _rounding(decimals)
    if key in _MAIN:
        field, factor, decimals = _MAIN[key]
        return response[field] * factor, _rounding(decimals)
    match key:
        case "power":
            return response[4] * response[2], _rounding(1)
        case "discharge_power":
            return -response[4] * response[2], _rounding(1)
        case "cell_voltage_delta":
            return response[1] - response[0], _rounding(3)
        case "problem":
            return "on" if response[0] else "off"
        case "error":
            return _name_of_error(response)
        case "consumed_charge":
            return 256 * response[6] + response[7], _rounding(3)
        case "bms_temperature":
            return response[0], _rounding(1)
        case "reference_voltage":
            return response, _rounding(4)
    if key in _TASKS:
        mode = int(response) >> 24 & 0xF
        return _MODES[mode] if mode < len(_MODES) else "unknown"
    row = BY_CODE[code]
    if row.choices:
        return row.choices.get(int(response), "unknown")
    scale = 100 if row.line_unit == "fraction" else 1
    return response * scale, abs(response * scale) * 5e-6


def _name_of_error(response: tuple[int, ...]) -> str:
    present, _, number, _ = response
    if not present:
        return _ERRORS[0]
    return _ERRORS[number] if number < len(_ERRORS) else "other"


def _products(bms: SignedBms, key: str, moment: Moment) -> Iterator[tuple[float, float]]:
    for main in _responses(bms, "LCD1", moment):
        for capacity in _responses(bms, "CAPA", moment):
            amperehours = capacity * main[5]
            if key == "remaining_capacity":
                yield amperehours, _rounding(1)
            elif key == "usable_capacity":
                cells = sum(bms.cells)
                yield from (
                    (capacity * main[6] * cells * _NOMINAL[int(chemistry)] / 1000, _rounding(2))
                    for chemistry in _responses(bms, "CHEM", moment)
                )
            else:
                yield amperehours * main[4] / 1000, _rounding(1)


def _headrooms(bms: SignedBms, key: str, moment: Moment) -> Iterator[tuple[float, float]]:
    """Yield the mV that were left; of limits that are far apart, the nearer counts."""
    field, sign, codes = _HEADROOMS[key]
    said = [list(_responses(bms, code, moment)) for code in codes if bms.chronicle[code]]
    for main in _responses(bms, "LCD1", moment):
        for limits in product(*said):
            left = min(sign * (limit - main[field]) for limit in limits)
            yield left * 1000, _rounding(0)


def _current_limits(bms: SignedBms, key: str, moment: Moment) -> Iterator[tuple[float, float]]:
    coefficient, for_each = _CURRENT_LIMITS[key]
    # A newer unit is asked for STRN after it was asked for SISN.
    for count in ("STRN", "SISN"):
        said = (_responses(bms, code, moment) for code in (coefficient, "CAPA", for_each, count))
        for share, capacity, amperes, number in product(*said):
            yield min(share * capacity, amperes * number), _rounding(1)


def _spreads(bms: SignedBms, moment: Moment) -> Iterator[tuple[float, float]]:
    for rows in _responses(bms, "PTEM", moment):
        told = [degrees for row in rows for degrees in row]
        yield max(told) - min(told), _rounding(1)


def _rounding(decimals: int) -> float:
    return 0.5001 * 10.0**-decimals


def _matches(state: str, expected: tuple[float, float] | str) -> bool:
    if isinstance(expected, str):
        return state == expected
    value, rounding = expected
    try:
        return abs(float(state) - value) <= rounding
    except ValueError:
        return False


def _is_true_clock(bms: SignedBms, key: str, state: str, moment: Moment) -> bool:
    """Tell whether the clock was shown as it is, in whatever zone the house is."""
    if key == "clock_deviation":
        # Its seconds are cut off, and it is ahead by less the longer a response was on its way.
        return -_LONGEST_ON_ITS_WAY - 1 <= float(state) - CLOCK_AHEAD <= 0
    shown = datetime.fromisoformat(state)
    return any(
        (said.minute % _ZONE, said.second) == (shown.minute % _ZONE, shown.second)
        for said in _responses(bms, "TIME", moment)
        if said is not None
    )


def _is_true_balancing(bms: SignedBms, shown: Shown, moment: Moment) -> bool:
    """Say whether what is balanced is the cell of a response, if the BMS can tell of which unit."""
    if len(bms.cells) != 1:
        return False
    return any(
        (shown.state, shown.attributes.get("cells"))
        == (("off", []) if cell is None else ("on", [[1, cell]]))
        for cell in _responses(bms, "WCBI", moment)
    )


def _is_true_place(bms: SignedBms, key: str, attributes: Mapping[str, Any], moment: Moment) -> bool:
    first, name = _WHERE[key]
    unit, number = attributes.get("unit"), attributes.get(name)
    return (unit, number) == (None, None) or any(
        unit in _units(bms, response[first]) and number == response[first + 1]
        for response in _responses(bms, "LCD3", moment)
    )


def _are_true_details(bms: SignedBms, shown: Shown, moment: Moment) -> bool:
    return any(
        _is_of(bms, shown, response) if response[0] else _place(shown) == (None, None, None)
        for response in _responses(bms, "ERRO", moment)
    )


def _is_true_event(bms: SignedBms, shown: Shown) -> bool:
    told = [cast("tuple[int, ...]", said.says) for said in bms.chronicle["ERRO"]]
    return any(_is_of(bms, shown, response) for response in told if response[0])


def _is_of(bms: SignedBms, shown: Shown, response: tuple[int, ...]) -> bool:
    """Tell whether an error that is shown is what ERRO told."""
    unit, *error = _place(shown)
    return unit in _units(bms, response[1]) and error == [*response[2:]]


def _place(shown: Shown) -> tuple[Any, Any, Any]:
    unit, number, location = (shown.attributes.get(at) for at in ("unit", "number", "location"))
    return unit, number, location


def _units(bms: SignedBms, address: int) -> set[int | None]:
    return rules.shown_units(address, bms.address, len(bms.cells))


def reading_is_true(bms: SignedBms, code: str, reading: object, since: float) -> bool:
    """Tell whether the BMS said what a client read, since a moment of the loop's clock."""
    read = plain(reading)
    return any(_same(said.says, read) for said in reversed(bms.chronicle[code]) if said.at >= since)


def plain(reading: object) -> Response | None:
    """Return one of the protocol's readings as a BMS of this package would have said it."""
    if isinstance(reading, str | int | float | time | date) or reading is None:
        return reading
    if (units := getattr(reading, "units", None)) is not None:
        return tuple(units)
    return tuple(_numbers(reading))


def _numbers(reading: object) -> Iterator[float]:
    for name in getattr(reading, "__slots__", ()):
        if name == "position":
            # No BMS on a line tells it.
            continue
        value = getattr(reading, name)
        if name == "position":
            # On a serial line, a place is told by its unit's address.
            assert value is None
        elif hasattr(value, "__slots__"):
            yield from _numbers(value)
        elif name == "consumed_charge":
            yield from divmod(value, 256)
        else:
            yield value


def _same(said: Response, read: Response | None) -> bool:
    return said == read
