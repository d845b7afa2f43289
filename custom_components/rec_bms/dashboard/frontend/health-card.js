// @ts-check
/** @import { Battery, Hass, HealthConfig, Layout } from "./types.d.ts" */
/** @import { Issue } from "./health/issues.js" */
/** @import { PropertyDeclarations } from "./vendor/lit.js" */
import { chosenBattery } from "./battery.js";
import { BatteryCard } from "./card.js";
import { diagnosisOf } from "./health/diagnosis.js";
import { Facts } from "./health/facts.js";
import { followIssues } from "./health/issues.js";
import { SENTENCES } from "./health/sentences.js";
import { css, html, nothing } from "./vendor/lit.js";
import { languageOf } from "./words.js";

export const HEALTH_CARD = "rec-bms-health-card";
const DIAGNOSIS = "diagnosis";

const STYLE = css`
:host { display: block; --quiet: color-mix(in srgb, var(--primary-text-color) 76%, var(--primary-background-color, #fafafa)); }
:host([hidden]) { display: none; }
ha-card { color: var(--primary-text-color); height: 100%; box-sizing: border-box; }
h2, p, ul { margin: 0; padding: 0; }
ul { list-style: none; display: grid; gap: 6px; }
.content { padding: 16px; display: grid; gap: 12px; }
.basis { padding: 0 4px; color: var(--quiet); font-size: 0.875rem; line-height: 1.45; }
.found { display: flex; gap: 16px; align-items: flex-start; }
.found > div { display: grid; gap: 6px; min-width: 0; line-height: 1.45; }
h2 { font-size: 1.375rem; font-weight: 500; line-height: 1.3; overflow-wrap: anywhere; }
ha-icon { --mdc-icon-size: 32px; flex: none; color: var(--secondary-text-color); }
[data-finding="balanced"] ha-icon { color: var(--success-color, #43a047); }
[data-finding="unbalanced"] ha-icon { color: var(--warning-color, #ffa600); }
[data-finding="weak_cell"] ha-icon { color: var(--error-color, #db4437); }
a { color: inherit; }
`;

/** How a battery is, in sentences: the diagnosis, or what a part of the page is based on. */
export class RecBmsHealthCard extends BatteryCard {
  static styles = STYLE;
  /** @type {PropertyDeclarations} */
  static properties = { _config: { state: true }, _issues: { state: true } };

  /** Home Assistant keeps it on its page while it hides itself for want of anything to say. */
  connectedWhileHidden = true;
  #isEmpty = true;
  /** What the issues were asked for with. @type {{layout: Layout, language: string} | undefined} */
  #followed = undefined;
  /** @type {Promise<() => void>} */
  #end = Promise.resolve(() => {});

  constructor() {
    super();
    /** @type {HealthConfig | undefined} */
    this._config = undefined;
    /** @type {Issue[]} */
    this._issues = [];
  }

  /** @param {HealthConfig} config */
  setConfig(config) {
    this._config = config;
  }

  getCardSize() {
    return 2;
  }

  getGridOptions() {
    return { columns: "full", rows: "auto" };
  }

  connectedCallback() {
    super.connectedCallback();
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#endFollowing();
  }

  render() {
    const content = this.#content();
    this.#isEmpty = content === nothing;
    return content;
  }

  #content() {
    const { hass, _config: config } = this;
    const { layout } = this.known;
    if (hass === undefined || config === undefined || layout === undefined) return nothing;
    const battery = chosenBattery(layout, config)?.battery;
    if (battery === undefined) return nothing;
    const facts = new Facts(hass, battery);
    const content = config.about === DIAGNOSIS ? this.#diagnosis(facts) : basis(facts, config.about);
    this.watched = [...facts.seen];
    return content;
  }

  updated() {
    this.#hideIfEmpty();
    const { hass, _config: config } = this;
    const { layout } = this.known;
    if (hass === undefined || layout === undefined || config?.about !== DIAGNOSIS) return;
    const battery = chosenBattery(layout, config)?.battery;
    if (battery !== undefined && hass.connected && this.isConnected) {
      this.#followIssues(hass, layout, battery);
    }
  }

  #hideIfEmpty() {
    const isEmpty = this.#isEmpty;
    if (this.hasAttribute("hidden") === isEmpty) return;
    this.toggleAttribute("hidden", isEmpty);
    this.dispatchEvent(
      new CustomEvent("card-visibility-changed", { bubbles: true, composed: true, detail: { value: !isEmpty } }),
    );
  }

  /** @param {Facts} facts */
  #diagnosis(facts) {
    const found = diagnosisOf(facts);
    if (found === undefined && !this._issues.length) return nothing;
    return html`<ha-card>
      <div class="content">
        ${found && diagnosis(found)}
        ${this._issues.map(
          ({ title, severity }) => html`<ha-alert alert-type=${severity === "warning" ? "warning" : "error"}>${title}</ha-alert>`,
        )}
        ${this._issues.length ? repairs(facts) : nothing}
      </div>
    </ha-card>`;
  }

  /**
   * The layout is another one after each lost connection, in which an issue may have come or gone.
   * @param {Hass} hass
   * @param {Layout} layout
   * @param {Battery} battery
   */
  #followIssues(hass, layout, battery) {
    const language = languageOf(hass);
    if (this.#followed?.layout === layout && this.#followed.language === language) return;
    this.#endFollowing();
    const followed = { layout, language };
    this.#followed = followed;
    const hear = (/** @type {Issue[]} */ issues) => {
      if (followed === this.#followed) this._issues = issues;
    };
    // Who may not see issues sees the rest.
    this.#end = followIssues(hass, battery.entry_id, hear).catch(() => () => {});
  }

  async #endFollowing() {
    const end = this.#end;
    this.#followed = undefined;
    this.#end = Promise.resolve(() => {});
    (await end)();
  }
}

/** @param {NonNullable<ReturnType<typeof diagnosisOf>>} found */
function diagnosis({ finding, icon, headline, lines }) {
  return html`<div class="found" data-finding=${finding}>
    <ha-icon icon=${icon}></ha-icon>
    <div>
      <h2>${headline}</h2>
      ${lines.map((line) => html`<p>${line}</p>`)}
    </div>
  </div>`;
}

/** @param {Facts} facts */
function repairs({ hass, say }) {
  return hass.user?.is_admin === false
    ? html`<p>${say("health.repairs_of_others")}</p>`
    : html`<p><a href="/config/repairs">${say("health.repairs")}</a></p>`;
}

/**
 * @param {Facts} facts
 * @param {string} about
 */
function basis(facts, about) {
  const lines = SENTENCES[about]?.(facts) ?? [];
  if (!lines.length) return nothing;
  return html`<ul class="basis">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}
