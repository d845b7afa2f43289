// @ts-check
/** @import { Hass } from "../types.d.ts" */
/** @import { Setting } from "./setting.js" */
import { textOf } from "./setting.js";
import { asTyped } from "./typed.js";

const SIGNIFICANT_DIGITS = 6;
const DELTA = "temperature_delta";

/** Of one in the line's unit, how many there are in the unit that an owner has chosen. @type {Record<string, number>} */
const PREFIXES = { µ: 1e6, μ: 1e6, m: 1e3, k: 1e-3, M: 1e-6 };

/**
 * A value that was kept, in words, as the setting's entity shows such values.
 * @param {Hass} hass
 * @param {Setting | undefined} setting
 * @param {number | string} value an option, or a number
 * @param {string | null | undefined} unit that it is in
 */
export function shownText(hass, setting, value, unit) {
  const attributes = setting?.state?.attributes;
  if (typeof value === "string") return setting === undefined ? value : textOf(hass, setting, value);
  if (setting === undefined || attributes === undefined) return withUnit(hass, value, unit);
  if (attributes.options) {
    const option = attributes.options[value - 1];
    return option === undefined ? asTyped(hass, value) : textOf(hass, setting, option);
  }
  const shown = converted(value, unit ?? "", attributes);
  return shown === undefined
    ? withUnit(hass, value, unit)
    : textOf(hass, setting, Number(shown.toPrecision(SIGNIFICANT_DIGITS)));
}

/**
 * @param {Hass} hass
 * @param {number} value
 * @param {string | null | undefined} unit
 */
function withUnit(hass, value, unit) {
  const [shown, sign] = unit === "fraction" ? [value * 100, "%"] : [value, unit ?? ""];
  return `${asTyped(hass, Number(shown.toPrecision(SIGNIFICANT_DIGITS)))} ${sign}`.trim();
}

/**
 * @param {number} value
 * @param {string} from
 * @param {Record<string, any>} attributes of the entity
 * @returns {number | undefined} nothing where nobody knows how
 */
function converted(value, from, { unit_of_measurement: to = "", device_class: kind }) {
  if (from === to) return value;
  if (from === "fraction" && to === "%") return value * 100;
  if (from === "°C" && to === "°F") return value * 1.8 + (kind === DELTA ? 0 : 32);
  if (from === "°C" && to === "K") return value + (kind === DELTA ? 0 : 273.15);
  const factor = to.slice(1) === from ? PREFIXES[to[0]] : undefined;
  return factor === undefined ? undefined : value * factor;
}
