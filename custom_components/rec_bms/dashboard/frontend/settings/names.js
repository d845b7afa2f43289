// @ts-check
/** @import { Hass } from "../types.d.ts" */
import { languageOf } from "../words.js";

const PLATFORMS = ["number", "select", "sensor"];

/**
 * Turns the name that an entity has into the user's language, unless its owner gave it another.
 * Home Assistant names entities in its own language, which need not be that of who looks.
 * @typedef {(key: string, name: string) => string} Translate
 */

/** @type {Translate} */
export const asNamed = (_key, name) => name;

/**
 * @param {Hass} hass
 * @returns {Promise<Translate>}
 */
export async function translatedNames(hass) {
  const { language } = hass.config;
  if (language === undefined || language === languageOf(hass)) return asNamed;
  /** @type {{resources: Record<string, string>}} */
  const { resources } = await hass.callWS({
    type: "frontend/get_translations",
    category: "entity",
    integration: ["rec_bms"],
    language,
  });
  const localize = await hass.loadBackendTranslation("entity", "rec_bms");
  return (key, name) => {
    const found = PLATFORMS.map((platform) => `component.rec_bms.entity.${platform}.${key}.name`).find(
      (path) => resources[path] === name,
    );
    return (found && localize(found)) || name;
  };
}
