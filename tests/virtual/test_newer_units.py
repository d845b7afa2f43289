"""What only newer units tell, from the line to the entities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.rec_bms import newer_sensor
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.simulator.presets import MODELS

ACTIVE = MODELS["active"]
INTERVAL = 30
CALIBRATION = {"CAL1": 0.001, "CAL2": 0.002, "CAL3": -0.00125, "CAL4": 0.004}
ENTITIES_BY_DEFAULT = {"ubdi", "clock_deviation"}


@pytest.fixture
def active(hass: HomeAssistant, simulate: Simulate) -> Rig:
    """A rig with an Active BMS of 4 cells; its entry is not set up yet."""
    sim = simulate(
        addresses=[ACTIVE.address],
        baud=ACTIVE.baud,
        preset=ACTIVE.preset,
        texts=ACTIVE.texts,
        settings={**ACTIVE.settings, "UBDI": 0.02, **CALIBRATION},
        unsupported=ACTIVE.lacks,
    )
    entry = entry_for(sim, address=ACTIVE.address, scan_interval=INTERVAL)
    return Rig(hass, sim, entry)


@pytest.fixture
async def probed(all_enabled: None, short_silence: None, active: Rig) -> Rig:
    """That rig with all entities enabled, once the BMS has told all that it knows."""
    await active.set_up()
    for _ in ACTIVE.lacks:
        await active.poll(INTERVAL)
        await active.poll(INTERVAL)
    await active.probe(INTERVAL)
    return active


@pytest.mark.long
async def test_values_are_shown_as_the_unit_has_them(probed: Rig) -> None:
    assert {
        key: probed.shown(key)
        for key in ("re1l", "re1h", "re1v", "op2l", "op2h", "op2v", "ubdi", "rsbr", "serial_number")
    } == {
        "re1l": "3.55",
        "re1h": "0.15",
        "re1v": "3.30481",
        "op2l": "3.55",
        "op2h": "0.15",
        "op2v": "3.31648",
        "ubdi": "0.02",
        "rsbr": "2",
        "serial_number": str(int(probed.bms.settings["SERI"])),
    }
    assert {key: probed.number(key.lower()) for key in CALIBRATION} == CALIBRATION


@pytest.mark.long
async def test_the_relays_task_is_told_in_words(probed: Rig) -> None:
    relay = probed.state("re1t")
    assert relay.state == "lowest_cell"
    assert relay.attributes["above"] is True
    assert relay.attributes["output"] is True
    assert relay.attributes["errors"] == list(range(2, 20))
    assert relay.attributes["raw"] == 1979711486


@pytest.mark.long
async def test_the_optocouplers_task_is_told_in_words(probed: Rig) -> None:
    optocoupler = probed.state("op2t")
    assert optocoupler.state == "highest_cell"
    assert optocoupler.attributes["above"] is False
    assert optocoupler.attributes["output"] is True


@pytest.mark.long
async def test_an_output_follows_what_the_unit_tells(probed: Rig) -> None:
    probed.bms.settings["RE1T"] = 1879055993
    await probed.poll(INTERVAL)
    assert probed.shown("re1t") == "off"
    probed.bms.settings["RE1T"] = 0xF << 24
    await probed.poll(INTERVAL)
    assert probed.shown("re1t") == "unknown"
    assert probed.state("re1t").attributes["raw"] == 0xF << 24


@pytest.mark.long
async def test_which_cell_is_balanced_is_shown(probed: Rig) -> None:
    assert probed.shown("balancing") == "off"
    probed.bms.battery.units[0].cells[1].bleed = 0.5
    await probed.poll(INTERVAL)
    assert probed.shown("balancing") == "on"
    assert probed.state("balancing").attributes["cells"] == [[1, 2]]
    shown = [probed.shown(f"cell_balancing_1_{cell}") for cell in range(1, 5)]
    assert shown == ["off", "on", "off", "off"]


@pytest.mark.long
@pytest.mark.parametrize(("key", "code", "value"), [("cfvc", "CFVC", 0.85), ("strn", "STRN", 5)])
async def test_what_can_be_set_is_set_and_read_back(
    probed: Rig, key: str, code: str, value: float
) -> None:
    assert probed.number(key) == ACTIVE.settings[code]
    await probed.set_number(key, value)
    assert probed.bms.settings[code] == pytest.approx(value)
    assert probed.number(key) == value


@pytest.mark.long
async def test_the_clock_and_how_far_it_is_ahead_are_shown(probed: Rig) -> None:
    await probed.hass.config.async_set_time_zone("UTC")
    for ahead in (90.0, -3600.0):
        probed.bms.clock_ahead = ahead
        await probed.poll(2 * INTERVAL)
        read_at = dt_util.utcnow()
        shown = dt_util.parse_datetime(probed.shown("clock"))
        assert shown is not None
        assert abs(shown - read_at - timedelta(seconds=ahead)) < timedelta(seconds=2)
        assert probed.number("clock_deviation") == pytest.approx(ahead, abs=1)


@pytest.mark.long
async def test_the_clock_goes_by_the_time_of_the_rig(probed: Rig) -> None:
    await probed.hass.config.async_set_time_zone("Asia/Tokyo")
    await probed.poll(2 * INTERVAL)
    assert probed.number("clock_deviation") == pytest.approx(-9 * 3600, abs=1)


@pytest.mark.long
async def test_a_clock_at_the_end_of_all_calendars_shows_no_time(probed: Rig) -> None:
    last_evening = datetime(9999, 12, 31, 23, tzinfo=UTC)
    probed.bms.clock_ahead = (last_evening - dt_util.utcnow()).total_seconds()
    await probed.poll(2 * INTERVAL)
    assert probed.shown("clock") == "unknown"


@pytest.mark.long
async def test_a_unit_that_lacks_them_has_none_of_these_entities(
    all_enabled: None, short_silence: None, active: Rig
) -> None:
    keys = [each.key for each in (*newer_sensor.VALUES, *newer_sensor.TASKS)]
    active.bms.unsupported.update(["TIME", "STRN", "CFVC", *(key.upper() for key in keys)])
    await active.set_up()
    await active.probe(INTERVAL)
    prefix = f"{active.entry.entry_id}_"
    shown = {each.unique_id.removeprefix(prefix) for each in active.registered_entities()}
    assert not shown & {*keys, "strn", "cfvc", "clock", "clock_deviation"}


@pytest.mark.long
async def test_only_what_an_owner_looks_at_is_enabled_at_first(
    short_silence: None, active: Rig
) -> None:
    await active.set_up()
    await active.probe(INTERVAL)
    await active.probe(INTERVAL)
    enabled = {
        each.key
        for each in (
            *newer_sensor.VALUES,
            *newer_sensor.TASKS,
            *newer_sensor.CLOCKS,
        )
        if not active.registered(each.key).disabled
    }
    assert enabled == ENTITIES_BY_DEFAULT
