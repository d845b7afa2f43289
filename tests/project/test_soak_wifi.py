"""The soak over WiFi finds mistakes that are made on purpose, and calls nothing right wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.project.forked import output_of

# Mistakes are made in a process of their own, since the soak has a loop and a Home Assistant too.
SOAK = """
import asyncio, json, logging, tempfile
from tools.testkit.virtual_time import VirtualTimeLoop
from tools.soak.wifi import soak_over_wifi
from custom_components.rec_bms.protocol.wifi import bms, client, messages
logging.disable()
{mistake}
with (
    tempfile.TemporaryDirectory() as folder,
    asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
):
    report = runner.run(soak_over_wifi(folder, {hours}, 0.3, 5))
print(json.dumps([report.counts, report.faults, report.sent, report.examples]))
"""


def soak(hours: int, mistake: str = "") -> list[Any]:
    """Run a short soak in which something is done wrong; return what it found."""
    found: list[Any] = json.loads(output_of(SOAK.format(hours=hours, mistake=mistake)))
    return found


@pytest.mark.long
def test_nothing_that_is_right_is_called_wrong() -> None:
    counts, faults, sent, examples = soak(hours=2)
    assert examples == []
    assert counts["states"] > 10_000
    assert len(faults) == 13
    assert sent.keys() == {"GET", "ping", "close"}


@pytest.mark.long
@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(
            "begin = bms.WifiBms._begin\n"
            "def believe(self):\n"
            "    begin(self)\n"
            "    self._is_named = True\n"
            "bms.WifiBms._begin = believe",
            id="another module is believed before it has told its name",
        ),
        pytest.param(
            "messages.within = lambda value, bounds: value",
            id="what cannot be is shown",
        ),
        pytest.param(
            "number = messages._number\n"
            "messages._number = lambda check, value: number(check, 0.0 if not value else value)",
            id="a null is taken for nought",
        ),
        pytest.param("bms.SILENCE = 900.0\nbms._GRACE = 900.0", id="old values stay"),
    ],
)
def test_a_mistake_is_found(mistake: str) -> None:
    counts, _, _, examples = soak(hours=1, mistake=mistake)
    assert counts["wrong"] > 0
    assert examples
