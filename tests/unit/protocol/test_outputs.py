"""What a relay or an optocoupler does, from 32 bits."""

from __future__ import annotations

import pytest

from custom_components.rec_bms.protocol.outputs import Mode, task

ALL = tuple(range(1, 20))


@pytest.mark.parametrize(
    ("raw", "mode", "above", "output", "errors"),
    [
        (1979711486, Mode.LOWEST_CELL, True, True, ALL[1:]),
        (380239933, Mode.HIGHEST_CELL, False, True, (1, 3, 4, 5, 6, 18)),
        (1879055993, Mode.OFF, True, True, (1, 4, 5, 6, 7, 10, 11, 12, 13)),
        (0, Mode.OFF, False, False, ()),
        (0xFFFFFFFF, None, True, True, ALL),
        (0x08000000, Mode.DISCHARGE_ENABLE, False, False, ()),
    ],
)
def test_bits_are_a_task(
    raw: int, mode: Mode | None, above: bool, output: bool, errors: tuple[int, ...]
) -> None:
    found = task(raw)
    assert found is not None
    assert (found.mode, found.above, found.output, found.raw) == (mode, above, output, raw)
    assert found.errors == errors


def test_modes_are_in_the_order_of_their_numbers() -> None:
    assert [getattr(task(number << 24), "mode", None) for number in range(10)] == [*Mode, None]


@pytest.mark.parametrize("raw", [None, -1, 2**32, 0.5])
def test_what_is_no_32_bits_is_no_task(raw: float | None) -> None:
    assert task(raw) is None
