"""What card and dashboard say, in the languages that the integration speaks."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import expect

import custom_components.rec_bms
from tests.browser.home import Battery
from tests.browser.screen import Screen

TRANSLATIONS = Path(custom_components.rec_bms.__file__).with_name("translations")

TABLES = """async () => {
    const main = performance.getEntriesByType("resource").find(({ name }) =>
        /rec_bms.*main\\.js$/.test(name)).name;
    return (await import(main.replace("main.js", "languages/index.js"))).LANGUAGES;
}"""


async def test_every_language_of_the_integration_says_everything(
    battery: Battery, screen: Screen
) -> None:
    await screen.open("overview")
    tables = await screen.page.evaluate(TABLES)
    assert sorted(tables) == sorted(file.stem for file in TRANSLATIONS.glob("*.json"))
    english = tables.pop("en")
    for language, table in tables.items():
        for group, texts in english.items():
            assert sorted(table[group]) == sorted(texts), f"{language}.{group}"
            for key, text in texts.items():
                assert holes(table[group][key]) == holes(text), f"{language}.{group}.{key}"


async def test_the_users_language_is_spoken(battery: Battery, screen: Screen) -> None:
    await battery.home.set_language(language="de", number_format="language")
    try:
        await screen.open("cells")
        await screen.cells_are_drawn(14)
        await expect(screen.card.get_by_role("heading", name="Zellen")).to_be_visible()
        label = await screen.cell("1_8").get_attribute("aria-label")
        assert label is not None
        assert re.match(r"Zelle 8, \d,\d{3} V", label)
    finally:
        await battery.home.set_language(language="en", number_format="language")


def holes(text: str) -> list[str]:
    """Return the names of what is filled in."""
    return sorted(re.findall(r"{(\w+)}", text))
