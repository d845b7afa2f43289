"""The MQTT export against a real broker: all that REC-BMSManager's Send-MQTT published."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.e2e.owner.broker import PASSWORD, USER, Broker, Message
from tools.testkit.flow import FLOWS, answer
from tools.testkit.ports import reserved_port

if TYPE_CHECKING:
    from tests.e2e.owner.conftest import Owner

CELLS = 14
STATUS = (
    "Minimum_Cell_Voltage",
    "Maximum_Cell_Voltage",
    "Pack_Current",
    "Maximum_Temperature",
    "Pack_Voltage",
    "State_of_Charge",
    "State_of_Health",
    "BMS_Address_of_Minimum_Cell_Voltage",
    "Cell_Address_of_Minimum_Cell_Voltage",
    "BMS_Address_of_Maximum_Cell_Voltage",
    "Cell_Address_of_Maximum_Cell_Voltage",
    "BMS_Address_of_Maximum_Temp_Sensor",
    "Temp_Sensor_Address_of_Maximum_Value",
    "Amp_Hours_since_last_charge",
)
TOPICS = {
    *(f"battery/cell/{cell}/{what}" for cell in range(1, CELLS + 1) for what in ("volts", "ohms")),
    *(f"battery/status/{name}" for name in STATUS),
    "battery/status/temperature/bms/1",
    "battery/status/temperature/pack/1",
    "battery/status/temperature/pack/2",
}
TOGETHER = "battery/json"
"""All of them once more, in one."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with reserved_port() as port:
        broker = Broker(tmp_path_factory.mktemp("mosquitto"), port)
        broker.start()
        yield broker
        broker.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def exporter(owner: Owner, broker: Broker) -> AsyncIterator[Owner]:
    """An owner who has set up Home Assistant's MQTT integration through its dialog."""
    client = owner.client
    step = await client.post(FLOWS, {"handler": "mqtt"})
    assert step["step_id"] == "broker"
    about: dict[str, Any] = {
        "broker": "127.0.0.1",
        "port": broker.port,
        "username": USER,
        "password": PASSWORD,
        "other_settings": {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"},
    }
    entry = (await answer(client, step, about))["result"]
    yield owner
    await client.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")


def as_told(value: float) -> float:
    """Return a number as the BMS tells it: a float32."""
    told: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return told


async def on_the_line(owner: Owner) -> dict[str, float]:
    """Return what must be under each topic, from the simulator."""
    truth = await owner.bms.command("readings")
    (volts,), (ohms,), (celsius,) = truth["cells"], truth["ohms"], truth["temperatures"]
    lowest, highest = volts.index(min(volts)) + 1, volts.index(max(volts)) + 1
    hottest = celsius.index(max(celsius)) + 1
    status = (
        *(as_told(each) for each in truth["main"]),
        *(1, lowest, 1, highest, 1, hottest),
        round(truth["consumed"]),
    )
    return {
        **{f"battery/cell/{n}/volts": as_told(value) for n, value in enumerate(volts, 1)},
        **{f"battery/cell/{n}/ohms": as_told(value) for n, value in enumerate(ohms, 1)},
        **{f"battery/status/{name}": v for name, v in zip(STATUS, status, strict=True)},
        "battery/status/temperature/bms/1": as_told(truth["board"]),
        **{f"battery/status/temperature/pack/{n}": as_told(v) for n, v in enumerate(celsius, 1)},
    }


def all_below(prefix: str) -> Any:
    """Return a condition: all topics have come."""

    def have_come(messages: list[Message]) -> bool:
        return {prefix + topic for topic in (*TOPICS, TOGETHER)} <= {
            each.topic for each in messages
        }

    return have_come


def below(prefix: str, kept: dict[str, str]) -> dict[str, str]:
    return {t.removeprefix(prefix): value for t, value in kept.items() if t.startswith(prefix)}


async def test_who_has_no_password_is_kept_out(broker: Broker) -> None:
    assert broker.anonymous_is_refused()


async def test_every_topic_is_there_retained_and_as_on_the_line(
    exporter: Owner, broker: Broker
) -> None:
    bms = exporter.entry_id
    async with exporter.automation("mqtt_export", bms=bms, prefix="boat/aft", interval=10):
        await broker.listen(all_below("boat/aft/"), within=30)
        kept = await broker.kept()
    told = below("boat/aft/", kept)
    together = json.loads(told.pop(TOGETHER))
    print(
        f"\nMQTT topics published: {len(told)}, of those named: {len(told.keys() & TOPICS)}"
        f" of {len(TOPICS)}"
    )
    assert told.keys() == TOPICS
    assert len(kept) == len(TOPICS) + 1
    wanted = await on_the_line(exporter)
    assert {topic: float(value) for topic, value in told.items()} == wanted
    assert {f"battery/{name}": value for name, value in together.items()} == wanted
    assert 0 < wanted["battery/status/State_of_Charge"] < 1
    assert wanted["battery/cell/1/ohms"] < 0.001


async def test_a_broker_that_was_gone_gets_everything_again(
    exporter: Owner, broker: Broker
) -> None:
    # Without a prefix: the topics are those of the replaced toolset.
    async with exporter.automation("mqtt_export", bms=exporter.entry_id, interval=10):
        assert all_below("")(await broker.listen(all_below(""), within=30))
        broker.stop()
        await exporter.bms.command("current", amperes=-17)
        await exporter.shows("current", "-17.0")
        broker.start()
        try:
            assert await broker.kept() == {}
            await broker.listen(all_below(""), within=60)
            told = await broker.kept()
        finally:
            await exporter.bms.command("current", amperes=None)
    assert told.keys() == TOPICS | {TOGETHER}
    assert float(told["battery/status/Pack_Current"]) == -17
