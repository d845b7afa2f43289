"""Speaks the line protocol of a REC BMS; knows nothing of Home Assistant."""
