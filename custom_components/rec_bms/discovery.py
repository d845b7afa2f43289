"""The cards by which Home Assistant offers an adapter, or a BMS that was found beside another."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_USB,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import UnknownFlow
from homeassistant.helpers import discovery_flow

from .const import DOMAIN
from .flow_search import Bms
from .ports import async_real_ports


@callback
def async_offer(hass: HomeAssistant, bms: Bms) -> None:
    """Offer a BMS as a discovered device."""
    discovery_flow.async_create_flow(
        hass,
        DOMAIN,
        context=ConfigFlowContext(source=SOURCE_INTEGRATION_DISCOVERY),
        data=bms.as_dict(),
    )


async def async_take_away(hass: HomeAssistant, flows: Iterable[ConfigFlowResult], bms: Bms) -> None:
    """End those flows that offer a BMS which is set up now, or its adapter."""
    ports: dict[str, str] = {}
    for flow in flows:
        offered = flow["context"].get("unique_id") or ""
        port, _, address = offered.rpartition("#")
        if flow["context"]["source"] == SOURCE_USB:
            ports[flow["flow_id"]] = offered
        elif flow["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY and address == str(
            bms.address
        ):
            ports[flow["flow_id"]] = port
    real = await async_real_ports(hass, [bms.port, *ports.values()])
    for flow_id, port in ports.items():
        if real[port] == real[bms.port]:
            with suppress(UnknownFlow):  # closed meanwhile
                hass.config_entries.flow.async_abort(flow_id)
