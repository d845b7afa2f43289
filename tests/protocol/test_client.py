"""One BMS: its readings against the simulator's truth, and settings made or refused."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest
from conftest import Connect, Simulate, read

from custom_components.rec_bms.protocol.bms import SetResult
from custom_components.rec_bms.protocol.constraints import RULES, Rule
from custom_components.rec_bms.protocol.errors import (
    BmsError,
    ChangesForbiddenError,
    IncoherentError,
    NoResponseError,
    NotSettableError,
    NotTakenError,
    OutOfRangeError,
    PortError,
    ReadsBackDifferentlyError,
    RefusedError,
    UnverifiedError,
    WithdrawnError,
    WrongTypeError,
)
from custom_components.rec_bms.protocol.rs485.client import Client
from custom_components.rec_bms.protocol.rs485.connection import Connection
from custom_components.rec_bms.protocol.rs485.instructions import (
    BY_CODE,
    INSTRUCTIONS,
    SETTABLE,
    Instruction,
)
from custom_components.rec_bms.protocol.rs485.readings import Extremes, MainData
from custom_components.rec_bms.protocol.state import ErrorState, PerUnit
from tools.simulator import Entry
from tools.simulator.figures import float32
from tools.testkit.simulator_in_memory import SimulatorInMemory


def nothing() -> None:
    """Return what stands in the way of a set."""


async def change(client: Client, code: str, value: object) -> SetResult:
    return await client.set(BY_CODE[code], value, hindrance=nothing)


async def refused[E: BmsError](kind: type[E], attempt: Awaitable[object]) -> E:
    with pytest.raises(kind) as caught:
        await attempt
    assert type(caught.value) is kind
    return caught.value


def kept(sim: SimulatorInMemory, code: str) -> float:
    return sim.bms[1].settings[code]


# -- reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.code)
async def test_every_instruction_is_read(
    sim: SimulatorInMemory, client: Client, row: Instruction
) -> None:
    reading = await read(client, row)
    # No cell is being balanced.
    assert (reading is None) == (row.code == "WCBI")
    if row.code in sim.bms[1].settings:
        assert reading == pytest.approx(kept(sim, row.code), rel=1e-5)
    elif row.code in sim.bms[1].texts:
        assert reading == sim.bms[1].texts[row.code]


@pytest.mark.parametrize("layout", ["frames", "single"])
@pytest.mark.parametrize("cells", [[14], [4, 4], [15] * 15, [16, 12, 1]], ids=str)
async def test_cells_are_the_simulators_in_every_layout(
    simulate: Simulate, connect: Connect, cells: list[int], layout: str
) -> None:
    if layout == "single" and len(set(cells)) > 1:
        pytest.skip("one frame for units of different size cannot be told apart")
    sim = simulate(cells=cells, layout=layout, baud=115200)
    client = Client(connect(sim.port, 115200), 1)
    truth = sim.bms[1].measure()
    for _ in range(2):
        reading = await read(client, BY_CODE["CELL"])
        assert isinstance(reading, PerUnit)
        assert [list(row) for row in reading.units] == [
            [float32(volts) for volts in unit] for unit in truth.volts
        ]


async def test_main_data_extremes_and_errors_are_the_simulators(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.call(sim.bms[1].raise_error, 17, 1, 3)
    sim.bms[1].consumed = 300.0
    main = await read(client, BY_CODE["LCD1"])
    assert isinstance(main, MainData)
    assert main.current == pytest.approx(sim.bms[1].measure().current, abs=1e-4)
    extremes = await read(client, BY_CODE["LCD3"])
    assert isinstance(extremes, Extremes)
    assert extremes.consumed_charge == 300
    assert extremes.min_cell.number == 8
    error = await read(client, BY_CODE["ERRO"])
    assert error == ErrorState(present=True, unit=1, number=17, location=3)


async def test_units_that_come_and_go_are_followed(sim: SimulatorInMemory, client: Client) -> None:
    async def cells() -> list[int]:
        reading = await read(client, BY_CODE["CELL"])
        assert isinstance(reading, PerUnit)
        return [len(row) for row in reading.units]

    assert await cells() == [14]
    sim.call(sim.bms[1].add_unit, 4)
    assert await cells() == [14, 4]
    sim.call(sim.bms[1].remove_unit)
    assert await cells() == [14]


# -- setting: all of them ----------------------------------------------------------------------


def inside(row: Instruction) -> tuple[float, ...]:
    assert row.minimum is not None
    assert row.maximum is not None
    middle = (row.minimum + row.maximum) / 2
    return row.minimum, row.maximum, round(middle) if row.whole_number else round(middle, 5)


def far_away(row: Instruction) -> dict[str, float]:
    """Return settings that make room for all values of a row."""
    room = {"CMAX": 5.0, "CMIN": 0.0, "BVOL": 4.3, "BMIN": 1.0, "CHAR": 1.0, "CLOW": 1.0}
    room |= {"TMIN": -40.0, "TMAX": 80.0}
    room |= {"CMIN": {"CLOW": 4.9}, "CMAX": {"BVOL": 1.0, "CMIN": 1.0}, "BMIN": {"BVOL": 4.5}}.get(
        row.code, {}
    )
    return room


@pytest.mark.parametrize("row", SETTABLE, ids=lambda row: row.code)
async def test_each_setting_takes_its_minimum_its_maximum_and_a_value_between(
    sim: SimulatorInMemory, client: Client, row: Instruction
) -> None:
    for code, value in far_away(row).items():
        if code != row.code:
            sim.call(sim.bms[1].set_value, code, value)
    for value in inside(row):
        previous = kept(sim, row.code)
        result = await client.set(row, value, hindrance=nothing)
        assert result.requested == value
        assert result.previous == pytest.approx(previous, rel=1e-5)
        assert result.read_back == pytest.approx(value, rel=1e-5)
        assert kept(sim, row.code) == (value if row.whole_number else float32(value))
        assert await read(client, row) == result.read_back
    assert len(sim.log.sets) == 3


@pytest.mark.parametrize("row", SETTABLE, ids=lambda row: row.code)
async def test_bad_values_are_refused_without_traffic(
    sim: SimulatorInMemory, client: Client, row: Instruction
) -> None:
    assert row.minimum is not None
    assert row.maximum is not None
    step = 1 if row.whole_number else 1e-4
    for value in (row.minimum - step, row.maximum + step, 1e308, -1e308, str(row.maximum + 1)):
        error = await refused(OutOfRangeError, client.set(row, value, hindrance=nothing))
        assert (error.setting.minimum, error.setting.maximum) == (row.minimum, row.maximum)
    for wrong in (math.nan, math.inf, "nan", "abc", "", True, None, " 4", "4\n", "1_0", "٤", [4]):
        await refused(WrongTypeError, client.set(row, wrong, hindrance=nothing))
    assert len(sim.log) == 0
    assert client.connection.counters.opened == 0


async def test_what_can_only_be_read_is_refused_without_traffic(
    sim: SimulatorInMemory, client: Client
) -> None:
    for row in INSTRUCTIONS:
        if not row.settable:
            await refused(NotSettableError, client.set(row, 1, hindrance=nothing))
    assert len(sim.log) == 0


async def test_while_changes_are_forbidden_there_is_no_traffic(
    sim: SimulatorInMemory, client: Client
) -> None:
    forbidden = ChangesForbiddenError(BY_CODE["CMAX"].setting)
    attempt = client.set(BY_CODE["CMAX"], 4.1, hindrance=lambda: forbidden)
    assert await refused(ChangesForbiddenError, attempt) is forbidden
    assert len(sim.log) == 0


async def test_changes_forbidden_while_the_limits_were_read_send_no_set(
    sim: SimulatorInMemory, client: Client
) -> None:
    answers = iter([None, None, ChangesForbiddenError(BY_CODE["CMAX"].setting)])
    await refused(
        ChangesForbiddenError,
        client.set(BY_CODE["CMAX"], 4.1, hindrance=lambda: next(answers)),
    )
    assert sim.log.requests()
    assert sim.log.sets == []


async def test_a_set_that_was_given_up_while_it_waited_for_its_turn_asks_nothing(
    sim: SimulatorInMemory, client: Client
) -> None:
    given_up: list[WithdrawnError] = []
    async with client.connection.turn():
        attempt = asyncio.create_task(
            client.set(BY_CODE["CMAX"], 4.1, hindrance=lambda: given_up[0] if given_up else None)
        )
        await asyncio.sleep(0)
        given_up.append(WithdrawnError(BY_CODE["CMAX"].setting))
    assert await refused(WithdrawnError, attempt) is given_up[0]
    assert len(sim.log) == 0


# -- setting: what the line makes of it -------------------------------------------------------


async def test_a_set_whose_response_was_lost_is_a_success(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.faults.next("set_lost")
    result = await change(client, "CMAX", 4.15)
    assert result == SetResult(4.18, 4.15, 4.15)
    assert len(sim.log.sets) == 1


async def test_a_refused_set_says_so_with_the_value_that_is_still_there(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.faults.next("set_refused")
    error = await refused(RefusedError, change(client, "CMAX", 4.15))
    assert (error.value, error.answer, error.current) == (4.15, "ERROR1", 4.18)


async def test_a_set_that_was_confirmed_but_not_made_is_no_success(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.faults.next("set_ignored")
    error = await refused(ReadsBackDifferentlyError, change(client, "CMAX", 4.15))
    assert (error.value, error.current) == (4.15, 4.18)


async def test_a_clamped_value_is_no_success(sim: SimulatorInMemory, client: Client) -> None:
    sim.faults.next("set_clamped", value=4.16)
    error = await refused(ReadsBackDifferentlyError, change(client, "CMAX", 4.15))
    assert (error.value, error.current) == (4.15, 4.16)


async def test_an_unheard_set_is_not_repeated(sim: SimulatorInMemory, client: Client) -> None:
    sim.faults.next("set_unheard")
    error = await refused(NotTakenError, change(client, "CMAX", 4.15))
    assert (error.value, error.current) == (4.15, 4.18)
    assert len(sim.log.sets) == 1


async def test_a_set_that_cannot_be_read_back_is_unverified(
    simulate: Simulate, connect: Connect
) -> None:
    """The port is pulled, the BMS falls silent, or what is read back is nonsense."""
    sims = [simulate() for _ in range(3)]
    clients = [Client(connect(sim.port), 1) for sim in sims]

    def after_set(sim: SimulatorInMemory, what: Callable[[Entry], object]) -> None:
        sim.log.listeners.append(lambda entry: what(entry) if entry.is_set else None)

    after_set(sims[0], lambda _: sims[0].unplug())
    after_set(sims[1], lambda _: setattr(sims[1].bms[1], "silent", True))
    after_set(sims[2], lambda _: sims[2].bms[1].settings.update(CMAX=99.0))
    errors = await asyncio.gather(
        *(refused(UnverifiedError, change(client, "CMAX", 4.15)) for client in clients)
    )
    assert [type(error.__cause__) for error in errors] == [PortError, NoResponseError, type(None)]
    assert all(len(sim.log.sets) == 1 for sim in sims)
    sims[0].replug()
    assert kept(sims[0], "CMAX") == float32(4.15)


async def test_a_bms_that_is_silent_from_the_start_gets_no_set(
    sim: SimulatorInMemory, client: Client
) -> None:
    sim.bms[1].silent = True
    await refused(NoResponseError, change(client, "CMAX", 4.15))
    sim.bms[1].silent = False
    assert sim.log.sets == []
    sim.unplug()
    await refused(PortError, change(client, "CMAX", 4.15))


async def test_two_sets_at_once_are_made_one_after_the_other(
    sim: SimulatorInMemory, client: Client
) -> None:
    first, second = await asyncio.gather(change(client, "CMAX", 4.15), change(client, "CMAX", 4.16))
    assert (first.previous, first.read_back) == (4.18, 4.15)
    assert (second.previous, second.read_back) == (4.15, 4.16)
    assert not sim.log.overlaps


async def test_two_limits_changed_at_once_cannot_cross_each_other(
    sim: SimulatorInMemory, client: Client
) -> None:
    """Each alone would be coherent: the second sees what the first has set."""
    lower, raise_ = await asyncio.gather(
        change(client, "CMAX", 4.09), change(client, "BVOL", 4.15), return_exceptions=True
    )
    assert isinstance(lower, SetResult)
    assert isinstance(raise_, IncoherentError)
    assert raise_.other_value == 4.09


async def test_a_set_in_the_midst_of_a_poll_of_225_cells_is_quick(
    simulate: Simulate, connect: Connect
) -> None:
    sim = simulate(cells=[15] * 15)
    client = Client(connect(sim.port), 1)
    await read(client, BY_CODE["CELL"])

    async def poll() -> None:
        for code in ("LCD1", "LCD3", "CELL", "ERRO", "PTEM", "BTEM", "RINT", "CYCL"):
            await read(client, BY_CODE[code])

    polling = asyncio.create_task(poll())
    await asyncio.sleep(0.06)  # amid CELL
    began = asyncio.get_running_loop().time()
    await change(client, "MAXC", 100)
    assert asyncio.get_running_loop().time() - began < 0.6
    assert not polling.done()
    await polling
    asked = [entry.instruction for entry in sim.log.requests()]
    assert asked.index("MAXC") < asked.index("ERRO")


# -- setting: limits that hang together -------------------------------------------------------

ROOM = {"CMIN": 2.8, "CLOW": 3.0, "BMIN": 3.2, "BVOL": 3.5, "CHAR": 3.5, "CMAX": 3.6}
ROOM |= {"TMIN": 0.0, "TMAX": 50.0}


@pytest.fixture
def coherent(sim: SimulatorInMemory) -> SimulatorInMemory:
    for code, value in ROOM.items():
        sim.call(sim.bms[1].set_value, code, value)
    return sim


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.low}-{rule.high}")
async def test_each_rule_holds_from_both_sides(
    coherent: SimulatorInMemory, client: Client, rule: Rule
) -> None:
    sim = coherent
    low, high, strict = rule.low, rule.high, rule.strict
    for code, other, away in ((low, high, 0.001), (high, low, -0.001)):
        # Out of the others' way, so that this rule alone decides.
        for each in RULES:
            if each != rule and code in (each.low, each.high):
                far = 1.5 if code == each.low else -1.5
                sim.call(sim.bms[1].set_value, each.other(code), ROOM[each.other(code)] + far)
        sim.call(sim.bms[1].set_value, other, ROOM[other])
        limit = ROOM[other]
        error = await refused(IncoherentError, change(client, code, round(limit + away, 3)))
        assert (error.setting.code, error.other.code) == (code, other)
        assert error.other_value == pytest.approx(limit)
        assert error.relation == ("<" if away > 0 else ">") + ("" if strict else "=")
        assert sim.log.sets == []
        if strict:
            await refused(IncoherentError, change(client, code, limit))
        else:
            assert (await change(client, code, limit)).read_back == pytest.approx(limit)
            sim.call(sim.bms[1].set_value, code, ROOM[code])
            sim.log.clear()
        for each in ROOM:
            sim.call(sim.bms[1].set_value, each, ROOM[each])


async def test_the_other_limits_are_read_afresh(
    coherent: SimulatorInMemory, client: Client
) -> None:
    await read(client, BY_CODE["CMAX"])
    coherent.call(coherent.bms[1].set_value, "CMAX", 3.55)
    error = await refused(IncoherentError, change(client, "BVOL", 3.57))
    assert error.other_value == 3.55


async def test_a_badly_configured_bms_is_repaired_step_by_step(
    coherent: SimulatorInMemory, client: Client
) -> None:
    coherent.call(coherent.bms[1].set_value, "CMIN", 3.9)  # above CLOW and CMAX
    await refused(IncoherentError, change(client, "CMIN", 3.95))
    await change(client, "CMIN", 3.8)  # better
    await change(client, "CMAX", 3.7)  # better, though still below
    await refused(IncoherentError, change(client, "CMAX", 3.6))
    await change(client, "CMIN", 2.8)
    await refused(IncoherentError, change(client, "CMIN", 3.9))


async def test_a_value_that_made_no_sense_before_excuses_no_contradiction(
    coherent: SimulatorInMemory, client: Client
) -> None:
    coherent.bms[1].settings["CMIN"] = 1e30
    await refused(IncoherentError, change(client, "CMIN", 3.95))
    assert coherent.log.sets == []


async def test_a_limit_that_cannot_be_read_stops_the_set(
    coherent: SimulatorInMemory, client: Client
) -> None:
    coherent.call(coherent.bms[1].set_value, "CMAX", 99.0)
    await refused(NoResponseError, change(client, "BVOL", 3.4))
    assert coherent.log.sets == []


async def test_a_limit_that_was_wrongly_thought_missing_is_kept_to(
    coherent: SimulatorInMemory, client: Client
) -> None:
    attempt = client.set(BY_CODE["CLOW"], 4.0, hindrance=nothing, may_lack={"CMAX"}.__contains__)
    error = await refused(IncoherentError, attempt)
    assert (error.other.code, error.other_value) == ("CMAX", 3.6)
    assert coherent.log.sets == []


async def test_a_limit_that_the_bms_does_not_have_forbids_nothing(
    simulate: Simulate, connect: Connect
) -> None:
    sim = simulate(unsupported={"CLOW"})
    client = Client(connect(sim.port), 1)
    result = await client.set(
        BY_CODE["CMIN"], 3.0, hindrance=nothing, may_lack={"CLOW"}.__contains__
    )
    assert result.read_back == 3.0
    assert sim.log.requests("CLOW")


async def test_a_limit_that_the_bms_must_have_and_keeps_silent_about_stops_the_set(
    simulate: Simulate, connect: Connect
) -> None:
    sim = simulate(unsupported={"CLOW"})
    client = Client(connect(sim.port), 1)
    error = await refused(NoResponseError, change(client, "CMIN", 3.0))
    assert error.instruction == "CLOW"
    assert sim.log.sets == []


async def test_nonsense_from_a_limit_that_may_be_missing_stops_the_set(
    coherent: SimulatorInMemory, client: Client
) -> None:
    coherent.call(coherent.bms[1].set_value, "CMAX", 99.0)
    attempt = client.set(BY_CODE["CLOW"], 3.3, hindrance=nothing, may_lack={"CMAX"}.__contains__)
    assert (await refused(NoResponseError, attempt)).instruction == "CMAX"
    assert coherent.log.sets == []


async def test_a_bms_that_falls_silent_is_not_taken_for_one_without_the_limit(
    sim: SimulatorInMemory, client: Client
) -> None:
    def fall_silent(entry: Entry) -> None:
        if entry.instruction == "TMIN":
            sim.bms[1].silent = True

    sim.log.listeners.append(fall_silent)
    attempt = client.set(BY_CODE["TMIN"], 1.0, hindrance=nothing, may_lack={"TMAX"}.__contains__)
    await refused(NoResponseError, attempt)
    assert sim.log.sets == []


async def test_nonsense_is_replaced_by_a_good_value(sim: SimulatorInMemory, client: Client) -> None:
    sim.call(sim.bms[1].set_value, "MAXH", 99.0)
    result = await change(client, "MAXH", 0.05)
    assert result.previous is None
    assert result.read_back == 0.05


async def test_one_connection_many_clients(connection: Connection) -> None:
    clients = [Client(connection, 1) for _ in range(3)]
    assert await asyncio.gather(*(one.identify() for one in clients)) == ["REC BMS 1Q VICTRON"] * 3
