// @ts-check
import { voltsOf } from "./numbers.js";

/**
 * @typedef {object} Cell
 * @property {string} id names it on the card
 * @property {number} unit
 * @property {number} number
 * @property {string} entityId
 * @property {string | undefined} resistanceId
 * @property {number | undefined} volts
 *
 * @typedef {object} Limit
 * @property {string} key
 * @property {string} entityId
 * @property {number} volts
 *
 * @typedef {object} Unit
 * @property {number} number
 * @property {Cell[]} cells
 * @property {string[]} temperatureIds
 */

/** The settings that are drawn as lines, from top to bottom where they are usual. */
export const LIMITS = ["cmax", "bvol", "char", "bmin", "clow", "cmin"];

/**
 * The battery that a card is for, and the units that its configuration names.
 * @param {import("./layout.js").Layout} layout
 * @param {any} config
 * @returns {{battery: import("./layout.js").Battery, units: number[] | undefined} | undefined}
 */
export function chosenBattery(layout, config) {
  const battery = layout.batteries.find((each) =>
    config.device
      ? config.device in each.devices
      : Object.values(each.entities).includes(config.entity),
  );
  if (battery === undefined) return undefined;
  const unitOfDevice = config.device ? battery.devices[config.device] : 1;
  const units = config.units?.length ? config.units : undefined;
  return { battery, units: units ?? (unitOfDevice > 1 ? [unitOfDevice] : undefined) };
}

/**
 * The units and cells that have entities, in order.
 * @param {import("./layout.js").Battery} battery
 * @param {number[] | undefined} wanted
 * @returns {Unit[]}
 */
export function unitsOf(battery, wanted) {
  /** @type {Map<number, Unit>} */
  const units = new Map();
  const unitNumbered = (/** @type {number} */ number) => {
    const unit = units.get(number) ?? { number, cells: [], temperatureIds: [] };
    units.set(number, unit);
    return unit;
  };
  for (const { unit, number, entityId } of placed(battery, "cell_voltage")) {
    unitNumbered(unit).cells.push({
      id: `${unit}_${number}`,
      unit,
      number,
      entityId,
      resistanceId: battery.entities[`cell_resistance_${unit}_${number}`],
      volts: undefined,
    });
  }
  for (const { unit, entityId } of placed(battery, "temperature")) {
    unitNumbered(unit).temperatureIds.push(entityId);
  }
  return [...units.values()]
    .filter((unit) => unit.cells.length && (wanted === undefined || wanted.includes(unit.number)))
    .sort((one, other) => one.number - other.number);
}

/**
 * The entities of a kind that there is one of for each cell or sensor of each unit, in order.
 * @param {import("./layout.js").Battery} battery
 * @param {string} kind
 */
export function placed(battery, kind) {
  const pattern = new RegExp(`^${kind}_(\\d+)_(\\d+)$`);
  return Object.entries(battery.entities)
    .flatMap(([key, entityId]) => {
      const place = pattern.exec(key);
      return place ? [{ unit: Number(place[1]), number: Number(place[2]), entityId }] : [];
    })
    .sort((one, other) => one.unit - other.unit || one.number - other.number);
}

/**
 * The limits whose values are known.
 * @param {import("./layout.js").Battery} battery
 * @param {any} hass
 * @returns {Limit[]}
 */
export function limitsOf(battery, hass) {
  return LIMITS.flatMap((key) => {
    const entityId = battery.entities[key];
    const volts = voltsOf(hass.states[entityId]);
    return volts === undefined ? [] : [{ key, entityId, volts }];
  });
}

/**
 * The lowest and the highest of the cells that have a value.
 * @param {Cell[]} cells
 */
export function extremesOf(cells) {
  let lowest, highest;
  for (const cell of cells) {
    if (cell.volts === undefined) continue;
    if (lowest === undefined || cell.volts < lowest.volts) lowest = cell;
    if (highest === undefined || cell.volts > highest.volts) highest = cell;
  }
  return lowest && highest ? { lowest, highest } : undefined;
}
