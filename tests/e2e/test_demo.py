"""The command scripts/demo: it works, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "scripts" / "demo"
VERSION = ["--oldest"] if sys.prefix.endswith(".venv-oldest") else []

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see what is left running"
)


class Run:
    """One run of the demo, with a folder of its own for what it leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = ""

    async def __call__(self, *options: str, interrupt_at: str | None = None) -> int:
        """Run to the end, or interrupt it when it says something; return the exit code."""
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        process = await asyncio.create_subprocess_exec(
            DEMO,
            *VERSION,
            *options,
            cwd="/",
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self.output += line.decode()
                if interrupt_at is not None and interrupt_at in self.output:
                    # Far enough into what was announced to be in the middle of it.
                    await asyncio.sleep(1)
                    process.send_signal(signal.SIGINT)
                    interrupt_at = None
            return await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    @property
    def left(self) -> list[str]:
        """What is still there: files, and processes that inherited the folder."""
        left = [str(path) for path in self.folder.iterdir()]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"TMPDIR={self.folder}".encode() in (process / "environ").read_bytes():
                    left.append((process / "cmdline").read_text())
            except OSError:
                continue
        return left


@pytest.fixture
def demo(tmp_path: Path) -> Run:
    return Run(tmp_path)


async def test_check_passes_with_child_units_and_leaves_nothing_behind(demo: Run) -> None:
    code = await demo("--check", "--simulator", "--units 2 --cells 4 --address 16")
    assert code == 0, demo.output
    assert "Cell 4 voltage" in demo.output
    assert "REC BMS 1Q VICTRON unit 2: Readings" in demo.output
    assert "address 16" in demo.output
    assert demo.left == []


async def test_an_interruption_while_it_starts_leaves_nothing_behind(demo: Run) -> None:
    assert await demo(interrupt_at="starting Home Assistant") == 130
    assert demo.left == []


async def test_an_interruption_while_it_runs_leaves_nothing_behind(demo: Run) -> None:
    assert await demo(interrupt_at="Ctrl-C ends it") == 0, demo.output
    assert "http://127.0.0.1:" in demo.output
    assert demo.left == []


async def test_a_port_that_is_not_there_is_said_on_one_line(demo: Run) -> None:
    assert await demo("--port", "/dev/nosuch") == 1
    assert demo.output == "demo: there is no /dev/nosuch: check that the adapter is plugged in\n"
    assert demo.left == []
