// @ts-check

/**
 * One BMS: which device stands for which unit, and the entity of each key, such as cell_voltage_1_8.
 * @typedef {object} Battery
 * @property {string} entry_id
 * @property {string} title
 * @property {Record<string, number>} devices
 * @property {Record<string, string>} entities
 *
 * @typedef {object} Layout
 * @property {Battery[]} batteries
 * @property {{category: string, keys: string[]}[]} settings in the order of the BMS's instructions
 */

/**
 * Asks the integration, which alone knows the entities' unique ids.
 * @param {any} hass
 * @returns {Promise<Layout>}
 */
export function fetchLayout(hass) {
  return hass.callWS({ type: "rec_bms/layout" });
}

/** What is known of the layout, kept for all cards of a page and renewed when registries change. */
class LayoutStore {
  /** @type {Layout | undefined} */
  layout = undefined;
  /** @type {string | undefined} */
  failure = undefined;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {unknown[]} */
  #registries = [];
  #asked = 0;

  /** @param {() => void} listener */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {any} hass */
  follow(hass) {
    const registries = [hass.entities, hass.devices, hass.connected];
    if (registries.every((registry, index) => registry === this.#registries[index])) return;
    this.#registries = registries;
    if (hass.connected !== false) this.#fetch(hass);
  }

  /** @param {any} hass */
  async #fetch(hass) {
    const number = (this.#asked += 1);
    let layout, failure;
    try {
      layout = await fetchLayout(hass);
    } catch (error) {
      failure = reasonOf(error);
    }
    if (number !== this.#asked) return;
    this.layout = layout;
    this.failure = failure;
    for (const listener of this.#listeners) listener();
  }
}

/** @type {WeakMap<object, LayoutStore>} */
const stores = new WeakMap();

/**
 * @param {any} hass
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
