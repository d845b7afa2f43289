"""The port that a server gets which is started as a process: it is still free when that listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tools.simulator.sockets import bound
from tools.testkit.ports import HOST, USUAL_PORT, reserved_port
from tools.testkit.process import ToolError

LINUX_GIVES = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The first and the last port of outgoing connections."""


@pytest.mark.skipif(not LINUX_GIVES.exists(), reason="needs /proc to see what ports are given away")
def test_no_outgoing_connection_can_take_it_nor_that_of_a_second_server() -> None:
    first, last = map(int, LINUX_GIVES.read_text().split())
    with reserved_port() as usual, reserved_port() as another:
        assert not first <= usual <= last
        assert not first <= another <= last


def test_nobody_else_reserves_it() -> None:
    with reserved_port() as port:
        assert port >= USUAL_PORT
        with reserved_port() as other:
            assert other != port
        with pytest.raises(ToolError, match=f"port {port} is taken"), reserved_port(port):
            pass


def test_one_where_somebody_listens_is_not_reserved() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ToolError, match="--http-port"), reserved_port(port):
            pass


def test_a_port_that_cannot_be_leaves_no_socket_open() -> None:
    with socket.create_server((HOST, 0)) as server:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(OSError, match="in use"):
            bound(HOST, server.getsockname()[1])
        assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
