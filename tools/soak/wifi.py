"""A soak over WiFi: hours of a module whose messages go wrong in every way, on virtual time.

The oracle knows what the module truly said: what an entity shows must be in one of its messages
that are not too old, or nothing. It reads them by itself and takes nothing of the integration's.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product, starmap
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.const import DOMAIN
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule
from tools.simulator.wifi_faults import ABOUT, WifiFaults
from tools.testkit.in_process import home_assistant
from tools.testkit.virtual_time import everything_virtual

NAME, ANOTHER = "1A-2261", "1A-9999"
_STATUS_STANDS = 95.0
"""Seconds for which a status may be shown: 90, and what it takes to be told of."""
_SETTINGS_STAND = 420.0
_LOOK_EVERY = 7.0
_BACK_WITHIN = 60.0
_SPEED_UP = 30
_SILENT = ("unknown", "unavailable")

type Message = Mapping[str, Any]
type Expected = Callable[[Message], object]


@dataclass
class WifiReport:
    """What a soak over WiFi found."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    """What the integration sent to the module."""
    without_oracle: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)


def _master(key: str, digits: int, scale: float = 1) -> Expected:
    return lambda message: round(message["bms_array"]["master"][key] * scale, digits)


def _of_two(key: str, other: str, digits: int, join: Callable[[float, float], float]) -> Expected:
    def expected(message: Message) -> float:
        master = message["bms_array"]["master"]
        return round(join(master[key], master[other]), digits)

    return expected


def _of_unit(table: str, index: int, digits: int, scale: float = 1) -> Expected:
    def expected(message: Message) -> object:
        return round(message["bms_array"]["slave"]["0"][table][str(index)] * scale, digits)

    return expected


def _switch(on: Callable[[Message], bool]) -> Expected:
    return lambda message: "on" if on(message) else "off"


def _setting(key: str, scale: float = 1) -> Expected:
    return lambda message: float(f"{message[key] * scale:.6g}")


def _spread(message: Message) -> float:
    degrees: list[float] = [*message["bms_array"]["slave"]["0"]["temp"].values()]
    return round(max(degrees) - min(degrees), 1)


STATUS: dict[str, Expected] = {
    "voltage": _master("vbat", 3),
    "current": _master("ibat", 2),
    "state_of_charge": _master("soc", 1, 100),
    "state_of_health": _master("soh", 1, 100),
    "min_cell_voltage": _master("mincell", 3),
    "max_cell_voltage": _master("maxcell", 3),
    "max_temperature": _master("tmax", 1),
    "power": _of_two("vbat", "ibat", 1, lambda volts, amperes: volts * amperes),
    "cell_voltage_delta": _of_two("maxcell", "mincell", 3, lambda high, low: high - low),
    "temperature_spread": _spread,
    "bms_temperature": lambda message: round(message["bms_array"]["slave"]["0"]["temp_bms"], 1),
    **{
        f"cell_balancing_1_{cell}": _switch(
            lambda message, index=str(cell - 1): message["bms_array"]["slave"]["0"]["bal"][index]  # type: ignore[misc]
        )
        for cell in range(1, 5)
    },
    "problem": _switch(lambda message: bool(message["bms_array"]["master"]["erro"]["present"])),
    "balancing": _switch(lambda message: any(message["bms_array"]["slave"]["0"]["bal"].values())),
    **{f"cell_voltage_1_{cell}": _of_unit("nap", cell - 1, 3) for cell in range(1, 5)},
    **{f"cell_resistance_1_{cell}": _of_unit("res", cell - 1, 3, 1000) for cell in range(1, 5)},
    **{f"temperature_1_{sensor}": _of_unit("temp", sensor - 1, 1) for sensor in range(1, 3)},
}
_VOLTS = ["bvol", "bmin", "cmax", "maxh", "cmin", "minh", "char", "chis", "razl", "clow"]
_OTHERS = ["tmax", "tmin", "tbal", "bmth", "ioff", "ioja", "capa", "chac", "dchc", "maxc", "maxd"]
SETTINGS: dict[str, Expected] = {
    **{key: _setting(key) for key in (*_VOLTS, *_OTHERS)},
    **{key: _setting(key, 100) for key in ("soch", "socs")},
    "cycles": _setting("cycl"),
    "consumed_charge": _setting("Ah"),
    "serial_number": lambda message: float(message["bms_name"].removeprefix("1A-")),
}


def _left(cell: str, sign: int, *limits: str) -> Callable[[Message, Message], object]:
    """Return the mV that a cell of a status is from the nearest limit among the settings."""

    def expected(status: Message, settings: Message) -> int:
        volts: float = status["bms_array"]["master"][cell]
        left: float = min(sign * (settings[limit] - volts) for limit in limits)
        return round(left * 1000)

    return expected


def _allowed(share: str, for_each: str) -> Callable[[Message, Message], object]:
    """Return the A that settings let the inverters have."""

    def expected(_: Message, settings: Message) -> float:
        amperes: float = settings[for_each] * settings["strn"]
        battery: float = settings[share] * settings["capa"]
        return round(min(battery, amperes), 1)

    return expected


BOTH: dict[str, Callable[[Message, Message], object]] = {
    "headroom_high": _left("maxcell", 1, "cmax"),
    "headroom_low": _left("mincell", -1, "cmin", "clow"),
    "charge_current_limit": _allowed("chac", "maxc"),
    "discharge_current_limit": _allowed("dchc", "maxd"),
}
"""What takes settings, and may take a status, too."""


class _Truth:
    """The good messages that the right module has sent, and when."""

    def __init__(self) -> None:
        self._said: dict[str, deque[tuple[float, Message]]] = {
            "status": deque(maxlen=200),
            "settings": deque(maxlen=200),
        }

    def note(self, message: str) -> None:
        parsed = json.loads(message)
        self._said[parsed["type"]].append((asyncio.get_running_loop().time(), parsed))

    def may_show(self, key: str, state: str) -> bool:
        """Tell whether a state is in good messages that are not too old."""
        statuses = self._fresh("status", _STATUS_STANDS)
        settings = self._fresh("settings", _SETTINGS_STAND)
        return any(_equal(state, value) for value in _values(key, statuses, settings))

    def shows_the_last(self, key: str, state: str) -> bool:
        """Tell whether a state is that of the last good messages."""
        last = ([self._said[kind][-1][1]] for kind in ("status", "settings"))
        return any(_equal(state, value) for value in _values(key, *last))

    def _fresh(self, kind: str, stands: float) -> list[Message]:
        now = asyncio.get_running_loop().time()
        return [message for at, message in self._said[kind] if now - at <= stands]


def _values(key: str, statuses: Iterable[Message], settings: Iterable[Message]) -> Iterator[object]:
    """Yield what a key may show of these messages."""
    if key in BOTH:
        yield from starmap(BOTH[key], product(statuses, settings))
    elif key in STATUS:
        yield from map(STATUS[key], statuses)
    else:
        yield from map(SETTINGS[key], settings)


def _equal(state: str, value: object) -> bool:
    if isinstance(value, str):
        return state == value
    try:
        return abs(float(state) - float(value)) < 1e-6  # type: ignore[arg-type]
    except ValueError:
        return False


class _Soak:
    def __init__(self, hass: HomeAssistant, module: WifiModule, rng: random.Random) -> None:
        self.report = WifiReport()
        self._hass = hass
        self._module = module
        self._ours = module.bms
        self._rng = rng
        self._truth = _Truth()
        self._entry = MockConfigEntry(
            domain=DOMAIN, title=NAME, unique_id=NAME, data={"host": module.host}
        )
        self._keys: dict[str, str] = {}
        self._push_own = module._push_own
        module._push_own = self._noted  # type: ignore[method-assign]
        hass.bus.async_listen("state_changed", self._changed)

    async def _noted(self, message: str) -> None:
        self.report.counts["messages"] += bool(self._module.clients)
        if self._module.name == NAME:
            self._truth.note(message)
        await self._push_own(message)

    @callback
    def _changed(self, event: Any) -> None:
        if (state := event.data["new_state"]) is not None:
            self._judge(state.entity_id, state.state)

    def _judge(self, entity_id: str, shown: str) -> None:
        if entity_id not in self._keys:
            self._learn_keys()
        key = self._keys.get(entity_id, "")
        if key not in STATUS and key not in SETTINGS and key not in BOTH:
            self.report.without_oracle.add(key)
            return
        self.report.counts["states"] += 1
        if shown not in _SILENT and not self._truth.may_show(key, shown):
            self._wrong(f"{key} shows {shown}")

    def _learn_keys(self) -> None:
        registered = er.async_entries_for_config_entry(
            er.async_get(self._hass), self._entry.entry_id
        )
        prefix = f"{self._entry.entry_id}_"
        self._keys = {each.entity_id: each.unique_id.removeprefix(prefix) for each in registered}

    def _wrong(self, what: str) -> None:
        self.report.counts["wrong"] += 1
        if len(self.report.examples) < 10:
            self.report.examples.append(f"{asyncio.get_running_loop().time():.1f} s: {what}")

    def _look(self) -> None:
        for entity_id in self._keys:
            if (state := self._hass.states.get(entity_id)) is not None:
                self._judge(entity_id, state.state)

    async def run(self, hours: float) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + hours * 3600
        self._entry.add_to_hass(self._hass)
        await self._hass.config_entries.async_setup(self._entry.entry_id)
        assert self._entry.state is ConfigEntryState.LOADED, (self._entry.state, self._entry.reason)
        while loop.time() < ends_at:
            await self._let_pass(self._rng.uniform(60, 600))
            await self._mishap()
        self._module.faults.clear()
        await self._be_whole()
        await self._let_pass(_BACK_WITHIN)
        self._settle()

    async def _let_pass(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY)
            self._look()

    async def _mishap(self) -> None:
        mishaps = (self._restart, self._oversleep, self._another, self._reload)
        mishap = self._rng.choice(mishaps)
        self.report.counts[mishap.__name__.strip("_")] += 1
        await mishap()

    async def _restart(self) -> None:
        await self._module.restart(self._rng.uniform(1, 40))

    async def _oversleep(self) -> None:
        await self._module.sleep()
        await self._let_pass(self._rng.uniform(30, 900))
        await self._module.wake()

    async def _another(self) -> None:
        """Let another module have the address for a while."""
        self._module.name, self._module.bms = ANOTHER, _battery(99, charge=0.2)
        await self._module.drop()
        await self._let_pass(self._rng.uniform(10, 200))
        await self._be_whole()

    async def _be_whole(self) -> None:
        """Have the right module back, and an entry that failed set up anew, as its owner would."""
        self._module.name, self._module.bms = NAME, self._ours
        await self._module.drop()
        await self._module.wake()
        await self._module.resume()
        await asyncio.sleep(0)
        if self._entry.state is not ConfigEntryState.LOADED:
            await self._reload()

    async def _reload(self) -> None:
        await self._hass.config_entries.async_reload(self._entry.entry_id)

    def _settle(self) -> None:
        """After a minute without faults everything must be as the module said last."""
        for entity_id, key in self._keys.items():
            state = self._hass.states.get(entity_id)
            if key in STATUS or key in SETTINGS or key in BOTH:
                if state is None or not self._truth.shows_the_last(key, state.state):
                    self._wrong(f"at the end, {key} shows {state and state.state}")
                self.report.counts["settled"] += 1


def _battery(seed: int, charge: float | None = None) -> BMS:
    bms = BMS(2, preset="lifepo4", cells=4, sensors=2, seed=seed, time_factor=_SPEED_UP)
    if charge is not None:
        for cell in range(1, 5):
            bms.battery.cell(1, cell).charge = charge
    return bms


async def soak_over_wifi(folder: str, hours: float, faulty: float, seed: int) -> WifiReport:
    """Run for hours of virtual time with a share of the messages faulty; tell what was found."""
    loop = asyncio.get_running_loop()
    enabled = "homeassistant.helpers.entity.Entity.entity_registry_enabled_default"
    with everything_virtual(loop), patch(enabled, new=True):
        faults = WifiFaults(dict.fromkeys(ABOUT, faulty / len(ABOUT)), seed)
        async with WifiModule(
            _battery(seed), name=NAME, period=5, settings_period=20, faults=faults
        ) as module:
            async with home_assistant(Path(folder)) as hass:
                soak = _Soak(hass, module, random.Random(seed))
                await soak.run(hours)
            report = soak.report
            report.faults = faults.counts
            report.counts["connections"] = module.connections
            report.sent = Counter(each.split(" ", 1)[0] for each in module.received)
    return report
