// @ts-check
/** @import { Setting } from "./setting.js" */
/** @import { View } from "./view.js" */
import { html, keyed, nothing } from "../vendor/lit.js";
import { backupsPanel } from "./backups-panel.js";
import { staged } from "./draft.js";
import { historyList } from "./history-list.js";
import { reviewPanel } from "./review-panel.js";
import { groupOfRows } from "./rows.js";

const OPTIONS = "/config/integrations/integration/rec_bms";

/** @type {Record<string, string>} */
const ICONS = {
  cell: "mdi:battery-outline",
  temperature: "mdi:thermometer",
  amperage: "mdi:current-dc",
  pack: "mdi:battery-high",
  soc: "mdi:battery-60",
  victron: "mdi:sine-wave",
  error: "mdi:alert-outline",
  bms: "mdi:chip",
};

/**
 * All settings, what is staged, what was changed when, and the backups.
 * @param {View} view
 * @param {{category: string, title: string, settings: Setting[]}[]} groups
 */
export function page(view, groups) {
  const { say, lock } = view;
  // A field never becomes another setting's.
  const signature = view.settings.map(({ entityId }) => entityId).join();
  return html`<h1 class="visually-hidden" id="settings-title" tabindex="-1">${say("dashboard.settings")}</h1>
    ${lock === undefined ? nothing : locked(view)}
    ${keyed(
      signature,
      groups.map((group) => groupOfRows(view, { ...group, icon: ICONS[group.category] ?? ICONS.bms })),
    )}
    <p class="quiet">${say("settings.left_out")}</p>
    ${reviewPanel(view)} ${historyList(view)} ${backupsPanel(view)} ${stagedBar(view)}`;
}

/**
 * Why nothing can be changed, and where that can be.
 * @param {View} view
 */
function locked({ say, lock, battery }) {
  if (lock === undefined) return nothing;
  return html`<div class="locked" role="note">
    <ha-icon icon="mdi:lock-outline" aria-hidden="true"></ha-icon>
    <p>
      ${say(lock.say, { title: battery.title, reason: lock.reason ?? "" })}
      ${lock.options ? html`<a href=${OPTIONS}>${say("settings.open_options")}</a>` : nothing}
    </p>
  </div>`;
}

/**
 * Stays in sight as long as anything is staged.
 * @param {View} view
 */
function stagedBar(view) {
  const { hass, say, draft, lock, settings, on } = view;
  const count = staged(hass, draft, settings).length;
  if (!count || draft.isSending || draft.review !== undefined || draft.run !== undefined) return nothing;
  return html`<div class="bar">
    <p>${say("settings.staged", { count })}</p>
    <div class="buttons">
      <button @click=${on.discard}>${say("settings.discard")}</button>
      <button class="main" ?disabled=${lock !== undefined} @click=${on.review}>${say("settings.review")}</button>
    </div>
  </div>`;
}
