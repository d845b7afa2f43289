// @ts-check
/** @import { Hass } from "./types.d.ts" */

/** @type {Record<string, boolean | undefined>} */
const TWELVE_HOURS = { 12: true, 24: false };

/**
 * Writes a time as the user wants times written.
 * @param {Hass} hass
 * @param {string} time as in ISO 8601
 */
export function momentText({ locale, config }, time) {
  const { language, time_format: format = "language", time_zone: zone } = locale;
  return new Intl.DateTimeFormat(format === "system" ? undefined : language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hour12: TWELVE_HOURS[format],
    timeZone: zone === "server" ? config.time_zone : undefined,
  }).format(new Date(time));
}
