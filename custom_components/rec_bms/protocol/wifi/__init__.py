"""A BMS behind REC's WiFi module."""
