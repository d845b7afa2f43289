"""The WiFi module, with a plain aiohttp client over loopback sockets, on virtual time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from tests.unit.protocol.on_virtual_time import virtual
from tools.simulator import BMS, WifiFaults, WifiModule, wifi, wifi_messages
from tools.simulator.table import BY_CODE
from tools.simulator.wifi_faults import ABOUT, TOO_LONG

STATUS = """{"type":"status","bms_array":{"master":{"time_remaining":"Full in:<br> 31h 00 min","st_naprav":1,"time":"","date":"28.09.2025","mincell":3.304808,"maxcell":3.319811,"ibat":7.456289,"tmax":22.5,"vbat":13.2439,"soc":0.285054,"soh":0.9963,"erro":{"present":0,"addr":0,"st":0,"con_st":0},"error":""},"slave":{"0":{"address":2,"st_temp":1,"temp_bms":28.66577,"st_celic":4,"temp":{"0":22.5},"res":{"0":0.00195,"1":0.003093,"2":0.002179,"3":0.001809},"nap":{"0":3.304808,"1":3.319811,"2":3.310808,"3":3.308474},"bal":{"0":true,"1":false,"2":false,"3":false}}}}}"""  # noqa: E501  (as captured)
SETTINGS = """{"type":"settings","cmin":3,"cmax":3.65,"tmax":55,"bvol":3.58,"bmin":3.45,"tbal":55,"tmin":-10,"capa":320,"char":3.58,"ioff":0,"chis":0.25,"razl":0.25,"maxh":0.25,"minh":0.1,"bmth":2,"ioja":0.019531,"soch":0.05,"op2l":3.55,"op2h":0.15,"re1h":0.15,"chac":0.5,"dchc":0.5,"maxc":150,"maxd":150,"clow":3.1,"socs":0.284956,"cycl":37,"cans":2,"chem":3,"strn":2,"re1t":1979711486,"op2t":380239933,"re1v":3.30481,"op2v":3.31648,"cfvc":0.1,"rsbr":2,"err":{"p":0,"num":0},"nnc":{"bms":2,"cell":1},"vnc":{"bms":2,"cell":2},"toor":{"bms":2,"cell":1},"baud":{"lcd":56000,"com":115200},"mcu_date":"28.09.2025","bms_name":"1A-2261","addr":64,"tunit":0,"Ah":227,"cur":7.20264,"new_log_every_midnight":true,"out":false}"""  # noqa: E501  (as captured)
CAPTURED_ON = datetime(2025, 9, 28, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _on_the_day_of_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wifi, "_now", lambda: CAPTURED_ON)


def bms_of_the_capture(**options: Any) -> BMS:
    """Return a BMS in the state of the captured one, whose time stands still."""
    told = json.loads(SETTINGS)
    settings = {code: told[code.lower()] for code in BY_CODE if code.lower() in told}
    given = {"preset": "lifepo4", "sensors": 1, "settings": {"SISN": 2, **settings}}
    bms = BMS(2, **{**given, "time_factor": 0, **options})
    bms.set_current(7.456289)
    bms.charge, bms.consumed = 0.285054, 227.0
    bms.battery.board_temperature = 28.66577
    first = bms.battery.units[0]
    first.temperature = 22.5
    unit = json.loads(STATUS)["bms_array"]["slave"]["0"]
    for index, cell in enumerate(first.cells):
        cell.resistance = unit["res"][str(index)]
        cell.offset += unit["nap"][str(index)] - cell.voltage(bms.battery.current)
        cell.bleed = float(unit["bal"][str(index)])
    return bms


def shape(value: Any) -> Any:
    """Return what a message is made of: keys in their order, and the kind of each value."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, (int, float)) else type(value)


@dataclass
class Browser:
    """A client of a module's pages and messages."""

    http: aiohttp.ClientSession
    host: str

    async def websocket(self) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(f"ws://{self.host}/ws", autoping=False)


@asynccontextmanager
async def browsing(module: WifiModule) -> AsyncIterator[Browser]:
    async with module, aiohttp.ClientSession() as http:
        yield Browser(http, module.host)


@asynccontextmanager
async def connected(
    **options: Any,
) -> AsyncIterator[tuple[WifiModule, aiohttp.ClientWebSocketResponse]]:
    """Yield a module, silent unless told, and a WebSocket that is connected to it."""
    module = WifiModule(bms_of_the_capture(), **{"silent": True, **options})
    async with browsing(module) as browser:
        client = await browser.websocket()
        yield module, client
        await client.close()


async def heard(client: aiohttp.ClientWebSocketResponse, within: float = 1.0) -> list[Any]:
    """Return the content of all frames that come within so many s."""
    content = []
    try:
        async with asyncio.timeout(within):
            while (frame := await client.receive()).type not in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
                aiohttp.WSMsgType.CLOSING,
            ):
                content.append(frame.data)
    except TimeoutError:
        pass
    return content


# -- what it says --------------------------------------------------------------------------------


def test_messages_of_the_captured_bms_are_the_captured_ones() -> None:
    bms = bms_of_the_capture()
    status = wifi_messages.status_message(bms, CAPTURED_ON)
    settings = wifi_messages.settings_message(bms, CAPTURED_ON, "1A-2261")
    # Rounded to the hour, and looked at a little later than the others.
    status["bms_array"]["master"]["time_remaining"] = "Full in:<br> 31h 00 min"
    settings["cur"], settings["op2v"] = 7.20264, 3.31648
    assert wifi_messages.written(status) == STATUS
    assert wifi_messages.written(settings) == SETTINGS


@virtual
async def test_what_is_pushed_is_made_as_the_capture() -> None:
    async with connected() as (module, client):
        await module.push_status()
        await module.push_settings()
        status, settings = await heard(client)
    assert status == module.status()
    assert settings == module.settings()
    assert shape(json.loads(status)) == shape(json.loads(STATUS))
    assert shape(json.loads(settings)) == shape(json.loads(SETTINGS))
    assert json.loads(settings)["mcu_date"] == "28.09.2025"


def test_units_are_slaves_with_addresses_of_their_own() -> None:
    bms = bms_of_the_capture(units=3, cells=[4, 3, 5], sensors=2)
    array = json.loads(WifiModule(bms).status())["bms_array"]
    assert array["master"]["st_naprav"] == 3
    assert list(array["slave"]) == ["0", "1", "2"]
    assert [unit["address"] for unit in array["slave"].values()] == [1, 2, 3]
    assert [unit["st_celic"] for unit in array["slave"].values()] == [4, 3, 5]
    assert [list(unit["nap"]) for unit in array["slave"].values()][1] == ["0", "1", "2"]
    assert [unit["st_temp"] for unit in array["slave"].values()] == [2, 2, 2]


def test_it_tells_the_numbers_that_the_bms_answers_over_its_line() -> None:
    module = WifiModule(bms_of_the_capture())
    module.bms.set_value("CMAX", 3.6)
    module.bms.set_current(-40)
    module.bms.raise_error(9, 1, 3)
    master = json.loads(module.status())["bms_array"]["master"]
    assert master["ibat"] == pytest.approx(-40)
    assert master["erro"] == {"present": 1, "addr": 2, "st": 9, "con_st": 0}
    assert master["error"]
    assert master["time_remaining"].startswith("Empty in:")
    settings = json.loads(module.settings())
    assert settings["cmax"] == 3.6
    assert settings["err"] == {"p": 1, "num": 9}


def test_an_idle_battery_is_neither_full_nor_empty_soon() -> None:
    module = WifiModule(bms_of_the_capture())
    module.bms.set_current(0)
    assert json.loads(module.status())["bms_array"]["master"]["time_remaining"] == ""


def test_charge_and_health_can_be_percent() -> None:
    module = WifiModule(bms_of_the_capture(), percent=True)
    master = json.loads(module.status())["bms_array"]["master"]
    assert (master["soc"], master["soh"]) == (28.5054, 99.63)


def test_keys_can_be_missing() -> None:
    missing = ["bal", "master.soc", "slave.0.nap.2", "settings.capa", "settings.nnc.cell"]
    module = WifiModule(bms_of_the_capture(units=2), missing=missing)
    array = json.loads(module.status())["bms_array"]
    assert not any("bal" in unit for unit in array["slave"].values())
    assert "soc" not in array["master"]
    assert list(array["slave"]["0"]["nap"]) == ["0", "1", "3"]
    assert list(array["slave"]["1"]["nap"]) == ["0", "1", "2", "3"]
    settings = json.loads(module.settings())
    assert "capa" not in settings
    assert settings["nnc"] == {"bms": 1}
    assert "cmax" in settings


@pytest.mark.parametrize(
    "key", ["balance", "capa", "settings", "settings.CAPA", "slave.1.nap", "master.soc.x"]
)
def test_a_missing_key_that_is_never_there_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(key))):
        WifiModule(bms_of_the_capture(), missing=[key])


@virtual
async def test_cell_answers_with_the_same_numbers() -> None:
    module = WifiModule(bms_of_the_capture(), missing=["bal"])
    async with browsing(module) as browser:
        async with browser.http.get(f"http://{browser.host}/cell") as response:
            assert await response.json() == {
                "bms_array": json.loads(module.status())["bms_array"],
            }
        async with browser.http.get(f"http://{browser.host}/") as response:
            assert response.content_type == "text/html"
        async with browser.http.get(f"http://{browser.host}/other") as response:
            assert response.status == 404
    assert module.received == ["GET /cell", "GET /", "GET /other"]


# -- when it says it -----------------------------------------------------------------------------


@virtual
async def test_it_pushes_by_itself_at_its_periods() -> None:
    loop = asyncio.get_running_loop()
    async with connected(silent=False, period=7, settings_period=20) as (_, client):
        began = loop.time()
        times = []
        for _ in range(4):
            kind = json.loads((await client.receive()).data)["type"]
            times.append((kind, round(loop.time() - began)))
    assert times == [("status", 7), ("status", 14), ("settings", 20), ("status", 21)]


@virtual
async def test_a_silent_module_pushes_only_when_told() -> None:
    async with connected() as (module, client):
        assert await heard(client, 600) == []
        await module.push("anything")
        await module.push(b"\x00\x01")
        assert await heard(client) == ["anything", b"\x00\x01"]


@virtual
async def test_raw_bytes_break_the_websocket() -> None:
    async with connected() as (module, client):
        half = module.status().encode()[:100]
        await module.push_raw(bytes([0x01, len(half)]) + half)
        assert await heard(client) == []
        await module.push_raw(b"\xff\xff")
        assert (await client.receive()).type is aiohttp.WSMsgType.ERROR


@virtual
async def test_all_clients_are_told_the_same() -> None:
    module = WifiModule(bms_of_the_capture(), silent=True)
    async with browsing(module) as browser:
        clients = [await browser.websocket() for _ in range(3)]
        assert (module.clients, module.connections) == (3, 3)
        await module.push_status()
        assert [await heard(client) for client in clients] == [[module.status()]] * 3
        await clients[0].close()
        await asyncio.sleep(0.1)
        assert (module.clients, module.connections) == (2, 3)


# -- what it hears -------------------------------------------------------------------------------


@virtual
async def test_pings_are_answered_and_everything_is_noted() -> None:
    async with connected() as (module, client):
        await client.ping(b"there?")
        frame = await client.receive()
        assert (frame.type, frame.data) == (aiohttp.WSMsgType.PONG, b"there?")
        await client.send_str("set")
        await client.send_bytes(b"\x01")
        await client.pong()
        await client.close()
        assert client.close_code == 1000
    assert module.received == [*("GET /ws", "ping", "text set", "binary b'\\x01'", "pong", "close")]


@virtual
async def test_what_is_posted_is_refused_and_noted() -> None:
    module = WifiModule(bms_of_the_capture())
    async with browsing(module) as browser:
        url = f"http://{browser.host}/settings?cmax=4"
        async with browser.http.post(url, data={"cmax": "4"}) as response:
            assert response.status == 405
    assert module.received == ["POST /settings?cmax=4"]


# -- going away ----------------------------------------------------------------------------------


@virtual
async def test_asleep_it_refuses_and_awake_it_is_at_the_same_port() -> None:
    module = WifiModule(bms_of_the_capture(), silent=True)
    async with browsing(module) as browser:
        client = await browser.websocket()
        await module.sleep()
        assert module.clients == 0
        assert (await client.receive()).type is aiohttp.WSMsgType.CLOSED
        await module.sleep()
        with pytest.raises(aiohttp.ClientConnectorError):
            await browser.websocket()
        await module.wake()
        await module.wake()
        client = await browser.websocket()
        await module.push("back")
        assert await heard(client) == ["back"]
        await client.close()


@virtual
async def test_a_restart_takes_its_time() -> None:
    module = WifiModule(bms_of_the_capture())
    async with browsing(module) as browser:
        await module.restart(30)
        await asyncio.sleep(29)
        with pytest.raises(aiohttp.ClientConnectorError):
            await browser.websocket()
        await asyncio.sleep(2)
        client = await browser.websocket()
        await client.close()
        await module.restart(30)


@virtual
async def test_a_dropped_connection_ends_without_a_word_and_a_new_one_is_served() -> None:
    module = WifiModule(bms_of_the_capture())
    async with browsing(module) as browser:
        client = await browser.websocket()
        await module.drop()
        assert module.clients == 0
        assert (await client.receive()).type is aiohttp.WSMsgType.CLOSED
        assert client.close_code == 1006
        client = await browser.websocket()
        assert (module.clients, module.connections) == (1, 2)
        await client.close()


@virtual
async def test_a_module_that_hangs_keeps_its_connections_and_says_nothing() -> None:
    async with connected(silent=False) as (module, client):
        await module.stall()
        await client.ping()
        assert await heard(client, 600) == []
        assert module.received == ["GET /ws", "ping"]
        assert module.clients == 1
        await module.resume()
        assert module.status() in await heard(client, 6)


@virtual
async def test_a_module_that_hangs_can_be_left_and_closed() -> None:
    module = WifiModule(bms_of_the_capture())
    async with browsing(module) as browser:
        client = await browser.websocket()
        await module.stall()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(browser.websocket(), 10)
        await client.close()
        await asyncio.sleep(0.1)
        assert module.clients == 0
        assert module.received == ["GET /ws", "GET /ws", "close"]


@virtual
async def test_a_port_that_is_taken_is_an_error() -> None:
    async with WifiModule(bms_of_the_capture()) as module:
        with pytest.raises(OSError, match="in use"):
            await WifiModule(bms_of_the_capture(), port=module.port).start()


# -- faults --------------------------------------------------------------------------------------


async def struck(fault: str, count: int = 1) -> tuple[list[Any], WifiModule]:
    """Return what a client hears when a fault strikes status messages."""
    async with connected(faults=WifiFaults(seed=3)) as (module, client):
        module.faults.next(fault, count)
        for _ in range(count):
            await module.push_status()
        content = await heard(client)
        assert module.faults.counts == {fault: count}
        return content, module


def values(message: Any) -> list[Any]:
    """Return all values in a message that are no objects."""
    if isinstance(message, dict):
        return [value for inner in message.values() for value in values(inner)]
    return [message]


@virtual
async def test_a_lost_message_does_not_come() -> None:
    content, _ = await struck("lost", 2)
    assert content == []


@virtual
async def test_a_doubled_message_comes_twice() -> None:
    content, module = await struck("doubled")
    assert content == [module.status()] * 2


@virtual
async def test_a_truncated_message_is_no_json() -> None:
    content, module = await struck("truncated", 5)
    for text in content:
        assert module.status().startswith(text)
        with pytest.raises(ValueError, match=r"\w"):
            json.loads(text)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("nulls", lambda value: value is None), ("strings", lambda value: isinstance(value, str))],
)
@virtual
async def test_some_values_are_of_another_kind(fault: str, kind: Any) -> None:
    content, module = await struck(fault, 5)
    before = sum(map(kind, values(json.loads(module.status()))))
    assert len(content) == 5
    for text in content:
        assert sum(map(kind, values(json.loads(text)))) > before


@virtual
async def test_some_keys_are_missing() -> None:
    content, module = await struck("missing_keys", 5)
    for text in content:
        assert len(text) < len(module.status())
        json.loads(text)


@virtual
async def test_some_numbers_cannot_be() -> None:
    content, module = await struck("impossible", 20)
    everything = "".join(content)
    for text in ("1e999", "-1e999", "9999999", "-9999999", '"NaN"'):
        assert f":{text}" in everything
    assert all(text != module.status() for text in content)


@virtual
async def test_some_integers_are_absurdly_long() -> None:
    content, _ = await struck("long_integers", 20)
    lengths = {len(digits) for text in content for digits in re.findall(r"\d{15,}", text)}
    assert lengths == {20, 400, 5000}


@virtual
async def test_noise_comes_as_a_binary_frame() -> None:
    content, _ = await struck("binary", 3)
    assert [type(one) for one in content] == [bytes] * 3


@virtual
async def test_a_message_that_is_too_long_is_still_json() -> None:
    (text,), _ = await struck("too_long")
    assert len(text) > TOO_LONG
    assert json.loads(text)["type"] == "status"


@virtual
async def test_a_broken_frame_ends_the_websocket() -> None:
    async with connected() as (module, client):
        module.faults.next("broken_frame")
        await module.push_status()
        assert (await client.receive()).type is aiohttp.WSMsgType.ERROR


@virtual
async def test_a_connection_that_is_lost_ends_without_a_word() -> None:
    async with connected() as (module, client):
        module.faults.next("connection_lost")
        await module.push_status()
        assert (await client.receive()).type is aiohttp.WSMsgType.CLOSED
        assert client.close_code == 1006


@virtual
async def test_a_stall_ends_by_itself() -> None:
    faults = WifiFaults(stall=(40, 50))
    async with connected(silent=False, faults=faults) as (module, client):
        faults.next("stall")
        assert await heard(client, 44) == []
        assert len(await heard(client, 20)) > 1
        assert module.faults.counts == {"stall": 1}


def test_every_fault_strikes_its_share_and_the_same_way_with_the_same_seed() -> None:
    shares = dict.fromkeys(ABOUT, 0.05)
    drawn = []
    for _ in range(2):
        faults = WifiFaults(shares, seed=5)
        drawn.append([faults.draw() for _ in range(4000)])
    assert drawn[0] == drawn[1]
    for name in ABOUT:
        assert faults.counts[name] == pytest.approx(200, rel=0.25)
    faults.next("lost")
    faults.clear()
    assert faults.draw() is None


@pytest.mark.parametrize("shares", [{"lost": 1.1}, {"lost": 0.6, "binary": 0.6}, {"late": 0.1}])
def test_shares_that_make_no_sense_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"share|fault"):
        WifiFaults(shares)


@pytest.mark.long
@virtual
async def test_the_module_outlives_all_faults_at_once() -> None:
    faults = WifiFaults(dict.fromkeys(ABOUT, 1 / 14), seed=2)
    module = WifiModule(bms_of_the_capture(), period=1, settings_period=5, faults=faults)
    async with browsing(module) as browser:
        client = await browser.websocket()
        for _ in range(200):
            await heard(client, 5)
            if client.closed:
                client = await browser.websocket()
        faults.clear()
        await module.resume()
        client = await browser.websocket()
        assert json.loads((await client.receive()).data)["type"] == "status"
    assert set(faults.counts) == set(ABOUT)
