"""Batteries that are wired together, and the bank that is made of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from tests.virtual.rig import Rig, Simulate, entry_for

SCAN_INTERVAL = 10


def bank_entry(*members: Rig, wiring: str = "parallel", title: str = "Bank") -> MockConfigEntry:
    """Return a bank's config entry as the config flow makes it."""
    ids = [member.entry.entry_id for member in members]
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        unique_id=f"bank:{','.join(sorted(ids))}",
        data={"members": ids, "wiring": wiring},
    )


@dataclass
class Bank(Rig):
    """A bank and the rigs of its members; it has no simulator of its own."""

    members: tuple[Rig, ...] = ()

    async def poll_members(self, after: float = SCAN_INTERVAL) -> None:
        """Have all members polled at the same time, so many seconds later."""
        await self.members[0].asleep(after)
        await asyncio.gather(*(member.coordinator.async_refresh() for member in self.members))
        await self.hass.async_block_till_done()

    def told(self, key: str) -> list[float]:
        """Return what the members show."""
        return [member.number(key) for member in self.members]


def batteries(
    hass: HomeAssistant, simulate: Simulate, *options: dict[str, Any], interval: int = SCAN_INTERVAL
) -> tuple[Rig, ...]:
    """Return a rig for each battery, on a port of its own; none is set up yet."""
    rigs = []
    for number, given in enumerate(options, 1):
        sim = simulate(baud=921600, turnaround=0.0005, **given)
        entry = entry_for(sim, scan_interval=interval, title=f"Battery {number}")
        rigs.append(Rig(hass, sim, entry))
    return tuple(rigs)


async def bank_of(hass: HomeAssistant, *members: Rig, wiring: str = "parallel") -> Bank:
    """Return a bank that is set up, of batteries whose entries are known at least."""
    bank = Bank(hass, None, bank_entry(*members, wiring=wiring), members)  # type: ignore[arg-type]
    await bank.set_up()
    return bank
