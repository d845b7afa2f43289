#!/usr/bin/env python3
"""One coverage-guided run: `TARGET=NAME python run.py LIBFUZZER-OPTION… CORPUS…` (scripts/fuzz)."""

from __future__ import annotations

import os
import sys

import atheris
from targets import PACKAGE, Targets, load


def main() -> None:
    """Fuzz one target; libFuzzer ends the process."""
    targets = Targets(load(atheris.instrument_imports(include=[PACKAGE])))
    # libFuzzer starts itself again when it merges, with the options alone.
    atheris.Setup(sys.argv, targets.by_name[os.environ["TARGET"]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
