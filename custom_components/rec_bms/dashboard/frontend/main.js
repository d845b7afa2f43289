// @ts-check
import { CELLS_CARD } from "./cells-config.js";
import { RecBmsCellsCard, suggestionFor } from "./cells-card.js";
import { RecBmsDashboardStrategy } from "./dashboard-strategy.js";
import { HEALTH_CARD, RecBmsHealthCard } from "./health-card.js";
import { RecBmsSettingsCard, SETTINGS_CARD } from "./settings-card.js";
import { RecBmsSumCard, SUM_CARD } from "./sum-card.js";
import { words } from "./words.js";

const say = words();
const page = /** @type {any} */ (window);

/**
 * A page that stays open while the integration is updated gets a second copy of these modules.
 * @param {string} name
 * @param {CustomElementConstructor} constructor
 */
function define(name, constructor) {
  if (customElements.get(name) === undefined) customElements.define(name, constructor);
}

define(CELLS_CARD, RecBmsCellsCard);
define(HEALTH_CARD, RecBmsHealthCard);
define(SETTINGS_CARD, RecBmsSettingsCard);
define(SUM_CARD, RecBmsSumCard);
define("ll-strategy-dashboard-rec-bms", RecBmsDashboardStrategy);

/**
 * @param {string} list
 * @param {any} entry
 */
function announce(list, entry) {
  page[list] ??= [];
  if (!page[list].some((/** @type {any} */ other) => other.type === entry.type)) {
    page[list].push(entry);
  }
}

announce("customCards", {
  type: CELLS_CARD,
  name: say("card.name"),
  description: say("card.description"),
  preview: true,
  getEntitySuggestion: suggestionFor,
});

announce("customStrategies", {
  type: "rec-bms",
  strategyType: "dashboard",
  name: say("dashboard.name"),
  description: say("dashboard.description"),
});
