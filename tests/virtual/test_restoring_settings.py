"""Settings are compared with what they were and put back, each coherent and verified."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized

from custom_components.rec_bms.protocol.constraints import RULES
from custom_components.rec_bms.protocol.restoring import BY_NAME_ONLY, same
from tests.virtual.conftest import Simulate
from tests.virtual.keeping import change, listed
from tests.virtual.rig import Rig, entry_for, until
from tests.virtual.table import SETTABLE, Row
from tests.virtual.test_random_sets import LINE_FAULTS, SET_FAULTS
from tools.simulator import Entry
from tools.simulator.log import ANSWERED

RESTORES = 1000
VISIT = {"CMAX": 4.0, "CMIN": 3.0, "CLOW": 3.1, "BVOL": 3.9, "BMIN": 3.8, "CHAR": 3.95}
"""What an installer may leave behind."""


@pytest.fixture
def rig(hass_storage: dict[str, Any], rig: Rig) -> Rig:
    """A rig whose files are in memory."""
    return rig


async def refused(rig: Rig, **data: Any) -> HomeAssistantError:
    """Restore, which must fail before anything is sent, and return why."""
    rig.sim.log.clear()
    with pytest.raises(HomeAssistantError) as failed:
        await rig.act("restore_settings", **data)
    assert not rig.sim.log.sets
    return failed.value


async def values_of(rig: Rig, **data: Any) -> dict[str, float]:
    values: dict[str, float] = (await rig.act("backup_settings", **data))["values"]
    return values


# -- Comparing -------------------------------------------------------------------------------------


@pytest.mark.long
async def test_what_is_different_is_told_with_its_name_and_unit(running: Rig) -> None:
    before = await values_of(running, name="autumn")
    change(running, MAXC=100, SOCH=0.1)
    assert await running.act("compare_settings", backup="autumn") == {
        "differences": {
            "SOCH": {
                "name": "End-of-charge SOC hysteresis",
                "unit": "fraction",
                "backup": before["SOCH"],
                "current": 0.1,
            },
            "MAXC": {
                "name": "Maximum charge current per inverter",
                "unit": "A",
                "backup": 150.0,
                "current": 100.0,
            },
        },
        "missing": [],
    }


async def test_names_are_in_the_language_of_home_assistant(rig: Rig) -> None:
    rig.hass.config.language = "de"
    await rig.set_up()
    told = await rig.act("compare_settings", backup={"MAXC": 100})
    assert told["differences"]["MAXC"]["name"] == "Maximaler Ladestrom je Wechselrichter"
    read = await rig.act("get_parameter", instruction="MAXC")
    assert read["parameters"]["MAXC"]["name"] == "Maximaler Ladestrom je Wechselrichter"
    rows = (await rig.act("list_instructions", category="victron"))["instructions"]
    assert "Maximaler Ladestrom je Wechselrichter" in [row["name"] for row in rows]
    error = await refused(rig, backup={"MAXC": 999})
    assert error.translation_placeholders is not None
    assert (
        "Maximaler Ladestrom je Wechselrichter (MAXC)"
        in (error.translation_placeholders["outside"])
    )


@pytest.mark.long
async def test_a_backup_is_known_by_its_time_as_it_is_listed(running: Rig) -> None:
    await running.set_number("maxc", 100)
    newest, first = await listed(running)
    assert list((await running.act("compare_settings", backup=first["time"]))["differences"])
    told = await running.act("compare_settings", backup=newest["time"])
    assert told == {"differences": {}, "missing": []}


@pytest.mark.parametrize(
    "backup",
    [
        {"MAXC": 100},
        {"maxc": "100"},
        {"InverterMaxCurrentCharge": 100.0},
        {"name": "autumn", "time": "then", "values": {"MAXC": 100}},
    ],
)
async def test_values_may_be_given_by_code_or_alias_and_as_a_backup_was_told(
    running: Rig, backup: dict[str, Any]
) -> None:
    told = await running.act("compare_settings", backup=backup)
    assert told["differences"]["MAXC"]["backup"] == 100


@pytest.mark.parametrize(
    ("backup", "key"),
    [
        ("spring", "unknown_backup"),
        ("2026-11-18T10:00:00", "unknown_backup"),
        ({}, "empty_backup"),
        ({"CMAY": 4}, "unknown_instruction"),
        ({4: 4}, "unknown_instruction"),
        ({"CELL": 4}, "not_settable"),
        ({"CMAX": "much"}, "not_a_number"),
        ({"CMAX": True}, "not_a_number"),
        ({"CMAX": float("nan")}, "not_a_number"),
        ({"SISN": 1.5}, "not_a_whole_number"),
        ({"CMAX": 4.1, "cellmax": 4.0}, "named_twice"),
        ([], "unknown_backup"),
        (None, "unknown_backup"),
    ],
)
async def test_what_is_no_backup_is_refused(running: Rig, backup: object, key: str) -> None:
    with pytest.raises(ServiceValidationError) as failed:
        await running.act("compare_settings", backup=backup)
    assert failed.value.translation_key == key
    assert (await refused(running, backup=backup)).translation_key == key


async def test_what_the_unit_lacks_is_named(short_silence: None, running: Rig) -> None:
    running.bms.unsupported.update({"STRN", "CFVC"})
    told = await running.act("compare_settings", backup={"STRN": 2, "CMAX": 4.1})
    assert told["missing"] == ["STRN"]
    assert list(told["differences"]) == ["CMAX"]


@pytest.mark.long
async def test_what_a_successor_in_the_same_place_lacks_is_named_although_it_has_an_entity(
    short_silence: None, running: Rig
) -> None:
    await running.probe()
    assert running.number("strn") == 2
    await running.act("backup_settings", name="the old one")
    await running.unload()
    running.bms.settings["SERI"] += 1
    running.bms.unsupported.update({"STRN", "CFVC"})
    await running.set_up()
    await running.probe()
    told = await running.act("compare_settings", backup="the old one")
    assert told["missing"] == ["STRN", "CFVC"]
    error = await refused(running, backup="the old one")
    assert error.translation_key == "restore_missing"


async def test_silence_about_a_setting_that_was_told_before_is_no_lack(
    short_silence: None, running: Rig
) -> None:
    running.bms.silent = True
    with pytest.raises(HomeAssistantError) as failed:
        await running.act("compare_settings", backup={"CMAX": 4.1})
    assert failed.value.translation_key == "no_answer"


# -- Restoring -------------------------------------------------------------------------------------


async def test_everything_is_put_back_and_each_step_is_coherent(running: Rig) -> None:
    before = await values_of(running, name="autumn")
    change(running, **VISIT, MAXC=100, TMAX=40)
    seen: list[bool] = []

    def look(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            seen.append(not any(rule.broken(running.bms.settings) for rule in RULES))

    running.sim.log.listeners.append(look)
    results = (await running.act("restore_settings", backup="autumn"))["results"]
    assert results.keys() == {*VISIT, "MAXC", "TMAX"}
    assert results["MAXC"] == {"previous": 100.0, "set": 150.0, "get": 150.0, "success": True}
    assert seen == [True] * len(results)
    assert await values_of(running) == before


@pytest.mark.long
async def test_who_restored_is_kept_with_each_change(running: Rig, hass_admin_user: Any) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, MAXC=100)
    await running.hass.services.async_call(
        "rec_bms",
        "restore_settings",
        {"config_entry_id": running.entry.entry_id, "backup": "autumn"},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    newest = (await listed(running))[0]
    assert (newest["reason"], newest["user"]) == ("home_assistant", hass_admin_user.name)


async def test_some_things_are_not_restored_unless_they_are_named(running: Rig) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, CHEM=1, CANF=1, IOFF=0.5, CYCL=77, MAXC=100)
    results = (await running.act("restore_settings", backup="autumn"))["results"]
    assert list(results) == ["MAXC"]
    results = (await running.act("restore_settings", backup="autumn", only=["canf", "Cycles"]))[
        "results"
    ]
    assert results.keys() == {"CANF", "CYCL"}
    assert running.bms.settings["CHEM"] == 1


async def test_only_names_what_is_in_the_backup(running: Rig) -> None:
    error = await refused(running, backup={"MAXC": 100}, only=["MAXC", "CMAX"])
    assert error.translation_key == "not_in_backup"
    assert error.translation_placeholders == {"codes": "CMAX"}
    assert (await refused(running, backup={"MAXC": 100}, only="CMAY")).translation_key == (
        "unknown_instruction"
    )


async def test_nothing_is_sent_where_something_does_not_fit(
    short_silence: None, running: Rig
) -> None:
    running.bms.unsupported.add("STRN")
    wanted = {"STRN": 2, "MAXC": 999, "CMAX": 4.1}
    error = await refused(running, backup=wanted)
    assert error.translation_key == "restore_missing_and_outside"
    assert error.translation_placeholders == {
        "title": running.entry.title,
        "missing": "Inverters and chargers on the bus (STRN)",
        "outside": "Maximum charge current per inverter (MAXC): 999 A (5 A … 345 A)",
    }
    assert (await refused(running, backup={"STRN": 2})).translation_key == "restore_missing"
    assert (await refused(running, backup={"MAXC": 999})).translation_key == "restore_outside"
    results = await running.act("restore_settings", backup=wanted, only=["CMAX"])
    assert list(results["results"]) == ["CMAX"]


async def test_what_contradicts_itself_is_refused_with_the_reason(running: Rig) -> None:
    error = await refused(running, backup={"CMAX": 3.0, "CMIN": 3.2})
    assert error.translation_key == "no_order"
    assert error.translation_placeholders is not None
    assert "CMAX" in str(error.translation_placeholders)
    assert "CMIN" in str(error.translation_placeholders)


async def test_with_changes_forbidden_nothing_is_sent(
    hass_storage: dict[str, Any], hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate()
    rig = Rig(hass, sim, entry_for(sim, allow_changes=False))
    await rig.set_up()
    await rig.act("backup_settings", name="autumn")
    error = await refused(rig, backup={"MAXC": 100})
    assert error.translation_key == "changes_forbidden"


async def test_only_administrators_restore(running: Rig, hass_owner_user: User) -> None:
    guest = await running.hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_USER])
    running.sim.log.clear()
    with pytest.raises(Unauthorized):
        await running.hass.services.async_call(
            "rec_bms",
            "restore_settings",
            {"config_entry_id": running.entry.entry_id, "backup": {"MAXC": 100}},
            blocking=True,
            context=Context(user_id=guest.id),
        )
    assert not running.sim.log.requests()


async def test_a_restore_to_a_bms_that_is_away_fails_before_anything_is_sent(
    short_silence: None, running: Rig
) -> None:
    running.bms.silent = True
    assert (await refused(running, backup={"MAXC": 100})).translation_key == "no_answer"


async def test_a_backup_goes_to_the_successor_on_another_port(
    running: Rig, hass: HomeAssistant, simulate: Simulate
) -> None:
    change(running, **VISIT)
    backup = await running.act("backup_settings", name="the old one")
    other = simulate()
    successor = Rig(hass, other, entry_for(other))
    await successor.set_up()
    await successor.act("restore_settings", backup=backup)
    for code in VISIT:
        assert same(other.bms[1].settings[code], running.bms.settings[code])


# -- Interrupted -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["set_refused", "set_ignored", "set_unheard"])
@pytest.mark.parametrize("step", range(7))
async def test_interrupted_at_any_step_it_tells_what_was_done_and_goes_on_when_called_again(
    running: Rig, fault: str, step: int
) -> None:
    wanted = await values_of(running, name="autumn")
    left_behind = {**VISIT, "MAXC": 100.0}
    change(running, **left_behind)
    before = dict(running.bms.settings)
    order = await order_of_sets(running, fault, step)
    done, failed, left = order[:step], order[step], order[step + 1 :]
    for code, value in before.items():
        assert same(running.bms.settings[code], wanted[code] if code in done else value), code
    results = (await running.act("restore_settings", backup="autumn"))["results"]
    assert results.keys() == {failed, *left}
    assert await values_of(running) == wanted


async def order_of_sets(rig: Rig, fault: str, step: int) -> list[str]:
    """Restore, which fails at a step, and return the codes that were, and were to be, set."""

    def strike(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            sets.append(entry.instruction)
            if len(sets) == step:
                rig.sim.faults.next(fault)

    sets: list[str] = []
    rig.sim.log.listeners.append(strike)
    if step == 0:
        rig.sim.faults.next(fault)
    with pytest.raises(HomeAssistantError) as failed:
        await rig.act("restore_settings", backup="autumn")
    rig.sim.log.listeners.remove(strike)
    rig.sim.faults.clear()
    assert failed.value.translation_key == "restore_stopped"
    told = failed.value.translation_placeholders
    assert told is not None
    done, stopped, left = (codes_in(told[key]) for key in ("done", "failed", "left"))
    assert len(done) == step
    assert len(stopped) == 1
    assert "(MAXC)" in told["reason"] or stopped[0] in told["reason"]
    return [*done, *stopped, *left]


def codes_in(names: str) -> list[str]:
    return [] if names == "-" else [name[-5:-1] for name in names.split(", ")]


async def test_the_bms_is_pulled_between_two_sets(short_silence: None, running: Rig) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, **VISIT)

    def pull(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED and entry.instruction == "CMAX":
            running.bms.silent = True

    running.sim.log.listeners.append(pull)
    with pytest.raises(HomeAssistantError) as failed:
        await running.act("restore_settings", backup="autumn")
    assert failed.value.translation_placeholders is not None
    assert "read back" in failed.value.translation_placeholders["reason"]
    running.sim.log.listeners.clear()
    running.bms.silent = False
    await running.poll()
    await running.act("restore_settings", backup="autumn")
    assert (await running.act("compare_settings", backup="autumn"))["differences"] == {}


async def test_another_program_that_changes_a_limit_meanwhile_stops_it(running: Rig) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, **VISIT)

    def meddle(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            running.sim.log.listeners.clear()
            running.bms.settings["CMAX"] = 2.9

    running.sim.log.listeners.append(meddle)
    with pytest.raises(HomeAssistantError) as failed:
        await running.act("restore_settings", backup="autumn")
    assert failed.value.translation_key == "restore_stopped"
    await running.act("restore_settings", backup="autumn")
    assert (await running.act("compare_settings", backup="autumn"))["differences"] == {}


async def test_a_restore_ends_when_home_assistant_does_and_says_what_was_done(
    running: Rig,
) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, **VISIT)

    def stop(entry: Entry) -> None:
        if entry.is_set and entry.what == ANSWERED:
            running.hass.set_state(CoreState.stopping)

    running.sim.log.listeners.append(stop)
    with pytest.raises(HomeAssistantError) as failed:
        await running.act("restore_settings", backup="autumn")
    running.hass.set_state(CoreState.running)
    told = failed.value.translation_placeholders
    assert told is not None
    assert "shutting down" in told["reason"]
    assert len(codes_in(told["done"])) == len(running.sim.log.sets) == 1


async def test_a_restore_ends_when_its_entry_is_unloaded(running: Rig) -> None:
    await running.act("backup_settings", name="autumn")
    change(running, **VISIT)
    restoring = running.hass.async_create_task(running.act("restore_settings", backup="autumn"))
    await until(lambda: running.sim.log.sets)
    await running.unload()
    with pytest.raises(HomeAssistantError) as failed:
        await restoring
    assert failed.value.translation_key == "restore_stopped"
    await running.set_up()
    assert {each["reason"] for each in await listed(running)} <= {
        *("first", "named", "elsewhere", "home_assistant")
    }
    await running.act("restore_settings", backup="autumn")
    assert (await running.act("compare_settings", backup="autumn"))["differences"] == {}


async def test_a_restore_goes_before_the_rest_of_a_running_poll(running: Rig) -> None:
    await running.asleep(300)
    poll = running.hass.async_create_task(running.coordinator.async_refresh())
    await running.act("restore_settings", backup={"MAXC": 100})
    await poll
    assert running.number("maxc") == 100
    assert [each["reason"] for each in await listed(running)] == ["home_assistant", "first"]


@pytest.mark.long
async def test_two_bmss_on_one_line_are_kept_apart(hass: HomeAssistant, simulate: Simulate) -> None:
    sim = simulate(addresses=[1, 2])
    one, other = (Rig(hass, sim, entry_for(sim, address=address)) for address in (1, 2))
    await one.set_up()
    await other.set_up()
    await one.act("backup_settings", name="autumn")
    change(one, MAXC=100)
    await one.act("restore_settings", backup="autumn")
    assert len(await listed(one)) == 4
    assert len(await listed(other)) == 1
    assert (await refused(other, backup="autumn")).translation_key == "unknown_backup"


# -- On a bad line ---------------------------------------------------------------------------------


@pytest.fixture
def in_haste() -> Iterator[None]:
    """Shrink the line's patience and the lateness of answers alike, so that hundreds fit in.

    Of snapshots only a few are kept: all of them are looked through whenever one is written.
    """
    line = "custom_components.rec_bms.protocol.rs485.transaction"
    kept = "custom_components.rec_bms.history._UNNAMED_AT_MOST"
    with (
        patch(f"{line}.RESPONSE_TIMEOUT", 0.1),
        patch(f"{line}.LATEST_RESPONSE", 0.5),
        patch(kept, 5),
    ):
        yield


RESTORED = [row for row in SETTABLE if row.code not in BY_NAME_ONLY and not row.newer]


def drawn(dice: random.Random, current: dict[str, float]) -> dict[str, float]:
    """Return coherent settings, of which a few are other than now."""
    while True:
        values = dict(current)
        for row in dice.sample(RESTORED, dice.randint(1, 6)):
            values[row.code] = value_of(dice, row)
        if not any(rule.broken(values) for rule in RULES):
            return values


def value_of(dice: random.Random, row: Row) -> float:
    assert row.minimum is not None
    assert row.maximum is not None
    value = dice.uniform(row.minimum, row.maximum)
    return round(value) if row.whole_number else float(f"{value:.4g}")


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_after_a_thousand_restores_on_a_bad_line_every_setting_is_what_was_told(
    in_haste: None,
    hass_storage: dict[str, Any],
    hass: HomeAssistant,
    simulate: Simulate,
) -> None:
    sim = simulate(baud=921600, turnaround=0.0005, cells=4)
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    dice = random.Random(15)
    sim.faults.rng.seed(15)
    sim.faults.late = (0.02, 0.42)
    current = {row.code: float(sim.bms[1].settings[row.code]) for row in RESTORED}
    wrong = failures = 0
    for _ in range(RESTORES):
        wanted = drawn(dice, current)
        before = dict(current)
        sim.faults.set_shares({**LINE_FAULTS, **SET_FAULTS})
        told, doubtful = await restored(rig, wanted, before)
        sim.faults.set_shares({})
        failures += doubtful is not None
        current = {row.code: float(sim.bms[1].settings[row.code]) for row in RESTORED}
        wrong += sum(not same(current[code], told[code]) for code in current if code != doubtful)
    print(f"\nrestores under faults: {RESTORES}, stopped: {failures}, told wrongly: {wrong}")
    assert failures > RESTORES / 20
    assert wrong == 0


async def restored(
    rig: Rig, wanted: dict[str, float], before: dict[str, float]
) -> tuple[dict[str, float], str | None]:
    """Restore, and return what every setting is by what was told, and the one that is not certain.

    None where all is certain. What failed is as it was, or unverified.
    """
    try:
        results = (await rig.act("restore_settings", backup=wanted))["results"]
    except HomeAssistantError as err:
        told = err.translation_placeholders or {}
        if err.translation_key != "restore_stopped":
            return before, ""
        done = codes_in(told["done"])
        return {
            code: wanted[code] if code in done else value for code, value in before.items()
        }, codes_in(told["failed"])[0]
    changed = {code for code in wanted if not same(wanted[code], before[code])}
    assert results.keys() == changed
    return wanted, None
