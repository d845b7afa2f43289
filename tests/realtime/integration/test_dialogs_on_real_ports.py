"""The config flow's dialogs on ports that only a real system has."""

from __future__ import annotations

import fcntl
import os
import time

import pytest
from homeassistant.core import HomeAssistant

from custom_components.rec_bms.const import DOMAIN
from tests.realtime.integration.conftest import Simulate
from tests.virtual.dialogs import Dialog
from tests.virtual.test_config_flow import FACTORY_SPEED, finish_after_all
from tools.simulator import SimulatorThread


@pytest.fixture
async def dialog(hass: HomeAssistant) -> Dialog:
    return await Dialog(hass).open()


@pytest.fixture
def factory(simulate: Simulate) -> SimulatorThread:
    """A BMS as it comes from the factory: 56000 baud, address 1."""
    return simulate(baud=FACTORY_SPEED)


async def test_a_port_that_another_program_holds(dialog: Dialog, factory: SimulatorThread) -> None:
    held = os.open(factory.port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await dialog.search(factory.port)
    assert dialog.errors == {"base": "cannot_open"}
    os.close(held)
    await finish_after_all(dialog, factory)


@pytest.mark.parametrize("transport", ["tcp", "rfc2217"])
async def test_a_serial_server_on_the_network(
    hass: HomeAssistant,
    socket_enabled: None,
    simulate: Simulate,
    dialog: Dialog,
    transport: str,
) -> None:
    sim = simulate(transport=transport, baud=FACTORY_SPEED)
    await dialog.search(sim.port, address=1)
    entry = await dialog.confirm()
    assert entry.data == {"port": sim.port, "baudrate": 56000, "address": 1}
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_where_the_far_end_sets_the_speed_none_is_tried(
    hass: HomeAssistant, socket_enabled: None, simulate: Simulate, dialog: Dialog
) -> None:
    sim = simulate(transport="tcp", baud=38400)
    await dialog.search(sim.port, address=9)
    assert dialog.errors == {"base": "no_bms"}
    assert len(sim.log.requests()) == 3
    await finish_after_all(dialog, sim)
    for entry in hass.config_entries.async_entries(DOMAIN):
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_serial_server_that_refuses(
    hass: HomeAssistant, socket_enabled: None, simulate: Simulate, dialog: Dialog
) -> None:
    sim = simulate(transport="tcp")
    sim.call(sim.link.refuse)  # type: ignore[union-attr]  # it is on TCP
    await dialog.search(sim.port)
    assert dialog.errors == {"base": "cannot_open"}


@pytest.mark.parametrize("address", [1, 2, 16])
async def test_on_a_real_port_a_bms_at_factory_settings_is_found_within_seconds(
    dialog: Dialog, simulate: Simulate, address: int
) -> None:
    sim = simulate(baud=FACTORY_SPEED, addresses=[address], turnaround=0.015)
    began = time.perf_counter()
    await dialog.search(sim.port)
    took = time.perf_counter() - began
    assert (dialog.step, dialog.placeholders["address"]) == ("confirm", str(address))
    assert took <= 2.5
