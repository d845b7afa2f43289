// @ts-check
/** @import { Battery, Hass, Say, SettingsKnown, Step } from "../types.d.ts" */
/** @import { Draft } from "./draft.js" */
/** @import { Kept } from "./kept.js" */
/** @import { Lock } from "./lock.js" */
/** @import { Setting } from "./setting.js" */

/**
 * What the parts of the page share.
 * @typedef {object} View
 * @property {Hass} hass
 * @property {Say} say
 * @property {Battery} battery
 * @property {Setting[]} settings those that have an entity
 * @property {SettingsKnown | undefined} known
 * @property {Lock | undefined} lock
 * @property {Draft} draft
 * @property {Kept} kept
 * @property {Actions} on
 */

/**
 * What a user can do.
 * @typedef {object} Actions
 * @property {(setting: Setting, text: string) => void} edit
 * @property {(setting: Setting) => void} undo
 * @property {() => void} discard
 * @property {() => void} review
 * @property {() => void} back
 * @property {(steps: Step[]) => void} apply
 * @property {() => void} close
 * @property {(name: string) => void} backUp
 * @property {() => void} compare
 * @property {() => void} restore
 */

/**
 * @param {Pick<View, "settings">} view
 * @param {string} key
 */
export function settingNamed({ settings }, key) {
  return settings.find((each) => each.key === key);
}
