"""A real mosquitto on loopback, which only lets in who knows the password."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

USER, PASSWORD = "owner", "a secret"

_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence false
user root
"""


def find_mosquitto() -> str:
    """Return the program; without it, tests are skipped, or in CI fail."""
    # Debian keeps it where only root's PATH leads.
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    if (program := shutil.which("mosquitto", path=path)) is None:
        how = "there is no mosquitto: apt-get install -y mosquitto"
        if os.environ.get("CI"):
            pytest.fail(how)
        pytest.skip(how)
    return program


@dataclass
class Message:
    """One message, and whether the broker had kept it."""

    topic: str
    payload: str
    retained: bool
    at: float = field(default_factory=time.monotonic)


class Broker:
    """The broker, and a client that listens to everything."""

    def __init__(self, folder: Path, port: int) -> None:
        self._program = find_mosquitto()
        self.port = port
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(_CONFIGURATION.format(port=self.port, folder=folder))
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, USER, PASSWORD], check=True)
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", self._configuration], stdout=log, stderr=log
            )
        give_up_at = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < give_up_at, self._log.read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def anonymous_is_refused(self) -> bool:
        """Tell whether who gives no password is kept out."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        refused: list[bool] = []
        client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(reason.is_failure)
        client.connect("127.0.0.1", self.port)
        while not refused:
            client.loop(0.1)
        return refused[0]

    async def listen(self, until: Callable[[list[Message]], bool], within: float) -> list[Message]:
        """Return what came until a condition holds of it, or the time is over."""
        return await asyncio.to_thread(self._listen, until, within)

    def _listen(self, until: Callable[[list[Message]], bool], within: float) -> list[Message]:
        heard: list[Message] = []
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(USER, PASSWORD)
        client.on_connect = lambda client, *_: client.subscribe("#")
        client.on_message = lambda _client, _user, message: heard.append(
            Message(message.topic, message.payload.decode(), bool(message.retain))
        )
        client.connect("127.0.0.1", self.port)
        give_up_at = time.monotonic() + within
        while time.monotonic() < give_up_at and not until(heard):
            client.loop(0.1)
        client.disconnect()
        return heard

    async def kept(self) -> dict[str, str]:
        """Return what the broker keeps, by topic."""
        messages = await self.listen(lambda _: False, 0.7)
        return {each.topic: each.payload for each in messages if each.retained}
