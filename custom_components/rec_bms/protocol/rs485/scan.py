"""Finds the BMSs on a port: which baud rate, which addresses, likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from ..errors import NoResponseError
from .client import Client
from .connection import Connection
from .transaction import ATTEMPTS

BAUDRATES = (56000, 115200, 38400, 57600, 19200, 9600)
"""Likeliest first: the factory's, that of newer units, that of special firmware."""
LIKELY_ADDRESSES = (1, 2, 16)
"""The 1Q's, the Active BMS's, and that of a master with child units."""
ADDRESSES = (*LIKELY_ADDRESSES, *range(3, 16))

_SECOND_LOOK_ATTEMPTS = 2
_LOOKS = 2
"""Times that each address beside a BMS is looked at: a response may be lost."""

type Connect = Callable[[int], AbstractAsyncContextManager[Connection]]
type Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A BMS that answered: its baud rate, its address, its identification, its units' cells."""

    baudrate: int
    address: int
    model: str
    cells: tuple[int, ...] = ()


async def search(
    connect: Connect,
    baudrates: Sequence[int],
    addresses: Sequence[int],
    progress: Progress,
) -> Found | None:
    """Return the first BMS that responds, likeliest first; None where there is none.

    `connect` lends a connection at a baud rate, `progress` hears fractions from 0 to 1. Each
    address gets one attempt; where nobody responds, the likely ones get more. Raises PortError when
    the port cannot be opened or is lost.
    """
    likely = [address for address in addresses if address in LIKELY_ADDRESSES]
    rest = [address for address in addresses if address not in LIKELY_ADDRESSES]
    rounds = [(likely, 1), (rest, 1), (likely or rest, _SECOND_LOOK_ATTEMPTS)]
    total = sum(len(group) * attempts for group, attempts in rounds) * len(baudrates)
    tried = 0
    for group, attempts in rounds:
        for baudrate in baudrates if group else ():
            async with connect(baudrate) as connection:
                for address in group:
                    if found := await _look(connection, address, attempts):
                        return await _with_cells(connection, found)
                    tried += attempts
                    progress(tried / total)
    return None


class Neighbours:
    """Looks for BMSs beside one that runs on a line, one request at a time."""

    def __init__(self, connection: Connection) -> None:
        """Take the line's connection; nothing is sent yet."""
        self._connection = connection
        self._left = list(ADDRESSES) * _LOOKS
        self._met: Found | None = None
        """One that has told who it is, but not yet what cells it has."""

    @property
    def is_over(self) -> bool:
        """Whether all addresses were looked at."""
        return not self._left and self._met is None

    async def go_on(self, known: Collection[int]) -> Found | None:
        """Send one request, past the addresses that are known; return a BMS that was found.

        Sends nothing while others use the line. Raises PortError.
        """
        while self._left and self._left[0] in known:
            del self._left[0]
        if self._connection.is_busy:
            return None
        if self._met is not None:
            found = await _with_cells(self._connection, self._met, attempts=1)
            self._met = None
            return found
        if self._left:
            address = self._left.pop(0)
            self._met = await _look(self._connection, address, 1)
            if self._met is not None:
                self._left = [each for each in self._left if each != address]
        return None


async def _look(connection: Connection, address: int, attempts: int) -> Found | None:
    try:
        model = await Client(connection, address).identify(attempts=attempts)
    except NoResponseError:
        # That nobody is at an address says nothing of the line.
        connection.counters.unanswered -= 1
        connection.counters.nobody_there += 1
        return None
    return Found(connection.baudrate, address, model)


async def _with_cells(connection: Connection, found: Found, *, attempts: int = ATTEMPTS) -> Found:
    """Return what was found with its cells, where it tells them. Raises PortError."""
    try:
        cells = await Client(connection, found.address).count_cells(attempts=attempts)
    except NoResponseError:
        return found
    return replace(found, cells=cells)
