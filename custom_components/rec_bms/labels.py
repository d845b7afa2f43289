"""The names that the replaced toolset gave to the parts of an array's answer."""

from __future__ import annotations

from .protocol.rs485.readings import BmsTemperature, Extremes, MainData, Reading
from .protocol.state import ErrorState, PerUnit


def labelled(reading: Reading) -> dict[str, float | None] | None:
    """Return an array's values by label, in the line's units; None for a single value.

    Cells and sensors are labelled `U_N`: unit and number, both from 1.
    """
    match reading:
        case MainData():
            return {
                "Minimum_Cell_Voltage": reading.min_cell_voltage,
                "Maximum_Cell_Voltage": reading.max_cell_voltage,
                "Pack_Current": reading.current,
                "Maximum_Temperature": reading.max_temperature,
                "Pack_Voltage": reading.voltage,
                "State_of_Charge": reading.state_of_charge,
                "State_of_Health": reading.state_of_health,
            }
        case Extremes(low, high, hot, consumed):
            return {
                "BMS_Address_of_Minimum_Cell_Voltage": low.unit,
                "Cell_Address_of_Minimum_Cell_Voltage": low.number,
                "BMS_Address_of_Maximum_Cell_Voltage": high.unit,
                "Cell_Address_of_Maximum_Cell_Voltage": high.number,
                "BMS_Address_of_Maximum_Temp_Sensor": hot.unit,
                "Temp_Sensor_Address_of_Maximum_Value": hot.number,
                "Amp_Hours_since_last_charge": consumed,
            }
        case PerUnit():
            return {f"{unit}_{number}": value for unit, number, value in reading}
        case BmsTemperature(temperature):
            return {"1": temperature}
        case ErrorState(present, unit, number, location):
            return {
                "Error_Present": int(present),
                "BMS_Unit": unit,
                "Error_Number": number,
                "Error_Location": location,
            }
    return None
