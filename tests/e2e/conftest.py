"""One Home Assistant for all tests here: a real one, with the integration added by its dialog."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tools.testkit.api import Api
from tools.testkit.flow import Added, add_integration
from tools.testkit.home_assistant import HomeAssistant, running_home_assistant
from tools.testkit.installed import SOON, Installed, until
from tools.testkit.ports import reserved_port
from tools.testkit.simulated import SimulatedBms, running_simulator

MAY_BE_UNKNOWN = {
    *("time_to_full", "time_to_empty", "error_event"),
    *("last_full_charge", "charge_since_full", "state_of_charge_correction"),
    *("measured_capacity", "measured_health"),
    *("cell_spread_rest", "cell_spread_top", "most_drifting_cell"),
}

# A cell differs, so that a mix-up shows. Time stands, so that values can be compared.
SIMULATOR = ("--scenario", "rest", "--speed-up", "0", "--no-noise", "--sensors", "2")

LOGGER = """
logger:
  default: warning
  logs:
    custom_components.rec_bms: info
"""
ASSIST = """
conversation:
scripted_agent:
"""
AGENT = Path(__file__).with_name("scripted_agent")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all in the loop in which Home Assistant's process is looked after.

    Among two processes (`-n 2 --dist loadgroup`), one has the owner's Home Assistant and one the
    other: both mostly wait for what their BMS says next.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            group = "owner" if here / "owner" in item.path.parents else "others"
            item.add_marker(pytest.mark.xdist_group(group))


class LiveRig(Installed):
    """A Home Assistant, the BMS that it reads, and what tests ask of them."""

    def __init__(self, home_assistant: HomeAssistant, bms: SimulatedBms, added: Added) -> None:
        super().__init__(home_assistant.client, added.entry_id)
        self.home_assistant = home_assistant
        self.bms = bms
        self.added = added
        self.times_silent = 0

    @property
    def client(self) -> Api:
        return self.home_assistant.client

    async def states(self) -> dict[str, dict[str, Any]]:
        """Return the states of the enabled entities by key."""
        states = {state["entity_id"]: state for state in await self.client.get("/api/states")}
        return {
            key: states[row["entity_id"]]
            for key, row in (await self.registered()).items()
            if row["disabled_by"] is None and row["entity_id"] in states
        }

    async def have_values(self, within: float = SOON) -> None:
        """Return once all enabled entities have values that must have one."""

        async def have() -> bool:
            return await self.without_value() <= MAY_BE_UNKNOWN

        await until(have, within)

    async def without_value(self) -> set[str]:
        """Return the keys of entities that show nothing."""
        nothing = ("unknown", "unavailable")
        return {k for k, state in (await self.states()).items() if state["state"] in nothing}

    async def sets_heard(self) -> list[str]:
        """Return what else than questions reached the BMS lately."""
        entries = (await self.bms.command("log"))["entries"]
        return [entry["payload"] for entry in entries if not entry["payload"].endswith("?")]

    async def asks(self) -> bool:
        """Tell whether anything reached the BMS lately."""
        return bool((await self.bms.command("log"))["entries"])

    def holds_port(self) -> bool:
        """Tell whether Home Assistant's process has the port open."""
        assert self.home_assistant.process is not None
        descriptors = Path(f"/proc/{self.home_assistant.process.pid}/fd")
        return any(
            os.path.realpath(descriptor) == self.bms.port for descriptor in descriptors.iterdir()
        )


@pytest.fixture(scope="session")
def http_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home_assistant(
    http_port: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HomeAssistant]:
    """A Home Assistant with the integration's files and nothing set up."""
    config_dir = tmp_path_factory.mktemp("e2e") / "config"
    components = config_dir / "custom_components"
    components.mkdir(parents=True)
    (components / AGENT.name).symlink_to(AGENT)
    async with running_home_assistant(
        config_dir, http_port, configuration=LOGGER + ASSIST
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rig(
    home_assistant: HomeAssistant, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LiveRig]:
    """The same with a BMS added through the dialog, and polled every two seconds."""
    async with running_simulator(tmp_path_factory.mktemp("bms"), *SIMULATOR) as bms:
        await bms.command("cell", unit=1, cell=3, offset=0.05)
        added = await add_integration(home_assistant.client, bms.port, allow_changes=True)
        rig = LiveRig(home_assistant, bms, added)
        await rig.set_options(scan_interval=2, allow_changes=True)
        yield rig
