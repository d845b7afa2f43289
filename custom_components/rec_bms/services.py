"""Actions: the console tools of the replaced toolset."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import voluptuous as vol
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry, async_register_admin_service
from homeassistant.util.json import JsonValueType

from .bank import is_bank
from .const import DOMAIN
from .coordinator import RecBmsCoordinator
from .labels import labelled
from .messages import invalid, translated
from .protocol.errors import BmsError, NotToldError
from .protocol.rs485.bms import Rs485Bms
from .protocol.rs485.codec import text
from .protocol.rs485.instructions import ERROR_LOG, INSTRUCTIONS, Instruction, Kind, find
from .protocol.rs485.readings import Reading
from .protocol.settings import Category
from .words import name_of

SERVICE_GET_PARAMETER = "get_parameter"
SERVICE_SET_PARAMETER = "set_parameter"
SERVICE_LIST_INSTRUCTIONS = "list_instructions"
SERVICE_READ_ERROR_LOG = "read_error_log"

ATTR_INSTRUCTION = "instruction"
ATTR_VALUE = "value"
ATTR_TYPE = "type"
ATTR_CATEGORY = "category"

# Instructions, values and filters are checked below rather than here, since what a schema says of
# a wrong value is not translated.
GET_SCHEMA = vol.Schema(
    {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Required(ATTR_INSTRUCTION): object}
)
SET_SCHEMA = GET_SCHEMA.extend({vol.Required(ATTR_VALUE): object})
LOG_SCHEMA = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string})
LIST_SCHEMA = vol.Schema({vol.Optional(ATTR_TYPE): object, vol.Optional(ATTR_CATEGORY): object})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_PARAMETER,
        _get_parameter,
        schema=GET_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_SET_PARAMETER,
        _set_parameter,
        schema=SET_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_READ_ERROR_LOG,
        _read_error_log,
        schema=LOG_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_LIST_INSTRUCTIONS,
        _list_instructions,
        schema=LIST_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


async def _get_parameter(call: ServiceCall) -> ServiceResponse:
    """Read one instruction or several, in the order of asking."""
    coordinator = coordinator_of(call)
    wanted = call.data[ATTR_INSTRUCTION]
    names = wanted if isinstance(wanted, list) else [wanted]
    if not names:
        raise invalid("no_instruction")
    instructions = [instruction_of(name) for name in names]
    return {
        "parameters": {
            row.code: {
                "name": _name(call.hass, row),
                "alias": row.alias,
                **_value_or_values(await coordinator.async_read(row.code)),
                "unit": row.line_unit,
            }
            for row in instructions
        }
    }


async def _set_parameter(call: ServiceCall) -> ServiceResponse:
    """Set a value, in the line's unit, and tell what became of it."""
    coordinator = coordinator_of(call)
    instruction = settable_of(call.data[ATTR_INSTRUCTION])
    result = await coordinator.async_set(instruction.key, call.data[ATTR_VALUE], call.context)
    if not call.return_response:
        return None
    return {
        "name": name_of(call.hass, instruction.setting),
        "unit": instruction.line_unit,
        "previous": result.previous,
        "set": result.requested,
        "get": result.read_back,
        "success": True,
    }


async def _read_error_log(call: ServiceCall) -> ServiceResponse:
    """Read the BMS's own error log, each entry as it came; that moves the BMS's pointer."""
    coordinator = coordinator_of(call)
    title = coordinator.config_entry.title
    if not isinstance(coordinator.bms, Rs485Bms):
        raise translated(call.hass, NotToldError(ERROR_LOG.code, ERROR_LOG.name), title)
    try:
        log = await coordinator.bms.read_error_log()
    except BmsError as err:
        raise translated(call.hass, err, title) from err
    return {"entries": [_log_entry(entry) for entry in log.entries], "ended": log.ended}


def _log_entry(payloads: tuple[bytes, ...]) -> dict[str, JsonValueType]:
    texts = [text(payload) for payload in payloads]
    return {
        "raw": [payload.hex(" ") for payload in payloads],
        "text": None if None in texts else " ".join(map(str, texts)),
    }


async def _list_instructions(call: ServiceCall) -> ServiceResponse:
    """List instructions with all that is known of them."""
    kind = _one_of(Kind, call.data.get(ATTR_TYPE), ATTR_TYPE)
    category = _one_of(Category, call.data.get(ATTR_CATEGORY), ATTR_CATEGORY)
    return {
        "instructions": [
            _row(call.hass, row)
            for row in INSTRUCTIONS
            if (kind is None or row.is_kind(kind)) and category in (None, row.category)
        ]
    }


def coordinator_of(call: ServiceCall) -> RecBmsCoordinator:
    """Return what keeps the BMS of a call up to date. Raises ServiceValidationError."""
    entry = async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID])
    if is_bank(entry):
        raise invalid("is_bank", title=entry.title)
    coordinator: RecBmsCoordinator = entry.runtime_data
    return coordinator


def instruction_of(name: object) -> Instruction:
    """Return the instruction of a code or alias in any case. Raises ServiceValidationError."""
    if isinstance(name, str) and (instruction := find(name)) is not None:
        return instruction
    raise invalid("unknown_instruction", instruction=repr(name))


def settable_of(name: object) -> Instruction:
    """Return the instruction of a setting's code or alias. Raises ServiceValidationError."""
    instruction = instruction_of(name)
    if not instruction.settable:
        raise invalid("not_settable", name=f"{instruction.name} ({instruction.code})")
    return instruction


def _value_or_values(reading: Reading) -> dict[str, Any]:
    if (values := labelled(reading)) is not None:
        return {"values": values}
    if isinstance(reading, time | date):
        return {"value": reading.isoformat()}
    return {"value": reading}


def _name(hass: HomeAssistant, row: Instruction) -> str:
    """Return what an instruction is about, of a setting in the language of Home Assistant."""
    return name_of(hass, row.setting) if row.settable else row.name


def _row(hass: HomeAssistant, row: Instruction) -> dict[str, Any]:
    return {
        "code": row.code,
        "alias": row.alias,
        "name": _name(hass, row),
        "category": str(row.category),
        "access": "rw" if row.settable else "ro",
        "reply": str(row.reply),
        "min": row.minimum,
        "max": row.maximum,
        "unit": row.line_unit,
        "common": row.common,
        "newer": row.newer,
        "choices": {str(number): name for number, name in row.choices.items()},
    }


def _one_of[E: (Kind, Category)](choices: type[E], wanted: object, field: str) -> E | None:
    """Return the choice named in any case, None where none is wanted."""
    if wanted is None:
        return None
    for choice in choices:
        if isinstance(wanted, str) and choice.casefold() == wanted.strip().casefold():
            return choice
    raise invalid(
        "unknown_filter",
        field=field,
        value=repr(wanted),
        choices=", ".join(choice.value for choice in choices),
    )
