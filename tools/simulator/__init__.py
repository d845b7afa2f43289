"""A REC BMS that is not there: for the demo, the tests and the benchmark.

    async with Simulator(cells=14) as sim:        # in the running loop
        client.open(sim.port)
    with SimulatorThread(addresses=[1, 2]) as sim:  # in a thread of its own
        sim.call(sim.bms[2].raise_error, 4)

As a program: `python -m tools.simulator --help`.

From the inside out: `chemistry` and `battery` are physics, `presets` and `scenarios` what the
owner has and does, `guard` the limits and errors, `bms` one BMS, `responses` what it says,
`figures` how it writes numbers; `framing`, `wire` and `line` carry it, `faults` spoil it, `log`
tells of it; `link`, `tcp` and `telnet` are the ports; `wifi` is the WiFi module, another way to a
BMS, with `wifi_messages` and `wifi_faults`; `host` puts it all together, `control` steers it from
outside, `table` is the integration's list of instructions: all that is shared.
"""

from .battery import Battery, Cell
from .bms import BMS
from .faults import Fault, Faults
from .host import Simulator, SimulatorThread
from .line import Line
from .log import Entry, Log
from .wifi import WifiModule
from .wifi_faults import WifiFaults

__all__ = [
    "BMS",
    "Battery",
    "Cell",
    "Entry",
    "Fault",
    "Faults",
    "Line",
    "Log",
    "Simulator",
    "SimulatorThread",
    "WifiFaults",
    "WifiModule",
]
