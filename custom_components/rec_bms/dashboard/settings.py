"""Tells the dashboard of settings, of changes to come and of those made, in the units it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import voluptuous as vol
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from ..bank import is_bank
from ..const import DOMAIN
from ..coordinator import RecBmsConfigEntry, RecBmsCoordinator
from ..history import Change, Snapshot
from ..messages import invalid, translated
from ..protocol.errors import BmsError, NoOrderError, WrongTypeError
from ..protocol.factory import factory_value
from ..protocol.restoring import plan, same
from ..protocol.rs485.codec import parse_setting
from ..protocol.rs485.instructions import BY_CODE, SETTINGS
from ..protocol.settings import Setting
from ..restore import KNOWN
from ..setting import RecBmsSettingEntity, setting_entities
from ..snapshots import async_get_snapshots
from ..words import full_name, message_of

type _Entities = Mapping[str, RecBmsSettingEntity]
type _Message = dict[str, Any]


@callback
def async_setup_settings_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, settings)
    websocket_api.async_register_command(hass, review)
    websocket_api.async_register_command(hass, kept)


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/settings", vol.Required("entry_id"): cv.string}
)
@callback
def settings(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: _Message
) -> None:
    """Tell what is to be known of each setting, and whether it may be changed."""
    if (entry := _entry(hass, connection, message)) is None:
        return
    chemistry = _chemistry(entry)
    result = {
        "settings": {
            key: {"code": each.setting.code, "factory": _factory(each, chemistry)}
            for key, each in _readable(hass, entry, connection.user).items()
        },
        "chemistry": None if chemistry is None else SETTINGS["chem"].choices.get(int(chemistry)),
        **_permission(entry, connection.user),
    }
    connection.send_result(message["id"], result)


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/review",
        vol.Required("entry_id"): cv.string,
        vol.Required("changes"): {cv.string: object},
    }
)
@websocket_api.require_admin
@callback
def review(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: _Message
) -> None:
    """Tell in which order changes are to be made, and what is wrong with them; send nothing."""
    entry = _entry(hass, connection, message)
    if entry is not None and _is_loaded(connection, message, entry):
        found = _Review(entry.runtime_data, setting_entities(hass, entry))
        connection.send_result(message["id"], found.of(message["changes"]))


@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/kept", vol.Required("entry_id"): cv.string}
)
@websocket_api.async_response
async def kept(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: _Message
) -> None:
    """Tell what was kept of the settings, newest first, now and whenever there is more."""
    if (entry := _entry(hass, connection, message)) is None:
        return
    snapshots = await async_get_snapshots(hass, entry.entry_id)

    @callback
    def tell() -> None:
        entities = _readable(hass, entry, connection.user)
        # One that is disabled, cannot be set or is not loaded has no entity that could say.
        may_read_all = connection.user.permissions.access_all_entities(POLICY_READ)
        backups = [
            _listed(each, entities, may_read_all=may_read_all)
            for each in reversed(snapshots.history.snapshots)
        ]
        connection.send_message(websocket_api.event_message(message["id"], {"backups": backups}))

    connection.subscriptions[message["id"]] = snapshots.async_subscribe(tell)
    connection.send_result(message["id"])
    tell()


def _entry(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: _Message
) -> RecBmsConfigEntry | None:
    """Return the entry of the BMS that a message is about; answer it where there is none."""
    entry = hass.config_entries.async_get_entry(message["entry_id"])
    if entry is not None and entry.domain == DOMAIN and not is_bank(entry):
        return entry
    connection.send_error(message["id"], websocket_api.ERR_NOT_FOUND, "Unknown entry")
    return None


def _is_loaded(
    connection: websocket_api.ActiveConnection, message: _Message, entry: RecBmsConfigEntry
) -> bool:
    """Tell whether a BMS is there; answer the message where it is not."""
    if entry.state is ConfigEntryState.LOADED:
        return True
    connection.send_error(message["id"], "not_loaded", f"{entry.title} is not loaded")
    return False


def _readable(hass: HomeAssistant, entry: RecBmsConfigEntry, user: User) -> _Entities:
    """Return what a user may see of the settings' entities."""
    may_read = user.permissions.check_entity
    return {
        key: entity
        for key, entity in setting_entities(hass, entry).items()
        if may_read(entity.entity_id, POLICY_READ)
    }


def _permission(entry: RecBmsConfigEntry, user: User) -> dict[str, Any]:
    """Tell whether a user may change settings now, or else why not."""
    reason = None
    if CONF_HOST in entry.data:
        reason = "read_only_way"
    elif not user.is_admin:
        reason = "administrators_only"
    elif not _is_set_up(entry):
        reason = "not_loaded"
    elif not entry.runtime_data.changes_allowed:
        reason = "changes_forbidden"
    return {"may_change": reason is None, "reason": reason}


def _is_set_up(entry: RecBmsConfigEntry) -> bool:
    """Tell whether the entry's entities are there, as they are shortly before it is loaded.

    Whoever sees their first values asks at once, and not again.
    """
    coordinator = getattr(entry, "runtime_data", None)
    return coordinator is not None and coordinator.is_loaded


def _chemistry(entry: RecBmsConfigEntry) -> float | None:
    if entry.state is not ConfigEntryState.LOADED:
        return None
    return entry.runtime_data.data.state.settings.get("chem")


def _factory(entity: RecBmsSettingEntity, chemistry: float | None) -> float | str | None:
    value = factory_value(entity.setting.code, chemistry)
    return None if value is None else entity.to_shown(value)


def _listed(snapshot: Snapshot, entities: _Entities, *, may_read_all: bool) -> dict[str, Any]:
    """Return what was kept, its changes by key and with the unit that they are in.

    A later version may have kept what this one does not know.
    """
    changes = {
        (key := KNOWN[code].key): _shown(change, KNOWN[code], entities.get(key))
        for code, change in snapshot.changes.items()
        if code in KNOWN and (may_read_all or KNOWN[code].key in entities)
    }
    return {**snapshot.summary(), "changes": changes}


def _shown(change: Change, setting: Setting, entity: RecBmsSettingEntity | None) -> dict[str, Any]:
    """Return a change as its entity shows it, in the line's unit where there is none."""
    if entity is None:
        return {"old": change.old, "new": change.new, "unit": setting.line_unit}
    return {
        "old": entity.to_shown(change.old),
        "new": entity.to_shown(change.new),
        "unit": entity.unit_of_measurement,
    }


class _Review:
    """Looks at changes that somebody has typed in, in the units that are shown."""

    def __init__(self, coordinator: RecBmsCoordinator, entities: _Entities) -> None:
        self._hass = coordinator.hass
        self._title = coordinator.config_entry.title
        self._entities = entities
        told = {
            SETTINGS[key].code: value
            for key, value in coordinator.data.state.settings.items()
            if key in SETTINGS
        }
        # What is told and cannot be, such as a choice outside its list, is not what it was before.
        known = dict(coordinator.snapshots.history.values) | told
        self._current = {code: value for code, value in known.items() if value is not None}

    def of(self, changes: Mapping[str, object]) -> dict[str, Any]:
        """Return the steps in their order and the problems; with those, nothing may be sent."""
        wanted: dict[str, float] = {}
        problems: list[dict[str, Any]] = []
        for key, shown in changes.items():
            try:
                wanted[key.upper()] = self._line_value(key, shown)
            except HomeAssistantError as err:
                problems.append(self._problem(key, err))
        try:
            order: Iterable[str] = plan(wanted, self._current, KNOWN)
        except NoOrderError as err:
            reason = translated(self._hass, err.reason, self._title)
            problems.append(self._problem(err.reason.setting.key, reason))
            order = [code for code in wanted if not self._is_there(code, wanted[code])]
        return {"steps": [self._step(code, wanted[code]) for code in order], "problems": problems}

    def _problem(self, key: str, err: HomeAssistantError) -> dict[str, Any]:
        """Return what is wrong with a setting, and with what its user's language can say so."""
        return {
            "key": key,
            "message": message_of(self._hass, err),
            "translation_domain": err.translation_domain,
            "translation_key": err.translation_key,
            "translation_placeholders": err.translation_placeholders,
        }

    def _line_value(self, key: str, shown: object) -> float:
        """Return a value that was typed, in the line's unit. Raises HomeAssistantError."""
        if (entity := self._entities.get(key)) is None:
            name = full_name(self._hass, SETTINGS[key]) if key in SETTINGS else key
            raise invalid("setting_not_there", name=name, title=self._title)
        try:
            code = entity.setting.code
            return parse_setting(BY_CODE[code], entity.to_line(shown), self._current.get(code))
        except (TypeError, ValueError, LookupError) as err:
            wrong = WrongTypeError(entity.setting, shown)
            raise translated(self._hass, wrong, self._title) from err
        except BmsError as err:
            raise translated(self._hass, err, self._title) from err

    def _is_there(self, code: str, value: float) -> bool:
        return code in self._current and same(value, self._current[code])

    def _step(self, code: str, value: float) -> dict[str, Any]:
        entity = self._entities[KNOWN[code].key]
        before = self._current.get(code)
        return {
            "key": entity.setting.key,
            "from": None if before is None else entity.to_shown(before),
            "to": entity.to_shown(value),
        }
