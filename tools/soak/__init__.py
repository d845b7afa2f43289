"""Runs the integration against BMSs on bad lines; an oracle knows what it may show."""
