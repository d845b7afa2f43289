// @ts-check
/** @import { Hass, Say } from "./types.d.ts" */
import { LANGUAGES } from "./languages/index.js";

const FALLBACK = "en";

/** @type {Map<string, Say>} */
const made = new Map();

/**
 * The user's language; before Home Assistant has told, the one that its page is in.
 * @param {Hass} [hass]
 * @returns {string}
 */
export function languageOf(hass) {
  return hass?.locale?.language ?? hass?.language ?? (document.documentElement.lang || FALLBACK);
}

/**
 * @param {string} language
 * @returns {Say}
 */
export function wordsIn(language) {
  const tables = [language, language.split("-")[0], FALLBACK].map((code) => LANGUAGES[code]);
  return (key, values = {}) => {
    const [group, name] = key.split(".");
    const text = tables.map((table) => table?.[group]?.[name]).find((found) => found) ?? key;
    return text.replace(/\{(\w+)\}/g, (/** @type {string} */ hole, /** @type {string} */ what) => String(values[what] ?? hole));
  };
}

/**
 * The same for the same language, so that it tells whether words have changed.
 * @param {Hass} [hass]
 * @returns {Say}
 */
export function words(hass) {
  const language = languageOf(hass);
  const known = made.get(language) ?? wordsIn(language);
  made.set(language, known);
  return known;
}
