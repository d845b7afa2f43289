// @ts-check
/** @import { Hass } from "./types.d.ts" */
/** @import { PropertyDeclarations, PropertyValues } from "./vendor/lit.js" */
import { layoutStore } from "./layout.js";
import { LitElement } from "./vendor/lit.js";

/** What is common to all cards here: they know the layout, and draw only what has changed. */
export class BatteryCard extends LitElement {
  /** @type {PropertyDeclarations} */
  static properties = { hass: { attribute: false }, known: { state: true } };

  /** @type {Hass | undefined} */
  #hass = undefined;
  /** @type {(() => void) | undefined} */
  #forget = undefined;
  /** Entities that the card has last shown something of. @type {(string | undefined)[]} */
  watched = [];

  constructor() {
    super();
    /** What is known of the layout. @type {import("./layout.js").Known} */
    this.known = {};
  }

  get hass() {
    return this.#hass;
  }

  set hass(hass) {
    this.#hass = hass;
    this.#follow();
  }

  connectedCallback() {
    super.connectedCallback();
    this.#follow();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#forget?.();
    this.#forget = undefined;
  }

  /**
   * Home Assistant sets `hass` whenever anything at all changes in the house.
   * @param {PropertyValues} changed
   */
  shouldUpdate(changed) {
    const hass = this.#hass;
    if (hass === undefined) return false;
    /** @type {Hass | undefined} */
    const before = changed.get("hass");
    if (before === undefined || changed.size > 1) return true;
    return (
      hass.locale !== before.locale ||
      hass.language !== before.language ||
      hass.connected !== before.connected ||
      hass.formatEntityState !== before.formatEntityState ||
      this.watched.some((id) => id !== undefined && hass.states[id] !== before.states[id])
    );
  }

  #follow() {
    const hass = this.#hass;
    if (hass === undefined || !this.isConnected) return;
    const store = layoutStore(hass);
    if (this.#forget === undefined) {
      this.#forget = store.listen(() => (this.known = store.known));
      this.known = store.known;
    }
    store.follow(hass);
  }
}

/**
 * Opens Home Assistant's dialog about an entity, which shows its history.
 * @param {EventTarget} from
 * @param {string} entityId
 */
export function showMoreInfo(from, entityId) {
  from.dispatchEvent(
    new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }),
  );
}
