// @ts-check
/** @import { Hass, Step } from "../types.d.ts" */
/** @import { Setting } from "./setting.js" */
import { has, hasValue } from "./setting.js";
import { Store, onePerBattery } from "./store.js";
import { numberTyped } from "./typed.js";

/**
 * A value that a user has typed and that the BMS does not have yet.
 * @typedef {object} Edit
 * @property {string} text as typed, or the option that was chosen
 * @property {string | undefined} unit that it was typed in
 * @property {string} was what the BMS had then
 * @property {boolean} left whether its field has been left since
 */

/**
 * A value that can be sent, or why it cannot: a key of the words, with what is filled in.
 * @typedef {{value: number | string} | {problem: string, holes?: Record<string, string>}} Wanted
 */

/**
 * What the integration says of the edits, until any of them or of the BMS's values changes.
 * @typedef {object} Reviewed
 * @property {Step[]} steps
 * @property {{key: string, message: string}[]} problems
 * @property {Map<string, string>} basis the states that it goes by
 */

/**
 * A step on its way.
 * @typedef {Step & {status: "waiting" | "sending" | "done" | "failed", reason?: string}} Sent
 */

/**
 * @typedef {object} Run
 * @property {Sent[]} steps
 * @property {"done" | "failed" | "moved" | undefined} ended
 */

/** What is staged for one BMS. */
export class Draft extends Store {
  /** By key. @type {Map<string, Edit>} */
  edits = new Map();
  /** Why a setting could not be set, by key. @type {Map<string, string>} */
  failures = new Map();
  /** @type {"asking" | Reviewed | undefined} */
  review = undefined;
  /** Why there is no review. @type {string | undefined} */
  refusal = undefined;
  /** @type {Run | undefined} */
  run = undefined;
  /** Another whenever a review of what was staged before is void. */
  edition = 0;

  /** While values are being sent nothing can be edited. */
  get isSending() {
    return this.run !== undefined && this.run.ended === undefined;
  }

  /**
   * @param {Setting} setting
   * @param {string} text
   */
  edit({ key, state }, text) {
    if (this.isSending || state === undefined) return;
    if (text.trim() === "") this.edits.delete(key);
    else {
      const unit = state.attributes.unit_of_measurement;
      this.edits.set(key, { text, unit, was: state.state, left: false });
    }
    this.failures.delete(key);
    this.forgetReview();
  }

  /** @param {string} key */
  leave(key) {
    const edit = this.edits.get(key);
    if (edit === undefined || edit.left) return;
    edit.left = true;
    this.tell();
  }

  discard() {
    this.edits.clear();
    this.failures.clear();
    this.forgetReview();
  }

  forgetReview() {
    this.edition += 1;
    this.review = undefined;
    this.refusal = undefined;
    if (!this.isSending) this.run = undefined;
    this.tell();
  }
}

/**
 * @param {Hass} hass
 * @param {Setting} setting
 * @param {Edit} edit
 * @returns {Wanted}
 */
export function wantedBy(hass, setting, edit) {
  if (setting.kind === "select") return { value: edit.text };
  const { unit_of_measurement: unit, min, max } = setting.state?.attributes ?? {};
  if (unit !== edit.unit) return { problem: "settings.unit_changed" };
  const value = numberTyped(hass, edit.text);
  if (value === undefined) return { problem: "settings.no_number" };
  if (value < min || value > max) return { problem: "settings.out_of_range" };
  return { value };
}

/**
 * The edits that would change something, with what is wanted.
 * @param {Hass} hass
 * @param {Draft} draft
 * @param {Setting[]} settings
 */
export function staged(hass, draft, settings) {
  return settings.flatMap((setting) => {
    const edit = draft.edits.get(setting.key);
    if (edit === undefined) return [];
    const wanted = wantedBy(hass, setting, edit);
    const isThere = "value" in wanted && hasValue(setting) && has(setting, wanted.value);
    return isThere ? [] : [{ setting, edit, wanted }];
  });
}

export const draftOf = onePerBattery(Draft);
