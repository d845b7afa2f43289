"""The simulator in a loop, and in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from tests.realtime.simulator.terminal import Start, Terminal
from tools.simulator import BMS, Simulator, SimulatorThread
from tools.simulator.framing import build

KNOWN_ANSWER = bytes.fromhex("55 00 01 09 34 2E 35 30 30 30 30 65 32 FB B4 AA")


async def test_the_simulator_runs_in_the_loop_of_its_client() -> None:
    async with Simulator(time_factor=0) as sim:
        with Terminal(sim.port) as client:
            client.send(build(1, 0, b"CAPA?"))
            assert await asyncio.to_thread(client.receive) == KNOWN_ANSWER
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    assert not tasks


def test_a_thread_passes_on_results_and_exceptions(sim: SimulatorThread) -> None:
    sim.call(sim.bms[1].set_value, "CMAX", 4.1)
    assert sim.call(lambda: sim.bms[1].written("CMAX")) == "4.10000e0"
    with pytest.raises(ZeroDivisionError):
        sim.call(lambda: 1 / 0)


def test_a_simulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), SimulatorThread(link=tmp_path / "file" / "link"):  # noqa: PT011
        pass
    with pytest.raises(TypeError, match="each BMS"), SimulatorThread(bms=[BMS()], cells=4):
        pass
    with pytest.raises(ValueError, match="no fault is called"), SimulatorThread(faults={"x": 1}):
        pass


@pytest.mark.parametrize("transport", ["pty", "none"])
def test_a_module_is_beside_a_simulated_port_or_in_its_place(start: Start, transport: str) -> None:
    sim = start(transport=transport, wifi={"name": "1A-7", "settings_period": 0.05}, cells=4)

    async def name() -> str:
        url = f"ws://{sim.wifi.host}/ws"
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as client:
            return str((await client.receive_json())["bms_name"])

    assert asyncio.run(name()) == "1A-7"
    assert sim.simulator.has_port == (transport == "pty")
    sim.call(sim.wifi.sleep)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sim.wifi.port))


def test_a_simulator_that_lacks_a_port_or_a_module_says_so(start: Start) -> None:
    with pytest.raises(RuntimeError, match="no serial port"):
        _ = start(transport="none").port
    with pytest.raises(RuntimeError, match="no WiFi module"):
        _ = start().wifi
