"""The simulated BMS, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from .process import ROOT, ToolError, start, stop

_START_WITHIN = 20.0
_STOP_WITHIN = 3.0
_LINE_LIMIT = 2**22


class SimulatedBms:
    """A running simulator: the port it is on, or its WiFi module's host, and commands to it."""

    def __init__(self, process: asyncio.subprocess.Process, port: str, control: Path) -> None:
        """Take the port as Home Assistant is to be told, and the socket for commands."""
        self.process = process
        self.port = port
        self._control = control

    async def command(self, do: str, **fields: Any) -> dict[str, Any]:
        """Run one of the commands in the simulator's --help; return its response."""
        reader, writer = await asyncio.open_unix_connection(self._control, limit=_LINE_LIMIT)
        try:
            writer.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            response: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
        if not response.pop("ok"):
            raise ValueError(response["error"])
        return response


@asynccontextmanager
async def running_simulator(folder: Path, *arguments: str) -> AsyncIterator[SimulatedBms]:
    """Run a simulator with the arguments of `python -m tools.simulator`; its socket is in `folder`.

    Raises ToolError where it does not start, with what it said.
    """
    control = folder / "bms"
    command = [sys.executable, "-m", "tools.simulator", "--control", str(control), *arguments]
    pipe = asyncio.subprocess.PIPE
    process = await start(*command, cwd=ROOT, stdout=pipe, stderr=pipe)
    try:
        yield SimulatedBms(process, await _port(process), control)
    finally:
        await stop(process, _STOP_WITHIN)


async def _port(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_START_WITHIN):
            line = await process.stdout.readline()
            if line:
                return line.decode().partition(": ")[2].strip()
            said = (await process.stderr.read()).decode().strip().splitlines()
    except TimeoutError:
        said = []
    raise ToolError(f"the simulator did not start: {said[-1] if said else 'it said nothing'}")
