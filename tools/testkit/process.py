"""Programs that run as long as they are needed, and not a moment longer."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]


class ToolError(Exception):
    """Something is missing or does not work; the message is for the user, on one line."""


async def start(
    *command: str | Path,
    cwd: Path,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    modules: Path | None = None,
) -> asyncio.subprocess.Process:
    """Start a program in a session of its own: a Ctrl-C in the terminal is not meant for it.

    `modules` is a folder of Python modules for it.
    """
    # What this project's commands put on the path is not for Home Assistant, which finds the
    # integration in its configuration folder.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if modules is not None:
        environment["PYTHONPATH"] = str(modules)
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


async def stop(process: asyncio.subprocess.Process, within: float) -> None:
    """Ask a program to end; after `within` seconds, end it and all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
