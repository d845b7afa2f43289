"""Coroutines as tests, on a loop whose clock leaps over waiting."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine

from tools.testkit.virtual_time import VirtualTimeLoop


def virtual[**P](test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
    """Run a test on virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
