"""What can go wrong between us and a BMS.

Every exception carries the values that matter as attributes, so that whoever shows it to a user can
say it in the user's language.
"""

from __future__ import annotations

import re

from .settings import Setting

_ESPHOME_QUERY = re.compile(r"(esphome(?:-[a-z]+)?://[^\s?]*)\?\S*")


def without_query(text: str) -> str:
    """Return text without the query of an ESPHome URL in it, which may hold an encryption key."""
    return _ESPHOME_QUERY.sub(r"\1", text)


class BmsError(Exception):
    """The BMS or the way to it did not do what was wanted."""


class PortError(BmsError):
    """The port could not be opened or was lost; `reason` is the operating system's word for it.

    Neither holds the query of an ESPHome URL.
    """

    def __init__(self, port: str, reason: str) -> None:
        self.port = without_query(port)
        self.reason = without_query(reason)
        super().__init__(f"{self.port}: {self.reason}")


class NoResponseError(BmsError):
    """The BMS at `address` did not respond to `instruction`, a code, in all `attempts`.

    `name` is what the instruction is about.
    """

    def __init__(self, address: int, instruction: str, name: str, attempts: int) -> None:
        super().__init__(f"no response to {instruction} from address {address}")
        self.address = address
        self.instruction = instruction
        self.name = name
        self.attempts = attempts


class UnknownInstructionError(NoResponseError):
    """The BMS responded to `instruction` with an error: it does not know it."""


class ModuleError(BmsError):
    """The WiFi module at `host` is not reached, broke off or fell silent; `reason` says which."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class NoModuleError(BmsError):
    """What responds at `host` is no WiFi module of REC's."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host} is no WiFi module: {reason}")
        self.host = host
        self.reason = reason


class NoNameError(BmsError):
    """The WiFi module at `host` tells of a BMS and not who it is."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} does not tell who it is")
        self.host = host


class WrongDeviceError(BmsError):
    """The BMS at `host` is `found`, not `expected`."""

    def __init__(self, host: str, expected: str, found: str) -> None:
        super().__init__(f"{host} is {found}, not {expected}")
        self.host = host
        self.expected = expected
        self.found = found


class NotToldError(BmsError):
    """The way to the BMS does not tell what `instruction`, a code, reads; `name` is its name."""

    def __init__(self, instruction: str, name: str) -> None:
        super().__init__(f"{instruction} is not told")
        self.instruction = instruction
        self.name = name


class NotSettableError(BmsError):
    """What `instruction`, a code, tells can be read only; `name` is what it is about."""

    def __init__(self, instruction: str, name: str) -> None:
        super().__init__(f"{instruction}: can be read only")
        self.instruction = instruction
        self.name = name


class SettingError(BmsError):
    """A value was not set, or it is not certain that it was."""

    def __init__(self, setting: Setting, message: str) -> None:
        super().__init__(f"{setting.code}: {message}")
        self.setting = setting


class WrongTypeError(SettingError):
    """The value is no finite number, or not the whole number that this setting needs."""

    def __init__(self, setting: Setting, value: object) -> None:
        wanted = "a whole number" if setting.whole_number else "a plain decimal number"
        super().__init__(setting, f"{value!r} is not {wanted}")
        self.value = value


class OutOfRangeError(SettingError):
    """The value, in the line's unit, lies outside the setting's limits."""

    def __init__(self, setting: Setting, value: float) -> None:
        super().__init__(
            setting, f"{value:g} is outside {setting.minimum:g} to {setting.maximum:g}"
        )
        self.value = value


class IncoherentError(SettingError):
    """The value contradicts another setting, which has `other_value`."""

    def __init__(
        self, setting: Setting, value: float, relation: str, other: Setting, other_value: float
    ) -> None:
        super().__init__(
            setting, f"{value:g} must be {relation} {other.code}, which is {other_value:g}"
        )
        self.value = value
        self.relation = relation
        self.other = other
        self.other_value = other_value


class NoOrderError(SettingError):
    """Values cannot be set one after the other: `reason` is the contradiction in their way."""

    def __init__(self, reason: IncoherentError) -> None:
        super().__init__(reason.setting, f"there is no order of changes: {reason}")
        self.reason = reason


class ReadOnlyWayError(SettingError):
    """The way to the BMS cannot set anything; nothing was sent."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, "cannot be set this way")


class ChangesForbiddenError(SettingError):
    """Changes are switched off; nothing was sent."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, "changes are switched off")


class WithdrawnError(SettingError):
    """The BMS was given up before the value's turn came; nothing was sent."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, "the BMS was given up before it was sent")


class StoppingError(SettingError):
    """The program is about to end; nothing was sent."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, "not sent, since the program is about to end")


class RefusedError(SettingError):
    """The BMS said no with `answer`; its value is `current`, and was `previous` before."""

    def __init__(
        self,
        setting: Setting,
        value: float,
        answer: str,
        current: float,
        previous: float | None = None,
    ) -> None:
        super().__init__(setting, f"{value:g} was refused with {answer}, it is {current:g}")
        self.value = value
        self.answer = answer
        self.current = current
        self.previous = previous


class NotTakenError(SettingError):
    """The BMS did not confirm, and still has another value: `current`; `previous` before."""

    def __init__(
        self, setting: Setting, value: float, current: float, previous: float | None = None
    ) -> None:
        super().__init__(setting, f"{value:g} was not taken, it is {current:g}")
        self.value = value
        self.current = current
        self.previous = previous


class ReadsBackDifferentlyError(SettingError):
    """The BMS confirmed `value`, and yet has `current`; `previous` before."""

    def __init__(
        self, setting: Setting, value: float, current: float, previous: float | None = None
    ) -> None:
        super().__init__(setting, f"{value:g} was confirmed, but it is {current:g}")
        self.value = value
        self.current = current
        self.previous = previous


class UnverifiedError(SettingError):
    """`value` was sent and could not be read back: it is not known what the BMS has now."""

    def __init__(self, setting: Setting, value: float) -> None:
        super().__init__(setting, f"{value:g} was sent, but not read back")
        self.value = value
