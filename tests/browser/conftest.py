"""A real browser at a real Home Assistant, with batteries that tests bring along."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.browser.home import Battery, Home, until
from tests.browser.screen import FIND_ALL, Browser, Look, Screen
from tools.testkit.flow import add_integration
from tools.testkit.home_assistant import running_home_assistant
from tools.testkit.ports import reserved_port
from tools.testkit.simulated import running_simulator

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Time stands and nothing flickers, so that what is shown can be compared with what is.
STILL = ("--scenario", "rest", "--speed-up", "0", "--no-noise", "--sensors", "2")

TABLET = Look(1280, 900)
PHONE = Look(360, 740, dark=True)

FIGURE = "figure"
IMPATIENT = Path(__file__).with_name("impatient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all in the loop in which Home Assistant's process is looked after."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, in whichever process that was."""
    for report in terminalreporter.getreports(""):
        for name, figure in getattr(report, "user_properties", ()):
            if name == FIGURE and report.when == "teardown":
                terminalreporter.write_line(f"figure: {figure}")


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What a test measures goes in here and is printed at the end."""
    measured: list[str] = []
    yield measured
    request.node.user_properties += [(FIGURE, each) for each in measured]


@pytest.fixture(scope="session")
def http_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(http_port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """A Home Assistant without a battery."""
    folder = tmp_path_factory.mktemp("browser")
    components = folder / "config" / "custom_components"
    components.mkdir(parents=True)
    (components / IMPATIENT.name).symlink_to(IMPATIENT)
    async with running_home_assistant(
        folder / "config", http_port, configuration=f"{IMPATIENT.name}:\n"
    ) as running:
        yield Home(running, folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser that keeps what it has fetched and compiled from one page to the next."""
    if CHROMIUM is None:
        how = "no Chromium here: apt-get install chromium, or set CHROMIUM to its path"
        if os.environ.get("CI"):
            pytest.fail(how)
        pytest.skip(how)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            service_workers="block",
        )
        await context.add_init_script(FIND_ALL)
        yield Browser(context)
        await context.close()


@asynccontextmanager
async def installed(
    home: Home, *simulators: tuple[str, ...], polled_often: bool = True
) -> AsyncIterator[list[Battery]]:
    """Bring batteries and the dashboard into the home, and take them out again.

    To be polled often, a battery is read twice from the beginning, which takes ten seconds where it
    has hundreds of cells.
    """
    async with AsyncExitStack() as stack:
        batteries = []
        for options in simulators:
            folder = home.new_folder()
            bms = await stack.enter_async_context(running_simulator(folder, *options))
            added = await add_integration(home.client, bms.port, allow_changes=True)
            stack.push_async_callback(home.remove, added.entry_id)
            battery = Battery(home, bms, added.entry_id, added.title)
            if polled_often:
                await battery.poll_often()
            await until(battery.is_there, 30)
            batteries.append(battery)
        await home.add_dashboard()
        yield batteries


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def battery(home: Home) -> AsyncIterator[Battery]:
    """A battery of 14 cells, and the dashboard."""
    async with installed(home, STILL) as (battery,):
        yield battery


@pytest_asyncio.fixture(loop_scope="session")
async def screen(home: Home, browser: Browser) -> AsyncIterator[Screen]:
    """A wall tablet. Fails when anything on its page goes wrong."""
    await browser.rest()
    async with Screen.opened(home, browser, TABLET) as screen:
        yield screen


@pytest_asyncio.fixture(loop_scope="session")
async def phone(home: Home, browser: Browser) -> AsyncIterator[Screen]:
    """A phone in the dark."""
    await browser.rest()
    async with Screen.opened(home, browser, PHONE) as screen:
        yield screen


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _tablet(home: Home, browser: Browser) -> AsyncIterator[Screen]:
    async with browser.lasting(home, TABLET) as screen:
        yield screen


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _mobile(home: Home, browser: Browser) -> AsyncIterator[Screen]:
    async with browser.lasting(home, PHONE) as screen:
        yield screen


@pytest.fixture
def tablet(_tablet: Screen) -> Iterator[Screen]:
    """A wall tablet that may have been on before the test: for tests that only look at it."""
    with _tablet.listening() as screen:
        yield screen


@pytest.fixture
def mobile(_mobile: Screen) -> Iterator[Screen]:
    """A phone in the dark that may have been."""
    with _mobile.listening() as screen:
        yield screen
