// @ts-check
/** @import { Backup, Comparison } from "../types.d.ts" */
/** @import { View } from "./view.js" */
import { momentText } from "../moments.js";
import { html, nothing } from "../vendor/lit.js";
import { change } from "./review-panel.js";
import { shownText } from "./shown.js";
import { settingNamed } from "./view.js";

/**
 * Makes backups, and compares and puts back one that is picked.
 * @param {View} view
 */
export function backupsPanel(view) {
  const { say, kept } = view;
  return html`<section class="group" aria-labelledby="backups-title">
    <h2 id="backups-title">
      <ha-icon icon="mdi:content-save-cog-outline" aria-hidden="true"></ha-icon>${say("settings.backups")}
    </h2>
    <p>${say("settings.backups_explained")}</p>
    ${making(view)} ${kept.backups?.length ? picking(view, kept.backups) : nothing}
    <div role="status" class="news">${news(view)}</div>
    ${kept.outcome === undefined ? nothing : outcomeOf(view, kept.outcome)}
    ${kept.comparison === undefined ? nothing : compared(view, kept.comparison)}
  </section>`;
}

/** @param {View} view */
function making({ say, kept, on }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const name = kept.name.trim();
    if (name) on.backUp(name);
  };
  return html`<form class="line" @submit=${submit}>
    <div class="grow">
      <label class="label" for="backup-name">${say("settings.backup_name")}</label>
      <input
        id="backup-name"
        type="text"
        required
        maxlength="60"
        autocomplete="off"
        .value=${kept.name}
        @input=${(/** @type {any} */ event) => kept.call(event.target.value)}
      />
    </div>
    <button type="submit" ?disabled=${kept.busy !== undefined}>${say("settings.back_up")}</button>
  </form>`;
}

/**
 * @param {View} view
 * @param {Backup[]} backups
 */
function picking(view, backups) {
  const { say, kept, on } = view;
  const named = backups.filter(({ name }) => name !== null);
  const others = backups.filter(({ name }) => name === null);
  const isUnpicked = !backups.some(({ time }) => time === kept.picked);
  return html`<div class="line">
    <div class="grow">
      <label class="label" for="backup-picked">${say("settings.backup_picked")}</label>
      <select
        id="backup-picked"
        ?disabled=${kept.busy !== undefined}
        @change=${(/** @type {any} */ event) => kept.pick(event.target.value)}
      >
        <option value="" ?selected=${isUnpicked}>${say("settings.pick")}</option>
        ${optionsOf(view, "settings.named", named)} ${optionsOf(view, "settings.unnamed", others)}
      </select>
    </div>
    <button ?disabled=${kept.busy !== undefined || isUnpicked} @click=${on.compare}>
      ${say("settings.compare")}
    </button>
  </div>`;
}

/**
 * @param {View} view
 * @param {string} label
 * @param {Backup[]} backups
 */
function optionsOf({ hass, say, kept }, label, backups) {
  if (!backups.length) return nothing;
  return html`<optgroup label=${say(label)}>
    ${backups.map(({ name, time }) => {
      const moment = momentText(hass, time);
      const text = name === null ? moment : `${name} · ${moment}`;
      return html`<option value=${time} ?selected=${time === kept.picked}>${text}</option>`;
    })}
  </optgroup>`;
}

/** @param {View} view */
function news({ say, kept }) {
  if (kept.busy !== undefined) return html`<p>${say(`settings.${kept.busy}`)}</p>`;
  const { done, reason } = kept.news;
  if (reason !== undefined) return html`<p class="complaint">${reason}</p>`;
  return done === undefined ? nothing : html`<p>${say("settings.backed_up", { name: done })}</p>`;
}

/**
 * What has become of each setting that was to be put back.
 * @param {View} view
 * @param {import("./kept.js").Outcome} outcome
 */
function outcomeOf(view, { codes, results, reason }) {
  const { say, kept } = view;
  const differs = kept.comparison?.differences;
  const statusOf = (/** @type {string} */ code) => {
    if (code in results) return results[code].success ? "restored" : "not_restored";
    // After a failure, only what was compared since tells.
    if (differs === undefined) return "restored_unknown";
    return code in differs ? "not_restored" : "restored";
  };
  return html`<div class="outcome">
    <h3 id="outcome-title" tabindex="-1">${say(reason === undefined ? "settings.restored_all" : "settings.restore_failed")}</h3>
    ${reason === undefined ? nothing : html`<p class="complaint">${reason}</p>`}
    <ul class="steps">
      ${codes.map((code) => {
        const status = statusOf(code);
        return html`<li data-code=${code} data-status=${status === "restored" ? "done" : "failed"}>
          <ha-icon icon=${status === "restored" ? "mdi:check-circle" : "mdi:alert-circle"} aria-hidden="true"></ha-icon>
          <div>
            <p>${settingNamed(view, code.toLowerCase())?.name ?? code}</p>
            <p class="status">${say(`settings.${status}`)}</p>
          </div>
        </li>`;
      })}
    </ul>
  </div>`;
}

/**
 * @param {View} view
 * @param {Comparison} comparison
 */
function compared(view, { differences, missing }) {
  const { say, kept, lock, draft, on } = view;
  const codes = Object.keys(differences);
  const mayNot = lock !== undefined || draft.isSending || kept.busy !== undefined;
  return html`<h3 id="compared-title" tabindex="-1">${say("settings.compared")}</h3>
    ${missing.length ? html`<p class="note">${say("settings.missing", { codes: missing.join(", ") })}</p>` : nothing}
    ${codes.length
      ? html`<p>${say("settings.compared_explained")}</p>
          <ul class="differences">
            ${codes.map((code) => difference(view, code, differences[code], mayNot))}
          </ul>
          <div class="buttons">
            <button class="main" ?disabled=${mayNot || !kept.chosen.size} @click=${on.restore}>
              ${say("settings.restore", { count: kept.chosen.size })}
            </button>
          </div>`
      : html`<p>${say("settings.no_differences")}</p>`}`;
}

/**
 * @param {View} view
 * @param {string} code
 * @param {Comparison["differences"][string]} values
 * @param {boolean} mayNot
 */
function difference(view, code, values, mayNot) {
  const { kept } = view;
  return html`<li data-code=${code}>
    <label>
      <input
        type="checkbox"
        .checked=${kept.chosen.has(code)}
        ?disabled=${mayNot}
        @change=${(/** @type {any} */ event) => kept.choose(code, event.target.checked)}
      />
      ${differenceOf(view, code, values)}
    </label>
  </li>`;
}

/**
 * What putting a setting back would change.
 * @param {Pick<View, "hass" | "say" | "settings">} view
 * @param {string} code
 * @param {Comparison["differences"][string]} values
 */
export function differenceOf({ hass, say, settings }, code, { name, unit, backup, current }) {
  const setting = settingNamed({ settings }, code.toLowerCase());
  const now = current === null ? say("settings.no_value") : shownText(hass, setting, current, unit);
  return change(setting?.name ?? name, now, shownText(hass, setting, backup, unit));
}
