"""Binary sensors of a bank: is something wrong with a battery, are they being charged."""

from __future__ import annotations

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)

from .bank import BankCoordinator, BankUpdate
from .bank_entity import BankEntity
from .protocol.bank import current, problem
from .protocol.charging import Charging
from .protocol.state import Quantity


class BankProblem(BankEntity, BinarySensorEntity):
    """Whether any battery of the bank reports an error; while one does, whoever else is away."""

    def __init__(
        self, coordinator: BankCoordinator, description: BinarySensorEntityDescription
    ) -> None:
        super().__init__(coordinator, description, frozenset({Quantity.ERROR}))

    @property
    @override
    def available(self) -> bool:
        """Whether a battery reports an error, or all have told."""
        return bool(self.is_on) or super().available

    @property
    @override
    def is_on(self) -> bool | None:
        """What the batteries told."""
        return problem(self.coordinator.data.bank)

    @override
    def _content(self) -> object:
        return self.is_on


class BankCharging(BankEntity, BinarySensorEntity):
    """Whether current flows into the bank; what is next to nothing changes nothing."""

    def __init__(
        self, coordinator: BankCoordinator, description: BinarySensorEntityDescription
    ) -> None:
        super().__init__(coordinator, description, frozenset({Quantity.CURRENT}))
        self._charging = Charging()

    @property
    @override
    def is_on(self) -> bool | None:
        """What is made of the currents so far."""
        return self._charging.is_on

    @override
    def _follow(self, update: BankUpdate) -> None:
        self._charging.add(current(update.bank))

    @override
    def _content(self) -> object:
        return self.is_on
