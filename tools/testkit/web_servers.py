"""What may be at an address where no WiFi module is; `async with serving(not_found) as host`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

_MEGABYTE = 2**20

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve HTTP on a free port, with one handler for all paths; yields HOST:PORT."""
    server = web.Server(handler, handler_cancellation=True, access_log=None)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield _host(listening)
    finally:
        listening.close()
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await listening.wait_closed()


@asynccontextmanager
async def saying_nothing() -> AsyncIterator[str]:
    """Accept TCP connections on a free port and say nothing; yields HOST:PORT."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    try:
        yield _host(server)
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()


def _host(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()
    return f"{host}:{port}"


async def not_found(_request: web.BaseRequest) -> web.StreamResponse:
    """Know no page at all."""
    return web.Response(status=404)


async def same_page(_request: web.BaseRequest) -> web.StreamResponse:
    """Answer everything with one HTML page, as a router's login does."""
    return web.Response(text="<html><body>Log in</body></html>", content_type="text/html")


async def other_messages(request: web.BaseRequest) -> web.StreamResponse:
    """Accept a WebSocket and say other JSON than a module does."""
    return await _saying('{"type":"result","success":true}', request)


async def megabyte_of_text(request: web.BaseRequest) -> web.StreamResponse:
    """Accept a WebSocket and say 1 MB of text."""
    return await _saying("x" * _MEGABYTE, request)


async def megabyte_of_bytes(request: web.BaseRequest) -> web.StreamResponse:
    """Accept a WebSocket and say 1 MB of bytes."""
    return await _saying(bytes(_MEGABYTE), request)


async def _saying(message: str | bytes, request: web.BaseRequest) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    if isinstance(message, str):
        await socket.send_str(message)
    else:
        await socket.send_bytes(message)
    async for _ in socket:
        pass
    return socket
