"""What REC's WiFi module says of a BMS: its two kinds of messages, in keys and form as captured.

The keys come from a capture of one module with a BMS of four cells. What other modules say in the
places that were empty in it (`error` with an error, `time_remaining` while discharging) is made up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from .bms import BMS
from .guard import Measured, Place

type Message = dict[str, Any]

_SETTINGS = (
    *("CMIN", "CMAX", "TMAX", "BVOL", "BMIN", "TBAL", "TMIN", "CAPA", "CHAR", "IOFF", "CHIS"),
    *("RAZL", "MAXH", "MINH", "BMTH", "IOJA", "SOCH", "OP2L", "OP2H", "RE1H", "CHAC", "DCHC"),
    *("MAXC", "MAXD", "CLOW", "SOCS", "CYCL", "CANS", "CHEM", "STRN", "RE1T", "OP2T", "RE1V"),
    *("OP2V", "CFVC", "RSBR"),
)
"""Settings in their order in the message."""
_OF_THE_CAPTURE: Mapping[str, float] = {
    "OP2L": 3.55,
    "OP2H": 0.15,
    "RE1H": 0.15,
    "RE1T": 1979711486,
    "OP2T": 380239933,
    "CFVC": 0.1,
    "RSBR": 2,
}
"""Settings of newer units that the battery model may not have."""


def status_message(bms: BMS, moment: datetime, *, percent: bool = False) -> Message:
    """Return what the module says again and again; `percent`: soc and soh as 0 to 100."""
    return {"type": "status", "bms_array": bms_array(bms, moment, percent=percent)}


def bms_array(bms: BMS, moment: datetime, *, percent: bool = False) -> Message:
    """Return what a status message and `GET /cell` tell."""
    bms.catch_up()
    now = bms.measure()
    units = range(len(bms.battery.units))
    return {
        "master": _master(bms, now, moment, 100 if percent else 1),
        "slave": {str(index): _slave(bms, now, index) for index in units},
    }


def _master(bms: BMS, now: Measured, moment: datetime, whole: int) -> Message:
    number, unit, _ = bms.error or (0, 0, 0)
    return {
        "time_remaining": _time_remaining(bms, now.current),
        "st_naprav": len(bms.battery.units),
        "time": "",
        "date": _date(moment),
        "mincell": _seven(now.lowest_cell().value),
        "maxcell": _seven(now.highest_cell().value),
        "ibat": _seven(now.current),
        "tmax": _seven(now.hottest().value),
        "vbat": _seven(now.voltage),
        "soc": _seven(bms.charge * whole),
        "soh": _seven(bms.health * whole),
        "erro": {
            "present": int(number > 0),
            "addr": bms.unit_address(unit) if number else 0,
            "st": number,
            "con_st": 0,
        },
        "error": f"Error {number}" if number else "",
    }


def _slave(bms: BMS, now: Measured, index: int) -> Message:
    cells, ohms = bms.battery.units[index].cells, bms.resistances()[index]
    return {
        "address": bms.unit_address(index + 1),
        "st_temp": len(now.celsius[index]),
        "temp_bms": _seven(now.board),
        "st_celic": len(cells),
        "temp": _by_index(_seven(degrees) for degrees in now.celsius[index]),
        "res": _by_index(_seven(each) for each in ohms),
        "nap": _by_index(_seven(volts) for volts in now.volts[index]),
        "bal": _by_index(cell.bleed > 0 for cell in cells),
    }


def settings_message(bms: BMS, moment: datetime, name: str) -> Message:
    """Return what the module says now and then: the settings, and who it is."""
    bms.catch_up()
    now = bms.measure()
    number = (bms.error or (0,))[0]
    return {
        "type": "settings",
        **_kept(bms, now),
        "err": {"p": int(number > 0), "num": number},
        "nnc": _place(bms, now.lowest_cell()),
        "vnc": _place(bms, now.highest_cell()),
        "toor": _place(bms, now.hottest()),
        "baud": {"lcd": 56000, "com": 115200},
        "mcu_date": _date(moment),
        "bms_name": name,
        "addr": 64,
        "tunit": 0,
        "Ah": round(bms.consumed),
        "cur": _six(now.current),
        "new_log_every_midnight": True,
        "out": False,
    }


def _kept(bms: BMS, now: Measured) -> Message:
    # The tasks of the two outputs in the capture are about the lowest and the highest cell.
    watched = {"RE1V": now.lowest_cell().value, "OP2V": now.highest_cell().value}
    named = {"CANS": bms.settings["CANF"], "STRN": bms.settings["SISN"]}
    values = {**_OF_THE_CAPTURE, **named, **bms.settings, **watched}
    return {code.lower(): _six(values[code]) for code in _SETTINGS}


def _place(bms: BMS, place: Place) -> Message:
    return {"bms": bms.unit_address(place.unit), "cell": place.number}


def _time_remaining(bms: BMS, current: float) -> str:
    missing = bms.settings["CAPA"] - bms.consumed if current < 0 else bms.consumed
    if not current:
        return ""
    hours, minutes = divmod(round(missing / abs(current) * 60), 60)
    return f"{'Full' if current > 0 else 'Empty'} in:<br> {hours}h {minutes:02} min"


def _date(moment: datetime) -> str:
    return f"{moment:%d.%m.%Y}"


def _by_index[T](values: Iterable[T]) -> dict[str, T]:
    return {str(index): value for index, value in enumerate(values)}


def _seven(value: float) -> float:
    """Return a measured number as the module writes it: seven digits, six behind the point."""
    return _plain(round(float(f"{value:.7g}"), 6))


def _six(value: float) -> float:
    """Return a number of the settings as the module writes it: six digits, integers in full."""
    return value if isinstance(value, int) else _plain(float(f"{value:.6g}"))


def _plain(value: float) -> float:
    return int(value) if value.is_integer() else value


def without(message: Message, missing: Collection[str]) -> Message:
    """Take keys out of a message and return it (see `take_out`)."""
    for key in missing:
        take_out(message, key)
    return message


def take_out(message: Message, key: str) -> bool:
    """Take a key out of a message; tell whether it was there.

    A key is dotted: `settings.capa`, `master.soc`, `slave.0.nap.2`; `bal` is that of all units.
    """
    path = key.split(".")
    if path[0] == "settings":
        return message["type"] == "settings" and _delete(message, path[1:])
    if message["type"] != "status":
        return False
    array = message["bms_array"]
    if path[0] in ("master", "slave"):
        return _delete(array, path)
    taken = [_delete(unit, path) for unit in array.get("slave", {}).values()]
    return any(taken)


def _delete(place: Any, path: list[str]) -> bool:
    *on_the_way, last = path or [""]
    for key in on_the_way:
        place = place.get(key) if isinstance(place, dict) else None
    return isinstance(place, dict) and place.pop(last, place) is not place


def written(message: Message) -> str:
    """Return a message as JSON text, without blanks as the module writes it."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
