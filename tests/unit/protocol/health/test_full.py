"""When a battery was last full, what flowed since, and what its BMS put right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.rec_bms.protocol.health.full import Correction, FullCharge
from tests.unit.protocol.health.updates import update

GAP = 30.0
NOON = 1_800_000_000.0
CAPACITY = 300.0
SETTINGS = {"char": 3.58, "capa": CAPACITY, "socs": 0.75}
MIDDLE = 3.33
TOP = 3.58


class Watched:
    """A battery that is told of every ten seconds; its BMS counts as it likes."""

    def __init__(self) -> None:
        self.full = FullCharge(GAP)
        self.at = 0.0
        self.ahead = 0.0
        self.settings: dict[str, Any] = dict(SETTINGS)

    @property
    def now(self) -> float:
        return NOON + self.at + self.ahead

    def tell(
        self,
        count: float | None,
        *,
        amperes: float | None = 0.0,
        volts: float | None = MIDDLE,
        after: float = 10,
        continuous: bool = True,
    ) -> FullCharge:
        self.at += after
        self.full.add(
            update(
                self.at,
                continuous=continuous,
                state_of_charge=count,
                current=amperes,
                max_cell_voltage=volts,
                **self.settings,
            ),
            self.now,
        )
        return self.full

    def charge_to(self, reached: float, *, to: float = 1.0, volts: float = TOP) -> FullCharge:
        """Charge until the count has come to a point, from which the BMS puts it elsewhere."""
        self.tell(reached, amperes=30.0, volts=3.5)
        return self.tell(to, amperes=30.0, volts=volts)

    def discharge_to(self, count: float) -> FullCharge:
        return self.tell(count, amperes=-30.0)

    def restart(self, after: float = 60) -> None:
        """Restart what follows it, from what was written to a file."""
        kept = json.loads(json.dumps(self.full.as_dict()))
        self.full = FullCharge(GAP)
        self.full.restore(kept)
        self.at += after


def full_battery() -> Watched:
    watched = Watched()
    watched.discharge_to(0.6)
    watched.charge_to(0.9995 - 0.0003)
    assert watched.full.last == watched.now
    return watched


def test_it_is_full_when_its_bms_says_so_at_the_end_of_a_charge() -> None:
    watched = Watched()
    assert watched.discharge_to(0.6).last is None
    assert watched.charge_to(0.9).last == watched.now


@pytest.mark.parametrize("volts", [MIDDLE, 3.5, None])
def test_a_count_that_has_come_to_its_end_by_itself_is_no_full_battery(volts: float) -> None:
    watched = Watched()
    for index in range(100):
        watched.tell(min(0.99 + 0.001 * index, 1.0), amperes=30.0, volts=volts)
    assert watched.full.last is None
    assert watched.full.charged is None


def test_without_the_voltage_where_charging_ends_nothing_is_certain() -> None:
    watched = Watched()
    watched.settings["char"] = None
    assert watched.charge_to(0.9).last is None
    del watched.settings["char"]
    watched.discharge_to(0.7)
    assert watched.charge_to(0.9).last is None


def test_an_end_of_charge_at_which_the_bms_does_not_say_full_is_none() -> None:
    watched = Watched()
    assert watched.charge_to(0.9, to=0.96).last is None


def test_the_cell_may_have_been_there_just_before_the_bms_says_so() -> None:
    watched = Watched()
    watched.tell(0.9, amperes=30.0, volts=TOP - 0.03)
    assert watched.tell(1.0, volts=3.45).last == watched.now


def test_a_cell_that_was_there_long_ago_says_nothing() -> None:
    watched = Watched()
    watched.tell(0.9, amperes=30.0, volts=TOP)
    for _ in range(100):
        watched.tell(0.9, volts=3.4)
    assert watched.tell(1.0, volts=3.4).last is None


def test_a_count_that_comes_to_its_end_just_there_has_nothing_put_right() -> None:
    full = full_battery().full
    assert full.correction == pytest.approx(0, abs=0.001)


def test_a_count_that_was_too_low_is_put_right_upwards() -> None:
    watched = Watched()
    watched.discharge_to(0.5)
    assert watched.charge_to(0.91).correction == pytest.approx(0.09, abs=0.001)


def test_what_the_current_explains_is_no_correction() -> None:
    """Ten minutes at 180 A are a tenth of 300 Ah."""
    watched = Watched()
    watched.tell(0.8, amperes=180.0, volts=3.5)
    watched.tell(0.81, amperes=180.0, volts=3.5)
    full = watched.tell(1.0, amperes=180.0, volts=TOP, after=600)
    assert full.correction == pytest.approx(0.09, abs=0.001)


def test_a_current_that_changed_too_much_leaves_the_correction_open() -> None:
    watched = Watched()
    watched.tell(0.8, amperes=180.0, volts=3.5)
    full = watched.tell(1.0, amperes=0.0, volts=TOP, after=600)
    assert full.last == watched.now
    assert full.correction is None


def test_a_count_that_was_too_high_is_put_right_downwards() -> None:
    """The count stands at 100 %, and 24 Ah of 300 Ah still go in."""
    watched = Watched()
    watched.discharge_to(0.6)
    watched.tell(0.999, amperes=30.0, volts=3.35)
    for _ in range(288):
        watched.tell(1.0, amperes=30.0, volts=3.35)
    assert watched.full.last is None
    assert watched.tell(1.0, amperes=30.0, volts=TOP).correction == pytest.approx(-0.08, abs=0.002)


def test_a_count_beyond_all_is_put_right_downwards() -> None:
    watched = Watched()
    watched.discharge_to(0.6)
    watched.tell(0.999, amperes=30.0, volts=3.35)
    for index in range(36):
        watched.tell(0.9995 + index * 0.00028, amperes=30.0, volts=3.45)
    full = watched.tell(1.0, amperes=30.0, volts=TOP)
    assert full.correction == pytest.approx(-0.01, abs=0.001)


def test_a_unit_that_says_999_at_its_end_is_not_full() -> None:
    watched = Watched()
    assert watched.charge_to(0.9, to=0.999).last is None


def test_a_correction_over_a_gap_is_not_judged() -> None:
    watched = Watched()
    watched.tell(0.91, amperes=30.0, volts=3.5)
    full = watched.tell(1.0, amperes=30.0, volts=TOP, after=600, continuous=False)
    assert full.last == watched.now
    assert full.correction is None


def test_a_correction_over_a_restart_is_not_judged() -> None:
    watched = Watched()
    watched.tell(0.91, amperes=30.0, volts=3.5)
    watched.restart()
    full = watched.tell(1.0, amperes=30.0, volts=TOP)
    assert full.last == watched.now
    assert full.correction is None


@pytest.mark.parametrize("lost", [{"count": None}, {"count": 0.91, "amperes": None}])
def test_a_correction_next_to_what_is_not_known_is_not_judged(lost: dict[str, Any]) -> None:
    watched = Watched()
    watched.tell(0.91, amperes=30.0, volts=3.5)
    watched.tell(**lost)
    assert watched.tell(1.0, amperes=30.0, volts=TOP).correction is None


def test_without_the_capacity_no_correction_is_judged() -> None:
    watched = Watched()
    watched.settings["capa"] = None
    assert watched.charge_to(0.91).correction is None


def test_a_count_that_its_owner_has_set_to_all_is_no_full_battery() -> None:
    watched = Watched()
    watched.discharge_to(0.6)
    watched.settings["socs"] = 1.0
    watched.tell(0.6, after=0)
    assert watched.tell(1.0, amperes=30.0).last is None


def test_a_count_that_was_set_since_is_not_put_right() -> None:
    """The one after it is the count's own again."""
    watched = full_battery()
    corrections = watched.full.corrections
    watched.discharge_to(0.6)
    watched.settings["socs"] = 0.3
    watched.tell(0.6, after=0)
    watched.tell(0.3)
    watched.restart()
    watched.tell(0.3)
    assert watched.charge_to(0.7).corrections == corrections
    watched.discharge_to(0.6)
    assert watched.charge_to(0.9).correction == pytest.approx(0.1, abs=0.001)


def test_a_setting_that_follows_the_count_was_not_set() -> None:
    watched = full_battery()
    for count in (0.9, 0.8, 0.7):
        watched.settings["socs"] = count + 0.02
        watched.discharge_to(count)
    assert watched.charge_to(0.9).correction == pytest.approx(0.1, abs=0.001)


def test_a_count_that_was_set_to_all_elsewhere_is_followed_all_the_same() -> None:
    """Nobody saw the set: the battery is full when it is, and by its own count it was right."""
    watched = Watched()
    watched.discharge_to(0.9)
    watched.tell(1.0, amperes=30.0)
    for _ in range(360):
        watched.tell(1.0, amperes=30.0, volts=3.35)
    assert watched.tell(1.0, amperes=30.0, volts=TOP).correction == pytest.approx(0, abs=0.002)


def test_a_count_that_flickers_is_one_full_charge() -> None:
    watched = full_battery()
    last, corrections = watched.full.last, watched.full.corrections
    for index in range(200):
        watched.tell(0.999 if index % 2 else 1.0, volts=TOP)
    assert watched.full.last == last
    assert watched.full.corrections == corrections


def test_a_battery_on_float_is_one_full_charge() -> None:
    watched = full_battery()
    last = watched.full.last
    for _ in range(3_000):
        watched.tell(1.0, amperes=0.5, volts=3.40)
    assert watched.full.last == last


def test_a_battery_that_is_held_at_the_end_was_full_to_the_hour() -> None:
    watched = full_battery()
    moments = {watched.tell(1.0, amperes=0.5, volts=TOP).last for _ in range(1_000)}
    assert len(moments) == 3
    assert watched.full.charged == pytest.approx(
        0.5 * (watched.now - max(filter(None, moments))) / 3600
    )


def test_little_used_of_it_has_little_to_put_right() -> None:
    watched = full_battery()
    corrections = watched.full.corrections
    watched.discharge_to(0.97)
    last = watched.charge_to(0.995).last
    assert last == watched.now
    assert watched.full.corrections == corrections


def test_large_corrections_count_however_little_was_used() -> None:
    watched = full_battery()
    watched.discharge_to(0.98)
    watched.tell(0.9994, amperes=30.0, volts=3.35)
    for _ in range(288):
        watched.tell(1.0, amperes=30.0, volts=3.35)
    assert watched.tell(1.0, amperes=30.0, volts=TOP).correction == pytest.approx(-0.08, abs=0.002)


def cycles(*reached: float) -> FullCharge:
    """Have a battery used and charged, and its count put right from where it was."""
    watched = Watched()
    for each in reached:
        watched.discharge_to(0.5)
        watched.charge_to(each)
    return watched.full


@pytest.mark.parametrize(
    ("reached", "drifts"),
    [
        ((0.91, 0.92), False),
        ((0.91, 0.92, 0.93), True),
        ((0.99, 0.91, 0.92, 0.93), True),
        ((0.91, 0.92, 0.93, 0.99), False),
        ((0.91, 0.92, 0.96), False),
    ],
)
def test_three_large_corrections_running_are_drift(
    reached: tuple[float, ...], drifts: bool
) -> None:
    assert cycles(*reached).drifts is drifts


def test_corrections_of_either_sign_are_no_drift() -> None:
    full = FullCharge(GAP)
    kept = [{"at": NOON + index, "by": by} for index, by in enumerate((0.09, -0.09, 0.09))]
    full.restore({"corrections": kept})
    assert not full.drifts
    full.restore({"corrections": [{"at": NOON, "by": -0.09}] * 3})
    assert full.drifts


def test_only_the_last_few_corrections_are_kept() -> None:
    full = cycles(*[0.91 + 0.001 * index for index in range(20)])
    assert len(full.corrections) == 10
    assert full.correction == pytest.approx(1 - 0.929, abs=0.001)


def test_charge_since_full_is_counted_each_way() -> None:
    watched = full_battery()
    count = 1.0
    watched.tell(1.0, amperes=0.0)
    for amperes in [-30.0] * 360 + [15.0] * 360:
        count += amperes * 10 / 3600 / CAPACITY
        full = watched.tell(count, amperes=amperes)
    assert full.discharged == pytest.approx(30, abs=0.1)
    assert full.charged == pytest.approx(15.05, abs=0.1)


def test_a_short_gap_is_filled_from_the_count_of_the_bms() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=0.0)
    full = watched.tell(0.95, amperes=0.0, after=600, continuous=False)
    assert full.discharged == pytest.approx(0.02 * CAPACITY, abs=0.1)


def test_a_restart_is_filled_from_the_count_of_the_bms() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=0.0)
    before = watched.full.discharged
    watched.restart(after=120)
    full = watched.tell(0.95, amperes=0.0)
    assert before is not None
    assert full.discharged == pytest.approx(before + 0.02 * CAPACITY)


def test_a_power_cut_that_loses_minutes_loses_no_charge() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=-30.0)
    kept = json.loads(json.dumps(watched.full.as_dict()))
    for index in range(30):
        watched.tell(0.97 - index * 0.0003, amperes=-30.0)
    watched.full = FullCharge(GAP)
    watched.full.restore(kept)
    full = watched.tell(0.95, amperes=-30.0)
    assert full.discharged == pytest.approx(kept["discharged"] + 0.02 * CAPACITY)


@pytest.mark.parametrize("after", [1_000, 86_400])
def test_after_a_long_gap_it_is_not_known_what_flowed(after: float) -> None:
    watched = full_battery()
    last = watched.full.last
    watched.tell(0.97)
    watched.tell(0.9, after=after, continuous=False)
    watched.discharge_to(0.8)
    assert (watched.full.charged, watched.full.discharged) == (None, None)
    assert watched.full.last == last
    assert watched.charge_to(0.99).charged == 0


def test_a_reading_that_is_missing_is_filled_from_the_count_of_the_bms() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=-30.0)
    before = watched.full.discharged
    watched.tell(0.9697, amperes=None)
    watched.tell(0.9694, amperes=-30.0)
    full = watched.tell(0.9691, amperes=-30.0)
    assert before is not None
    assert full.discharged == pytest.approx(before + 0.0009 * CAPACITY, abs=0.02)


def test_without_a_count_a_gap_stays_open_until_there_is_one() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=0.0)
    before = watched.full.discharged
    watched.tell(None, amperes=None)
    watched.tell(None, amperes=-30.0)
    full = watched.tell(0.96, amperes=-30.0)
    assert before is not None
    assert full.discharged == pytest.approx(before + 0.01 * CAPACITY)


def test_the_same_measurement_told_twice_counts_once() -> None:
    watched = full_battery()
    watched.tell(0.99, amperes=-30.0)
    discharged = watched.full.discharged
    for _ in range(50):
        watched.tell(0.99, amperes=-30.0, after=0)
    assert watched.full.discharged == discharged


def test_all_of_it_outlives_a_restart() -> None:
    watched = full_battery()
    watched.discharge_to(0.5)
    watched.charge_to(0.9)
    watched.discharge_to(0.7)
    kept = watched.full.as_dict()
    watched.restart()
    assert watched.full.as_dict() == kept
    assert watched.full.correction == pytest.approx(0.1, abs=0.001)
    watched.tell(0.7)
    assert watched.charge_to(0.9).correction == pytest.approx(0.1, abs=0.001)


def test_a_restart_while_it_is_full_makes_no_other_full_charge() -> None:
    watched = full_battery()
    last = watched.full.last
    watched.restart()
    assert watched.tell(1.0, volts=TOP).last == last


def test_a_clock_that_was_ahead_leaves_no_time_in_the_future() -> None:
    watched = full_battery()
    watched.discharge_to(0.5)
    watched.charge_to(0.9)
    watched.ahead = -1e6
    full = watched.tell(1.0)
    assert full.last == watched.now
    assert {each.at for each in full.corrections} == {watched.now}
    assert full.as_dict()["noted"]["at"] == watched.now


def test_a_count_that_was_noted_in_the_future_fills_nothing() -> None:
    watched = full_battery()
    watched.tell(0.97)
    watched.ahead = -1e6
    watched.tell(None, amperes=None)
    assert watched.full.as_dict()["noted"] is None
    watched.ahead = 0
    assert watched.tell(0.96).discharged is None


def test_a_clock_that_is_set_forward_makes_no_gap() -> None:
    watched = full_battery()
    watched.tell(0.97, amperes=-30.0)
    watched.ahead = 1e6
    assert watched.tell(0.969, amperes=-30.0).discharged is not None


def test_over_a_restart_with_the_clock_set_back_nothing_is_filled() -> None:
    watched = full_battery()
    watched.tell(0.97)
    watched.restart()
    watched.ahead = -1e6
    assert watched.tell(0.96).discharged is None


KEPT = {
    "last": NOON,
    "charged": 3.0,
    "discharged": 40.0,
    "corrections": [{"at": NOON - 9, "by": 0.09}, {"at": NOON, "by": 0.08}],
    "noted": {"count": 0.8, "at": NOON + 60},
    "is_full": True,
    "lowest": 0.7,
    "was_set": True,
}
FRESH = FullCharge(GAP).as_dict()


@pytest.mark.parametrize("field", list(KEPT))
@pytest.mark.parametrize("nonsense", [None, "x", float("nan"), float("inf"), [], {}, [{}], 10**400])
def test_what_cannot_be_read_is_left_out_by_itself(field: str, nonsense: object) -> None:
    full = FullCharge(GAP)
    full.restore({**KEPT, field: nonsense})
    without_charge = {"charged": None, "discharged": None}
    also = without_charge if field in ("last", "charged", "discharged") else {}
    assert full.as_dict() == {**KEPT, field: FRESH[field], **also}


@pytest.mark.parametrize("kept", [None, [], "x", 3, {}])
def test_what_is_of_another_shape_leaves_a_fresh_one(kept: object) -> None:
    full = FullCharge(GAP)
    full.restore(kept)
    assert full.as_dict() == FRESH


def test_corrections_before_one_that_cannot_be_read_are_not_running_on() -> None:
    full = FullCharge(GAP)
    broken: list[Any] = [{"at": NOON + index, "by": 0.09} for index in range(4)]
    broken[1] = {"at": NOON, "by": float("nan")}
    full.restore({"corrections": broken})
    assert full.corrections == (Correction(NOON + 2, 0.09), Correction(NOON + 3, 0.09))
    assert not full.drifts


_TOLD = st.lists(
    st.tuples(
        st.none() | st.floats(-0.05, 1.05) | st.just(1.0),
        st.none() | st.floats(-300, 300),
        st.none() | st.floats(2.5, 3.7) | st.just(TOP),
        st.floats(0, 2_000),
        st.booleans(),
        st.floats(-1e4, 1e4),
    ),
    max_size=30,
)


@pytest.mark.long
@given(_TOLD)
def test_whatever_comes_it_stays_within_reason(told: list[tuple[Any, ...]]) -> None:
    watched = Watched()
    for count, amperes, volts, after, continuous, jump in told:
        watched.ahead = jump
        full = watched.tell(count, amperes=amperes, volts=volts, after=after, continuous=continuous)
        assert full.last is None or full.last <= watched.now
        assert all(each.at <= watched.now for each in full.corrections)
        assert (full.charged is None) == (full.discharged is None)
        assert full.charged is None or full.charged >= 0
        assert full.last is not None or full.charged is None
        other = FullCharge(GAP)
        other.restore(json.loads(json.dumps(full.as_dict())))
        assert other.as_dict() == full.as_dict()
