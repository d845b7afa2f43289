"""What the protocol's errors say to a user: translated, and with what to do about it."""

from __future__ import annotations

from functools import partial

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .protocol.errors import (
    BmsError,
    ChangesForbiddenError,
    IncoherentError,
    ModuleError,
    NoModuleError,
    NoNameError,
    NoOrderError,
    NoResponseError,
    NotSettableError,
    NotTakenError,
    NotToldError,
    OutOfRangeError,
    PortError,
    ReadOnlyWayError,
    ReadsBackDifferentlyError,
    RefusedError,
    StoppingError,
    UnknownInstructionError,
    UnverifiedError,
    WithdrawnError,
    WrongDeviceError,
    WrongTypeError,
)
from .protocol.settings import Setting
from .words import full_name, instruction_name

_LONGEST_QUOTE = 40


def translated(hass: HomeAssistant, err: BmsError, title: str) -> HomeAssistantError:
    """Return the exception to raise in Home Assistant; `title` is the entry's."""
    name_of = partial(full_name, hass)
    match err:
        case NoOrderError(reason=reason):
            return invalid(
                "no_order",
                name=name_of(reason.setting),
                value=shown(reason.setting, reason.value),
                relation=reason.relation,
                other=name_of(reason.other),
                other_value=shown(reason.other, reason.other_value),
            )
        case ChangesForbiddenError(setting=setting):
            return invalid("changes_forbidden", name=name_of(setting), title=title)
        case ReadOnlyWayError(setting=setting):
            return failed("read_only_way", name=name_of(setting), title=title)
        case WithdrawnError(setting=setting):
            return failed("withdrawn", name=name_of(setting), title=title)
        case StoppingError(setting=setting):
            return failed("stopping", name=name_of(setting))
        case NotSettableError(instruction=code, name=name):
            return invalid("not_settable", name=f"{name} ({code})")
        case WrongTypeError(setting=setting, value=value):
            key = "not_a_whole_number" if setting.whole_number else "not_a_number"
            return invalid(key, name=name_of(setting), value=quoted(value))
        case OutOfRangeError(setting=setting, value=value):
            return _out_of_range(name_of(setting), setting, value)
        case IncoherentError(setting=setting, value=value, other=other):
            return invalid(
                "incoherent",
                name=name_of(setting),
                value=shown(setting, value),
                relation=err.relation,
                other=name_of(other),
                other_value=shown(other, err.other_value),
            )
        case RefusedError(setting=setting, value=value, answer=answer, current=current):
            return failed(
                "refused",
                name=name_of(setting),
                value=shown(setting, value),
                answer=answer,
                current=shown(setting, current),
            )
        case NotTakenError(setting=setting, value=value, current=current):
            return failed(
                "not_taken",
                name=name_of(setting),
                value=shown(setting, value),
                current=shown(setting, current),
            )
        case ReadsBackDifferentlyError(setting=setting, value=value, current=current):
            return failed(
                "reads_back_differently",
                name=name_of(setting),
                value=shown(setting, value),
                current=shown(setting, current),
            )
        case UnverifiedError(setting=setting, value=value):
            return failed("unverified", name=name_of(setting), value=shown(setting, value))
        case UnknownInstructionError(instruction=code, name=name, address=address):
            name = f"{name} ({code})"
            return failed("unknown_to_bms", name=name, title=title, address=str(address))
        case NoResponseError(instruction=code, name=name, address=address):
            name = instruction_name(hass, code, name)
            return failed("no_answer", name=name, title=title, address=str(address))
        case PortError(port=port, reason=reason):
            return failed("port_failed", port=port, reason=reason)
        case ModuleError(host=host, reason=reason):
            return failed("module_failed", title=title, host=host, reason=reason)
        case NoModuleError(host=host):
            return failed("no_module", title=title, host=host)
        case NoNameError(host=host):
            return failed("no_name", title=title, host=host)
        case WrongDeviceError(host=host, found=found):
            return failed("wrong_device", title=title, host=host, found=found)
        case NotToldError(instruction=code, name=name):
            return failed("not_told", name=instruction_name(hass, code, name), title=title)
    return failed("port_failed", port=title, reason=str(err))


def _out_of_range(name: str, setting: Setting, value: float) -> HomeAssistantError:
    low, high = setting.minimum, setting.maximum
    limits = {"minimum": shown(setting, low), "maximum": shown(setting, high)}
    if setting.line_unit == "fraction" and low <= value / 100 <= high:
        return invalid(
            "out_of_range_percent",
            name=name,
            value=f"{value:g}",
            fraction=f"{value / 100:g}",
            **limits,
        )
    return invalid("out_of_range", name=name, value=shown(setting, value), **limits)


def shown(setting: Setting, value: float) -> str:
    """Return a value with its unit as on the line; fractions in percent as well."""
    unit = setting.line_unit or ""
    if unit == "fraction":
        return f"{value:.6g} ({value * 100:.4g} %)"
    return f"{value:.6g} {unit}".rstrip()


def quoted(value: object) -> str:
    """Return what somebody gave, cut short, as it would be written in a program."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def invalid(key: str, **placeholders: str) -> ServiceValidationError:
    """Return what tells a user that what was asked for cannot be, with a text of `exceptions`."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def failed(key: str, **placeholders: str) -> HomeAssistantError:
    """Return what tells a user that something went wrong, with a text of `exceptions`."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )
