// @ts-check
/** @import { Battery, Cell, CellsConfig, Hass, HealthConfig, KnownCell, Layout, Limit, SettingsConfig, Unit } from "./types.d.ts" */
import { voltsOf } from "./numbers.js";

/** The settings that are drawn as lines, from top to bottom where they are usual. */
export const LIMITS = ["cmax", "bvol", "char", "bmin", "clow", "cmin"];

/**
 * The battery that a card is for, and the units that its configuration names.
 * @param {Layout} layout
 * @param {CellsConfig | HealthConfig | SettingsConfig} config
 * @returns {{battery: Battery, units: number[] | undefined} | undefined}
 */
export function chosenBattery(layout, config) {
  const battery = layout.batteries.find((each) =>
    config.device
      ? config.device in each.devices
      : Object.values(each.entities).includes(config.entity),
  );
  if (battery === undefined) return undefined;
  const unitOfDevice = config.device ? battery.devices[config.device] : 1;
  const units = "units" in config && config.units?.length ? config.units : undefined;
  return { battery, units: units ?? (unitOfDevice > 1 ? [unitOfDevice] : undefined) };
}

/**
 * The units and cells that have entities, in order.
 * @param {Battery} battery
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
      balancing: false,
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
 * @param {Battery} battery
 * @param {string} kind
 */
export function placed(battery, kind) {
  const pattern = new RegExp(`^${kind}_(\\d+)_(\\d+)$`);
  return Object.entries(battery.entities)
    .flatMap(([key, entityId]) => {
      const place = pattern.exec(key);
      return place && entityId !== undefined ? [{ unit: Number(place[1]), number: Number(place[2]), entityId }] : [];
    })
    .sort((one, other) => one.unit - other.unit || one.number - other.number);
}

/**
 * The limits whose values are known.
 * @param {Battery} battery
 * @param {Hass} hass
 * @returns {Limit[]}
 */
export function limitsOf(battery, hass) {
  return LIMITS.flatMap((key) => {
    const entityId = battery.entities[key];
    if (entityId === undefined) return [];
    const volts = voltsOf(hass.states[entityId]);
    return volts === undefined ? [] : [{ key, entityId, volts }];
  });
}

/**
 * The cells that are being balanced, as `unit_number`.
 * @param {Battery} battery
 * @param {Hass} hass
 * @returns {Set<string>}
 */
export function balancedCellsOf(battery, hass) {
  const entityId = battery.entities.balancing;
  const state = entityId === undefined ? undefined : hass.states[entityId];
  /** @type {number[][]} */
  const cells = state?.state === "on" ? (state.attributes.cells ?? []) : [];
  return new Set(cells.map(([unit, cell]) => `${unit}_${cell}`));
}

/**
 * The lowest and the highest of the cells that have a value.
 * @param {Cell[]} cells
 */
export function extremesOf(cells) {
  const [first, ...others] = cells.filter(isKnown);
  if (first === undefined) return undefined;
  let lowest = first;
  let highest = first;
  for (const cell of others) {
    if (cell.volts < lowest.volts) lowest = cell;
    if (cell.volts > highest.volts) highest = cell;
  }
  return { lowest, highest };
}

/**
 * @param {Cell} cell
 * @returns {cell is KnownCell}
 */
function isKnown(cell) {
  return cell.volts !== undefined;
}
