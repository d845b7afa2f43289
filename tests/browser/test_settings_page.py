"""Settings that are staged, reviewed, applied, kept and put back on the dashboard."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import TABLET
from tests.browser.home import OPTIONS, Battery, Home, until
from tests.browser.screen import Browser, Screen
from tests.browser.settings_page import (
    SETTINGS_CARD,
    SettingsPage,
    change_elsewhere,
    in_the_bms,
    is_polled,
    sets_heard,
)
from tools.testkit.api import ApiError

FIRST = "As it was at first"
AWAY_WITHIN = 40_000


@dataclass
class AtFirst:
    """The settings before any test: as the BMS has them, and the codes of what a backup keeps."""

    settings: dict[str, float]
    kept: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_first(battery: Battery) -> AtFirst:
    """Keep the settings as they are at first."""
    backup = await battery.home.client.act(
        "rec_bms.backup_settings", respond=True, config_entry_id=battery.entry_id, name=FIRST
    )
    return AtFirst(await in_the_bms(battery), list(backup["values"]))


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def as_it_was(battery: Battery, at_first: AtFirst) -> AsyncIterator[None]:
    """Leave the BMS as the next test expects it."""
    yield
    await battery.bms.command("silent", value=False)
    await until(lambda: is_back(battery, at_first), 60)


async def is_back(battery: Battery, at_first: AtFirst) -> bool:
    """Put back the settings where one differs; tell whether the BMS is there and has them."""
    if await in_the_bms(battery) == at_first.settings:
        return await battery.is_there()
    with suppress(ApiError):
        await battery.home.client.act(
            "rec_bms.restore_settings",
            config_entry_id=battery.entry_id,
            backup=FIRST,
            only=at_first.kept,
        )
        return True
    return False


async def test_nothing_is_sent_by_leaving_a_field(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    before = await in_the_bms(battery)
    await battery.bms.command("clear_log")
    await page.stage(bvol="4.1")
    await page.field("canf").select_option(index=1)
    await page.field("bvol").press("Enter")
    await expect(page.bar).to_contain_text("Staged changes: 2. They are sent only when")
    await is_polled(battery, 2)
    assert await in_the_bms(battery) == before
    assert await sets_heard(battery) == []


async def test_an_edit_is_reviewed_confirmed_once_set_and_verified(
    battery: Battery, screen: Screen, figures: list[str]
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    started = time.monotonic()
    await page.review()
    await expect(page.heading).to_be_focused()
    await expect(page.panel.locator('[data-step="bvol"]')).to_contain_text("4.08 V → 4.1 V")
    await page.apply()
    await page.ends("All changes are set and verified")
    await page.status("bvol", "done")
    figures.append(
        f"from an edited field to a verified value: {screen.clicks} clicks, "
        f"{time.monotonic() - started:.1f} s"
    )
    await expect(page.present("bvol")).to_have_text("4.1 V")
    await expect(page.field("bvol")).to_have_value("")
    await expect(page.bar).to_have_count(0)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.1)


async def test_no_confirmation_no_change(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    await battery.bms.command("clear_log")
    await page.stage(bvol="4.1")
    await page.review()
    await page.button("Apply").click()
    await expect(page.dialog).to_contain_text("can damage equipment and cause fire")
    await expect(page.dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.page.keyboard.press("Escape")
    await expect(page.dialog).to_be_hidden()
    await page.button("Apply").click()
    await page.dialog.get_by_role("button", name="Cancel").click()
    await page.button("Back to editing").click()
    await expect(page.field("bvol")).to_be_focused()
    await expect(page.field("bvol")).to_have_value("4.1")
    await page.button("Discard").click()
    await expect(page.field("bvol")).to_have_value("")
    assert await sets_heard(battery) == []


async def test_limits_are_sent_in_an_order_in_which_they_fit(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await battery.bms.command("clear_log")
    await page.stage(bmin="4.2", bvol="4.22", cmax="4.25")
    await page.review()
    assert await page.steps() == ["cmax", "bvol", "bmin"]
    await page.apply()
    await page.ends("All changes are set and verified")
    assert await sets_heard(battery) == ["CMAX", "BVOL", "BMIN"]


async def test_what_does_not_fit_together_is_named_and_nothing_is_sent(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await battery.bms.command("clear_log")
    await page.stage(bmin="4.15")
    await page.review()
    await expect(page.panel).to_contain_text("cannot be set together")
    await expect(page.panel.locator("[data-problem]")).to_have_count(1)
    await expect(page.complaint("bmin")).to_be_visible()
    await expect(page.field("bmin")).to_have_attribute("aria-invalid", "true")
    await expect(page.button("Apply")).to_have_count(0)
    await page.button("Back to editing").click()
    await page.stage(bmin="4")
    await expect(page.complaint("bmin")).to_have_count(0)
    assert await sets_heard(battery) == []


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("abc", "not a plain number"),
        ("4.1.2", "not a plain number"),
        ("4,100", "not a plain number"),
        ("4.1e0", "not a plain number"),
        ("9", "outside the range"),
        ("-1", "outside the range"),
    ],
)
async def test_what_cannot_be_a_value_is_marked_in_its_place(
    battery: Battery, screen: Screen, typed: str, complaint: str
) -> None:
    page = await SettingsPage.opened(screen)
    await page.field("cmax").fill(typed)
    await expect(page.complaint("cmax")).to_have_count(0)
    await page.field("cmax").blur()
    await expect(page.complaint("cmax")).to_contain_text(complaint)
    await page.button("Review").click()
    await expect(page.field("cmax")).to_be_focused()
    await expect(page.panel).to_have_count(0)
    await page.row("cmax").get_by_role("button", name="leave it as it is").click()
    await expect(page.field("cmax")).to_be_focused()
    await expect(page.field("cmax")).to_have_value("")
    await expect(page.bar).to_have_count(0)


async def test_what_is_staged_outlives_news_from_the_bms_and_other_pages(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    await page.field("cmax").focus()
    await page.page.keyboard.type("4.")
    await change_elsewhere(battery, "TMIN", 1)
    await expect(page.present("tmin")).to_have_text("1.0 °C")
    await expect(page.field("cmax")).to_be_focused()
    await page.page.keyboard.type("2")
    await expect(page.field("cmax")).to_have_value("4.2")
    await page.page.get_by_role("tab").first.click()
    await expect(page.card).to_have_count(0)
    await page.page.get_by_role("tab").last.click()
    await expect(page.field("cmax")).to_have_value("4.2")
    await expect(page.field("bvol")).to_have_value("4.1")
    await expect(page.bar).to_contain_text("Staged changes: 2")


async def made_anew(battery: Battery, page: SettingsPage) -> None:
    """Have Home Assistant make the page anew."""
    card = await page.card.element_handle()
    assert card is not None
    await battery.call_it("Another")
    await card.wait_for_element_state("hidden")


async def test_who_types_goes_on_where_a_page_is_made_anew(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.field("cmax").fill("4.2")
    await page.page.keyboard.press("ArrowLeft")
    await made_anew(battery, page)
    await expect(page.field("cmax")).to_be_focused()
    await page.page.keyboard.type("1")
    await expect(page.field("cmax")).to_have_value("4.12")
    await battery.call_it(battery.title)


async def test_the_name_of_a_backup_goes_on_where_a_page_is_made_anew(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    name = page.card.locator("#backup-name")
    await name.fill("Before the")
    await made_anew(battery, page)
    await expect(name).to_be_focused()
    await page.page.keyboard.type(" winter")
    await page.button("Back up").click()
    await expect(page.card.locator(".news")).to_contain_text("kept as “Before the winter”")
    await expect(name).to_have_value("")
    await battery.call_it(battery.title)


async def test_a_question_is_asked_on_where_a_page_is_made_anew(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await battery.bms.command("clear_log")
    await page.stage(bvol="4.1")
    await page.review()
    await page.button("Apply").click()
    await expect(page.dialog).to_be_visible()
    await made_anew(battery, page)
    await expect(page.dialog).to_contain_text("4.1")
    assert await sets_heard(battery) == []
    await page.confirm("Change now")
    await page.ends("All changes are set and verified")
    assert await sets_heard(battery) == ["BVOL"]
    await battery.call_it(battery.title)


async def test_a_page_that_one_comes_back_to_has_the_focus_nowhere(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.field("cmax").focus()
    await page.page.get_by_role("tab").first.click()
    await expect(page.card).to_have_count(0)
    await page.page.get_by_role("tab").last.click()
    await expect(page.field("cmax")).to_be_enabled()
    await expect(page.field("cmax")).not_to_be_focused()


async def test_a_review_of_what_was_typed_before_is_not_taken_for_the_present_one(
    battery: Battery, screen: Screen
) -> None:
    go_on = asyncio.Event()

    async def hold() -> None:
        await go_on.wait()

    await before_message(screen, lambda message: "rec_bms/review" in message, hold)
    page = await SettingsPage.opened(screen)
    for value in ("4.1", "4.12"):
        await page.stage(bvol=value)
        await page.button("Review").click()
        await expect(page.heading).to_have_text("Reviewing…")
    go_on.set()
    await expect(page.panel.locator('[data-step="bvol"]')).to_contain_text("4.08 V → 4.12 V")


async def test_a_change_by_another_program_is_shown_and_reviewed_anew(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    await page.review()
    await change_elsewhere(battery, "BVOL", 4.06)
    await expect(page.panel).to_contain_text("The BMS has changed since the review")
    await expect(page.panel).to_contain_text("4.08 V → 4.06 V")
    await expect(page.button("Apply")).to_have_count(0)
    await expect(page.row("bvol")).to_contain_text("it was 4.08 V when you edited it")
    await page.button("Review again").click()
    await expect(page.panel.locator('[data-step="bvol"]')).to_contain_text("4.06 V → 4.1 V")
    await page.apply()
    await page.ends("All changes are set and verified")


async def test_a_change_by_another_program_before_the_last_word_stops_all(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    await page.review()
    await page.button("Apply").click()
    await change_elsewhere(battery, "BVOL", 4.06)
    await battery.bms.command("clear_log")
    await page.confirm("Change now")
    await page.ends("Stopped: the BMS has changed meanwhile")
    assert await sets_heard(battery) == []
    await page.button("Close").click()
    await expect(page.field("bvol")).to_have_value("4.1")


async def test_a_change_by_another_program_between_two_sets_stops_the_rest(
    battery: Battery, screen: Screen
) -> None:
    def is_second_look(message: str) -> bool:
        return "rec_bms/review" in message and '"bvol"' not in message

    await before_message(screen, is_second_look, lambda: change_elsewhere(battery, "CMAX", 4.19))
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1", cmax="4.25")
    await page.review()
    assert await page.steps() == ["bvol", "cmax"]
    await page.apply()
    await page.ends("Stopped: the BMS has changed meanwhile")
    await page.status("bvol", "done")
    await page.status("cmax", "waiting")
    await expect(page.field("cmax")).to_have_value("4.25")
    await expect(page.present("cmax")).to_have_text("4.19 V")
    assert (await in_the_bms(battery))["CMAX"] == pytest.approx(4.19)


async def test_a_bms_that_is_pulled_between_two_sets_leaves_the_rest_staged(
    battery: Battery, screen: Screen
) -> None:
    cmax = await battery.entity_id("cmax")

    def sets_cmax(message: str) -> bool:
        return "set_value" in message and cmax in message

    async def pull() -> None:
        await battery.bms.command("silent", value=True)

    await before_message(screen, sets_cmax, pull)
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1", cmax="4.25", clow="3.5")
    await page.review()
    steps = await page.steps()
    assert steps.index("bvol") < steps.index("cmax") < steps.index("clow")
    await page.apply()
    await page.status("bvol", "done")
    await page.status("cmax", "failed")
    await page.status("clow", "waiting")
    await page.ends("A change failed")
    await expect(page.complaint("cmax")).to_be_visible()
    await expect(page.field("bvol")).to_have_value("")
    await expect(page.field("cmax")).to_have_value("4.25")
    await expect(page.field("clow")).to_have_value("3.5")
    await expect(page.reason).to_contain_text("does not answer", timeout=AWAY_WITHIN)
    await expect(page.field("cmax")).to_be_disabled()
    await battery.bms.command("silent", value=False)
    await expect(page.field("cmax")).to_be_enabled(timeout=AWAY_WITHIN)
    settings = await in_the_bms(battery)
    assert settings["BVOL"] == pytest.approx(4.1)
    assert settings["CMAX"] == pytest.approx(4.18)
    assert settings["CLOW"] == pytest.approx(3.4)


async def test_a_value_that_the_bms_refuses_says_why(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    await page.review()
    await battery.bms.command("fault", name="set_refused", instruction="BVOL")
    await page.apply()
    await page.ends("A change failed")
    await expect(page.panel).to_contain_text("The BMS refused")
    await expect(page.complaint("bvol")).to_contain_text("The BMS refused")
    assert await screen.violations(SETTINGS_CARD) == []
    await expect(page.present("bvol")).to_have_text("4.08 V")
    await page.button("Close").click()
    await expect(page.field("bvol")).to_be_focused()
    await page.review()
    await page.apply()
    await page.ends("All changes are set and verified")


async def test_changes_that_are_not_allowed_say_where_to_allow_them(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    try:
        await allow_changes(battery, allowed=False)
        await expect(page.reason).to_contain_text("Changes are switched off", timeout=AWAY_WITHIN)
        await expect(page.reason).to_contain_text("Settings → Devices & services → REC BMS")
        await expect(page.field("bvol")).to_be_disabled()
        await expect(page.field("chem")).to_be_disabled()
        await expect(page.field("bvol")).to_have_value("4.1")
        await expect(page.button("Review")).to_be_disabled()
        link = page.reason.get_by_role("link")
        await expect(link).to_have_attribute("href", "/config/integrations/integration/rec_bms")
        assert await screen.violations(SETTINGS_CARD) == []
    finally:
        await allow_changes(battery, allowed=True)
    await expect(page.field("bvol")).to_be_enabled(timeout=AWAY_WITHIN)
    await expect(page.reason).to_have_count(0)


async def test_who_is_no_administrator_sees_and_cannot_change(
    battery: Battery, browser: Browser
) -> None:
    async with guest_screen(battery.home, browser) as screen:
        page = SettingsPage(screen)
        await screen.open("settings")
        await expect(page.reason).to_contain_text("Only administrators can change settings")
        await expect(page.present("bvol")).to_have_text("4.08 V")
        await expect(page.field("bvol")).to_be_disabled()
        await expect(page.button("Review")).to_have_count(0)
        await expect(page.card.locator("#history-title")).to_be_visible()
        assert await screen.violations(SETTINGS_CARD) == []


async def test_a_lost_connection_keeps_what_is_typed(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(bvol="4.1")
    await page.page.evaluate(
        """selector => { const card = findAll(selector)[0];
            card.hass = { ...card.hass, connected: false }; }""",
        SETTINGS_CARD,
    )
    await expect(page.reason).to_contain_text("No connection to Home Assistant")
    await expect(page.field("bvol")).to_be_disabled()
    await expect(page.field("bvol")).to_have_value("4.1")


async def test_fahrenheit_is_typed_shown_and_set_as_fahrenheit(
    battery: Battery, screen: Screen
) -> None:
    try:
        await battery.show_in("tmax", "°F", "number")
        page = await SettingsPage.opened(screen)
        await expect(page.present("tmax")).to_contain_text("°F")
        await expect(page.row("tmax")).to_contain_text("to 149")
        await page.stage(tmax="122")
        await page.review()
        await expect(page.panel).to_contain_text("122 °F")
        await page.apply()
        await page.ends("All changes are set and verified")
        assert (await in_the_bms(battery))["TMAX"] == pytest.approx(50)
        await expect(page.card.locator('[data-changed="tmax"]').first).to_contain_text("122")
    finally:
        await battery.show_in("tmax", None, "number")


async def test_a_value_typed_in_another_unit_is_not_taken_for_this_one(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.stage(tmin="5")
    try:
        await battery.show_in("tmin", "°F", "number")
        await expect(page.present("tmin")).to_contain_text("°F")
        await expect(page.complaint("tmin")).to_contain_text("The unit has changed")
        await page.button("Review").click()
        await expect(page.field("tmin")).to_be_focused()
        await expect(page.panel).to_have_count(0)
    finally:
        await battery.show_in("tmin", None, "number")


async def test_a_choice_is_changed_like_a_number(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    await page.field("canf").select_option(label="250 kbit/s")
    await page.review()
    await expect(page.panel).to_contain_text("500 kbit/s → 250 kbit/s")
    await page.apply()
    await page.ends("All changes are set and verified")
    assert (await in_the_bms(battery))["CANF"] == 1
    await expect(page.field("canf")).to_have_value("")


async def test_a_choice_outside_its_list_can_be_put_right(battery: Battery, screen: Screen) -> None:
    await battery.bms.command("set", instruction="CANF", value=7)
    await battery.reload()
    await battery.shows("canf", "unknown")
    page = await SettingsPage.opened(screen)
    await page.field("canf").select_option(label="500 kbit/s")
    await page.review()
    await page.apply()
    await page.ends("All changes are set and verified")
    assert (await in_the_bms(battery))["CANF"] == 2


async def test_a_factory_value_is_taken_at_a_click_and_not_sent(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.page.evaluate(
        """selector => { const card = findAll(selector)[0];
            const known = structuredClone(card._answer.known);
            known.settings.bvol.factory = 4.15;
            card._answer = { known }; }""",
        SETTINGS_CARD,
    )
    await expect(page.row("bvol")).to_contain_text("Factory value: 4.15 V")
    await page.row("bvol").get_by_role("button", name="use the factory value 4.15 V").click()
    await expect(page.field("bvol")).to_have_value("4.15")
    await expect(page.bar).to_contain_text("Staged changes: 1. They are sent only")


async def test_disabled_entities_are_left_out_and_that_is_said(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await expect(page.row("ioff")).to_have_count(0)
    await expect(page.card).to_contain_text("such as counters and calibration, are left out")


async def test_every_setting_says_what_it_does(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    rows = page.card.locator("[data-setting]")
    assert await rows.count() == await page.card.locator("[id^=explained-]").count()
    layout = await battery.home.client.command("rec_bms/layout")
    keys = {key for group in layout["settings"] for key in group["keys"]}
    explained = await page.page.evaluate(
        """async () => {
            const main = performance.getEntriesByType("resource").find(({ name }) =>
                /rec_bms.*main\\.js$/.test(name)).name;
            const { LANGUAGES } = await import(main.replace("main.js", "languages/index.js"));
            return Object.keys(LANGUAGES.en.explained); }"""
    )
    assert set(explained) == keys


async def test_the_history_tells_what_was_changed_when_and_by_whom(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await page.change(bvol="4.1")
    newest = page.card.locator(".history li").first
    await expect(newest).to_contain_text("Balancing end voltage")
    await expect(newest).to_contain_text("4.08 V → 4.1 V")
    await expect(newest).to_contain_text("Demo")
    await change_elsewhere(battery, "BVOL", 4.06)
    await expect(newest).to_contain_text("4.1 V → 4.06 V")
    await expect(newest).to_contain_text("elsewhere, not by Home Assistant")


async def test_a_backup_is_made_compared_and_put_back(battery: Battery, screen: Screen) -> None:
    await screen.page.emulate_media(color_scheme="dark")
    page = await SettingsPage.opened(screen)
    await back_up(page, "Spring")
    await page.change(bvol="4.12", clow="3.5")
    await page.field("canf").select_option(label="250 kbit/s")
    await page.review()
    await page.apply()
    await page.ends("All changes are set and verified")
    await compare(page, "Spring")
    differences = page.card.locator(".differences li")
    await expect(differences).to_have_count(3)
    await expect(page.card.locator('[data-code="BVOL"]')).to_contain_text("4.12 V → 4.08 V")
    await expect(page.card.locator('[data-code="CANF"] input')).not_to_be_checked()
    await page.card.locator('[data-code="CLOW"] input').uncheck()
    await page.button("Put back (1)").click()
    await page.confirm("Put back now")
    await expect(page.card.locator("#outcome-title")).to_have_text(
        "All values are put back and verified"
    )
    await expect(page.card.locator('.outcome [data-code="BVOL"]')).to_contain_text("verified")
    assert await screen.violations(SETTINGS_CARD) == []
    await expect(differences).to_have_count(2)
    settings = await in_the_bms(battery)
    assert settings["BVOL"] == pytest.approx(4.08)
    assert settings["CLOW"] == pytest.approx(3.5)
    assert settings["CANF"] == 1


async def test_a_restore_that_breaks_off_says_what_was_done_and_what_not(
    battery: Battery, screen: Screen
) -> None:
    await screen.page.emulate_media(color_scheme="dark")
    page = await SettingsPage.opened(screen)
    await back_up(page, "Summer")
    await page.change(bvol="4.12", clow="3.5")
    await compare(page, "Summer")
    await battery.bms.command("fault", name="set_refused", instruction="CLOW")
    await page.button("Put back (2)").click()
    await page.confirm("Put back now")
    outcome = page.card.locator(".outcome")
    await expect(outcome).to_contain_text("Not everything could be put back")
    await expect(outcome).to_contain_text("The BMS refused")
    await expect(outcome.locator('[data-code="CLOW"]')).to_contain_text("not put back")
    settings = await in_the_bms(battery)
    done = settings["BVOL"] == pytest.approx(4.08)
    said = "put back and verified" if done else "not put back"
    await expect(outcome.locator('[data-code="BVOL"]')).to_contain_text(said)
    assert await screen.violations(SETTINGS_CARD) == []
    await page.button(f"Put back ({1 if done else 2})").click()
    await page.confirm("Put back now")
    await expect(page.card.locator("#outcome-title")).to_have_text(
        "All values are put back and verified"
    )


async def test_a_name_that_is_taken_is_refused_with_the_reason(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    await back_up(page, "Autumn")
    await page.card.locator("#backup-name").fill("Autumn")
    await page.button("Back up").click()
    await expect(page.card.locator(".news .complaint")).to_contain_text("Autumn")
    await expect(page.card.locator("#backup-name")).to_have_value("Autumn")


async def test_the_keyboard_is_enough(battery: Battery, screen: Screen) -> None:
    page = await SettingsPage.opened(screen)
    keys = page.page.keyboard
    await page.field("bvol").focus()
    await keys.type("4.1")
    await tab_to(page, "Review")
    await keys.press("Enter")
    await expect(page.heading).to_be_focused()
    await tab_to(page, "Apply")
    await keys.press("Enter")
    await expect(page.dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await page.ends("All changes are set and verified")
    await expect(page.heading).to_be_focused()
    await tab_to(page, "Close")
    await keys.press("Enter")
    await expect(page.panel).to_have_count(0)
    assert (await in_the_bms(battery))["BVOL"] == pytest.approx(4.1)


async def test_a_screen_reader_hears_names_ranges_and_what_happens(
    battery: Battery, screen: Screen
) -> None:
    page = await SettingsPage.opened(screen)
    field = page.card.get_by_role("textbox", name="Cell overvoltage cut-off New value")
    await field.fill("9")
    await field.blur()
    await expect(field).to_have_accessible_description(
        "When any cell reaches this voltage, the BMS stops charging and reports an overvoltage. "
        "From 2 V to 4.3 V This is outside the range."
    )
    await page.button("Review").click()
    await expect(page.card.locator("#said")).to_contain_text("must be mended first")
    await field.fill("4.2")
    await page.review()
    await page.button("Apply").click()
    await page.page.evaluate(
        """selector => {
            const said = findAll(selector)[0].shadowRoot.querySelector("#said");
            window.heard = [];
            new MutationObserver(() => said.textContent && heard.push(said.textContent))
                .observe(said, { childList: true, characterData: true, subtree: true });
        }""",
        SETTINGS_CARD,
    )
    await page.confirm("Change now")
    await page.ends("All changes are set and verified")
    heard = await page.page.evaluate("heard")
    assert heard[0] == "Cell overvoltage cut-off is being set."
    assert heard[-1] == "All changes are set and verified"


async def test_german_is_spoken_and_a_decimal_comma_understood(
    battery: Battery, screen: Screen
) -> None:
    await battery.home.set_language(language="de", number_format="language")
    try:
        page = await SettingsPage.opened(screen)
        await expect(page.row("bvol")).to_contain_text("Balancing-Endspannung")
        await expect(page.present("bvol")).to_have_text("4,08 V")
        await page.stage(bvol="4,1")
        await page.button("Prüfen").click()
        await expect(page.panel).to_contain_text("4,08 V → 4,1 V")
        await page.stage(bmin="4,15")
        await page.button("Prüfen").click()
        await expect(page.complaint("bmin")).to_contain_text("kann nicht")
        await page.stage(bvol="4.100")
        await expect(page.complaint("bvol")).to_contain_text("keine einfache Zahl")
        assert await screen.violations(SETTINGS_CARD) == []
        assert not await screen.overflows(SETTINGS_CARD)
    finally:
        await battery.home.set_language(language="en", number_format="language")


async def test_axe_finds_no_violation_in_any_state(
    battery: Battery, screen: Screen, phone: Screen, figures: list[str]
) -> None:
    found = []
    states = 0
    for device in (screen, phone):
        page = await SettingsPage.opened(device)
        async for _ in through_its_states(page):
            states += 1
            found += await device.violations(SETTINGS_CARD)
            assert not await device.overflows(SETTINGS_CARD)
    figures.append(
        f"violations found by axe on the settings page, {states} states, light and dark, "
        f"laptop and phone: {len(found)}"
    )
    assert found == []


async def through_its_states(page: SettingsPage) -> AsyncIterator[None]:
    """Bring the page from one state to the next."""
    yield
    await page.stage(bvol="4.1", cmax="9")
    yield
    await page.stage(cmax="4", bmin="4.05")
    await page.review()
    yield
    await page.button("Back to editing").click()
    await page.stage(cmax="4.2", bmin="3.9")
    await page.review()
    yield
    await page.button("Apply").click()
    yield
    await page.confirm("Change now")
    await page.ends("All changes are set and verified")
    yield
    await page.button("Close").click()
    await compare(page, "")
    yield
    await page.change(bvol="4.08", bmin="3.95", cmax="4.18")


async def back_up(page: SettingsPage, name: str) -> None:
    """Make a backup with a name."""
    await page.card.locator("#backup-name").fill(name)
    await page.button("Back up").click()
    await expect(page.card.locator(".news")).to_contain_text(f"kept as “{name}”")


async def compare(page: SettingsPage, name: str) -> None:
    """Compare with the newest backup whose name begins so; with the oldest of all where none."""
    options = await page.card.locator("#backup-picked option").all_text_contents()
    index = len(options) - 1
    if name:
        index = next(number for number, text in enumerate(options) if text.startswith(name))
    await page.card.locator("#backup-picked").select_option(index=index)
    await page.button("Compare").click()
    await expect(page.card.locator("#compared-title")).to_be_focused()


async def tab_to(page: SettingsPage, name: str) -> None:
    """Press the tab key until a button has the focus."""
    button = page.button(name)

    async def there() -> bool:
        await page.page.keyboard.press("Tab")
        return await button.evaluate("button => button.getRootNode().activeElement === button")

    await until(there, 60)


async def allow_changes(battery: Battery, *, allowed: bool) -> None:
    """Choose in the options whether settings may be changed."""
    client = battery.home.client
    step = await client.post(OPTIONS, {"handler": battery.entry_id})
    await client.post(
        f"{OPTIONS}/{step['flow_id']}", {"scan_interval": 2, "allow_changes": allowed}
    )


async def before_message(
    screen: Screen, is_it: Callable[[str], bool], act: Callable[[], Awaitable[None]]
) -> None:
    """Do something before the page's message goes out, and hold back all others until then."""
    in_order = asyncio.Lock()

    def route(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        async def hear(message: str | bytes) -> None:
            async with in_order:
                if is_it(str(message)):
                    await act()
                server.send(message)

        socket.on_message(hear)

    await screen.make_its_own().route_web_socket("**/api/websocket", route)


@asynccontextmanager
async def guest_screen(home: Home, browser: Browser) -> AsyncIterator[Screen]:
    """Open a page as a user who is no administrator."""
    client = home.client
    created = await client.command(
        "config/auth/create", name="Guest", group_ids=["system-users"], local_only=False
    )
    try:
        await client.command(
            "config/auth_provider/homeassistant/create",
            user_id=created["user"]["id"],
            username="guest",
            password="guest-guest",
        )
        guest = await client.log_in("guest", "guest-guest")
        async with Screen.opened(home, browser, TABLET) as screen:
            await screen.make_its_own().add_init_script(logged_in(guest.token, home.url))
            yield screen
    finally:
        # With two users, Home Assistant would ask whoever opens a page which of them they are.
        await client.command("config/auth/delete", user_id=created["user"]["id"])


def logged_in(token: str | None, url: str) -> str:
    """Return the script that makes a page believe that it has logged in already."""
    tokens = {
        "access_token": token,
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 1800,
        "expires": (time.time() + 1800) * 1000,
        "hassUrl": url,
        "clientId": f"{url}/",
    }
    return f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})"
