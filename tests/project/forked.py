"""Programs in processes of their own, each of which begins with Home Assistant imported already.

Importing it takes as long as a short soak. A process that has done so once has a copy of itself
made for each program, so that what one of them changes is nothing to the others.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context
from unittest.mock import patch

_IMPORTED = ("tools.soak.run", "tools.soak.wifi")


def output_of(program: str) -> str:
    """Run a program and return what it prints. Raises what it raises."""
    context = get_context("forkserver")
    context.set_forkserver_preload([*_IMPORTED])
    # The copies draw what the first one would: its hashes are the same in every run.
    with (
        patch.dict(os.environ, {"PYTHONHASHSEED": "0"}),
        ProcessPoolExecutor(1, mp_context=context) as pool,
    ):
        return pool.submit(_run, program).result()


def _run(program: str) -> str:
    with redirect_stdout(io.StringIO()) as said:
        exec(program, {"__name__": "__main__"})
    return said.getvalue()
