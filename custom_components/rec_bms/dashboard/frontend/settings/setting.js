// @ts-check
/** @import { Battery, EntityState, Hass } from "../types.d.ts" */
/** @import { Translate } from "./names.js" */
import { plain } from "./typed.js";

/**
 * A setting that has an entity.
 * @typedef {object} Setting
 * @property {string} key
 * @property {string} entityId
 * @property {"number" | "select" | "sensor"} kind a sensor can only be read
 * @property {EntityState | undefined} state
 * @property {string} name
 */

/** The BMS itself changes these as it works, so that another value means nothing. */
const DRIFTING = new Set(["cycl", "socs", "vmax", "vmin"]);

/** What tells of one battery and not of another is put back only where a user says so. */
const NOT_BY_ITSELF = new Set([...DRIFTING, "ioff", "ioja", "eavc", "oddc", "chem", "canf"]);

const NO_VALUE = ["unavailable", "unknown"];

/**
 * @param {Hass} hass
 * @param {Battery} battery
 * @param {string} key
 * @param {Translate} translate
 * @returns {Setting | undefined} nothing where there is no enabled entity
 */
export function settingOf(hass, battery, key, translate) {
  const entityId = battery.entities[key];
  if (entityId === undefined || hass.entities?.[entityId]?.hidden) return undefined;
  const kind = /** @type {Setting["kind"]} */ (entityId.split(".")[0]);
  const state = hass.states[entityId];
  const name = nameOf(hass, state);
  return { key, entityId, kind, state, name: name ? translate(key, name) : key.toUpperCase() };
}

/**
 * @param {Hass} hass
 * @param {EntityState | undefined} state
 */
function nameOf(hass, state) {
  return state && (hass.formatEntityName?.(state, { type: "entity" }) || state.attributes.friendly_name);
}

/** @param {string} key */
export function isDrifting(key) {
  return DRIFTING.has(key);
}

/** @param {string} key */
export function isRestoredByItself(key) {
  return !NOT_BY_ITSELF.has(key);
}

/**
 * Whether the BMS's value is known now.
 * @param {Setting} setting
 */
export function hasValue({ state }) {
  return state !== undefined && !NO_VALUE.includes(state.state);
}

/**
 * A choice that is not in the list shows as unknown, and can be put right.
 * @param {Setting} setting
 */
export function canBeChanged(setting) {
  return hasValue(setting) || (setting.kind === "select" && setting.state?.state === "unknown");
}

/**
 * Tells whether a setting has this value now.
 * @param {Setting} setting
 * @param {number | string} value
 */
export function has({ state }, value) {
  if (state === undefined) return false;
  return typeof value === "number" ? Number(state.state) === value : state.state === value;
}

/**
 * A value in words, in the unit that the entity is shown in.
 * @param {Hass} hass
 * @param {Setting} setting
 * @param {number | string} value
 */
export function textOf(hass, { state }, value) {
  const text = typeof value === "number" ? plain(value) : value;
  return state === undefined ? text : hass.formatEntityState(state, text);
}

/**
 * The states that a review goes by.
 * @param {Setting[]} settings
 * @returns {Map<string, string>}
 */
export function statesOf(settings) {
  const steady = settings.filter((each) => !DRIFTING.has(each.key) && hasValue(each));
  return new Map(steady.map(({ key, state }) => [key, /** @type {EntityState} */ (state).state]));
}

/**
 * What has another value than it had; what is away meanwhile says nothing.
 * @param {Map<string, string>} before
 * @param {Setting[]} settings
 * @returns {{setting: Setting, was: string}[]}
 */
export function movedSince(before, settings) {
  return [...statesOf(settings)].flatMap(([key, now]) => {
    const was = before.get(key);
    const setting = settings.find((each) => each.key === key);
    return setting === undefined || was === undefined || was === now ? [] : [{ setting, was }];
  });
}
