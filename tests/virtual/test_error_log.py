"""The BMS's own error log: read when its owner asks for it, and never by itself."""

from __future__ import annotations

import pytest
from homeassistant.exceptions import ServiceValidationError

from tests.virtual.rig import Rig


async def test_it_ends_at_a_repeat(running: Rig) -> None:
    running.bms.error_log = [b"E01 12.03.2025", b"\x01\x02\x00\xaa"]
    found = await running.act("read_error_log")
    assert found == {
        "entries": [
            {"raw": ["45 30 31 20 31 32 2e 30 33 2e 32 30 32 35"], "text": "E01 12.03.2025"},
            {"raw": ["01 02 00 aa"], "text": None},
        ],
        "ended": "repeat",
    }
    assert running.bms.log_pointer == 3


async def test_it_is_asked_for_at_most_twelve_times(running: Rig) -> None:
    running.bms.error_log = [f"{number}".encode() for number in range(20)]
    found = await running.act("read_error_log")
    assert len(found["entries"]) == 12
    assert found["ended"] == "most"
    assert running.bms.log_pointer == 12


@pytest.mark.parametrize(("refuses", "ended"), [(True, "error"), (False, "silence")])
async def test_a_unit_without_one_says_so_or_nothing(
    running: Rig, refuses: bool, ended: str
) -> None:
    running.bms.refuses = refuses
    running.sim.log.clear()
    assert await running.act("read_error_log") == {"entries": [], "ended": ended}
    assert len([each for each in running.sim.log.requests() if each.payload == b"ERRL?"]) == 1


async def test_a_question_that_was_lost_is_not_repeated(running: Rig) -> None:
    running.bms.error_log = [b"one", b"two"]
    running.sim.faults.next("no_response", 1, instruction="ERRL")
    assert (await running.act("read_error_log"))["ended"] == "silence"


async def test_it_is_not_read_as_other_instructions_are(running: Rig) -> None:
    for code in ("ERRL", "ERLD", "MODE"):
        with pytest.raises(ServiceValidationError):
            await running.act("get_parameter", instruction=code)
        with pytest.raises(ServiceValidationError):
            await running.act("set_parameter", instruction=code, value=1)
    assert running.bms.offences == []
    assert running.bms.log_pointer == 0
