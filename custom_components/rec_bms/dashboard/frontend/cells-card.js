// @ts-check
/** @import { Shown } from "./cells-picture.js" */
/** @import { Battery, CellsConfig, Hass, Layout, Unit } from "./types.d.ts" */
/** @import { PropertyDeclarations, PropertyValues } from "./vendor/lit.js" */
import { LIMITS, balancedCellsOf, chosenBattery, extremesOf, limitsOf, unitsOf } from "./battery.js";
import { BatteryCard, showMoreInfo } from "./card.js";
import { CELLS_CARD, assertConfig, configForm, deviceOf } from "./cells-config.js";
import { arrangementOf, cellsPicture } from "./cells-picture.js";
import { STYLE } from "./cells-style.js";
import { reasonOf } from "./layout.js";
import { voltsOf } from "./numbers.js";
import { html, nothing } from "./vendor/lit.js";
import { words } from "./words.js";

/**
 * Why there are no cells to see, and what to do about it.
 * @typedef {object} Notice
 * @property {string} title
 * @property {string} notice
 * @property {string} advice
 * @property {string} icon
 */

/**
 * One bar for each cell of a BMS. Decides what there is to show: the cells, or why there are none;
 * cells-picture.js draws them.
 */
export class RecBmsCellsCard extends BatteryCard {
  static styles = STYLE;

  /** @type {PropertyDeclarations} */
  static properties = {
    _config: { state: true },
    _magnified: { state: true },
    _current: { state: true },
    _width: { state: true },
  };

  /** What is wrong with the configuration. @type {string | undefined} */
  #complaint = undefined;
  /** @type {Notice | Shown | undefined} */
  #shown = undefined;
  /** @type {{layout: Layout, config: CellsConfig, what: ReturnType<typeof whatIsChosen>} | undefined} */
  #chosen = undefined;
  /** How many units the width was measured with. */
  #unitsMeasured = 0;
  #measured = Promise.resolve();
  #resize = new ResizeObserver(() => this.#measure());

  constructor() {
    super();
    /** @type {CellsConfig | undefined} */
    this._config = undefined;
    this._magnified = false;
    /** The cell that the tab key goes to. @type {string | undefined} */
    this._current = undefined;
    /** In px, of a unit's cells; 0 while the card has no place yet. */
    this._width = 0;
  }

  static getConfigForm() {
    return configForm();
  }

  /** @param {Hass} hass */
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
    this._config = config;
    this._magnified = config?.scale === "cells";
  }

  connectedCallback() {
    super.connectedCallback();
    this.#resize.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resize.disconnect();
  }

  getCardSize() {
    return 6;
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6, rows: "auto" };
  }

  /**
   * @param {PropertyValues} changed
   */
  shouldUpdate(changed) {
    return this._config !== undefined && super.shouldUpdate(changed);
  }

  render() {
    const { hass, _config: config } = this;
    if (hass === undefined || config === undefined) return nothing;
    const shown = this.#whatToShow(hass, config);
    this.#shown = shown;
    const { classes, style, body } = "notice" in shown ? noticed(shown) : this.#drawn(hass, config, shown);
    return html`<ha-card
      ><div
        class="content ${classes}"
        style=${style}
        @click=${this.#click}
        @focusin=${this.#focus}
        @keydown=${this.#move}
      >
        ${body}
      </div></ha-card
    >`;
  }

  updated() {
    const shown = this.#shown;
    const units = shown !== undefined && "units" in shown ? shown.units.length : 0;
    if (units === this.#unitsMeasured) return;
    this.#unitsMeasured = units;
    this.#measured = this.#measureOnceThereIsRoom();
  }

  /** A first drawing is complete when the cells have found their rows. */
  async getUpdateComplete() {
    const complete = await super.getUpdateComplete();
    await this.#measured;
    return complete && !this.isUpdatePending;
  }

  /**
   * @param {Hass} hass
   * @param {CellsConfig} config
   * @param {Shown} shown
   */
  #drawn(hass, config, shown) {
    const arrangement = arrangementOf(shown, this._width);
    const body = cellsPicture(hass, shown, arrangement, {
      resistance: config.show_resistance !== false,
      temperature: config.show_temperature !== false,
      magnified: this._magnified,
      current: this._current,
      magnify: this.#magnify,
    });
    return { ...arrangement, body };
  }

  /**
   * @param {Hass} hass
   * @param {CellsConfig} config
   * @returns {Notice | Shown}
   */
  #whatToShow(hass, config) {
    const say = words(hass);
    if (this.#complaint !== undefined) {
      const notice = say("card.malformed");
      return { title: "", notice, advice: this.#complaint, icon: "mdi:alert-circle-outline" };
    }
    const { layout, failure } = this.known;
    const title = config.title ?? say("card.title");
    const notice = (/** @type {string} */ key, /** @type {string} */ icon, values = {}) => ({
      title,
      notice: say(`card.${key}`, values),
      advice: say(`card.${key}_advice`, values),
      icon,
    });
    if (hass.connected === false) return notice("disconnected", "mdi:lan-disconnect");
    if (failure !== undefined) {
      return notice("failed", "mdi:alert-circle-outline", { reason: failure });
    }
    if (layout === undefined) {
      return { title, notice: say("card.loading"), advice: "", icon: "mdi:battery-sync-outline" };
    }
    const chosen = this.#chosenFrom(layout, config);
    if (chosen === undefined) return notice("no_such_battery", "mdi:battery-unknown");
    const { battery, units, cells } = chosen;
    if (!units.length) {
      const missing = chosen.wanted?.length && unitsOf(battery, undefined).length;
      const advice = say("card.no_such_unit_advice", { unit: chosen.wanted?.join(", ") ?? "" });
      const none = notice("no_cells", "mdi:battery-off-outline");
      return missing ? { ...none, advice } : none;
    }
    this.watched = chosen.watched;
    const balanced = balancedCellsOf(battery, hass);
    for (const cell of cells) {
      cell.volts = voltsOf(hass.states[cell.entityId]);
      cell.balancing = balanced.has(cell.id);
    }
    const extremes = extremesOf(cells);
    if (extremes === undefined) return notice("away", "mdi:battery-alert-variant-outline");
    const limits = config.show_limits === false ? [] : limitsOf(battery, hass);
    return { title, say, units, cells, limits, extremes, battery, signature: chosen.signature };
  }

  /**
   * What depends on the layout and the configuration alone.
   * @param {Layout} layout
   * @param {CellsConfig} config
   */
  #chosenFrom(layout, config) {
    if (this.#chosen?.layout !== layout || this.#chosen.config !== config) {
      this.#chosen = { layout, config, what: whatIsChosen(layout, config) };
    }
    return this.#chosen.what;
  }

  async #measureOnceThereIsRoom() {
    // Nothing inside has a width before Home Assistant's own card has drawn itself.
    /** @type {import("./vendor/lit.js").LitElement | null} */
    const frame = this.renderRoot.querySelector("ha-card");
    await frame?.updateComplete;
    this.#measure();
  }

  /** Puts as many cells in a row as are readable, whenever the card's width changes. */
  #measure() {
    const width = this.renderRoot.querySelector(".rows")?.clientWidth ?? 0;
    if (width > 0) this._width = width;
  }

  #magnify = () => {
    this._magnified = !this._magnified;
  };

  /** @param {Event} event */
  #click(event) {
    const entityId = closest(event, "[data-entity]")?.dataset.entity;
    if (entityId !== undefined) showMoreInfo(this, entityId);
  }

  /** @param {Event} event */
  #focus(event) {
    const cell = closest(event, "[data-cell]")?.dataset.cell;
    if (cell !== undefined) this._current = cell;
  }

  /**
   * One stop for the tab key in the whole picture; arrows go from cell to cell.
   * @param {KeyboardEvent} event
   */
  #move(event) {
    const target = closest(event, "[data-cell]");
    const shown = this.#shown;
    if (target === undefined || shown === undefined || !("cells" in shown)) return;
    const here = shown.cells.findIndex(({ id }) => id === target.dataset.cell);
    const forwards = getComputedStyle(this).direction === "rtl" ? -1 : 1;
    const { perRow } = arrangementOf(shown, this._width);
    /** @type {Record<string, number | undefined>} */
    const places = {
      ArrowRight: here + forwards,
      ArrowLeft: here - forwards,
      ArrowDown: here + perRow,
      ArrowUp: here - perRow,
      Home: 0,
      End: shown.cells.length - 1,
    };
    const there = shown.cells[places[event.key] ?? -1];
    if (there === undefined) return;
    event.preventDefault();
    /** @type {HTMLElement | null} */
    const button = this.renderRoot.querySelector(`[data-cell="${there.id}"]`);
    button?.focus();
  }
}

/** @param {Notice} notice */
function noticed({ title, notice, advice, icon }) {
  const body = html`${title ? html`<h2 class="title">${title}</h2>` : nothing}
    <div class="notice" role="status">
      <ha-icon icon=${icon} aria-hidden="true"></ha-icon>
      <h3>${notice}</h3>
      ${advice ? html`<p>${advice}</p>` : nothing}
    </div>`;
  return { classes: "", style: "", body };
}

/**
 * The part of the card that an event is about.
 * @param {Event} event
 * @param {string} selector
 */
function closest({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : undefined;
}

/**
 * @param {Layout} layout
 * @param {CellsConfig} config
 */
function whatIsChosen(layout, config) {
  const chosen = chosenBattery(layout, config);
  if (chosen === undefined) return undefined;
  const { battery, units: wanted } = chosen;
  const units = unitsOf(battery, wanted);
  return {
    battery,
    wanted,
    units,
    cells: units.flatMap((unit) => unit.cells),
    watched: watchedBy(battery, units),
    signature: signatureOf(units),
  };
}

/**
 * What must be the same for elements to be used again: a bar never becomes another cell's.
 * @param {Unit[]} units
 */
function signatureOf(units) {
  return JSON.stringify(
    units.map(({ number, cells }) => [number, cells.map(({ id, entityId }) => [id, entityId])]),
  );
}

/**
 * The entities that a card shows something of.
 * @param {Battery} battery
 * @param {Unit[]} units
 */
function watchedBy(battery, units) {
  const ofUnits = units.flatMap(({ cells, temperatureIds }) => [
    ...cells.flatMap(({ entityId, resistanceId }) => [entityId, resistanceId]),
    ...temperatureIds,
  ]);
  const limits = LIMITS.map((key) => battery.entities[key]);
  return [...ofUnits, ...limits, battery.entities.balancing].filter((id) => id !== undefined);
}

/**
 * The device that a unit's device hangs on, or the device itself.
 * @param {Hass} hass
 * @param {string | undefined} device
 */
function mainDevice(hass, device) {
  return (device && hass.devices?.[device]?.via_device_id) || device;
}

/**
 * What Home Assistant's card picker offers for an entity.
 * @param {Hass} hass
 * @param {string} entityId
 */
export function suggestionFor(hass, entityId) {
  const device = deviceOf(hass, entityId);
  // The device of a bank is none that can be touched, and has no cells of its own.
  if (device === undefined || hass.devices?.[device]?.entry_type === "service") return null;
  return { config: { type: `custom:${CELLS_CARD}`, device: mainDevice(hass, device) } };
}
