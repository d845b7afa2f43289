"""What this integration wrote into Home Assistant's log; runs after all other tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import LiveRig

LINE = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) \(\w+\) \[(?P<logger>[\w.]+)\] (?P<text>.*)$")
COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")


def lines_of(rig: LiveRig) -> list[re.Match[str]]:
    return [found for line in rig.home_assistant.log.splitlines() if (found := LINE.match(line))]


async def test_the_log_has_no_errors_but_that_the_bms_was_gone_once(rig: LiveRig) -> None:
    lines = lines_of(rig)
    ours = [found for found in lines if found["logger"].startswith("custom_components.rec_bms")]
    complaints = [found["text"] for found in ours if found["level"] in COMPLAINTS]
    gone = [text for text in complaints if "did not answer" in text]
    assert [text for text in complaints if text not in gone] == []
    assert len(gone) == rig.times_silent
    # What Home Assistant says of an integration that does what it should not.
    assert [found[0] for found in lines if "Detected" in found["text"]] == []
    assert re.findall(r'File ".*custom_components/rec_bms/.*"', rig.home_assistant.log) == []


async def test_nothing_that_the_integration_uses_is_deprecated(rig: LiveRig) -> None:
    said = [found["text"] for found in lines_of(rig) if "rec_bms" in found["text"]]
    complaint = re.compile("deprecat|will stop working", re.IGNORECASE)
    assert [text for text in said if complaint.search(text)] == []
