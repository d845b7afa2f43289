"""Telnet with RFC 2217's COM-PORT-OPTION, as much of it as a serial server needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_BINARY, _ECHO, _SUPPRESS_GO_AHEAD, _COM_PORT = 0, 1, 3, 44
_SIGNATURE, _BAUD, _CONTROL, _SUSPEND, _RESUME = 0, 1, 5, 8, 9
_RESPONSE = 100
"""What a server adds to a command's number when it answers."""
_REMEMBERED = {2: 8, 3: 1, 4: 1}
"""Data size, parity, stop bits: their numbers and what they are at first (8N1)."""


class ComPort:
    """The server's side of one connection. `send` takes raw bytes for the client.

    `baud` is the speed that the client has set, at first the one given.
    """

    def __init__(self, send: Callable[[bytes], None], baud: int) -> None:
        self.baud = baud
        self._send = send
        self._settings = dict(_REMEMBERED)
        self._agreed: set[tuple[int, int]] = set()
        self._state: Callable[[int], Any] = self._data
        self._verb = 0
        self._plain = bytearray()
        self._sub = bytearray()

    def escape(self, data: bytes) -> bytes:
        """Return data as it goes through telnet."""
        return data.replace(bytes((_IAC,)), bytes((_IAC, _IAC)))

    def receive(self, data: bytes) -> bytes:
        """Take raw bytes, answer the commands in them, return the data."""
        for byte in data:
            self._state = self._state(byte)
        plain = bytes(self._plain)
        self._plain.clear()
        return plain

    # Each state takes a byte and returns the next state.

    def _data(self, byte: int) -> Callable[[int], Any]:
        if byte == _IAC:
            return self._command
        self._plain.append(byte)
        return self._data

    def _command(self, byte: int) -> Callable[[int], Any]:
        if byte == _IAC:
            self._plain.append(byte)
        elif byte in (_DO, _DONT, _WILL, _WONT):
            self._verb = byte
            return self._option
        elif byte == _SB:
            self._sub.clear()
            return self._inside
        return self._data

    def _option(self, byte: int) -> Callable[[int], Any]:
        self._negotiate(self._verb, byte)
        return self._data

    def _inside(self, byte: int) -> Callable[[int], Any]:
        if byte == _IAC:
            return self._inside_command
        self._sub.append(byte)
        return self._inside

    def _inside_command(self, byte: int) -> Callable[[int], Any]:
        if byte == _IAC:
            self._sub.append(byte)
            return self._inside
        if byte == _SE and len(self._sub) >= 2 and self._sub[0] == _COM_PORT:
            self._control(self._sub[1], bytes(self._sub[2:]))
        return self._data

    def _negotiate(self, verb: int, option: int) -> None:
        """Agree to what a serial server can do, once; answering every time would never end."""
        if verb in (_WONT, _DONT):
            self._agreed.discard((_WILL if verb == _WONT else _DO, option))
            return
        if (verb, option) in self._agreed:
            return
        able = {_WILL: (_BINARY, _SUPPRESS_GO_AHEAD, _COM_PORT)}.get(
            verb, (_BINARY, _SUPPRESS_GO_AHEAD, _ECHO)
        )
        if option in able:
            self._agreed.add((verb, option))
            self._send(bytes((_IAC, _DO if verb == _WILL else _WILL, option)))
        else:
            self._send(bytes((_IAC, _DONT if verb == _WILL else _WONT, option)))

    def _control(self, command: int, value: bytes) -> None:
        if command == _BAUD and len(value) == 4:
            self.baud = int.from_bytes(value, "big") or self.baud
            value = self.baud.to_bytes(4, "big")
        elif command in self._settings and len(value) == 1:
            self._settings[command] = value[0] or self._settings[command]
            value = bytes((self._settings[command],))
        elif command == _SIGNATURE:
            value = b"simulated REC BMS"
        elif command in (_SUSPEND, _RESUME):
            return
        body = self.escape(bytes((command + _RESPONSE,)) + value)
        self._send(bytes((_IAC, _SB, _COM_PORT)) + body + bytes((_IAC, _SE)))
