"""A clock that both a Home Assistant and a simulated battery go by, and that can be moved on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from homeassistant.core import HomeAssistant

from tests.integration.house import House
from tests.wall_clock import MoveOn
from tools.simulator import BMS


@dataclass
class Clock:
    """The loop's clock, moved on by `passed` seconds; the batteries' clocks follow at each poll.

    What the poll itself takes passes for both, so that what the integration makes of its own clock
    can be compared with what the battery lived through. A wall clock goes along where there is one
    of the test's own, `wall_moves_on`.
    """

    hass: HomeAssistant
    passed: float = 0.0
    wall_moves_on: MoveOn | None = None
    _battery_at: dict[int, float] = field(default_factory=dict)

    def now(self) -> float:
        """Return what everything in Home Assistant takes for the loop's time."""
        return self._real() + self.passed

    def __post_init__(self) -> None:
        self._real = self.hass.loop.time

    def start(self, house: House) -> None:
        """Let the battery's clock begin to go along."""
        self._battery_at[id(house)] = self.now()

    def live(self, house: House) -> None:
        """Let the battery live through what has passed since it was last looked at."""
        now = self.now()
        house.sim.call(_live, house.bms, now - self._battery_at[id(house)])
        self._battery_at[id(house)] = now

    async def poll(self, house: House, after: float) -> None:
        """Let so many seconds pass and have the BMS polled."""
        self.passed += after
        if self.wall_moves_on is not None:
            self.wall_moves_on(after)
        if id(house) in self._battery_at:
            self.live(house)
        await house.coordinator.async_refresh()


def _live(bms: BMS, seconds: float) -> None:
    bms.battery.advance(seconds)
    # Noise is drawn anew each second of the real clock.
    bms._measured = None


@contextmanager
def movable_clock(hass: HomeAssistant, *, wall_moves_on: MoveOn | None = None) -> Iterator[Clock]:
    """Give a Home Assistant a clock that can be moved on."""
    clock = Clock(hass, wall_moves_on=wall_moves_on)
    with (
        patch.object(hass.loop, "time", clock.now),
        # Nothing took as long as the clock was moved on by.
        patch.object(hass.loop, "slow_callback_duration", float("inf")),
    ):
        # Of a day, nobody reads every byte.
        logging.disable(logging.INFO)
        try:
            yield clock
        finally:
            logging.disable(logging.NOTSET)
