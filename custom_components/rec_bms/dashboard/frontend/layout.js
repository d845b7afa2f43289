// @ts-check
/** @import { Hass, Layout } from "./types.d.ts" */

/**
 * Asks the integration, which alone knows the entities' unique ids.
 * @param {Hass} hass
 * @returns {Promise<Layout>}
 */
export function fetchLayout(hass) {
  return hass.callWS({ type: "rec_bms/layout" });
}

/**
 * The layout, or why there is none; neither before the first answer.
 * @typedef {{layout?: Layout, failure?: string}} Known
 */

/** What is known of the layout, kept for all cards of a page and renewed when registries change. */
class LayoutStore {
  /** Another object after each answer. @type {Known} */
  known = {};
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {unknown[]} */
  #registries = [];
  #asked = 0;

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

  /** @param {Hass} hass */
  follow(hass) {
    const registries = [hass.entities, hass.devices, hass.connected];
    if (registries.every((registry, index) => registry === this.#registries[index])) return;
    this.#registries = registries;
    if (hass.connected !== false) this.#fetch(hass);
  }

  /** @param {Hass} hass */
  async #fetch(hass) {
    const number = (this.#asked += 1);
    /** @type {Known} */
    let known;
    try {
      known = { layout: await fetchLayout(hass) };
    } catch (error) {
      known = { failure: reasonOf(error) };
    }
    if (number !== this.#asked) return;
    this.known = known;
    for (const listener of this.#listeners) listener();
  }
}

/** @type {WeakMap<object, LayoutStore>} */
const stores = new WeakMap();

/**
 * @param {Hass} hass
 * @returns {LayoutStore}
 */
export function layoutStore(hass) {
  let store = stores.get(hass.connection);
  if (store === undefined) {
    store = new LayoutStore();
    stores.set(hass.connection, store);
  }
  return store;
}

/** @param {any} error */
export function reasonOf(error) {
  return String(error?.message ?? error?.code ?? error);
}
