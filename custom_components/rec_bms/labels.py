"""The names that the replaced toolset gave to the parts of an array's answer."""

from __future__ import annotations

from .protocol.rs485.readings import BmsTemperature, Extremes, MainData, Reading
from .protocol.state import ErrorState, Location, PerUnit


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
                "BMS_Address_of_Minimum_Cell_Voltage": _unit(low),
                "Cell_Address_of_Minimum_Cell_Voltage": _number(low),
                "BMS_Address_of_Maximum_Cell_Voltage": _unit(high),
                "Cell_Address_of_Maximum_Cell_Voltage": _number(high),
                "BMS_Address_of_Maximum_Temp_Sensor": _unit(hot),
                "Temp_Sensor_Address_of_Maximum_Value": _number(hot),
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


def _unit(place: Location | None) -> int | None:
    return None if place is None else place.unit


def _number(place: Location | None) -> int | None:
    return None if place is None else place.number
