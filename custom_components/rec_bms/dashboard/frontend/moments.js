// @ts-check
/** @import { Hass } from "./types.d.ts" */

/** @type {Record<string, boolean | undefined>} */
const TWELVE_HOURS = { 12: true, 24: false };

/**
 * Writes a time as the user wants times written.
 * @param {Hass} hass
 * @param {string} time as in ISO 8601
 */
export function momentText(hass, time) {
  return textOf(hass, time, { timeStyle: "medium" });
}

/**
 * Writes the day of a time.
 * @param {Hass} hass
 * @param {string} time as in ISO 8601
 */
export function dayText(hass, time) {
  return textOf(hass, time, {});
}

/**
 * @param {Hass} hass
 * @param {string} time
 * @param {Intl.DateTimeFormatOptions} style
 */
function textOf({ locale, config }, time, style) {
  const { language, time_format: format = "language", time_zone: zone } = locale;
  return new Intl.DateTimeFormat(format === "system" ? undefined : language, {
    dateStyle: "medium",
    hour12: TWELVE_HOURS[format],
    timeZone: zone === "server" ? config.time_zone : undefined,
    ...style,
  }).format(new Date(time));
}
