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
    UnverifiedError,
    WithdrawnError,
    WrongDeviceError,
    WrongTypeError,
)
from .protocol.rs485.instructions import BY_CODE

_LONGEST_QUOTE = 40


def translated(err: BmsError, title: str) -> HomeAssistantError:
    """Return the exception to raise in Home Assistant; `title` is the entry's."""
    match err:
        case ChangesForbiddenError(instruction=code):
            return _invalid("changes_forbidden", name=_name(code), title=title)
        case ReadOnlyWayError(instruction=code):
            return _failed("read_only_way", name=_name(code), title=title)
        case WithdrawnError(instruction=code):
            return _failed("withdrawn", name=_name(code), title=title)
        case StoppingError(instruction=code):
            return _failed("stopping", name=_name(code))
        case NotSettableError(instruction=code):
            return _invalid("not_settable", name=_name(code))
        case WrongTypeError(instruction=code, value=value, whole_number=whole_number):
            key = "not_a_whole_number" if whole_number else "not_a_number"
            return _invalid(key, name=_name(code), value=_quoted(value))
        case OutOfRangeError(instruction=code, value=value, minimum=low, maximum=high):
            return _out_of_range(code, value, low, high)
        case IncoherentError(instruction=code, value=value, other=other, other_value=other_value):
            return _invalid(
                "incoherent",
                name=_name(code),
                value=_shown(code, value),
                relation=err.relation,
                other=_name(other),
                other_value=_shown(other, other_value),
            )
        case RefusedError(instruction=code, value=value, answer=answer, current=current):
            return _failed(
                "refused",
                name=_name(code),
                value=_shown(code, value),
                answer=answer,
                current=_shown(code, current),
            )
        case NotTakenError(instruction=code, value=value, current=current):
            return _failed(
                "not_taken",
                name=_name(code),
                value=_shown(code, value),
                current=_shown(code, current),
            )
        case ReadsBackDifferentlyError(instruction=code, value=value, current=current):
            return _failed(
                "reads_back_differently",
                name=_name(code),
                value=_shown(code, value),
                current=_shown(code, current),
            )
        case UnverifiedError(instruction=code, value=value):
            return _failed("unverified", name=_name(code), value=_shown(code, value))
        case NoResponseError(instruction=code, address=address):
            return _failed("no_answer", name=_name(code), title=title, address=str(address))
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
        case NotToldError(instruction=code):
            return _failed("not_told", name=_name(code), title=title)
    return _failed("port_failed", port=title, reason=str(err))


def _out_of_range(code: str, value: float, low: float, high: float) -> HomeAssistantError:
    limits = {"minimum": _shown(code, low), "maximum": _shown(code, high)}
    if BY_CODE[code].line_unit == "fraction" and low <= value / 100 <= high:
        return _invalid(
            "out_of_range_percent",
            name=_name(code),
            value=f"{value:g}",
            fraction=f"{value / 100:g}",
            **limits,
        )
    return _invalid("out_of_range", name=_name(code), value=_shown(code, value), **limits)


def _name(code: str) -> str:
    return f"{BY_CODE[code].name} ({code})"


def _shown(code: str, value: float) -> str:
    """Return a value with its unit as on the line; fractions in percent as well."""
    unit = BY_CODE[code].line_unit or ""
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
