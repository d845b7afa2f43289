"""Dialogs of repair issues: settings that were changed elsewhere, a capacity that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import voluptuous as vol
from homeassistant.components.http import KEY_HASS_USER
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.http import current_request

from .changes import placeholders
from .const import DOMAIN
from .health_issues import capacity_issue_id
from .history import Report
from .messages import failed
from .restore import KNOWN, async_restore
from .snapshots import Snapshots, async_get_snapshots
from .words import message_of


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: Mapping[str, Any] | None
) -> RepairsFlow:
    """Return the dialog of an issue."""
    assert data is not None
    entry = hass.config_entries.async_get_known_entry(data["entry_id"])
    if issue_id == capacity_issue_id(entry):
        return MeasuredCapacityFlow(entry, _shown(hass, issue_id), data["capacity"])
    return ChangedElsewhereFlow(entry, await async_get_snapshots(hass, entry.entry_id))


class ChangedElsewhereFlow(RepairsFlow):
    """Asks whether changes are to stay, or to be undone; it is about those that it shows."""

    def __init__(self, entry: ConfigEntry, snapshots: Snapshots) -> None:
        self._entry = entry
        self._snapshots = snapshots
        self._reports: Mapping[str, Report] = dict(snapshots.history.reports)

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["keep", "put_back"],
            description_placeholders=placeholders(self.hass, self._entry, self._reports),
        )

    async def async_step_keep(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Have the changes stay, as far as they are what was shown."""
        self._snapshots.accept(self._reports)
        return self._ended()

    async def async_step_put_back(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Set the old values, each verified."""
        try:
            await self._put_back()
        except HomeAssistantError as err:
            return self.async_show_form(
                step_id="failed",
                data_schema=vol.Schema({}),
                description_placeholders={"reason": message_of(self.hass, err)},
            )
        return self._ended()

    async def async_step_failed(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try again: what was done is left out."""
        return await self.async_step_put_back()

    async def _put_back(self) -> None:
        if self._entry.state is not ConfigEntryState.LOADED:
            raise failed("not_there", title=self._entry.title)
        # A later version may have reported what this one does not know.
        wanted = {
            code: report.change.old for code, report in self._reports.items() if code in KNOWN
        }
        await async_restore(self._entry.runtime_data, wanted, _context())

    def _ended(self) -> RepairsFlowResult:
        """End the dialog; the issue stays while there are other changes."""
        if self._snapshots.history.reports:
            return self.async_abort(reason="more_changes")
        return self.async_create_entry(data={})


class MeasuredCapacityFlow(RepairsFlow):
    """Offers to set CAPA to what was measured; it is about the values that it shows."""

    def __init__(self, entry: ConfigEntry, shown: Mapping[str, str], capacity: float) -> None:
        """Take what the issue says, and the Ah that would be set."""
        self._entry = entry
        self._shown = shown
        self._capacity = capacity

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show what would be set; what Home Assistant gives at the start is no answer."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask."""
        if user_input is not None:
            return await self._set()
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders=dict(self._shown),
        )

    async def async_step_failed(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Try again."""
        return await self._set()

    async def _set(self) -> RepairsFlowResult:
        try:
            if self._entry.state is not ConfigEntryState.LOADED:
                raise failed("not_there", title=self._entry.title)
            if _shown(self.hass, capacity_issue_id(self._entry)) != self._shown:
                return self.async_abort(reason="measured_anew")
            await async_restore(self._entry.runtime_data, {"CAPA": self._capacity}, _context())
        except HomeAssistantError as err:
            return self.async_show_form(
                step_id="failed",
                data_schema=vol.Schema({}),
                description_placeholders={"reason": message_of(self.hass, err)},
            )
        return self.async_create_entry(data={})


def _shown(hass: HomeAssistant, issue_id: str) -> Mapping[str, str]:
    """Return what an issue says by now; nothing of one that is gone."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    return (issue and issue.translation_placeholders) or {}


def _context() -> Context | None:
    """Return who answers the dialog, so that it is kept with the change."""
    request = current_request.get()
    return None if request is None else Context(user_id=request[KEY_HASS_USER].id)
