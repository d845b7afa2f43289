// @ts-check
import { element, setAttribute, setText, showMoreInfo } from "./dom.js";
import { written } from "./numbers.js";
import { isOnScale, placeOn, scaleFor, spreadApart } from "./scale.js";

/** With more cells than this, bars are drawn smaller and without a label of their own. */
const MANY_CELLS = 48;
const ROOMY = { pitch: 42, plot: 168, gutter: 44, unit: "100%" };
const DENSE = { pitch: 24, plot: 84, gutter: 0, unit: "22rem" };
/** In px: what the label of a cell needs, and what a label of the gutter needs. */
const LABEL_WIDTH = 40;
const LABEL_WITH_UNIT = 64;
const LABEL_HEIGHT = 13;

const GLYPHS = { lowest: "▼", highest: "▲" };

/**
 * @typedef {object} Shown what there is to draw
 * @property {string} title
 * @property {(key: string, values?: Record<string, any>) => string} say
 * @property {import("./battery.js").Unit[]} units
 * @property {import("./battery.js").Cell[]} cells
 * @property {import("./battery.js").Limit[]} limits
 * @property {{lowest: import("./battery.js").Cell, highest: import("./battery.js").Cell}} extremes
 * @property {import("./layout.js").Battery} battery
 *
 * @typedef {object} Options
 * @property {boolean} resistance
 * @property {boolean} temperature
 * @property {boolean} magnified
 */

/** The elements of a card: made once for a battery, and from then on only changed. */
export class CellsPicture {
  #root;
  #sizes;
  #signature;
  /** @type {Shown} */
  #shown;
  /** @type {Map<string, {button: HTMLElement, bar: HTMLElement, glyph: Element, volts: Element, ohms: Element}>} */
  #cells = new Map();
  /** @type {{number: number, range: Element, rows: HTMLElement, temperatures: Map<string, Element>}[]} */
  #units = [];
  /** @type {HTMLElement[]} */
  #lines = [];
  /** @type {HTMLElement[]} */
  #gutters = [];
  #perRow = 0;
  #linesWanted = "";
  #current = "";

  /**
   * @param {HTMLElement} root
   * @param {Shown} shown
   * @param {Options} options
   * @param {() => void} magnify
   */
  constructor(root, shown, options, magnify) {
    this.#root = root;
    this.#shown = shown;
    this.#sizes = shown.cells.length > MANY_CELLS ? DENSE : ROOMY;
    this.#signature = signatureOf(shown, options);
    this.#current = shown.cells[0].id;
    this.#figures = element("div", { class: "figures" });
    this.#magnify = element("button", { class: "magnify", type: "button" });
    this.#magnify.append(element("ha-icon", { icon: "mdi:magnify-plus-outline" }));
    this.#magnify.addEventListener("click", magnify);
    this.#title = element("h2", { class: "title" });
    this.#limits = element("ul", { class: "limits" });
    this.#hint = element("p", { class: "visually-hidden", id: "hint" });
    const units = shown.units.map((unit) => this.#makeUnit(unit, options));
    this.#grid = element("div", { class: "units", role: "group", "aria-describedby": "hint" });
    this.#grid.append(...units);
    this.#grid.addEventListener("keydown", (event) => this.#move(event));
    root.style.setProperty("--plot", `${this.#sizes.plot}px`);
    root.style.setProperty("--gutter", `${this.#sizes.gutter}px`);
    root.style.setProperty("--narrowest-unit", this.#sizes.unit);
    const head = element("div", { class: "head" }, this.#title, this.#figures, this.#magnify);
    root.replaceChildren(head, this.#grid, this.#limits, this.#hint);
    this.fit();
  }

  #title;
  #figures;
  #magnify;
  #grid;
  #limits;
  #hint;

  /**
   * Whether these elements are the right ones for what is now to be drawn.
   * @param {Shown} shown
   * @param {Options} options
   */
  canShow(shown, options) {
    return this.#signature === signatureOf(shown, options);
  }

  /** Puts as many cells in a row as are readable; called when the card's width changes. */
  fit() {
    const rows = this.#units[0]?.rows;
    const width = (rows?.clientWidth ?? 0) - this.#sizes.gutter;
    if (width <= 0) return;
    const most = Math.max(...this.#shown.units.map((unit) => unit.cells.length));
    const fitting = Math.max(1, Math.floor(width / this.#sizes.pitch));
    const perRow = Math.ceil(most / Math.ceil(most / fitting));
    this.#root.classList.toggle("tight", width / perRow < LABEL_WIDTH);
    this.#root.classList.toggle("snug", width / perRow < LABEL_WITH_UNIT);
    if (perRow === this.#perRow) return;
    this.#perRow = perRow;
    this.#fillRows();
  }

  /**
   * @param {any} hass
   * @param {Shown} shown
   * @param {Options} options
   */
  update(hass, shown, options) {
    this.#shown = shown;
    const { say, cells, limits, extremes } = shown;
    const scale = scaleFor(
      options.magnified ? "cells" : "limits",
      cells.flatMap((cell) => cell.volts ?? []),
      limits.map((limit) => limit.volts),
    );
    setText(this.#title, shown.title);
    setText(this.#hint, say("card.cells_hint", { count: cells.length }));
    setAttribute(this.#grid, "aria-label", shown.title);
    setAttribute(this.#magnify, "aria-pressed", String(options.magnified));
    setAttribute(this.#magnify, "aria-label", say("card.magnify"));
    setAttribute(this.#magnify, "title", say("card.magnify"));
    this.#updateFigures(hass);
    const cutOffs = Object.fromEntries(limits.map((limit) => [limit.key, limit.volts]));
    const spread = extremes.highest.volts - extremes.lowest.volts;
    for (const cell of cells) {
      let mark;
      if (spread > 0 && cell === extremes.lowest) mark = "lowest";
      else if (spread > 0 && cell === extremes.highest) mark = "highest";
      this.#updateCell(hass, cell, scale, mark, cutOffs, options);
    }
    this.#updateUnits(hass);
    this.#updateLines(hass, limits, scale);
    this.#updateLegend(hass, limits);
  }

  /**
   * @param {import("./battery.js").Unit} unit
   * @param {Options} options
   */
  #makeUnit(unit, options) {
    const only = this.#shown.units.length === 1;
    const title = element("h3", { class: "unit-title" });
    setText(title, this.#shown.say("card.unit", { number: unit.number }));
    const range = element("span", { class: "unit-range" });
    const list = element("ul", { class: "temperatures" });
    setAttribute(list, "aria-label", this.#shown.say("card.temperatures"));
    const temperatures = new Map();
    for (const id of options.temperature ? unit.temperatureIds : []) {
      const chip = element("button", { class: "temperature", type: "button" });
      chip.addEventListener("click", () => showMoreInfo(this.#root, id));
      temperatures.set(id, chip);
      list.append(element("li", {}, chip));
    }
    const head = element("div", { class: "unit-head" }, ...(only ? [] : [title, range]), list);
    head.hidden = only && !temperatures.size;
    const rows = element("div", { class: "rows" });
    for (const cell of unit.cells) this.#cells.set(cell.id, this.#makeCell(cell));
    this.#units.push({ number: unit.number, range, rows, temperatures });
    return element("section", { class: "unit", "data-unit": unit.number }, head, rows);
  }

  /** @param {import("./battery.js").Cell} cell */
  #makeCell(cell) {
    const bar = element("div", { class: "bar" });
    const glyph = element("span", { class: "mark glyph" });
    const volts = element("span", { class: "volts" });
    const ohms = element(
      "span",
      { class: "ohms" },
      element("span"),
      element("span", { class: "ohms-unit" }),
    );
    const number = element("span", { class: "number" }, String(cell.number));
    const button = element(
      "button",
      {
        class: "cell",
        type: "button",
        "data-cell": cell.id,
        "data-entity": cell.entityId,
        tabindex: cell.id === this.#current ? "0" : "-1",
      },
      element("div", { class: "well" }, bar),
      glyph,
      volts,
      ohms,
      number,
    );
    button.addEventListener("click", () => showMoreInfo(this.#root, cell.entityId));
    button.addEventListener("focus", () => this.#makeCurrent(cell.id));
    return { button, bar, glyph, volts, ohms };
  }

  #fillRows() {
    this.#root.style.setProperty("--per-row", String(this.#perRow));
    this.#lines = [];
    this.#gutters = [];
    this.#linesWanted = "";
    this.#shown.units.forEach((unit, index) => {
      const rows = [];
      for (let start = 0; start < unit.cells.length; start += this.#perRow) {
        const lines = element("div", { class: "lines" });
        const gutter = element("div", { class: "gutter", "aria-hidden": "true" });
        const cells = element("div", { class: "cells" });
        for (const cell of unit.cells.slice(start, start + this.#perRow)) {
          cells.append(this.#cells.get(cell.id).button);
        }
        rows.push(
          element(
            "div",
            { class: "row" },
            gutter,
            element("div", { class: "field" }, lines, cells),
          ),
        );
        this.#lines.push(lines);
        this.#gutters.push(gutter);
      }
      this.#units[index].rows.replaceChildren(...rows);
    });
    this.#redrawLines();
  }

  #redrawLines = () => {};

  /**
   * @param {any} hass
   * @param {import("./battery.js").Cell} cell
   * @param {import("./scale.js").Scale} scale
   * @param {"lowest" | "highest" | undefined} mark
   * @param {Record<string, number>} cutOffs
   * @param {Options} options
   */
  #updateCell(hass, cell, scale, mark, cutOffs, options) {
    const { button, bar, glyph, volts, ohms } = this.#cells.get(cell.id);
    const { say, units } = this.#shown;
    const known = cell.volts !== undefined;
    const beyond = known && (cell.volts > cutOffs.cmax || cell.volts < cutOffs.cmin);
    setAttribute(button, "data-mark", mark);
    setAttribute(button, "data-beyond", beyond ? "" : undefined);
    setAttribute(button, "data-empty", known ? undefined : "");
    const place = known ? placeOn(scale, cell.volts).toFixed(4) : "0";
    if (bar.style.getPropertyValue("--at") !== place) bar.style.setProperty("--at", place);
    setText(glyph, mark === undefined ? "" : GLYPHS[mark]);
    setText(volts, known ? written(hass, cell.volts, 3) : "–");
    const resistance = options.resistance ? knownText(hass, cell.resistanceId) : undefined;
    const [ohmNumber, ohmUnit] = splitUnit(resistance ?? "");
    setText(ohms.children[0], ohmNumber);
    setText(ohms.children[1], ohmUnit);
    const name =
      units.length > 1 || cell.unit > 1
        ? say("card.cell_of_unit", { unit: cell.unit, cell: cell.number })
        : say("card.cell", { number: cell.number });
    const parts = [
      name,
      known ? `${written(hass, cell.volts, 3)} V` : say("card.no_value"),
      mark && say(`card.${mark}`),
      beyond && say("card.beyond"),
      resistance,
    ];
    const label = parts.filter((part) => part).join(", ");
    setAttribute(button, "aria-label", label);
    setAttribute(button, "title", label);
  }

  /** @param {any} hass */
  #updateFigures(hass) {
    const { say, extremes, battery, units } = this.#shown;
    const { lowest, highest } = extremes;
    const millivolts = (highest.volts - lowest.volts) * 1000;
    const place = (/** @type {import("./battery.js").Cell} */ cell) =>
      units.length > 1 ? `${cell.unit}.${cell.number}` : String(cell.number);
    const figures = [
      {
        name: "spread",
        what: say("card.spread"),
        value: `${written(hass, millivolts, 0)} mV`,
        entityId: battery.entities.cell_voltage_delta ?? highest.entityId,
      },
      ...[
        { name: "lowest", cell: lowest },
        { name: "highest", cell: highest },
      ].map(({ name, cell }) => ({
        name,
        what: `${GLYPHS[name]} ${say(`card.${name}`)} · ${place(cell)}`,
        value: `${written(hass, cell.volts, 3)} V`,
        entityId: cell.entityId,
      })),
    ];
    keep(this.#figures, figures.length, () => {
      const button = element("button", { type: "button" });
      button.append(element("span", { class: "what" }), element("span", { class: "value" }));
      button.addEventListener("click", () => showMoreInfo(this.#root, button.dataset.entity));
      return button;
    });
    figures.forEach(({ name, what, value, entityId }, index) => {
      const button = this.#figures.children[index];
      setAttribute(button, "data-figure", name);
      setAttribute(button, "data-entity", entityId);
      setText(button.children[0], what);
      setText(button.children[1], value);
    });
  }

  /** @param {any} hass */
  #updateUnits(hass) {
    this.#units.forEach(({ range, temperatures }, index) => {
      const volts = this.#shown.units[index].cells.flatMap((cell) => cell.volts ?? []);
      const lowest = Math.min(...volts);
      const highest = Math.max(...volts);
      const text = volts.length
        ? `${written(hass, lowest, 3)} – ${written(hass, highest, 3)} V · ${written(hass, (highest - lowest) * 1000, 0)} mV`
        : this.#shown.say("card.no_value");
      setText(range, text);
      for (const [id, chip] of temperatures) {
        const temperature = knownText(hass, id);
        chip.parentElement.hidden = temperature === undefined;
        setText(chip, temperature ?? "");
        if (temperature) setAttribute(chip, "aria-label", `${nameOf(hass, id)}: ${temperature}`);
      }
    });
  }

  /**
   * @param {any} hass
   * @param {import("./battery.js").Limit[]} limits
   * @param {import("./scale.js").Scale} scale
   */
  #updateLines(hass, limits, scale) {
    this.#redrawLines = () => {
      const placed = limits
        .map((limit) => ({ ...limit, at: placeOn(scale, limit.volts) }))
        .filter((limit) => isOnScale(limit.at));
      const band = bandOf(limits, scale);
      const wanted = JSON.stringify([placed, band, hass.locale]);
      if (wanted === this.#linesWanted) return;
      this.#linesWanted = wanted;
      for (const lines of this.#lines) drawLines(lines, placed, band);
      if (this.#sizes.gutter) for (const gutter of this.#gutters) this.#label(hass, gutter, placed);
    };
    this.#redrawLines();
  }

  /**
   * @param {any} hass
   * @param {HTMLElement} gutter
   * @param {{volts: number, at: number}[]} placed
   */
  #label(hass, gutter, placed) {
    const known = new Map(
      placed.map(({ volts, at }) => [written(hass, volts, digitsNeeded(volts)), at]),
    );
    const labels = [...known.keys()];
    const places = spreadApart([...known.values()], LABEL_HEIGHT / this.#sizes.plot);
    keep(gutter, labels.length, () => element("span"));
    labels.forEach((label, index) => {
      const span = /** @type {HTMLElement} */ (gutter.children[index]);
      setText(span, label);
      span.style.setProperty("--label-at", places[index].toFixed(4));
    });
  }

  /**
   * @param {any} hass
   * @param {import("./battery.js").Limit[]} limits
   */
  #updateLegend(hass, limits) {
    this.#limits.hidden = !limits.length;
    setAttribute(this.#limits, "aria-label", this.#shown.say("card.limits"));
    keep(this.#limits, limits.length, () => {
      const button = element("button", { type: "button" });
      button.append(
        element("span", { class: "swatch", "aria-hidden": "true" }),
        element("span", { class: "name" }),
        element("span", { class: "value" }),
      );
      button.addEventListener("click", () => showMoreInfo(this.#root, button.dataset.entity));
      return element("li", {}, button);
    });
    limits.forEach((limit, index) => {
      const button = this.#limits.children[index].children[0];
      setAttribute(button, "data-limit", limit.key);
      setAttribute(button, "data-entity", limit.entityId);
      setText(button.children[1], nameOf(hass, limit.entityId));
      setText(button.children[2], hass.formatEntityState(hass.states[limit.entityId]));
    });
  }

  /**
   * One stop for the tab key in the whole picture; arrows go from cell to cell.
   * @param {KeyboardEvent} event
   */
  #move(event) {
    const target = /** @type {HTMLElement} */ (event.target).closest("[data-cell]");
    if (!(target instanceof HTMLElement)) return;
    const ids = [...this.#cells.keys()];
    const here = ids.indexOf(target.dataset.cell);
    const forwards = getComputedStyle(this.#root).direction === "rtl" ? -1 : 1;
    const there = {
      ArrowRight: here + forwards,
      ArrowLeft: here - forwards,
      ArrowDown: here + this.#perRow,
      ArrowUp: here - this.#perRow,
      Home: 0,
      End: ids.length - 1,
    }[event.key];
    if (there === undefined || there < 0 || there >= ids.length) return;
    event.preventDefault();
    this.#cells.get(ids[there]).button.focus();
  }

  /** @param {string} id */
  #makeCurrent(id) {
    this.#cells.get(this.#current)?.button.setAttribute("tabindex", "-1");
    this.#cells.get(id).button.setAttribute("tabindex", "0");
    this.#current = id;
  }
}

/**
 * What must be the same for elements to be used again.
 * @param {Shown} shown
 * @param {Options} options
 */
function signatureOf({ units, say }, { temperature }) {
  const ids = units.map((unit) => [
    unit.number,
    unit.cells.map((cell) => [cell.id, cell.entityId]),
    temperature ? unit.temperatureIds : [],
  ]);
  return JSON.stringify([ids, say("card.unit"), say("card.temperatures")]);
}

/**
 * Gives a parent as many children as are needed.
 * @param {Element} parent
 * @param {number} count
 * @param {() => Element} make
 */
function keep(parent, count, make) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(make());
}

/**
 * What an entity shows, undefined where it shows nothing.
 * @param {any} hass
 * @param {string | undefined} entityId
 */
function knownText(hass, entityId) {
  const state = entityId === undefined ? undefined : hass.states[entityId];
  if (state === undefined || ["unavailable", "unknown"].includes(state.state)) return undefined;
  return hass.formatEntityState(state);
}

/**
 * A number and the unit behind it, which is left out where there is no room for it.
 * @param {string} text
 * @returns {[string, string]}
 */
function splitUnit(text) {
  const unit = /[^\d]*$/.exec(text)?.[0] ?? "";
  return [text.slice(0, text.length - unit.length), unit];
}

/**
 * The name of an entity without that of its device.
 * @param {any} hass
 * @param {string} entityId
 */
function nameOf(hass, entityId) {
  const state = hass.states[entityId];
  return (
    hass.formatEntityName?.(state, { type: "entity" }) ||
    state?.attributes.friendly_name ||
    entityId
  );
}

/**
 * Two digits read more easily, but a limit is never rounded to another one.
 * @param {number} volts
 */
function digitsNeeded(volts) {
  return Math.round(volts * 1000) % 10 === 0 ? 2 : 3;
}

/**
 * Where balancing goes on: between its start and its end.
 * @param {import("./battery.js").Limit[]} limits
 * @param {import("./scale.js").Scale} scale
 */
function bandOf(limits, scale) {
  const start = limits.find((limit) => limit.key === "bmin");
  const end = limits.find((limit) => limit.key === "bvol");
  if (start === undefined || end === undefined) return undefined;
  const bottom = Math.max(0, placeOn(scale, start.volts));
  const top = Math.min(1, placeOn(scale, end.volts));
  return top > bottom ? { at: bottom, tall: top - bottom } : undefined;
}

/**
 * @param {HTMLElement} lines
 * @param {{key: string, at: number}[]} placed
 * @param {{at: number, tall: number} | undefined} band
 */
function drawLines(lines, placed, band) {
  keep(lines, placed.length + 1, () => element("div"));
  const [first, ...others] = /** @type {HTMLElement[]} */ ([...lines.children]);
  first.className = "band";
  first.hidden = band === undefined;
  first.style.setProperty("--at", (band?.at ?? 0).toFixed(4));
  first.style.setProperty("--tall", (band?.tall ?? 0).toFixed(4));
  placed.forEach(({ key, at }, index) => {
    others[index].className = "line";
    others[index].dataset.limit = key;
    others[index].style.setProperty("--at", at.toFixed(4));
  });
}
