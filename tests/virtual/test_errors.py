"""An error of the BMS, from the line to what its owner sees: state, event, issue and text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.protocol.alarms import ErrorNumber
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.test_entities import ERROR_OPTIONS
from tools.testkit.simulator_in_memory import SimulatorInMemory

TRANSLATIONS = Path("custom_components/rec_bms/translations/en.json")
KNOWN = range(1, 18)
UNKNOWN = (18, 99, 255, 0)

DOES_AND_TO_DO = {
    1: ("stopped charging and balances the cell down", "Wait"),
    2: ("stopped discharging", "Connect the charger"),
    3: ("balances the cells", "call service"),
    4: ("stopped charging and discharging", "Wait until the pack has cooled"),
    5: ("stopped charging and discharging", "Wait until the BMS has cooled"),
}
"""What REC's manual says that the BMS does, and that the owner should do."""


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005, cells=6)


@pytest.fixture
def rig(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    return Rig(hass, battery, entry_for(battery, scan_interval=10))


class Owner:
    """Who lives in the rig, has an error happen, and writes down what was told of it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._last = ""
        self.told: list[tuple[str, int, int, int]] = []

    def listen(self) -> None:
        entity_id = self.rig.entity_id("error_event")

        @callback
        def heard(event: Event[EventStateChangedData]) -> None:
            new = event.data["new_state"]
            if new is None or new.state in ("unknown", "unavailable", self._last):
                return
            self._last = new.state
            told = new.attributes
            self.told.append((told["event_type"], told["number"], told["unit"], told["location"]))

        async_track_state_change_event(self.rig.hass, entity_id, heard)

    async def poll(self, after: float = 10) -> None:
        await self.rig.poll(after)
        await self.rig.hass.async_block_till_done()

    async def error(self, number: int, unit: int = 1, location: int = 2) -> None:
        self.rig.sim.call(self.rig.bms.raise_error, number, unit, location)
        await self.poll()

    async def no_error(self) -> None:
        self.rig.sim.call(self.rig.bms.clear_error)
        await self.poll()

    def issues(self) -> dict[int, ir.IssueEntry]:
        """Return the repair issues about errors of this BMS by the errors' numbers."""
        prefix = f"error_{self.rig.entry.entry_id}_"
        return {
            int(issue_id.removeprefix(prefix)): issue
            for (domain, issue_id), issue in ir.async_get(self.rig.hass).issues.items()
            if domain == DOMAIN and issue_id.startswith(prefix)
        }

    def issue(self) -> ir.IssueEntry | None:
        """Return the repair issue about an error of this BMS, of which there is one at most."""
        issues = [*self.issues().values()]
        assert len(issues) <= 1
        return issues[0] if issues else None

    def shown_issues(self) -> set[int]:
        """Return the numbers of the errors whose issues their owner sees under repairs."""
        return {
            number
            for number, issue in self.issues().items()
            if issue.active and issue.dismissed_version is None
        }

    async def lasting(self, number: int) -> None:
        """Have an error until there is an issue about it."""
        await self.error(number)
        await self.poll(70)
        assert number in self.issues()

    def ignore(self, number: int) -> None:
        """Ignore the issue about an error, as its owner can under repairs."""
        issue_id = self.issues()[number].issue_id
        ir.async_ignore_issue(self.rig.hass, DOMAIN, issue_id, True)


@pytest.fixture
async def owner(rig: Rig) -> Owner:
    await rig.set_up()
    owner = Owner(rig)
    owner.listen()
    return owner


# -- state, event, issue and text ------------------------------------------------------------------


@pytest.mark.long
async def test_every_error_is_shown_told_explained_and_taken_back(
    hass: HomeAssistant, owner: Owner
) -> None:
    for number in (*KNOWN, *UNKNOWN):
        await _lives_through(hass, owner, number)


async def _lives_through(hass: HomeAssistant, owner: Owner, number: int) -> None:
    """Have an error come, stay and go, and look at everything that is told of it."""
    name = ErrorNumber(number).name.lower() if number in KNOWN else "other"
    owner.told.clear()

    await owner.error(number, 1, 5)
    state = owner.rig.state("error")
    where = tuple(state.attributes[each] for each in ("number", "unit", "location"))
    assert (state.state, *where) == (name, number, 1, 5)
    assert owner.rig.shown("problem") == "on"
    assert owner.told == [("appeared", number, 1, 5)]
    await owner.poll(55)
    assert owner.issue() is None

    await owner.poll(10)
    issue = owner.issue()
    assert issue is not None
    assert issue.translation_key == f"error_{name}"
    assert (issue.is_fixable, issue.severity) == (False, ir.IssueSeverity.ERROR)
    title, text = await _read(hass, issue)
    assert title.startswith("REC BMS 1Q VICTRON: ")
    assert f"error {number}" in text
    assert "unit 1, cell or sensor 5" in text
    for words in DOES_AND_TO_DO.get(number, ()):
        assert words in text.replace("**", "")

    await owner.no_error()
    assert owner.rig.shown("error") == "no_error"
    assert owner.rig.state("error").attributes["number"] is None
    assert owner.rig.shown("problem") == "off"
    assert owner.told == [("appeared", number, 1, 5), ("cleared", number, 1, 5)]
    assert owner.issue() is None


async def _read(hass: HomeAssistant, issue: ir.IssueEntry) -> tuple[str, str]:
    """Return an issue's title and description as its owner reads them."""
    words = await async_get_translations(hass, "en", "issues", [DOMAIN])
    path = f"component.{DOMAIN}.issues.{issue.translation_key}"
    filled: list[str] = []
    for part in ("title", "description"):
        text = words[f"{path}.{part}"].format(**(issue.translation_placeholders or {}))
        assert not re.search(r"[{}]", text)
        filled.append(text)
    return filled[0], filled[1]


def translations() -> dict[str, Any]:
    texts: dict[str, Any] = json.loads(TRANSLATIONS.read_text(encoding="utf-8"))
    return texts


def test_every_error_has_a_name_and_advice_of_its_own() -> None:
    texts = translations()
    names = texts["entity"]["sensor"]["error"]["state"]
    advice = [texts["issues"][f"error_{option}"]["description"] for option in ERROR_OPTIONS[1:]]
    print(f"\nerror numbers with advice: {len(advice)} of {len(ErrorNumber)}")
    assert len(advice) == len(set(advice)) == len(ErrorNumber) == 17
    assert set(names) == {*ERROR_OPTIONS, "other"}
    assert len(set(names.values())) == 19
    for text in advice:
        # First what is the matter, then what to do about it, which stands out.
        about, what_to_do = text.split("\n\n", 1)
        assert "{number}" in about
        assert re.search(r"\*\*[A-Z].*?\*\*", what_to_do, re.DOTALL)


def test_the_event_says_in_words_what_happened() -> None:
    event = translations()["entity"]["event"]["error_event"]
    told = event["state_attributes"]["event_type"]["state"]
    assert set(told) == {"appeared", "cleared"}


def test_the_blueprint_gives_the_same_17_numbers_names_and_advice() -> None:
    blueprint = load_yaml("blueprints/automation/rec_bms/error_notification.yaml")
    assert isinstance(blueprint, dict)
    variables = blueprint["variables"]
    assert list(variables["names"]) == list(variables["advice"]) == list(KNOWN)
    names = translations()["entity"]["sensor"]["error"]["state"]
    assert [variables["names"][number] for number in KNOWN] == [
        names[ErrorNumber(number).name.lower()] for number in KNOWN
    ]


# -- what comes in between -------------------------------------------------------------------------


async def test_two_errors_in_a_row_are_told_one_after_the_other(owner: Owner) -> None:
    await owner.error(1, 1, 3)
    await owner.error(4, 1, 1)
    assert owner.rig.shown("error") == "cell_temperature_high"
    await owner.no_error()
    assert owner.told == [
        ("appeared", 1, 1, 3),
        ("cleared", 1, 1, 3),
        ("appeared", 4, 1, 1),
        ("cleared", 4, 1, 1),
    ]


async def test_the_second_of_two_errors_gets_an_issue_when_it_has_lasted_itself(
    owner: Owner,
) -> None:
    await owner.error(1)
    await owner.poll(70)
    first = owner.issue()
    assert first is not None
    assert first.translation_key == "error_cell_voltage_high"
    await owner.error(4)
    await owner.poll(40)
    assert owner.issue() == first, "two errors may be reported in turn"
    await owner.poll(30)
    second = owner.issue()
    assert second is not None
    assert second.translation_key == "error_cell_temperature_high"


async def test_an_error_shorter_than_a_minute_is_told_but_is_no_issue(owner: Owner) -> None:
    await owner.error(3)
    await owner.poll(49)
    await owner.no_error()
    await owner.poll(120)
    assert owner.issue() is None
    assert [told[0] for told in owner.told] == ["appeared", "cleared"]


@pytest.mark.long
async def test_an_error_that_stays_is_told_once(owner: Owner) -> None:
    await owner.error(2)
    for _ in range(20):
        await owner.poll(30)
    assert owner.told == [("appeared", 2, 1, 2)]


async def test_an_error_that_wanders_from_cell_to_cell_is_one_error(owner: Owner) -> None:
    for location in range(1, 10):
        await owner.error(1, 1, location)
    assert owner.told == [("appeared", 1, 1, 1)]
    assert owner.rig.state("error").attributes["location"] == 9
    issue = owner.issue()
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["location"] == "9"
    await owner.error(1, 1, 2)
    issue = owner.issue()
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["location"] == "2"


async def test_the_same_error_twice_is_told_twice(owner: Owner) -> None:
    for _ in range(2):
        await owner.error(8, 1, 2)
        await owner.no_error()
    assert [told[:2] for told in owner.told] == [("appeared", 8), ("cleared", 8)] * 2


async def test_a_restart_while_an_error_is_there_does_not_tell_it_again(owner: Owner) -> None:
    await owner.error(11)
    before = owner.rig.shown("error_event")
    await owner.rig.reload()
    await owner.poll()
    assert owner.rig.shown("error_event") == before
    assert owner.told == [("appeared", 11, 1, 2)]
    await owner.no_error()
    assert owner.told == [("appeared", 11, 1, 2), ("cleared", 11, 1, 2)]


async def test_what_became_of_an_error_during_a_restart_is_told_after_it(owner: Owner) -> None:
    await owner.error(11)
    await owner.rig.unload()
    owner.rig.sim.call(owner.rig.bms.clear_error)
    await owner.rig.set_up()
    assert [told[:2] for told in owner.told] == [("appeared", 11), ("cleared", 11)]


async def test_an_error_that_came_during_a_restart_is_told_after_it(owner: Owner) -> None:
    await owner.error(11)
    await owner.rig.unload()
    owner.rig.sim.call(owner.rig.bms.clear_error)
    owner.rig.sim.call(owner.rig.bms.raise_error, 9, 1, 1)
    await owner.rig.set_up()
    assert [told[:2] for told in owner.told] == [("appeared", 11), ("cleared", 11), ("appeared", 9)]


async def test_an_issue_comes_again_after_a_restart_while_the_error_is_there(
    owner: Owner,
) -> None:
    await owner.error(10)
    await owner.poll(70)
    await owner.rig.reload()
    assert owner.issue() is None
    await owner.poll(10)
    await owner.poll(70)
    assert owner.issue() is not None


async def test_an_error_that_was_there_before_home_assistant_is_told(rig: Rig) -> None:
    rig.sim.call(rig.bms.raise_error, 6, 1, 1)
    await rig.set_up()
    state = rig.state("error_event")
    assert (state.attributes["event_type"], state.attributes["number"]) == ("appeared", 6)


async def test_a_bms_that_goes_away_has_its_error_neither_cleared_nor_told_again(
    short_silence: None, owner: Owner
) -> None:
    await owner.error(5)
    await owner.poll(70)
    assert owner.issue() is not None
    owner.rig.bms.silent = True
    await owner.poll()
    assert owner.rig.shown("error") == "unavailable"
    assert owner.issue() is not None
    owner.rig.bms.silent = False
    await owner.poll()
    assert owner.issue() is not None
    assert owner.told == [("appeared", 5, 1, 2)]
    await owner.no_error()
    assert owner.told[-1] == ("cleared", 5, 1, 2)
    assert owner.issue() is None


async def test_an_error_that_could_not_be_read_is_not_taken_for_gone(
    short_silence: None, owner: Owner
) -> None:
    await owner.error(5)
    await owner.poll(70)
    owner.rig.bms.unsupported.add("ERRO")
    for _ in range(6):
        await owner.poll()
    assert owner.rig.shown("error") == "unavailable"
    assert owner.issue() is not None
    assert owner.told == [("appeared", 5, 1, 2)]


async def test_nothing_is_left_of_an_issue_when_the_entry_is_removed(
    hass: HomeAssistant, owner: Owner
) -> None:
    await owner.error(16)
    await owner.poll(70)
    await hass.config_entries.async_remove(owner.rig.entry.entry_id)
    assert owner.issue() is None


async def test_two_errors_that_are_reported_in_turn_both_become_issues(owner: Owner) -> None:
    for _ in range(4):
        await owner.error(3)
        await owner.error(5)
    assert owner.shown_issues() == {3, 5}
    await owner.no_error()
    assert owner.issues() == {}


async def test_an_error_that_was_not_read_again_has_not_lasted(
    short_silence: None, owner: Owner
) -> None:
    await owner.error(3)
    owner.rig.bms.unsupported.add("ERRO")
    for _ in range(2):
        await owner.poll(35)
    assert owner.issues() == {}


async def test_an_issue_of_a_unit_that_is_not_known_reads_well(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(baud=921600, turnaround=0.0005, addresses=[2], units=3, cells=4)
    rig = Rig(hass, sim, entry_for(sim, address=2, scan_interval=10))
    await rig.set_up()
    owner = Owner(rig)
    await owner.error(3, 3, 4)
    await owner.poll(70)
    _, text = await _read(hass, owner.issues()[3])
    assert "(error 3, unit ?, cell or sensor 4)" in text


async def test_an_issue_says_the_name_that_the_entry_has_now(owner: Owner) -> None:
    await owner.lasting(3)
    owner.rig.hass.config_entries.async_update_entry(owner.rig.entry, title="Aft")
    await owner.poll()
    title, _ = await _read(owner.rig.hass, owner.issues()[3])
    assert title.startswith("Aft: ")


# -- issues that their owner ignores ---------------------------------------------------------------


async def restart(owner: Owner, storage: dict[str, Any]) -> None:
    """Let Home Assistant end and start: it keeps of an issue that it was ignored, and no more."""
    registry = ir.async_get(owner.rig.hass)
    kept = json.loads(json.dumps(registry._data_to_save()))
    await owner.rig.unload()
    storage[ir.STORAGE_KEY] = {
        "version": ir.STORAGE_VERSION_MAJOR,
        "minor_version": ir.STORAGE_VERSION_MINOR,
        "key": ir.STORAGE_KEY,
        "data": kept,
    }
    await registry._async_load()
    await owner.rig.set_up()


@pytest.mark.long
async def test_an_ignored_issue_stays_ignored_over_a_reload(owner: Owner) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    for _ in range(2):
        await owner.rig.reload()
        for _ in range(3):
            await owner.poll(40)
        assert owner.issues()[3].dismissed_version is not None
        assert owner.shown_issues() == set()


async def test_an_ignored_issue_stays_ignored_over_a_restart(
    owner: Owner, hass_storage: dict[str, Any]
) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    await restart(owner, hass_storage)
    for _ in range(3):
        await owner.poll(40)
    assert owner.issues()[3].active
    assert owner.shown_issues() == set()


async def test_an_issue_that_was_not_ignored_comes_again_after_a_restart(
    owner: Owner, hass_storage: dict[str, Any]
) -> None:
    await owner.lasting(3)
    await restart(owner, hass_storage)
    assert owner.shown_issues() == set()
    await owner.poll(70)
    assert owner.shown_issues() == {3}


@pytest.mark.long
async def test_an_issue_whose_error_ended_during_a_restart_is_forgotten(
    owner: Owner, hass_storage: dict[str, Any]
) -> None:
    await owner.lasting(3)
    owner.rig.sim.call(owner.rig.bms.clear_error)
    await restart(owner, hass_storage)
    assert owner.issues() == {}


async def test_an_ignored_issue_is_forgotten_when_its_error_is_over(owner: Owner) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    await owner.no_error()
    assert owner.issues() == {}
    await owner.lasting(3)
    assert owner.shown_issues() == {3}


async def test_an_ignored_issue_is_forgotten_when_its_error_ended_during_a_reload(
    owner: Owner,
) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    await owner.rig.unload()
    owner.rig.sim.call(owner.rig.bms.clear_error)
    await owner.rig.set_up()
    assert owner.issues() == {}
    await owner.lasting(3)
    assert owner.shown_issues() == {3}


async def test_an_ignored_error_hides_no_other(owner: Owner) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    await owner.lasting(2)
    assert owner.shown_issues() == {2}
    await owner.rig.reload()
    await owner.poll(40)
    await owner.poll(40)
    assert owner.shown_issues() == {2}


@pytest.mark.long
async def test_two_errors_in_turn_of_which_one_is_ignored_stay_so_over_a_reload(
    owner: Owner,
) -> None:
    for _ in range(4):
        await owner.error(3)
        await owner.error(5)
    owner.ignore(3)
    await owner.rig.reload()
    for _ in range(5):
        await owner.error(3)
        await owner.error(5)
    assert set(owner.issues()) == {3, 5}
    assert owner.shown_issues() == {5}


async def test_a_bms_that_is_away_at_a_reload_has_its_ignored_issue_kept(
    short_silence: None, owner: Owner
) -> None:
    await owner.lasting(3)
    owner.ignore(3)
    owner.rig.bms.silent = True
    await owner.rig.unload()
    await owner.rig.try_to_set_up()
    assert owner.issues()[3].dismissed_version is not None
    owner.rig.bms.silent = False
    await owner.rig.reload()
    await owner.poll(70)
    assert set(owner.issues()) == {3}
    assert owner.shown_issues() == set()


@pytest.mark.parametrize("ignored", [False, True])
async def test_a_disabled_entry_shows_no_issue(
    hass: HomeAssistant, owner: Owner, ignored: bool
) -> None:
    await owner.lasting(3)
    if ignored:
        owner.ignore(3)
    await hass.config_entries.async_set_disabled_by(
        owner.rig.entry.entry_id, ConfigEntryDisabler.USER
    )
    assert set(owner.issues()) == ({3} if ignored else set())
    assert owner.shown_issues() == set()
    await hass.config_entries.async_remove(owner.rig.entry.entry_id)
    assert owner.issues() == {}


async def test_a_deleted_entry_leaves_no_ignored_issue_and_takes_none_of_another(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2], cells=4)
    owners = []
    for address in (1, 2):
        rig = Rig(hass, sim, entry_for(sim, address=address, scan_interval=10))
        await rig.set_up()
        owners.append(Owner(rig))
        await owners[-1].lasting(3)
        owners[-1].ignore(3)
    first, second = owners
    await hass.config_entries.async_remove(first.rig.entry.entry_id)
    assert first.issues() == {}
    assert second.issues()[3].dismissed_version is not None


async def test_two_bmss_on_one_line_have_issues_of_their_own(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[1, 2], cells=4)
    owners = []
    for address in (1, 2):
        entry = entry_for(sim, address=address, title=f"BMS {address}", scan_interval=10)
        rig = Rig(hass, sim, entry)
        await rig.set_up()
        owners.append(Owner(rig))
    first, second = owners
    await first.error(3)
    await second.error(12)
    await first.poll(70)
    await second.poll(70)
    issues = [owner.issue() for owner in owners]
    assert [issue and issue.translation_key for issue in issues] == [
        "error_cell_difference",
        "error_current_measurement",
    ]
    await first.no_error()
    assert first.issue() is None
    assert second.issue() is not None
