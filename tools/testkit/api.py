"""Home Assistant's HTTP and WebSocket APIs, as its web page uses them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

_RESPONSE_WITHIN = 60.0
_MESSAGE_LIMIT = 2**26


class ApiError(Exception):
    """Home Assistant refused a request; `code` is an HTTP status or a WebSocket error code."""

    def __init__(self, code: int | str, message: str) -> None:
        """Keep what it said."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Api:
    """One user's access to Home Assistant."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        """Take the address without a slash at its end; without a token nobody is logged in."""
        self._session = session
        self.url = url
        self._token = token

    @property
    def client_id(self) -> str:
        """What Home Assistant's own web page calls itself."""
        return f"{self.url}/"

    @property
    def token(self) -> str | None:
        """What this user is logged in with."""
        return self._token

    async def request(self, method: str, path: str, **options: Any) -> bytes:
        """Return the body of a response. Raises ApiError; aiohttp.ClientError without a server."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        timeout = aiohttp.ClientTimeout(total=_RESPONSE_WITHIN)
        async with self._session.request(
            method, self.url + path, headers=headers, timeout=timeout, **options
        ) as response:
            body = await response.read()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise ApiError(response.status, body.decode(errors="replace"))
            return body

    async def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(await self.request("GET", path))

    async def post(self, path: str, body: Any = None) -> Any:
        """Post JSON and return the response's."""
        return json.loads(await self.request("POST", path, json=body or {}))

    async def delete(self, path: str) -> Any:
        """Delete what is at a path and return the response's JSON."""
        return json.loads(await self.request("DELETE", path))

    @asynccontextmanager
    async def websocket(self) -> AsyncIterator[WebSocket]:
        """Lend a WebSocket on which this user is logged in."""
        address = self.url + "/api/websocket"
        async with self._session.ws_connect(address, max_msg_size=_MESSAGE_LIMIT) as socket:
            await socket.receive_json(timeout=_RESPONSE_WITHIN)
            await socket.send_json({"type": "auth", "access_token": self._token})
            response = await socket.receive_json(timeout=_RESPONSE_WITHIN)
            if response["type"] != "auth_ok":
                raise ApiError(response["type"], response.get("message", ""))
            yield WebSocket(socket)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Run one WebSocket command and return its result. Raises ApiError."""
        async with self.websocket() as socket:
            return await socket.command(kind, **fields)

    async def act(self, action: str, *, respond: bool = False, **data: Any) -> Any:
        """Call an action; return its response where that is wanted. Raises ApiError."""
        domain, name = action.split(".")
        result = await self.command(
            "call_service", domain=domain, service=name, service_data=data, return_response=respond
        )
        return result.get("response")

    async def log_in(self, username: str, password: str) -> Api:
        """Return the client of a user who has a password."""
        flow = await self.post(
            "/auth/login_flow",
            {
                "client_id": self.client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self.client_id,
            },
        )
        result = await self.post(
            f"/auth/login_flow/{flow['flow_id']}",
            {"client_id": self.client_id, "username": username, "password": password},
        )
        return await self.with_code(result["result"])

    async def with_code(self, code: str) -> Api:
        """Return the client of the user for whom Home Assistant gave out a code."""
        form = {"client_id": self.client_id, "grant_type": "authorization_code", "code": code}
        body = await self.request("POST", "/auth/token", data=form)
        return Api(self._session, self.url, json.loads(body)["access_token"])

    async def lasting(self) -> Api:
        """Return a client of the same user that is not locked out after half an hour."""
        token = await self.command("auth/long_lived_access_token", client_name="demo", lifespan=30)
        return Api(self._session, self.url, token)


class WebSocket:
    """Commands one after the other, and the events of what was subscribed to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take a socket that is logged in."""
        self._socket = socket
        self._ids = itertools.count(1)
        self._events: deque[dict[str, Any]] = deque()

    async def command(self, kind: str, **fields: Any) -> Any:
        """Run a command and return its result. Raises ApiError."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "type": kind, **fields})
        while True:
            message = await self._receive(_RESPONSE_WITHIN)
            if message["id"] != number or message["type"] != "result":
                self._events.append(message)
                continue
            if not message["success"]:
                raise ApiError(message["error"]["code"], message["error"]["message"])
            return message["result"]

    async def event(self, within: float) -> Any:
        """Return the oldest event not returned yet, None where none comes in so many seconds."""
        if not self._events:
            try:
                self._events.append(await self._receive(within))
            except TimeoutError:
                return None
        return self._events.popleft()["event"]

    async def _receive(self, within: float) -> dict[str, Any]:
        """Return the next message. Raises TimeoutError; ConnectionError when there is no other."""
        try:
            async with asyncio.timeout(within):
                message: dict[str, Any] = await self._socket.receive_json()
        except TypeError as err:
            raise ConnectionResetError("Home Assistant closed the WebSocket") from err
        return message
