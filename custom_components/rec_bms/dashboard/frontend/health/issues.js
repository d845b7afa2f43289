// @ts-check
/** @import { Hass } from "../types.d.ts" */

const OF_HEALTH = ["loose_connection", "false_current", "state_of_charge_drifts", "capacity_differs"];

/**
 * Something that its owner should see to.
 * @typedef {{title: string, severity: string}} Issue
 */

/**
 * Tells of a battery's issues of health, now and whenever they change.
 * @param {Hass} hass
 * @param {string} entryId
 * @param {(issues: Issue[]) => void} hear
 * @returns {Promise<() => void>} ends it
 */
export async function followIssues(hass, entryId, hear) {
  if (!hass.config.components.includes("repairs")) return () => {};
  // What was heard last is left where the connection is lost meanwhile; it is asked anew after that.
  const tell = () => listIssues(hass, entryId).then(hear, () => {});
  const end = await hass.connection.subscribeMessage(tell, {
    type: "subscribe_events",
    event_type: "repairs_issue_registry_updated",
  });
  await tell();
  return end;
}

/**
 * @param {Hass} hass
 * @param {string} entryId
 * @returns {Promise<Issue[]>}
 */
async function listIssues(hass, entryId) {
  const localize = await hass.loadBackendTranslation("issues", "rec_bms");
  /** @type {{issues: any[]}} */
  const { issues } = await hass.callWS({ type: "repairs/list_issues" });
  return issues
    .filter(
      ({ domain, ignored, issue_id: id, translation_key: key }) =>
        domain === "rec_bms" && !ignored && id.includes(entryId) && OF_HEALTH.includes(key),
    )
    .map(({ severity, translation_key: key, translation_placeholders: holes }) => ({
      severity,
      title: localize(`component.rec_bms.issues.${key}.title`, holes) || key,
    }));
}
