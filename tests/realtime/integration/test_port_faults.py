"""Faults of the port: an adapter pulled and put back, network peers that misbehave, no permission.

Once set up, an entry recovers without a reload at the first poll after the line's return.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, override
from unittest.mock import patch

import pytest
import serialx
from homeassistant import config_entries
from homeassistant.components.usb import USBDevice
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ConfigEntryNotReady
from serialx import BaseSerial, BaseSerialTransport, register_uri_handler

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.ports import async_get_ports
from tests.realtime.integration.conftest import Simulate
from tests.virtual.giving_up import (
    ONE_SECOND,
    GiveUp,
    give_up,
    in_a_poll,
    seconds_taken,
    shut_down_while_setting_up,
)
from tests.virtual.rig import Rig, entry_for
from tools.simulator import SimulatorThread
from tools.simulator.tcp import Tcp
from tools.testkit.held import held

__all__ = ["give_up"]
"""The fixture of others."""

NOBODY = 65534


@pytest.fixture
def adapter(simulate: Simulate, tmp_path: Path) -> SimulatorThread:
    """A BMS behind an adapter with a stable name."""
    return simulate(link=tmp_path / "by-id" / "usb-FTDI_FT232R-if00-port0")


@pytest.fixture
async def plugged(hass: HomeAssistant, adapter: SimulatorThread) -> Rig:
    rig = Rig(hass, adapter, entry_for(adapter))
    await rig.set_up()
    return rig


@pytest.fixture
async def server(
    hass: HomeAssistant, socket_enabled: None, simulate: Simulate
) -> AsyncIterator[Rig]:
    """A BMS behind a serial server on the network."""
    sim = simulate(transport="tcp")
    rig = Rig(hass, sim, entry_for(sim))
    await rig.set_up()
    yield rig
    await rig.unload()


def link_of(rig: Rig) -> Tcp:
    link = rig.sim.link
    assert isinstance(link, Tcp)
    return link


def is_there(rig: Rig) -> bool:
    return rig.shown("voltage") != "unavailable"


async def until(condition: Callable[[], bool], seconds: float) -> float:
    """Wait until something holds; return how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not condition():
        assert loop.time() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return loop.time() - began


def adapter_appears(hass: HomeAssistant, device: str) -> Awaitable[None]:
    """Have Home Assistant notice an adapter, as it does when udev tells of one."""
    new = USBDevice(
        device=device,
        vid="0403",
        pid="6001",
        serial_number=None,
        manufacturer="FTDI",
        description="FT232R",
    )
    noticed: Awaitable[None] = hass.data["usb"]._async_process_ports([new])
    return noticed


# -- an adapter ------------------------------------------------------------------------------------


@pytest.mark.parametrize("other_device", [False, True])
async def test_an_adapter_put_back_is_used_at_the_next_poll_without_a_reload(
    plugged: Rig, other_device: bool
) -> None:
    coordinator = plugged.coordinator
    plugged.sim.unplug()
    await plugged.poll()
    assert not is_there(plugged)
    plugged.sim.replug(other_device=other_device)
    await plugged.poll()
    assert is_there(plugged)
    assert plugged.coordinator is coordinator


async def test_the_line_is_back_within_one_scan_interval_of_its_return(
    hass: HomeAssistant, adapter: SimulatorThread
) -> None:
    rig = Rig(hass, adapter, entry_for(adapter, scan_interval=2))
    await rig.set_up()
    adapter.unplug()
    await until(lambda: not is_there(rig), 5)
    adapter.log.clear()
    adapter.replug(other_device=True)
    back_at = asyncio.get_running_loop().time()
    await until(lambda: is_there(rig), 20)
    # Home Assistant spreads timers by up to half a second, and this machine may be busy.
    assert adapter.log.requests()[0].time - back_at < 2 + 1
    await rig.unload()


async def test_the_log_says_gone_once_and_back_once(
    plugged: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    plugged.sim.unplug()
    for _ in range(3):
        await plugged.poll()
    plugged.sim.replug()
    for _ in range(2):
        await plugged.poll()
    told = [record for record in caplog.records if "custom_components.rec_bms" in record.name]
    assert [record.levelno for record in told] == [logging.ERROR, logging.INFO], told
    assert all(plugged.entry.title in record.getMessage() for record in told)


async def test_pulled_and_put_back_many_times_nothing_is_left_behind(plugged: Rig) -> None:
    async def once() -> None:
        plugged.sim.unplug()
        await plugged.poll()
        assert not is_there(plugged)
        plugged.sim.replug(other_device=True)
        await plugged.poll()
        assert is_there(plugged)

    await once()
    before = held()
    for _ in range(5):
        await once()
    assert not held() - before
    assert len(async_get_ports(plugged.hass)._shared) == 1


async def test_an_adapters_return_ends_home_assistants_own_wait(
    hass: HomeAssistant, adapter: SimulatorThread
) -> None:
    adapter.unplug()
    rig = Rig(hass, adapter, entry_for(adapter))
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    adapter.replug(other_device=True)
    await adapter_appears(hass, adapter.port)
    assert await until(lambda: rig.entry.state is ConfigEntryState.LOADED, 4) < 4
    assert is_there(rig)


async def test_an_adapters_return_leaves_alone_what_is_running(plugged: Rig) -> None:
    coordinator = plugged.coordinator
    await adapter_appears(plugged.hass, "/dev/ttyUSB7")
    await plugged.hass.async_block_till_done()
    assert plugged.coordinator is coordinator


# -- permission and other programs -----------------------------------------------------------------


@contextmanager
def nobody_special() -> Iterator[None]:
    """Be a user whom file modes stop, as Home Assistant is where it does not run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def set_mode(port: str, mode: int) -> None:
    """Change who may open a port, or what a link to it leads to."""
    os.chmod(port, mode)  # noqa: PTH101  (Path.chmod does the same with more ado)


async def test_without_permission_set_up_waits_until_there_is(
    hass: HomeAssistant, battery: SimulatorThread
) -> None:
    device = battery.port
    rig = Rig(hass, battery, entry_for(battery))
    # Everything is loaded once, so that the unprivileged attempt needs no files but the port.
    await rig.set_up()
    await rig.unload()
    set_mode(device, 0)
    with nobody_special():
        await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    assert rig.entry.error_reason_translation_key == "port_failed"
    placeholders = rig.entry.error_reason_translation_placeholders
    assert placeholders is not None
    assert "Permission denied" in placeholders["reason"]
    set_mode(device, 0o600)
    await rig.hass.config_entries.async_reload(rig.entry.entry_id)
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_permission_lost_and_given_back_while_running(plugged: Rig) -> None:
    plugged.sim.unplug()
    await plugged.poll()
    plugged.sim.replug()
    set_mode(plugged.sim.port, 0)
    with nobody_special():
        await plugged.poll()
    assert not is_there(plugged)
    set_mode(plugged.sim.port, 0o600)
    await plugged.poll()
    assert is_there(plugged)


@contextmanager
def another_program_has(port: str) -> Iterator[None]:
    """Hold a port exclusively from another process, as another Home Assistant would."""
    program = (
        "import fcntl, os, sys\n"
        f"fd = os.open({port!r}, os.O_RDWR | os.O_NOCTTY)\n"
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            process.communicate()


async def test_a_busy_port_is_used_once_it_is_free(rig: Rig) -> None:
    with another_program_has(rig.sim.port):
        await rig.try_to_set_up()
        assert rig.entry.state is ConfigEntryState.SETUP_RETRY
        assert rig.entry.error_reason_translation_key == "port_failed"
    await rig.hass.config_entries.async_reload(rig.entry.entry_id)
    assert rig.entry.state is ConfigEntryState.LOADED


async def test_a_port_grabbed_by_another_program_while_it_was_away(plugged: Rig) -> None:
    plugged.sim.unplug()
    await plugged.poll()
    plugged.sim.replug()
    with another_program_has(plugged.sim.port):
        await plugged.poll()
        assert not is_there(plugged)
    await plugged.poll()
    assert is_there(plugged)


async def test_a_folder_is_no_port(hass: HomeAssistant, rig: Rig, tmp_path: Path) -> None:
    rig.entry.add_to_hass(hass)
    data = {**rig.entry.data, "port": str(tmp_path)}
    hass.config_entries.async_update_entry(rig.entry, data=data)
    await rig.try_to_set_up()
    assert rig.entry.state is ConfigEntryState.SETUP_RETRY
    assert rig.entry.error_reason_translation_key == "port_failed"


# -- the network -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["drop", "reset"])
async def test_a_peer_that_closes_is_connected_to_again_in_the_same_poll(
    server: Rig, how: str
) -> None:
    link = link_of(server)
    server.sim.call(getattr(link, how))
    await server.poll()
    assert is_there(server)
    assert link.connections == 2


async def test_a_peer_that_refuses_is_connected_to_when_it_accepts(server: Rig) -> None:
    link = link_of(server)
    server.sim.call(link.unplug)
    await server.poll()
    assert not is_there(server)
    server.sim.call(link.accept)
    await server.poll()
    assert is_there(server)


async def test_a_peer_gone_silent_without_closing_is_connected_to_anew(server: Rig) -> None:
    link = link_of(server)
    link.silent = True
    await server.poll()
    assert not is_there(server)
    link.silent = False
    await server.poll()
    assert is_there(server)
    assert link.connections > 1


# -- giving up a line ------------------------------------------------------------------------------


class Stuck(BaseSerialTransport):
    """A far end behind which opening never comes to an end."""

    transport_name = "stuck"

    @override
    async def _connect(self, *, path: str | None, **_: Any) -> None:
        await asyncio.sleep(60)

    @override
    def get_write_buffer_size(self) -> int:
        return 0

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    @override
    def close(self) -> None:
        self._resolve_closed_waiter()

    @override
    def abort(self) -> None:
        self._resolve_closed_waiter()


@pytest.fixture
def stuck() -> Iterator[str]:
    """A port that never opens."""
    forget = register_uri_handler(
        scheme="stuck://", unique_scheme="stuck://", sync_cls=BaseSerial, async_transport_cls=Stuck
    )
    yield "stuck://here"
    forget()


@contextmanager
def driver_that_hangs(port: str) -> Iterator[None]:
    """Have the kernel not come back from opening a port."""
    comes_back, hung, came_back = threading.Event(), threading.Event(), threading.Event()
    open_file = os.open

    def hang(path: Any, *options: Any, **named: Any) -> int:
        if path != port:
            return open_file(path, *options, **named)
        hung.set()
        comes_back.wait(15)
        try:
            return open_file(path, *options, **named)
        finally:
            came_back.set()

    with patch.object(os, "open", hang):
        try:
            yield
        finally:
            comes_back.set()
            # While the port is still there: a thread that comes back later would not find it.
            assert not hung.is_set() or came_back.wait(10)


async def test_a_port_that_hangs_while_opening_does_not_hold_up(
    plugged: Rig, stuck: str, give_up: GiveUp
) -> None:
    plugged.sim.unplug()
    await plugged.poll()
    plugged.coordinator.bms.client.connection._transport.port = stuck
    await in_a_poll(plugged)
    assert await seconds_taken(give_up(plugged)) < ONE_SECOND


async def test_a_driver_that_hangs_while_opening_does_not_hold_up(
    plugged: Rig, give_up: GiveUp
) -> None:
    plugged.sim.unplug()
    await plugged.poll()
    plugged.sim.replug()
    with driver_that_hangs(plugged.sim.port):
        await in_a_poll(plugged)
        assert await seconds_taken(give_up(plugged)) < ONE_SECOND


# -- shutdown during a first set-up ----------------------------------------------------------------


async def test_a_first_set_up_on_a_port_that_hangs_does_not_hold_up_a_shutdown(
    hass: HomeAssistant, rig: Rig, stuck: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(rig.entry, data={**rig.entry.data, "port": stuck})
    assert await shut_down_while_setting_up(rig) < ONE_SECOND
    assert "still running" not in caplog.text


async def test_a_first_set_up_in_a_hanging_driver_does_not_hold_up_a_shutdown(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with driver_that_hangs(rig.sim.port):
        assert await shut_down_while_setting_up(rig) < ONE_SECOND
    assert "still running" not in caplog.text


# -- network serial through the dialog -------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tcp", "rfc2217"])
async def test_a_network_port_is_chosen_in_the_dialog_and_polled(
    hass: HomeAssistant, socket_enabled: None, simulate: Simulate, transport: str
) -> None:
    sim = simulate(transport=transport)
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": config_entries.SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "serial"})
    result = await flow.async_configure(
        result["flow_id"],
        {"port": sim.port, "more_options": {"baudrate": str(sim.line.baud), "address": 1}},
    )
    await hass.async_block_till_done()
    result = await flow.async_configure(result["flow_id"])
    result = await flow.async_configure(result["flow_id"], {"allow_changes": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    rig = Rig(hass, sim, result["result"])
    sim.call(rig.bms.battery.cell(1, 3).rest_at, 3.7)
    sim.call(rig.bms.look_again)
    await rig.poll()
    assert rig.number("cell_voltage_1_3") == pytest.approx(3.7, abs=0.01)
    await rig.set_number("cmax", 4.15)
    assert rig.bms.settings["CMAX"] == pytest.approx(4.15)
    assert not sim.log.overlaps
    await rig.unload()


class Proxy(BaseSerialTransport):
    """Stands in for ESPHome's serial proxy: a way of others to a port, with its own exceptions.

    The real one needs an ESPHome device. This one goes on to a pseudo-terminal.
    """

    transport_name = "proxy"
    loading = False
    behind = ""

    @override
    async def _connect(self, *, path: str | None, **options: Any) -> None:
        if self.loading:
            raise ConfigEntryNotReady("ESPHome is still loading")
        self._inner, _ = await serialx.create_serial_connection(
            self._loop, lambda: self._protocol, self.behind, options["baudrate"]
        )

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._inner.write(data)

    @override
    def get_write_buffer_size(self) -> int:
        return 0

    @override
    def close(self) -> None:
        self.abort()

    @override
    def abort(self) -> None:
        if hasattr(self, "_inner"):
            self._inner.abort()
        self._resolve_closed_waiter()


async def test_a_proxy_of_another_integration_is_waited_for_and_then_used(rig: Rig) -> None:
    forget = register_uri_handler(
        scheme="proxy://", unique_scheme="proxy://", sync_cls=BaseSerial, async_transport_cls=Proxy
    )
    rig.entry.add_to_hass(rig.hass)
    rig.hass.config_entries.async_update_entry(
        rig.entry, data={**rig.entry.data, "port": "proxy://boat?key=secret"}
    )
    with patch.object(Proxy, "loading", True), patch.object(Proxy, "behind", rig.sim.port):
        await rig.try_to_set_up()
        assert rig.entry.state is ConfigEntryState.SETUP_RETRY
        Proxy.loading = False
        await rig.hass.config_entries.async_reload(rig.entry.entry_id)
        assert rig.entry.state is ConfigEntryState.LOADED
        await rig.poll()
        assert is_there(rig)
        await rig.unload()
    forget()
