"""What all entities of a bank have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .bank import BankCoordinator, BankUpdate
from .const import DOMAIN
from .protocol.bank import Extreme


class BankEntity(CoordinatorEntity[BankCoordinator]):
    """An entity that shows what the batteries of a bank are as one.

    It is described as its like of a single BMS. It is available while all members are there and
    have told the quantities that it requires.
    """

    _attr_has_entity_name = True

    def __init__(
        self,
        coordinator: BankCoordinator,
        description: EntityDescription,
        required: frozenset[str],
    ) -> None:
        """Hang on the bank's own device."""
        super().__init__(coordinator)
        self.entity_description = description
        self._required = required
        self._shown: object = None
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            entry_type=DeviceEntryType.SERVICE,
        )

    @property
    @override
    def available(self) -> bool:
        """Whether all members are there and have told what this entity shows."""
        return self.coordinator.data.bank.tells(self._required)

    @override
    async def async_added_to_hass(self) -> None:
        """Remember what Home Assistant is about to write first."""
        await super().async_added_to_hass()
        self._follow(self.coordinator.data)
        self._shown = self._now_shown()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write a state only when it is another one."""
        self._follow(self.coordinator.data)
        if (shown := self._now_shown()) != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()

    def _follow(self, update: BankUpdate) -> None:
        """Take an update into account, where it takes more than the last one to show something."""

    @abstractmethod
    def _content(self) -> object:
        """Return all that makes this entity's state worth writing again when it changes."""

    def _now_shown(self) -> object:
        return (self._content(),) if self.available else None


def where(update: BankUpdate, extreme: Extreme | None, number: str) -> dict[str, Any]:
    """Tell at which battery, unit and cell or sensor an extreme is."""
    if extreme is None:
        return {"battery": None, "unit": None, number: None}
    battery = update.names[extreme.member]
    return {"battery": battery, "unit": extreme.unit, number: extreme.number}
