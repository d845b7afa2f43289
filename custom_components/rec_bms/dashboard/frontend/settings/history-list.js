// @ts-check
/** @import { Backup, Change } from "../types.d.ts" */
/** @import { View } from "./view.js" */
import { momentText } from "../moments.js";
import { html, nothing } from "../vendor/lit.js";
import { change } from "./review-panel.js";
import { shownText } from "./shown.js";
import { settingNamed } from "./view.js";

const MORE = 20;

/**
 * Which setting was changed when, from what to what, and by whom.
 * @param {View} view
 */
export function historyList(view) {
  const { say, kept } = view;
  return html`<section class="group" aria-labelledby="history-title">
    <h2 id="history-title"><ha-icon icon="mdi:history" aria-hidden="true"></ha-icon>${say("settings.history")}</h2>
    ${kept.failure === undefined ? listed(view) : html`<p class="complaint">${kept.failure}</p>`}
  </section>`;
}

/** @param {View} view */
function listed(view) {
  const { say, kept } = view;
  if (kept.backups === undefined) return html`<p>${say("settings.loading")}</p>`;
  const changes = kept.backups.flatMap((backup) =>
    Object.entries(backup.changes).map(([key, values]) => ({ backup, key, values })),
  );
  if (!changes.length) return html`<p>${say("settings.no_history")}</p>`;
  const showMore = () => {
    kept.shown += MORE;
    kept.tell();
  };
  return html`<ol class="history">
      ${changes.slice(0, kept.shown).map(
        ({ backup, key, values }) => html`<li data-changed=${key}>
          ${changeIn(view, key, values)}
          <p class="when">${momentText(view.hass, backup.time)} · ${whoOf(view, backup)}</p>
        </li>`,
      )}
    </ol>
    ${changes.length > kept.shown
      ? html`<div class="buttons"><button @click=${showMore}>${say("settings.more")}</button></div>`
      : nothing}`;
}

/**
 * @param {View} view
 * @param {string} key
 * @param {Change} values
 */
function changeIn({ hass, say, settings }, key, values) {
  const setting = settingNamed({ settings }, key);
  const [from, to] = [values.old, values.new].map((value) =>
    value === null ? say("settings.no_value") : shownText(hass, setting, value, values.unit),
  );
  return change(setting?.name ?? key.toUpperCase(), from, to);
}

/**
 * @param {View} view
 * @param {Backup} backup
 */
function whoOf({ say }, { reason, user }) {
  if (reason === "elsewhere") return say("settings.by_elsewhere");
  return user ?? say("settings.by_home_assistant");
}
