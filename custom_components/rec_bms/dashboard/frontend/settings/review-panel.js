// @ts-check
/** @import { Run, Sent } from "./draft.js" */
/** @import { View } from "./view.js" */
import { html, nothing } from "../vendor/lit.js";
import { movedSince, textOf } from "./setting.js";
import { settingNamed } from "./view.js";

/** @type {Record<Sent["status"], string>} */
const ICONS = {
  waiting: "mdi:clock-outline",
  sending: "mdi:progress-upload",
  done: "mdi:check-circle",
  failed: "mdi:alert-circle",
};

/**
 * What is about to be changed, and then how that goes.
 * @param {View} view
 */
export function reviewPanel(view) {
  const { say, draft } = view;
  const { review, refusal, run } = draft;
  if (run !== undefined) return panel(say(`settings.run_${run.ended ?? "sending"}`), running(view, run));
  if (refusal !== undefined) {
    return panel(say("settings.review_failed"), html`<p class="complaint">${refusal}</p>${again(view)}`);
  }
  if (review === "asking") return panel(say("settings.reviewing"), nothing);
  if (review === undefined) return nothing;
  return panel(say("settings.review_title"), reviewed(view, review));
}

/**
 * @param {string} title
 * @param {unknown} body
 */
function panel(title, body) {
  return html`<section class="panel" aria-labelledby="review-title">
    <h2 id="review-title" tabindex="-1">${title}</h2>
    ${body}
  </section>`;
}

/**
 * @param {View} view
 * @param {import("./draft.js").Reviewed} review
 */
function reviewed(view, { steps, problems, basis }) {
  const { hass, say, on, lock } = view;
  const moved = movedSince(basis, view.settings);
  if (moved.length) {
    return html`<p>${say("settings.moved_since")}</p>
      <ul class="steps">
        ${moved.map(({ setting, was }) => {
          const now = setting.state?.state ?? "";
          return html`<li>${change(setting.name, textOf(hass, setting, was), textOf(hass, setting, now))}</li>`;
        })}
      </ul>
      ${again(view)}`;
  }
  if (problems.length) return wrong(view, problems);
  if (!steps.length) return html`<p>${say("settings.nothing_to_change")}</p>${back(view)}`;
  return html`<p>${say("settings.in_this_order")}</p>
    <ol class="steps">
      ${steps.map((step) => html`<li data-step=${step.key}>${changeOf(view, step)}</li>`)}
    </ol>
    <div class="buttons">
      ${backButton(view)}
      <button class="main" ?disabled=${lock !== undefined} @click=${() => on.apply(steps)}>
        ${say("settings.apply")}
      </button>
    </div>`;
}

/**
 * @param {View} view
 * @param {{key: string, message: string}[]} problems
 */
function wrong(view, problems) {
  return html`<p>${view.say("settings.problems")}</p>
    <ul class="problems">
      ${problems.map(({ key, message }) => {
        const name = settingNamed(view, key)?.name ?? key.toUpperCase();
        return html`<li data-problem=${key}><strong>${name}</strong> ${message}</li>`;
      })}
    </ul>
    ${back(view)}`;
}

/**
 * @param {View} view
 * @param {Run} run
 */
function running(view, run) {
  const { say, on } = view;
  const steps = html`<ol class="steps">
    ${run.steps.map(
      (step) => html`<li data-step=${step.key} data-status=${step.status}>
        <ha-icon icon=${ICONS[step.status]} aria-hidden="true"></ha-icon>
        <div>
          ${changeOf(view, step)}
          <p class="status">${say(`settings.step_${step.status}`)}</p>
          ${step.reason === undefined ? nothing : html`<p class="complaint">${step.reason}</p>`}
        </div>
      </li>`,
    )}
  </ol>`;
  if (run.ended === undefined) return steps;
  return html`${steps}
    ${run.ended === "done" ? nothing : html`<p>${say(`settings.rest_${run.ended}`)}</p>`}
    <div class="buttons"><button class="main" @click=${on.close}>${say("settings.close")}</button></div>`;
}

/**
 * @param {Pick<View, "hass" | "say" | "settings">} view
 * @param {{key: string, from: number | string | null, to: number | string | null}} step
 */
export function changeOf(view, { key, from, to }) {
  const setting = settingNamed(view, key);
  const text = (/** @type {number | string | null} */ value) => {
    if (value === null) return view.say("settings.no_value");
    return setting === undefined ? String(value) : textOf(view.hass, setting, value);
  };
  return change(setting?.name ?? key.toUpperCase(), text(from), text(to));
}

/**
 * @param {string} name
 * @param {string} from
 * @param {string} to
 */
export function change(name, from, to) {
  return html`<span class="change">
    <span class="name">${name}</span>
    <span class="values">${from} <span class="arrow">→</span> <strong>${to}</strong></span>
  </span>`;
}

/** @param {View} view */
function again({ say, on }) {
  return html`<div class="buttons">
    <button @click=${on.back}>${say("settings.back")}</button>
    <button class="main" @click=${on.review}>${say("settings.review_again")}</button>
  </div>`;
}

/** @param {View} view */
function back(view) {
  return html`<div class="buttons">${backButton(view)}</div>`;
}

/** @param {View} view */
function backButton({ say, on }) {
  return html`<button @click=${on.back}>${say("settings.back")}</button>`;
}
