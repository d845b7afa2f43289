"""What a language model can ask of batteries through Assist, and that it can set nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from typing import Any, Literal, override

import pytest
import voluptuous as vol
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.components import conversation
from homeassistant.components.conversation.const import DATA_COMPONENT
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, intent, llm
from homeassistant.helpers.translation import async_load_integrations
from homeassistant.setup import async_setup_component
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.rec_bms import llm as ours
from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.protocol.health.diagnosis import Diagnosis, Finding, Reason
from custom_components.rec_bms.protocol.health.measured import Measured
from tests.virtual.banks import Bank, bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.findings import AT, have_found
from tests.virtual.rig import Rig, entry_for, passes
from tests.virtual.test_wifi import set_up
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule
from tools.testkit.simulator_in_memory import SimulatorInMemory

TOOLS = ["get_charge", "get_errors", "get_health", "get_cells"]

type Answer = dict[str, Any]
type Api = llm.APIInstance


@pytest.fixture(autouse=True)
async def apis(hass: HomeAssistant, _integration: None) -> None:
    """Have the APIs that language models use."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})


@pytest.fixture
async def conversations(hass: HomeAssistant, apis: None) -> None:
    """Let Home Assistant be talked to."""
    assert await async_setup_component(hass, "conversation", {})


@pytest.fixture
def battery(simulate: Simulate) -> SimulatorInMemory:
    return simulate(baud=921600, turnaround=0.0005, cells=6)


@pytest.fixture
def rig(hass: HomeAssistant, battery: SimulatorInMemory) -> Rig:
    return Rig(hass, battery, entry_for(battery, scan_interval=10))


@pytest.fixture
async def guest(hass: HomeAssistant, hass_owner_user: MockUser) -> User:
    """A user who is no administrator (the first user is always one)."""
    return await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_USER])


def context_of(user: User | None = None) -> llm.LLMContext:
    return llm.LLMContext(
        platform="test",
        context=Context(user_id=None if user is None else user.id),
        language="en",
        assistant=conversation.DOMAIN,
        device_id=None,
    )


async def assist(hass: HomeAssistant, user: User | None = None) -> Api:
    """Return Assist's API as a language model gets it."""
    return await llm.async_get_api(hass, llm.LLM_API_ASSIST, context_of(user))


def our_tools(api: Api) -> list[llm.Tool]:
    return [tool for tool in api.tools if tool.name.startswith(f"{DOMAIN}__")]


async def call(api: Api, tool: str, **arguments: Any) -> Answer:
    """Have a language model call a tool; what it is told must be plain JSON."""
    result = await api.async_call_tool(llm.ToolInput(f"{DOMAIN}__{tool}", arguments))
    told: Answer = json.loads(json.dumps(data_of(result)))
    return told


def data_of(result: Any) -> Any:
    """Return what a tool has told: Home Assistant 2026.8 hands it over as it is."""
    return getattr(result, "data", result)


async def ask(hass: HomeAssistant, tool: str, **arguments: Any) -> list[Answer]:
    """Return what a tool tells of each battery."""
    told: list[Answer] = (await call(await assist(hass), tool, **arguments))["batteries"]
    return told


async def ask_the_one(hass: HomeAssistant, tool: str, **arguments: Any) -> Answer:
    (told,) = await ask(hass, tool, **arguments)
    return told


# -- a conversation --------------------------------------------------------------------------------


class ScriptedAgent(conversation.ConversationEntity):
    """Answers as a language model would, by a script: which tool to call, and what to say then."""

    entity_id = "conversation.scripted_agent"
    _attr_name = "Scripted agent"

    def __init__(self, tool: str, say: Callable[[Answer], str]) -> None:
        self._call = llm.ToolInput(f"{DOMAIN}__{tool}", {})
        self._say = say
        self.prompt = ""

    @property
    @override
    def supported_languages(self) -> Literal["*"]:
        return "*"

    @override
    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        context = user_input.as_llm_context("test")
        await chat_log.async_provide_llm_data(context, llm.LLM_API_ASSIST)
        self.prompt = str(chat_log.content[0].content)
        wish = conversation.AssistantContent(user_input.agent_id, tool_calls=[self._call])
        (told,) = [each async for each in chat_log.async_add_assistant_content(wish)]
        answer = intent.IntentResponse(language=user_input.language)
        answer.async_set_speech(self._say(data_of(_result_of(told))))
        return conversation.ConversationResult(answer, chat_log.conversation_id)


def _result_of(told: Any) -> Any:
    return told.result if hasattr(llm, "ToolResult") else told.tool_result


async def asked_aloud(hass: HomeAssistant, agent: ScriptedAgent, question: str) -> str:
    """Ask Home Assistant a question, which that agent answers, and return what it says."""
    await hass.data[DATA_COMPONENT].async_add_entities([agent])
    result = await conversation.async_converse(
        hass, question, None, Context(), "en", agent_id=agent.entity_id
    )
    return str(result.response.speech["plain"]["speech"])


def charge_in_words(told: Answer) -> str:
    battery = told["batteries"][0]
    if "does_not_answer" in battery:
        return f"{battery['name']} does not answer."
    return f"{battery['name']} is at {battery['state_of_charge']['state']}."


@pytest.mark.usefixtures("conversations")
async def test_how_full_is_the_battery_is_answered(hass: HomeAssistant, rig: Rig) -> None:
    rig.bms.charge = 0.64
    await rig.set_up()
    agent = ScriptedAgent("get_charge", charge_in_words)
    said = await asked_aloud(hass, agent, "How full is the battery?")
    assert said == "REC BMS 1Q VICTRON is at 64.0 %."


@pytest.mark.usefixtures("conversations")
async def test_a_language_model_is_told_which_batteries_there_are(
    hass: HomeAssistant, running: Rig
) -> None:
    agent = ScriptedAgent("get_charge", charge_in_words)
    await asked_aloud(hass, agent, "How full is the battery?")
    assert "watched by a REC BMS: REC BMS 1Q VICTRON." in agent.prompt


@pytest.mark.usefixtures("conversations")
async def test_of_a_bms_that_is_away_the_answer_is_that_it_does_not_answer(
    hass: HomeAssistant, running: Rig
) -> None:
    running.sim.unplug()
    await running.poll(10)
    agent = ScriptedAgent("get_charge", charge_in_words)
    said = await asked_aloud(hass, agent, "How full is the battery?")
    assert said == "REC BMS 1Q VICTRON does not answer."


# -- state of charge and time left -----------------------------------------------------------------


async def test_charge_is_told_as_its_owner_sees_it(hass: HomeAssistant, running: Rig) -> None:
    told = await ask_the_one(hass, "get_charge")
    assert told["name"] == running.entry.title
    for key, unit, digits in (
        ("state_of_charge", "%", 1),
        ("voltage", "V", 2),
        ("current", "A", 1),
        ("stored_energy", "kWh", 2),
    ):
        shown, _, its_unit = told[key]["state"].partition(" ")
        assert its_unit == unit
        assert float(shown) == pytest.approx(running.number(key), abs=0.51 * 10**-digits)


async def test_time_left_is_told_while_it_is_known(hass: HomeAssistant, rig: Rig) -> None:
    rig.bms.charge = 0.5
    rig.bms.set_current(-45)
    await rig.set_up()
    told = await ask_the_one(hass, "get_charge")
    hours = float(told["time_to_empty"]["state"].removesuffix(" h"))
    assert hours == pytest.approx(rig.bms.settings["CAPA"] * 0.5 / 45, rel=0.05)
    assert told["time_to_full"] == {"state": "unknown"}
    assert told["charging"] == {"state": "Not charging"}


async def test_it_is_told_how_old_the_figures_are(
    hass: HomeAssistant, battery: SimulatorInMemory
) -> None:
    await Rig(hass, battery, entry_for(battery, scan_interval=300)).set_up()
    await passes(42)
    told = await ask_the_one(hass, "get_charge")
    assert told["seconds_since_measured"] == pytest.approx(42, abs=1)


async def test_a_figure_that_is_not_known_is_told_as_unknown(hass: HomeAssistant, rig: Rig) -> None:
    rig.bms.settings["CAPA"] = 1e9
    await rig.set_up()
    told = await ask_the_one(hass, "get_charge")
    assert told.get("stored_energy", {"state": "unknown"}) == {"state": "unknown"}
    assert told["state_of_charge"]["state"].endswith(" %")


async def test_what_its_owner_has_disabled_is_not_told(hass: HomeAssistant, running: Rig) -> None:
    er.async_get(hass).async_update_entity(
        running.entity_id("power"), disabled_by=er.RegistryEntryDisabler.USER
    )
    await running.reload()
    told = await ask_the_one(hass, "get_charge")
    assert "power" not in told
    assert "voltage" in told


async def test_renamed_entities_are_found(hass: HomeAssistant, running: Rig) -> None:
    er.async_get(hass).async_update_entity(
        running.entity_id("state_of_charge"), new_entity_id="sensor.juice"
    )
    await hass.async_block_till_done()
    told = await ask_the_one(hass, "get_charge")
    assert told["state_of_charge"]["state"].endswith(" %")


async def test_no_entity_has_to_be_exposed(hass: HomeAssistant, running: Rig) -> None:
    for row in running.registered_entities():
        async_expose_entity(hass, conversation.DOMAIN, row.entity_id, False)
    assert (await ask_the_one(hass, "get_charge"))["state_of_charge"]["state"].endswith(" %")


# -- errors ----------------------------------------------------------------------------------------


async def test_without_an_error_there_is_none(hass: HomeAssistant, running: Rig) -> None:
    assert (await ask_the_one(hass, "get_errors"))["errors"] == []


async def test_an_error_is_told_at_once_with_its_place_and_advice(
    hass: HomeAssistant, running: Rig
) -> None:
    running.bms.raise_error(2, 1, 5)
    await running.poll(10)
    (error,) = (await ask_the_one(hass, "get_errors"))["errors"]
    assert error["error"] == "REC BMS 1Q VICTRON: cell voltage too low"
    assert "unit 1, cell or sensor 5" in error["advice"]
    assert "Connect the charger" in error["advice"]


@pytest.mark.long
async def test_two_errors_in_turn_are_both_told(hass: HomeAssistant, running: Rig) -> None:
    for _ in range(10):
        for number in (1, 5):
            running.bms.raise_error(number, 1, 2)
            await running.poll(10)
    errors = (await ask_the_one(hass, "get_errors"))["errors"]
    assert sorted(each["error"].partition(": ")[2] for each in errors) == [
        "BMS temperature too high",
        "cell voltage too high",
    ]


async def test_an_error_that_is_over_is_not_told(hass: HomeAssistant, running: Rig) -> None:
    running.bms.raise_error(2, 1, 5)
    await running.poll(10)
    await running.poll(70)
    running.bms.clear_error()
    await running.poll(10)
    assert (await ask_the_one(hass, "get_errors"))["errors"] == []


async def test_advice_is_in_the_language_of_home_assistant(
    hass: HomeAssistant, running: Rig
) -> None:
    hass.config.language = "de"
    await async_load_integrations(hass, {DOMAIN})
    running.bms.raise_error(2, 1, 5)
    await running.poll(10)
    (error,) = (await ask_the_one(hass, "get_errors"))["errors"]
    assert "Schließe bald das Ladegerät an" in error["advice"]


# -- health ----------------------------------------------------------------------------------------


async def test_health_tells_headroom_cells_and_temperatures(
    hass: HomeAssistant, running: Rig
) -> None:
    told = await ask_the_one(hass, "get_health")
    headroom = told["headroom_low"]
    assert headroom["state"] == f"{running.shown('headroom_low')} mV"
    assert headroom["limit"] == "clow"
    lowest = running.state("min_cell_voltage").attributes
    assert told["min_cell_voltage"]["cell"] == lowest["cell"]
    assert told["min_cell_voltage"]["state"].endswith(" V")
    assert told["max_temperature"]["state"].endswith(" °C")
    assert told["state_of_health"]["state"].endswith(" %")


async def test_health_tells_what_is_worked_out_of_history(
    hass: HomeAssistant, running: Rig
) -> None:
    have_found(running, "full", last=AT)
    have_found(
        running,
        "capacity",
        measured=Measured(431.74, 6.0, 1.0, 0.05, AT),
        health=lambda capacity: 431.74 / capacity,
    )
    weak = Diagnosis(Finding.WEAK_CELL, 1, 3, (Reason.SAME_CELL_FIRST_AT_BOTH_ENDS,), None, AT)
    have_found(running, "diagnosing", diagnosis=weak)
    await running.poll()
    told = await ask_the_one(hass, "get_health")
    assert told["last_full_charge"]["state"].startswith("2026-09-2")
    assert told["measured_capacity"]["state"] == "431.7 Ah"
    assert told["measured_health"]["state"].endswith(" %")
    assert told["diagnosis"]["state"] == "Weak cell"
    assert (told["diagnosis"]["unit"], told["diagnosis"]["cell"]) == (1, 3)
    assert told["most_drifting_cell"]["state"] == "unknown"


async def test_fahrenheit_is_told_as_fahrenheit(hass: HomeAssistant, rig: Rig) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    await rig.set_up()
    told = await ask_the_one(hass, "get_health")
    shown, _, unit = told["max_temperature"]["state"].partition(" ")
    assert unit == "°F"
    assert float(shown) == pytest.approx(rig.number("max_temperature"), abs=0.06)


async def test_each_cell_and_sensor_is_told(hass: HomeAssistant, running: Rig) -> None:
    told = await ask_the_one(hass, "get_cells")
    assert list(told["cell_voltage"]) == [f"unit 1 cell {cell}" for cell in range(1, 7)]
    third = float(told["cell_voltage"]["unit 1 cell 3"].removesuffix(" V"))
    assert third == pytest.approx(running.number("cell_voltage_1_3"), abs=0.001)
    assert told["cell_resistance"]["unit 1 cell 6"].endswith(" mΩ")
    assert told["temperature"]["unit 1 sensor 1"].endswith(" °C")


# -- which battery ---------------------------------------------------------------------------------


@pytest.fixture
async def two(hass: HomeAssistant, simulate: Simulate) -> tuple[Rig, ...]:
    rigs = batteries(hass, simulate, {}, {})
    for rig, charge in zip(rigs, (0.8, 0.4), strict=True):
        rig.bms.charge = charge
        await rig.set_up()
    return rigs


async def test_all_batteries_are_told_where_none_is_named(
    hass: HomeAssistant, two: tuple[Rig, ...]
) -> None:
    told = {each["name"]: each["state_of_charge"] for each in await ask(hass, "get_charge")}
    assert told == {"Battery 1": {"state": "80.0 %"}, "Battery 2": {"state": "40.0 %"}}


@pytest.mark.long
async def test_one_is_told_by_its_name_in_whatever_case(
    hass: HomeAssistant, two: tuple[Rig, ...]
) -> None:
    for tool in TOOLS:
        told = await ask_the_one(hass, tool, battery=" battery 2")
        assert told["name"] == "Battery 2"


@pytest.mark.long
async def test_a_battery_is_called_as_its_owner_named_its_device(
    hass: HomeAssistant, two: tuple[Rig, ...]
) -> None:
    dr.async_get(hass).async_update_device(two[0].device().id, name_by_user="Engine room")
    told = await ask_the_one(hass, "get_charge", battery="engine room")
    assert (told["name"], told["state_of_charge"]["state"]) == ("Engine room", "80.0 %")
    (tool, *_) = our_tools(await assist(hass))
    (names,) = tool.parameters.schema.values()
    assert names.container == ["Engine room", "Battery 2"]


async def test_a_name_that_nobody_has_is_answered_with_those_there_are(
    hass: HomeAssistant, two: tuple[Rig, ...]
) -> None:
    told = await call(await assist(hass), "get_charge", battery="Shed")
    assert told == {"error": "There is no such battery", "batteries": ["Battery 1", "Battery 2"]}


# -- banks -----------------------------------------------------------------------------------------


@pytest.fixture
async def bank(hass: HomeAssistant, two: tuple[Rig, ...]) -> Bank:
    return await bank_of(hass, *two)


async def test_a_bank_is_told_as_one_battery_that_consists_of_others(
    hass: HomeAssistant, bank: Bank
) -> None:
    told = await ask_the_one(hass, "get_charge", battery="Bank")
    assert told["bank_of"] == ["Battery 1", "Battery 2"]
    assert told["state_of_charge"] == {"state": "60.0 %"}


async def test_a_bank_with_a_battery_that_is_away_tells_which_and_no_figure(
    hass: HomeAssistant, bank: Bank
) -> None:
    bank.members[1].sim.unplug()
    await bank.poll_members()
    told = await ask_the_one(hass, "get_charge", battery="Bank")
    assert told == {
        "name": "Bank",
        "does_not_answer": "nothing is known of these of its batteries: Battery 2",
    }


async def test_a_bank_of_which_a_battery_was_deleted_says_so(
    hass: HomeAssistant, bank: Bank
) -> None:
    await hass.config_entries.async_remove(bank.members[0].entry.entry_id)
    await hass.async_block_till_done()
    told = await ask_the_one(hass, "get_charge", battery="Bank")
    assert "one that was deleted" in told["does_not_answer"]
    assert [each["name"] for each in await ask(hass, "get_errors", battery="Bank")] == ["Battery 2"]


async def test_of_a_bank_each_battery_is_told_once(hass: HomeAssistant, bank: Bank) -> None:
    tools = ("get_errors", "get_health", "get_cells")
    for tool, arguments in product(tools, ({"battery": "Bank"}, {})):
        told = await ask(hass, tool, **arguments)
        assert [each["name"] for each in told] == ["Battery 1", "Battery 2"]


async def test_an_error_of_one_battery_of_a_bank_is_told_while_another_is_away(
    hass: HomeAssistant, bank: Bank
) -> None:
    first, second = bank.members
    first.bms.raise_error(1, 1, 2)
    second.sim.unplug()
    await bank.poll_members()
    one, other = await ask(hass, "get_errors", battery="Bank")
    assert one["errors"][0]["error"] == "Battery 1: cell voltage too high"
    assert "does_not_answer" in other


# -- away, starting, stopping ----------------------------------------------------------------------


async def test_a_bms_that_is_away_tells_no_old_number(hass: HomeAssistant, running: Rig) -> None:
    running.sim.unplug()
    await running.poll(10)
    for tool in TOOLS:
        assert await ask_the_one(hass, tool) == {
            "name": running.entry.title,
            "does_not_answer": "Home Assistant does not hear it",
        }


async def test_a_bms_that_has_not_answered_since_the_start_is_named_all_the_same(
    hass: HomeAssistant, rig: Rig
) -> None:
    rig.sim.unplug()
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    for tool in TOOLS:
        told = await ask_the_one(hass, tool)
        assert told["does_not_answer"] == "Home Assistant has no connection to it"


async def test_it_tells_again_once_the_bms_is_back(hass: HomeAssistant, running: Rig) -> None:
    running.sim.unplug()
    await running.poll(10)
    running.sim.replug()
    await running.poll(10)
    assert (await ask_the_one(hass, "get_charge"))["state_of_charge"]["state"].endswith(" %")


async def test_an_entry_that_is_unloaded_or_reloaded_is_followed(
    hass: HomeAssistant, running: Rig
) -> None:
    api = await assist(hass)
    await running.unload()
    (told,) = (await call(api, "get_charge"))["batteries"]
    assert told["does_not_answer"] == "Home Assistant has no connection to it"
    await running.set_up()
    (told,) = (await call(api, "get_charge"))["batteries"]
    assert told["state_of_charge"]["state"].endswith(" %")


async def test_a_disabled_entry_is_not_told_of(hass: HomeAssistant, two: tuple[Rig, ...]) -> None:
    await hass.config_entries.async_set_disabled_by(two[0].entry.entry_id, ConfigEntryDisabler.USER)
    assert [each["name"] for each in await ask(hass, "get_charge")] == ["Battery 2"]


async def test_without_a_battery_there_is_no_tool(hass: HomeAssistant, running: Rig) -> None:
    assert our_tools(await assist(hass))
    await hass.config_entries.async_remove(running.entry.entry_id)
    await hass.async_block_till_done()
    assert our_tools(await assist(hass)) == []


@pytest.mark.usefixtures("socket_enabled")
async def test_over_wifi_it_tells_the_same_and_says_when_the_module_is_away(
    hass: HomeAssistant,
) -> None:
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, seed=3, time_factor=0)
    async with WifiModule(bms, period=5, settings_period=5) as module:
        rig = await set_up(hass, module)
        told = await ask_the_one(hass, "get_charge")
        assert told["state_of_charge"]["state"] == f"{rig.shown('state_of_charge')} %"
    await passes(120)
    told = await ask_the_one(hass, "get_charge")
    assert told == {"name": "1A-2261", "does_not_answer": "Home Assistant does not hear it"}


# -- nothing can be set ----------------------------------------------------------------------------


@pytest.mark.long
async def test_the_tools_are_those_that_read_and_no_other(
    hass: HomeAssistant, running: Rig
) -> None:
    tools = our_tools(await assist(hass))
    assert [tool.name for tool in tools] == [f"{DOMAIN}__{name}" for name in TOOLS]
    for tool in tools:
        assert isinstance(tool, ours.BatteryTool)
        assert {str(key) for key in tool.parameters.schema} == {"battery"}


@pytest.mark.skipif(not hasattr(llm, "ToolAnnotations"), reason="2026.8 has no annotations")
async def test_the_tools_say_that_they_only_read(hass: HomeAssistant, running: Rig) -> None:
    for tool in our_tools(await assist(hass)):
        assert tool.annotations == llm.ToolAnnotations(
            read_only=True, destructive=False, idempotent=True, open_world=False
        )
        assert tool.integration == DOMAIN


async def test_home_assistant_has_nothing_to_say_against_the_tools(
    hass: HomeAssistant, running: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for tool in TOOLS:
        await ask(hass, tool)
    assert [text for text in caplog.messages if "Detected" in text or "Error getting" in text] == []


async def test_other_apis_get_no_tool(hass: HomeAssistant, running: Rig) -> None:
    assert ours.async_get_tools(hass, context_of(), "another") is None


@pytest.mark.long
async def test_asking_sends_nothing(hass: HomeAssistant, running: Rig) -> None:
    running.sim.log.clear()
    for tool in TOOLS:
        await ask(hass, tool, battery=running.entry.title)
    assert not running.sim.log.requests()


async def test_what_else_is_given_to_a_tool_sets_nothing(
    hass: HomeAssistant, running: Rig, hass_owner_user: MockUser
) -> None:
    api = await assist(hass, hass_owner_user)
    for tool in TOOLS:
        await call(api, tool, battery=running.entry.title, instruction="MAXC", value=5, maxc=5)
    assert not running.sim.log.sets


async def test_no_action_is_a_tool(hass: HomeAssistant, running: Rig) -> None:
    for action in ("set_parameter", "restore_settings", "get_parameter"):
        with pytest.raises(HomeAssistantError, match="not found"):
            await call(await assist(hass), action, instruction="MAXC", value=5)
    assert not running.sim.log.sets


@pytest.mark.usefixtures("conversations")
@pytest.mark.parametrize("who", ["owner", "guest"])
async def test_no_tool_of_assist_sets_anything_even_where_all_settings_are_exposed(
    hass: HomeAssistant, running: Rig, hass_owner_user: MockUser, guest: User, who: str
) -> None:
    """Changes are allowed here, and the owner may make them in any other way."""
    for row in running.registered_entities():
        async_expose_entity(hass, conversation.DOMAIN, row.entity_id, True)
    api = await assist(hass, hass_owner_user if who == "owner" else guest)
    before = dict(running.bms.settings)
    for tool, key in product(api.tools, ("maxc", "canf")):
        name = running.state(key).attributes["friendly_name"]
        given = {"name": name, "domain": running.entity_id(key).partition(".")[0], "value": 5}
        with suppress(HomeAssistantError, vol.Invalid):
            await api.async_call_tool(llm.ToolInput(tool.name, given))
    await running.poll(10)
    assert len(api.tools) > len(TOOLS)
    assert not running.sim.log.sets
    assert running.bms.settings == before


async def test_a_user_who_is_no_administrator_is_told_the_same(
    hass: HomeAssistant, running: Rig, guest: User
) -> None:
    for tool in TOOLS:
        assert await call(await assist(hass, guest), tool) == await call(await assist(hass), tool)


async def test_where_changes_are_not_allowed_it_tells_the_same(
    hass: HomeAssistant, rig: Rig
) -> None:
    rig.entry = entry_for(rig.sim, allow_changes=False)
    await rig.set_up()
    assert (await ask_the_one(hass, "get_charge"))["state_of_charge"]["state"].endswith(" %")
