// @ts-check
import { LIMITS, chosenBattery, extremesOf, limitsOf, unitsOf } from "./battery.js";
import { CELLS_CARD, assertConfig, configForm, deviceOf } from "./cells-config.js";
import { CellsPicture } from "./cells-picture.js";
import { STYLE } from "./cells-style.js";
import { element } from "./dom.js";
import { layoutStore, reasonOf } from "./layout.js";
import { voltsOf } from "./numbers.js";
import { words } from "./words.js";

/**
 * One bar for each cell of a BMS. Decides what there is to show: the cells, or why there are none;
 * CellsPicture draws them.
 */
export class RecBmsCellsCard extends HTMLElement {
  /** @type {any} */
  #config = undefined;
  /** @type {string | undefined} what is wrong with the configuration */
  #complaint = undefined;
  /** @type {any} */
  #hass = undefined;
  /** @type {any} the last one that was drawn from */
  #drawn = undefined;
  /** @type {string[]} */
  #watched = [];
  /** @type {CellsPicture | undefined} */
  #picture = undefined;
  #magnified = false;
  #forget = () => {};
  #content;
  #resize;

  constructor() {
    super();
    const style = element("style");
    style.textContent = STYLE;
    this.#content = element("div", { class: "content" });
    this.attachShadow({ mode: "open" }).append(style, element("ha-card", {}, this.#content));
    this.#resize = new ResizeObserver(() => this.#picture?.fit());
  }

  static getConfigForm() {
    return configForm();
  }

  /** @param {any} hass */
  static getStubConfig(hass) {
    const ids = Object.keys(hass.entities ?? {});
    const device = ids.map((id) => deviceOf(hass, id)).find((found) => found);
    return { device: mainDevice(hass, device) ?? "" };
  }

  /** @param {any} config */
  setConfig(config) {
    this.#complaint = undefined;
    try {
      assertConfig(config);
    } catch (error) {
      // Thrown on, Home Assistant would say only that something is wrong, and not what.
      this.#complaint = reasonOf(error);
    }
    this.#config = config;
    this.#magnified = config?.scale === "cells";
    this.#redraw();
  }

  set hass(hass) {
    this.#hass = hass;
    const store = layoutStore(hass);
    if (this.isConnected) store.follow(hass);
    if (this.#isNews(hass)) this.#redraw();
  }

  get hass() {
    return this.#hass;
  }

  connectedCallback() {
    this.#resize.observe(this.#content);
    if (this.#hass === undefined) return;
    this.#listen();
    layoutStore(this.#hass).follow(this.#hass);
    this.#redraw();
    // What was made before the card had its place had no width yet.
    this.#picture?.fit();
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#forget();
    this.#forget = () => {};
  }

  getCardSize() {
    return 6;
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6, rows: "auto" };
  }

  #listen() {
    this.#forget();
    this.#forget = layoutStore(this.#hass).listen(() => {
      this.#drawn = undefined;
      this.#redraw();
    });
  }

  /**
   * Whether a new state of Home Assistant says anything new about what this card shows.
   * @param {any} hass
   */
  #isNews(hass) {
    const before = this.#drawn;
    if (before === undefined) {
      if (this.isConnected) this.#listen();
      return true;
    }
    return (
      hass.locale !== before.locale ||
      hass.language !== before.language ||
      hass.connected !== before.connected ||
      hass.formatEntityState !== before.formatEntityState ||
      this.#watched.some((id) => hass.states[id] !== before.states[id])
    );
  }

  #redraw() {
    const hass = this.#hass;
    if (hass === undefined || this.#config === undefined) return;
    this.#drawn = hass;
    const shown = this.#whatToShow(hass);
    if ("notice" in shown) this.#showNotice(shown);
    else this.#showCells(shown);
  }

  /** @param {any} hass */
  #whatToShow(hass) {
    const say = words(hass);
    if (this.#complaint !== undefined) {
      const notice = say("card.malformed");
      return { title: "", notice, advice: this.#complaint, icon: "mdi:alert-circle-outline" };
    }
    const store = layoutStore(hass);
    const title = this.#config.title ?? say("card.title");
    const notice = (/** @type {string} */ key, /** @type {string} */ icon, values = {}) => ({
      title,
      notice: say(`card.${key}`, values),
      advice: say(`card.${key}_advice`, values),
      icon,
    });
    if (hass.connected === false) return notice("disconnected", "mdi:lan-disconnect");
    if (store.failure !== undefined) {
      return notice("failed", "mdi:alert-circle-outline", { reason: store.failure });
    }
    if (store.layout === undefined) {
      return { title, notice: say("card.loading"), advice: "", icon: "mdi:battery-sync-outline" };
    }
    const chosen = chosenBattery(store.layout, this.#config);
    if (chosen === undefined) return notice("no_such_battery", "mdi:battery-unknown");
    const units = unitsOf(chosen.battery, chosen.units);
    if (!units.length) {
      const missing = chosen.units?.length && unitsOf(chosen.battery, undefined).length;
      const advice = say("card.no_such_unit_advice", { unit: chosen.units?.join(", ") ?? "" });
      const none = notice("no_cells", "mdi:battery-off-outline");
      return missing ? { ...none, advice } : none;
    }
    this.#watched = watchedBy(chosen.battery, units);
    const cells = units.flatMap((unit) => unit.cells);
    for (const cell of cells) cell.volts = voltsOf(hass.states[cell.entityId]);
    const extremes = extremesOf(cells);
    if (extremes === undefined) return notice("away", "mdi:battery-alert-variant-outline");
    const limits = this.#config.show_limits === false ? [] : limitsOf(chosen.battery, hass);
    return { title, say, units, cells, limits, extremes, battery: chosen.battery };
  }

  /** @param {{title: string, notice: string, advice: string, icon: string}} shown */
  #showNotice({ title, notice, advice, icon }) {
    this.#picture = undefined;
    this.#content.replaceChildren(
      ...(title ? [element("h2", { class: "title" }, title)] : []),
      element(
        "div",
        { class: "notice", role: "status" },
        element("ha-icon", { icon, "aria-hidden": "true" }),
        element("h3", {}, notice),
        ...(advice ? [element("p", {}, advice)] : []),
      ),
    );
  }

  /** @param {any} shown */
  #showCells(shown) {
    const options = {
      resistance: this.#config.show_resistance !== false,
      temperature: this.#config.show_temperature !== false,
      magnified: this.#magnified,
    };
    if (this.#picture === undefined || !this.#picture.canShow(shown, options)) {
      this.#picture = new CellsPicture(this.#content, shown, options, () => {
        this.#magnified = !this.#magnified;
        this.#redraw();
      });
    }
    this.#picture.update(this.#hass, shown, options);
  }
}

/**
 * The entities that a card shows something of.
 * @param {import("./layout.js").Battery} battery
 * @param {import("./battery.js").Unit[]} units
 * @returns {string[]}
 */
function watchedBy(battery, units) {
  const ofUnits = units.flatMap(({ cells, temperatureIds }) => [
    ...cells.flatMap(({ entityId, resistanceId }) => [entityId, resistanceId]),
    ...temperatureIds,
  ]);
  const limits = LIMITS.map((key) => battery.entities[key]);
  return [...ofUnits, ...limits].filter((id) => id !== undefined);
}

/**
 * The device that a unit's device hangs on, or the device itself.
 * @param {any} hass
 * @param {string | undefined} device
 */
function mainDevice(hass, device) {
  return (device && hass.devices?.[device]?.via_device_id) || device;
}

/**
 * What Home Assistant's card picker offers for an entity.
 * @param {any} hass
 * @param {string} entityId
 */
export function suggestionFor(hass, entityId) {
  const device = deviceOf(hass, entityId);
  if (device === undefined) return null;
  return { config: { type: `custom:${CELLS_CARD}`, device: mainDevice(hass, device) } };
}
