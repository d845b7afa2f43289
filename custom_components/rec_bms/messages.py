"""What the protocol's errors say to a user: translated, and with what to do about it."""

from __future__ import annotations

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .protocol.errors import (
    BmsError,
    ChangesForbiddenError,
    IncoherentError,
    ModuleError,
    NoModuleError,
    NoNameError,
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

_LONGEST_QUOTE = 40


def translated(err: BmsError, title: str) -> HomeAssistantError:
    """Return the exception to raise in Home Assistant; `title` is the entry's."""
    match err:
        case ChangesForbiddenError(setting=setting):
            return _invalid("changes_forbidden", name=_name(setting), title=title)
        case ReadOnlyWayError(setting=setting):
            return _failed("read_only_way", name=_name(setting), title=title)
        case WithdrawnError(setting=setting):
            return _failed("withdrawn", name=_name(setting), title=title)
        case StoppingError(setting=setting):
            return _failed("stopping", name=_name(setting))
        case NotSettableError(instruction=code, name=name):
            return _invalid("not_settable", name=f"{name} ({code})")
        case WrongTypeError(setting=setting, value=value):
            key = "not_a_whole_number" if setting.whole_number else "not_a_number"
            return _invalid(key, name=_name(setting), value=_quoted(value))
        case OutOfRangeError(setting=setting, value=value):
            return _out_of_range(setting, value)
        case IncoherentError(setting=setting, value=value, other=other):
            return _invalid(
                "incoherent",
                name=_name(setting),
                value=_shown(setting, value),
                relation=err.relation,
                other=_name(other),
                other_value=_shown(other, err.other_value),
            )
        case RefusedError(setting=setting, value=value, answer=answer, current=current):
            return _failed(
                "refused",
                name=_name(setting),
                value=_shown(setting, value),
                answer=answer,
                current=_shown(setting, current),
            )
        case NotTakenError(setting=setting, value=value, current=current):
            return _failed(
                "not_taken",
                name=_name(setting),
                value=_shown(setting, value),
                current=_shown(setting, current),
            )
        case ReadsBackDifferentlyError(setting=setting, value=value, current=current):
            return _failed(
                "reads_back_differently",
                name=_name(setting),
                value=_shown(setting, value),
                current=_shown(setting, current),
            )
        case UnverifiedError(setting=setting, value=value):
            return _failed("unverified", name=_name(setting), value=_shown(setting, value))
        case UnknownInstructionError(instruction=code, name=name, address=address):
            return _failed(
                "unknown_to_bms", name=f"{name} ({code})", title=title, address=str(address)
            )
        case NoResponseError(instruction=code, name=name, address=address):
            name = f"{name} ({code})"
            return _failed("no_answer", name=name, title=title, address=str(address))
        case PortError(port=port, reason=reason):
            return _failed("port_failed", port=port, reason=reason)
        case ModuleError(host=host, reason=reason):
            return _failed("module_failed", title=title, host=host, reason=reason)
        case NoModuleError(host=host):
            return _failed("no_module", title=title, host=host)
        case NoNameError(host=host):
            return _failed("no_name", title=title, host=host)
        case WrongDeviceError(host=host, found=found):
            return _failed("wrong_device", title=title, host=host, found=found)
        case NotToldError(instruction=code, name=name):
            return _failed("not_told", name=f"{name} ({code})", title=title)
    return _failed("port_failed", port=title, reason=str(err))


def _out_of_range(setting: Setting, value: float) -> HomeAssistantError:
    low, high = setting.minimum, setting.maximum
    limits = {"minimum": _shown(setting, low), "maximum": _shown(setting, high)}
    if setting.line_unit == "fraction" and low <= value / 100 <= high:
        return _invalid(
            "out_of_range_percent",
            name=_name(setting),
            value=f"{value:g}",
            fraction=f"{value / 100:g}",
            **limits,
        )
    return _invalid("out_of_range", name=_name(setting), value=_shown(setting, value), **limits)


def _name(setting: Setting) -> str:
    return f"{setting.name} ({setting.code})"


def _shown(setting: Setting, value: float) -> str:
    """Return a value with its unit as on the line; fractions in percent as well."""
    unit = setting.line_unit or ""
    if unit == "fraction":
        return f"{value:.6g} ({value * 100:.4g} %)"
    return f"{value:.6g} {unit}".rstrip()


def _quoted(value: object) -> str:
    quoted = repr(value)
    return quoted if len(quoted) <= _LONGEST_QUOTE else f"{quoted[:_LONGEST_QUOTE]}…"


def _invalid(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def _failed(key: str, **placeholders: str) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )
