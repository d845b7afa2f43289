"""The sensor that says whether a cell is weak or the battery is out of balance, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.sensor import SensorDeviceClass

from .const import CONF_BALANCING_CURRENT
from .health_cells import CELLS_COMPARED, END_OF_CHARGE
from .health_entity import RecBmsHealthDescription, RecBmsHealthSensor, rounded
from .protocol.health.balancing import balancing_current
from .protocol.health.diagnosis import Finding
from .protocol.state import Quantity

DIAGNOSIS = RecBmsHealthDescription(
    key="diagnosis",
    translation_key="diagnosis",
    device_class=SensorDeviceClass.ENUM,
    options=[*Finding],
    required=CELLS_COMPARED | END_OF_CHARGE,
    optional=frozenset({Quantity.CELL_RESISTANCES, "bvol"}),
    value_fn=lambda health, _: health.diagnosing.diagnosis.finding,
)


class RecBmsDiagnosisSensor(RecBmsHealthSensor):
    """What is found of the cells; how long to balance takes the current that it is done with."""

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Which cell it is and why, and what balancing takes in Ah and h."""
        diagnosing = self.coordinator.health.diagnosing
        found = diagnosing.diagnosis
        amperes = self._amperes
        hours = None if amperes is None else diagnosing.balancing_hours(amperes)
        return {
            "unit": found.unit,
            "cell": found.cell,
            "reasons": [str(reason) for reason in found.reasons],
            "imbalance": rounded(found.imbalance, 1),
            "balancing_hours": rounded(hours, 0),
        }

    @property
    def _amperes(self) -> float | None:
        """The current that cells are balanced with: the BMS's own, else what its owner gave."""
        known = balancing_current(self.coordinator.data.state)
        given: float | None = self.coordinator.config_entry.options.get(CONF_BALANCING_CURRENT)
        return given if known is None else known
