"""The config flow's dialogs, as a user goes through them."""

from __future__ import annotations

from typing import Any

from homeassistant import config_entries
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.usb import UsbServiceInfo

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig, until
from tools.testkit.simulator_in_memory import SimulatorInMemory


class Dialog:
    """The config flow's dialog, as a user goes through it."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.result: ConfigFlowResult = {}  # type: ignore[typeddict-item]

    async def open(self) -> Dialog:
        self.result = await self._hass.config_entries.flow.async_init(
            DOMAIN, context={"source": config_entries.SOURCE_USER}
        )
        assert (self.result["type"], self.step) == (FlowResultType.MENU, "user")
        assert self.result["menu_options"] == ["serial", "wifi", "bank"]
        await self.send(next_step_id="serial")
        assert self.step == "serial"
        return self

    @property
    def step(self) -> Any:
        return self.result.get("step_id")

    @property
    def errors(self) -> Any:
        return self.result.get("errors")

    @property
    def placeholders(self) -> Any:
        return self.result["description_placeholders"]

    async def send(self, **data: Any) -> None:
        self.result = await self._hass.config_entries.flow.async_configure(
            self.result["flow_id"], data
        )

    async def begin_search(
        self, port: str, *, speed: str = "automatic", address: int | None = None
    ) -> None:
        more: dict[str, Any] = {"baudrate": speed}
        if address is not None:
            more["address"] = address
        await self.send(port=port, more_options=more)

    async def search(self, port: str, **options: Any) -> None:
        await self.begin_search(port, **options)
        if self.result["type"] is FlowResultType.SHOW_PROGRESS:
            await self.wait()

    async def wait(self) -> None:
        await self._hass.async_block_till_done()
        self.result = await self._hass.config_entries.flow.async_configure(self.result["flow_id"])

    async def until_the_search_is_over(self) -> None:
        """Wait for the search, but not for what is set up again after it."""
        await search_is_over(self._hass, self.result["flow_id"])
        self.result = await self._hass.config_entries.flow.async_configure(self.result["flow_id"])

    async def confirm(self, *, allow_changes: bool = False, **data: Any) -> ConfigEntry[Any]:
        assert self.step == "confirm", self.result
        await self.send(allow_changes=allow_changes, **data)
        assert self.result["type"] is FlowResultType.CREATE_ENTRY, self.result
        await self._hass.async_block_till_done()
        entry: ConfigEntry[Any] = self.result["result"]
        assert entry.state is ConfigEntryState.LOADED
        return entry

    def close(self) -> None:
        self._hass.config_entries.flow.async_abort(self.result["flow_id"])


class Moving:
    """The reconfigure dialog, as a user goes through it."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._flow = rig.hass.config_entries.flow
        self.result: Any = None

    async def open(self) -> Moving:
        self.result = await self._rig.entry.start_reconfigure_flow(self._rig.hass)
        assert self.result["step_id"] == "reconfigure"
        return self

    @property
    def step(self) -> Any:
        return self.result.get("step_id")

    @property
    def placeholders(self) -> Any:
        return self.result["description_placeholders"]

    async def send(self, data: dict[str, Any]) -> None:
        await self.begin(data)
        if self.result["type"] is FlowResultType.SHOW_PROGRESS:
            await self.wait()

    async def wait(self) -> None:
        await self._rig.hass.async_block_till_done()
        await self.look_again()

    async def look_again(self) -> None:
        self.result = await self._flow.async_configure(self.result["flow_id"])

    async def search(self, port: str, speed: str = "automatic", address: int = 1) -> None:
        await self.send({"port": port, "more_options": {"baudrate": speed, "address": address}})

    async def begin_search(self, port: str, speed: str = "automatic", address: int = 1) -> None:
        await self.begin({"port": port, "more_options": {"baudrate": speed, "address": address}})
        assert self.result["type"] is FlowResultType.SHOW_PROGRESS

    async def begin(self, data: dict[str, Any]) -> None:
        """Send what may begin a search, without waiting for its end."""
        self.result = await self._flow.async_configure(self.result["flow_id"], data)

    async def until_the_search_is_over(self) -> None:
        """Wait for the search, but not for what is set up again after it."""
        await search_is_over(self._rig.hass, self.result["flow_id"])
        await self.look_again()

    async def confirm(self) -> None:
        assert self.result["step_id"] == "confirm", self.result
        await self.send({})
        assert self.result["type"] is FlowResultType.ABORT
        assert self.result["reason"] == "reconfigure_successful"
        await self._rig.hass.async_block_till_done()

    def close(self) -> None:
        self._flow.async_abort(self.result["flow_id"])


async def search_is_over(hass: HomeAssistant, flow_id: str) -> None:
    flows = hass.config_entries.flow
    await until(lambda: flows.async_get(flow_id)["step_id"] != "scan")


def discovered(hass: HomeAssistant) -> list[Any]:
    return [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == config_entries.SOURCE_INTEGRATION_DISCOVERY
    ]


async def plug_in(hass: HomeAssistant, sim: SimulatorInMemory, device: str = "") -> Any:
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": config_entries.SOURCE_USB},
        data=UsbServiceInfo(
            device=device or sim.port,
            vid="0403",
            pid="6001",
            serial_number="1",
            manufacturer="FTDI",
            description="USB-RS485 Cable",
        ),
    )


async def ignore(hass: HomeAssistant, unique_id: str) -> None:
    """Ignore something that is offered, as its card's menu does."""
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": config_entries.SOURCE_IGNORE},
        data={"unique_id": unique_id, "title": "Ignored"},
    )
    await hass.async_block_till_done()
