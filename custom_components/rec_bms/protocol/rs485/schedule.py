"""Which instructions a poll asks for, and how long what they told stays good."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import zip_longest

from .instructions import BY_CODE, INSTRUCTIONS, NEWER, Group, Instruction
from .known import Known
from .transaction import FENCES

ALWAYS = frozenset({"LCD1", "ERRO"})
"""Availability, repairs and the error event hang on these."""
FIRST = "LCD1"
"""Tells whether the BMS is there at all."""

_WATCHED_EVERY = 30.0
_SLOW_EVERY = 300.0
_ASK_UNSUPPORTED_EVERY = 3600.0
_INTERVALS_UNTIL_STALE = 3
_NEVER = float("-inf")

_SETTINGS = tuple(row.code for row in INSTRUCTIONS if row.group is Group.SETTING)
_PROBED = frozenset(row.code for row in NEWER)
"""Not known of a unit before it was asked."""


class Schedule:
    """Knows what was read when, and from that what is due. Times are in s, from any zero."""

    def __init__(self, scan_interval: float) -> None:
        """Take the time between polls in s; nothing was read yet."""
        self._scan_interval = scan_interval
        self._period = scan_interval
        self._began_at: float | None = None
        self._read_at: dict[str, float] = {}
        self._to_confirm: set[str] = set()
        self._missed_since: dict[str, int] = {}
        self._answers = 0
        self._asked_in_vain_at: dict[str, float] = {}
        self._last_setting = _SETTINGS[-1]
        self._found: frozenset[str] = frozenset()
        """What of newer units this one was found to have, before now."""

    def remember(self, known: Known) -> None:
        """Take what was found of the unit before this began."""
        self._found = known.answered & _PROBED
        # Of codes that a former version knew, nobody asks any more.
        unsupported = known.unsupported & BY_CODE.keys()
        self._asked_in_vain_at = dict.fromkeys(unsupported, _NEVER)

    def forget_unit(self) -> None:
        """Have all asked and probed as of a unit that was never met, save what was just read."""
        began_at = self._began_at or 0.0
        self._found = frozenset()
        self._missed_since.clear()
        self._asked_in_vain_at = dict.fromkeys(self._asked_in_vain_at.keys() - _PROBED, _NEVER)
        self._read_at = {
            code: at for code, at in self._read_at.items() if code not in _PROBED or at >= began_at
        }

    @property
    def answered_ever(self) -> frozenset[str]:
        """Instructions that this BMS has answered, now or before."""
        return self._found.union(self._read_at)

    @property
    def unsupported(self) -> frozenset[str]:
        """Instructions that this BMS has never answered, while it answered others."""
        return frozenset(self._asked_in_vain_at)

    def begin(self, now: float) -> None:
        """Note that a poll begins; how long after the last one is what three polls go by."""
        if self._began_at is None:
            self._asked_in_vain_at = dict.fromkeys(self._asked_in_vain_at, now)
        else:
            self._period = now - self._began_at
        self._began_at = now

    def due(
        self,
        wanted: Collection[str],
        now: float,
        *,
        everything: bool,
        hoped_for: Callable[[], Collection[str]] = tuple,
    ) -> list[Instruction]:
        """Return what to ask now, in the order of asking.

        `everything` is for the first poll and the first after the BMS was away. What the BMS may
        not know costs two seconds in vain: of that, at most one comes, and it comes last. What
        newer units have is probed so, from the second poll on. Once anything is taken for
        unsupported, it comes only where `wanted` or `hoped_for` has it; what newer units have, only
        where it is `wanted`, by an entity that has shown it.
        """
        doubtful = self._undecided | self.unsupported
        if everything:
            if self._read_at:
                self._asked_in_vain_at = dict.fromkeys(self._asked_in_vain_at, _NEVER)
            codes = BY_CODE.keys() - doubtful
        else:
            candidates = ALWAYS.union(wanted) - doubtful
            codes = {code for code in candidates if self._is_due(code, now)}
            codes |= self._to_confirm | self._next_setting(candidates)
        return in_order(codes) + self._probe(wanted, now, hoped_for, everything=everything)

    def answered(self, code: str, now: float) -> None:
        """Note that an instruction was read."""
        self._answers += 1
        self._had_its_turn(code)
        self._read_at[code] = now
        self._to_confirm.discard(code)
        self._missed_since.pop(code, None)
        self._asked_in_vain_at.pop(code, None)

    def missed(self, code: str, now: float) -> None:
        """Note that a round of tries brought no answer.

        After two rounds, with others answered in between, an instruction that was never read is
        taken for one that this BMS does not know.
        """
        since = self._missed_since.setdefault(code, self._answers)
        if code not in self._read_at and self._answers > since:
            self._asked_in_vain_at[code] = now
            self._found -= {code}
        self._had_its_turn(code)

    def _had_its_turn(self, code: str) -> None:
        """Go on behind a setting; what was never read before is asked out of turn."""
        if code in _SETTINGS and code in self._read_at:
            self._last_setting = code

    def read_at(self, code: str) -> float:
        """Return when an instruction was read last."""
        return self._read_at[code]

    def forget(self, code: str) -> None:
        """Have an instruction asked at each poll until it answers: what it tells is not known."""
        self._to_confirm.add(code)

    def stale(self, codes: Iterable[str]) -> set[str]:
        """Return those whose readings were too old to be shown when this poll began.

        What it has read itself is never too old, however long it took.
        """
        return {
            code
            for code in codes
            if code not in self._to_confirm and self._age(code) > self._longest_age(code)
        }

    def _age(self, code: str) -> float:
        """Return how old a reading was, in s, when this poll began; negative for this poll's."""
        return (self._began_at or 0.0) - self._read_at[code]

    def _longest_age(self, code: str) -> float:
        """Return for how long a reading is shown, in s. Slow polls are no reason to lose it."""
        interval = max(self._interval(code), self._period)
        return _INTERVALS_UNTIL_STALE * interval + self._scan_interval

    @property
    def _undecided(self) -> frozenset[str]:
        """Instructions never answered, of which it is not certain yet that they never will be."""
        doubtful = (_PROBED - self._found).union(self._missed_since)
        return doubtful - self._read_at.keys() - self._asked_in_vain_at.keys()

    def _probe(
        self,
        wanted: Collection[str],
        now: float,
        hoped_for: Callable[[], Collection[str]],
        *,
        everything: bool,
    ) -> list[Instruction]:
        """Return the one instruction whose turn it is of those that the BMS may not know."""
        undecided = [row for row in INSTRUCTIONS if row.code in self._undecided]
        library = [row for row in undecided if not row.newer]
        newer = [row for row in undecided if row.newer and not everything]
        return (library or self._again(wanted, now, hoped_for) or newer)[:1]

    def _again(
        self, wanted: Collection[str], now: float, hoped_for: Callable[[], Collection[str]]
    ) -> list[Instruction]:
        """Return what was asked in vain long ago and would be shown, longest ago first."""
        longest_ago = sorted(self._asked_in_vain_at.items(), key=lambda item: item[1])
        again = [code for code, at in longest_ago if now - at >= _ASK_UNSUPPORTED_EVERY]
        if not again:
            return []
        worth_asking = ALWAYS.union(wanted, set(hoped_for()) - _PROBED)
        # What nobody would see need not be looked at in every poll from now on.
        self._asked_in_vain_at |= dict.fromkeys(set(again) - worth_asking, now)
        return [BY_CODE[code] for code in again if code in worth_asking]

    def _interval(self, code: str) -> float:
        """Return how often it is asked, in s; what never changes, never again."""
        match BY_CODE[code].group:
            case Group.MAIN:
                return self._scan_interval
            case Group.TEMPERATURES | Group.WATCHED:
                return max(_WATCHED_EVERY, self._scan_interval)
            case Group.SLOW:
                return max(_SLOW_EVERY, self._scan_interval)
            case Group.SETTING:
                return sum(each in self._read_at for each in _SETTINGS) * self._scan_interval
        return float("inf")

    def _is_due(self, code: str, now: float) -> bool:
        read_at = self._read_at.get(code, _NEVER)
        if read_at == _NEVER or BY_CODE[code].group is Group.SETTING:
            return read_at == _NEVER
        # Half a scan interval early rather than half a one late.
        return now - read_at >= self._interval(code) - self._scan_interval / 2

    def _next_setting(self, candidates: Collection[str]) -> set[str]:
        """Return the setting whose turn it is, of those that somebody wants to see."""
        after_last = _SETTINGS.index(self._last_setting) + 1
        in_turn = (*_SETTINGS[after_last:], *_SETTINGS[:after_last])
        return set([code for code in in_turn if code in candidates][:1])


def in_order(codes: Collection[str] | Mapping[str, Instruction]) -> list[Instruction]:
    """Return instructions in an order in which few have to wait.

    The first tells whether the BMS is there. After that, answers that could be mistaken for each
    other are kept apart, since between those the line must fall quiet.
    """
    rows = [row for row in INSTRUCTIONS if row.code in codes and row.code != FIRST]
    fences = [row for row in rows if row.code in FENCES]
    arrays = [row for row in rows if row.is_array and row.code not in FENCES]
    singles = [row for row in rows if not row.is_array]
    first = [BY_CODE[FIRST]] if FIRST in codes else []
    return first + _alternating(_alternating(arrays, fences), singles)


def _alternating(rows: list[Instruction], others: list[Instruction]) -> list[Instruction]:
    pairs = zip_longest(rows, others)
    return [row for pair in pairs for row in pair if row is not None]
