// @ts-check
/** @import { Battery, EntityState, Hass, Say } from "./types.d.ts" */
/** @import { PropertyValues } from "./vendor/lit.js" */
import { BatteryCard } from "./card.js";
import { numberOf, voltsOf, written } from "./numbers.js";
import { css, html } from "./vendor/lit.js";
import { words } from "./words.js";

export const SUM_CARD = "rec-bms-sum-card";

/** Watts in one of what a user can choose as the unit of a power; likewise kWh. */
const WATTS = { mW: 1e-3, W: 1, kW: 1e3, MW: 1e6 };
const KILOWATT_HOURS = { Wh: 1e-3, kWh: 1, MWh: 1e3 };
/** Less is a rest, in W. */
const NOTICEABLE = 1;

/** What is read of each battery. */
const ADDED = ["state_of_charge", "power", "stored_energy", "capa", "voltage"];

const STYLE = css`
:host { display: block; }
ha-card { color: var(--primary-text-color); font-variant-numeric: tabular-nums; height: 100%; box-sizing: border-box; }
.content { padding: 16px; display: grid; gap: 12px; }
dl { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 0; }
dl div { display: grid; }
dt, p { margin: 0; font-size: 0.875rem; color: color-mix(in srgb, var(--primary-text-color) 72%, var(--card-background-color, #fff)); }
dd { margin: 0; font-size: 1.75rem; font-weight: 400; line-height: 1.25; }
`;

/** What all batteries have together. No built-in card adds up and says of how many. */
export class RecBmsSumCard extends BatteryCard {
  static styles = STYLE;

  setConfig() {}

  getCardSize() {
    return 2;
  }

  getGridOptions() {
    return { columns: "full", rows: "auto" };
  }

  /**
   * What was shown last is left while nobody can say which batteries there are.
   * @param {PropertyValues} changed
   */
  shouldUpdate(changed) {
    const mayBeEmpty = !this.hasUpdated;
    return (mayBeEmpty || this.known.layout !== undefined) && super.shouldUpdate(changed);
  }

  render() {
    const { hass } = this;
    const batteries = this.known.layout?.batteries;
    const { heard, figures } =
      hass === undefined || batteries === undefined
        ? { heard: "", figures: [] }
        : this.#sums(hass, batteries);
    return html`<ha-card>
      <div class="content">
        <dl>
          ${figures.map(
            ({ name, what, value }) =>
              html`<div data-figure=${name}><dt>${what}</dt><dd>${value}</dd></div>`,
          )}
        </dl>
        <p role="status">${heard}</p>
      </div>
    </ha-card>`;
  }

  /**
   * @param {Hass} hass
   * @param {Battery[]} batteries
   */
  #sums(hass, batteries) {
    this.watched = batteries.flatMap(({ entities }) => ADDED.map((key) => entities[key]));
    const say = words(hass);
    const heard = hass.connected === false ? [] : batteries.flatMap((each) => read(hass, each));
    return {
      heard: heardOf(say, heard.length, batteries.length),
      figures: heard.length ? figuresOf(hass, say, heard) : [],
    };
  }
}

/**
 * What one battery has, nothing where it is not heard: percent, W, and kWh held and of room.
 * @typedef {{charge?: number, power?: number, energy?: number, room?: number}} Part
 * @param {Hass} hass
 * @param {Battery} battery
 * @returns {Part[]}
 */
function read(hass, { entities }) {
  const charge = numberOf(stateOf(hass, entities.state_of_charge));
  const power = inUnit(stateOf(hass, entities.power), WATTS);
  const energy = inUnit(stateOf(hass, entities.stored_energy), KILOWATT_HOURS);
  if (charge === undefined && power === undefined && energy === undefined) return [];
  const room = roomOf(hass, entities) ?? roomBehind(charge, energy);
  return [{ charge, power, energy, room }];
}

/**
 * @param {Hass} hass
 * @param {string | undefined} entityId
 */
function stateOf(hass, entityId) {
  return entityId === undefined ? undefined : hass.states[entityId];
}

/**
 * What a battery can hold, from its capacity.
 * @param {Hass} hass
 * @param {Battery["entities"]} entities
 */
function roomOf(hass, entities) {
  const ampereHours = inUnit(stateOf(hass, entities.capa), { Ah: 1 });
  const volts = voltsOf(stateOf(hass, entities.voltage));
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
 * @param {EntityState | undefined} state
 * @param {Record<string, number | undefined>} factors
 */
function inUnit(state, factors) {
  const value = numberOf(state);
  const factor = factors[state?.attributes.unit_of_measurement];
  return value === undefined || factor === undefined ? undefined : value * factor;
}

/**
 * @param {Say} say
 * @param {number} heard
 * @param {number} count
 */
function heardOf(say, heard, count) {
  if (heard === count) return say("sum.all", { count });
  return say(heard ? "sum.some" : "sum.none", { heard, count });
}

/**
 * A sum is shown only if each battery that is heard has its part in it.
 * @param {Hass} hass
 * @param {Say} say
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

/**
 * @param {(number | undefined)[]} values
 * @returns {number | undefined} nothing where any of them is not known
 */
function sum(values) {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total;
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
