"""Random sets on a bad line: what is shown is what the BMS has, and nothing outside limits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from homeassistant.exceptions import HomeAssistantError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import (
    DrawFn,
    booleans,
    composite,
    floats,
    integers,
    lists,
    sampled_from,
)

from tests.virtual.rig import Rig
from tests.virtual.table import BY_CODE, NUMBERS, SETTABLE, Row
from tests.virtual.test_settings import shows
from tools.simulator import Entry

SETS = 1000
EXAMPLES = 20
LINE_FAULTS = {
    "no_response": 0.02,
    "late": 0.03,
    "truncated": 0.02,
    "bit_flips": 0.03,
    "inserted_bytes": 0.02,
    "lost_bytes": 0.02,
    "doubled_bytes": 0.02,
    "doubled_response": 0.02,
    "noise": 0.03,
    "false_start": 0.02,
    "other_address": 0.02,
}
SET_FAULTS = {"set_lost": 0.05, "set_refused": 0.05, "set_ignored": 0.05, "set_unheard": 0.05}


def outside(entry: Entry) -> bool:
    """Tell whether a set asked the BMS for a value outside the limits."""
    code, _, value = entry.payload.decode().partition(" ")
    row = BY_CODE[code]
    assert row.minimum is not None
    assert row.maximum is not None
    return not row.minimum <= float(value) <= row.maximum


@pytest.fixture
def in_haste() -> Iterator[None]:
    """Shrink the line's patience and the lateness of answers alike, so that hundreds fit in."""
    line = "custom_components.rec_bms.protocol.rs485.transaction"
    with patch(f"{line}.RESPONSE_TIMEOUT", 0.1), patch(f"{line}.LATEST_RESPONSE", 0.5):
        yield


@dataclass(frozen=True)
class Attempt:
    """A set of a value in the line's unit, sometimes one outside the limits."""

    row: Row
    value: float
    by_entity: bool

    async def make(self, rig: Rig) -> bool:
        """Make the set in one way or the other; return whether it was said to have succeeded."""
        row, value = self.row, self.value
        # Home Assistant passes over what is unavailable without a word.
        by_entity = self.by_entity and row in NUMBERS and rig.shown(row.key) != "unavailable"
        try:
            if by_entity:
                await rig.set_number(row.key, value * row.scale)
            else:
                await rig.act("set_parameter", instruction=row.alias, value=value)
        except HomeAssistantError:
            return False
        assert rig.bms.settings[row.code] == pytest.approx(value, rel=2e-6), row
        assert shows(rig, row)
        return True


@composite
def attempts(draw: DrawFn, rows: Sequence[Row] = SETTABLE) -> Attempt:
    """Draw one of the settings and a value up to a tenth beyond its limits.

    No setting is sent finer than to nine decimals.
    """
    row = draw(sampled_from(rows))
    assert row.minimum is not None
    assert row.maximum is not None
    beyond = 0.1 * (row.maximum - row.minimum)
    value = draw(floats(row.minimum - beyond, row.maximum + beyond))
    value = round(value) if row.whole_number else round(float(f"{value:.4g}"), 9)
    return Attempt(row, value, draw(booleans()))


@pytest.mark.long
@given(attempts([BY_CODE["EAVC"], BY_CODE["ODDC"]]))
def test_what_is_drawn_is_no_finer_than_what_is_sent(attempt: Attempt) -> None:
    """Otherwise a value that was sent right would be taken for a wrong one."""
    assert attempt.value == float(f"{attempt.value:.9f}") == float(f"{attempt.value:.9g}")


# It waits for hundreds of answers that do not come: minutes on any machine.
@pytest.mark.long
@pytest.mark.timeout(900)
@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    # One rig serves all examples: each goes on from where the last one left the BMS.
    suppress_health_check=list(HealthCheck),
)
@given(
    sets=lists(attempts(), min_size=SETS // EXAMPLES, max_size=SETS // EXAMPLES),
    seed=integers(0, 2**32),
)
async def test_entities_agree_with_the_bms_after_random_sets_on_a_bad_line(
    in_haste: None, complete: Rig, sets: list[Attempt], seed: int
) -> None:
    faults = complete.sim.faults
    faults.rng.seed(seed)
    faults.late = (0.02, 0.42)
    faults.set_shares({**LINE_FAULTS, **SET_FAULTS})
    for each in sets:
        await each.make(complete)
    faults.set_shares({})
    await asyncio.sleep(0.5)  # whatever was late is through
    await complete.poll()  # the BMS itself counts over- and undervoltage
    for row in SETTABLE:
        if complete.shown(row.key) in ("unknown", "unavailable"):
            await complete.poll()
        assert shows(complete, row), row
    assert await Attempt(BY_CODE["SISN"], 3, by_entity=True).make(complete)
    assert not [entry for entry in complete.sim.log.sets if outside(entry)]
