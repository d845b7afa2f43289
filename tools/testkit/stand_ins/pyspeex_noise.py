"""Stands in for a package that must be compiled: hears nothing, and is never asked to."""


class AudioProcessor:
    """Would take noise out of speech."""
