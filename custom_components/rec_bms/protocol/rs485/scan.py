"""Finds the BMSs on a port: which baud rate, which addresses, likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from ..errors import NoResponseError
from .client import Client
from .connection import Connection

BAUDRATES = (56000, 115200, 38400, 57600, 19200, 9600)
"""Likeliest first: the factory's, that of newer units, that of special firmware."""
LIKELY_ADDRESSES = (1, 2, 16)
"""The 1Q's, the Active BMS's, and that of a master with child units."""
ADDRESSES = (*LIKELY_ADDRESSES, *range(3, 16))

_SECOND_LOOK_ATTEMPTS = 2

type Connect = Callable[[int], AbstractAsyncContextManager[Connection]]
type Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A BMS that answered: its baud rate, its address and its identification."""

    baudrate: int
    address: int
    model: str


async def search(
    connect: Connect,
    baudrates: Sequence[int],
    addresses: Sequence[int],
    progress: Progress,
) -> list[Found]:
    """Return every BMS at the first baud rate at which one responds, likeliest first.

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
                        rest_of_bar = _part(progress, tried / total)
                        return [
                            found,
                            *await _fellows(connection, found, addresses, rest_of_bar),
                        ]
                    tried += attempts
                    progress(tried / total)
    return []


def _part(progress: Progress, done: float) -> Progress:
    """Return what hears fractions of the part of a progress bar that is still to be done."""
    return lambda share: progress(done + (1 - done) * share)


async def _fellows(
    connection: Connection, found: Found, addresses: Sequence[int], progress: Progress
) -> list[Found]:
    """Return the other BMSs on the pair of wires on which one was found."""
    silent = [address for address in addresses if address != found.address]
    fellows = []
    # On a noisy line a response may have been lost, so who was silent gets another attempt.
    for done in (0.0, 0.5):
        errors = connection.counters.line_errors
        for tried, address in enumerate(tuple(silent), 1):
            if fellow := await _look(connection, address, 1):
                fellows.append(fellow)
                silent.remove(address)
            progress(done + tried / len(addresses) / 2)
        if connection.counters.line_errors == errors:
            break
    progress(1)
    return fellows


async def _look(connection: Connection, address: int, attempts: int) -> Found | None:
    try:
        model = await Client(connection, address).identify(attempts=attempts)
    except NoResponseError:
        return None
    return Found(connection.baudrate, address, model)
