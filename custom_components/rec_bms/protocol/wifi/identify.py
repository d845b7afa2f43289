"""Finds out who a module tells of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import ClientSession

from ..errors import ModuleError, NoModuleError, NoNameError
from ..state import PerUnit, Quantity
from .client import Client
from .messages import Message, Settings, Status

NAMED_WITHIN = 120.0
"""Seconds within which a module tells its settings, and with them who it is."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module that told the name of its BMS; cells are counted for each unit, where told."""

    host: str
    name: str
    cells: tuple[int, ...]


class _IdentifiedError(Exception):
    """All is known, and nothing more is to be heard."""


class _Listener:
    def __init__(self) -> None:
        self.is_connected = False
        self.name: str | None = None
        self.cells: tuple[int, ...] | None = None

    def connected(self) -> None:
        self.is_connected = True

    def take(self, message: Message) -> None:
        match message:
            case Settings(name=name):
                self.name = name or self.name
            case Status(told=told):
                voltages = told.get(Quantity.CELL_VOLTAGES)
                rows = voltages.units if isinstance(voltages, PerUnit) else ()
                self.cells = tuple(map(len, rows))
        if self.name is not None and self.cells is not None:
            raise _IdentifiedError


async def identify(session: ClientSession, host: str) -> Module:
    """Listen until a module has told who it is and what cells there are.

    Raises ModuleError where nobody is there, NoModuleError where something else is, NoNameError
    where a module keeps its name to itself.
    """
    listener = _Listener()
    try:
        async with asyncio.timeout(NAMED_WITHIN):
            await Client(session, host).listen(listener.take, listener.connected)
    except _IdentifiedError, TimeoutError:
        pass
    except ModuleError:
        if not listener.is_connected:
            raise
    if listener.name is not None:
        return Module(host, listener.name, listener.cells or ())
    if listener.cells is not None:
        raise NoNameError(host)
    raise NoModuleError(host, "tells nothing of a BMS")
