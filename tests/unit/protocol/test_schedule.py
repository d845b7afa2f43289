"""What a poll asks for, in which order, and how long what was read stays good."""

from __future__ import annotations

from itertools import pairwise

import pytest

from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, INSTRUCTIONS, Group
from custom_components.rec_bms.protocol.rs485.known import Known
from custom_components.rec_bms.protocol.rs485.schedule import Schedule, in_order

EVERY = 10.0
ALL = [row.code for row in INSTRUCTIONS]
NEWER = [row.code for row in INSTRUCTIONS if row.newer]
SETTINGS = [row.code for row in INSTRUCTIONS if row.group is Group.SETTING]


def due(
    schedule: Schedule,
    now: float,
    wanted: tuple[str, ...] = (),
    *,
    everything: bool = False,
    hoped_for: tuple[str, ...] = (),
) -> list[str]:
    rows = schedule.due(wanted, now, everything=everything, hoped_for=lambda: hoped_for)
    return [row.code for row in rows]


def answered(schedule: Schedule, now: float = 0.0, *, but: tuple[str, ...] = ()) -> Schedule:
    """Have everything answered, save what is missed."""
    for code in ALL:
        if code not in but:
            schedule.answered(code, now)
    return schedule


def read_once(interval: float = EVERY) -> Schedule:
    schedule = Schedule(interval)
    schedule.begin(0.0)
    return answered(schedule)


def unsupported(code: str, now: float = 0.0) -> Schedule:
    """Return a schedule on which everything was read but one, which is taken for unsupported."""
    schedule = Schedule(EVERY)
    schedule.begin(0.0)
    schedule.missed(code, now)
    answered(schedule, but=(code,))
    schedule.missed(code, now)
    return schedule


def remembering(*, answered: tuple[str, ...] = (), unsupported: tuple[str, ...] = ()) -> Schedule:
    """Return a schedule that begins with what was found of the unit before."""
    schedule = Schedule(EVERY)
    schedule.remember(Known(answered=frozenset(answered), unsupported=frozenset(unsupported)))
    return schedule


# -- order --------------------------------------------------------------------------------------


def test_the_first_poll_asks_everything_once_and_lcd1_first() -> None:
    codes = due(Schedule(EVERY), 0.0, everything=True)
    assert sorted(codes) == sorted(set(ALL) - set(NEWER))
    assert (
        codes[:7] == ["LCD1", "CELL", "*IDN", "LCD3", "SWVR", "RINT", "HWVR"] or codes[0] == "LCD1"
    )


def test_responses_that_could_be_mistaken_for_each_other_are_kept_apart() -> None:
    codes = [row.code for row in in_order(["CMAX", "CMIN", "CELL", "RINT", "ERRO", "LCD3", "LCD1"])]
    assert codes[0] == "LCD1"
    assert set(codes) == {"CMAX", "CMIN", "CELL", "RINT", "ERRO", "LCD3", "LCD1"}
    kinds = ["single" if not BY_CODE[code].is_array else code for code in codes]
    assert all(a != "single" or b != "single" for a, b in pairwise(kinds))
    assert abs(codes.index("CELL") - codes.index("RINT")) > 1


def test_the_order_is_fences_between_arrays_and_singles_between_both() -> None:
    rows = in_order(["LCD1", "LCD3", "ERRO", "CELL", "RINT", "CMAX", "CMIN", "BVOL", "BMIN"])
    codes = [row.code for row in rows]
    singles = [code for code in ALL if code in ("CMAX", "CMIN", "BVOL", "BMIN")]
    others = [
        *[code for code in ALL if code in ("CELL", "RINT")],
        *[code for code in ALL if code in ("LCD3", "ERRO")],
    ]
    mixed = [others[0], others[2], others[1], others[3]]
    expected = [code for pair in zip(mixed, singles, strict=True) for code in pair]
    assert codes == ["LCD1", *expected]


def test_without_lcd1_the_rest_comes_in_order() -> None:
    assert [row.code for row in in_order(["CMAX"])] == ["CMAX"]
    assert in_order([]) == []


# -- what is due --------------------------------------------------------------------------------


def test_lcd1_and_erro_are_due_whatever_is_wanted() -> None:
    schedule = read_once()
    assert due(schedule, EVERY) == ["LCD1", "ERRO"]
    assert due(schedule, EVERY, ("CELL",)) == ["LCD1", "CELL", "ERRO"]


@pytest.mark.parametrize(
    ("code", "interval", "every"),
    [
        ("CELL", 10, 10),
        ("PTEM", 10, 30),
        ("BTEM", 10, 30),
        ("PTEM", 60, 60),
        ("RINT", 10, 300),
        ("CYCL", 10, 300),
        ("VMAX", 600, 600),
    ],
)
def test_it_is_due_again_half_a_scan_interval_early(code: str, interval: int, every: int) -> None:
    schedule = read_once(interval)
    at = every - interval / 2
    assert code not in due(schedule, at - 0.001, (code,))
    assert code in due(schedule, at, (code,))


def test_what_never_changes_is_read_once() -> None:
    schedule = read_once()
    assert "*IDN" not in due(schedule, 1e9, ("*IDN",))
    assert "*IDN" in due(schedule, 1e9, everything=True)


def test_what_was_never_read_is_due() -> None:
    schedule = answered(Schedule(EVERY), but=("CMAX", "*IDN"))
    assert {"CMAX", "*IDN"} <= set(due(schedule, 0.0, ("CMAX", "*IDN")))
    assert "CMAX" not in due(schedule, 0.0)


def test_one_setting_a_poll_in_turn_of_those_that_are_wanted() -> None:
    schedule = read_once()
    wanted = (SETTINGS[2], SETTINGS[0], SETTINGS[5])
    turns = []
    for poll in range(1, 5):
        codes = [code for code in due(schedule, poll * EVERY, wanted) if code in SETTINGS]
        turns += codes
        for code in codes:
            schedule.answered(code, poll * EVERY)
    assert turns == [SETTINGS[0], SETTINGS[2], SETTINGS[5], SETTINGS[0]]


def test_a_setting_that_is_missed_does_not_hold_up_the_others() -> None:
    schedule = read_once()
    wanted = (SETTINGS[0], SETTINGS[1])
    assert SETTINGS[0] in due(schedule, EVERY, wanted)
    schedule.missed(SETTINGS[0], EVERY)
    assert SETTINGS[1] in due(schedule, 2 * EVERY, wanted)


def test_the_turn_of_settings_goes_by_settings_alone() -> None:
    schedule = read_once()
    schedule.answered(SETTINGS[3], 1.0)
    schedule.answered("LCD1", 1.0)
    schedule.missed("LCD1", 1.0)
    assert SETTINGS[4] in due(schedule, EVERY, tuple(SETTINGS))


# -- what is not known any more -----------------------------------------------------------------


def test_what_was_forgotten_is_asked_at_each_poll_until_it_answers() -> None:
    schedule = read_once()
    schedule.forget("CMAX")
    assert "CMAX" in due(schedule, 1.0)
    schedule.missed("CMAX", 1.0)
    assert "CMAX" in due(schedule, 2.0)
    schedule.answered("CMAX", 2.0)
    assert "CMAX" not in due(schedule, 3.0)


def test_what_was_forgotten_is_not_stale() -> None:
    schedule = read_once()
    schedule.begin(1e6)
    schedule.begin(1e6 + EVERY)
    assert schedule.stale(["CMAX", "CMIN"]) == {"CMAX", "CMIN"}
    schedule.forget("CMAX")
    assert schedule.stale(["CMAX", "CMIN"]) == {"CMIN"}


@pytest.mark.parametrize(
    ("code", "longest"),
    [
        ("CELL", 3 * 10 + 10),
        ("PTEM", 3 * 30 + 10),
        ("RINT", 3 * 300 + 10),
        ("CMAX", 3 * len(SETTINGS) * 10 + 10),
    ],
)
def test_a_reading_is_shown_for_three_of_its_intervals(code: str, longest: float) -> None:
    schedule = read_once()
    schedule.begin(longest - 10)
    schedule.begin(longest)
    assert schedule.stale([code]) == set()
    schedule.begin(longest + 0.001)
    assert schedule.stale([code]) == {code}


def test_what_never_changes_is_never_stale() -> None:
    schedule = read_once()
    schedule.begin(1e9)
    assert schedule.stale(["*IDN"]) == set()


def test_slow_polls_are_no_reason_to_lose_a_reading() -> None:
    schedule = read_once()
    schedule.begin(100.0)
    schedule.begin(200.0)
    schedule.begin(300.0)
    assert schedule.stale(["CELL"]) == set()
    schedule.begin(310.001)
    assert schedule.stale(["CELL"]) == {"CELL"}


def test_what_this_poll_has_read_is_never_too_old() -> None:
    schedule = read_once()
    schedule.begin(100.0)
    schedule.answered("CELL", 150.0)
    assert schedule.stale(["CELL"]) == set()
    assert schedule.read_at("CELL") == 150.0


def test_before_any_poll_nothing_is_stale() -> None:
    assert answered(Schedule(EVERY)).stale(["CELL"]) == set()


# -- what the BMS may not know ------------------------------------------------------------------


def test_it_takes_two_rounds_with_answers_in_between_to_be_taken_for_unsupported() -> None:
    schedule = Schedule(EVERY)
    schedule.missed("CAPA", 0.0)
    schedule.missed("CAPA", 1.0)
    assert schedule.unsupported == frozenset()
    schedule.answered("LCD1", 2.0)
    schedule.missed("CAPA", 3.0)
    assert schedule.unsupported == {"CAPA"}


def test_what_was_ever_read_is_never_taken_for_unsupported() -> None:
    schedule = read_once()
    schedule.missed("CAPA", 1.0)
    schedule.answered("LCD1", 2.0)
    schedule.missed("CAPA", 3.0)
    assert schedule.unsupported == frozenset()


def test_what_is_undecided_comes_last_and_one_a_poll() -> None:
    schedule = Schedule(EVERY)
    schedule.missed("CAPA", 0.0)
    schedule.missed("CMIN", 0.0)
    first = next(code for code in ALL if code in ("CAPA", "CMIN"))
    codes = due(schedule, EVERY, ("CAPA", "CMIN", "CMAX"))
    assert codes[-1] == first
    assert {"CAPA", "CMIN"} - set(codes) == {"CAPA", "CMIN"} - {first}
    everything = due(schedule, EVERY, everything=True)
    assert everything[-1] == first
    assert len(everything) == len(set(ALL) - set(NEWER)) - 1


def test_what_is_unsupported_is_asked_again_after_an_hour_where_it_is_wanted() -> None:
    schedule = unsupported("CAPA", now=100.0)
    assert "CAPA" not in due(schedule, 3699.9, ("CAPA",))
    assert due(schedule, 3700.0, ("CAPA",))[-1] == "CAPA"
    schedule.missed("CAPA", 3700.0)
    assert "CAPA" not in due(schedule, 3710.0, ("CAPA",))


def test_or_where_somebody_hopes_for_it() -> None:
    schedule = unsupported("CAPA")
    assert due(schedule, 3600.0, hoped_for=("CAPA",))[-1] == "CAPA"


def test_what_nobody_would_see_is_put_off_for_an_hour() -> None:
    schedule = unsupported("CAPA")
    assert "CAPA" not in due(schedule, 3600.0)
    assert "CAPA" not in due(schedule, 3610.0, ("CAPA",))
    assert "CAPA" in due(schedule, 7200.0, ("CAPA",))


def test_who_hopes_is_not_asked_while_nothing_is_due_again() -> None:
    schedule = unsupported("CAPA")

    def nobody() -> tuple[str, ...]:
        pytest.fail("nobody is to be asked")

    schedule.due((), 3599.0, everything=False, hoped_for=nobody)


def test_after_a_reconnect_it_is_asked_again_where_it_is_wanted() -> None:
    schedule = unsupported("CAPA")
    assert "CAPA" not in due(schedule, 10.0, ("CAPA",))
    codes = due(schedule, 10.0, ("CAPA",), everything=True)
    assert codes[-1] == "CAPA"
    assert sorted(codes) == sorted(ALL)


def test_lcd1_is_asked_again_whoever_wants_it() -> None:
    schedule = unsupported("ERRO")
    assert due(schedule, 3600.0)[-1] == "ERRO"


def test_of_several_that_asked_longest_ago_comes_first() -> None:
    schedule = Schedule(EVERY)
    schedule.begin(0.0)
    for code in ("CAPA", "CMIN"):
        schedule.missed(code, 0.0)
    answered(schedule, but=("CAPA", "CMIN"))
    schedule.missed("CAPA", 5.0)
    schedule.missed("CMIN", 4.0)
    assert schedule.unsupported == {"CAPA", "CMIN"}
    both = ("CAPA", "CMIN")
    assert [code for code in due(schedule, 4000.0, both) if code in both] == ["CMIN"]
    schedule.missed("CMIN", 4000.0)
    assert [code for code in due(schedule, 4001.0, both) if code in both] == ["CAPA"]


def test_what_answers_after_all_is_asked_like_any_other() -> None:
    schedule = unsupported("CAPA")
    schedule.answered("CAPA", 3600.0)
    assert schedule.unsupported == frozenset()
    assert "CAPA" in due(schedule, 3600.0, everything=True)[:-1]


# -- what newer units have -----------------------------------------------------------------------


def test_what_newer_units_have_is_probed_after_the_first_poll_one_a_poll_and_last() -> None:
    schedule = answered(Schedule(EVERY), but=(*NEWER,))
    for number, code in enumerate(NEWER, 1):
        codes = due(schedule, number * EVERY)
        assert codes[-1] == code
        assert not set(codes[:-1]) & set(NEWER)
        schedule.answered(code, number * EVERY)
    assert not set(due(schedule, 1e6)) & set(NEWER)


def test_a_probe_in_vain_is_made_once_more_and_then_no_more() -> None:
    schedule = answered(Schedule(EVERY), but=("SERI",))
    for at in (EVERY, 2 * EVERY):
        assert due(schedule, at)[-1] == "SERI"
        schedule.missed("SERI", at)
        schedule.answered("LCD1", at + 1)
    assert schedule.unsupported == {"SERI"}
    for everything in (False, True):
        assert "SERI" not in due(schedule, 1e6, everything=everything, hoped_for=("SERI",))


def test_what_newer_units_have_and_an_entity_shows_is_asked_again_as_any_other() -> None:
    schedule = answered(Schedule(EVERY), but=("SERI",))
    for at in (EVERY, 2 * EVERY):
        schedule.missed("SERI", at)
        schedule.answered("LCD1", at + 1)
    assert due(schedule, 4000.0, ("SERI",))[-1] == "SERI"
    assert due(schedule, 20.0, ("SERI",), everything=True)[-1] == "SERI"


def test_what_a_unit_was_found_to_have_is_read_with_all_the_rest_after_it_was_away() -> None:
    assert "SERI" in due(read_once(), 1e6, everything=True)


# -- what was found before ----------------------------------------------------------------------


def test_what_newer_units_have_and_this_one_had_before_is_read_in_the_first_poll() -> None:
    codes = due(remembering(answered=("SERI",)), 0.0, everything=True)
    assert set(codes) & set(NEWER) == {"SERI"}


def test_of_what_was_answered_before_only_what_newer_units_have_is_remembered() -> None:
    assert remembering(answered=("SERI", "CMAX", "GONE")).answered_ever == {"SERI"}


def test_what_nobody_asks_any_more_is_not_remembered_as_unsupported() -> None:
    assert remembering(unsupported=("CAPA", "GONE")).unsupported == {"CAPA"}


def test_what_was_unsupported_before_is_asked_again_an_hour_after_the_first_poll_began() -> None:
    schedule = remembering(unsupported=("CAPA",))
    schedule.begin(1000.0)
    assert "CAPA" not in due(schedule, 1000.0, ("CAPA",), everything=True)
    assert "CAPA" not in due(schedule, 4599.9, ("CAPA",))
    assert due(schedule, 4600.0, ("CAPA",))[-1] == "CAPA"


def test_before_a_poll_began_what_was_unsupported_was_asked_in_vain_long_ago() -> None:
    assert due(remembering(unsupported=("CAPA",)), 0.0, ("CAPA",))[-1] == "CAPA"


def test_what_was_answered_before_and_twice_not_now_is_unsupported() -> None:
    schedule = remembering(answered=("SERI", "WCBI"))
    schedule.missed("SERI", 0.0)
    schedule.answered("LCD1", 1.0)
    schedule.missed("SERI", 2.0)
    assert schedule.unsupported == {"SERI"}
    assert schedule.answered_ever == {"WCBI", "LCD1"}


# -- another unit in its place ------------------------------------------------------------------


def test_of_another_unit_what_newer_ones_have_is_probed_save_what_this_poll_has_read() -> None:
    schedule = read_once()
    schedule.begin(EVERY)
    schedule.answered("SERI", EVERY)
    schedule.forget_unit()
    assert schedule.answered_ever == (set(ALL) - set(NEWER)) | {"SERI"}
    assert due(schedule, EVERY)[-1] == next(code for code in NEWER if code != "SERI")


def test_of_another_unit_what_the_first_poll_has_read_is_kept() -> None:
    schedule = read_once()
    schedule.forget_unit()
    assert schedule.answered_ever == set(ALL)


def test_what_was_found_before_is_not_known_of_another_unit() -> None:
    schedule = remembering(answered=("SERI",))
    schedule.forget_unit()
    assert schedule.answered_ever == frozenset()
    assert not set(due(schedule, 0.0, everything=True)) & set(NEWER)


def test_what_was_unsupported_is_asked_of_another_unit_at_once() -> None:
    schedule = remembering(unsupported=("CAPA", "SERI"))
    schedule.begin(1000.0)
    schedule.forget_unit()
    assert schedule.unsupported == {"CAPA"}
    assert due(schedule, 1010.0, ("CAPA",))[-1] == "CAPA"


def test_rounds_in_vain_are_counted_anew_for_another_unit() -> None:
    schedule = Schedule(EVERY)
    schedule.missed("CAPA", 0.0)
    schedule.answered("LCD1", 1.0)
    schedule.forget_unit()
    schedule.missed("CAPA", 2.0)
    assert schedule.unsupported == frozenset()


# -- clocks that do not begin at nought ---------------------------------------------------------


def test_it_goes_by_the_time_since_a_reading_and_not_by_the_time() -> None:
    schedule = Schedule(EVERY)
    schedule.begin(1000.0)
    answered(schedule, 1000.0)
    assert "CELL" not in due(schedule, 1004.9, ("CELL",))
    assert "CELL" in due(schedule, 1005.0, ("CELL",))
    schedule.begin(1010.0)
    schedule.begin(1020.0)
    assert schedule.stale(["CELL"]) == set()


def test_a_setting_that_was_read_is_due_in_its_turn_alone() -> None:
    schedule = read_once()
    codes = due(schedule, 1e6, tuple(SETTINGS))
    assert [code for code in codes if code in SETTINGS] == [SETTINGS[0]]


def test_before_anything_was_read_settings_that_are_wanted_are_due() -> None:
    assert SETTINGS[3] in due(Schedule(EVERY), 0.0, (SETTINGS[3],))


def test_answers_count_from_the_first_round_in_vain() -> None:
    schedule = Schedule(EVERY)
    schedule.answered("LCD1", 0.0)
    schedule.answered("LCD3", 0.0)
    schedule.missed("CAPA", 1.0)
    schedule.missed("CAPA", 2.0)
    assert schedule.unsupported == frozenset()
    schedule.answered("LCD1", 3.0)
    schedule.missed("CAPA", 4.0)
    assert schedule.unsupported == {"CAPA"}


def test_what_is_put_off_leaves_the_others_as_they_are() -> None:
    schedule = Schedule(EVERY)
    schedule.begin(0.0)
    for code in ("CAPA", "CMIN"):
        schedule.missed(code, 0.0)
    answered(schedule, but=("CAPA", "CMIN"))
    for code in ("CAPA", "CMIN"):
        schedule.missed(code, 0.0)
    assert due(schedule, 3600.0, ("CMIN",))[-1] == "CMIN"
    assert schedule.unsupported == {"CAPA", "CMIN"}
    assert "CAPA" not in due(schedule, 3610.0, ("CAPA",))
