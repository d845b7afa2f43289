"""The instructions of REC BMSs as typed data: the one table that everything reads.

Requests, decoding, limits, actions, documentation and tests take their facts from here. Limits
(`minimum`, `maximum`) and `line_unit` are those of the line.

The first 42 are the 1Q's; those after them are `newer`, and no unit knows all of them. Source: the
instruction library of REC-BMSManager, REC's manuals and captures (docs/protocol.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ..settings import NO_CHOICES, Category, Setting


class Reply(StrEnum):
    """How an instruction is answered: text, one number as text, or an array of frames.

    `CELL` is a cell's number, or something that is no number where there is none; `TIME` is
    `hh:mm:ss`, `DATE` is `dd.mm.yyyy`. `RAW` is of a form that nobody knows.
    """

    STRING = "string"
    FLOAT = "float"
    INT = "int"
    CHAR = "char"
    ARRAY = "array"
    CELL = "cell"
    TIME = "time"
    DATE = "date"
    RAW = "raw"


class Group(StrEnum):
    """How often an instruction is requested; the intervals are the coordinator's."""

    IDENTITY = "identity"
    MAIN = "main"
    TEMPERATURES = "temperatures"
    WATCHED = "watched"
    SLOW = "slow"
    SETTING = "setting"


class Kind(StrEnum):
    """The filters of the instruction list, as the replaced toolset named them."""

    STRING = "string"
    ARRAY = "array"
    RANGE = "range"
    CONFIGURABLE = "configurable"
    COMMON = "common"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of the BMS.

    `minimum` and `maximum` are in `line_unit` and exist exactly for what can be set. `header` is the
    first frame of an array's response, None where that frame counts the units. `choices` names the
    values of a setting that is a list rather than a quantity. `newer` is what the 1Q does not know,
    and which a unit must therefore be found to know before it is relied upon.
    """

    code: str
    alias: str
    name: str
    category: Category
    reply: Reply
    group: Group
    minimum: float | None = None
    maximum: float | None = None
    line_unit: str | None = None
    common: bool = False
    header: str | None = None
    choices: Mapping[int, str] = field(default=NO_CHOICES, hash=False)
    newer: bool = False

    @property
    def settable(self) -> bool:
        """Whether the BMS lets this value be set."""
        return self.minimum is not None

    @property
    def key(self) -> str:
        """What a state, an entity and a translation know a setting by."""
        return self.code.lower()

    @property
    def setting(self) -> Setting:
        """What can be set with this instruction, which must be settable."""
        assert self.minimum is not None
        assert self.maximum is not None
        return Setting(
            self.code,
            self.name,
            self.category,
            self.minimum,
            self.maximum,
            self.line_unit,
            self.whole_number,
            self.choices,
        )

    @property
    def is_array(self) -> bool:
        """Whether the response comes in several frames."""
        return self.reply is Reply.ARRAY

    @property
    def is_number(self) -> bool:
        """Whether the response is a single number."""
        return self.reply in (Reply.FLOAT, Reply.INT, Reply.CHAR)

    @property
    def whole_number(self) -> bool:
        """Whether the value is an integer on the line."""
        return self.reply in (Reply.INT, Reply.CHAR)

    @property
    def query(self) -> bytes:
        """The payload that requests this instruction."""
        return f"{self.code}?".encode("ascii")

    def is_kind(self, kind: Kind) -> bool:
        """Tell whether the instruction list shows this instruction under a filter."""
        return {
            Kind.STRING: self.reply is Reply.STRING,
            Kind.ARRAY: self.is_array,
            Kind.RANGE: self.minimum is not None,
            Kind.CONFIGURABLE: self.settable,
            Kind.COMMON: self.common,
        }[kind]


_CHEMISTRIES = MappingProxyType(
    {
        1: "li_po_kokam_high_power",
        2: "li_po_kokam_high_capacity",
        3: "lifepo4_winston",
        4: "lifepo4_a123",
        5: "limno2",
    }
)
_CAN_SPEEDS = MappingProxyType({1: "250_kbit_s", 2: "500_kbit_s"})

# A table is read across: one row an instruction, whatever its width.
# fmt: off
INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction("*IDN", "Identity", "Identification", Category.IDENTIFICATION, Reply.STRING, Group.IDENTITY, common=True),
    Instruction("LCD1", "ListCommonData1", "Main data", Category.INFORMATION, Reply.ARRAY, Group.MAIN, common=True, header="28"),
    Instruction("LCD3", "ListCommonData3", "Extremes and consumed charge", Category.INFORMATION, Reply.ARRAY, Group.MAIN, common=True, header="8"),
    Instruction("CELL", "CellVoltages", "Cell voltages", Category.INFORMATION, Reply.ARRAY, Group.MAIN, line_unit="V", common=True),
    Instruction("PTEM", "CellTemperatures", "Battery temperatures", Category.INFORMATION, Reply.ARRAY, Group.TEMPERATURES, line_unit="°C", common=True),
    Instruction("RINT", "CellResistance", "Cell internal DC resistance", Category.INFORMATION, Reply.ARRAY, Group.SLOW, line_unit="Ω", common=True),
    Instruction("BTEM", "BMSTemperature", "BMS temperature", Category.INFORMATION, Reply.ARRAY, Group.TEMPERATURES, line_unit="°C", common=True, header="1"),
    Instruction("ERRO", "BMSErrors", "Error", Category.INFORMATION, Reply.ARRAY, Group.MAIN, common=True, header="4"),
    Instruction("BVOL", "BalanceEnd", "Balancing end voltage", Category.CELL, Reply.FLOAT, Group.SETTING, 2.5, 4.3, line_unit="V"),
    Instruction("BMIN", "BalanceStart", "Balancing start voltage", Category.CELL, Reply.FLOAT, Group.SETTING, 2.5, 4.3, line_unit="V"),
    Instruction("CMAX", "CellMax", "Cell overvoltage cut-off", Category.CELL, Reply.FLOAT, Group.SETTING, 2, 4.3, line_unit="V"),
    Instruction("MAXH", "CellHysteresisMax", "Cell overvoltage hysteresis", Category.CELL, Reply.FLOAT, Group.SETTING, 0.005, 2, line_unit="V"),
    Instruction("CMIN", "CellMin", "Cell undervoltage cut-off", Category.CELL, Reply.FLOAT, Group.SETTING, 1.8, 4, line_unit="V"),
    Instruction("MINH", "CellHysteresisMin", "Cell undervoltage hysteresis", Category.CELL, Reply.FLOAT, Group.SETTING, 0.005, 2, line_unit="V"),
    Instruction("CHAR", "CellChargeEnd", "End-of-charge cell voltage", Category.CELL, Reply.FLOAT, Group.SETTING, 2, 4.3, line_unit="V"),
    Instruction("CHIS", "CellChargeHysteresisEnd", "End-of-charge hysteresis", Category.CELL, Reply.FLOAT, Group.SETTING, 0.005, 2, line_unit="V"),
    Instruction("RAZL", "CellDifferenceMax", "Maximum cell voltage difference", Category.CELL, Reply.FLOAT, Group.SETTING, 0.005, 1, line_unit="V"),
    Instruction("TMAX", "CellTemperatureMax", "Cell overtemperature cut-off", Category.TEMPERATURE, Reply.FLOAT, Group.SETTING, -20, 65, line_unit="°C"),
    Instruction("TMIN", "CellTemperatureMin", "Charging undertemperature cut-off", Category.TEMPERATURE, Reply.FLOAT, Group.SETTING, -30, 65, line_unit="°C"),
    Instruction("TBAL", "BMSTemperatureMax", "BMS overtemperature cut-off", Category.TEMPERATURE, Reply.FLOAT, Group.SETTING, -20, 65, line_unit="°C"),
    Instruction("BMTH", "BMSTemperatureHysteresisMax", "BMS overtemperature hysteresis", Category.TEMPERATURE, Reply.FLOAT, Group.SETTING, 1, 30, line_unit="°C"),
    Instruction("IOFF", "CurrentZeroOffset", "Current sensor zero offset", Category.AMPERAGE, Reply.FLOAT, Group.SETTING, -2, 2, line_unit="A"),
    Instruction("IOJA", "VoltageCurrentCoefficient", "Current sensor coefficient", Category.AMPERAGE, Reply.FLOAT, Group.SETTING, 0.0005, 0.5),
    Instruction("CYCL", "Cycles", "Cycle count", Category.PACK, Reply.INT, Group.SLOW, 0, 8000, line_unit="cycles", common=True),
    Instruction("CAPA", "Capacity", "Battery capacity", Category.PACK, Reply.FLOAT, Group.SETTING, 1, 5000, line_unit="Ah", common=True),
    Instruction("CHEM", "Chemistry", "Cell chemistry", Category.PACK, Reply.CHAR, Group.SETTING, 1, 5, common=True, choices=_CHEMISTRIES),
    Instruction("SOCH", "StateOfChargeHysteresis", "End-of-charge SOC hysteresis", Category.SOC, Reply.FLOAT, Group.SETTING, 0.005, 0.99, line_unit="fraction"),
    Instruction("SOCS", "StateOfCharge", "State of charge reset", Category.SOC, Reply.FLOAT, Group.SETTING, 0.01, 1, line_unit="fraction"),
    Instruction("CHAC", "ChargeCoefficient", "Charge coefficient", Category.VICTRON, Reply.FLOAT, Group.SETTING, 0.01, 1, line_unit="C"),
    Instruction("DCHC", "DischargeCoefficient", "Discharge coefficient", Category.VICTRON, Reply.FLOAT, Group.SETTING, 0.01, 3, line_unit="C"),
    Instruction("SISN", "InverterCount", "Inverter count", Category.VICTRON, Reply.CHAR, Group.SETTING, 1, 6),
    Instruction("MAXC", "InverterMaxCurrentCharge", "Maximum charge current per inverter", Category.VICTRON, Reply.FLOAT, Group.SETTING, 5, 345, line_unit="A"),
    Instruction("MAXD", "InverterMaxCurrentDischarge", "Maximum discharge current per inverter", Category.VICTRON, Reply.FLOAT, Group.SETTING, 5, 345, line_unit="A"),
    Instruction("CLOW", "CellDischargeProtectionMin", "Discharge protection cell voltage", Category.VICTRON, Reply.FLOAT, Group.SETTING, 1.8, 4.2, line_unit="V"),
    Instruction("CANF", "CANBUSFrequency", "CAN bus speed", Category.VICTRON, Reply.CHAR, Group.SETTING, 1, 2, choices=_CAN_SPEEDS),
    Instruction("VMAX", "MaximumVoltageExcursionCount", "Overvoltage count", Category.ERROR, Reply.INT, Group.SLOW, 0, 8000),
    Instruction("VMIN", "MinimumVoltageExcursionCount", "Undervoltage count", Category.ERROR, Reply.INT, Group.SLOW, 0, 8000),
    Instruction("SWVR", "SoftwareVersion", "Software version", Category.BMS, Reply.STRING, Group.IDENTITY, common=True),
    Instruction("HWVR", "HardwareVersion", "Hardware version", Category.BMS, Reply.STRING, Group.IDENTITY, common=True),
    Instruction("EAVC", "CalibrationEvenCells", "Even cells calibration", Category.BMS, Reply.FLOAT, Group.SETTING, -0.0003, 0.0003, line_unit="V"),
    Instruction("ODDC", "CalibrationOddCells", "Odd cells calibration", Category.BMS, Reply.FLOAT, Group.SETTING, -0.0003, 0.0003, line_unit="V"),
    Instruction("REFC", "ADCReferenceVoltage", "ADC reference voltage", Category.BMS, Reply.FLOAT, Group.IDENTITY, line_unit="V"),
    Instruction("SERI", "SerialNumber", "Serial number", Category.IDENTIFICATION, Reply.INT, Group.IDENTITY, newer=True),
    Instruction("WCBI", "BalancedCell", "Cell being balanced", Category.INFORMATION, Reply.CELL, Group.MAIN, newer=True),
    Instruction("STRN", "DeviceCount", "Inverters and chargers on the bus", Category.VICTRON, Reply.INT, Group.SETTING, 1, 5, newer=True),
    Instruction("CFVC", "FloatVoltageCoefficient", "Float voltage coefficient", Category.VICTRON, Reply.FLOAT, Group.SETTING, 0, 1, newer=True),
    Instruction("UBDI", "ChargeEndDifferenceMax", "Allowed cell voltage difference at end of charge", Category.CELL, Reply.FLOAT, Group.SETTING, line_unit="V", newer=True),
    Instruction("RE1L", "RelayThreshold", "Relay threshold", Category.BMS, Reply.FLOAT, Group.SETTING, newer=True),
    Instruction("RE1H", "RelayHysteresis", "Relay hysteresis", Category.BMS, Reply.FLOAT, Group.SETTING, newer=True),
    Instruction("RE1T", "RelayTask", "Relay task", Category.BMS, Reply.INT, Group.WATCHED, newer=True),
    Instruction("RE1V", "RelayValue", "Relay watched value", Category.BMS, Reply.FLOAT, Group.WATCHED, newer=True),
    Instruction("OP2L", "OptocouplerThreshold", "Optocoupler threshold", Category.BMS, Reply.FLOAT, Group.SETTING, newer=True),
    Instruction("OP2H", "OptocouplerHysteresis", "Optocoupler hysteresis", Category.BMS, Reply.FLOAT, Group.SETTING, newer=True),
    Instruction("OP2T", "OptocouplerTask", "Optocoupler task", Category.BMS, Reply.INT, Group.WATCHED, newer=True),
    Instruction("OP2V", "OptocouplerValue", "Optocoupler watched value", Category.BMS, Reply.FLOAT, Group.WATCHED, newer=True),
    Instruction("CAL1", "CalibrationCell1", "Cell 1 calibration", Category.BMS, Reply.FLOAT, Group.SETTING, line_unit="V", newer=True),
    Instruction("CAL2", "CalibrationCell2", "Cell 2 calibration", Category.BMS, Reply.FLOAT, Group.SETTING, line_unit="V", newer=True),
    Instruction("CAL3", "CalibrationCell3", "Cell 3 calibration", Category.BMS, Reply.FLOAT, Group.SETTING, line_unit="V", newer=True),
    Instruction("CAL4", "CalibrationCell4", "Cell 4 calibration", Category.BMS, Reply.FLOAT, Group.SETTING, line_unit="V", newer=True),
    Instruction("TIME", "ClockTime", "Clock time", Category.BMS, Reply.TIME, Group.WATCHED, newer=True),
    Instruction("DATE", "ClockDate", "Clock date", Category.BMS, Reply.DATE, Group.WATCHED, newer=True),
    Instruction("RSBR", "RS485SpeedCode", "RS-485 speed code", Category.BMS, Reply.INT, Group.SETTING, newer=True),
)
# fmt: on

BY_CODE: Mapping[str, Instruction] = MappingProxyType({row.code: row for row in INSTRUCTIONS})
NEWER: tuple[Instruction, ...] = tuple(row for row in INSTRUCTIONS if row.newer)
SETTABLE: tuple[Instruction, ...] = tuple(row for row in INSTRUCTIONS if row.settable)
SETTINGS: Mapping[str, Setting] = MappingProxyType({row.key: row.setting for row in SETTABLE})
"""By key, in the order of the table."""

ERROR_LOG = Instruction(
    "ERRL", "ErrorLog", "Error log", Category.ERROR, Reply.RAW, Group.SLOW, newer=True
)
"""Not in the table: asking for it moves a pointer, so nothing but its own action may."""

_BY_NAME = {name.casefold(): row for row in INSTRUCTIONS for name in (row.code, row.alias)}


def find(name: str) -> Instruction | None:
    """Return the instruction with a code or alias in any case, None where there is none."""
    return _BY_NAME.get(name.strip().casefold())
