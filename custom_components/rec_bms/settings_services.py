"""Actions that keep a BMS's settings, compare them with what they were, and put them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import voluptuous as vol
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_NAME
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from .bank import is_bank
from .const import DOMAIN
from .coordinator import RecBmsCoordinator
from .messages import invalid, quoted, translated
from .protocol.errors import BmsError, OutOfRangeError
from .protocol.restoring import restored, same
from .protocol.rs485.codec import parse_setting
from .restore import KNOWN, async_read_settings, async_restore
from .services import coordinator_of, settable_of
from .snapshots import Snapshots, async_get_snapshots
from .words import name_of

SERVICE_BACKUP_SETTINGS = "backup_settings"
SERVICE_LIST_BACKUPS = "list_backups"
SERVICE_COMPARE_SETTINGS = "compare_settings"
SERVICE_RESTORE_SETTINGS = "restore_settings"

ATTR_BACKUP = "backup"
ATTR_ONLY = "only"
ATTR_VALUES = "values"

# What a backup is, is checked below rather than here, since what a schema says of a wrong value is
# not translated.
LIST_BACKUPS_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_VALUES, default=False): cv.boolean,
    }
)
BACKUP_SCHEMA = vol.Schema(
    {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Optional(ATTR_NAME): cv.string}
)
COMPARE_SCHEMA = vol.Schema(
    {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string, vol.Required(ATTR_BACKUP): object}
)
RESTORE_SCHEMA = COMPARE_SCHEMA.extend({vol.Optional(ATTR_ONLY): object})


@callback
def async_setup_settings_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, act, schema in (
        (SERVICE_LIST_BACKUPS, _list_backups, LIST_BACKUPS_SCHEMA),
        (SERVICE_COMPARE_SETTINGS, _compare_settings, COMPARE_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN, name, act, schema=schema, supports_response=SupportsResponse.ONLY
        )
    hass.services.async_register(
        DOMAIN,
        SERVICE_BACKUP_SETTINGS,
        _backup_settings,
        schema=BACKUP_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_RESTORE_SETTINGS,
        _restore_settings,
        schema=RESTORE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _backup_settings(call: ServiceCall) -> ServiceResponse:
    """Read all settings and keep them, for ever where they get a name."""
    coordinator = coordinator_of(call)
    snapshots = coordinator.snapshots
    name = call.data.get(ATTR_NAME, "").strip() or None
    if not snapshots.can_be_kept:
        raise invalid("cannot_be_kept", title=coordinator.config_entry.title)
    _raise_if_taken(snapshots, name)
    values = await async_read_settings(coordinator, snapshots.history.values)
    # Another call may have been here meanwhile.
    _raise_if_taken(snapshots, name)
    snapshot = await snapshots.async_name(
        name, {code: value for code, value in values.items() if value is not None}
    )
    return {
        "name": snapshot.name,
        "time": snapshot.time.isoformat(),
        "values": dict(snapshot.values),
    }


def _raise_if_taken(snapshots: Snapshots, name: str | None) -> None:
    if name is not None and any(each.name == name for each in snapshots.history.snapshots):
        raise invalid("backup_name_taken", name=quoted(name))


async def _list_backups(call: ServiceCall) -> ServiceResponse:
    """List what was kept, newest first, whether the BMS is there or not."""
    snapshots = await _snapshots_of(call)
    with_values = call.data[ATTR_VALUES]
    return {
        "backups": [
            each.as_dict() if with_values else each.summary()
            for each in reversed(snapshots.history.snapshots)
        ]
    }


async def _snapshots_of(call: ServiceCall) -> Snapshots:
    """Return what was kept of a BMS, which may be dead. Raises ServiceValidationError."""
    entry = call.hass.config_entries.async_get_entry(call.data[ATTR_CONFIG_ENTRY_ID])
    if entry is None or entry.domain != DOMAIN:
        return coordinator_of(call).snapshots
    if is_bank(entry):
        raise invalid("is_bank", title=entry.title)
    return await async_get_snapshots(call.hass, entry.entry_id)


async def _compare_settings(call: ServiceCall) -> ServiceResponse:
    """Tell what is different now from what it was."""
    coordinator = coordinator_of(call)
    backup = _backup(call, coordinator)
    current = await async_read_settings(coordinator, backup)
    return {
        "differences": {
            code: {
                "name": name_of(call.hass, KNOWN[code]),
                "unit": KNOWN[code].line_unit,
                "backup": value,
                "current": current[code],
            }
            for code, value in backup.items()
            if code in current and _differ(value, current[code])
        },
        "missing": [code for code in backup if code not in current],
    }


def _differ(kept: float, current: float | None) -> bool:
    return current is None or not same(kept, current)


async def _restore_settings(call: ServiceCall) -> ServiceResponse:
    """Put settings back as they were, each coherent and verified."""
    coordinator = coordinator_of(call)
    backup = _backup(call, coordinator)
    only = _only(call.data.get(ATTR_ONLY), backup)
    results = await async_restore(coordinator, restored(backup, only), call.context)
    return {
        "results": {
            code: {
                "previous": result.previous,
                "set": result.requested,
                "get": result.read_back,
                "success": True,
            }
            for code, result in results.items()
        }
    }


def _only(wanted: object, backup: Mapping[str, float]) -> set[str] | None:
    if wanted is None:
        return None
    names = wanted if isinstance(wanted, list) else [wanted]
    codes = {settable_of(name).code for name in names}
    if lacking := sorted(codes - backup.keys()):
        raise invalid("not_in_backup", codes=", ".join(lacking))
    return codes


def _backup(call: ServiceCall, coordinator: RecBmsCoordinator) -> dict[str, float]:
    """Return the values of a backup in the line's unit, by code in the order of the table."""
    wanted = call.data[ATTR_BACKUP]
    if isinstance(wanted, Mapping):
        values = _given(call, coordinator, wanted)
    else:
        name = wanted.isoformat() if isinstance(wanted, datetime) else str(wanted).strip()
        snapshot = coordinator.snapshots.history.find(name)
        if snapshot is None:
            raise invalid("unknown_backup", backup=quoted(wanted))
        values = dict(snapshot.values)
    if not values:
        raise invalid("empty_backup")
    return {code: values[code] for code in KNOWN if code in values}


def _given(
    call: ServiceCall, coordinator: RecBmsCoordinator, given: Mapping[Any, Any]
) -> dict[str, float]:
    """Return values that were given by code or alias, or as `backup_settings` has told them."""
    inner = given.get(ATTR_VALUES)
    items: Iterable[tuple[Any, Any]] = (inner if isinstance(inner, Mapping) else given).items()
    values: dict[str, float] = {}
    for name, value in items:
        instruction = settable_of(name)
        if instruction.code in values:
            raise invalid("named_twice", code=instruction.code)
        try:
            values[instruction.code] = parse_setting(instruction, value)
        except OutOfRangeError as err:
            # All of them are named together where they are to be set.
            values[instruction.code] = err.value
        except BmsError as err:
            title = coordinator.config_entry.title
            raise translated(call.hass, err, title) from err
    return values
