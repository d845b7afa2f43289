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
 * By the reason that the integration gives.
 * @type {Record<string, Lock>}
 */
const LOCKS = {
  read_only_way: { say: "dashboard.read_only" },
  administrators_only: { say: "settings.locked_not_admin" },
  not_loaded: { say: "settings.locked_away" },
  changes_forbidden: { say: "settings.locked_off", options: true },
};

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
  if (battery.way === "wifi") return LOCKS.read_only_way;
  if (hass.user !== undefined && !hass.user.is_admin) return LOCKS.administrators_only;
  if (!settings.some(hasValue)) return LOCKS.not_loaded;
  if (failure !== undefined) return { say: "settings.locked_failed", reason: failure };
  if (known === undefined) return { say: "settings.loading" };
  return known.may_change ? undefined : LOCKS[known.reason ?? "changes_forbidden"];
}
