"""A BMS behind a WiFi module, on virtual time and loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from custom_components.rec_bms.protocol.bms import Update
from custom_components.rec_bms.protocol.errors import (
    BmsError,
    ModuleError,
    NoModuleError,
    NoNameError,
    NotToldError,
    ReadOnlyWayError,
    WrongDeviceError,
)
from custom_components.rec_bms.protocol.wifi.bms import WifiBms
from custom_components.rec_bms.protocol.wifi.identify import Module, identify
from tools.simulator import BMS
from tools.simulator.wifi import WifiModule
from tools.testkit import web_servers

NAME = "1A-2261"


@pytest.fixture
async def session(virtual_time: None) -> AsyncIterator[aiohttp.ClientSession]:
    """The session that its owner hands in."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def module(virtual_time: None) -> AsyncIterator[WifiModule]:
    """A module that tells a status every 5 s and settings every 20 s."""
    bms = BMS(2, preset="lifepo4", cells=4, sensors=1, time_factor=0)
    async with WifiModule(bms, period=5, settings_period=20) as started:
        yield started


class Heard:
    """A BMS that is listened to, and what it told."""

    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        self.bms = WifiBms(session, host, NAME)
        self.news: list[tuple[float, Update | BmsError]] = []
        self.bms.subscribe(lambda news: self.news.append((now(), news)))

    @property
    def away(self) -> list[float]:
        """When the BMS was told to be away."""
        return [at for at, news in self.news if isinstance(news, BmsError)]

    @property
    def volts(self) -> float | None:
        """What was told last."""
        (*_, (_, last)) = self.news
        assert isinstance(last, Update)
        return last.state.voltage


def continuity(heard: Heard) -> list[bool]:
    """Return of each update whether the BMS was heard all the time since the one before."""
    return [news.continuous for _, news in heard.news if isinstance(news, Update)]


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def listening(session: aiohttp.ClientSession, module: WifiModule) -> AsyncIterator[Heard]:
    """Listen to a module that has told who it is."""
    heard = Heard(session, module.host)
    await heard.bms.open()
    await heard.bms.update(())
    heard.news.clear()
    yield heard
    await heard.bms.close()


async def test_a_status_is_held_until_the_name_is_known(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    heard = Heard(session, module.host)
    await heard.bms.open()
    await asyncio.sleep(19)
    assert heard.news == []
    await asyncio.sleep(2)
    assert heard.volts == pytest.approx(13.3, abs=0.3)
    await heard.bms.close()


async def test_another_name_tells_none_of_its_numbers(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        module.name = "1A-1"
        await module.drop()
        await asyncio.sleep(40)
        ((_, error),) = heard.news
        assert isinstance(error, WrongDeviceError)
        assert error.found == "1A-1"
        for again in (heard.bms.update(()), heard.bms.read("LCD1")):
            with pytest.raises(WrongDeviceError):
                await again
        assert module.clients == 0


async def test_back_before_30_s_it_was_never_away(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    module.settings_period = 5
    async with listening(session, module) as heard:
        await module.restart(12)
        await asyncio.sleep(60)
        assert heard.away == []
        assert module.clients == 1


async def test_broken_off_it_is_away_within_35_s(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        began = now()
        await module.sleep()
        await asyncio.sleep(36)
        assert 29 < heard.away[0] - began < 35


async def test_the_time_of_a_break_is_not_taken_for_time_in_which_it_was_heard(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    """Statuses that are held until the name is known do not join what was shown before."""
    async with listening(session, module) as heard:
        await asyncio.sleep(10)
        assert continuity(heard)[-1]
        await module.sleep()
        await asyncio.sleep(120)
        heard.news.clear()
        await module.wake()
        await asyncio.sleep(100)
        first, *rest = continuity(heard)
        assert not first
        assert len(rest) > 5
        assert all(rest)


async def test_without_a_status_it_is_away_after_90_s_though_settings_come(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        await module.push_status()
        began = now()
        module.silent = True
        for _ in range(12):
            await asyncio.sleep(10)
            await module.push_settings()
        assert heard.away[0] - began == pytest.approx(90, abs=0.1)
        assert module.connections == 2


async def test_pauses_grow_to_45_s_and_begin_anew_after_a_good_message(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module):
        tried: list[float] = []
        connect = session.ws_connect

        def noted(*arguments: object, **options: object) -> object:
            tried.append(now())
            return connect(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came

        session.ws_connect = noted  # type: ignore[method-assign,assignment]  # only watched
        await module.sleep()
        began = now()
        await asyncio.sleep(170)
        pauses = [after - before for before, after in pairwise([began, *tried])]
        assert [round(pause) for pause in pauses] == [5, 10, 20, 40, 45, 45]
        await module.wake()
        await asyncio.sleep(60)
        assert module.clients == 1
        await module.sleep()
        began = now()
        tried.clear()
        await asyncio.sleep(6)
        assert tried[0] - began == pytest.approx(5, abs=0.1)


async def test_what_is_no_message_is_dropped_and_counted(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        for noise in ("", "{", '{"type":"other"}', b"\x00\xff", "x" * 1_000_000):
            await module.push(noise)
        await module.push_status()
        await asyncio.sleep(0.1)
        (_, last) = heard.news[-1]
        assert isinstance(last, Update)
        assert last.line_errors == 5
        assert module.connections == 1


async def test_after_half_a_message_it_is_heard_again(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        await module.push_raw(b"\x81\x7e\x10\x00" + module.status().encode()[:200])
        await asyncio.sleep(150)
        heard.news.clear()
        await asyncio.sleep(6)
        assert heard.volts == pytest.approx(13.3, abs=0.3)
        assert module.clients == 1


async def test_settings_that_stop_are_told_no_more(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        module.settings_period = 1e9
        await asyncio.sleep(300)
        assert (await heard.bms.update(())).state.has("cmax")
        await asyncio.sleep(120)
        assert not (await heard.bms.update(())).state.has("cmax")


async def test_a_listener_that_raises_does_not_end_the_listening(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    module.settings_period = 5
    async with listening(session, module) as heard:
        stop = heard.bms.subscribe(lambda _: 1 // 0)
        await asyncio.sleep(6)
        stop()
        await asyncio.sleep(40)
        heard.news.clear()
        await asyncio.sleep(6)
        assert heard.news


@pytest.mark.parametrize("trouble", ["stalled", "half a frame", "asleep", "never opened"])
async def test_closing_cannot_hang(
    session: aiohttp.ClientSession, module: WifiModule, trouble: str
) -> None:
    heard = Heard(session, module.host)
    if trouble != "never opened":
        await heard.bms.open()
    match trouble:
        case "stalled":
            await module.stall()
        case "half a frame":
            await module.push_raw(b"\x81\x7e\x10\x00half")
        case "asleep":
            await module.sleep()
    await asyncio.sleep(1)
    began = now()
    await heard.bms.close()
    assert now() - began < 3
    assert not [task for task in asyncio.all_tasks() if "listen to" in task.get_name()]
    await module.resume()


@pytest.mark.long
async def test_nothing_is_sent_but_pings(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module):
        await asyncio.sleep(3600)
    await asyncio.sleep(1)
    assert module.received[0] == "GET /ws"
    assert module.received[-1].startswith("close")
    between = module.received[1:-1]
    assert {each.strip() for each in between} == {"ping"}
    assert len(between) == 80


async def test_it_is_read_only_and_says_what_is_not_told(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    async with listening(session, module) as heard:
        with pytest.raises(ReadOnlyWayError):
            await heard.bms.set("cmax", 3.6, hindrance=lambda: None)
        with pytest.raises(NotToldError):
            await heard.bms.read("REFC")
        assert await heard.bms.read("CMAX") == pytest.approx(module.bms.settings["CMAX"])


async def test_nobody_and_something_else_are_told_apart(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    assert await identify(session, module.host) == Module(module.host, NAME, (4,))
    module.missing = {"settings.bms_name"}
    with pytest.raises(NoNameError):
        await identify(session, module.host)
    await module.sleep()
    with pytest.raises(ModuleError):
        await identify(session, module.host)
    async with web_servers.saying_nothing() as host:
        with pytest.raises(ModuleError):
            await identify(session, host)
    for page in (web_servers.not_found, web_servers.same_page, web_servers.other_messages):
        async with web_servers.serving(page) as host:
            with pytest.raises(NoModuleError):
                await identify(session, host)


@pytest.mark.long
async def test_200_reconnects_leave_nothing_behind(
    session: aiohttp.ClientSession, module: WifiModule
) -> None:
    module.settings_period = 5
    async with listening(session, module) as heard:
        await module.drop()
        await asyncio.sleep(20)
        files, tasks = open_files(), len(asyncio.all_tasks())
        for _ in range(200):
            await module.drop()
            await asyncio.sleep(20)
            assert module.clients == 1
        assert module.connections == 202
        assert heard.away == []
        assert open_files() <= files
        assert len(asyncio.all_tasks()) == tasks
