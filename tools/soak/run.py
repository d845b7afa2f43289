"""One soak: a Home Assistant, an entry for each BMS of each line, and owners who change limits."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from unittest.mock import patch

from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from custom_components.rec_bms.ports import async_get_ports
from custom_components.rec_bms.protocol.rs485.bms import Rs485Bms
from tools.simulator.figures import write_float
from tools.simulator.table import BY_CODE, Instruction
from tools.testkit import memory_port
from tools.testkit.in_process import add_entry, home_assistant
from tools.testkit.virtual_time import everything_virtual

from . import oracle
from .bms import COUNTERS, SETTINGS, is_about_midnight
from .monitor import Monitor
from .report import Report
from .scenarios import PLANS, Scenario

_LOOK_EVERY = 30.0
_SET_EVERY = (10.0, 60.0)
_DRIFT_EVERY = (5.0, 20.0)
_SETTLED_AFTER = 8.0
_LOOKS_BETWEEN_QUESTIONS = 1000
_NOT_SET = (*COUNTERS, "SISN", "CANF")
_OUTCOMES_WITH_A_VALUE = ("refused", "not_taken", "reads_back_differently")
_OUTCOMES_UNSENT = ("incoherent", "no_answer", "port_failed")


@contextmanager
def _virtual_house() -> Iterator[None]:
    """Have everything go by the loop's clock, no adapters but our own, and all entities enabled."""
    with (
        everything_virtual(asyncio.get_running_loop()),
        patch.object(usb, "async_register_port_event_callback", lambda *_: lambda: None),
        patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True),
    ):
        yield


async def soak(folder: str, exchanges: int, seconds: float, faulty: float, seed: int) -> Report:
    """Run until there were so many exchanges, or for so many seconds, and tell what was found."""
    memory_port.register()
    with _virtual_house():
        scenarios = [
            Scenario(plan, number, seed + number, faulty) for number, plan in enumerate(PLANS)
        ]
        async with home_assistant(Path(folder)) as hass:
            monitor = Monitor(hass, scenarios)
            with monitor.watching():
                report = await _Soak(hass, scenarios, monitor, seed).run(exchanges, seconds)
        for scenario in scenarios:
            await scenario.close()
    return report


class _Soak:
    def __init__(
        self, hass: HomeAssistant, scenarios: list[Scenario], monitor: Monitor, seed: int
    ) -> None:
        self._hass = hass
        self._scenarios = scenarios
        self._monitor = monitor
        self._findings = monitor.findings
        self._rng = random.Random(seed)
        self._entries: list[MockConfigEntry] = []
        self._setting: set[str] = set()
        self._over = False

    async def run(self, exchanges: int, seconds: float) -> Report:
        loop = asyncio.get_running_loop()
        ends_at = time.monotonic() + seconds
        await self._set_up()
        owners = [asyncio.create_task(self._owner(entry)) for entry in self._entries]
        masters = [asyncio.create_task(self._other_hands(entry)) for entry in self._entries]
        while self._exchanges() < exchanges and time.monotonic() < ends_at:
            await asyncio.sleep(_LOOK_EVERY)
        hours = loop.time() * len(self._scenarios) / 3600
        struck = Counter[str]()
        requests = 0
        for scenario in self._scenarios:
            struck += scenario.faults.counts
            requests += scenario.requests
        self._over = True
        await asyncio.gather(*owners, *masters)
        disagreements = await self._settle()
        return self._report(hours, struck, requests, disagreements)

    def _exchanges(self) -> int:
        shared = async_get_ports(self._hass)._shared
        return sum(each.connection.counters.exchanges for each in shared)

    def _report(
        self, hours: float, struck: Counter[str], requests: int, disagreements: int
    ) -> Report:
        found = self._findings
        return Report(
            counts={
                "exchanges": self._exchanges(),
                "requests": requests,
                "struck": sum(struck.values()),
                "hours": round(hours),
                "readings": found.readings,
                "states": found.states,
                "wrong_readings": found.wrong_readings,
                "wrong_states": found.wrong_states,
                "disagreements": disagreements,
                "polls": found.polls,
                "failed_polls": sum(found.failed_polls.values()),
                "sets": sum(found.sets.values()),
                "wrong_sets": found.wrong_sets,
                "never_sent": sum(scenario.never_sent for scenario in self._scenarios),
                "overlaps": sum(len(scenario.overlaps) for scenario in self._scenarios),
            },
            faults=dict(struck),
            lost=dict(found.lost),
            failed_polls=dict(found.failed_polls),
            sets=dict(found.sets),
            without_oracle=dict(found.without_oracle),
            examples=[
                *found.examples,
                *(each for scenario in self._scenarios for each in scenario.overlaps[:5]),
            ],
        )

    async def _set_up(self) -> None:
        for scenario in self._scenarios:
            for address in scenario.bms:
                entry = add_entry(
                    self._hass,
                    scenario.port.url,
                    scenario.plan.baud,
                    scenario.plan.scan_interval,
                    address=address,
                    title=f"{scenario.plan.name} {address}",
                    allow_changes=True,
                )
                self._entries.append(entry)
        await asyncio.gather(*(self._set_up_one(entry) for entry in self._entries))

    async def _set_up_one(self, entry: MockConfigEntry) -> None:
        await self._hass.config_entries.async_setup(entry.entry_id)
        while entry.state is ConfigEntryState.SETUP_RETRY:
            await asyncio.sleep(1)
        assert entry.state is ConfigEntryState.LOADED, (entry.title, entry.state, entry.reason)
        self._monitor.follow(entry)

    # -- what happens meanwhile ------------------------------------------------------------------

    async def _other_hands(self, entry: MockConfigEntry) -> None:
        """Change settings now and then, as another master would, but not while one is set here."""
        bms, rng = self._monitor.bms_of(entry), random.Random(self._rng.random())
        while not self._over:
            await asyncio.sleep(rng.uniform(*_DRIFT_EVERY))
            if entry.entry_id not in self._setting:
                bms.drift(rng)

    async def _owner(self, entry: MockConfigEntry) -> None:
        """Change settings through the entities, with sensible and with other values."""
        bms, rng = self._monitor.bms_of(entry), random.Random(self._rng.random())
        scenario = self._monitor.scenario_of(entry)
        rows = [row for row in SETTINGS if row.code not in _NOT_SET]
        while not self._over:
            await asyncio.sleep(rng.uniform(*_SET_EVERY))
            row = rng.choice(rows)
            value = bms.sensible(row, rng, any_value=rng.random() < 0.2)
            self._setting.add(entry.entry_id)
            before = scenario.sets[bms.address]
            outcome = await self._set(entry, row, value)
            sent = scenario.sets[bms.address] - before
            if outcome is not None:
                self._findings.sets[outcome] += 1
                self._judge_set(entry, row, value, outcome=outcome, sent=sent)
            self._setting.discard(entry.entry_id)

    async def _set(self, entry: MockConfigEntry, row: Instruction, value: float) -> str | None:
        """Set a value; return what came of it, None where the entity is not there."""
        entity_id = self._entity_id(entry, str(row.key))
        state = None if entity_id is None else self._hass.states.get(entity_id)
        if state is None or state.state == "unavailable":
            return None
        scale = 100 if row.line_unit == "fraction" else 1
        domain, action = "number", "set_value"
        what: dict[str, object] = {"value": value * scale}
        if row.choices:
            domain, action = "select", "select_option"
            what = {"option": row.choices[int(value)]}
        try:
            await self._hass.services.async_call(
                domain, action, {"entity_id": entity_id, **what}, blocking=True
            )
        except HomeAssistantError as err:
            return str(err.translation_key)
        return "set"

    def _entity_id(self, entry: MockConfigEntry, key: str) -> str | None:
        registry = er.async_get(self._hass)
        platform = "select" if key in ("chem", "canf") else "number"
        return registry.async_get_entity_id(platform, DOMAIN, f"{entry.entry_id}_{key}")

    def _judge_set(
        self,
        entry: MockConfigEntry,
        row: Instruction,
        value: float,
        *,
        outcome: str,
        sent: int,
    ) -> None:
        """Compare what was said about a set with what the BMS has now."""
        has = self._monitor.bms_of(entry).settings[row.code]
        entity_id = self._entity_id(entry, str(row.key))
        state = self._hass.states.get(entity_id) if entity_id else None
        shown = state.state if state else "nothing"
        taken = abs(has - value) <= abs(value) * 1e-6
        matches = shown == row.choices.get(int(has)) if row.choices else self._near(shown, row, has)
        right = {
            "set": taken and matches and sent == 1,
            "unverified": shown in oracle.ABSENT and sent == 1,
        }.get(outcome)
        if outcome in _OUTCOMES_WITH_A_VALUE:
            right = matches and not taken and sent == 1
        elif outcome in _OUTCOMES_UNSENT:
            right = sent == 0
        available = shown not in oracle.ABSENT
        if right is None or (not right and (available or outcome == "unverified" or sent > 1)):
            self._findings.wrong_sets += 1
            self._findings.wrong(
                f"set of {row.code} to {value!r}: {outcome}; the BMS has {has!r},"
                f" shown is {shown}, sent {sent} times"
            )

    @staticmethod
    def _near(shown: str, row: Instruction, has: float) -> bool:
        written = float(write_float(has)) * (100 if row.line_unit == "fraction" else 1)
        try:
            return abs(float(shown) - written) <= abs(written) * 5e-6
        except ValueError:
            return False

    # -- afterwards ------------------------------------------------------------------------------

    async def _settle(self) -> int:
        """Have a good line and BMSs whose values stay; return how many entities disagree then."""
        for scenario in self._scenarios:
            scenario.faults.clear()
            for bms in scenario.bms.values():
                bms.steady = True
        await asyncio.sleep(5)
        # While a date may change, what the clock said before is shown on.
        while is_about_midnight(asyncio.get_running_loop().time()):
            await asyncio.sleep(5)
        await asyncio.gather(*(self._read_all(entry) for entry in self._entries))
        before = self._findings.wrong_states
        for entry in self._entries:
            bms = self._monitor.bms_of(entry)
            for said in bms.chronicle.values():
                while len(said) > 1:
                    said.popleft()
            self._monitor.look_at_all(entry)
        miscounted = [await self._miscounts(scenario) for scenario in self._scenarios]
        silent = [key for entry in self._entries for key in self._monitor.never_shown(entry)]
        for key in silent:
            self._findings.wrong(f"{key} has never shown anything")
        return self._findings.wrong_states - before + sum(miscounted) + len(silent)

    async def _miscounts(self, scenario: Scenario) -> bool:
        """Tell whether a port's counters never say what was sent over it, between two requests."""
        connection = next(
            each.connection
            for each in async_get_ports(self._hass)._shared
            if each.connection.port == scenario.port.url
        )
        for _ in range(_LOOKS_BETWEEN_QUESTIONS):
            counters = connection.counters
            counted = counters.exchanges + counters.retries + counters.fences
            if counted == scenario.port.requests:
                return False
            await asyncio.sleep(0.01)
        self._findings.wrong(
            f"{scenario.plan.name}: {counted} requests counted, {scenario.port.requests} sent"
        )
        return True

    async def _read_all(self, entry: MockConfigEntry) -> None:
        coordinator = entry.runtime_data
        for code in BY_CODE.keys() - self._monitor.bms_of(entry).lacks:
            cast("Rs485Bms", coordinator.bms)._schedule.forget(code)
        for _ in range(3):
            await coordinator.async_refresh()
            await asyncio.sleep(_SETTLED_AFTER)
