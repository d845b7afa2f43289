"""Blueprints: imported by the README's buttons, and right in cases that a single BMS has not."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch
from urllib.parse import parse_qs, urlsplit

import pytest
from homeassistant.components import persistent_notification
from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import async_mock_service
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.rec_bms.protocol.alarms import ErrorNumber
from custom_components.rec_bms.protocol.rs485.readings import BmsTemperature
from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for, until

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "blueprints" / "automation"
FILES = sorted((FOLDER / "rec_bms").glob("*.yaml"))

type Automate = Callable[..., Awaitable[str]]


# -- importing -------------------------------------------------------------------------------------


def button_urls() -> list[str]:
    """Return what the README's buttons import."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"https://my\.home-assistant\.io/redirect/blueprint_import/\?[^)]+", readme)
    return [parse_qs(urlsplit(link).query)["blueprint_url"][0] for link in links]


def test_every_blueprint_has_one_button_in_the_readme() -> None:
    names = [url.rsplit("/", 1)[1] for url in button_urls()]
    assert sorted(names) == [file.name for file in FILES]


@pytest.mark.parametrize("url", button_urls())
async def test_home_assistant_imports_what_a_button_names(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, url: str
) -> None:
    owner, repository, kind, branch, path = urlsplit(url).path[1:].split("/", 4)
    assert (kind, branch) == ("blob", "main")
    file = ROOT / path
    assert file in FILES
    raw = f"https://raw.githubusercontent.com/{owner}/{repository}/{branch}/{path}"
    aioclient_mock.get(raw, text=file.read_text(encoding="utf-8"))
    imported = await fetch_blueprint_from_url(hass, url)
    assert imported.blueprint.domain == "automation"
    assert imported.blueprint.metadata["source_url"] == url
    assert imported.suggested_filename == f"{owner}/{file.stem}"
    assert imported.blueprint.validate() is None


# -- running ---------------------------------------------------------------------------------------


@pytest.fixture
def automate(hass: HomeAssistant) -> Iterator[Automate]:
    """Make an automation from a blueprint where it lies in the repository; return its entity."""

    async def make(blueprint: str, **inputs: Any) -> str:
        uses = {"path": f"rec_bms/{blueprint}.yaml", "input": inputs}
        # What goes by the clock is triggered by the tests instead.
        text = (FOLDER / "rec_bms" / f"{blueprint}.yaml").read_text(encoding="utf-8")
        by_itself = "time_pattern" not in text
        automation = {"alias": "it", "initial_state": by_itself, "use_blueprint": uses}
        assert await async_setup_component(hass, "persistent_notification", {})
        assert await async_setup_component(hass, "automation", {"automation": [automation]})
        await hass.async_block_till_done()
        state = hass.states.get("automation.it")
        assert state is not None
        assert state.state == ("on" if by_itself else "off"), state
        return "automation.it"

    with patch.object(DomainBlueprints, "blueprint_folder", PropertyMock(return_value=FOLDER)):
        yield make


def notifications(hass: HomeAssistant) -> dict[str, str]:
    """Return and forget the messages of the notifications by title."""
    made = persistent_notification._async_get_or_create_notifications(hass)
    told = {str(each["title"]): each["message"] for each in made.values()}
    persistent_notification.async_dismiss_all(hass)
    return told


@pytest.mark.long
async def test_every_error_number_is_told_with_its_advice(automate: Automate, running: Rig) -> None:
    hass = running.hass
    await automate("error_notification", bms=running.device().id)
    advice: set[str] = set()
    for number in (*range(1, 17), 17, 200):
        running.sim.call(running.bms.raise_error, number, 1, 3)
        await running.poll()
        ((title, message),) = notifications(hass).items()
        assert f"(error {number}, unit 1, cell or sensor 3)" in message
        known = number in list(ErrorNumber)
        assert (title == f"Error {number}") is not known
        advice.add(message.split("). ", 1)[1])
        running.sim.call(running.bms.clear_error)
        await running.poll()
        assert notifications(hass) == {
            f"Gone: {title}": f"{running.entry.title} does not report error {number} any more."
        }
    assert len(advice) == 18


async def test_an_error_is_not_told_again_when_the_link_or_home_assistant_comes_back(
    short_silence: None, automate: Automate, running: Rig
) -> None:
    hass = running.hass
    await automate("error_notification", bms=running.device().id)
    running.sim.call(running.bms.raise_error, 2, 1, 3)
    await running.poll()
    assert len(notifications(hass)) == 1
    running.bms.silent = True
    await running.poll()
    running.bms.silent = False
    await running.poll()
    await running.reload()
    await running.poll()
    assert notifications(hass) == {}


@pytest.mark.parametrize(("address", "where"), [(16, "unit 1, cell"), (2, "cell")])
async def test_an_error_is_told_with_its_unit_where_that_is_known(
    hass: HomeAssistant, simulate: Simulate, automate: Automate, address: int, where: str
) -> None:
    sim = simulate(addresses=[address], units=2, cells=8)
    rig = Rig(hass, sim, entry_for(sim, address=address, title="Battery"))
    await rig.set_up()
    await automate("error_notification", bms=rig.device().id)
    sim.call(rig.bms.raise_error, 1, 1, 3)
    await rig.poll()
    ((title, message),) = notifications(hass).items()
    assert title == "Cell voltage too high"
    words = f"Battery: {title} (error 1, {where} or sensor 3). The BMS has stopped charging"
    assert message.startswith(words)


async def test_an_error_in_place_of_another_is_told_and_so_is_the_others_end(
    automate: Automate, running: Rig
) -> None:
    await automate("error_notification", bms=running.device().id)
    for number in (1, 4):
        running.sim.call(running.bms.clear_error)
        running.sim.call(running.bms.raise_error, number, 1, 3)
        await running.poll()
    assert list(notifications(running.hass)) == [
        "Cell voltage too high",
        "Gone: Cell voltage too high",
        "Cell temperature too high",
    ]


async def test_errors_are_told_whether_their_event_entity_is_renamed_or_disabled(
    automate: Automate, running: Rig
) -> None:
    await automate("error_notification", bms=running.device().id)
    er.async_get(running.hass).async_update_entity(
        running.entity_id("error_event"), disabled_by=er.RegistryEntryDisabler.USER
    )
    await running.reload()
    running.sim.call(running.bms.raise_error, 2, 1, 3)
    await running.poll()
    assert list(notifications(running.hass)) == ["Cell voltage too low"]


async def test_errors_run_by_hand_tell_nothing_false(automate: Automate, running: Rig) -> None:
    entity_id = await automate("error_notification", bms=running.device().id)
    data = {"entity_id": entity_id}
    await running.hass.services.async_call("automation", "trigger", data, blocking=True)
    assert notifications(running.hass) == {}


async def test_an_error_that_came_while_the_link_was_lost_is_told(
    short_silence: None, automate: Automate, running: Rig
) -> None:
    await automate("error_notification", bms=running.device().id)
    running.bms.silent = True
    await running.poll()
    running.sim.call(running.bms.raise_error, 2, 1, 3)
    running.bms.silent = False
    await running.poll()
    assert list(notifications(running.hass)) == ["Cell voltage too low"]


@pytest.fixture
def published(hass: HomeAssistant) -> list[ServiceCall]:
    return async_mock_service(hass, "mqtt", "publish")


async def export(rig: Rig, entity_id: str) -> None:
    """Let the automation run as if its time had come."""
    await rig.hass.services.async_call(
        "automation",
        "trigger",
        {"entity_id": entity_id, "skip_condition": False},
        blocking=True,
    )
    await rig.hass.async_block_till_done(wait_background_tasks=True)


async def told_by_a_run(hass: HomeAssistant, entity_id: str) -> dict[str, str]:
    """Let an automation run that waits for something once it has told; return what it told."""
    data = {"entity_id": entity_id, "skip_condition": False}
    await hass.services.async_call("automation", "trigger", data)
    told: dict[str, str] = {}
    await until(lambda: told.update(notifications(hass)) or told)
    return told


def by_topic(published: list[ServiceCall]) -> dict[str, Any]:
    assert all(call.data["retain"] is True for call in published)
    told = {call.data["topic"]: call.data["payload"] for call in published}
    assert len(told) == len(published)
    return {topic: payload for topic, payload in told.items() if not topic.endswith("/json")}


def as_json(published: list[ServiceCall]) -> dict[str, Any]:
    """Return what was published as a whole."""
    (payload,) = (
        call.data["payload"] for call in published if call.data["topic"].endswith("battery/json")
    )
    # As the action takes it: of a template's JSON Home Assistant makes a dict, then text again.
    together: dict[str, Any] = json.loads(cv.string(payload))
    return together


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        ("", "battery/cell/1/volts"),
        ("/my boat/aft/", "my boat/aft/battery/cell/1/volts"),
        ("it's 1", "it's 1/battery/cell/1/volts"),
        ("12", "12/battery/cell/1/volts"),
    ],
)
async def test_a_prefix_comes_before_each_topic(
    automate: Automate, running: Rig, published: list[ServiceCall], prefix: str, first: str
) -> None:
    entry_id = running.entry.entry_id
    await export(running, await automate("mqtt_export", bms=entry_id, prefix=prefix, interval=10))
    told = by_topic(published)
    assert first in told
    assert len(told) == 14 * 2 + 14 + 1 + 2


@pytest.mark.parametrize(
    ("interval", "seconds"), [(10, range(0, 120, 10)), (20, range(0, 120, 20)), (60, [0, 60])]
)
async def test_it_publishes_at_the_interval_chosen(
    automate: Automate,
    running: Rig,
    published: list[ServiceCall],
    interval: int,
    seconds: Iterable[int],
) -> None:
    entry_id = running.entry.entry_id
    with patch("custom_components.rec_bms.coordinator.RecBmsCoordinator.async_read") as read:
        read.return_value = BmsTemperature(20.0)
        entity_id = await automate("mqtt_export", bms=entry_id, interval=interval)
        at: list[int] = []
        for second in range(0, 120, 10):
            now = datetime(2026, 11, 22, 12, 0, 0, 50_000, tzinfo=UTC) + timedelta(seconds=second)
            with patch("homeassistant.util.dt.now", return_value=now):
                await export(running, entity_id)
            at += [second] if published else []
            published.clear()
    assert at == list(seconds)


@pytest.mark.parametrize("prefix", ["", "boat"])
async def test_all_readings_are_one_json_beside_the_many(
    automate: Automate, running: Rig, published: list[ServiceCall], prefix: str
) -> None:
    running.sim.call(running.bms.break_sensor, 1, 1, float("nan"))
    entry_id = running.entry.entry_id
    await export(running, await automate("mqtt_export", bms=entry_id, prefix=prefix, interval=10))
    root = f"{prefix}/battery/".removeprefix("/")
    single = {
        topic.removeprefix(root): float(payload) for topic, payload in by_topic(published).items()
    }
    together = as_json(published)
    assert together == single
    assert together["cell/1/volts"] == pytest.approx(running.bms.measure().volts[0][0])
    assert "status/temperature/pack/1" not in together


@pytest.mark.long
async def test_cells_of_further_units_are_numbered_on(
    hass: HomeAssistant, simulate: Simulate, automate: Automate, published: list[ServiceCall]
) -> None:
    sim = simulate(addresses=[16], cells=[4, 3], sensors=1)
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    await export(rig, await automate("mqtt_export", bms=rig.entry.entry_id, interval=10))
    told = by_topic(published)
    volts = [each for unit in sim.bms[16].measure().volts for each in unit]
    assert [float(told[f"battery/cell/{n}/volts"]) for n in range(1, 8)] == pytest.approx(volts)
    assert "battery/cell/8/volts" not in told
    assert "battery/status/temperature/pack/2" in told


async def test_what_the_bms_does_not_know_is_no_reason_to_be_silent_about_the_rest(
    short_silence: None, automate: Automate, running: Rig, published: list[ServiceCall]
) -> None:
    running.bms.unsupported.update({"RINT", "LCD3"})
    entry_id = running.entry.entry_id
    await export(running, await automate("mqtt_export", bms=entry_id, interval=10))
    told = by_topic(published)
    assert "battery/cell/1/ohms" not in told
    assert "battery/status/Amp_Hours_since_last_charge" not in told
    assert len(told) == 14 + 7 + 1 + 2


async def test_what_cannot_be_is_not_published(
    automate: Automate, running: Rig, published: list[ServiceCall]
) -> None:
    running.sim.call(running.bms.break_sensor, 1, 1, float("nan"))
    running.bms.health = 42.0
    entry_id = running.entry.entry_id
    await export(running, await automate("mqtt_export", bms=entry_id, interval=10))
    told = by_topic(published)
    assert "battery/status/temperature/pack/1" not in told
    assert "battery/status/temperature/pack/2" in told
    assert "battery/status/State_of_Health" not in told


async def test_of_a_bms_that_is_away_nothing_is_published(
    short_silence: None, automate: Automate, running: Rig, published: list[ServiceCall]
) -> None:
    running.bms.silent = True
    entry_id = running.entry.entry_id
    await export(running, await automate("mqtt_export", bms=entry_id, interval=10))
    assert published == []


async def test_a_bms_that_is_away_is_asked_one_thing_only(
    short_silence: None, automate: Automate, running: Rig, published: list[ServiceCall]
) -> None:
    running.bms.silent = True
    running.sim.log.clear()
    await export(running, await automate("mqtt_export", bms=running.entry.entry_id, interval=10))
    assert set(running.asked()) == {"LCD1"}
    running.bms.silent = False
    await export(running, "automation.it")
    assert len(by_topic(published)) == 14 * 2 + 14 + 1 + 2


async def test_nothing_is_published_while_the_bms_is_not_set_up(
    automate: Automate, running: Rig, published: list[ServiceCall]
) -> None:
    entity_id = await automate("mqtt_export", bms=running.entry.entry_id, interval=10)
    await running.unload()
    await export(running, entity_id)
    assert published == []


async def test_while_the_battery_is_cold_a_change_that_failed_is_tried_again(
    automate: Automate, running: Rig
) -> None:
    for sensor in (1, 2):
        running.sim.call(running.bms.break_sensor, 1, sensor, 5.0)
    await running.poll()
    entity_id = await automate(
        "charge_gently_when_cold",
        temperature=running.entity_id("temperature_1_1"),
        charge_current=running.entity_id("maxc"),
        cold_current=20,
        warm_current=120,
    )
    running.sim.faults.next("set_unheard")
    await export(running, entity_id)
    assert running.bms.settings["MAXC"] == 150
    await export(running, entity_id)
    assert running.bms.settings["MAXC"] == running.number("maxc") == 20
    running.sim.log.clear()
    await export(running, entity_id)
    assert not running.sim.log.sets


async def test_nothing_is_changed_where_cold_and_warm_contradict_and_that_is_told(
    automate: Automate, running: Rig
) -> None:
    entity_id = await automate(
        "charge_gently_when_cold",
        temperature=running.entity_id("temperature_1_1"),
        charge_current=running.entity_id("maxc"),
        cold_below=25,
        warm_above=10,
        cold_current=20,
        warm_current=120,
    )
    assert list(await told_by_a_run(running.hass, entity_id)) == [
        "The charge current is not adjusted to the temperature"
    ]
    assert not running.sim.log.sets
    await running.hass.services.async_call("automation", "turn_off", {"entity_id": entity_id})


# -- in the units that Home Assistant shows --------------------------------------------------------


@pytest.fixture(params=[METRIC_SYSTEM, US_CUSTOMARY_SYSTEM], ids=["metric", "us_customary"])
async def abroad(request: pytest.FixtureRequest, hass: HomeAssistant, rig: Rig) -> Rig:
    """A rig whose entities were registered in metric or in US customary units."""
    hass.config.units = request.param
    await rig.set_up()
    return rig


async def choose_unit(rig: Rig, key: str, unit: str) -> None:
    """Have an entity show another unit, as its owner chooses it in the entity's settings."""
    entity_id = rig.entity_id(key)
    options = {"unit_of_measurement": unit}
    registry = er.async_get(rig.hass)
    registry.async_update_entity_options(entity_id, entity_id.split(".")[0], options)
    await rig.hass.async_block_till_done()
    assert rig.state(key).attributes["unit_of_measurement"] == unit


async def is_as_warm(rig: Rig, celsius: float) -> None:
    """Bring both sensors of the battery to a temperature."""
    for sensor in (1, 2):
        rig.sim.call(rig.bms.break_sensor, 1, sensor, celsius)
    await rig.poll()


async def charge_gently(rig: Rig, automate: Automate) -> str:
    """Have the charge current be 20 A in the cold and 120 A when it is warm."""
    return await automate(
        "charge_gently_when_cold",
        temperature=rig.entity_id("temperature_1_1"),
        charge_current=rig.entity_id("maxc"),
        cold_current=20,
        warm_current=120,
    )


async def test_frost_lowers_the_current_of_the_bms_in_either_unit_system(
    automate: Automate, abroad: Rig
) -> None:
    entity_id = await charge_gently(abroad, automate)
    for celsius, amperes in ((-3, 20), (10, 20), (13, 120), (9, 120), (7, 20)):
        await is_as_warm(abroad, celsius)
        await export(abroad, entity_id)
        assert abroad.bms.settings["MAXC"] == amperes
    assert notifications(abroad.hass) == {}


@pytest.mark.parametrize("degrees", ["°C", "°F", "K"])
@pytest.mark.parametrize("amperes", ["A", "mA"])
async def test_frost_lowers_the_current_of_the_bms_in_the_units_that_its_owner_chose(
    automate: Automate, abroad: Rig, degrees: str, amperes: str
) -> None:
    await choose_unit(abroad, "temperature_1_1", degrees)
    await choose_unit(abroad, "maxc", amperes)
    entity_id = await charge_gently(abroad, automate)
    for celsius, wanted in ((-3, 20), (13, 120)):
        await is_as_warm(abroad, celsius)
        await export(abroad, entity_id)
        assert abroad.bms.settings["MAXC"] == wanted
        abroad.sim.log.clear()
        await export(abroad, entity_id)
        assert not abroad.sim.log.sets
    assert notifications(abroad.hass) == {}


async def test_an_error_is_told_in_either_unit_system(automate: Automate, abroad: Rig) -> None:
    await automate("error_notification", bms=abroad.device().id)
    abroad.sim.call(abroad.bms.raise_error, 7, 1, 3)
    await abroad.poll()
    assert list(notifications(abroad.hass)) == ["Temperature too low for charging"]


async def test_a_lost_link_and_its_return_are_told_in_either_unit_system(
    short_silence: None, automate: Automate, abroad: Rig
) -> None:
    hass = abroad.hass
    charge = abroad.entity_id("state_of_charge")
    entity_id = await automate("link_lost", state_of_charge=charge, lasting={"seconds": 0})
    abroad.bms.silent = True
    await abroad.poll()
    assert list(await told_by_a_run(hass, entity_id)) == ["The BMS is not heard"]
    abroad.bms.silent = False
    await abroad.poll()
    assert list(notifications(hass)) == ["The BMS is heard again"]


async def test_what_is_published_is_what_the_bms_gives_in_either_unit_system(
    automate: Automate, abroad: Rig, published: list[ServiceCall]
) -> None:
    await is_as_warm(abroad, -3)
    await choose_unit(abroad, "temperature_1_1", "K")
    await choose_unit(abroad, "cell_voltage_1_1", "mV")
    await export(abroad, await automate("mqtt_export", bms=abroad.entry.entry_id, interval=10))
    told = by_topic(published)
    assert float(told["battery/status/temperature/pack/1"]) == -3
    assert 3 < float(told["battery/cell/1/volts"]) < 5
