"""The client's end of the line: a pseudo-terminal that behaves like a USB adapter."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import struct
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

Hear = Callable[[bytes, int | None], None]
"""Takes what the client sent, and the speed it was sent at (None: the line's own)."""


class Link(Protocol):
    """A way for a client to reach the line. `port` is what a user would type."""

    port: str

    def write(self, data: bytes) -> None:
        """Give bytes to the client, if there is one."""

    def unplug(self) -> None:
        """Let the port vanish."""

    def replug(self, link: str | os.PathLike[str] | None = None) -> None:
        """Let the port come back, with another symlink if told so."""

    def close(self) -> None:
        """Leave nothing behind."""


# struct termios2: four flag words, the line discipline, 19 control characters, two speeds.
_TERMIOS2 = struct.Struct("4I20s2I")
_TCGETS2 = 0x802C542A
_TCSETS2 = 0x402C542B
_CBAUD = 0o10017
_BOTHER = 0o10000


def get_speed(fd: int) -> int:
    """Return the bits a second that a terminal is set to, 0 where that cannot be told."""
    try:
        raw = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size))
    except OSError:
        return 0
    fields = _TERMIOS2.unpack(raw)
    return int(fields[6])


def set_speed(fd: int, baud: int) -> None:
    """Set a terminal to any number of bits a second."""
    with contextlib.suppress(OSError):
        raw = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size))
        iflag, oflag, cflag, lflag, rest, _, _ = _TERMIOS2.unpack(raw)
        cflag = cflag & ~_CBAUD | _BOTHER
        fcntl.ioctl(fd, _TCSETS2, _TERMIOS2.pack(iflag, oflag, cflag, lflag, rest, baud, baud))


class Pty:
    """A pseudo-terminal, optionally behind a symlink like those in /dev/serial/by-id.

    `device` is its own path, `port` the symlink where there is one. It is set to the line's speed
    until a client sets another. While no client has it open, what the BMS sends is lost, as with
    an adapter; and what a client left unread is thrown away when it closes.
    """

    def __init__(self, hear: Hear, baud: int, link: str | os.PathLike[str] | None = None) -> None:
        self._hear = hear
        self._baud = baud
        self._loop = asyncio.get_running_loop()
        self._link = Path(link) if link is not None else None
        self._master = -1
        self._poll: select.epoll | None = None
        self._client = False
        self.device = ""
        self._plug()

    @property
    def port(self) -> str:
        """What a user would type: the symlink, or the device without one."""
        return str(self._link) if self._link is not None else self.device

    @property
    def plugged(self) -> bool:
        """Whether the device is there."""
        return self._master >= 0

    @property
    def connected(self) -> bool:
        """Whether a client is there: it has sent something, or was sent something, and not left."""
        return self._client

    @property
    def speed(self) -> int:
        """Bits a second that the client has set."""
        return get_speed(self._master) if self.plugged else 0

    def _plug(self) -> None:
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        self.device = os.ttyname(slave)
        tty.setraw(slave)
        set_speed(slave, self._baud)
        os.close(slave)
        self._client = False
        # Without a client the master is "hung up", which a plain poll would report for ever;
        # edge-triggered, the loop hears of it once.
        self._poll = select.epoll()
        self._poll.register(self._master, select.EPOLLIN | select.EPOLLET)
        self._loop.add_reader(self._poll.fileno(), self._ready)
        self._make_symlink()

    def _make_symlink(self) -> None:
        if self._link is not None:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            new = self._link.with_name(self._link.name + ".new")
            new.unlink(missing_ok=True)
            new.symlink_to(self.device)
            new.replace(self._link)

    def _remove_symlink(self) -> None:
        if (
            self._link is not None
            and self._link.is_symlink()
            and str(self._link.readlink()) == self.device
        ):
            self._link.unlink()

    def _ready(self) -> None:
        if self._poll is None:
            return
        self._poll.poll(0)
        while True:
            try:
                data = os.read(self._master, 4096)
            except BlockingIOError:
                self._client = True
                return
            except OSError:
                self._client_left()
                return
            if data:
                self._client = True
                self._hear(data, self.speed)

    def _client_left(self) -> None:
        if self._client:
            self._throw_away_unread()
            self._client = False

    def _throw_away_unread(self) -> None:
        try:
            slave = os.open(self.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return
        with contextlib.suppress(OSError):
            termios.tcflush(slave, termios.TCIFLUSH)
        os.close(slave)

    def _is_open(self) -> bool:
        """Tell whether a client has the port open at this moment."""
        if self._master < 0:
            return False
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def write(self, data: bytes) -> None:
        """Give bytes to the client; without one, or when it does not read, they are lost."""
        if self._is_open():
            self._client = True
            with contextlib.suppress(OSError):
                os.write(self._master, data)

    def unplug(self) -> None:
        """Unplug the adapter: the device and its symlink vanish."""
        if self._master < 0:
            return
        self._remove_symlink()
        if self._poll is not None:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()
            self._poll = None
        os.close(self._master)
        self._master = -1

    def replug(
        self, link: str | os.PathLike[str] | None = None, *, other_device: bool = False
    ) -> None:
        """Put the adapter back, behind another symlink or under another device name if told."""
        self.unplug()
        old = self.device
        if link is not None:
            self._link = Path(link)
        taken: list[int] = []
        try:
            while True:
                self._plug()
                if not other_device or self.device != old:
                    return
                self.unplug()
                taken += os.openpty()
        finally:
            for fd in taken:
                os.close(fd)

    def close(self) -> None:
        """Leave nothing behind."""
        self.unplug()
