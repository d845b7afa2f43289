"""REC's WiFi module in front of a simulated BMS: a web server that pushes JSON over WebSockets.

    async with WifiModule(bms, period=5.0) as module:
        connect(f"ws://{module.host}/ws")

It lives in the running loop and goes by that loop's clock. Like the real one it takes nothing: what
clients send is only noted, in `received`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from . import wifi_messages
from .bms import BMS
from .sockets import bound
from .wifi_faults import WifiFaults

_PAGE = "<!DOCTYPE html><html><head><title>REC BMS</title></head><body>REC BMS</body></html>"
_SHUT_WITHIN = 1.0


class WifiModule:
    """A WiFi module that tells of a BMS; `host` (as "127.0.0.1:PORT") is what a user would type.

    `port` 0 is any free one. `name` is its `bms_name`. `period` and `settings_period` are the s
    between two messages of a kind; the real ones are not known. `missing` are keys that its
    messages lack (see `wifi_messages.without`). `percent`: soc and soh as 0 to 100. `silent`: it
    pushes only when told. `faults` strike what it pushes of its own, told or not.
    """

    def __init__(
        self,
        bms: BMS,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str = "1A-2261",
        period: float = 5.0,
        settings_period: float = 30.0,
        missing: Collection[str] = (),
        percent: bool = False,
        silent: bool = False,
        faults: WifiFaults | None = None,
    ) -> None:
        self.bms = bms
        self.name = name
        self.period = period
        self.settings_period = settings_period
        for key in missing:
            self._check(key)
        self.missing = set(missing)
        self.percent = percent
        self.silent = silent
        self.faults = faults or WifiFaults()
        self.received: list[str] = []
        """All that clients sent: "GET /ws", "ping", "pong", "close", "text …", "POST /…" …"""
        self.connections = 0
        """WebSockets that were opened since the start."""
        self._interface = host
        self.port = port
        self._open: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._handling: set[asyncio.Task[Any]] = set()
        self._going = asyncio.Event()
        self._going.set()
        self._web: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._kept_port: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._waking: asyncio.TimerHandle | None = None

    def _check(self, missing: str) -> None:
        whole = (
            wifi_messages.status_message(self.bms, _now()),
            wifi_messages.settings_message(self.bms, _now(), self.name),
        )
        if not any(wifi_messages.take_out(message, missing) for message in whole):
            msg = f"no message of a WiFi module has the key {missing!r}"
            raise ValueError(msg)

    @property
    def host(self) -> str:
        """What a user would type."""
        return f"{self._interface}:{self.port}"

    @property
    def clients(self) -> int:
        """How many WebSockets are open now."""
        return sum(not transport.is_closing() for transport in self._open.values())

    # -- starting and stopping -------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, and begin to push; raises OSError where the port cannot be had."""
        self._web = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._keep_port()
        await self.wake()
        self._tasks = [
            asyncio.create_task(self._again_and_again(lambda: self.period, self.push_status)),
            asyncio.create_task(
                self._again_and_again(lambda: self.settings_period, self.push_settings)
            ),
        ]

    async def close(self) -> None:
        """Stop, and leave nothing behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.sleep()
        if self._kept_port is not None:
            self._kept_port.close()
            self._kept_port = None
        if self._web is not None:
            await self._web.shutdown(_SHUT_WITHIN)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _keep_port(self) -> None:
        """Take the port without listening: who connects is refused."""
        self._kept_port = bound(self._interface, self.port)
        self.port = self._kept_port.getsockname()[1]

    async def sleep(self) -> None:
        """Break all connections off and refuse new ones."""
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._keep_port()
        await self.drop()

    async def wake(self) -> None:
        """Listen again, on the same port."""
        if self._kept_port is None or self._web is None:
            return
        kept, self._kept_port = self._kept_port, None
        self._listening = await asyncio.get_running_loop().create_server(self._web, sock=kept)

    async def restart(self, away: float) -> None:
        """Fall asleep, and wake after so many s; returns at once."""
        await self.sleep()
        loop = asyncio.get_running_loop()
        self._waking = loop.call_later(away, lambda: self._in_background(self.wake()))

    def _in_background(self, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    async def drop(self) -> None:
        """Break all connections off, without a word."""
        everybody = self._web.connections if self._web is not None else []
        for connection in everybody:
            if connection.transport is not None:
                connection.transport.abort()
        if self._handling:
            await asyncio.wait(self._handling)

    async def stall(self) -> None:
        """Keep the connections, and answer and push nothing, as a module that hangs."""
        self._going.clear()

    async def resume(self) -> None:
        """Go on after `stall`; pings that came meanwhile stay unanswered."""
        self._going.set()

    # -- telling ---------------------------------------------------------------------------------

    def status(self) -> str:
        """Return the status message as it is now."""
        made = wifi_messages.status_message(self.bms, _now(), percent=self.percent)
        return wifi_messages.written(wifi_messages.without(made, self.missing))

    def settings(self) -> str:
        """Return the settings message as it is now."""
        made = wifi_messages.settings_message(self.bms, _now(), self.name)
        return wifi_messages.written(wifi_messages.without(made, self.missing))

    async def push_status(self) -> None:
        """Push a status message to all clients, or what a fault makes of it."""
        await self._push_own(self.status())

    async def push_settings(self) -> None:
        """Push a settings message to all clients, or what a fault makes of it."""
        await self._push_own(self.settings())

    async def push(self, message: str | bytes) -> None:
        """Push anything to all clients, in a text or a binary frame."""
        sending = [_send(client, message) for client in tuple(self._open)]
        await asyncio.gather(*sending)

    async def push_raw(self, data: bytes) -> None:
        """Put bytes on the TCP connections behind all WebSockets, as they are."""
        for transport in tuple(self._open.values()):
            if not transport.is_closing():
                transport.write(data)

    async def _again_and_again(
        self, period: Callable[[], float], push: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await asyncio.sleep(period())
            if not self.silent and self._going.is_set():
                await push()

    async def _push_own(self, message: str) -> None:
        if not self.clients:
            return
        fault = self.faults.draw()
        if fault == "connection_lost":
            await self.drop()
        elif fault == "stall":
            await self.stall()
            loop = asyncio.get_running_loop()
            loop.call_later(self.faults.stall_for(), self._going.set)
        elif fault == "broken_frame":
            await self.push_raw(self.faults.broken_frame())
        else:
            for each in self.faults.spoilt(fault, message):
                await self.push(each)

    # -- listening -------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.received.append(f"{request.method} {request.path_qs}")
        task = asyncio.current_task()
        assert task is not None
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        await self._going.wait()
        return await self._answer(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "GET":
            return web.Response(status=405)
        if request.path == "/ws":
            return await self._serve(request)
        if request.path == "/cell":
            return self._cell()
        if request.path == "/":
            return web.Response(text=_PAGE, content_type="text/html")
        return web.Response(status=404)

    def _cell(self) -> web.Response:
        made = wifi_messages.status_message(self.bms, _now(), percent=self.percent)
        del wifi_messages.without(made, self.missing)["type"]
        return web.Response(text=wifi_messages.written(made), content_type="application/json")

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        client = web.WebSocketResponse(autoping=False, autoclose=False, compress=False)
        await client.prepare(request)
        assert request.transport is not None
        self._open[client] = request.transport
        self.connections += 1
        try:
            await self._listen(client)
        finally:
            del self._open[client]
        return client

    async def _listen(self, client: web.WebSocketResponse) -> None:
        while True:
            message = await client.receive()
            if message.type in (WSMsgType.CLOSED, WSMsgType.CLOSING):
                return
            content = f" {message.data}" if message.type in _WITH_CONTENT else ""
            self.received.append(f"{message.type.name.lower()}{content}")
            if message.type is WSMsgType.CLOSE:
                await self._going.wait()
                await client.close(drain=False)
                return
            if message.type is WSMsgType.ERROR:
                return
            if message.type is WSMsgType.PING and self._going.is_set():
                with contextlib.suppress(ConnectionError):
                    await client.pong(message.data)


_WITH_CONTENT = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.ERROR)


async def _send(client: web.WebSocketResponse, message: str | bytes) -> None:
    with contextlib.suppress(ConnectionError):
        if isinstance(message, str):
            await client.send_str(message)
        else:
            await client.send_bytes(message)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
