"""What flowed between two samples."""

from __future__ import annotations

import pytest

from custom_components.rec_bms.protocol.energy import Direction, Flow, Flown


def test_between_two_samples_the_rate_changes_evenly() -> None:
    flow = Flow(30)
    assert flow.add(10.0, 100) is None
    assert flow.add(20.0, 110) == Flown(150, 0)
    assert flow.add(-20.0, 120) == Flown(50, 50)
    assert flow.add(-20.0, 130) == Flown(0, 200)


def test_over_a_gap_it_is_not_known_unless_the_bms_was_heard() -> None:
    flow = Flow(30)
    flow.add(10.0, 0)
    assert flow.add(10.0, 31) is None
    assert flow.add(10.0, 131, continuous=True) == Flown(1000, 0)


def test_around_a_rate_that_is_not_known_nothing_is() -> None:
    flow = Flow(30)
    told = [flow.add(rate, at) for rate, at in ((10.0, 0), (None, 10), (10.0, 20))]
    assert told == [None, None, None]


def test_in_no_time_nothing_flows() -> None:
    flow = Flow(30)
    flow.add(10.0, 5)
    assert flow.add(30.0, 5) == Flown(0, 0)


@pytest.mark.parametrize(
    ("direction", "flown"), [(Direction.CHARGING, 3.0), (Direction.DISCHARGING, 4.0)]
)
def test_each_way_is_told(direction: Direction, flown: float) -> None:
    assert Flown(3.0, 4.0).one_way(direction) == flown
