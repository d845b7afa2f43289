"""Commands for a simulator that runs as a program: JSON lines over a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .bms import BMS, CurrentSensor
from .host import Simulator
from .responses import main_data
from .tcp import Tcp

HELP = """\
One JSON object a line in, one a line out: {"ok": true, ...} or {"ok": false, "error": "..."}.
"address" may be left out where there is one BMS. Commands ("do"):
  set           instruction, value         a setting, in the line's unit
  settings                                 -> settings
  readings                                 -> cells, temperatures, current, error, charge ...
  meter                                    -> charged_wh, discharged_wh ...
  raise_error   number, unit, location     clear_error: number (without: all)
  current       amperes (null: scenario)   ambient: celsius (null: scenario)
  cell          unit, cell, and one or more of voltage (V at rest), charge, offset (V), ohms,
                                           contact (Ω), leak (A), fade (a year), capacity (Ah)
  current_sensor offset (A), gain          how it errs
  sensor        unit, sensor, celsius (null: mended)
  fault         name, count and what Fault takes;  shares: {"late": 0.1};  faults -> counts
  silent        value                      true: the BMS is off
  unplug; replug: link, other_device       link: drop, reset, refuse, accept, silence, speak
  wifi          action: sleep, wake, stall, resume, drop, restart (with seconds), push (with text)
                -> host, clients, connections, received
  scenario      name;                      time_factor: value;  advance: seconds
  add_unit      cells;                     remove_unit
  log           since (entry's number)     -> entries, counts;  clear_log
  info                                     -> port (null: none), addresses
  quit"""


class Control:
    """Serves commands on a unix socket; `stop` is set when one asks for the end."""

    def __init__(self, simulator: Simulator, path: Path, stop: asyncio.Event) -> None:
        self._simulator = simulator
        self._path = path
        self._server: asyncio.Server | None = None
        self._stop = stop

    async def start(self) -> None:
        """Open the socket."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def close(self) -> None:
        """Close the socket and remove it."""
        if self._server is not None:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                response = await self.handle(line)
                writer.write(json.dumps(response).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def handle(self, line: bytes) -> dict[str, Any]:
        """Run one command; return its response."""
        try:
            command = json.loads(line)
            name = command.pop("do")
            handler = getattr(self, f"do_{name}", None)
            if handler is None:
                return {"ok": False, "error": f"no command {name!r}; there are:\n{HELP}"}
            result = handler(**command)
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:  # noqa: BLE001  (whatever it was, the caller wants to know)
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return {"ok": True, **(result or {})}

    def _bms(self, address: int | None) -> BMS:
        known = self._simulator.bms
        return known[address] if address is not None else next(iter(known.values()))

    # Each do_NAME is the command NAME; its arguments are the command's other fields.

    def do_info(self) -> dict[str, Any]:
        """Tell port and addresses."""
        line = self._simulator.line
        return {
            "port": self._simulator.port if self._simulator.has_port else None,
            "addresses": list(self._simulator.bms),
            "baud": line.baud,
            "turnaround": line.turnaround,
        }

    def do_set(self, instruction: str, value: float, address: int | None = None) -> None:
        """Change a setting."""
        self._bms(address).set_value(instruction, value)

    def do_settings(self, address: int | None = None) -> dict[str, Any]:
        """Tell all settings."""
        return {"settings": dict(self._bms(address).settings)}

    def do_readings(self, address: int | None = None) -> dict[str, Any]:
        """Tell what the BMS measures."""
        bms = self._bms(address)
        bms.catch_up()
        now = bms.measure()
        return {
            "cells": now.volts,
            "temperatures": now.celsius,
            "board": now.board,
            "main": main_data(bms),
            "ohms": [[cell.resistance for cell in unit.cells] for unit in bms.battery.units],
            "consumed": bms.consumed,
            "error": bms.error,
            "charge_ended": bms.guard.charge_ended,
            "protected": bms.guard.protected,
            "time": bms.battery.time,
        }

    def do_meter(self, address: int | None = None) -> dict[str, Any]:
        """Tell what went through the battery's poles."""
        bms = self._bms(address)
        bms.catch_up()
        return {"meter": asdict(bms.battery.meter)}

    def do_raise_error(
        self, number: int, unit: int = 1, location: int = 1, address: int | None = None
    ) -> None:
        """Raise an error."""
        self._bms(address).raise_error(number, unit, location)

    def do_clear_error(self, number: int | None = None, address: int | None = None) -> None:
        """Take errors back."""
        self._bms(address).clear_error(number)

    def do_current(self, amperes: float | None = None, address: int | None = None) -> None:
        """Ask for a current."""
        self._bms(address).set_current(amperes)

    def do_ambient(self, celsius: float | None = None, address: int | None = None) -> None:
        """Change the weather."""
        self._bms(address).ambient_wanted = celsius

    def do_cell(self, cell: int, unit: int = 1, address: int | None = None, **what: float) -> None:
        """Change a cell."""
        bms = self._bms(address)
        bms.catch_up()
        one = bms.battery.cell(unit, cell)
        for name, value in what.items():
            actions: Mapping[str, Callable[[float], None]] = {
                "voltage": one.rest_at,
                "charge": lambda charge: setattr(one, "charge", charge),
                "offset": lambda volts: setattr(one, "offset", volts),
                "ohms": lambda ohms: setattr(one, "resistance", ohms),
                "contact": lambda ohms: setattr(one, "contact", ohms),
                "leak": lambda amperes: setattr(one, "leak", amperes),
                "fade": lambda share: setattr(one, "fade", share),
                "capacity": lambda hours: setattr(one, "capacity", hours),
            }
            actions[name](value)
        bms.look_again()

    def do_current_sensor(
        self, offset: float = 0.0, gain: float = 1.0, address: int | None = None
    ) -> None:
        """Have the current sensor err."""
        bms = self._bms(address)
        bms.catch_up()
        bms.current_sensor = CurrentSensor(offset, gain)
        bms.look_again()

    def do_sensor(
        self,
        sensor: int,
        unit: int = 1,
        celsius: float | None = None,
        address: int | None = None,
    ) -> None:
        """Break or mend a temperature sensor."""
        if celsius is None:
            self._bms(address).mend_sensor(unit, sensor)
        else:
            self._bms(address).break_sensor(unit, sensor, celsius)

    def do_fault(self, name: str, count: int = 1, **details: Any) -> None:
        """Order a fault for the next exchanges."""
        self._simulator.faults.next(name, count, **details)

    def do_shares(self, shares: dict[str, float]) -> None:
        """Replace the shares of the faults."""
        self._simulator.faults.set_shares(shares)

    def do_faults(self) -> dict[str, Any]:
        """Tell what struck so far."""
        faults = self._simulator.faults
        return {"counts": dict(faults.counts), "waiting": [one.name for one in faults.waiting]}

    def do_silent(self, *, value: bool = True, address: int | None = None) -> None:
        """Switch a BMS off or on."""
        self._bms(address).silent = value

    def do_unplug(self) -> None:
        """Unplug the adapter."""
        self._simulator.unplug()

    def do_replug(self, link: str | None = None, *, other_device: bool = False) -> dict[str, Any]:
        """Put the adapter back."""
        self._simulator.replug(link, other_device=other_device)
        return {"port": self._simulator.port}

    def do_link(self, action: str) -> None:
        """Do something to the TCP link."""
        link = self._simulator.link
        if not isinstance(link, Tcp):
            msg = "the port is a pseudo-terminal"
            raise TypeError(msg)
        if action in ("silence", "speak"):
            link.silent = action == "silence"
        else:
            {"drop": link.drop, "reset": link.reset, "refuse": link.refuse, "accept": link.accept}[
                action
            ]()

    async def do_wifi(
        self, action: str | None = None, seconds: float = 30.0, text: str = ""
    ) -> dict[str, Any]:
        """Do something to the WiFi module; tell what it has seen."""
        module = self._simulator.wifi
        actions: Mapping[str, Callable[[], Awaitable[None]]] = {
            "sleep": module.sleep,
            "wake": module.wake,
            "stall": module.stall,
            "resume": module.resume,
            "drop": module.drop,
            "restart": lambda: module.restart(seconds),
            "push": lambda: module.push(text),
        }
        if action is not None and action not in actions:
            msg = f"the actions that are known are {', '.join(actions)}"
            raise ValueError(msg)
        if action is not None:
            await actions[action]()
        return {
            "host": module.host,
            "clients": module.clients,
            "connections": module.connections,
            "received": module.received,
        }

    def do_scenario(self, name: str, address: int | None = None) -> None:
        """Change the scenario."""
        self._bms(address).scenario = name

    def do_time_factor(self, value: float, address: int | None = None) -> None:
        """Change the pace of time."""
        self._bms(address).time_factor = value

    def do_advance(self, seconds: float, address: int | None = None) -> None:
        """Let battery time pass."""
        self._bms(address).battery.advance(seconds)

    def do_add_unit(self, cells: int | None = None, address: int | None = None) -> None:
        """Connect a child unit."""
        self._bms(address).add_unit(cells)

    def do_remove_unit(self, address: int | None = None) -> None:
        """Disconnect the last child unit."""
        self._bms(address).remove_unit()

    def do_log(self, since: int = 0) -> dict[str, Any]:
        """Tell what was heard."""
        log = self._simulator.log
        entries = [entry.as_dict() for entry in log if entry.number > since]
        return {"entries": entries, "counts": dict(log.counts), "overlaps": len(log.overlaps)}

    def do_clear_log(self) -> None:
        """Forget what was heard."""
        self._simulator.log.clear()

    def do_quit(self) -> None:
        """End the program."""
        self._stop.set()
