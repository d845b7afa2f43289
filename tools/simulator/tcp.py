"""The client's end of the line over TCP: a serial server with one port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct

from .link import Hear
from .sockets import bound
from .telnet import ComPort

_HOST = "127.0.0.1"
_BACKLOG = 8
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close send RST."""


class Tcp:
    """A serial server on 127.0.0.1 that serves one client at a time.

    A second client is accepted and closed at once, as ser2net does, unless `takeover` is on: then
    the first one is closed. With `rfc2217` the client sets the speed by telnet's COM-PORT-OPTION;
    without, bytes are passed as they are and the speed is the server's. `silent` lets it go on
    accepting while nothing passes either way.
    """

    def __init__(
        self, hear: Hear, baud: int, port: int = 0, *, rfc2217: bool = False, takeover: bool = False
    ) -> None:
        self._hear = hear
        self._baud = baud
        self._loop = asyncio.get_running_loop()
        self._rfc2217 = rfc2217
        self.takeover = takeover
        self.silent = False
        self.number = port
        """The TCP port's number."""
        self.connections = 0
        """How many clients were served so far."""
        self._listening: socket.socket | None = None
        self._kept_port: socket.socket | None = None
        self._client: socket.socket | None = None
        self._com_port: ComPort | None = None
        self._keep_port()
        self.accept()

    @property
    def port(self) -> str:
        """What a user would type."""
        return f"{'rfc2217' if self._rfc2217 else 'socket'}://{_HOST}:{self.number}"

    @property
    def connected(self) -> bool:
        """Whether a client is there."""
        return self._client is not None

    @property
    def speed(self) -> int | None:
        """Bits a second that the client has set, None where it cannot."""
        return self._com_port.baud if self._com_port is not None else None

    def _keep_port(self) -> None:
        """Take the port without listening: who connects is refused."""
        self._kept_port = bound(_HOST, self.number)
        self.number = self._kept_port.getsockname()[1]

    def _give_port_up(self) -> None:
        if self._kept_port is not None:
            self._kept_port.close()
            self._kept_port = None

    def _accept(self) -> None:
        if self._listening is None:
            return
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        if self._client is not None and not self.takeover:
            client.close()
            return
        self.drop()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self.connections += 1
        self._com_port = ComPort(self._send, self._baud) if self._rfc2217 else None
        self._loop.add_reader(client.fileno(), self._read)

    def _read(self) -> None:
        client = self._client
        if client is None:
            return
        try:
            data = client.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop()
        elif not self.silent:
            if self._com_port is not None:
                data = self._com_port.receive(data)
            if data:
                self._hear(data, self.speed)

    def write(self, data: bytes) -> None:
        """Give bytes to the client; without one they are lost."""
        self._send(data if self._com_port is None else self._com_port.escape(data))

    def _send(self, data: bytes) -> None:
        if self._client is not None and not self.silent:
            with contextlib.suppress(OSError):
                self._client.send(data)

    # -- what can go wrong -----------------------------------------------------------------------

    def drop(self) -> None:
        """Close the connection to the client, if there is one."""
        if self._client is not None:
            self._loop.remove_reader(self._client.fileno())
            self._client.close()
            self._client = None
            self._com_port = None

    def reset(self) -> None:
        """Break the connection off, so that the client gets ECONNRESET."""
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.drop()

    def refuse(self) -> None:
        """Stop listening: new connections are refused, the one that is there goes on."""
        if self._listening is not None:
            self._loop.remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None
            self._keep_port()

    def accept(self) -> None:
        """Listen again, on the same port."""
        if self._kept_port is not None:
            self._listening, self._kept_port = self._kept_port, None
            self._listening.setblocking(False)
            self._listening.listen(_BACKLOG)
            self._loop.add_reader(self._listening.fileno(), self._accept)

    def unplug(self) -> None:
        """Let the server vanish: the connection breaks and new ones are refused."""
        self.refuse()
        self.reset()

    def replug(
        self, link: str | os.PathLike[str] | None = None, *, other_device: bool = False
    ) -> None:
        """Let the server come back, on the same port or (`other_device`) on another."""
        self.unplug()
        if other_device:
            self._give_port_up()
            self.number = 0
            self._keep_port()
        self.accept()

    def close(self) -> None:
        """Leave nothing behind."""
        self.refuse()
        self._give_port_up()
        self.drop()
