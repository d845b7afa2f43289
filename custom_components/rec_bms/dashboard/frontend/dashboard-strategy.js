// @ts-check
/** @import { Bank, Battery, Hass, HassWithTexts, Layout } from "./types.d.ts" */
import { fetchLayout, reasonOf } from "./layout.js";
import { bankView } from "./views/bank.js";
import { cellsView } from "./views/cells.js";
import { energyView } from "./views/energy.js";
import { SPREADS, healthView, membersHealthView } from "./views/health.js";
import { STATISTICS, historyView } from "./views/history.js";
import { overviewView } from "./views/overview.js";
import { settingsView } from "./views/settings.js";
import { sumView } from "./views/sum.js";
import { words } from "./words.js";

const LAST_MONTH = 30 * 24 * 3600 * 1000;
const MAKERS = [overviewView, cellsView, healthView, historyView, settingsView, energyView];

const MAKERS_OF_BANK = [bankView, membersHealthView, historyView, energyView];

/** Makes the dashboard from what is registered; Home Assistant asks again when that changes. */
export class RecBmsDashboardStrategy extends HTMLElement {
  static registryDependencies = ["entities", "devices"];

  static getCreateSuggestions() {
    return { title: words()("dashboard.name"), icon: "mdi:battery-high" };
  }

  /**
   * @param {any} _config
   * @param {Hass} hass
   */
  static async generate(_config, hass) {
    const say = words(hass);
    let layout, localize, ui, withStatistics;
    try {
      layout = await fetchLayout(hass);
      // For the names of the groups of settings, and for what to do about an error.
      await hass.loadBackendTranslation("selector", "rec_bms");
      localize = await hass.loadBackendTranslation("issues", "rec_bms");
      // For the names of the fields of Home Assistant's dialog for the Energy dashboard.
      ui = await hass.loadFragmentTranslation("config");
      withStatistics = await fetchWithStatistics(hass, layout);
    } catch (error) {
      return { views: [notice(say("dashboard.failed", { reason: reasonOf(error) }))] };
    }
    const batteries = layout.batteries.filter(hasEntities);
    const banks = layout.banks.filter(hasEntities);
    if (!batteries.length && !banks.length) {
      return { views: [notice(say("dashboard.no_battery"))] };
    }
    const withTexts = { ...hass, localize, ui: ui ?? (() => ""), withStatistics };
    return { views: viewsOf(batteries, banks, layout, withTexts) };
  }
}

/**
 * The entities of which Home Assistant has added up an hour at least, as it does after each.
 * @param {Hass} hass
 * @param {Layout} layout
 * @returns {Promise<Set<string>>}
 */
async function fetchWithStatistics(hass, layout) {
  if (!hass.config.components.includes("recorder")) return new Set();
  const ids = [...layout.batteries, ...layout.banks].flatMap(({ entities }) =>
    [...STATISTICS, ...SPREADS].flatMap((key) => entities[key] ?? []),
  );
  const start = new Date(Date.now() - LAST_MONTH);
  try {
    const found = await hass.callWS({
      type: "recorder/statistics_during_period",
      start_time: start.toISOString(),
      statistic_ids: ids,
      period: "day",
      types: ["mean"],
    });
    return new Set(ids.filter((id) => found[id]?.length));
  } catch {
    // The graphs themselves say what there is, and no page is missing for it.
    return new Set(ids);
  }
}

/** @param {Pick<Battery, "entities">} battery */
function hasEntities({ entities }) {
  return Object.keys(entities).length > 0;
}

/**
 * Of several batteries, all but the overview are reached from there: so many tabs nobody could read.
 * @param {Battery[]} batteries
 * @param {Bank[]} banks
 * @param {Layout} layout
 * @param {HassWithTexts} hass
 */
function viewsOf(batteries, banks, layout, hass) {
  const several = batteries.length + banks.length > 1;
  const names = namesOf([...batteries, ...banks], hass);
  const common = { hass, say: words(hass), settings: layout.settings, several };
  const contexts = batteries.map((battery, index) => ({
    ...common,
    battery: { ...battery, title: names[index] },
    prefix: several ? `${index + 1}-` : "",
  }));
  const ofBanks = banks.map((bank, index) => ({
    ...common,
    battery: asBattery(bank, names[batteries.length + index]),
    bank,
    members: contexts.filter(({ battery }) => bank.members.includes(battery.entry_id)),
    prefix: several ? `bank-${index + 1}-` : "",
  }));
  const views = [
    ...ofBanks.flatMap((context) => MAKERS_OF_BANK.map((make) => make(context))),
    ...contexts.flatMap((context) => MAKERS.map((make) => make(context))),
  ];
  return several ? [sumView(contexts, ofBanks), ...views] : views;
}

/**
 * A bank as what it looks like to whatever shows one battery.
 * @param {Bank} bank
 * @param {string} title
 * @returns {Battery}
 */
function asBattery({ entry_id, devices, entities }, title) {
  return { entry_id, title, devices, entities, way: "bank" };
}

/**
 * What batteries and banks are called: as their owner named the devices, and no two the same.
 * @param {Pick<Battery, "devices" | "title">[]} batteries
 * @param {Hass} hass
 * @returns {string[]}
 */
function namesOf(batteries, hass) {
  const names = batteries.map(({ devices, title }) => {
    const main = Object.keys(devices).find((device) => devices[device] === 1);
    const device = main === undefined ? undefined : hass.devices?.[main];
    return device?.name_by_user || device?.name || title;
  });
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before ? `${name} #${before + 1}` : name;
  });
}

/** @param {string} content */
function notice(content) {
  return { title: "REC BMS", cards: [{ type: "markdown", content }] };
}
