"""The actions: the console tools of the toolset that this integration replaces."""

from __future__ import annotations

from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from tests.virtual.conftest import Simulate
from tests.virtual.rig import Rig, entry_for
from tests.virtual.table import BY_CODE, ROWS, SETTABLE
from tools.simulator.responses import main_data

LCD1_LABELS = [
    "Minimum_Cell_Voltage",
    "Maximum_Cell_Voltage",
    "Pack_Current",
    "Maximum_Temperature",
    "Pack_Voltage",
    "State_of_Charge",
    "State_of_Health",
]
LCD3_LABELS = [
    "BMS_Address_of_Minimum_Cell_Voltage",
    "Cell_Address_of_Minimum_Cell_Voltage",
    "BMS_Address_of_Maximum_Cell_Voltage",
    "Cell_Address_of_Maximum_Cell_Voltage",
    "BMS_Address_of_Maximum_Temp_Sensor",
    "Temp_Sensor_Address_of_Maximum_Value",
    "Amp_Hours_since_last_charge",
]


async def get(rig: Rig, *names: Any) -> dict[str, Any]:
    response = await rig.act("get_parameter", instruction=list(names))
    parameters: dict[str, Any] = response["parameters"]
    return parameters


async def refused(rig: Rig, action: str, **data: Any) -> HomeAssistantError:
    """Call an action, which must fail with a translated message and send nothing."""
    rig.sim.log.clear()
    with pytest.raises(HomeAssistantError) as failed:
        await rig.act(action, **data)
    assert failed.value.translation_domain == "rec_bms"
    assert not rig.sim.log.requests()
    return failed.value


# -- get_parameter -------------------------------------------------------------------------------


@pytest.mark.long
async def test_one_instruction_is_read_now(running: Rig) -> None:
    running.bms.settings["CMAX"] = 4.11
    response = await running.act("get_parameter", instruction="CMAX")
    assert response == {
        "parameters": {
            "CMAX": {
                "name": "Cell overvoltage cut-off",
                "alias": "CellMax",
                "value": 4.11,
                "unit": "V",
            }
        }
    }


@pytest.mark.long
async def test_several_come_in_the_order_of_asking(running: Rig) -> None:
    parameters = await get(running, "TMIN", "CAPA", "*IDN")
    assert list(parameters) == ["TMIN", "CAPA", "*IDN"]
    assert [each["value"] for each in parameters.values()] == [0.0, 450.0, "REC BMS 1Q VICTRON"]


async def test_codes_and_aliases_go_in_any_case(running: Rig) -> None:
    for name in ("CMAX", "cmax", "CellMax", "CELLMAX", "cellmax", " cMaX "):
        assert list(await get(running, name)) == ["CMAX"]


async def test_all_can_be_read_at_once(running: Rig) -> None:
    parameters = await get(running, *(row.code for row in ROWS))
    assert list(parameters) == [row.code for row in ROWS]
    for code, each in parameters.items():
        row = BY_CODE[code]
        assert (each["name"], each["alias"], each["unit"]) == (row.name, row.alias, row.line_unit)
        assert ("values" in each) == (row.reply == "array")
        assert ("value" in each) == (row.reply != "array")


async def test_values_are_in_the_units_of_the_line(running: Rig) -> None:
    parameters = await get(running, "SOCH", "RINT", "LCD1")
    assert parameters["SOCH"]["value"] == 0.05
    assert parameters["LCD1"]["values"]["State_of_Charge"] == pytest.approx(0.97992)
    ohms = running.bms.battery.units[0].cells[0].resistance
    assert parameters["RINT"]["values"]["1_1"] == pytest.approx(ohms)


async def test_arrays_have_the_labels_of_the_replaced_toolset(running: Rig) -> None:
    parameters = await get(running, "LCD1", "LCD3", "CELL", "PTEM", "BTEM", "ERRO")
    main = parameters["LCD1"]["values"]
    assert list(main) == LCD1_LABELS
    assert list(main.values()) == pytest.approx(main_data(running.bms))
    assert list(parameters["LCD3"]["values"]) == LCD3_LABELS
    assert parameters["LCD3"]["values"]["Amp_Hours_since_last_charge"] == 9
    assert list(parameters["CELL"]["values"]) == [f"1_{n}" for n in range(1, 15)]
    assert list(parameters["PTEM"]["values"]) == ["1_1", "1_2"]
    assert list(parameters["BTEM"]["values"]) == ["1"]
    assert list(parameters["ERRO"]["values"].values()) == [0, 0, 0, 0]


async def test_cells_of_several_units_are_labelled_by_unit(
    hass: HomeAssistant, simulate: Simulate
) -> None:
    sim = simulate(addresses=[16], cells=[4, 3])
    rig = Rig(hass, sim, entry_for(sim, address=16))
    await rig.set_up()
    values = (await get(rig, "CELL"))["CELL"]["values"]
    assert list(values) == ["1_1", "1_2", "1_3", "1_4", "2_1", "2_2", "2_3"]


async def test_an_unknown_instruction_is_refused(running: Rig) -> None:
    for name in ("XXXX", "", "CMAX?", "C MAX", 5, None, True, ["CMAX"]):
        error = await refused(running, "get_parameter", instruction=["CMAX", name])
        assert error.translation_key == "unknown_instruction", name


async def test_an_empty_list_is_refused(running: Rig) -> None:
    assert (await refused(running, "get_parameter", instruction=[])).translation_key == (
        "no_instruction"
    )


async def test_a_bms_that_does_not_answer_is_told(short_silence: None, running: Rig) -> None:
    running.bms.unsupported.add("HWVR")
    with pytest.raises(HomeAssistantError) as failed:
        await get(running, "HWVR")
    assert failed.value.translation_key == "no_answer"


async def test_reading_needs_no_allowed_changes(hass: HomeAssistant, battery: Any) -> None:
    rig = Rig(hass, battery, entry_for(battery, allow_changes=False))
    await rig.set_up()
    assert await get(rig, "CMAX")


async def test_what_cannot_be_is_no_number_in_a_response(running: Rig) -> None:
    running.bms.break_sensor(1, 1, float("nan"))
    running.bms.settings["CAPA"] = 1e9
    parameters = await get(running, "PTEM", "CAPA")
    assert parameters["PTEM"]["values"]["1_1"] is None
    assert parameters["CAPA"]["value"] is None


@pytest.mark.parametrize("entry_id", ["no such entry", ""])
async def test_an_unknown_entry_is_refused(running: Rig, entry_id: str) -> None:
    with pytest.raises(ServiceValidationError):
        await running.hass.services.async_call(
            "rec_bms",
            "get_parameter",
            {"config_entry_id": entry_id, "instruction": "CMAX"},
            blocking=True,
            return_response=True,
        )


async def test_an_entry_that_is_not_loaded_is_refused(running: Rig) -> None:
    await running.unload()
    with pytest.raises(ServiceValidationError):
        await running.act("get_parameter", instruction="CMAX")


async def test_fields_that_there_are_not_are_refused(running: Rig) -> None:
    with pytest.raises(vol.Invalid):
        await running.act("get_parameter", instruction="CMAX", force=True)


# -- set_parameter -------------------------------------------------------------------------------


async def test_a_set_tells_what_was_and_what_is(running: Rig) -> None:
    response = await running.act("set_parameter", instruction="BalanceEnd", value=4.1)
    assert response == {
        "name": "Balancing end voltage",
        "unit": "V",
        "previous": 4.08,
        "set": 4.1,
        "get": 4.1,
        "success": True,
    }
    assert running.number("bvol") == 4.1
    assert running.sim.log.sets[0].payload == b"BVOL 4.1"


async def test_a_set_needs_no_response(running: Rig) -> None:
    assert await running.act("set_parameter", response=False, instruction="MAXC", value=99) is None
    assert running.number("maxc") == 99


async def test_text_that_is_one_plain_decimal_number_is_a_number(running: Rig) -> None:
    for value, becomes in (("100", 100), ("+99.5", 99.5), ("101.", 101), ("0102", 102)):
        await running.act("set_parameter", instruction="maxc", value=value)
        assert running.bms.settings["MAXC"] == becomes


async def test_fractions_stay_fractions(running: Rig) -> None:
    await running.act("set_parameter", instruction="SOCH", value=0.1)
    assert running.number("soch") == 10


async def test_a_percentage_for_a_fraction_is_refused_with_a_hint(running: Rig) -> None:
    error = await refused(running, "set_parameter", instruction="SOCH", value=5)
    assert error.translation_key == "out_of_range_percent"
    assert error.translation_placeholders is not None
    assert error.translation_placeholders["fraction"] == "0.05"
    assert "0.05" in str(error)


BAD_VALUES: list[Any] = [
    "text",
    "",
    " 100",
    "100 ",
    "1 00",
    "100\n",
    "100\r",
    "1\x0000",
    "\x1b100",
    "1e2",
    "0x64",
    "1_000",
    "1,5",
    "\u0661\u0660\u0660",
    "--5",
    "NaN",
    "inf",
    "-Infinity",
    "100 A",
    float("nan"),
    float("inf"),
    float("-inf"),
    True,
    False,
    None,
    [],
    [100],
    {},
    {"value": 100},
    b"100",
]


@pytest.mark.long
async def test_what_is_not_one_plain_decimal_number_is_refused(
    running: Rig, subtests: pytest.Subtests
) -> None:
    for value in BAD_VALUES:
        with subtests.test(value=repr(value)):
            error = await refused(running, "set_parameter", instruction="MAXC", value=value)
            assert error.translation_key == "not_a_number"
    assert running.bms.settings["MAXC"] == 150


async def test_what_is_far_outside_the_limits_is_refused(running: Rig) -> None:
    for value in (1e308, -1e308, 10**400, "9" * 500, 4.0, 346, "1000000"):
        error = await refused(running, "set_parameter", instruction="MAXC", value=value)
        assert error.translation_key in ("out_of_range", "not_a_number"), value
        assert len(str(error)) < 300


async def test_what_can_only_be_read_is_refused(running: Rig, subtests: pytest.Subtests) -> None:
    for row in ROWS:
        if row not in SETTABLE:
            with subtests.test(code=row.code):
                error = await refused(running, "set_parameter", instruction=row.code, value=1)
                assert error.translation_key == "not_settable"


async def test_a_set_of_an_unknown_instruction_is_refused(running: Rig) -> None:
    for name in ("XXXX", "", "MAXC 5", ["MAXC"], [], None, 7):
        error = await refused(running, "set_parameter", instruction=name, value=100)
        assert error.translation_key == "unknown_instruction", name


# -- list_instructions ---------------------------------------------------------------------------


async def listed(rig: Rig, **filters: Any) -> list[str]:
    response = await rig.act("list_instructions", **filters)
    return [row["code"] for row in response["instructions"]]


async def test_all_instructions_are_listed_with_all_that_is_known(running: Rig) -> None:
    response = await running.act("list_instructions")
    assert [row["code"] for row in response["instructions"]] == [row.code for row in ROWS]
    for given, row in zip(response["instructions"], ROWS, strict=True):
        for key, expected in (
            ("alias", row.alias),
            ("name", row.name),
            ("category", row.category),
            ("access", row.access),
            ("reply", row.reply),
            ("min", row.minimum),
            ("max", row.maximum),
            ("unit", row.line_unit),
            ("common", row.common),
        ):
            assert given[key] == expected, (row.code, key)


async def test_a_type_chooses(running: Rig) -> None:
    for kind, codes in (
        ("string", [row.code for row in ROWS if row.reply == "string"]),
        ("array", [row.code for row in ROWS if row.reply == "array"]),
        ("range", [row.code for row in ROWS if row.minimum is not None]),
        ("configurable", [row.code for row in SETTABLE]),
        ("common", [row.code for row in ROWS if row.common]),
    ):
        assert await listed(running, type=kind) == codes
        assert await listed(running, type=kind.upper()) == codes


async def test_a_category_chooses(running: Rig) -> None:
    for category in {row.category for row in ROWS}:
        codes = [row.code for row in ROWS if row.category == category]
        assert await listed(running, category=category) == codes
        assert await listed(running, category=category.lower()) == codes


async def test_type_and_category_choose_together(running: Rig) -> None:
    assert await listed(running, type="string", category="BMS") == ["SWVR", "HWVR"]
    assert await listed(running, type="array", category="SOC") == []


async def test_a_filter_that_there_is_not_is_refused(running: Rig) -> None:
    filters: list[dict[str, Any]] = [{"type": "float"}, {"category": "Money"}, {"type": 5}]
    for wrong in filters:
        error = await refused(running, "list_instructions", **wrong)
        assert error.translation_key == "unknown_filter"
        assert error.translation_placeholders is not None
        assert error.translation_placeholders["field"] in wrong


async def test_listing_sends_nothing(running: Rig) -> None:
    running.sim.log.clear()
    await listed(running)
    assert not running.sim.log.requests()
