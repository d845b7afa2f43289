"""A real Home Assistant with this project's integration in it, in a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from .api import Api, ApiError
from .ports import HOST
from .process import ROOT, ToolError, start, stop

USER: Final = "demo"
HASS: Final = "REC_BMS_HASS"
"""Names, in the environment, another `hass` than that of the environment this runs in."""

_RESTART_WANTED = 100
_START_WITHIN = 180.0
_STOP_WITHIN = 20.0
_POLL_EVERY = 0.1

# They are compiled on installation and serve voice assistants only; without them, every start
# would try in vain for half a minute. Home Assistant imports them nevertheless when its web page
# asks what actions there are, and without a response to that the page stays at "Loading…".
_NOT_NEEDED = "pymicro-vad,pyspeex-noise"
_STAND_INS = ROOT / "tools" / "testkit" / "stand_ins"

_CONFIGURATION = """\
homeassistant:
  name: Demo
  unit_system: metric
  language: en
  country: SI
  currency: EUR
  time_zone: {zone}
  # Whoever sits at this machine is let in without a password.
  auth_providers:
    - type: trusted_networks
      trusted_networks: [127.0.0.1]
      allow_bypass_login: true
    - type: homeassistant

config:
energy:
frontend:
history:
logbook:
my:
recorder:
"""


class HomeAssistant:
    """A running `hass` process, and `client`, with which its owner is logged in."""

    client: Api

    def __init__(self, config_dir: Path, port: int, session: aiohttp.ClientSession) -> None:
        """Take a folder with a configuration; nothing is started yet."""
        self.config_dir = config_dir
        self.url = f"http://{HOST}:{port}"
        self.session = session
        self.process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """What Home Assistant has logged since its last start but one."""
        files = [self.config_dir / f"home-assistant.log{suffix}" for suffix in (".1", "")]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    async def start(self) -> None:
        """Start, and return once it is up; the first time, make its owner. Raises ToolError."""
        errors = self.config_dir / "stderr.txt"
        with errors.open("wb") as stderr:
            self.process = await start(
                *(_program(), "--config", self.config_dir),
                *("--skip-pip-packages", _NOT_NEEDED),
                cwd=self.config_dir,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=stderr,
                modules=_STAND_INS,
            )
        try:
            async with asyncio.timeout(_START_WITHIN):
                await self._until_it_listens()
                if not hasattr(self, "client"):
                    self.client = await _onboard(Api(self.session, self.url))
                await self._until_it_runs()
        except TimeoutError:
            late = f"Home Assistant was not up after {_START_WITHIN:.0f} s"
            raise ToolError(f"{late}{self._last_words()}") from None

    async def stop(self) -> None:
        """Stop as an orderly shutdown does."""
        if self.process is not None:
            await stop(self.process, _STOP_WITHIN)

    async def stay(self) -> None:
        """Start it again whenever somebody restarts it; raise ToolError when it ends by itself."""
        assert self.process is not None
        while await self.process.wait() == _RESTART_WANTED:
            await self.start()
        raise self._ended()

    async def _until_it_listens(self) -> None:
        while True:
            try:
                await Api(self.session, self.url).request("GET", "/manifest.json")
            except aiohttp.ClientError, ApiError, ConnectionError:
                await self._moment()
            else:
                return

    async def _until_it_runs(self) -> None:
        while (await self.client.get("/api/config"))["state"] != "RUNNING":
            await self._moment()

    async def _moment(self) -> None:
        assert self.process is not None
        if self.process.returncode is not None:
            raise self._ended()
        await asyncio.sleep(_POLL_EVERY)

    def _ended(self) -> ToolError:
        assert self.process is not None
        code = self.process.returncode
        return ToolError(f"Home Assistant ended with {code}{self._last_words()}")

    def _last_words(self) -> str:
        said = (self.config_dir / "stderr.txt").read_text(errors="replace").strip().splitlines()
        if not said:
            return ""
        # One failure brings others with it, so the first says most.
        first_error = next((line for line in said if " ERROR " in line), said[-1])
        return f"; it said: {first_error}"


@asynccontextmanager
async def running_home_assistant(
    config_dir: Path, port: int, *, configuration: str = ""
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant with its web page on 127.0.0.1 and its owner made.

    `config_dir` is made, and left behind. `configuration` is added to configuration.yaml.
    """
    _write_configuration(config_dir, port, configuration)
    async with aiohttp.ClientSession() as session:
        home_assistant = HomeAssistant(config_dir, port, session)
        try:
            await home_assistant.start()
            yield home_assistant
        finally:
            await home_assistant.stop()


def _program() -> Path:
    """Return the `hass` of this environment, or of the one that `scripts/test --newest` names."""
    return Path(os.environ.get(HASS) or Path(sys.executable).with_name("hass"))


def _write_configuration(config_dir: Path, port: int, more: str) -> None:
    storage = config_dir / ".storage"
    storage.mkdir(parents=True)
    (config_dir / "configuration.yaml").write_text(_configuration() + more, encoding="utf-8")
    components = config_dir / "custom_components"
    components.mkdir(exist_ok=True)
    (components / "rec_bms").symlink_to(ROOT / "custom_components" / "rec_bms")
    # In configuration.yaml, http settings are deprecated: Home Assistant takes them for a trial,
    # and after five minutes restarts without them.
    http = {
        "server_host": [HOST],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    _store(storage, "http", 2, 2, {"stable": http, "pending": None, "yaml_migration_done": True})
    # This step of the onboarding adds a weather forecast and other things from the internet.
    _store(storage, "onboarding", 4, 1, {"done": ["core_config"]})


def _configuration() -> str:
    """Return configuration.yaml, with this machine's time zone where it says which it is."""
    zone = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    return _CONFIGURATION.format(zone=zone or "UTC")


def _store(storage: Path, key: str, version: int, minor_version: int, data: object) -> None:
    content = {"version": version, "minor_version": minor_version, "key": key, "data": data}
    (storage / key).write_text(json.dumps(content), encoding="utf-8")


async def _onboard(client: Api) -> Api:
    """Make the owner, as the web page does at the first visit, and return their client."""
    about = {"client_id": client.client_id, "language": "en"}
    user = {"name": "Demo", "username": USER, "password": secrets.token_hex(16)}
    owner = await client.with_code(
        (await client.post("/api/onboarding/users", {**user, **about}))["auth_code"]
    )
    await owner.post("/api/onboarding/analytics")
    await owner.post(
        "/api/onboarding/integration",
        {"client_id": client.client_id, "redirect_uri": client.client_id},
    )
    return await owner.lasting()
