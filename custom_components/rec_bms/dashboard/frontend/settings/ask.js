// @ts-check
/** @import { Backup, Comparison, Hass, Restored, Review, SettingsKnown } from "../types.d.ts" */
import { reasonOf } from "../layout.js";
import { words } from "../words.js";

const DOMAIN = "rec_bms";
/** What home-assistant-js-websocket rejects a command with when the connection breaks off. */
const CONNECTION_LOST = 3;

/**
 * @param {Hass} hass
 * @param {string} entryId
 * @returns {Promise<SettingsKnown>}
 */
export function askSettings(hass, entryId) {
  return hass.callWS({ type: `${DOMAIN}/settings`, entry_id: entryId });
}

/**
 * Has the integration put changes in order and say what is wrong with them; sends nothing to the BMS.
 * @param {Hass} hass
 * @param {string} entryId
 * @param {Record<string, number | string>} changes
 * @returns {Promise<Review>}
 */
export async function askReview(hass, entryId, changes) {
  /** @type {Review} */
  const { steps, problems } = await hass.callWS({ type: `${DOMAIN}/review`, entry_id: entryId, changes });
  const inWords = problems.map(async (problem) => ({
    key: problem.key,
    message: await messageOf(hass, problem),
  }));
  return { steps, problems: await Promise.all(inWords) };
}

/**
 * Sets a value; comes back once the BMS has been asked whether it has it.
 * @param {Hass} hass
 * @param {string} entityId
 * @param {number | string} value
 */
export function send(hass, entityId, value) {
  return typeof value === "number"
    ? hass.callService("number", "set_value", { entity_id: entityId, value }, undefined, false)
    : hass.callService("select", "select_option", { entity_id: entityId, option: value }, undefined, false);
}

/**
 * Tells what was kept of the settings, newest first, now and whenever there is more.
 * @param {Hass} hass
 * @param {string} entryId
 * @param {(backups: Backup[]) => void} hear
 * @returns {Promise<() => void>} ends it
 */
export function followBackups(hass, entryId, hear) {
  return hass.connection.subscribeMessage(({ backups }) => hear(backups), {
    type: `${DOMAIN}/kept`,
    entry_id: entryId,
  });
}

/**
 * @param {Hass} hass
 * @param {string} entryId
 * @param {string} name
 */
export function backUp(hass, entryId, name) {
  return act(hass, "backup_settings", { config_entry_id: entryId, name });
}

/**
 * @param {Hass} hass
 * @param {string} entryId
 * @param {string} backup its name or its time
 * @returns {Promise<Comparison>}
 */
export function compare(hass, entryId, backup) {
  return act(hass, "compare_settings", { config_entry_id: entryId, backup });
}

/**
 * @param {Hass} hass
 * @param {string} entryId
 * @param {string} backup its name or its time
 * @param {string[]} only codes
 * @returns {Promise<Record<string, Restored>>}
 */
export async function restore(hass, entryId, backup, only) {
  return (await act(hass, "restore_settings", { config_entry_id: entryId, backup, only })).results;
}

/**
 * What went wrong, in the user's language where Home Assistant has it.
 * @param {Hass} hass
 * @param {any} error
 * @returns {Promise<string>}
 */
export async function messageOf(hass, error) {
  if (error?.code === CONNECTION_LOST) return words(hass)("settings.connection_lost");
  const { translation_domain: domain, translation_key: key, translation_placeholders: holes } = error ?? {};
  if (!domain || !key) return reasonOf(error);
  try {
    const localize = await hass.loadBackendTranslation("exceptions", domain);
    return localize(`component.${domain}.exceptions.${key}.message`, holes) || reasonOf(error);
  } catch {
    // Texts come over the connection, which may be gone by now.
    return reasonOf(error);
  }
}

/**
 * @param {Hass} hass
 * @param {string} action
 * @param {object} data
 * @returns {Promise<any>}
 */
async function act(hass, action, data) {
  const { response } = await hass.callService(DOMAIN, action, data, undefined, false, true);
  return response;
}
