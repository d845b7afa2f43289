"""What this process holds, so that it can be told whether something is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from pathlib import Path

_POOLS = ("SyncWorker", "asyncio_")
"""How threads of Home Assistant's and asyncio's executors are named."""


def held() -> Counter[str]:
    """Return how many files, tasks and threads there are now.

    Threads of an executor do not count: there is one more at whichever moment all are busy. What
    is held later, less what is held now, is what was left behind.
    """
    gc.collect()
    return Counter(
        files=len(list(Path("/proc/self/fd").iterdir())),
        tasks=len(asyncio.all_tasks()),
        threads=sum(not each.name.startswith(_POOLS) for each in threading.enumerate()),
    )
