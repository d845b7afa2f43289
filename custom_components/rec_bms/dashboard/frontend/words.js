// @ts-check
import { LANGUAGES } from "./languages/index.js";

const FALLBACK = "en";

/**
 * The user's language; before Home Assistant has told, the one that its page is in.
 * @param {any} [hass]
 * @returns {string}
 */
export function languageOf(hass) {
  return hass?.locale?.language ?? hass?.language ?? (document.documentElement.lang || FALLBACK);
}

/**
 * @param {string} language
 * @returns {(key: string, values?: Record<string, string | number>) => string} turns a key such as
 *   "card.title" into text
 */
export function wordsIn(language) {
  const tables = [language, language.split("-")[0], FALLBACK].map((code) => LANGUAGES[code]);
  return (key, values = {}) => {
    const [group, name] = key.split(".");
    const text = tables.map((table) => table?.[group]?.[name]).find((found) => found) ?? key;
    return text.replace(/\{(\w+)\}/g, (hole, what) => String(values[what] ?? hole));
  };
}

/** @param {any} [hass] */
export function words(hass) {
  return wordsIn(languageOf(hass));
}
