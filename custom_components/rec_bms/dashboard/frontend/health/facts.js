// @ts-check
/** @import { Battery, EntityState, Hass, Say } from "../types.d.ts" */
import { placed } from "../battery.js";
import { dayText } from "../moments.js";
import { written } from "../numbers.js";
import { languageOf, words } from "../words.js";

const HOUR = 60;
/** More minutes than these are told in hours. */
const MANY_MINUTES = 90;

/** What is known of a battery's health, in the user's words; notes what was looked at. */
export class Facts {
  /**
   * @param {Hass} hass
   * @param {Battery} battery
   */
  constructor(hass, battery) {
    this.hass = hass;
    this.battery = battery;
    /** @type {Say} */
    this.say = words(hass);
    /** Ids of the entities that were looked at. @type {Set<string>} */
    this.seen = new Set();
  }

  /**
   * An entity that says something, be it that nothing is known.
   * @param {string} key
   * @returns {EntityState | undefined}
   */
  state(key) {
    const id = this.battery.entities[key];
    if (id === undefined || this.hass.entities?.[id]?.hidden) return undefined;
    this.seen.add(id);
    const state = this.hass.states[id];
    return state === undefined || state.state === "unavailable" ? undefined : state;
  }

  /**
   * A sentence on an entity: another one where nothing is known, none where it says nothing.
   * @param {string} key
   * @param {(state: EntityState, attributes: Record<string, any>) => (string | undefined)[]} known
   * @param {string} [unknown] key of the sentence
   * @returns {string[]}
   */
  about(key, known, unknown) {
    const state = this.state(key);
    if (state === undefined) return [];
    if (isKnown(state)) return known(state, state.attributes).filter((each) => each !== undefined);
    return unknown === undefined ? [] : [this.say(unknown)];
  }

  /**
   * A sentence, if all that goes into it is known.
   * @param {string} key
   * @param {Record<string, string | undefined>} values
   * @returns {string | undefined}
   */
  sentence(key, values) {
    /** @type {Record<string, string>} */
    const known = {};
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) return undefined;
      known[name] = value;
    }
    return this.say(key, known);
  }

  /**
   * What an entity shows, or a value as if it showed that one.
   * @param {EntityState} state
   * @param {unknown} [value]
   */
  value(state, value = state.state) {
    const number = Number(value);
    if (value === null || value === "" || !Number.isFinite(number)) return undefined;
    return this.hass.formatEntityState(state, String(value));
  }

  /**
   * @param {EntityState} state
   * @param {unknown} [value]
   */
  signed(state, value = state.state) {
    const text = this.value(state, value);
    return text !== undefined && Number(value) > 0 ? `+${text}` : text;
  }

  /**
   * An attribute in the words that Home Assistant has for it.
   * @param {EntityState} state
   * @param {string} name
   */
  attribute(state, name) {
    const value = state.attributes[name];
    return value === null || value === undefined
      ? undefined
      : this.hass.formatEntityAttributeValue(state, name);
  }

  /**
   * @param {unknown} unit
   * @param {unknown} cell
   */
  cell(unit, cell) {
    if (typeof cell !== "number") return undefined;
    const several = new Set(Object.values(this.battery.devices)).size > 1;
    return several && typeof unit === "number"
      ? this.say("card.cell_of_unit", { unit, cell })
      : this.say("card.cell", { number: cell });
  }

  /** @param {unknown} charge */
  ampereHours(charge) {
    return typeof charge === "number" ? `${written(this.hass, charge, 1)} Ah` : undefined;
  }

  /** @param {unknown} share in percent */
  percent(share) {
    if (typeof share !== "number") return undefined;
    const style = { style: "percent", maximumFractionDigits: 0 };
    const format = new Intl.NumberFormat(languageOf(this.hass), /** @type {any} */ (style));
    return format.format(share / 100);
  }

  /** @param {unknown} time */
  day(time) {
    const known = typeof time === "string" && Number.isFinite(Date.parse(time));
    return known ? dayText(this.hass, time) : undefined;
  }

  /** @param {unknown} minutes */
  span(minutes) {
    if (typeof minutes !== "number" || !Number.isFinite(minutes)) return undefined;
    const [value, unit] =
      minutes > MANY_MINUTES ? [Math.round(minutes / HOUR), "hour"] : [Math.round(minutes), "minute"];
    const style = { style: "unit", unit, unitDisplay: "long" };
    return new Intl.NumberFormat(languageOf(this.hass), /** @type {any} */ (style)).format(value);
  }

  /**
   * What the entities of a kind show of each cell.
   * @param {string} kind
   */
  cells(kind) {
    return placed(this.battery, kind).flatMap(({ unit, number }) => {
      const state = this.state(`${kind}_${unit}_${number}`);
      const value = Number(state?.state);
      const known = state !== undefined && isKnown(state) && Number.isFinite(value);
      return known ? [{ state, value, cell: this.cell(unit, number) }] : [];
    });
  }
}

/** @param {EntityState} state */
export function isKnown(state) {
  return state.state !== "unknown" && state.state !== "";
}
