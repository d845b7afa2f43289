"""The simulator as a program, with its control socket."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.realtime.simulator.terminal import Terminal
from tools.simulator import wifi_faults
from tools.simulator.faults import ABOUT
from tools.simulator.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]
Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run() -> Iterator[Run]:
    with ExitStack() as stack:

        def begin(*arguments: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "tools.simulator", *arguments],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def port_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("port: "), process.stderr and process.stderr.read()
    return line.removeprefix("port: ").strip()


def test_help_explains_all_faults_and_scenarios() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "tools.simulator", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = ("--link", "--tcp", "--address", "--baud", "--speed-up", "--wifi", "--wifi-fault")
    for word in (*ABOUT, *SCENARIOS, *wifi_faults.ABOUT, *words):
        assert word in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_told_to_stop_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    link, control = tmp_path / "bms", tmp_path / "control"
    process = run("--link", str(link), "--control", str(control), "--speed-up", "0")
    assert port_of(process) == str(link)
    with Terminal(str(link)) as client:
        assert client.ask("*IDN?") == [b"REC BMS 1Q VICTRON"]
    process.send_signal(number)
    assert process.wait(5) == 0
    assert list(tmp_path.iterdir()) == []
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_options_reach_the_bms(run: Run) -> None:
    process = run(
        *("--address", "5", "--address", "7", "--chemistry", "lifepo4", "--units", "2"),
        *("--baud", "115200", "--tcp", "0", "--unsupported", "rint", "-v", "--no-noise"),
    )
    with Terminal(port_of(process)) as client:
        assert client.ask("CHEM?", 7) == [b"3"]
        header, *units = client.ask("CELL?", 5)
        assert (header, [len(unit) for unit in units]) == (b"2", [16, 16])
        assert client.ask("RINT?", 5, first=0.3) == []


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--fault", "late"), ("--fault", "x=1"), ("--cells", "17"), ("--scenario", "x")),
        *(("--wifi", "8080"), ("--wifi", "127.0.0.1:x"), ("--wifi-fault", "late=0.1")),
    ],
)
def test_what_cannot_be_is_refused_at_once(run: Run, arguments: tuple[str, ...]) -> None:
    process = run(*arguments)
    assert process.wait(10) == 2


def test_shares_over_one_are_refused_with_a_reason(run: Run) -> None:
    process = run("--fault", "late=0.7", "--fault", "noise=0.7")
    assert process.wait(10) == 1
    assert process.stderr is not None
    assert "more than 1" in process.stderr.read()


@pytest.mark.parametrize("arguments", [("--wifi-missing", "capa"), ("--wifi-fault", "lost=1.5")])
def test_a_module_that_cannot_be_is_refused_with_a_reason(
    run: Run, arguments: tuple[str, ...]
) -> None:
    process = run("--wifi", "127.0.0.1:0", *arguments)
    assert process.wait(10) == 1
    assert process.stderr is not None
    assert process.stderr.read().startswith("simulator: ")


def wifi_host_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("wifi: "), process.stderr and process.stderr.read()
    return line.removeprefix("wifi: ").strip()


def page(host: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{host}{path}", timeout=5) as response:
        return json.load(response)


def test_a_wifi_module_takes_the_place_of_the_port(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "control"
    process = run(
        *("--wifi", "127.0.0.1:0", "--wifi-name", "1A-7", "--wifi-missing", "bal"),
        *("--chemistry", "lifepo4", "--address", "2", "--control", str(path)),
    )
    host = wifi_host_of(process)
    unit = page(host, "/cell")["bms_array"]["slave"]["0"]
    assert (unit["address"], unit["st_celic"], "bal" in unit) == (2, 4, False)
    remote = Remote(path)
    assert remote.do("info")["port"] is None
    assert remote.do("wifi")["received"] == ["GET /cell"]
    remote.do("wifi", action="sleep")
    with pytest.raises(urllib.error.URLError):
        page(host, "/cell")
    remote.do("wifi", action="wake")
    assert page(host, "/cell")
    remote.do("wifi", action="restart", seconds=0.1)
    for action in ("push", "stall", "resume", "drop"):
        assert remote.do("wifi", action=action, text="{}")["host"] == host
    assert "known" in remote.raw(do="wifi", action="dance")["error"]
    remote.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_a_wifi_module_is_beside_a_port_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    process = run("--wifi", "127.0.0.1:0", "--link", str(tmp_path / "bms"))
    port = port_of(process)
    assert page(wifi_host_of(process), "/cell")
    with Terminal(port) as client:
        assert client.ask("*IDN?") == [b"REC BMS 1Q VICTRON"]


class Remote:
    """The other end of the control socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(5)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw")

    def raw(self, **command: Any) -> dict[str, Any]:
        self._file.write(json.dumps(command) + "\n")
        self._file.flush()
        response: dict[str, Any] = json.loads(self._file.readline())
        return response

    def do(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        response = self.raw(do=name, **arguments)
        assert response["ok"], response
        return response

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def test_the_control_socket_changes_everything(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "control"
    process = run("--control", str(path), "--speed-up", "0", "--scenario", "rest", "--no-noise")
    port = port_of(process)
    remote = Remote(path)
    assert remote.do("info")["port"] == port
    remote.do("set", instruction="CMAX", value=4.1, address=1)
    assert remote.do("settings")["settings"]["CMAX"] == pytest.approx(4.1)
    remote.do("current", amperes=-45)
    remote.do("advance", seconds=3600)
    assert remote.do("meter")["meter"]["discharged_ah"] == pytest.approx(45)
    remote.do("cell", cell=3, voltage=3.5)
    assert remote.do("readings")["cells"][0][2] == pytest.approx(3.49, abs=0.02)
    remote.do("raise_error", number=10, unit=1, location=3)
    with Terminal(port) as client:
        assert client.ask("ERRO?") == [b"4", bytes((1, 1, 10, 3))]
        remote.do("clear_error")
        remote.do("fault", name="no_response", count=1)
        assert client.ask("CAPA?", first=0.3) == []
        assert remote.do("faults")["counts"] == {"no_response": 1}
        remote.do("silent", value=True)
        assert client.ask("CAPA?", first=0.3) == []
        remote.do("silent", value=False)
        assert client.ask("CAPA?") == [b"4.50000e2"]
    entries = remote.do("log")["entries"]
    assert [entry["what"] for entry in entries] == ["answered", "unanswered", "silent", "answered"]
    assert remote.do("log", since=entries[-1]["number"])["entries"] == []
    remote.do("unplug")
    assert not Path(port).exists()
    with Terminal(remote.do("replug")["port"]) as client:
        assert client.ask("CAPA?") == [b"4.50000e2"]
    remote.do("add_unit", cells=4)
    remote.do("remove_unit")
    remote.do("sensor", sensor=1, celsius=85)
    assert remote.do("readings")["error"][0] == 8
    remote.do("sensor", sensor=1)
    remote.do("shares", shares={"late": 0.1})
    remote.do("scenario", name="charging")
    remote.do("time_factor", value=10)
    remote.do("ambient", celsius=30)
    remote.do("clear_log")
    remote.do("quit")
    assert process.wait(5) == 0
    remote.close()


def test_a_command_that_cannot_be_done_is_answered_with_the_reason(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "control"
    process = run("--control", str(path))
    port_of(process)
    remote = Remote(path)
    assert "no command" in remote.raw(do="nothing")["error"]
    for command in ({"do": "set"}, {"do": "link", "action": "drop"}, {"do": "fault", "name": "x"}):
        assert not remote.raw(**command)["ok"]
    remote.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
