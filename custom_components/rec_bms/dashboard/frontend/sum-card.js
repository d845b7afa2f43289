// @ts-check
import { element, setAttribute, setText } from "./dom.js";
import { layoutStore } from "./layout.js";
import { numberOf, voltsOf, written } from "./numbers.js";
import { words } from "./words.js";

export const SUM_CARD = "rec-bms-sum-card";

/** Watts in one of what a user can choose as the unit of a power; likewise kWh. */
const WATTS = { mW: 1e-3, W: 1, kW: 1e3, MW: 1e6 };
const KILOWATT_HOURS = { Wh: 1e-3, kWh: 1, MWh: 1e3 };
/** Less is a rest, in W. */
const NOTICEABLE = 1;

const STYLE = `
:host { display: block; }
ha-card { color: var(--primary-text-color); font-variant-numeric: tabular-nums; height: 100%; box-sizing: border-box; }
.content { padding: 16px; display: grid; gap: 12px; }
dl { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 0; }
dl div { display: grid; }
dt, p { margin: 0; font-size: 0.875rem; color: color-mix(in srgb, var(--primary-text-color) 72%, var(--card-background-color, #fff)); }
dd { margin: 0; font-size: 1.75rem; font-weight: 400; line-height: 1.25; }
`;

/** What all batteries have together. No built-in card adds up and says of how many. */
export class RecBmsSumCard extends HTMLElement {
  /** @type {any} */
  #hass = undefined;
  #forget = () => {};
  #content = element("div", { class: "content" });
  #figures = element("dl");
  #heard = element("p", { role: "status" });

  constructor() {
    super();
    const style = element("style");
    style.textContent = STYLE;
    this.#content.append(this.#figures, this.#heard);
    this.attachShadow({ mode: "open" }).append(style, element("ha-card", {}, this.#content));
  }

  setConfig() {}

  set hass(hass) {
    const first = this.#hass === undefined;
    this.#hass = hass;
    if (this.isConnected) {
      if (first) this.connectedCallback();
      layoutStore(hass).follow(hass);
    }
    this.#redraw();
  }

  connectedCallback() {
    this.#forget();
    if (this.#hass === undefined) return;
    this.#forget = layoutStore(this.#hass).listen(() => this.#redraw());
    layoutStore(this.#hass).follow(this.#hass);
    this.#redraw();
  }

  disconnectedCallback() {
    this.#forget();
  }

  getCardSize() {
    return 2;
  }

  getGridOptions() {
    return { columns: "full", rows: "auto" };
  }

  #redraw() {
    const hass = this.#hass;
    const batteries = layoutStore(hass).layout?.batteries;
    if (batteries === undefined) return;
    const say = words(hass);
    const heard = hass.connected === false ? [] : batteries.flatMap((each) => read(hass, each));
    setText(this.#heard, heardOf(say, heard.length, batteries.length));
    const figures = heard.length ? figuresOf(hass, say, heard) : [];
    while (this.#figures.children.length > figures.length) this.#figures.lastElementChild.remove();
    while (this.#figures.children.length < figures.length) {
      this.#figures.append(element("div", {}, element("dt"), element("dd")));
    }
    figures.forEach(({ name, what, value }, index) => {
      const figure = this.#figures.children[index];
      setAttribute(figure, "data-figure", name);
      setText(figure.children[0], what);
      setText(figure.children[1], value);
    });
  }
}

/**
 * What one battery has, nothing where it is not heard: percent, W, and kWh held and of room.
 * @typedef {{charge?: number, power?: number, energy?: number, room?: number}} Part
 * @param {any} hass
 * @param {import("./layout.js").Battery} battery
 * @returns {Part[]}
 */
function read(hass, { entities }) {
  const charge = numberOf(hass.states[entities.state_of_charge]);
  const power = inUnit(hass.states[entities.power], WATTS);
  const energy = inUnit(hass.states[entities.stored_energy], KILOWATT_HOURS);
  if (charge === undefined && power === undefined && energy === undefined) return [];
  const room = roomOf(hass, entities) ?? roomBehind(charge, energy);
  return [{ charge, power, energy, room }];
}

/**
 * What a battery can hold, from its capacity.
 * @param {any} hass
 * @param {Record<string, string>} entities
 */
function roomOf(hass, entities) {
  const ampereHours = inUnit(hass.states[entities.capa], { Ah: 1 });
  const volts = voltsOf(hass.states[entities.voltage]);
  return ampereHours && volts ? (ampereHours * volts) / 1000 : undefined;
}

/**
 * What a battery can hold, from what it holds: of an empty one that is not known.
 * @param {number | undefined} charge
 * @param {number | undefined} energy
 */
function roomBehind(charge, energy) {
  return charge && energy ? energy / (charge / 100) : undefined;
}

/**
 * @param {any} state
 * @param {Record<string, number>} factors
 */
function inUnit(state, factors) {
  const value = numberOf(state);
  const factor = factors[state?.attributes.unit_of_measurement];
  return value === undefined || factor === undefined ? undefined : value * factor;
}

/**
 * @param {any} say
 * @param {number} heard
 * @param {number} count
 */
function heardOf(say, heard, count) {
  if (heard === count) return say("sum.all", { count });
  return say(heard ? "sum.some" : "sum.none", { heard, count });
}

/**
 * A sum is shown only if each battery that is heard has its part in it.
 * @param {any} hass
 * @param {any} say
 * @param {Part[]} heard
 */
function figuresOf(hass, say, heard) {
  const energy = sum(heard.map((each) => each.energy));
  const power = sum(heard.map((each) => each.power));
  const charge = together(heard);
  const figures = [];
  if (charge !== undefined) {
    figures.push({
      name: "charge",
      what: say("sum.charge"),
      value: `${written(hass, charge, 0)} %`,
    });
  }
  if (power !== undefined) {
    const flow = power >= NOTICEABLE ? "charging" : power <= -NOTICEABLE ? "discharging" : "resting";
    figures.push({
      name: "power",
      what: `${say("sum.power")} · ${say(`sum.${flow}`)}`,
      value: `${written(hass, Math.round(power) + 0, 0)} W`,
    });
  }
  if (energy !== undefined) {
    figures.push({
      name: "energy",
      what: say("sum.energy"),
      value: `${written(hass, energy, 1)} kWh`,
    });
  }
  return figures;
}

/** @param {(number | undefined)[]} values */
function sum(values) {
  return values.some((value) => value === undefined)
    ? undefined
    : values.reduce((total, value) => total + value, 0);
}

/**
 * The state of charge of all together: each one's weighs as much as it can hold.
 * @param {Part[]} heard
 */
function together(heard) {
  const room = sum(heard.map((each) => each.room));
  const held = sum(
    heard.map(({ charge, room }) =>
      charge === undefined || room === undefined ? undefined : (charge / 100) * room,
    ),
  );
  return held !== undefined && room ? (held / room) * 100 : undefined;
}
