"""The settings page of the dashboard, as a person uses it."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.home import Battery, until
from tests.browser.screen import Screen

SETTINGS_CARD = "rec-bms-settings-card"
# A BMS that is away is asked for some seconds before that is said.
_GIVEN_UP_WITHIN = 40_000


class SettingsPage:
    """Fields, review, history and backups on a page."""

    def __init__(self, screen: Screen) -> None:
        """Take the page that the settings are open on."""
        self.screen = screen

    @classmethod
    async def opened(cls, screen: Screen, view: str = "settings") -> SettingsPage:
        """Open it and wait until it can be used."""
        page = cls(screen)
        await screen.open(view)
        await page.field("bvol").wait_for()
        await expect(page.card.locator(".locked")).to_have_count(0)
        return page

    @property
    def page(self) -> Page:
        return self.screen.page

    @property
    def card(self) -> Locator:
        return self.page.locator(SETTINGS_CARD)

    def row(self, key: str) -> Locator:
        """Return the row of a setting."""
        return self.card.locator(f'[data-setting="{key}"]')

    def field(self, key: str) -> Locator:
        """Return the field for a setting's new value."""
        return self.card.locator(f"#new-{key}")

    def present(self, key: str) -> Locator:
        """Return the value that a setting has."""
        return self.row(key).locator(".present .value")

    def complaint(self, key: str) -> Locator:
        """Return what is wrong with a setting."""
        return self.row(key).locator(".complaint")

    def button(self, name: str) -> Locator:
        """Return a button by its whole name."""
        return self.card.get_by_role("button", name=name, exact=True)

    @property
    def panel(self) -> Locator:
        """What is about to be changed, and how that goes."""
        return self.card.locator(".panel")

    @property
    def heading(self) -> Locator:
        return self.card.locator("#review-title")

    @property
    def bar(self) -> Locator:
        """How much is staged."""
        return self.card.locator(".bar")

    @property
    def reason(self) -> Locator:
        """Why nothing can be changed."""
        return self.card.locator(".locked")

    @property
    def dialog(self) -> Locator:
        return self.card.get_by_role("dialog")

    async def steps(self) -> list[str]:
        """Return the keys of the changes, in their order."""
        found = await self.panel.locator("[data-step]").evaluate_all(
            "steps => steps.map(step => step.dataset.step)"
        )
        return [str(key) for key in found]

    async def status(self, key: str, wanted: str) -> None:
        """Wait until a change has a status."""
        step = self.panel.locator(f'[data-step="{key}"]')
        await expect(step).to_have_attribute("data-status", wanted, timeout=_GIVEN_UP_WITHIN)

    async def stage(self, **values: str) -> None:
        """Type values and leave their fields."""
        for key, value in values.items():
            await self.field(key).fill(value)
            await self.field(key).blur()

    async def review(self) -> None:
        """Have what is staged reviewed."""
        await self.screen.click(self.button("Review"))
        await expect(self.heading).to_be_visible()
        await expect(self.heading).not_to_have_text("Reviewing…")

    async def apply(self) -> None:
        """Say once that what was reviewed is to be changed."""
        await self.screen.click(self.button("Apply"))
        await self.confirm("Change now")

    async def confirm(self, yes: str) -> None:
        """Answer the question."""
        await expect(self.dialog).to_be_visible()
        await self.screen.click(self.dialog.get_by_role("button", name=yes))

    async def ends(self, title: str) -> None:
        """Wait until all that was to be sent is done or given up."""
        await expect(self.heading).to_have_text(title, timeout=_GIVEN_UP_WITHIN)

    async def change(self, **values: str) -> None:
        """Change settings from the field to the verified value, and put the page in order."""
        await self.stage(**values)
        await self.review()
        await self.apply()
        await self.ends("All changes are set and verified")
        await self.button("Close").click()


async def in_the_bms(battery: Battery) -> dict[str, float]:
    """Return the settings as the BMS keeps them, by code."""
    answer = await battery.bms.command("settings")
    settings: dict[str, float] = answer["settings"]
    return settings


async def change_elsewhere(battery: Battery, code: str, value: float) -> None:
    """Have another program change a setting, and wait until Home Assistant has seen it."""
    await battery.bms.command("set", instruction=code, value=value)

    async def shown() -> bool:
        return float(await battery.state(code.lower())) == value

    # Asked for, it is shown at once; in turn, one a poll, that would take a minute.
    await battery.home.client.act(
        "rec_bms.get_parameter",
        respond=True,
        config_entry_id=battery.entry_id,
        instruction=code,
    )
    await until(shown)


async def sets_heard(battery: Battery) -> list[str]:
    """Return the codes of the sets that the BMS has heard since its log was cleared."""
    entries = (await battery.bms.command("log"))["entries"]
    payloads = [entry["payload"].partition(" ") for entry in entries]
    return [code for code, sign, _ in payloads if sign]


async def is_polled(battery: Battery, times: int) -> None:
    """Wait until Home Assistant has polled the BMS so often since its log was cleared."""

    async def was() -> bool:
        entries = (await battery.bms.command("log"))["entries"]
        return sum(entry["payload"] == "LCD1?" for entry in entries) >= times

    await until(was)
