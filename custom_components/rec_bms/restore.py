"""Reads what a BMS has, compares it with what it had, and puts that back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError

from .coordinator import RecBmsCoordinator
from .messages import failed, invalid, shown, translated
from .protocol.bms import SetResult
from .protocol.constraints import RULES
from .protocol.errors import BmsError, NoResponseError, NotToldError, UnknownInstructionError
from .protocol.restoring import obstacles, plan
from .protocol.rs485.bms import Rs485Bms
from .protocol.rs485.instructions import SETTINGS
from .words import full_name, message_of

KNOWN = {setting.code: setting for setting in SETTINGS.values()}
"""All settings by code."""
_TIED = frozenset(code for rule in RULES for code in (rule.low, rule.high))

type Values = Mapping[str, float]


async def async_read_settings(
    coordinator: RecBmsCoordinator, codes: Iterable[str]
) -> dict[str, float | None]:
    """Read the settings of these codes now, in the order of the table.

    None stands for one that is told, but cannot be; those that the BMS lacks are left out. Raises
    HomeAssistantError, translated, where one that it has is not told.
    """
    wanted = frozenset(codes)
    values: dict[str, float | None] = {}
    for code in (code for code in KNOWN if code in wanted):
        try:
            values[code] = await coordinator.async_read(code)
        except HomeAssistantError as err:
            if not _is_lack(coordinator, code, err.__cause__):
                raise
    return values


def _is_lack(coordinator: RecBmsCoordinator, code: str, cause: BaseException | None) -> bool:
    """Tell whether a BMS has no such setting. Silence says so only where it never told any."""
    if isinstance(cause, UnknownInstructionError | NotToldError):
        return True
    if not isinstance(cause, NoResponseError) or code in coordinator.snapshots.history.values:
        return False
    bms = coordinator.bms
    # An entity of the setting may be that of a BMS that was there before.
    is_unsupported = isinstance(bms, Rs485Bms) and code in bms.unsupported
    return is_unsupported or coordinator.may_lack(KNOWN[code].key)


async def async_restore(
    coordinator: RecBmsCoordinator, wanted: Values, context: Context | None
) -> dict[str, SetResult]:
    """Set what is wanted and not there, one after the other, each coherent and verified.

    Nothing is sent where the BMS lacks a setting or does not take a value, or where the values
    contradict each other. Stops at the first that fails. Raises HomeAssistantError, translated,
    which says what was done and what was not.
    """
    _raise_if_hindered(coordinator, wanted)
    tied = (code for code in _TIED if not coordinator.may_lack(KNOWN[code].key))
    current = await async_read_settings(coordinator, (*wanted, *tied))
    _raise_if_obstructed(coordinator, wanted, current)
    told = {code: value for code, value in current.items() if value is not None}
    try:
        order = plan(wanted, told, KNOWN)
    except BmsError as err:
        raise translated(coordinator.hass, err, coordinator.config_entry.title) from err
    results: dict[str, SetResult] = {}
    for position, code in enumerate(order):
        try:
            results[code] = await coordinator.async_set(KNOWN[code].key, wanted[code], context)
        except HomeAssistantError as err:
            raise _stopped(coordinator, order, position, err) from err
    return results


def _raise_if_hindered(coordinator: RecBmsCoordinator, wanted: Values) -> None:
    for code in wanted:
        if (hindrance := coordinator.hindrance(KNOWN[code])) is not None:
            raise translated(coordinator.hass, hindrance, coordinator.config_entry.title)


def _raise_if_obstructed(
    coordinator: RecBmsCoordinator, wanted: Values, present: Mapping[str, float | None]
) -> None:
    """Name all that a BMS cannot take, at once."""
    found = obstacles(wanted, KNOWN, present)
    hass, title = coordinator.hass, coordinator.config_entry.title
    missing = ", ".join(full_name(hass, setting) for setting in found.missing)
    outside = ", ".join(
        f"{full_name(hass, setting)}: {shown(setting, value)}"
        f" ({shown(setting, setting.minimum)} … {shown(setting, setting.maximum)})"
        for setting, value in found.outside
    )
    if missing and outside:
        raise invalid("restore_missing_and_outside", title=title, missing=missing, outside=outside)
    if missing:
        raise invalid("restore_missing", title=title, missing=missing)
    if outside:
        raise invalid("restore_outside", title=title, outside=outside)


def _stopped(
    coordinator: RecBmsCoordinator, order: tuple[str, ...], position: int, err: HomeAssistantError
) -> HomeAssistantError:
    """Return what says how far it came, and why not further."""

    def names(codes: Iterable[str]) -> str:
        return ", ".join(full_name(coordinator.hass, KNOWN[code]) for code in codes) or "-"

    return failed(
        "restore_stopped",
        title=coordinator.config_entry.title,
        failed=names(order[position : position + 1]),
        reason=message_of(coordinator.hass, err),
        done=names(order[:position]),
        left=names(order[position + 1 :]),
    )
