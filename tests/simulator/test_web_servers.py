"""What may be at an address where no WiFi module is: each of them is what its name says."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.unit.protocol.on_virtual_time import virtual
from tools.testkit import web_servers
from tools.testkit.web_servers import Handler, saying_nothing, serving


@pytest.mark.parametrize(
    ("handler", "status"), [(web_servers.not_found, 404), (web_servers.same_page, 200)]
)
@virtual
async def test_a_plain_web_server_accepts_no_websocket(handler: Handler, status: int) -> None:
    async with serving(handler) as host, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"ws://{host}/ws")
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("handler", "kind", "size"),
    [
        (web_servers.other_messages, aiohttp.WSMsgType.TEXT, 32),
        (web_servers.megabyte_of_text, aiohttp.WSMsgType.TEXT, 2**20),
        (web_servers.megabyte_of_bytes, aiohttp.WSMsgType.BINARY, 2**20),
    ],
)
@virtual
async def test_another_websocket_says_other_things(
    handler: Handler, kind: aiohttp.WSMsgType, size: int
) -> None:
    async with serving(handler) as host, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"ws://{host}/ws", max_msg_size=0) as client:
            frame = await client.receive()
            assert (frame.type, len(frame.data)) == (kind, size)
        client = await http.ws_connect(f"ws://{host}/ws")


@virtual
async def test_a_server_that_says_nothing_accepts_and_says_nothing() -> None:
    async with saying_nothing() as host, aiohttp.ClientSession() as http:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(http.ws_connect(f"ws://{host}/ws"), 300)
