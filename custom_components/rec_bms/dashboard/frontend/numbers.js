// @ts-check
/** @import { EntityState, Hass } from "./types.d.ts" */

/**
 * Locales that write numbers in the ways a user can choose in their profile.
 * @type {Record<string, string[] | undefined>}
 */
const LOCALES = {
  comma_decimal: ["en-US", "en"],
  decimal_comma: ["de", "es", "it"],
  space_comma: ["fr", "sv", "cs"],
  quote_decimal: ["de-CH"],
  none: ["en-US"],
};

/**
 * Volts in one of what a user can choose as the unit of a voltage.
 * @type {Record<string, number | undefined>}
 */
const VOLTS = { V: 1, mV: 1e-3, "µV": 1e-6, "μV": 1e-6, kV: 1e3, MV: 1e6 };

/** @type {Map<string, Intl.NumberFormat>} */
const made = new Map();

/**
 * Writes a number as the user wants numbers written.
 * @param {Hass} hass
 * @param {number} value
 * @param {number} digits behind the decimal point
 */
export function written(hass, value, digits) {
  const { language, number_format: format } = hass.locale;
  const name = `${language} ${format} ${digits}`;
  let formatter = made.get(name);
  if (formatter === undefined) {
    const locales = format === "system" ? undefined : (LOCALES[format] ?? language);
    formatter = new Intl.NumberFormat(locales, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: format !== "none",
    });
    made.set(name, formatter);
  }
  return formatter.format(value);
}

/**
 * The number that an entity shows, undefined where it shows none.
 * @param {EntityState | undefined} state
 * @returns {number | undefined}
 */
export function numberOf(state) {
  if (state === undefined || state.state === "") return undefined;
  const value = Number(state.state);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The volts that an entity shows, whatever unit its owner has chosen for it.
 * @param {EntityState | undefined} state
 * @returns {number | undefined}
 */
export function voltsOf(state) {
  const value = numberOf(state);
  const factor = VOLTS[state?.attributes.unit_of_measurement];
  return value === undefined || factor === undefined ? undefined : value * factor;
}
