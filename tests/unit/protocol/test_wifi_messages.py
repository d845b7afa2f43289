"""What the module's messages tell, each key by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custom_components.rec_bms.protocol.state import Quantity
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
