"""What a BMS says to a request: payloads, one for each frame of the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from .figures import float32, float32s, read_float, read_whole
from .table import BY_CODE, Instruction, Reply

if TYPE_CHECKING:
    from .bms import BMS

SET = b"SET"
REFUSED = b"ERROR1"
NEVER_SENT = ("ERLD", "MODE")
"""One deletes the error log, and what the other does is not known."""

_FLOATS_IN_A_FRAME = 63
_ABSENT = (-3.0e38, float("nan"), 85.0, 1.4e-45, -127.0, 0.0)
"""What sensors that are not fitted read as."""


def respond(bms: BMS, request: bytes) -> list[bytes] | None:
    """Do what a request asks a BMS for; return the response's payloads, None for silence."""
    text = request.decode("latin-1")
    if text == "ERRL?":
        return _next_log_entry(bms)
    if text[:4] in NEVER_SENT:
        bms.offences.append(text)
        return None
    row = BY_CODE.get(text[:4])
    if row is None or row.code in bms.unsupported:
        return [REFUSED] if bms.refuses else None
    bms.catch_up()
    if text[4:] == "?":
        return _reading(bms, row)
    if text[4:5] == " ":
        return [SET if _take(bms, request) else REFUSED]
    return None


def _next_log_entry(bms: BMS) -> list[bytes] | None:
    """Return the entry at the pointer, which goes on and begins anew; silence without a log."""
    if not bms.error_log:
        return [REFUSED] if bms.refuses else None
    bms.log_pointer += 1
    return [bms.error_log[(bms.log_pointer - 1) % len(bms.error_log)]]


def wanted(
    request: bytes, maxima: Mapping[str, float] = MappingProxyType({})
) -> tuple[Instruction, float] | None:
    """Return the row and the value of a set that is to be taken, None for anything else.

    `maxima` are the largest values of a unit that allows more than the table does.
    """
    text = request.decode("latin-1")
    row = BY_CODE.get(text[:4])
    if row is None or text[4:5] != " " or row.minimum is None or row.maximum is None:
        return None
    value = read_whole(text[5:]) if row.whole_number else read_float(text[5:])
    highest = maxima.get(row.code, row.maximum)
    if value is None or not float32(row.minimum) <= value <= float32(highest):
        return None
    return row, value


def _take(bms: BMS, request: bytes) -> bool:
    change = wanted(request, bms.maxima)
    if change is None:
        return False
    row, value = change
    bms.set_value(row.code, value)
    return True


def _reading(bms: BMS, row: Instruction) -> list[bytes] | None:
    if row.reply is Reply.ARRAY:
        # What an array is made of no table tells: a new one is one that this BMS does not have.
        return _ARRAYS[row.code](bms) if row.code in _ARRAYS else None
    if row.code in _WORDS:
        return [_WORDS[row.code](bms).encode("ascii")]
    if row.reply is Reply.STRING:
        return [bms.texts[row.code].encode("latin-1")]
    return [bms.written(row.code).encode("ascii")]


def main_data(bms: BMS) -> list[float]:
    """Return LCD1: lowest, highest cell V, current A, highest °C, pack V, charge, health."""
    now = bms.measure()
    return [
        now.lowest_cell().value,
        now.highest_cell().value,
        now.current,
        now.hottest().value,
        now.voltage,
        bms.charge,
        bms.health,
    ]


def _lcd1(bms: BMS) -> list[bytes]:
    return [b"28", float32s(main_data(bms))]


def _lcd3(bms: BMS) -> list[bytes]:
    now = bms.measure()
    content = bytearray()
    for place in (now.lowest_cell(), now.highest_cell(), now.hottest()):
        content += bytes((bms.unit_address(place.unit), place.number))
    consumed = min(max(round(bms.consumed), 0), 0xFFFF)
    return [b"8", bytes(content) + consumed.to_bytes(2, "big")]


def _cell(bms: BMS) -> list[bytes]:
    return _per_unit(bms, bms.measure().volts)


def _rint(bms: BMS) -> list[bytes]:
    return _per_unit(bms, bms.resistances())


def _ptem(bms: BMS) -> list[bytes]:
    absent = [_ABSENT[index % len(_ABSENT)] for index in range(bms.absent_sensors)]
    return _per_unit(bms, [unit + absent for unit in bms.measure().celsius])


def _btem(bms: BMS) -> list[bytes]:
    return [b"1", float32s([bms.measure().board])]


def _erro(bms: BMS) -> list[bytes]:
    error = bms.error
    if error is None:
        return [b"4", bytes(4)]
    number, unit, location = error
    return [b"4", bytes((1, bms.unit_address(unit), number, location))]


def _wcbi(bms: BMS) -> str:
    """Return the number of the cell that is being balanced most, a blank when none is."""
    cells = bms.battery.units[0].cells
    bled = [number for number, cell in enumerate(cells, 1) if cell.bleed]
    return str(max(bled, key=lambda number: cells[number - 1].open_circuit)) if bled else " "


def _per_unit(bms: BMS, table: list[list[float]]) -> list[bytes]:
    header = str(len(table)).encode("ascii")
    everything = [value for unit in table for value in unit]
    if bms.layout == "single" and len(everything) <= _FLOATS_IN_A_FRAME:
        return [header, float32s(everything)]
    return [header, *(float32s(unit) for unit in table)]


_ARRAYS: Mapping[str, Callable[[BMS], list[bytes]]] = {
    "LCD1": _lcd1,
    "LCD3": _lcd3,
    "CELL": _cell,
    "RINT": _rint,
    "PTEM": _ptem,
    "BTEM": _btem,
    "ERRO": _erro,
}

_WORDS: Mapping[str, Callable[[BMS], str]] = {
    "WCBI": _wcbi,
    "TIME": lambda bms: f"{bms.clock():%H:%M:%S}",
    "DATE": lambda bms: f"{bms.clock():%d.%m.%Y}",
}
