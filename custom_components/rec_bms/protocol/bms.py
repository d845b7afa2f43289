"""What any way to a BMS offers: the one thing of it that the rest of a program knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import BmsError, SettingError
from .settings import Setting
from .state import State

type Hindrance = Callable[[], SettingError | None]
"""Tells what forbids a set at the moment."""


@dataclass(frozen=True, slots=True)
class Update:
    """What one update brought."""

    state: State
    measured_at: float
    """When voltage and current were measured, in s of the event loop's clock."""
    continuous: bool
    """Whether the BMS was heard all the time since the measurement before."""
    period: float
    """Seconds for which it stands, until the next."""
    duration: float | None
    """How long it took, in s; None where the BMS tells by itself."""
    exchanges: int
    """Requests that were answered or given up."""
    repeated_exchanges: int
    """Those of them that needed more than one attempt."""
    retries: int
    """Attempts beyond the first since the way to the BMS was first used."""
    line_errors: int
    """What came that made no sense, since then."""


type Listener = Callable[[Update | BmsError], object]
"""Is told what came by itself, or why nothing comes any more."""


@dataclass(frozen=True, slots=True)
class SetResult:
    """A setting made and verified, in the line's unit; `previous` is None where it was nonsense."""

    previous: float | None
    requested: float
    read_back: float


class Bms(Protocol):
    """One BMS, however it is reached."""

    @property
    def update_interval(self) -> float | None:
        """Seconds between two updates to ask for; None where they come by themselves."""

    @property
    def longest_gap(self) -> float:
        """Seconds between two measurements within which a battery goes on as it did."""

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What can be set, by key."""

    async def open(self) -> None:
        """Take the way to the BMS. Raises BmsError where it cannot be had."""

    async def close(self) -> None:
        """Give the way back; cannot hang."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have a listener told of what comes by itself; returns what ends that."""

    async def update(
        self, wanted: Collection[str], hoped_for: Callable[[], Collection[str]] = tuple
    ) -> Update:
        """Ask for what is due of the quantities and settings that are wanted.

        `hoped_for` tells of those that would be shown if only this BMS told them. Raises BmsError
        when the BMS or the way to it is gone.
        """

    async def read(self, code: str) -> Any:
        """Return what REC's instruction of that code reads now, as `rs485.readings` has it.

        For the actions, which are about instructions. Raises BmsError.
        """

    async def set(
        self,
        key: str,
        value: object,
        *,
        hindrance: Hindrance,
        may_lack: Callable[[str], bool] = lambda _: False,
    ) -> SetResult:
        """Set a value in the line's unit and verify it.

        `may_lack` tells whether this BMS may not have the setting of a key. Raises SettingError,
        or another BmsError before anything was sent.
        """

    def diagnostics(self) -> dict[str, Any]:
        """Return what somebody needs to see who is asked for help."""
