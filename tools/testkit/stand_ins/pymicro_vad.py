"""Stands in for a package that must be compiled: hears nothing, and is never asked to."""


class MicroVad:
    """Would tell speech from silence."""
