"""Sockets that the simulators listen on."""

from __future__ import annotations

import socket


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that has a TCP port, 0 for any, and does not listen.

    It is given to no outgoing connection, and to none that asks for any port; who connects to it
    is refused. Raises OSError.
    """
    taken = socket.socket()
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    # Raised again: whatever it is, the socket does not stay open for it.
    except BaseException:
        taken.close()
        raise
    return taken
