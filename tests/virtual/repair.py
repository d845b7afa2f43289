"""The dialogs of repair issues."""

from __future__ import annotations

from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig


class Repair:
    """The dialog of an issue, which is named by its kind and the entry."""

    def __init__(self, rig: Rig, kind: str) -> None:
        self._flows = rig.hass.data[REPAIRS]["flow_manager"]
        self._issue_id = f"{kind}_{rig.entry.entry_id}"
        self.result: Any = None

    async def open(self) -> Repair:
        # Home Assistant 2026.8 has the issue told in the data.
        told = {"issue_id": self._issue_id}
        self.result = await self._flows.async_init(DOMAIN, context=told, data=told)
        return self

    async def answer(self, step: str) -> None:
        await self._go_on({"next_step_id": step})

    async def submit(self) -> None:
        await self._go_on({})

    def close(self) -> None:
        self._flows.async_abort(self.result["flow_id"])

    async def _go_on(self, given: dict[str, str]) -> None:
        self.result = await self._flows.async_configure(self.result["flow_id"], given)
