"""What tests of the whole integration share, on virtual time or not: a rig, and what is in it.

Each folder's conftest.py has the `simulate` that says on which ports and by which clock.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

# The test package has a custom_components package of its own; whoever imports first wins.
import custom_components.rec_bms  # noqa: F401
from tests.virtual.rig import Rig, Simulate, Simulated, entry_for


@pytest.fixture(autouse=True)
def _integration(enable_custom_integrations: None) -> None:
    """Let Home Assistant find what is in custom_components."""


@pytest.fixture(autouse=True)
def _quiet_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Log no byte and no entity that is registered: nobody reads that, and it takes long."""
    for chatty in ("homeassistant", "pytest_homeassistant_custom_component"):
        caplog.set_level(logging.WARNING, chatty)
    # The level that is set last is also that of the records a test can look at.
    caplog.set_level(logging.INFO)


@pytest.fixture(autouse=True)
def _no_swallowed_exception(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where Home Assistant only logs that the integration raised something unforeseen."""
    yield
    swallowed = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.ERROR
        and record.exc_info
        and not isinstance(record.exc_info[1], HomeAssistantError)
    ]
    assert not swallowed


@pytest.fixture
def short_silence() -> Iterator[None]:
    """Wait for answers no longer than this simulator ever takes, where silence itself is no matter.

    A real BMS may answer up to two seconds late, so each unanswered request costs that much.
    """
    line = "custom_components.rec_bms.protocol.rs485.transaction"
    with patch(f"{line}.RESPONSE_TIMEOUT", 0.1), patch(f"{line}.LATEST_RESPONSE", 0.35):
        yield


@pytest.fixture
def battery(simulate: Simulate) -> Simulated:
    """A REC BMS 1Q of 14 cells at address 1."""
    return simulate()


@pytest.fixture
def rig(hass: HomeAssistant, battery: Simulated) -> Rig:
    """A rig with that battery; its entry is not set up yet."""
    return Rig(hass, battery, entry_for(battery))


@pytest.fixture
async def running(rig: Rig) -> Rig:
    """A rig whose entry is set up, with what is enabled by default."""
    await rig.set_up()
    return rig


@pytest.fixture
def all_enabled() -> Iterator[None]:
    """Enable every entity, also those that are disabled at first."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        yield


@pytest.fixture
async def complete(all_enabled: None, rig: Rig) -> Rig:
    """A rig whose entry is set up, with every entity enabled, those of newer units as well."""
    await rig.set_up()
    await rig.probe()
    return rig
