"""TCP ports for servers that are started as processes of their own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tools.simulator.sockets import bound

from .process import ToolError

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 8123
"""Where one looks for Home Assistant's web page."""

_CANDIDATES = range(USUAL_PORT, USUAL_PORT + 1000)
"""Below those that systems give to outgoing connections: one of these, of whatever program, could
take the port of a server that has yet to start, or is started again."""


@contextmanager
def reserved_port(wanted: int | None = None) -> Iterator[int]:
    """Hold a free port on 127.0.0.1: the wanted one, or the first one from 8123 on.

    Raises ToolError where the wanted one is taken. The reservation is a UDP port of the same
    number, which keeps others who reserve away and is gone with this process.
    """
    for candidate in _CANDIDATES if wanted is None else [wanted]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reservation:
            try:
                reservation.bind((HOST, candidate))
                bound(HOST, reservation.getsockname()[1]).close()
            except OSError, OverflowError:
                continue
            yield reservation.getsockname()[1]
            return
    taken = "no port is free" if wanted is None else f"port {wanted} is taken or not allowed"
    raise ToolError(f"{taken}: free it, or choose another with --http-port")
