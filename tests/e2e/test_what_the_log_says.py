"""What this integration wrote into Home Assistant's log; runs after all other tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import House

LINE = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) \(\w+\) \[(?P<logger>[\w.]+)\] (?P<text>.*)$")
COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")


async def test_the_log_has_no_errors_but_that_the_bms_was_gone_once(house: House) -> None:
    log = house.home_assistant.log
    lines = [found for line in log.splitlines() if (found := LINE.match(line))]
    ours = [found for found in lines if found["logger"].startswith("custom_components.rec_bms")]
    complaints = [found["text"] for found in ours if found["level"] in COMPLAINTS]
    gone = [text for text in complaints if "did not answer" in text]
    assert [text for text in complaints if text not in gone] == []
    assert len(gone) == house.times_silent
    # What Home Assistant says of an integration that does what it should not.
    assert [found[0] for found in lines if "Detected" in found["text"]] == []
    assert re.findall(r'File ".*rec_bms.*"', log) == []
