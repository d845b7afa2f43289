// @ts-check
/** @import { Question } from "./confirm-dialog.js" */
import { Store, onePerBattery } from "./store.js";

/** How long, in ms, Home Assistant may take to make a page anew that somebody is on. */
const MADE_ANEW_WITHIN = 3000;

/**
 * Where on the settings of one BMS somebody is: what they are asked, what has the focus, and what is
 * to have it next. A card that is made anew, or locked for a moment, has lost it, and the caret in a
 * field with it.
 */
export class Place extends Store {
  /** What is asked before anything is sent. @type {Question | undefined} */
  question = undefined;
  /** @type {HTMLElement | undefined} */
  #at = undefined;
  /** The id of what is to have the focus as soon as it is there. */
  #next = "";
  #cards = 0;
  #goneAt = 0;

  /** @param {Question | undefined} question nothing once it is answered */
  ask(question) {
    this.question = question;
    this.tell();
  }

  /** @param {string} id */
  goTo(id) {
    this.#next = id;
    this.tell();
  }

  /** A card is there. One that somebody comes back to begins anew. */
  arrive() {
    const wasLeft = this.#cards === 0 && performance.now() - this.#goneAt > MADE_ANEW_WITHIN;
    if (wasLeft) this.#at = this.question = undefined;
    this.#cards += 1;
  }

  /** A card is gone. */
  depart() {
    this.#cards -= 1;
    this.#goneAt = performance.now();
  }

  /** @param {EventTarget | null} element that has the focus now */
  enter(element) {
    this.#at = element instanceof HTMLElement && element.id !== "" ? element : undefined;
  }

  /**
   * Forgets what has lost the focus, unless it is because it is gone or locked itself.
   * @param {EventTarget | null} element
   */
  leave(element) {
    queueMicrotask(() => {
      if (element === this.#at && this.#at?.isConnected && !isLocked(this.#at)) this.#at = undefined;
    });
  }

  /**
   * Gives the focus to what is to have it, and back to what has lost it.
   * @param {HTMLElement | DocumentFragment} root
   */
  focusIn(root) {
    if (this.#next !== "") {
      this.#at = elementIn(root, this.#next);
      this.#next = "";
      this.#at?.focus();
      return;
    }
    const was = this.#at;
    if (was === undefined || document.activeElement !== document.body) return;
    const now = elementIn(root, was.id);
    if (now === undefined || isLocked(now)) return;
    now.focus({ preventScroll: true });
    if (was instanceof HTMLInputElement && now instanceof HTMLInputElement) {
      now.setSelectionRange(was.selectionStart, was.selectionEnd);
    }
  }
}

/**
 * @param {HTMLElement | DocumentFragment} root
 * @param {string} id
 * @returns {HTMLElement | undefined}
 */
function elementIn(root, id) {
  return root.querySelector(`#${id}`) ?? undefined;
}

/** @param {HTMLElement} element */
function isLocked(element) {
  return element.matches(":disabled");
}

export const placeOf = onePerBattery(Place);
