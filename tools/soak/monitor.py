"""Watches the integration from outside: each reading, each state, each set, and what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Self, cast, override
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from custom_components.rec_bms.coordinator import RecBmsConfigEntry, RecBmsCoordinator
from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.errors import NoResponseError, UnknownInstructionError
from custom_components.rec_bms.protocol.rs485 import bms as rs485_bms
from custom_components.rec_bms.protocol.rs485.bms import Rs485Bms
from custom_components.rec_bms.protocol.rs485.client import Client, Response
from custom_components.rec_bms.protocol.rs485.instructions import Instruction
from custom_components.rec_bms.protocol.rs485.readings import Reading
from custom_components.rec_bms.protocol.rs485.transaction import Exchange, Transactions
from tools.simulator.faults import DAMAGES
from tools.simulator.framing import build
from tools.simulator.log import ANSWERED, HEARD, SILENT, Entry
from tools.simulator.table import BY_CODE
from tools.simulator.wire import BITS

from . import flow, health, oracle, rules
from .bms import SignedBms, house_at
from .scenarios import Scenario

LATE = 2.0
"""Seconds for which a response may be on its way."""
_MOST_EXAMPLES = 20
_FIRST = "LCD1"
_MASTER = 0
_TABLES = ("CELL", "RINT", "PTEM")


@dataclass
class Findings:
    """What was seen."""

    states: int = 0
    readings: int = 0
    wrong_states: int = 0
    wrong_readings: int = 0
    examples: list[str] = field(default_factory=list)
    polls: int = 0
    failed_polls: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    sets: Counter[str] = field(default_factory=Counter)
    wrong_sets: int = 0
    without_oracle: Counter[str] = field(default_factory=Counter)
    """How often an entity was looked at of which this package does not know what is right."""

    def wrong(self, what: str) -> None:
        """Keep an example of what was wrong."""
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(what)


_OVERHEAD = 7
_FOREIGN = 8
"""Bytes that the shortest frame of another BMS adds to a response."""


def _would_have_done(entry: Entry, baud: int) -> bool:
    """Tell whether an attempt's own response went over the line whole, and in time."""
    if entry.what != ANSWERED or entry.response_began is None or entry.response_ended is None:
        return False
    if entry.fault == "other_address":
        own = sum(len(payload) + _OVERHEAD for payload in entry.response)
        went = (entry.response_ended - entry.response_began) * baud / BITS
        return went > own + _FOREIGN - 1
    return entry.fault in (
        None,
        "late",
        "doubled_response",
        "noise",
        "false_start",
        "other_master",
        *(DAMAGES if not entry.response else ()),
    )


def _fate(entry: Entry) -> str:
    if entry.fault in DAMAGES and entry.what != ANSWERED:
        return f"{entry.fault} in the request"
    if entry.fault is not None:
        return entry.fault
    return {SILENT: "away", HEARD: "still waiting"}.get(entry.what, entry.what)


class Monitor:
    """Compares what one Home Assistant shows with what the BMSs of several lines said."""

    def __init__(self, hass: HomeAssistant, scenarios: list[Scenario]) -> None:
        """Watch entries that are added later."""
        self._hass = hass
        self._scenarios = {scenario.port.url: scenario for scenario in scenarios}
        self.findings = Findings()
        self._keys: dict[str, tuple[RecBmsConfigEntry, str]] = {}
        self._polled: dict[str, tuple[float, float]] = {}
        """When a poll ended last, and when one did before that."""
        self._longest_poll: dict[str, float] = {}
        self._flows: dict[str, flow.Flow] = {}
        self._lives: dict[str, health.Life] = {}
        self._shown: set[tuple[str, str]] = set()
        self._mains: dict[Client, flow.Main] = {}
        self._retries: Counter[str] = Counter()
        """How often a request was asked again, by port, as the wire heard it."""

    # -- who is who ------------------------------------------------------------------------------

    def bms_of(self, entry: RecBmsConfigEntry) -> SignedBms:
        """Return the BMS that an entry stands for."""
        return self.scenario_of(entry).bms[entry.data["address"]]

    def scenario_of(self, entry: RecBmsConfigEntry) -> Scenario:
        """Return the line that an entry's BMS is on."""
        return self._scenarios[entry.data["port"]]

    def _key(self, entity_id: str) -> tuple[RecBmsConfigEntry, str] | None:
        if (known := self._keys.get(entity_id)) is not None:
            return known
        registered = er.async_get(self._hass).async_get(entity_id)
        if registered is None or registered.config_entry_id is None:
            return None
        entry = self._hass.config_entries.async_get_entry(registered.config_entry_id)
        assert entry is not None
        key = registered.unique_id.removeprefix(f"{entry.entry_id}_")
        return self._keys.setdefault(entity_id, (entry, key))

    @property
    def _now(self) -> float:
        return self._hass.loop.time()

    # -- watching --------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every exchange, every reading, every poll and every state."""
        request, read = Transactions.request, Client.request
        update = RecBmsCoordinator._async_update_data
        monitor = self

        async def watched_request(
            transactions: Transactions, address: int, instruction: Instruction, **options: Any
        ) -> Exchange:
            scenario = monitor._scenarios[transactions._transport.port]
            query = build(address, _MASTER, instruction.query)
            before = scenario.port.sent[query]
            counters = transactions._transport.counters
            looks_before = counters.second_looks
            try:
                return await request(transactions, address, instruction, **options)
            finally:
                sent = scenario.port.sent[query] - before
                looks = counters.second_looks - looks_before
                monitor._retries[scenario.port.url] += max(sent - 1 - looks, 0)

        async def watched_read(
            client: Client, instruction: Instruction, **options: Any
        ) -> Response:
            began = monitor._now
            try:
                response = await read(client, instruction, **options)
            except UnknownInstructionError:
                monitor._saw_refusal(client, instruction.code)
                raise
            except NoResponseError:
                monitor._saw_loss(client, instruction.code, began)
                raise
            monitor._saw_reading(client, instruction.code, response.reading, began)
            return response

        async def watched_update(coordinator: RecBmsCoordinator) -> Update:
            began = monitor._now
            monitor.findings.polls += 1
            try:
                data = await update(coordinator)
            except UpdateFailed:
                monitor._saw_failed_poll(coordinator, began)
                raise
            monitor._saw_poll(coordinator, began)
            return data

        class HousesTime(datetime):
            """Goes by the loop's clock."""

            @classmethod
            @override
            def now(cls, tz: tzinfo | None = None) -> Self:
                return cast("Self", house_at(monitor._now, dt_util.get_default_time_zone()))

        stop = self._hass.bus.async_listen(EVENT_STATE_CHANGED, self._saw_state)
        with (
            patch.object(rs485_bms, "datetime", HousesTime),
            patch.object(Transactions, "request", watched_request),
            patch.object(Client, "request", watched_read),
            patch.object(RecBmsCoordinator, "_async_update_data", watched_update),
        ):
            yield
        stop()

    def follow(self, entry: RecBmsConfigEntry) -> None:
        """Look at all entities of an entry at each of its updates."""

        @callback
        def updated() -> None:
            if entry.runtime_data.last_update_success:
                self.look_at_all(entry)

        entry.async_on_unload(entry.runtime_data.async_add_listener(updated))

    def never_shown(self, entry: RecBmsConfigEntry) -> list[str]:
        """Return which sensors that should always show something never have."""
        return [key for key in flow.ALWAYS_SHOWN if (entry.entry_id, key) not in self._shown]

    def look_at_all(self, entry: RecBmsConfigEntry) -> None:
        """Compare what every entity of an entry shows now."""
        registry = er.async_get(self._hass)
        moment = self._moment(entry)
        for registered in er.async_entries_for_config_entry(registry, entry.entry_id):
            state = self._hass.states.get(registered.entity_id)
            if state is not None:
                self._judge(entry, registered.entity_id, state, moment, "still shows")

    @callback
    def _saw_state(self, event: Event[EventStateChangedData]) -> None:
        state, before = event.data["new_state"], event.data["old_state"]
        if state is None or (found := self._key(state.entity_id)) is None:
            return
        entry, key = found
        fresh = (
            before is not None
            and before.state not in oracle.ABSENT
            and before.state != state.state
            and entry.entry_id in self._polled
            and oracle.is_of_one_response(key)
        )
        self._judge(
            entry,
            state.entity_id,
            state,
            self._moment(entry, just_read=oracle.code_of(key) if fresh else None),
            "shows",
        )

    def _moment(self, entry: RecBmsConfigEntry, just_read: str | None = None) -> oracle.Moment:
        """Return since when responses may still be shown; what has just changed was just read."""
        scan_interval: float = entry.options["scan_interval"]
        # What was good at the end of a poll is shown until the next one's end.
        longest = self._longest_poll[entry.entry_id]
        slack = 2 * (scan_interval + longest) + LATE
        oldest = {
            code: self._now - rules.stays_good(code, scan_interval, longest) - slack
            for code in BY_CODE
        }
        if just_read is not None:
            # What a poll read is shown at its end, what a set read back at once.
            before, last = self._polled[entry.entry_id]
            oldest[just_read] = (last if last < self._now else before) - LATE
        return oracle.Moment(oldest)

    def _judge(
        self,
        entry: RecBmsConfigEntry,
        entity_id: str,
        state: State,
        moment: oracle.Moment,
        verb: str,
    ) -> None:
        found = self._key(entity_id)
        assert found is not None
        if not (found[1] in flow.KEYS or health.knows(found[1]) or oracle.knows(found[1])):
            self.findings.without_oracle[found[1]] += 1
            return
        self.findings.states += 1
        shown = oracle.Shown(state.state, state.attributes)
        if self._is_true(entry, found[1], shown, moment):
            return
        self.findings.wrong_states += 1
        details = {
            name: state.attributes[name]
            for name in ("unit", "cell", "sensor", "number", "location", "event_type")
            if name in state.attributes
        }
        code = oracle.code_of(found[1])
        said = [*self.bms_of(entry).chronicle[code]][-3:] if code else []
        self.findings.wrong(
            f"{self._now:.3f} s, {self._where(entry)}: {found[1]} {verb} {state.state} {details};"
            f" the BMS has said since {moment.since(code) if code else 0:.3f} s:"
            f" {', '.join(f'{each.at:.3f} s {str(each.says)[:40]}' for each in said)}"
        )

    def _is_true(
        self, entry: RecBmsConfigEntry, key: str, shown: oracle.Shown, moment: oracle.Moment
    ) -> bool:
        bms = self.bms_of(entry)
        if shown.state not in oracle.ABSENT and health.knows(key):
            return self._lives[entry.entry_id].may_show(key, shown.state)
        if key not in flow.KEYS or shown.state in oracle.ABSENT:
            return oracle.is_true(bms, key, shown, moment)
        self._shown.add((entry.entry_id, key))
        capacities = oracle.capacities(bms, moment)
        return self._flows[entry.entry_id].may_show(key, shown.state, capacities)

    def _where(self, entry: RecBmsConfigEntry) -> str:
        return f"{self.scenario_of(entry).plan.name}, address {entry.data['address']}"

    # -- readings --------------------------------------------------------------------------------

    def _saw_reading(self, client: Client, code: str, reading: Reading, began: float) -> None:
        scenario = self._scenarios[client.connection.port]
        bms = scenario.bms[client.address]
        self.findings.readings += 1
        if code == _FIRST:
            values = cast("tuple[float, ...]", oracle.plain(reading))
            self._mains[client] = flow.Main(self._now, values)
        if oracle.reading_is_true(bms, code, reading, began - LATE):
            return
        self.findings.wrong_readings += 1
        asked = [
            f"{each.time:.3f} {each.payload!r} {each.what} {each.fault}"
            for each in list(scenario.log)[-8:]
        ]
        trace = [str(each) for each in list(client.connection.trace)[-10:]]
        self.findings.wrong(
            f"{self._now:.3f} s, {scenario.plan.name}, address {client.address}: {code} read as"
            f" {oracle.plain(reading)}\n    " + "\n    ".join([*asked, *trace])
        )

    def _attempts(self, scenario: Scenario, address: int, code: str, began: float) -> list[Entry]:
        return [
            each
            for each in scenario.log.requests(code, address)
            if each.time >= began and not each.is_set
        ]

    def _saw_refusal(self, client: Client, code: str) -> None:
        """Have it be wrong that a BMS does not know what it knows."""
        scenario = self._scenarios[client.connection.port]
        if code in scenario.bms[client.address].lacks:
            return
        self.findings.wrong_readings += 1
        self.findings.wrong(
            f"{self._now:.3f} s, {scenario.plan.name}, address {client.address}: {code} taken for"
            " unknown"
        )

    def _saw_loss(self, client: Client, code: str, began: float) -> None:
        scenario = self._scenarios[client.connection.port]
        why = self._why(scenario, self._attempts(scenario, client.address, code, began), code)
        self.findings.lost[why] += 1

    def _saw_poll(self, coordinator: RecBmsCoordinator, began: float) -> None:
        name = coordinator.config_entry.entry_id
        self._longest_poll[name] = max(self._longest_poll.get(name, 0.0), self._now - began)
        _, last = self._polled.get(name, (0.0, 0.0))
        self._polled[name] = (last, self._now)
        client_bms = cast("Rs485Bms", coordinator.bms)
        client = client_bms.client
        counters = {
            "line_errors": client.connection.counters.line_errors,
            "retries": self._retries[client.connection.port],
        }
        followed = self._flows.setdefault(name, flow.Flow(client_bms.update_interval))
        followed.polled(self._mains[client], began, self._now, counters)
        self._lives.setdefault(name, health.Life()).polled(self._mains[client])

    def _saw_failed_poll(self, coordinator: RecBmsCoordinator, began: float) -> None:
        entry = coordinator.config_entry
        if (followed := self._flows.get(entry.entry_id)) is not None:
            followed.poll_failed()
        scenario = self.scenario_of(entry)
        attempts = self._attempts(scenario, entry.data["address"], _FIRST, began)
        self.findings.failed_polls[self._why(scenario, attempts, _FIRST)] += 1

    @staticmethod
    def _why(scenario: Scenario, attempts: list[Entry], code: str) -> str:
        """Say why nothing came of some attempts, though a response to one may have been there."""
        fates = ", ".join(_fate(each) for each in attempts)
        good = [each for each in attempts if _would_have_done(each, scenario.plan.baud)]
        if not good:
            return f"not answered: {fates}"
        if all(each.fault == "other_master" for each in good):
            return "answered, but so was another master's request in between"
        if code in _TABLES and any(each.fault == "other_master" for each in good):
            return f"answered, but mixed with another master's: {code}"
        return f"answered: {code}, {scenario.plan.name}: {fates}"
