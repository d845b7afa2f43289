"""A far end that follows a script, on virtual time, without a port."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import serialx

from custom_components.rec_bms.protocol.rs485.frame import Decoder, Frame
from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE
from custom_components.rec_bms.protocol.rs485.transaction import Exchange, Transactions
from custom_components.rec_bms.protocol.rs485.transport import Transport

PORT = "scripted"


def frames(*payloads: bytes, sender: int = 1, destination: int = 0) -> bytes:
    """Return payloads as they go over the line."""
    return b"".join(Frame(destination, sender, payload).encode() for payload in payloads)


type Piece = tuple[float, bytes]
"""Seconds after the request, and the bytes that come then."""


class Peer:
    """Hears requests, and sends what the script has for each, one entry for each attempt.

    Where the script has nothing, `always` counts; where that has nothing, nothing comes.
    """

    def __init__(self) -> None:
        self.script: defaultdict[str, list[list[Piece]]] = defaultdict(list)
        self.always: dict[str, list[Piece]] = {}
        self.heard: list[tuple[str, int, float]] = []
        self._decoder = Decoder()
        self._protocol: Any = None
        self.transport = Transport(PORT, 56000)
        self.transactions = Transactions(self.transport)

    @property
    def requests(self) -> list[str]:
        """Return the payloads of the requests that were heard."""
        return [payload for payload, _, _ in self.heard]

    @property
    def now(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    def at(self, index: int) -> float:
        """Return when a request was heard."""
        return self.heard[index][2]

    async def open(self) -> None:
        """Stand in for serialx."""
        before = serialx.create_serial_connection
        serialx.create_serial_connection = self._connect  # type: ignore[assignment]
        try:
            await self.transport.open()
        finally:
            serialx.create_serial_connection = before

    async def _connect(self, _loop: object, factory: Any, *_: object) -> Any:
        self._protocol = factory()
        return self, self._protocol

    def write(self, data: bytes) -> None:
        """Take what is sent."""
        for frame in self._decoder.feed(data):
            payload = frame.payload.decode("ascii")
            self.heard.append((payload, frame.destination, self.now))
            pieces = self.script[payload].pop(0) if self.script[payload] else None
            self.send(self.always.get(payload, []) if pieces is None else pieces)

    def send(self, pieces: Sequence[Piece]) -> None:
        """Have bytes come, so many seconds from now."""
        for delay, data in pieces:
            asyncio.get_running_loop().call_later(delay, self._protocol.data_received, data)

    def abort(self) -> None:
        """Close, as a transport does."""
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    async def request(self, code: str, address: int = 1, **options: int) -> Exchange:
        """Request an instruction."""
        return await self.transactions.request(address, BY_CODE[code], **options)

    async def read(self, code: str, address: int = 1, **options: int) -> tuple[bytes, ...]:
        """Return the payloads of an instruction's response."""
        return (await self.request(code, address, **options)).payloads


async def scripted() -> Peer:
    """Return a peer on an open port; its fences are answered in 20 ms."""
    peer = Peer()
    peer.always |= {
        "ERRO?": [(0.02, frames(b"4", bytes(4)))],
        "LCD1?": [(0.02, frames(b"28", bytes(28)))],
        "LCD3?": [(0.02, frames(b"8", bytes(8)))],
    }
    await peer.open()
    return peer
