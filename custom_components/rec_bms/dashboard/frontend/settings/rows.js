// @ts-check
/** @import { KnownSetting } from "../types.d.ts" */
/** @import { View } from "./view.js" */
/** @import { Setting } from "./setting.js" */
import { html, nothing } from "../vendor/lit.js";
import { wantedBy } from "./draft.js";
import { canBeChanged, hasValue, isDrifting, textOf } from "./setting.js";
import { asTyped } from "./typed.js";

/**
 * A group of settings, each with what it does, its range, its value and a field for another.
 * @param {View} view
 * @param {{category: string, title: string, icon: string, settings: Setting[]}} group
 */
export function groupOfRows(view, { category, title, icon, settings }) {
  return html`<section class="group" aria-labelledby="group-${category}">
    <h2 id="group-${category}"><ha-icon icon=${icon} aria-hidden="true"></ha-icon>${title}</h2>
    <ul class="rows">
      ${settings.map((setting) => row(view, setting))}
    </ul>
  </section>`;
}

/**
 * @param {View} view
 * @param {Setting} setting
 */
function row(view, setting) {
  const { hass, say, draft } = view;
  const { key, name, state } = setting;
  const complaints = complaintsOn(view, setting);
  const explained = say(`explained.${key}`);
  const present = state === undefined ? say("settings.no_value") : hass.formatEntityState(state);
  return html`<li
    class="row"
    data-setting=${key}
    ?data-staged=${draft.edits.has(key)}
    ?data-wrong=${complaints.length > 0}
  >
    <div class="what">
      <h3 id="name-${key}">${name}</h3>
      ${explained.includes(".") ? html`<p id="explained-${key}">${explained}</p>` : nothing}
      ${rangeOf(view, setting)}
    </div>
    <div class="present">
      <span class="label">${say("settings.present")}</span>
      <span class="value">${present}</span>
    </div>
    ${setting.kind === "sensor" ? nothing : wanted(view, setting, complaints.length > 0)}
    <div class="notes" id="notes-${key}">
      ${notesOn(view, setting).map((note) => html`<p class="note">${note}</p>`)}
      ${complaints.map((complaint) => html`<p class="complaint">${complaint}</p>`)}
    </div>
  </li>`;
}

/**
 * @param {View} view
 * @param {Setting} setting
 */
function rangeOf({ hass, say }, setting) {
  const { min, max } = setting.state?.attributes ?? {};
  if (setting.kind !== "number" || min === undefined || max === undefined) return nothing;
  const range = { min: textOf(hass, setting, min), max: textOf(hass, setting, max) };
  return html`<p class="range" id="range-${setting.key}">${say("settings.range", range)}</p>`;
}

/**
 * The field for a new value, and the factory's where REC gives one.
 * @param {View} view
 * @param {Setting} setting
 * @param {boolean} isWrong
 */
function wanted(view, setting, isWrong) {
  const { say, draft, known, on } = view;
  const { key, name } = setting;
  const isFixed = isFixedNow(view, setting);
  const factory = factoryOf(known?.settings[key]);
  return html`<div class="wanted">
    <label class="label" for="new-${key}" id="label-${key}">${say("settings.new")}</label>
    <div class="field">
      ${setting.kind === "select" ? choice(view, setting, isFixed) : amount(view, setting, isFixed, isWrong)}
      ${draft.edits.has(key)
        ? html`<button
            class="icon"
            ?disabled=${draft.isSending}
            aria-label=${say("settings.undo", { name })}
            title=${say("settings.undo", { name })}
            @click=${() => on.undo(setting)}
          >
            <ha-icon icon="mdi:undo-variant" aria-hidden="true"></ha-icon>
          </button>`
        : nothing}
    </div>
    ${factory === undefined ? nothing : fromFactory(view, setting, factory, isFixed)}
  </div>`;
}

/**
 * @param {View} view
 * @param {Setting} setting
 * @param {boolean} isFixed
 * @param {boolean} isWrong
 */
function amount({ draft, on }, setting, isFixed, isWrong) {
  const { key, state } = setting;
  const { min = 0, unit_of_measurement: unit } = state?.attributes ?? {};
  // A keypad for decimals has no minus on some phones.
  return html`<input
      id="new-${key}"
      type="text"
      inputmode=${min < 0 ? "text" : "decimal"}
      autocomplete="off"
      aria-labelledby="name-${key} label-${key}"
      aria-describedby="explained-${key} range-${key} notes-${key}"
      aria-invalid=${isWrong ? "true" : "false"}
      .value=${draft.edits.get(key)?.text ?? ""}
      ?disabled=${isFixed}
      @input=${(/** @type {any} */ event) => on.edit(setting, event.target.value)}
      @change=${() => draft.leave(key)}
    />${unit ? html`<span class="unit" aria-hidden="true">${unit}</span>` : nothing}`;
}

/**
 * @param {View} view
 * @param {Setting} setting
 * @param {boolean} isFixed
 */
function choice({ hass, say, draft, on }, setting, isFixed) {
  const { key, state } = setting;
  const text = draft.edits.get(key)?.text ?? "";
  const options = state?.attributes.options ?? [];
  return html`<select
    id="new-${key}"
    aria-labelledby="name-${key} label-${key}"
    aria-describedby="explained-${key} notes-${key}"
    .value=${text}
    ?disabled=${isFixed}
    @change=${(/** @type {any} */ event) => on.edit(setting, event.target.value)}
  >
    <option value="" ?selected=${text === ""}>${say("settings.no_change")}</option>
    ${options.map(
      (/** @type {string} */ option) =>
        html`<option value=${option} ?selected=${text === option}>${textOf(hass, setting, option)}</option>`,
    )}
  </select>`;
}

/**
 * @param {View} view
 * @param {Setting} setting
 * @param {number | string} factory
 * @param {boolean} isFixed
 */
function fromFactory({ hass, say, on }, setting, factory, isFixed) {
  const value = textOf(hass, setting, factory);
  const typed = typeof factory === "number" ? asTyped(hass, factory) : factory;
  return html`<div class="factory">
    <span>${say("settings.factory", { value })}</span>
    <button
      ?disabled=${isFixed}
      aria-label=${say("settings.use_factory", { name: setting.name, value })}
      @click=${() => on.edit(setting, typed)}
    >
      ${say("settings.use")}
    </button>
  </div>`;
}

/** @param {KnownSetting | undefined} known */
function factoryOf(known) {
  return known?.factory ?? undefined;
}

/**
 * @param {View} view
 * @param {Setting} setting
 */
function isFixedNow({ lock, draft }, setting) {
  return lock !== undefined || draft.isSending || !canBeChanged(setting);
}

/**
 * What has happened to a setting that is nobody's fault.
 * @param {View} view
 * @param {Setting} setting
 */
function notesOn({ hass, say, draft, lock }, setting) {
  const { key, state } = setting;
  const notes = [];
  if (!canBeChanged(setting) && lock === undefined) notes.push(say("settings.not_now"));
  const edit = draft.edits.get(key);
  const isMoved = edit !== undefined && hasValue(setting) && edit.was !== state?.state;
  if (isMoved && !isDrifting(key) && !draft.isSending) {
    notes.push(say("settings.moved", { was: textOf(hass, setting, edit.was) }));
  }
  return notes;
}

/**
 * What is wrong with the value that is wanted.
 * @param {View} view
 * @param {Setting} setting
 * @returns {string[]}
 */
function complaintsOn({ hass, say, draft }, setting) {
  const { key } = setting;
  const edit = draft.edits.get(key);
  const failure = draft.failures.get(key);
  const complaints = failure === undefined ? [] : [failure];
  if (edit?.left) {
    const wanted = wantedBy(hass, setting, edit);
    if ("problem" in wanted) complaints.push(say(wanted.problem, { example: asTyped(hass, 3.55) }));
  }
  if (typeof draft.review === "object") {
    const found = draft.review.problems.filter((problem) => problem.key === key);
    complaints.push(...found.map(({ message }) => message));
  }
  return complaints;
}
