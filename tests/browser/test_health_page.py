"""The page that says how a battery is, and what that is based on."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from playwright.async_api import Locator, expect

from custom_components.rec_bms.protocol.health.diagnosis import Finding, Reason
from tests.browser.home import Battery, until
from tests.browser.screen import Screen

CARD = "rec-bms-health-card"
PAGE = "hui-sections-view"
SUMMER, AUTUMN = "2026-06-01T10:00:00+00:00", "2026-10-13T10:00:00+00:00"
CELL = {"unit": 1, "cell": 5}
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "diagnosis": ("weak_cell", {**CELL, "reasons": ["same_cell_first_at_both_ends"]}),
    "measured_capacity": (
        "268.4",
        {"uncertainty": 3.1, "from": 100, "to": 4, "measured_at": AUTUMN},
    ),
    "measured_health": ("95.9", {}),
    "last_full_charge": (AUTUMN, {}),
    "charge_since_full": ("-30", {"charged": 120, "discharged": 150}),
    "state_of_charge_correction": ("9.0", {"at": AUTUMN}),
    "headroom_high": ("213", {**CELL, "limit": "cmax", "minutes": 25}),
    "headroom_low": ("558", {**CELL, "limit": "clow", "minutes": 600}),
    "charge_current_limit": ("270", {"limited_by": "chac"}),
    "discharge_current_limit": ("400", {"limited_by": "maxd"}),
    "cell_spread_rest": (
        "12",
        {"at": AUTUMN, "lowest_unit": 1, "lowest_cell": 5, "highest_unit": 1, "highest_cell": 9},
    ),
    "cell_spread_top": (
        "48",
        {"at": AUTUMN, "lowest_unit": 1, "lowest_cell": 2, "highest_unit": 1, "highest_cell": 5},
    ),
    "most_drifting_cell": ("-3.1", {**CELL, "since": SUMMER}),
    "highest_cell_voltage_ever": ("4.187", {**CELL, "at": SUMMER}),
    "lowest_cell_voltage_ever": ("3.012", {**CELL, "at": AUTUMN}),
    "deepest_discharge": ("12.4", {"at": AUTUMN}),
}
# What rests on something else that is not known says nothing of its own.
REST_ON_OTHERS = {"measured_health", "charge_since_full", "state_of_charge_correction"}

SAID = """async ({ known, findings, reasons }) => {
    const main = performance.getEntriesByType("resource").find(({ name }) =>
        /rec_bms.*main\\.js$/.test(name)).name;
    const load = (module) => import(main.replace("main.js", module));
    const { LANGUAGES } = await load("languages/index.js");
    const { Facts } = await load("health/facts.js");
    const { SENTENCES } = await load("health/sentences.js");
    const { diagnosisOf } = await load("health/diagnosis.js");
    const keys = Object.keys(known);
    const entities = Object.fromEntries([...keys, "capa", "cell_resistance_1_5",
        "cell_resistance_change_1_5"].map(key => [key, key]));
    const all = { capa: ["280", {}], cell_resistance_1_5: ["0.3", {}],
        cell_resistance_change_1_5: ["34", {}], ...known };
    const every = (make) => Object.fromEntries(Object.entries(all).map(([key, told]) =>
        [key, make(...told)]));
    const situations = {
        known: every((state, attributes) => ({ state, attributes })),
        bare: every(state => ({ state, attributes: {} })),
        unknown: every(() => ({ state: "unknown", attributes: {} })),
        away: every(() => ({ state: "unavailable", attributes: {} })),
    };
    const facts = (language, states) => new Facts({
        states, language, locale: { language, number_format: "language" }, config: {},
        formatEntityState: (state, value) => `${value ?? state.state} unit`,
        formatEntityAttributeValue: (state, name) => `${name} ${state.attributes[name]}`,
    }, { devices: { main: 1 }, entities });
    return Object.fromEntries(Object.keys(LANGUAGES).map(language => [language, {
        sentences: Object.fromEntries(Object.entries(situations).map(([name, states]) =>
            [name, Object.fromEntries(Object.entries(SENTENCES).map(([about, make]) =>
                [about, make(facts(language, states))]))])),
        diagnoses: findings.map(state => diagnosisOf(facts(language,
            { diagnosis: { state, attributes: { unit: 1, cell: 5, reasons, imbalance: 3.2,
                balancing_hours: 4 } } }))),
        bare: diagnosisOf(facts(language, situations.bare)),
        unknown: diagnosisOf(facts(language, situations.unknown)),
        away: diagnosisOf(facts(language, situations.away)) ?? null,
    }]));
}"""

ISSUES = """async (told) => {
    const main = performance.getEntriesByType("resource").find(({ name }) =>
        /rec_bms.*main\\.js$/.test(name)).name;
    const { followIssues } = await import(main.replace("main.js", "health/issues.js"));
    const issues = told.map(([issue_id, translation_key, ignored]) => ({ issue_id, translation_key,
        ignored, domain: "rec_bms", severity: "error", translation_placeholders: {} }));
    const heard = [];
    await followIssues({
        config: { components: ["repairs"] },
        loadBackendTranslation: async () => (key) => key.split(".").at(-2),
        callWS: async () => ({ issues }),
        connection: { subscribeMessage: async () => () => {} },
    }, "mine", (issues) => heard.push(...issues));
    findAll("rec-bms-health-card")[0]._issues = heard;
    return heard.map(({ title }) => title);
}"""


async def test_each_language_has_a_whole_sentence_for_whatever_is_known(
    battery: Battery, screen: Screen
) -> None:
    await screen.open("health")
    told = {"known": KNOWN, "findings": [*Finding], "reasons": [*Reason]}
    for language, said in (await screen.page.evaluate(SAID, told)).items():
        for text in texts(said):
            for hole in ("{", "undefined", "null", "NaN", "Invalid", "health."):
                assert hole not in text, f"{language}: {text}"
        sentences = said["sentences"]
        assert all(sentences["known"].values()), language
        silent = {about for about, lines in sentences["unknown"].items() if not lines}
        assert silent == REST_ON_OTHERS, language
        assert not any(sentences["away"].values()), language
        assert said["away"] is None, language
        for found in said["diagnoses"]:
            # Each reason; and what balancing takes, or what a weak cell means.
            assert len(set(found["lines"])) >= len(Reason), language
        assert said["unknown"]["finding"] == Finding.NOT_ENOUGH_DATA
        assert len({found["headline"] for found in said["diagnoses"]}) == len(Finding)


async def test_what_cannot_be_told_yet_says_what_it_takes(battery: Battery, phone: Screen) -> None:
    await battery.pretend("diagnosis", "not_enough_data", reasons=["not_full_yet"])
    await battery.home.set_language(language="de", number_format="language")
    try:
        await phone.open("health")
        await expect(headline(phone)).to_have_text(re.compile("Noch gibt es nicht genug Daten"))
        for text in (
            "Es fehlt eine Vollladung",
            "Noch nicht gemessen",
            "Noch nicht gesehen",
            "In Ruhe: noch nicht bekannt",
            "Drift: keine zu sehen",
        ):
            await expect(phone.page.get_by_text(text).first).to_be_visible()
        await expect(phone.page.get_by_text("Unbekannt", exact=True)).to_have_count(0)
        assert not await phone.overflows(CARD)
        assert await phone.violations(PAGE) == []
    finally:
        await battery.home.set_language(language="en", number_format="language")


async def test_what_is_known_is_shown_with_what_it_is_based_on(
    battery: Battery, screen: Screen, figures: list[str]
) -> None:
    await until(partial(was_measured_twice, battery))
    for key, (state, attributes) in KNOWN.items():
        await battery.pretend(key, state, **attributes)
    await screen.open("health")
    await expect(headline(screen)).to_have_text("Cell 5 is weak: it holds less than the others.")
    for text in (
        "The same cell is the first to be full and the first to be empty.",
        "268.4 Ah",
        "± 3.1 Ah. What can be taken out",
        "between 100% and 4% state of charge",
        "Since then 120 Ah went in and 150 Ah came out.",
        "On Oct 13, 2026 the BMS put its state of charge right by +9.0%.",
        "Cell 5 comes first to the limit “Cell overvoltage cut-off”.",
        "At the present slope it is there in about 25 minutes.",
        "Worked out of settings; “Charge coefficient” decides.",
        "At rest, on Oct 13, 2026. Lowest: Cell 5. Highest: Cell 9.",
        "Cell 5 moves away from the others the most, looked at since Jun 1, 2026.",
        "Lowest state of charge: on Oct 13, 2026.",
    ):
        await expect(screen.page.get_by_text(text).first).to_be_visible()
    told = [
        ("loose_mine_1_5", "loose_connection", False),
        ("loose_other_1_5", "loose_connection", False),
        ("false_current_mine", "false_current", True),
        ("line_mine", "bad_line", False),
    ]

    async def are_shown() -> bool:
        # A card that is drawn anew, as the BMS tells what else it knows, has to be told again.
        assert await screen.page.evaluate(ISSUES, told) == ["loose_connection"]
        alerts = await screen.page.locator(f"{CARD} ha-alert").all_inner_texts()
        advice = screen.page.get_by_text("What to do is said under Repairs")
        return alerts == ["loose_connection"] and await advice.is_visible()

    await until(are_shown)
    assert not await screen.overflows(CARD)
    found = await screen.violations(PAGE)
    figures.append(f"violations found by axe on the health page: {len(found)}")
    assert found == []
    await battery.pretend("diagnosis", "balanced", reasons=["cells_close_together"])
    await expect(headline(screen)).to_have_text("The cells are balanced, and none is weak.")


async def was_measured_twice(battery: Battery) -> bool:
    """Tell whether lifetime figures are known, which are told anew when they become so."""
    return await battery.state("deepest_discharge") != "unknown"


def headline(screen: Screen) -> Locator:
    """Return how the battery is, in a sentence."""
    return screen.page.locator(f"{CARD} h2")


def texts(node: object) -> list[str]:
    """Return all texts in what was said."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for each in node.values() for text in texts(each)]
    if isinstance(node, list):
        return [text for each in node for text in texts(each)]
    return []
