"""A simulator in the running loop, behind a port in memory: for tests on virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.simulator import BMS, Faults, Line, Log

from .memory_port import Port


class SimulatorInMemory:
    """BMSs on a line behind a port in memory; what `SimulatorThread` offers, without its thread.

    Takes what `Simulator` takes, but for the ways to a real port. With `link`, a symlink that leads
    to a device, it is found by these names, too (see `devices_in_memory`). It is made in the loop
    in which it lives, and `close` is awaited there.
    """

    def __init__(
        self,
        *,
        link: Path | None = None,
        bms: Sequence[BMS] | None = None,
        addresses: Sequence[int] = (1,),
        baud: int = 56000,
        turnaround: float = 0.015,
        echo: bool = False,
        collisions: bool = True,
        faults: Faults | Mapping[str, float] | None = None,
        seed: int = 0,
        **each: Any,
    ) -> None:
        made = bms or [BMS(address, seed=seed + address, **each) for address in addresses]
        self.bms: dict[int, BMS] = {one.address: one for one in made}
        """The BMSs by their addresses."""
        self.faults = faults if isinstance(faults, Faults) else Faults(dict(faults or {}), seed)
        self.log = Log()
        self._port = Port(_free_name(), 0.0)
        self.line = Line(
            self.bms.values(),
            self._port.write,
            baud=baud,
            turnaround=turnaround,
            echo=echo,
            collisions=collisions,
            faults=self.faults,
            seed=seed,
            log=self.log,
        )
        """The pair of wires."""
        self._port.line = self.line
        self._link = link
        self._device: Path | None = None
        self._devices_so_far = 0
        self._plug()

    async def close(self) -> None:
        """Stop, and leave nothing behind."""
        self.unplug()
        del Port.known[self._port.url]
        await self.line.close()

    def call[T](self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Run a function, as `SimulatorThread` does in its thread."""
        return function(*args, **named)

    @property
    def port(self) -> str:
        """What a user would type: the link, or a URL without one."""
        return str(self._link) if self._link is not None else self._port.url

    @property
    def is_open(self) -> bool:
        """Whether a client has the port."""
        return self._port.is_open

    def _plug(self) -> None:
        if self._link is None:
            return
        self._link.parent.mkdir(parents=True, exist_ok=True)
        name = f"tty-{self._link.name}-{self._devices_so_far}"
        self._devices_so_far += 1
        self._device = self._link.parent.resolve() / name
        self._device.touch()
        self._link.symlink_to(self._device)
        Port.devices[str(self._device)] = self._port

    def unplug(self) -> None:
        """Pull the adapter: its device and the link to it vanish."""
        if self._device is not None and self._link is not None:
            del Port.devices[str(self._device)]
            self._link.unlink()
            self._device.unlink()
            self._device = None
        self._port.unplug()

    def replug(self, *, other_device: bool = False) -> None:
        """Put it back, under another device name if told so."""
        self.unplug()
        if not other_device:
            self._devices_so_far -= 1
        self._plug()
        self._port.replug()


def _free_name() -> str:
    """Return the first name that no port in memory has."""
    names = (f"bms-{number}" for number in itertools.count(1))
    return next(name for name in names if not Port.is_known(name))
