"""The dashboard of one battery of 14 cells."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.home import Battery, Home, until
from tests.browser.screen import CARD, Screen
from tests.browser.settings_page import SETTINGS_CARD, SettingsPage

NO_BREAK = "\N{NO-BREAK SPACE}"
VIEWS = ("overview", "cells", "health", "history", "settings", "energy_dashboard")


async def test_it_is_added_through_the_dialog(
    battery: Battery, screen: Screen, figures: list[str]
) -> None:
    home, page = battery.home, screen.page
    await page.goto(f"{home.url}/config/devices/device/{await battery.device_id()}")
    await expect(page.get_by_text("Device info")).to_be_visible()
    started = time.monotonic()

    await screen.click(page.locator("ha-sidebar").get_by_text("Settings", exact=True))
    await screen.click(page.get_by_text("Dashboards", exact=True).first)
    await screen.click(page.get_by_text("Add dashboard").first)
    offer = page.locator("dashboard-card").filter(has_text="REC BMS")
    await expect(page.get_by_text("Community dashboards")).to_be_visible()
    await screen.click(offer)
    await screen.click(page.get_by_role("button", name="Create"))
    await screen.click(page.locator("ha-sidebar").get_by_text("REC BMS", exact=True))
    await screen.cells_are_drawn(14)

    figures.append(
        f"from the device page to the dashboard: {screen.clicks} clicks, "
        f"{time.monotonic() - started:.1f} s"
    )
    (made,) = (each for each in await home.dashboards() if each["title"] == "REC BMS")
    await home.client.command("lovelace/dashboards/delete", dashboard_id=made["id"])


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_renders(battery: Battery, tablet: Screen, view: str) -> None:
    await tablet.go_to(view)
    await expect(tablet.page.locator("hui-section").last).to_be_visible()
    await nothing_is_broken(tablet.page)


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_fits_a_phone_in_the_dark(
    battery: Battery, mobile: Screen, view: str
) -> None:
    await mobile.go_to(view)
    await nothing_is_broken(mobile.page)
    assert not await mobile.overflows()
    background = await mobile.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--card-background-color')"
    )
    assert background.strip() in ("#1c1c1c", "rgb(28, 28, 28)")


async def test_values_equal_the_states(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("cells")
    await tablet.cells_are_drawn(14)
    states = await battery.states("cell_voltage")
    assert await tablet.volts() == {place: f"{volts:.3f}" for place, volts in states.items()}
    lowest, highest = min(states.values()), max(states.values())
    await expect(figure(tablet, "spread")).to_have_text(f"{(highest - lowest) * 1000:.0f} mV")
    await expect(figure(tablet, "lowest")).to_have_text(f"{lowest:.3f} V")
    await expect(figure(tablet, "highest")).to_have_text(f"{highest:.3f} V")
    await expect(tablet.card.locator('[data-mark="lowest"]')).to_have_count(1)
    heights = await tablet.heights()
    assert sorted(heights, key=heights.__getitem__) == sorted(heights, key=states.__getitem__)


async def test_temperature_and_resistance_are_told(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("cells")
    await tablet.cells_are_drawn(14)
    temperatures = await battery.states("temperature")
    # From 2026.11 on, Home Assistant keeps number and unit on one line.
    told = [re.compile(rf"^{celsius:.1f}[ {NO_BREAK}]°C$") for celsius in temperatures.values()]
    await expect(tablet.card.locator(".temperature")).to_have_text(told)
    ohms = (await battery.states("cell_resistance"))["1_8"]
    label = await tablet.cell("1_8").get_attribute("aria-label")
    assert label is not None
    assert label.replace(NO_BREAK, " ").endswith(f"{ohms:.3f} mΩ")


async def test_bars_move_with_the_cells(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("cells")
    await tablet.cells_are_drawn(14)
    before = await tablet.heights()
    await battery.bms.command("cell", unit=1, cell=5, offset=0.1)
    await expect(tablet.cell("1_5")).to_have_attribute("data-mark", "highest", timeout=20_000)
    after = await tablet.heights()
    await battery.bms.command("cell", unit=1, cell=5, offset=0.0)
    # The next test has the page as it is then.
    await expect(tablet.cell("1_5")).not_to_have_attribute("data-mark", "highest", timeout=20_000)
    assert after["1_5"] > before["1_5"] + 0.05
    assert after["1_6"] == pytest.approx(before["1_6"], abs=0.02)


async def test_a_cell_beyond_its_cut_off_stands_out(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("cells")
    await battery.bms.command("cell", unit=1, cell=5, offset=0.3)
    await expect(tablet.cell("1_5")).to_have_attribute("data-beyond", "", timeout=20_000)
    label = await tablet.cell("1_5").get_attribute("aria-label")
    await battery.bms.command("cell", unit=1, cell=5, offset=0.0)
    await expect(tablet.cell("1_5")).not_to_have_attribute("data-beyond", "", timeout=20_000)
    assert label is not None
    assert "beyond the cut-off" in label


async def test_units_that_their_owner_chose_move_no_bar_and_no_line(
    battery: Battery, tablet: Screen
) -> None:
    await tablet.go_to("cells")
    await tablet.cells_are_drawn(14)
    volts, heights = await tablet.volts(), await tablet.heights()
    lines = {key: await tablet.line(key) for key in ("cmax", "clow", "cmin")}
    chosen = {
        "cell_voltage_1_5": ("sensor", "mV"),
        "cell_voltage_1_6": ("sensor", "kV"),
        "cmax": ("number", "mV"),
        "clow": ("number", "μV"),
        "cmin": ("number", "kV"),
    }
    try:
        for key, (domain, unit) in chosen.items():
            await battery.show_in(key, unit, domain)
        legend = tablet.card.locator('.limits [data-limit="cmax"] .value')
        await expect(legend).to_contain_text("mV", timeout=20_000)
        other = tablet.card.locator('.limits [data-limit="cmin"] .value')
        await expect(other).to_contain_text("kV")
        assert await tablet.volts() == volts
        assert await tablet.heights() == pytest.approx(heights, abs=0.001)
        for key, at in lines.items():
            assert await tablet.line(key) == pytest.approx(at, abs=0.001)
        await expect(tablet.card.locator("[data-beyond]")).to_have_count(0)
    finally:
        for key, (domain, _) in chosen.items():
            await battery.show_in(key, None, domain)


async def test_a_limit_changed_in_the_settings_view_moves_its_line(
    battery: Battery, screen: Screen
) -> None:
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    before = await screen.line("bvol")
    page = await SettingsPage.opened(screen)
    await page.change(bvol="4.12")
    await battery.shows("bvol", "4.12")
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    after = await screen.line("bvol")
    legend = screen.card.locator('.limits [data-limit="bvol"] .value')
    await expect(legend).to_have_text("4.12 V")
    scale = await screen.line("cmax") - await screen.line("cmin")
    assert after - before == pytest.approx(scale * 0.04 / 0.98, abs=0.01)


async def test_settings_are_grouped_and_come_with_the_warning(
    battery: Battery, tablet: Screen
) -> None:
    await tablet.go_to("settings")
    page = tablet.page
    await expect(page.get_by_text("Wrong battery limits can damage")).to_be_visible()
    titles = page.locator(SETTINGS_CARD).locator("h2[id^=group-]")
    groups = ["Cell", "Temperature", "Pack", "State of charge", "Victron"]
    await expect(titles).to_have_text(groups)


async def test_the_history_says_when_there_will_be_something(
    battery: Battery, screen: Screen
) -> None:
    ids = [await battery.entity_id(key) for key in ("voltage", "power")]
    began = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    kept = await battery.home.client.command(
        "recorder/statistics_during_period", start_time=began, statistic_ids=ids, period="day"
    )
    await screen.open("history")
    told = screen.page.locator("hui-markdown-card").get_by_text("There is nothing yet")
    # A full hour may have ended while the tests ran.
    await expect(told).to_have_count(0 if kept else 1)
    await expect(screen.page.get_by_text("No statistics found")).to_have_count(0)


async def test_the_energy_dashboard_is_explained_in_its_own_words(
    battery: Battery, screen: Screen
) -> None:
    await screen.open("overview")
    await screen.page.get_by_text("Set up the Energy dashboard").click()
    await screen.page.wait_for_url("**/energy_dashboard")
    advice = screen.page.locator("hui-markdown-card:visible")
    for field in (
        "Energy charged into the battery",
        "Energy discharged from the battery",
        "Battery state of charge sensor",
        "Display name",
        "Battery power",
    ):
        await expect(advice.get_by_text(field)).to_be_visible()
    await expect(advice.get_by_text("Add battery system")).to_be_visible()
    power = await battery.entity_id("power")
    name = (await battery.home.client.get(f"/api/states/{power}"))["attributes"]["friendly_name"]
    await expect(advice.get_by_text(name, exact=True)).to_be_visible()
    await screen.page.get_by_text("Open the Energy dashboard's settings").click()
    await screen.page.wait_for_url("**/config/energy**")


async def test_an_error_shows_with_its_advice(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("overview")
    await tablet.cells_are_drawn(14)
    advice = tablet.page.get_by_text("Connect the charger")
    await expect(advice).to_have_count(0)
    await battery.bms.command("raise_error", number=2, unit=1, location=8)
    await expect(advice).to_be_visible(timeout=20_000)
    await expect(tablet.page.get_by_text("cell or sensor 8")).to_be_visible()
    await battery.bms.command("clear_error")
    await expect(advice).to_be_hidden(timeout=20_000)


async def test_a_bms_that_is_away_shows_no_bar(battery: Battery, tablet: Screen) -> None:
    await tablet.go_to("overview")
    await tablet.cells_are_drawn(14)
    await battery.bms.command("silent", value=True)
    page = tablet.page
    await expect(tablet.card.get_by_text("The BMS does not answer")).to_be_visible(timeout=40_000)
    await expect(page.get_by_text(f"{battery.title} does not answer")).to_be_visible()
    await expect(tablet.card.locator(".bar")).to_have_count(0)
    await expect(tablet.card.get_by_text(re.compile(r"\d\.\d{3}"))).to_have_count(0)
    await battery.bms.command("silent", value=False)
    await tablet.cells_are_drawn(14)


async def test_a_connection_that_is_lost_shows_no_bar(battery: Battery, screen: Screen) -> None:
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    # Looked at in one go: with its next state Home Assistant tells the card that it is there.
    said, bars = await screen.page.evaluate(
        """async selector => { const card = findAll(selector)[0];
            card.hass = { ...card.hass, connected: false };
            await card.updateComplete;
            const shown = card.shadowRoot;
            return [shown.textContent, shown.querySelectorAll(".bar").length]; }""",
        CARD,
    )
    assert "No connection to Home Assistant" in said
    assert bars == 0


async def test_disabled_entities_leave_no_hole(battery: Battery, screen: Screen) -> None:
    keys = ("current", "cell_voltage_1_3", "cmax", "state_of_health", "tmax")
    for key in keys:
        await battery.enable(key, enabled=False)
    for view in VIEWS:
        await screen.go_to(view)
        await nothing_is_broken(screen.page)
    await screen.go_to("overview")
    await screen.cells_are_drawn(13)
    await expect(screen.page.get_by_text("Voltage", exact=True).first).to_be_visible()
    for name in ("Current", "State of health"):
        await expect(screen.page.get_by_text(name, exact=True)).to_have_count(0)
    await expect(screen.card.locator('[data-limit="cmax"]')).to_have_count(0)
    # What is enabled again comes back on the open page, once Home Assistant has reloaded the entry.
    for key in keys:
        await battery.enable(key, enabled=True)
    await expect(screen.cells).to_have_count(14, timeout=20_000)
    await expect(screen.card.locator("[data-empty]")).to_have_count(0, timeout=60_000)


async def test_a_tap_opens_the_cells_history(battery: Battery, screen: Screen) -> None:
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    await screen.cell("1_8").click()
    dialog = screen.page.locator("ha-more-info-dialog")
    await expect(dialog.get_by_text("Cell 8 voltage").first).to_be_visible()
    await expect(dialog.locator("ha-more-info-history")).to_be_attached()


async def test_the_keyboard_reaches_every_cell(battery: Battery, screen: Screen) -> None:
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    page = screen.page
    await expect(screen.card.locator('[data-cell][tabindex="0"]')).to_have_count(1)
    await screen.cell("1_1").focus()
    await page.keyboard.press("ArrowRight")
    await expect(screen.cell("1_2")).to_be_focused()
    await page.keyboard.press("End")
    await expect(screen.cell("1_14")).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowLeft")
    await expect(screen.cell("1_1")).to_be_focused()
    await page.keyboard.press("Enter")
    dialog = page.locator("ha-more-info-dialog")
    await expect(dialog.get_by_text("Cell 1 voltage").first).to_be_visible()


async def test_differences_can_be_magnified(battery: Battery, screen: Screen) -> None:
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    before = await screen.heights()
    await screen.card.get_by_role("button", name="Magnify differences").click()
    await expect(screen.card.locator(".magnify")).to_have_attribute("aria-pressed", "true")
    after = await screen.heights()
    assert max(after.values()) - min(after.values()) > 3 * (
        max(before.values()) - min(before.values())
    )


async def test_numbers_are_written_as_the_user_wants(battery: Battery, screen: Screen) -> None:
    await battery.home.set_language(language="en", number_format="decimal_comma")
    try:
        await screen.open("cells")
        await screen.cells_are_drawn(14)
        states = await battery.states("cell_voltage")
        # A page may be drawn before Home Assistant has told it how its user writes numbers.
        await expect(screen.cell("1_1").locator(".volts")).to_contain_text(",")
        written = {place: f"{volts:.3f}".replace(".", ",") for place, volts in states.items()}
        assert await screen.volts() == written
    finally:
        await battery.home.set_language(language="en", number_format="language")


async def test_nothing_moves_for_who_wants_no_motion(battery: Battery, screen: Screen) -> None:
    await screen.page.emulate_media(reduced_motion="reduce")
    await screen.open("cells")
    await screen.cells_are_drawn(14)
    duration = await screen.card.locator(".bar").first.evaluate(
        "bar => getComputedStyle(bar).transitionDuration"
    )
    assert set(duration.split(", ")) == {"0s"}


async def test_axe_finds_no_violation(
    battery: Battery, screen: Screen, phone: Screen, figures: list[str]
) -> None:
    found = []
    for device in (screen, phone):
        await device.open("cells")
        await device.cells_are_drawn(14)
        found += await device.violations(CARD)
    figures.append(f"violations found by axe on 14 cells, light and dark: {len(found)}")
    assert found == []


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "Choose a BMS"),
        ({"device": 7}, "“device” must be text"),
        ({"device": "x", "units": "1"}, "“units” must be a list of unit numbers"),
        ({"device": "x", "scale": "log"}, "“scale” must be “limits” or “cells”"),
        ({"device": "x", "show_limits": "no"}, "“show_limits” must be true or false"),
        ({"device": "x", "colour": "red"}, "There is no option “colour”"),
        ({"device": "x"}, "This card's BMS is not there"),
        ({"entity": "person.demo"}, "This card's BMS is not there"),
    ],
)
async def test_a_malformed_configuration_says_what_is_wrong(
    battery: Battery, screen: Screen, config: dict[str, object], complaint: str
) -> None:
    try:
        await screen.open_card(**config)
        await expect(screen.page.get_by_text(complaint).first).to_be_visible()
    finally:
        await battery.home.add_dashboard()


async def test_the_card_takes_an_entity_and_options(battery: Battery, screen: Screen) -> None:
    entity = await battery.entity_id("state_of_charge")
    try:
        await screen.open_card(entity=entity, title="Bank", show_limits=False, scale="cells")
        await screen.cells_are_drawn(14)
        await expect(screen.card.get_by_role("heading", name="Bank")).to_be_visible()
        await expect(screen.card.locator(".limits")).to_be_hidden()
        await expect(screen.card.locator(".magnify")).to_have_attribute("aria-pressed", "true")
    finally:
        await battery.home.add_dashboard()


async def test_the_card_picker_offers_it_for_an_entity_of_the_bms(
    battery: Battery, screen: Screen
) -> None:
    await screen.open("overview")
    offers = """id => customCards.find(({ type }) => type === "rec-bms-cells-card")
        .getEntitySuggestion(document.querySelector("home-assistant").hass, id)"""
    suggestion = await screen.page.evaluate(offers, await battery.entity_id("cell_voltage_1_8"))
    device = await battery.device_id()
    assert suggestion == {"config": {"type": f"custom:{CARD}", "device": device}}
    assert await screen.page.evaluate(offers, "person.demo") is None


async def test_the_visual_editor_lets_a_bms_be_picked(battery: Battery, screen: Screen) -> None:
    page = screen.page
    try:
        await screen.open_card(device=await battery.device_id())
        await screen.cells_are_drawn(14)
        # Not by `?edit=1`: a dashboard that is told of its own saving leaves that again.
        await page.get_by_role("button", name="Edit dashboard").click()
        await page.get_by_role("button", name="Edit", exact=True).last.click()
        editor = page.locator("hui-dialog-edit-card")
        await expect(editor.locator("ha-selector-device")).to_be_visible()
        await expect(editor.locator("ha-selector-entity")).to_be_visible()
        await expect(editor.get_by_text("Resistance").first).to_be_visible()
    finally:
        await battery.home.add_dashboard()


async def test_a_user_who_is_no_administrator_is_told_the_layout(
    battery: Battery, home: Home
) -> None:
    created = await home.client.command(
        "config/auth/create", name="Guest", group_ids=["system-users"], local_only=False
    )
    try:
        await home.client.command(
            "config/auth_provider/homeassistant/create",
            user_id=created["user"]["id"],
            username="guest",
            password="guest-guest",
        )
        guest = await home.client.log_in("guest", "guest-guest")
        layout = await guest.command("rec_bms/layout")
    finally:
        # With two users, Home Assistant would ask whoever opens a page which of them they are.
        await home.client.command("config/auth/delete", user_id=created["user"]["id"])
    assert layout["batteries"][0]["entities"] == (await battery.layout())["entities"]


def figure(screen: Screen, name: str) -> object:
    """Return the value of a figure in the card's head."""
    return screen.card.locator(f'[data-figure="{name}"] .value')


async def nothing_is_broken(page: Page) -> None:
    """Check that no card complains and no section is empty."""

    async def settled() -> bool:
        await page.wait_for_timeout(300)
        return await page.locator("ha-spinner:visible").count() == 0

    async def no_section_is_empty() -> bool:
        heights = await page.locator("hui-section:visible").evaluate_all(
            "sections => sections.map(section => section.getBoundingClientRect().height)"
        )
        return bool(heights) and min(heights) >= 20

    await until(settled, 30)
    for complaint in ("hui-error-card", "hui-warning", "hui-error-section", "hui-warning-element"):
        await expect(page.locator(complaint)).to_have_count(0)
    # A section is there before what is on it.
    await until(no_section_is_empty)
