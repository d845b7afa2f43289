"""What is told of settings that somebody changed elsewhere: a signal, and the repair issue.

There is one issue for a BMS, with them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .const import DOMAIN
from .coordinator import RecBmsConfigEntry
from .hearing import async_when_heard
from .history import Change, Report
from .messages import shown
from .protocol.settings import Setting
from .restore import KNOWN
from .setting import RecBmsSettingEntity, setting_entities
from .words import choice_of, full_name

SIGNAL_CHANGE = SignalType[RecBmsConfigEntry, Setting, Change](f"{DOMAIN}_change")
"""Is sent with an entry, the setting that was changed elsewhere, and how."""


class ChangeTeller:
    """Tells of each setting that was changed elsewhere, once.

    What was found before automations hear is told when they do.
    """

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Tell until the entry is unloaded."""
        self._hass = hass
        self._entry = entry
        self._snapshots = entry.runtime_data.snapshots
        async_when_heard(hass, entry, self._begin)

    @callback
    def _begin(self) -> None:
        self._entry.async_on_unload(self._snapshots.async_subscribe(self._tell))
        self._tell()

    @callback
    def _tell(self) -> None:
        for code, change in self._snapshots.changed_elsewhere():
            # A later version may have kept what this one does not know.
            if (setting := KNOWN.get(code)) is not None:
                async_dispatcher_send(self._hass, SIGNAL_CHANGE, self._entry, setting, change)


def changes_issue_id(entry: ConfigEntry) -> str:
    """Return the id of the issue about an entry's settings."""
    return f"changed_{entry.entry_id}"


class ChangeWatch:
    """Raises the issue while there are changes to which nobody has said anything."""

    def __init__(self, hass: HomeAssistant, entry: RecBmsConfigEntry) -> None:
        """Watch what is kept of an entry until it is unloaded; its entities are there."""
        self._hass = hass
        self._entry = entry
        self._snapshots = entry.runtime_data.snapshots
        entry.async_on_unload(self._snapshots.async_subscribe(self.review))
        self.review()

    @callback
    def review(self) -> None:
        """Look at what is kept by now."""
        issue_id = changes_issue_id(self._entry)
        reports = self._snapshots.history.reports
        if not reports:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"entry_id": self._entry.entry_id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="changed_elsewhere",
            translation_placeholders=placeholders(self._hass, self._entry, reports),
        )
        if self._snapshots.has_new_reports():
            # Who ignored the issue has not seen these.
            ir.async_ignore_issue(self._hass, DOMAIN, issue_id, ignore=False)


@callback
def placeholders(
    hass: HomeAssistant, entry: ConfigEntry, reports: Mapping[str, Report]
) -> dict[str, str]:
    """Return what the texts of the issue and its dialog say of the changes."""
    entities = setting_entities(hass, entry)
    lines = [
        _line(hass, KNOWN[code], reports[code], entities.get(KNOWN[code].key))
        for code in KNOWN
        if code in reports
    ]
    return {"title": entry.title, "changes": "\n".join(lines)}


def _line(
    hass: HomeAssistant, setting: Setting, report: Report, entity: RecBmsSettingEntity | None
) -> str:
    old, new = (
        _text(hass, setting, value, entity) for value in (report.change.old, report.change.new)
    )
    time = dt_util.as_local(report.time).strftime("%Y-%m-%d %H:%M")
    return f"- {full_name(hass, setting)}: {old} → {new} ({time})"


def _text(
    hass: HomeAssistant, setting: Setting, value: float, entity: RecBmsSettingEntity | None
) -> str:
    """Return a value in the unit that its owner has chosen, where it is shown at all."""
    if setting.choices:
        return choice_of(hass, setting, value)
    if entity is None:
        return shown(setting, value)
    return f"{entity.to_shown(value):.6g} {entity.unit_of_measurement or ''}".rstrip()
