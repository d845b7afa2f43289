// @ts-check
/** @import { Hass } from "../types.d.ts" */
import { written } from "../numbers.js";

const MOST_DECIMALS = 10;

/**
 * The number that a user has typed; undefined where it is none, or could be two. A mark that is not
 * the user's decimal mark counts as one only where it cannot separate thousands: 1,000 is neither
 * taken for one nor for a thousand.
 * @param {Hass} hass
 * @param {string} text
 * @returns {number | undefined}
 */
export function numberTyped(hass, text) {
  const parts = /^([-+]?)(\d*)(?:([.,])(\d*))?$/.exec(text.trim().replace(/^[−–]/, "-"));
  if (parts === null) return undefined;
  const [, sign, whole, mark, decimals = ""] = parts;
  if (!whole && !decimals) return undefined;
  const mayBeThousands = decimals.length === 3 && Number(whole) > 0;
  if (mark !== undefined && mark !== decimalMark(hass) && mayBeThousands) return undefined;
  return Number(`${sign}${whole || "0"}.${decimals || "0"}`);
}

/**
 * A number as its digits, never as 1e-5, which nobody reads.
 * @param {number} value
 */
export function plain(value) {
  const digits = value.toFixed(MOST_DECIMALS);
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

/**
 * A number as the user would type it.
 * @param {Hass} hass
 * @param {number} value
 */
export function asTyped(hass, value) {
  return plain(value).replace(".", decimalMark(hass));
}

/** @param {Hass} hass */
function decimalMark(hass) {
  return written(hass, 0.5, 1).includes(",") ? "," : ".";
}
