"""The simulator as a program: `python -m tools.simulator --help`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import control, faults, scenarios, wifi_faults
from .host import Simulator, Transport
from .presets import MODELS, PRESETS, Model
from .wifi_faults import WifiFaults

_ABOUT = """\
A REC BMS that is not there: a battery with a BMS on a serial line, for trying things out.
It prints "port: ..." with what to type as the port, and runs until Ctrl-C.
With --wifi it is REC's WiFi module, and prints "wifi: ..." with what to type as the host."""


_EVERYTHING = Model(1, 56000, "kokam")
"""A BMS that knows everything."""


def _share_of(about: Mapping[str, str]) -> Callable[[str], tuple[str, float]]:
    def share_of(text: str) -> tuple[str, float]:
        name, _, share = text.partition("=")
        if name not in about:
            msg = f"no fault is called {name!r} (see the list at the end of --help)"
            raise argparse.ArgumentTypeError(msg)
        try:
            return name, float(share)
        except ValueError:
            msg = f"{text!r} is not NAME=SHARE, like {next(iter(about))}=0.05"
            raise argparse.ArgumentTypeError(msg) from None

    return share_of


def _host(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        msg = f"{text!r} is not HOST:PORT, like 127.0.0.1:8080"
        raise argparse.ArgumentTypeError(msg)
    return host, int(port)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            msg = f"{value} is not between {low} and {high}"
            raise argparse.ArgumentTypeError(msg)
        return value

    return number


def _epilog() -> str:
    lines = ["scenarios:"]
    lines += [f"  {name:<16}{about}" for name, about in scenarios.ABOUT.items()]
    lines += ["", "faults (each strikes its share of the exchanges, set_... of the sets):"]
    lines += [f"  {name:<16}{about}" for name, about in faults.ABOUT.items()]
    lines += ["", "WiFi faults (each strikes its share of the messages):"]
    lines += [f"  {name:<16}{about}" for name, about in wifi_faults.ABOUT.items()]
    lines += ["", "commands of --control:", control.HELP]
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tools.simulator",
        description=_ABOUT,
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_link(made.add_argument_group("the port"))
    _add_wifi(made.add_argument_group("the WiFi module"))
    _add_line(made.add_argument_group("the line"))
    _add_battery(made.add_argument_group("the battery"))
    _add_running(made.add_argument_group("running"))
    return made


def _add_link(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--link",
        type=Path,
        metavar="PATH",
        help="put a symlink to the pseudo-terminal here, as /dev/serial/by-id does",
    )
    group.add_argument(
        "--tcp",
        type=int,
        metavar="PORT",
        help="no pseudo-terminal but a raw TCP serial server on 127.0.0.1 (0: any free port)",
    )
    group.add_argument(
        "--rfc2217",
        type=int,
        metavar="PORT",
        help="the same, but the client sets the speed by telnet, as with ser2net",
    )


def _add_wifi(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--wifi",
        type=_host,
        metavar="HOST:PORT",
        help="serve the WiFi module of the first BMS here (port 0: any free one), in place of a "
        "serial port unless --link, --tcp or --rfc2217 asks for one",
    )
    group.add_argument(
        "--wifi-period",
        type=float,
        default=5.0,
        metavar="S",
        help="seconds between two status messages (default 5; the real one is not known)",
    )
    group.add_argument(
        "--wifi-settings-period",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds between two settings messages (default 30; the real one is not known)",
    )
    group.add_argument("--wifi-name", default="1A-2261", metavar="NAME", help="who it says it is")
    group.add_argument(
        "--wifi-missing",
        action="append",
        default=[],
        metavar="KEY",
        help="a key that its messages lack, such as bal, master.soc, slave.0.nap.2 or "
        "settings.capa; can be repeated",
    )
    group.add_argument(
        "--wifi-fault",
        type=_share_of(wifi_faults.ABOUT),
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="let something go wrong with a share of its messages, 0 to 1; can be repeated",
    )


def _add_line(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--address",
        type=_whole(1, 255),
        action="append",
        metavar="N",
        help="address of the BMS; give it several times for several BMSs (default 1)",
    )
    group.add_argument(
        "--baud", type=int, default=56000, help="bits a second on the line (default 56000)"
    )
    group.add_argument(
        "--turnaround",
        type=float,
        default=15.0,
        metavar="MS",
        help="milliseconds between a request and its response (default 15)",
    )
    group.add_argument(
        "--echo", action="store_true", help="the adapter lets the client hear itself"
    )
    group.add_argument(
        "--fault",
        type=_share_of(faults.ABOUT),
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="let something go wrong in a share of the exchanges, 0 to 1; can be repeated",
    )
    group.add_argument(
        "--unsupported",
        action="append",
        default=[],
        metavar="CODE",
        help="an instruction that the BMS does not answer; can be repeated",
    )


def _add_battery(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--unit",
        choices=MODELS,
        help="a kind of unit, with its address, speed, cells and instructions: an Active BMS, a 1Q,"
        " or one that answers ERROR1 to what it does not know (default: one that knows everything)",
    )
    group.add_argument(
        "--chemistry",
        choices=PRESETS,
        default="kokam",
        help="kind of cells, and settings that suit them (default kokam)",
    )
    group.add_argument(
        "--units", type=_whole(1, 15), default=1, help="units that the BMS answers for, 1 to 15"
    )
    group.add_argument(
        "--cells", type=_whole(1, 16), help="cells of each unit, 1 to 16 (14; 4 with lifepo4)"
    )
    group.add_argument(
        "--sensors", type=_whole(0, 16), default=2, help="temperature sensors of each unit"
    )
    group.add_argument(
        "--absent-sensors",
        type=_whole(0, 16),
        default=0,
        help="sensors that PTEM shows though they are not fitted",
    )
    group.add_argument(
        "--single-frame",
        action="store_true",
        help="the cells of all units in one frame, where they fit",
    )
    group.add_argument(
        "--scenario",
        choices=scenarios.SCENARIOS,
        default="day",
        help="what the battery lives through (default day; see below)",
    )
    group.add_argument(
        "--speed-up",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="battery time runs so many times faster (60: a day in 24 minutes; 0: it stands)",
    )
    group.add_argument("--no-noise", action="store_true", help="measure exactly")


def _add_running(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--seed", type=int, default=0, help="another one, other coincidences")
    group.add_argument(
        "--control", type=Path, metavar="PATH", help="take commands on this unix socket"
    )
    group.add_argument(
        "-v", "--verbose", action="store_true", help="tell each request and what became of it"
    )


def _transport(options: argparse.Namespace) -> Transport:
    if options.tcp is not None:
        return "tcp"
    if options.rfc2217 is not None:
        return "rfc2217"
    return "none" if options.wifi is not None and options.link is None else "pty"


def _wifi(options: argparse.Namespace) -> dict[str, Any] | None:
    if options.wifi is None:
        return None
    host, port = options.wifi
    return {
        "host": host,
        "port": port,
        "name": options.wifi_name,
        "period": options.wifi_period,
        "settings_period": options.wifi_settings_period,
        "missing": options.wifi_missing,
        "faults": WifiFaults(dict(options.wifi_fault), options.seed),
    }


def _simulator(options: argparse.Namespace) -> Simulator:
    model = MODELS.get(options.unit, _EVERYTHING)
    return Simulator(
        transport=_transport(options),
        wifi=_wifi(options),
        link=options.link,
        tcp_port=options.tcp or options.rfc2217 or 0,
        addresses=options.address or [model.address],
        baud=options.baud,
        turnaround=options.turnaround / 1000,
        echo=options.echo,
        faults=dict(options.fault),
        seed=options.seed,
        preset=options.chemistry,
        refuses=model.refuses,
        texts=model.texts,
        settings=model.settings,
        error_log=model.error_log,
        units=options.units,
        cells=options.cells,
        sensors=options.sensors,
        absent_sensors=options.absent_sensors,
        unsupported=[*model.lacks, *(code.upper() for code in options.unsupported)],
        layout="single" if options.single_frame else "frames",
        scenario=options.scenario,
        time_factor=options.speed_up,
        noise=not options.no_noise,
    )


async def _run(options: argparse.Namespace) -> None:
    simulator = _simulator(options)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        commands = None
        if options.control is not None:
            commands = control.Control(simulator, options.control, stop)
            await commands.start()
        try:
            if simulator.has_port:
                sys.stdout.write(f"port: {simulator.port}\n")
            if options.wifi is not None:
                sys.stdout.write(f"wifi: {simulator.wifi.host}\n")
            sys.stdout.flush()
            await stop.wait()
        finally:
            if commands is not None:
                await commands.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; what a unit brings along are only their defaults."""
    made = parser()
    if (model := MODELS.get(made.parse_args(arguments).unit)) is not None:
        made.set_defaults(baud=model.baud, chemistry=model.preset)
    return made.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator until it is stopped; return the exit code."""
    options = _options(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="%(asctime)s %(message)s",
        stream=sys.stderr,
    )
    try:
        asyncio.run(_run(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
