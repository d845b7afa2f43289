// @ts-check
/** @import { Backup, Comparison, Hass, Restored } from "../types.d.ts" */
import { backUp, compare, messageOf, restore } from "./ask.js";
import { isRestoredByItself } from "./setting.js";
import { Store, onePerBattery } from "./store.js";

/**
 * What of a backup was put back. Where that broke off, `reason` says why.
 * @typedef {object} Outcome
 * @property {string[]} codes all that were to be
 * @property {Record<string, Restored>} results
 * @property {string | undefined} reason
 */

/** What is kept of one BMS's settings, and what a user does with it. */
export class Kept extends Store {
  /** Newest first. @type {Backup[] | undefined} */
  backups = undefined;
  /** Why there is no list. @type {string | undefined} */
  failure = undefined;
  /** How many changes are shown. */
  shown = 10;
  /** What is being done, so that nothing else is begun. @type {"backing_up" | "comparing" | "restoring" | undefined} */
  busy = undefined;
  /** What was done last, or why it was not. @type {{done?: string, reason?: string}} */
  news = {};
  /** What a new backup is to be called, as typed so far. */
  name = "";
  /** The time of the backup that is picked. */
  picked = "";
  /** @type {Comparison | undefined} */
  comparison = undefined;
  /** Codes of the differences that are to be put back. @type {Set<string>} */
  chosen = new Set();
  /** @type {Outcome | undefined} */
  outcome = undefined;

  /** @param {Backup[]} backups */
  hear(backups) {
    this.backups = backups;
    this.failure = undefined;
    this.tell();
  }

  /** @param {string} reason */
  fail(reason) {
    this.failure = reason;
    this.tell();
  }

  /** @param {string} name */
  call(name) {
    this.name = name;
    this.tell();
  }

  /**
   * @param {Hass} hass
   * @param {string} entryId
   * @param {string} name
   */
  async backUp(hass, entryId, name) {
    await this.#do(hass, "backing_up", async () => {
      await backUp(hass, entryId, name);
      this.news = { done: name };
      if (this.name.trim() === name) this.name = "";
    });
  }

  /** @param {string} time */
  pick(time) {
    this.picked = time;
    this.comparison = undefined;
    this.outcome = undefined;
    this.tell();
  }

  /**
   * @param {Hass} hass
   * @param {string} entryId
   */
  async compare(hass, entryId) {
    this.outcome = undefined;
    await this.#do(hass, "comparing", () => this.#lookAgain(hass, entryId));
  }

  /**
   * @param {string} code
   * @param {boolean} chosen
   */
  choose(code, chosen) {
    if (chosen) this.chosen.add(code);
    else this.chosen.delete(code);
    this.tell();
  }

  /**
   * Puts back what is chosen. After a failure it is compared anew, so that what is said to be done is.
   * @param {Hass} hass
   * @param {string} entryId
   */
  async restore(hass, entryId) {
    const codes = [...this.chosen];
    await this.#do(hass, "restoring", async () => {
      /** @type {Outcome} */
      const outcome = { codes, results: {}, reason: undefined };
      try {
        outcome.results = await restore(hass, entryId, this.picked, codes);
      } catch (error) {
        outcome.reason = await messageOf(hass, error);
      }
      this.outcome = outcome;
      await this.#lookAgain(hass, entryId);
    });
  }

  /**
   * @param {Hass} hass
   * @param {string} entryId
   */
  async #lookAgain(hass, entryId) {
    this.comparison = undefined;
    this.comparison = await compare(hass, entryId, this.picked);
    const codes = Object.keys(this.comparison.differences);
    this.chosen = new Set(codes.filter((code) => isRestoredByItself(code.toLowerCase())));
  }

  /**
   * @param {Hass} hass
   * @param {"backing_up" | "comparing" | "restoring"} what
   * @param {() => Promise<void>} act
   */
  async #do(hass, what, act) {
    if (this.busy !== undefined) return;
    this.busy = what;
    this.news = {};
    this.tell();
    try {
      await act();
    } catch (error) {
      this.news = { reason: await messageOf(hass, error) };
    }
    this.busy = undefined;
    this.tell();
  }
}

export const keptOf = onePerBattery(Kept);
