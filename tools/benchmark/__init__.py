"""Measures what a poll costs, against what the wire costs."""
