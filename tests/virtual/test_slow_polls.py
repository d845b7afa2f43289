"""Polls that take long: nothing that was just read is thrown away, and the main data come first.

The line is left out and the clock is moved on by what it would have taken: hours take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.rec_bms.protocol.errors import NoResponseError
from custom_components.rec_bms.protocol.rs485.client import Client, Response
from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tools.testkit.simulator_in_memory import SimulatorInMemory

SILENCE = 2.0
"""Seconds that a request without an answer takes."""
EXCHANGE = 0.035
"""Seconds that a request with an answer takes."""
MAIN = {"LCD1", "LCD3", "CELL", "ERRO"}
SEVEN = ("CANF", "BTEM", "SISN", "CHAC", "DCHC", "MAXC", "RINT")
TWELVE = (*SEVEN, "MAXD", "CLOW", "SOCH", "PTEM", "LCD3")


@dataclass
class Line:
    """Stands in for the line between the BMS and its client; it takes no time but the loop's."""

    rig: Rig
    missing: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    silent: bool = False
    waits: float = 0.0
    """Seconds that each exchange waits for another BMS's on the same pair of wires."""
    asked: list[str] = field(default_factory=list)
    polls: list[list[str]] = field(default_factory=list)

    async def request(self, instruction: Instruction) -> Response:
        """Answer as the client would."""
        self.asked.append(instruction.code)
        self.rig.hass.loop.leap(self.waits)
        if self.silent or instruction.code in self.missing | self.lost:
            self.rig.hass.loop.leap(SILENCE)
            raise NoResponseError(1, instruction.code, instruction.name, 3)
        self.rig.hass.loop.leap(EXCHANGE)
        payloads = self.rig.bms.respond(instruction.query)
        assert payloads is not None
        return Response(decode(instruction, tuple(payloads)), 1)

    def now(self) -> float:
        """Return the loop's time in s."""
        return self.rig.hass.loop.time()

    async def poll(self, times: int = 1) -> None:
        """Have the BMS polled as often, each time when it is due."""
        for _ in range(times):
            self.asked.clear()
            await self.rig.poll(self.rig.coordinator.bms.update_interval)
            self.polls.append(list(self.asked))

    async def an_hour(self) -> None:
        """Have the BMS polled for an hour and a little."""
        until = self.now() + 3700
        while self.now() < until:
            await self.poll()


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(cells=4)


@pytest.fixture
def line(hass: HomeAssistant, battery: SimulatorInMemory) -> Iterator[Line]:
    line = Line(Rig(hass, battery, entry_for(battery)))

    async def request(client: Client, instruction: Instruction, **_attempts: int) -> Response:
        if client.address != line.rig.entry.data["address"]:
            raise NoResponseError(client.address, instruction.code, instruction.name, 1)
        return await line.request(instruction)

    with patch.object(Client, "request", request):
        yield line


async def set_up(line: Line, interval: int, missing: tuple[str, ...] = ()) -> Rig:
    line.missing = set(missing)
    entry = entry_for(line.rig.sim, scan_interval=interval)
    line.rig = Rig(line.rig.hass, line.rig.sim, entry)
    line.rig.bms.time_factor = 1
    await line.rig.set_up()
    return line.rig


def shown(rig: Rig) -> dict[str, str]:
    keys = ("state_of_charge", "voltage", "error", "problem", "cell_voltage_1_1")
    return {key: rig.shown(key) for key in keys}


@pytest.mark.parametrize(("interval", "missing"), [(2, ("CANF", "BTEM")), (5, SEVEN), (10, TWELVE)])
async def test_what_a_slow_first_poll_has_read_is_shown(
    line: Line, interval: int, missing: tuple[str, ...]
) -> None:
    rig = await set_up(line, interval, missing)
    assert rig.coordinator.data.duration > 3 * interval
    assert "unavailable" not in shown(rig).values()


@pytest.mark.long
@pytest.mark.parametrize(("interval", "missing"), [(2, ("CANF", "BTEM")), (5, SEVEN), (10, TWELVE)])
async def test_for_an_hour_nothing_goes_away_for_what_the_bms_does_not_know(
    line: Line, interval: int, missing: tuple[str, ...]
) -> None:
    rig = await set_up(line, interval, missing)
    until = line.now() + 3700
    while line.now() < until:
        await line.poll()
        assert "unavailable" not in shown(rig).values()
        assert rig.coordinator.data.duration < SILENCE + 1
    assert {code for asked in line.polls for code in asked} >= set(missing)


@pytest.mark.long
async def test_of_what_the_bms_may_not_know_one_at_most_is_asked_a_poll_and_last(
    line: Line,
) -> None:
    await set_up(line, 10, TWELVE)
    await line.an_hour()
    in_vain = [[code for code in asked if code in TWELVE] for asked in line.polls]
    assert max(len(codes) for codes in in_vain) == 1
    for asked, codes in zip(line.polls, in_vain, strict=True):
        assert asked[len(asked) - len(codes) :] == codes


async def test_what_is_not_known_after_set_up_is_decided_one_a_poll(line: Line) -> None:
    rig = await set_up(line, 10, TWELVE)
    await line.poll(len(TWELVE))
    assert rig.coordinator.bms.unsupported == set(TWELVE)
    line.polls.clear()
    await line.poll(10)
    assert not {code for asked in line.polls for code in asked} & set(TWELVE)


async def test_after_a_reconnect_the_main_data_do_not_wait_for_what_the_bms_does_not_know(
    line: Line,
) -> None:
    rig = await set_up(line, 10, TWELVE)
    await line.poll(len(TWELVE))
    line.silent = True
    await line.poll()
    assert rig.shown("voltage") == "unavailable"
    line.silent = False
    line.missing.remove("MAXC")
    line.polls.clear()
    await line.poll()
    assert rig.coordinator.data.duration < SILENCE + 42 * EXCHANGE
    assert {"*IDN", "SWVR", "CMAX"} <= set(line.polls[0])
    await line.poll(len(TWELVE))
    assert all(len([code for code in asked if code in TWELVE]) <= 1 for asked in line.polls)
    assert rig.number("maxc") == 150


@pytest.mark.long
async def test_what_nobody_would_see_is_not_asked_again(line: Line) -> None:
    rig = await set_up(line, 10, ("EAVC", "REFC", "ODDC", "CANF", "RINT", "SWVR"))
    await line.poll(6)
    line.polls.clear()
    await line.an_hour()
    asked = {code for codes in line.polls for code in codes}
    assert {"CANF", "RINT", "SWVR"} <= asked, "a select, sensors and the device would show them"
    assert not {"EAVC", "REFC", "ODDC"} & asked
    assert rig.coordinator.bms.unsupported >= {"EAVC", "REFC", "ODDC"}


@pytest.mark.long
async def test_who_might_see_what_is_missing_is_not_looked_up_in_every_poll(line: Line) -> None:
    rig = await set_up(line, 10, ("EAVC", "REFC", "SOCS"))
    await line.poll(6)
    looked_up: list[float] = []
    rig.coordinator.hopes.append(lambda: looked_up.append(line.now()) or ())
    await line.an_hour()
    await line.poll(20)
    assert len(looked_up) <= 3


@pytest.mark.long
async def test_what_an_enabled_entity_shows_is_asked_again_until_its_owner_disables_it(
    line: Line,
) -> None:
    rig = await set_up(line, 10)
    line.missing = {"CANF"}
    await rig.reload()
    await line.poll(3)
    assert rig.shown("canf") == "unavailable"
    line.polls.clear()
    await line.an_hour()
    assert [code for codes in line.polls for code in codes if code == "CANF"] == ["CANF"]
    er.async_get(rig.hass).async_update_entity(
        rig.entity_id("canf"), disabled_by=er.RegistryEntryDisabler.USER
    )
    await rig.reload()
    await line.poll(3)
    line.polls.clear()
    await line.an_hour()
    assert not [code for codes in line.polls for code in codes if code == "CANF"]


@pytest.mark.long
async def test_a_reading_that_slow_polls_lose_is_kept_for_three_of_them(line: Line) -> None:
    rig = await set_up(line, 2)
    line.waits = 1.0
    await line.poll(2)
    assert rig.coordinator.data.duration > 4
    line.lost = {"CELL"}
    for _ in range(3):
        await line.poll()
        assert rig.shown("cell_voltage_1_1") != "unavailable"
    await line.poll(2)
    assert rig.shown("cell_voltage_1_1") == "unavailable"
    assert rig.shown("voltage") != "unavailable"


def test_every_code_of_this_module_is_an_instruction() -> None:
    assert {*TWELVE, *MAIN} <= BY_CODE.keys()


# -- energy --------------------------------------------------------------------------------------


@pytest.mark.long
async def test_energy_is_counted_while_polls_last_longer_than_three_intervals(line: Line) -> None:
    rig = await set_up(line, 2)
    rig.sim.call(rig.bms.set_current, -100)
    line.waits = 2.0
    await line.poll(2)
    assert rig.coordinator.data.duration > 3 * 2
    before = rig.number("energy_discharged")
    meter = rig.bms.battery.meter.discharged_wh
    await line.poll(100)
    counted = rig.number("energy_discharged") - before
    true = (rig.bms.battery.meter.discharged_wh - meter) / 1000
    assert true > 0.3
    assert counted == pytest.approx(true, rel=0.02)


async def test_energy_is_not_counted_over_slow_polls_of_which_one_failed(line: Line) -> None:
    rig = await set_up(line, 2)
    rig.sim.call(rig.bms.set_current, -100)
    line.waits = 2.0
    await line.poll(2)
    before = rig.number("energy_discharged")
    line.silent = True
    await line.poll()
    line.silent = False
    await line.poll()
    assert rig.number("energy_discharged") == before


async def test_lifetime_is_counted_through_slow_polls(line: Line) -> None:
    rig = await set_up(line, 10, TWELVE)
    rig.sim.call(rig.bms.set_current, -90)
    await line.poll()
    began, before = line.now(), rig.coordinator.health.lifetime.discharged
    line.waits = 5.0
    await line.poll(30)
    assert (line.now() - began) / 30 > 30
    ampere_hours = rig.coordinator.health.lifetime.discharged - before
    assert ampere_hours == pytest.approx(90 * (line.now() - began) / 3600, rel=0.05)
