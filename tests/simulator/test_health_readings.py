"""What batteries tell without a line is what the integration reads off one."""

from __future__ import annotations

from functools import partial

import pytest

from custom_components.rec_bms.protocol.rs485.codec import decode
from custom_components.rec_bms.protocol.rs485.instructions import INSTRUCTIONS
from custom_components.rec_bms.protocol.rs485.readings import told_by
from custom_components.rec_bms.protocol.state import State
from tools.health.cases import Case, Fault, make
from tools.health.readings import Reader
from tools.simulator import BMS
from tools.simulator.guard import Measured

_POLLED = ("LCD1", "LCD3", "CELL", "PTEM", "RINT", "BTEM", "ERRO")
_CODES = [row for row in INSTRUCTIONS if row.code in _POLLED or (row.settable and not row.newer)]


def _itself(measured: Measured) -> Measured:
    return measured


def off_the_line(bms: BMS) -> State:
    """Return what the integration's codec makes of the responses."""
    told: dict[str, object] = {}
    for row in _CODES:
        payloads = bms.respond(row.query)
        assert payloads is not None
        told |= told_by(row.code, decode(row, tuple(payloads)))
    return State.of(told, bms.address)


@pytest.mark.parametrize("chemistry", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(6))
def test_a_state_is_the_same_as_off_the_line(
    chemistry: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bms = make(Case(chemistry, Fault.LOOSE, "machine", 1, seed)).bms
    for _ in range(4):
        bms.battery.advance(1800)
        measured = bms.sample()
        # One round of measurements, for both to tell.
        monkeypatch.setattr(bms, "sample", partial(_itself, measured))
        monkeypatch.setattr(bms, "measure", partial(_itself, measured))
        expected = off_the_line(bms)
        found = Reader(bms).state(bms.battery.time)
        assert found == expected
        assert found.told == expected.told
        monkeypatch.undo()


def test_an_error_is_the_same_as_off_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    bms = make(Case(3, Fault.NONE, "house", 1, 1)).bms
    bms.raise_error(3, 1, 2)
    measured = bms.sample()
    monkeypatch.setattr(bms, "sample", partial(_itself, measured))
    monkeypatch.setattr(bms, "measure", partial(_itself, measured))
    assert Reader(bms).state(0).error == off_the_line(bms).error
