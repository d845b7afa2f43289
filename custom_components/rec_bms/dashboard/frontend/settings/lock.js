// @ts-check
/** @import { Battery, Hass, SettingsKnown } from "../types.d.ts" */
/** @import { Setting } from "./setting.js" */
import { hasValue } from "./setting.js";

/**
 * Why nothing can be changed now: the key of what the page says, and whether the way to the
 * integration's options helps. Nothing where changes are possible.
 * @typedef {{say: string, options?: boolean, reason?: string}} Lock
 */

/**
 * @param {Hass} hass
 * @param {Battery} battery
 * @param {Setting[]} settings
 * @param {SettingsKnown | undefined} known
 * @param {string | undefined} failure
 * @returns {Lock | undefined}
 */
export function lockOf(hass, battery, settings, known, failure) {
  if (hass.connected === false) return { say: "settings.locked_disconnected" };
  if (battery.way === "wifi") return { say: "dashboard.read_only" };
  if (hass.user !== undefined && !hass.user.is_admin) return { say: "settings.locked_not_admin" };
  if (settings.length && !settings.some(hasValue)) return { say: "settings.locked_away" };
  if (failure !== undefined) return { say: "settings.locked_failed", reason: failure };
  if (known === undefined) return { say: "settings.loading" };
  if (known.may_change) return undefined;
  return { say: "settings.locked_off", options: true };
}
