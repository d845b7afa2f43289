"""Runs the integration against BMSs on bad lines and compares all that it shows with the truth."""
