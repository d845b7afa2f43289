// @ts-check
/** @import { Hass } from "../types.d.ts" */

/** Something that cards show, and that outlives them: Home Assistant makes cards anew as it likes. */
export class Store {
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {() => void} listener
   * @returns {() => void} ends it
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell() {
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Gives the same for the same BMS, as long as the page is open.
 * @template Kind
 * @param {new () => Kind} make
 * @returns {(hass: Hass, entryId: string) => Kind}
 */
export function onePerBattery(make) {
  /** @type {WeakMap<object, Map<string, Kind>>} */
  const ofPages = new WeakMap();
  return ({ connection }, entryId) => {
    const ofPage = ofPages.get(connection) ?? new Map();
    ofPages.set(connection, ofPage);
    const known = ofPage.get(entryId) ?? new make();
    ofPage.set(entryId, known);
    return known;
  };
}
