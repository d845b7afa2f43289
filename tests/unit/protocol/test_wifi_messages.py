"""What the module's messages tell, each key by itself."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.rec_bms.protocol.plausible import (
    CELL_OHMS,
    CELL_VOLTS,
    DEGREES,
    PACK_VOLTS,
)
from custom_components.rec_bms.protocol.state import (
    ErrorState,
    Location,
    PerUnit,
    Quantity,
    State,
)
from custom_components.rec_bms.protocol.wifi.messages import LONGEST, Settings, Status, parse


def _status(master: str) -> Status:
    message = parse('{"type":"status","bms_array":{"master":{' + master + "}}}")
    assert isinstance(message, Status)
    return message


@pytest.mark.parametrize(
    "value", ["null", "true", '"52"', "NaN", "Infinity", "1e999", "9" * 5000, "[]", "{}"]
)
def test_value_that_is_no_measurement_leaves_the_others_alone(value: str) -> None:
    told = _status(f'"vbat":{value},"ibat":7.5,"soc":0.5').told
    assert told == {
        Quantity.VOLTAGE: None,
        Quantity.CURRENT: 7.5,
        Quantity.STATE_OF_CHARGE: 0.5,
    }


def test_soc_and_soh_are_told_apart_as_fraction_or_percent_each_by_itself() -> None:
    told = _status('"soc":28.5,"soh":0.9963').told
    assert told[Quantity.STATE_OF_CHARGE] == pytest.approx(0.285)
    assert told[Quantity.STATE_OF_HEALTH] == 0.9963
    assert _status('"soc":106').told[Quantity.STATE_OF_CHARGE] is None


def test_balancing_that_is_not_told_is_never_off() -> None:
    message = parse('{"type":"status","bms_array":{"slave":{"0":{"nap":{"0":3.3}}}}}')
    assert isinstance(message, Status)
    assert Quantity.BALANCING not in message.told


@pytest.mark.parametrize("key", ["\u017foch", "cm\u0131n", "CMIN"])
def test_key_that_only_resembles_a_setting_tells_nothing(key: str) -> None:
    message = parse(json.dumps({"type": "settings", key: 3}))
    assert isinstance(message, Settings)
    assert not message.told


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"type":"other"}', "[" * 100_000, " " * (LONGEST + 1) + "{}"],
    ids=["empty", "half", "list", "other", "deep", "long"],
)
def test_text_that_is_no_message_is_dropped(text: str) -> None:
    assert parse(text) is None


def _captured(kind: str) -> Status | Settings | None:
    return parse((Path(__file__).parent / "wifi_capture" / f"{kind}.json").read_text("utf-8"))


def test_captured_status_is_told_as_it_stands() -> None:
    status = _captured("status")
    assert isinstance(status, Status)
    assert status.unit_addresses == (2,)
    assert status.told[Quantity.VOLTAGE] == 13.2439
    assert status.told[Quantity.CURRENT] == 7.456289
    assert status.told[Quantity.STATE_OF_CHARGE] == 0.285054
    assert status.told[Quantity.STATE_OF_HEALTH] == 0.9963
    assert status.told[Quantity.MAX_TEMPERATURE] == 22.5
    assert status.told[Quantity.BMS_TEMPERATURE] == 28.66577


def test_captured_settings_tell_who_the_bms_is() -> None:
    settings = _captured("settings")
    assert isinstance(settings, Settings)
    assert settings.name == "1A-2261"
    assert settings.told[Quantity.SERIAL_NUMBER] == 2261
    assert settings.told[Quantity.CONSUMED_CHARGE] == 227


STATUS, SETTINGS = (
    json.loads((Path(__file__).parent / "wifi_capture" / f"{kind}.json").read_text("utf-8"))
    for kind in ("status", "settings")
)
MASTER = {
    "vbat": Quantity.VOLTAGE,
    "ibat": Quantity.CURRENT,
    "soc": Quantity.STATE_OF_CHARGE,
    "soh": Quantity.STATE_OF_HEALTH,
    "mincell": Quantity.MIN_CELL_VOLTAGE,
    "maxcell": Quantity.MAX_CELL_VOLTAGE,
    "tmax": Quantity.MAX_TEMPERATURE,
    "erro": Quantity.ERROR,
}
TABLES = {
    "nap": Quantity.CELL_VOLTAGES,
    "res": Quantity.CELL_RESISTANCES,
    "temp": Quantity.TEMPERATURES,
    "bal": Quantity.BALANCING,
}
WORKED_OUT = {
    "nap": {Quantity.MIN_CELL, Quantity.MAX_CELL},
    "temp": {Quantity.HOTTEST_SENSOR},
}
NO_VALUES = [None, True, "text", [], {}, "@NaN@", "@1e999@", 9_999_999_999, -9_999_999_999]


def said(content: Any) -> Status | Settings:
    """Return what is told by content, in which texts between two @ stand as they are."""
    message = parse(re.sub(r'"@(.*?)@"', r"\1", json.dumps(content)))
    assert message is not None
    return message


def changed(key: str, value: object) -> Status | Settings:
    """Return what the captured status tells with another value of the master's."""
    content = copy.deepcopy(STATUS)
    content["bms_array"]["master"][key] = value
    return said(content)


@pytest.mark.parametrize("value", NO_VALUES, ids=repr)
@pytest.mark.parametrize("key", MASTER)
def test_no_value_of_a_key_touches_another(key: str, value: object) -> None:
    whole = said(STATUS).told
    assert changed(key, value).told == {**whole, MASTER[key]: None}


@pytest.mark.parametrize("key", MASTER)
def test_a_key_that_is_missing_is_not_told(key: str) -> None:
    content = copy.deepcopy(STATUS)
    del content["bms_array"]["master"][key]
    whole = dict(said(STATUS).told)
    del whole[MASTER[key]]
    assert said(content).told == whole


@pytest.mark.parametrize("value", [*NO_VALUES, "@" + "9" * 5000 + "@"], ids=lambda v: repr(v)[:12])
@pytest.mark.parametrize("table", ["nap", "res", "temp"])
def test_no_value_of_a_cell_touches_another(table: str, value: object) -> None:
    content = copy.deepcopy(STATUS)
    content["bms_array"]["slave"]["0"][table]["0"] = value
    whole, told = said(STATUS).told, said(content).told
    row = whole[TABLES[table]].units[0]  # type: ignore[attr-defined]
    worked_out = dict.fromkeys(WORKED_OUT.get(table, set()))
    assert told == {**whole, TABLES[table]: PerUnit(((None, *row[1:]),)), **worked_out}


@pytest.mark.parametrize("value", [None, 0, 1, "true", [], 1.0], ids=repr)
def test_only_true_and_false_tell_whether_a_cell_is_balanced(value: object) -> None:
    content = copy.deepcopy(STATUS)
    content["bms_array"]["slave"]["0"]["bal"]["1"] = value
    assert said(content).told[Quantity.BALANCING] == PerUnit(((True, None, False, False),))


@pytest.mark.parametrize("value", NO_VALUES, ids=repr)
@pytest.mark.parametrize("key", [key for key in SETTINGS if said(SETTINGS).told.get(key)])
def test_no_value_of_a_setting_touches_another(key: str, value: object) -> None:
    whole = said(SETTINGS).told
    assert said({**SETTINGS, key: value}).told == {**whole, key: None}


def test_the_captured_settings_are_told_as_they_stand() -> None:
    told = said(SETTINGS).told
    ours = {"cans": "canf"}
    same = {ours.get(key, key): value for key, value in SETTINGS.items()}
    settings = {key: value for key, value in told.items() if key not in set(Quantity)}
    assert settings == {key: same[key] for key in settings}
    assert len(settings) == 36


@pytest.mark.parametrize("index", ["01", "-1", "\uff11", "1.0", "", " 1", "24", "99", "x"])
def test_an_index_that_is_no_plain_number_or_too_high_makes_nothing(index: str) -> None:
    content = copy.deepcopy(STATUS)
    content["bms_array"]["slave"]["0"]["nap"][index] = 3.1
    assert said(content).told == said(STATUS).told


@pytest.mark.parametrize("index", ["16", "01", "-1", "9" * 400])
def test_a_unit_that_cannot_be_makes_nothing(index: str) -> None:
    content = copy.deepcopy(STATUS)
    content["bms_array"]["slave"][index] = content["bms_array"]["slave"]["0"]
    assert said(content) == said(STATUS)


def test_units_have_their_positions_in_the_order_of_their_indices() -> None:
    content = copy.deepcopy(STATUS)
    slaves = content["bms_array"]["slave"]
    slaves["2"] = {**copy.deepcopy(slaves["0"]), "address": 9, "nap": {"0": 3.1}, "st_celic": 1}
    slaves["1"] = {**copy.deepcopy(slaves["0"]), "address": 7, "nap": {"0": 3.6}, "st_celic": 1}
    content["bms_array"]["master"]["erro"] = {"present": 1, "addr": 9, "st": 4}
    status = said(content)
    assert isinstance(status, Status)
    state = State.of(status.told, unit_addresses=status.unit_addresses)
    assert state.unit_addresses == (2, 7, 9)
    assert state.min_cell == Location(9, 1, 3)
    assert state.max_cell == Location(7, 1, 2)
    assert state.error == ErrorState(present=True, unit=9, number=4, location=None)
    assert state.position(9) == 3


@pytest.mark.parametrize("address", [None, 2, "7", 0, 256, 1.5])
def test_addresses_of_which_one_is_missing_or_doubled_are_no_addresses(address: object) -> None:
    content = copy.deepcopy(STATUS)
    slaves = content["bms_array"]["slave"]
    slaves["1"] = {**copy.deepcopy(slaves["0"]), "address": address, "nap": {"0": 3.1}}
    slaves["1"]["st_celic"] = 1
    status = said(content)
    assert isinstance(status, Status)
    assert status.unit_addresses == ()
    assert status.told[Quantity.MIN_CELL] == Location(None, 1, 2)


def test_the_place_of_the_lowest_cell_is_not_known_while_a_cell_is_missing() -> None:
    content = copy.deepcopy(STATUS)
    del content["bms_array"]["slave"]["0"]["nap"]["3"]
    told = said(content).told
    assert (told[Quantity.MIN_CELL], told[Quantity.MAX_CELL]) == (None, None)


def test_a_status_that_is_too_long_is_dropped() -> None:
    text = json.dumps(STATUS)
    padded = text[:-1] + ',"pad":"' + "x" * (LONGEST - len(text) - 10) + '"}'
    assert len(padded) == LONGEST - 1
    assert parse(padded) == parse(text)
    assert parse(padded + "  ") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*"0123", *MASTER, *TABLES, "address"]), inner)
    ),
    max_leaves=12,
)
PLACES = [("master",), ("slave",), ("slave", "0"), ("slave", "0", "nap"), ("slave", "0", "bal")]


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_status_nothing_raises_and_nothing_impossible_is_told(
    place: tuple[str, ...], value: Any
) -> None:
    content = copy.deepcopy(STATUS)
    inner = content["bms_array"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    status = said(content)
    assert isinstance(status, Status)
    for quantity, bounds in (
        (Quantity.CELL_VOLTAGES, CELL_VOLTS),
        (Quantity.TEMPERATURES, DEGREES),
        (Quantity.CELL_RESISTANCES, CELL_OHMS),
    ):
        table = status.told.get(quantity)
        values = [each for _, _, each in table or ()]  # type: ignore[attr-defined]
        assert all(each is None or bounds[0] <= each <= bounds[1] for each in values)
    voltage = status.told.get(Quantity.VOLTAGE)
    assert voltage is None or PACK_VOLTS[0] <= voltage <= PACK_VOLTS[1]  # type: ignore[operator]


@pytest.mark.long
@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), JSON))
def test_whatever_stands_in_settings_nothing_raises(other: dict[str, Any]) -> None:
    assert isinstance(said({**SETTINGS, **other, "type": "settings"}), Settings)
