"""Starts a real Home Assistant with the integration in it, for demo, tests and benchmarks."""
