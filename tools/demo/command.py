"""Shows the integration at work: a BMS, a real Home Assistant, its web page, its readings."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import aiohttp

from tools.testkit.api import ApiError
from tools.testkit.flow import Added, add_integration, add_wifi_module
from tools.testkit.home_assistant import HomeAssistant, running_home_assistant
from tools.testkit.ports import reserved_port
from tools.testkit.process import ToolError
from tools.testkit.simulated import SimulatedBms, running_simulator

from .dashboard import add_dashboard
from .readings import Readings, Shown, status, table

_VALUES_WITHIN = 60.0
_LOOK_EVERY = 0.5
_STATUS_EVERY = 2.0
_INTERRUPTED = 130
_WIFI = ("--wifi", "127.0.0.1:0", "--wifi-settings-period", "5")

_ABOUT = """\
Starts a simulated REC BMS and a real Home Assistant, adds the integration through its dialog,
prints the address to open and a table of readings, and runs until Ctrl-C. Leaves nothing behind."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/demo",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    way = made.add_mutually_exclusive_group()
    way.add_argument(
        "--wifi",
        action="store_true",
        help="with a simulated WiFi module in place of a serial port",
    )
    way.add_argument(
        "--port",
        help="your own BMS instead of a simulated one: its port, such as /dev/ttyUSB0, or a URL, "
        "such as socket://192.168.1.20:4001; its settings are then shown but cannot be changed",
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="end by itself: with 0 once every enabled entity has a value, otherwise with 1, "
        "naming those that have none",
    )
    made.add_argument(
        "--simulator",
        default="",
        metavar="OPTIONS",
        help='options for the simulator, such as --simulator="--cells 16 --units 2 --scenario '
        'cycling --speed-up 60"; "python -m tools.simulator --help" explains them',
    )
    made.add_argument(
        "--http-port",
        type=int,
        metavar="N",
        help="port of the web page (default: the first that is free, from 8123 on)",
    )
    return made


class Demo:
    """What the command does, from beginning to end."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Take what was asked for on the command line."""
        self._options = options
        self._terminal = sys.stdout.isatty()
        self._busy_line = False
        self.is_up = False

    async def run(self) -> int:
        """Return the exit code; or run until cancelled. Raises ToolError."""
        port = self._port()
        async with AsyncExitStack() as stack:
            http_port = stack.enter_context(reserved_port(self._options.http_port))
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="rec_bms_demo_", ignore_cleanup_errors=True)
                )
            )
            try:
                return await self._run(stack, folder, http_port, port)
            finally:
                self._say("stopping")

    async def _run(
        self, stack: AsyncExitStack, folder: Path, http_port: int, port: str | None
    ) -> int:
        bms = None
        if port is None:
            self._say("starting a simulated BMS")
            way = _WIFI if self._options.wifi else ()
            bms = await stack.enter_async_context(
                running_simulator(folder, *way, *shlex.split(self._options.simulator))
            )
            port = bms.port
        self._say(f"starting Home Assistant {version('homeassistant')}; this takes a while")
        home_assistant = await stack.enter_async_context(
            running_home_assistant(folder / "config", http_port)
        )
        if self._options.wifi:
            added = await self._add_wifi(home_assistant, port)
        else:
            added = await self._add(home_assistant, port, allow_changes=bms is not None)
        await add_dashboard(home_assistant.client)
        readings = Readings(home_assistant.client, added.entry_id)
        entities = await self._until_all_have_values(readings)
        self._print_table(entities)
        without = [each for each in entities if not each.has_value]
        if self._options.check:
            return self._verdict(entities, without)
        for each in without:
            self._say(f"no value: {each.name} ({each.entity_id})")
        await self._stay(home_assistant, bms, readings)
        return 0

    def _port(self) -> str | None:
        """Return the port of the user's own BMS, None where it is to be simulated."""
        port: str | None = self._options.port
        if port is None or "://" in port:
            return port
        path = Path(port).absolute()
        if not path.exists():
            raise ToolError(f"there is no {path}: check that the adapter is plugged in")
        return str(path)

    async def _add(self, home_assistant: HomeAssistant, port: str, *, allow_changes: bool) -> Added:
        self._say(f"adding the integration through its dialog, with the port {port}")
        added = await add_integration(
            home_assistant.client, port, allow_changes=allow_changes, progress=self._progress
        )
        self._say_found(added)
        if allow_changes:
            self._say("changing settings is allowed, since this BMS is only simulated")
        else:
            self._say("changing settings is NOT allowed, since this BMS is real")
        return added

    async def _add_wifi(self, home_assistant: HomeAssistant, host: str) -> Added:
        self._say(f"adding the integration through its dialog, with the WiFi module at {host}")
        added = await add_wifi_module(home_assistant.client, host, progress=self._progress)
        self._say_found(added)
        return added

    def _say_found(self, added: Added) -> None:
        found = ", ".join(f"{name} {value}" for name, value in added.found.items())
        self._say(f"found: {found}")

    async def _until_all_have_values(self, readings: Readings) -> list[Shown]:
        self._say("waiting for the readings")
        give_up_at = time.monotonic() + _VALUES_WITHIN
        while True:
            entities = await readings.read()
            whole = bool(entities) and all(each.has_value for each in entities)
            if whole or time.monotonic() > give_up_at:
                return entities
            await asyncio.sleep(_LOOK_EVERY)

    def _verdict(self, entities: Sequence[Shown], without: Sequence[Shown]) -> int:
        if entities and not without:
            self._say(f"check passed: all {len(entities)} enabled entities have values")
            return 0
        names = ", ".join(f"{each.name} ({each.entity_id})" for each in without)
        self._complain(f"check failed, no value: {names or 'there are no entities'}")
        return 1

    async def _stay(
        self, home_assistant: HomeAssistant, bms: SimulatedBms | None, readings: Readings
    ) -> None:
        """Run until cancelled; raise ToolError when Home Assistant or the simulator ends."""
        self._say(f"open {home_assistant.url} in a browser on this machine; no login is needed")
        self._say("Ctrl-C ends it")
        self.is_up = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(home_assistant.stay())
            if bms is not None:
                tasks.create_task(_watch(bms))
            if self._terminal:
                tasks.create_task(self._show_status(readings))

    async def _show_status(self, readings: Readings) -> None:
        while True:
            try:
                line = status(await readings.read())
            except aiohttp.ClientError, ApiError, ConnectionError, TimeoutError:
                line = "Home Assistant does not answer"
            self._show(f"{time.strftime('%H:%M:%S')}  {line}")
            await asyncio.sleep(_STATUS_EVERY)

    def _progress(self, fraction: float) -> None:
        if self._terminal:
            self._show(f"demo: searching for BMSs, {fraction:.0%}")

    def _print_table(self, entities: Sequence[Shown]) -> None:
        self._print("")
        for line in table(entities, shutil.get_terminal_size((120, 0)).columns):
            self._print(line)

    def _show(self, text: str) -> None:
        """Show a line that the next one overwrites."""
        columns = shutil.get_terminal_size().columns
        sys.stdout.write(f"\r\x1b[K{text[: columns - 1]}")
        sys.stdout.flush()
        self._busy_line = True

    def _say(self, text: str) -> None:
        self._print(f"demo: {text}")

    def _print(self, text: str) -> None:
        if self._busy_line:
            sys.stdout.write("\n" if self.is_up else "\r\x1b[K")
            self._busy_line = False
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _complain(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(f"demo: {text}\n")


async def _watch(bms: SimulatedBms) -> None:
    raise ToolError(f"the simulator ended with {await bms.process.wait()}")


async def _main(options: argparse.Namespace) -> int:
    """Run until done or interrupted; a second interruption does not disturb the cleaning up."""
    demo = Demo(options)
    work = asyncio.ensure_future(demo.run())
    loop = asyncio.get_running_loop()
    stopping = False

    def interrupt() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    try:
        return await work
    except asyncio.CancelledError:
        return 0 if demo.is_up else _INTERRUPTED


def main() -> int:
    """Return the exit code; whatever is wrong is said on one line."""
    options = parser().parse_args()
    try:
        return asyncio.run(_main(options))
    except* ToolError as errors:
        sys.stderr.write(f"demo: {errors.exceptions[0]}\n")
    return 1
