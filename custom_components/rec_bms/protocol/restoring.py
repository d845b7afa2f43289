"""Which settings to change, and in which order, so that a BMS has them as they were kept.

All values are in the line's unit; settings go by their codes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .constraints import check, rules_for
from .errors import IncoherentError, NoOrderError
from .settings import Setting

COUNTERS = frozenset({"CYCL", "VMAX", "VMIN"})
"""What the BMS counts by itself."""
CALIBRATION = frozenset({"IOFF", "IOJA", "EAVC", "ODDC"})
"""What belongs to one unit's own parts."""
BY_NAME_ONLY = COUNTERS | CALIBRATION | {"SOCS", "CHEM", "CANF"}
"""What is restored only where it is named: wrong in another unit, or too far-reaching."""

_SAME = 5e-7
"""Share of a value: half of the last of the six digits that a BMS gives, at least."""


def same(one: float, other: float) -> bool:
    """Tell whether two numbers are one value, whatever digits a float32 added on its way."""
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=1e-12)


def restored(wanted: Mapping[str, float], only: Collection[str] | None) -> dict[str, float]:
    """Return what of the kept values is to be restored: what is named, or all that may be."""
    if only is not None:
        return {code: value for code, value in wanted.items() if code in only}
    return {code: value for code, value in wanted.items() if code not in BY_NAME_ONLY}


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What keeps values from being restored: settings that a unit lacks, or allows less of."""

    missing: tuple[Setting, ...]
    outside: tuple[tuple[Setting, float], ...]

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.missing or self.outside)


def obstacles(
    wanted: Mapping[str, float], known: Mapping[str, Setting], present: Mapping[str, float | None]
) -> Obstacles:
    """Return what of the wanted values a unit cannot take.

    `known` are the settings by code, `present` the values of those that the unit has; None stands
    for one that cannot be.
    """
    there = [code for code in wanted if code in present]
    return Obstacles(
        tuple(known[code] for code in wanted if code not in present),
        tuple(
            (known[code], wanted[code])
            for code in there
            if not _fits(known[code], wanted[code], present[code])
        ),
    )


def _fits(setting: Setting, value: float, present: float | None) -> bool:
    """Tell whether a setting can have a value; what is not finite never fits."""
    if setting.whole_number and value % 1:
        return False
    lowest, highest = setting.limits(present)
    return lowest <= value <= highest


def plan(
    wanted: Mapping[str, float], current: Mapping[str, float], known: Mapping[str, Setting]
) -> tuple[str, ...]:
    """Return the codes of what is to be changed, in an order of which each step is coherent.

    A step is coherent as `constraints.check` has it, with the limits as they are by then. `current`
    are all values of the unit, `known` the settings by code. Raises NoOrderError, which names what
    is contradictory, where there is no such order.
    """
    changing = [
        code
        for code in sorted(wanted, key=list(known).index)
        if code not in current or not same(wanted[code], current[code])
    ]
    tied = [code for code in changing if any(rules_for(code))]
    free = [code for code in changing if code not in tied]
    # The chemistry goes first: what else it may change in a unit is then put right.
    first = [code for code in free if code == "CHEM"]
    order = _Search(wanted, current, known).order(tied)
    return (*first, *order, *(code for code in free if code not in first))


class _Search:
    """Looks through the orders of what is tied to other limits: eight settings at most."""

    def __init__(
        self,
        wanted: Mapping[str, float],
        current: Mapping[str, float],
        known: Mapping[str, Setting],
    ) -> None:
        self._wanted = wanted
        self._current = current
        self._known = known
        self._in_vain: set[frozenset[str]] = set()
        """After these steps, in whatever order, there is no way on."""
        self._furthest = -1
        self._reason: IncoherentError | None = None

    def order(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Return an order of all codes. Raises NoOrderError."""
        left = tuple(codes)
        found = self._continued((), left)
        if found is None:
            assert self._reason is not None
            raise NoOrderError(self._reason)
        return found

    def _continued(self, done: tuple[str, ...], left: tuple[str, ...]) -> tuple[str, ...] | None:
        if not left:
            return done
        if frozenset(done) in self._in_vain:
            return None
        values = {**self._current, **{code: self._wanted[code] for code in done}}
        for code in left:
            if (reason := self._contradiction(code, values)) is not None:
                if len(done) > self._furthest:
                    self._furthest, self._reason = len(done), reason
                continue
            rest = tuple(each for each in left if each != code)
            if (found := self._continued((*done, code), rest)) is not None:
                return found
        self._in_vain.add(frozenset(done))
        return None

    def _contradiction(self, code: str, values: Mapping[str, float]) -> IncoherentError | None:
        others = {self._known[other]: value for other, value in values.items()}
        try:
            check(self._known[code], self._wanted[code], values.get(code), others)
        except IncoherentError as err:
            return err
        return None
