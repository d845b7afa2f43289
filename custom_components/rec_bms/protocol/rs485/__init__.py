"""The way to a BMS over its RS-485 line."""
