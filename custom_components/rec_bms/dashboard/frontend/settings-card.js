// @ts-check
/** @import { Battery, Hass, Layout, Localize, SettingsConfig, SettingsKnown } from "./types.d.ts" */
/** @import { Place } from "./settings/place.js" */
/** @import { Setting } from "./settings/setting.js" */
/** @import { PropertyDeclarations } from "./vendor/lit.js" */
import { chosenBattery } from "./battery.js";
import { BatteryCard } from "./card.js";
import { actionsOf } from "./settings/actions.js";
import { askSettings, followBackups, messageOf } from "./settings/ask.js";
import { confirmDialog } from "./settings/confirm-dialog.js";
import { draftOf } from "./settings/draft.js";
import { keptOf } from "./settings/kept.js";
import { lockOf } from "./settings/lock.js";
import { asNamed, translatedNames } from "./settings/names.js";
import { page } from "./settings/page.js";
import { placeOf } from "./settings/place.js";
import { hasValue, settingOf } from "./settings/setting.js";
import { STYLE } from "./settings/style.js";
import { html, nothing } from "./vendor/lit.js";
import { languageOf, words } from "./words.js";

export const SETTINGS_CARD = "rec-bms-settings-card";

/**
 * The settings of a BMS, which are edited first, reviewed, and sent at one word. Knows what there is
 * to show; the modules in settings/ draw it and do what is asked.
 */
export class RecBmsSettingsCard extends BatteryCard {
  static styles = STYLE;

  /** @type {PropertyDeclarations} */
  static properties = {
    _config: { state: true },
    _answer: { state: true },
    _said: { state: true },
    _localize: { state: true },
    _translate: { state: true },
    _told: { state: true },
  };

  /** What is shown now. @type {{battery: Battery, settings: Setting[]} | undefined} */
  #shown = undefined;
  /** What the integration's answer depends on, as it was when that was asked for. */
  #answerTo = "";
  /** What that hangs on, as it was when changes began to be followed. */
  #subscribedFor = "";
  #localizedIn = "";
  /** @type {Promise<(() => void) | undefined>} */
  #endSubscription = Promise.resolve(undefined);
  #followed = "";
  /** @type {(() => void)[]} */
  #endFollowing = [];
  /** @type {Place | undefined} */
  #place = undefined;

  constructor() {
    super();
    /** @type {SettingsConfig | undefined} */
    this._config = undefined;
    /** @type {{known?: SettingsKnown, failure?: string}} */
    this._answer = {};
    /** What a screen reader is told. */
    this._said = "";
    /** @type {Localize | undefined} */
    this._localize = undefined;
    this._translate = asNamed;
    /** How often what is staged or kept has changed. */
    this._told = 0;
  }

  /** @param {SettingsConfig} config */
  setConfig(config) {
    this._config = config;
    this._answer = {};
    this.#answerTo = "";
    this.#subscribedFor = "";
  }

  getCardSize() {
    return 20;
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
    for (const end of this.#endFollowing) end();
    this.#endFollowing = [];
    this.#followed = "";
    this.#place?.depart();
    this.#place = undefined;
    this.#answerTo = "";
    this.#subscribedFor = "";
    this.#unsubscribe();
  }

  render() {
    const { hass, _config: config } = this;
    if (hass === undefined || config === undefined) return nothing;
    const { layout, failure } = this.known;
    const found = layout && chosenBattery(layout, config)?.battery;
    const battery = found && { ...found, title: config.title ?? found.title };
    this.#shown = undefined;
    return html`<ha-card @focusin=${this.#enter} @focusout=${this.#leave}>
      <div class="content">
        ${layout === undefined || battery === undefined
          ? html`<p role="status">${this.#nothingYet(hass, layout, failure)}</p>`
          : this.#page(hass, battery, layout.settings)}
      </div>
      <p class="visually-hidden" role="status" id="said">${this._said}</p>
      ${confirmDialog(words(hass), this.#place?.question, this.#closeQuestion)}
    </ha-card>`;
  }

  updated() {
    const { hass } = this;
    if (hass === undefined || this.#shown === undefined || !this.isConnected) return;
    const { battery, settings } = this.#shown;
    this.#followStores(hass, battery);
    this.#localizeOnce(hass);
    this.#askAsNeeded(hass, battery, settings);
    this.#openQuestion();
    if (this.#place?.question === undefined) this.#place?.focusIn(this.renderRoot);
  }

  #enter = (/** @type {FocusEvent} */ { target }) => this.#place?.enter(target);

  #leave = (/** @type {FocusEvent} */ { target }) => this.#place?.leave(target);

  /**
   * @param {Hass} hass
   * @param {Layout | undefined} layout
   * @param {string | undefined} failure
   */
  #nothingYet(hass, layout, failure) {
    const say = words(hass);
    if (failure !== undefined) return say("dashboard.failed", { reason: failure });
    return say(layout === undefined ? "settings.loading" : "card.no_such_battery");
  }

  /**
   * @param {Hass} hass
   * @param {Battery} battery
   * @param {Layout["settings"]} categories
   */
  #page(hass, battery, categories) {
    const groups = categories
      .map(({ category, keys }) => ({
        category,
        title: this.#titleOf(category),
        settings: keys.flatMap((key) => settingOf(hass, battery, key, this._translate) ?? []),
      }))
      .filter(({ settings }) => settings.length);
    const settings = groups.flatMap((group) => group.settings);
    this.#shown = { battery, settings };
    this.watched = settings.map(({ entityId }) => entityId);
    const { known, failure } = this._answer;
    const draft = draftOf(hass, battery.entry_id);
    const kept = keptOf(hass, battery.entry_id);
    const on = actionsOf({
      hass: () => this.hass ?? hass,
      battery,
      settings,
      draft,
      kept,
      ask: (question) => placeOf(hass, battery.entry_id).ask(question),
      announce: (text) => (this._said = text),
      focus: (id) => placeOf(hass, battery.entry_id).goTo(id),
    });
    const lock = lockOf(hass, battery, settings, known, failure);
    return page({ hass, say: words(hass), battery, settings, known, lock, draft, kept, on }, groups);
  }

  /** @param {string} category */
  #titleOf(category) {
    const key = `component.rec_bms.selector.instruction_category.options.${category}`;
    return this._localize?.(key) || category;
  }

  /**
   * @param {Hass} hass
   * @param {Battery} battery
   */
  #followStores(hass, { entry_id: entryId }) {
    if (this.#followed === entryId) return;
    for (const end of this.#endFollowing) end();
    const tell = () => (this._told += 1);
    const stores = [draftOf, keptOf, placeOf].map((storeOf) => storeOf(hass, entryId));
    this.#endFollowing = stores.map((store) => store.listen(tell));
    this.#place?.depart();
    this.#place = placeOf(hass, entryId);
    this.#place.arrive();
    if (this.#place.question !== undefined) tell();
    this.#followed = entryId;
  }

  /** @param {Hass} hass */
  async #localizeOnce(hass) {
    const language = languageOf(hass);
    if (this.#localizedIn === language) return;
    this.#localizedIn = language;
    try {
      this._localize = await hass.loadBackendTranslation("selector", "rec_bms");
      this._translate = await translatedNames(hass);
    } catch {
      // The connection was lost: it is tried again with the next news.
      this.#localizedIn = "";
    }
  }

  /**
   * Asks again when the BMS comes back, which it does after any change of the integration's options,
   * and when its chemistry changes, on which the factory's values depend. It may be back before it
   * was drawn as gone: then only the moment of the settings' last change tells.
   * @param {Hass} hass
   * @param {Battery} battery
   * @param {Setting[]} settings
   */
  #askAsNeeded(hass, { entry_id: entryId }, settings) {
    const present = settings.filter(hasValue).map(({ key }) => key);
    const chemistry = settings.find(({ key }) => key === "chem")?.state?.state;
    const changed = settings.map(({ state }) => state?.last_changed ?? "").sort();
    const about = [entryId, hass.connected, chemistry, ...present].join();
    const question = [about, changed.at(-1)].join();
    if (this.#answerTo !== question) {
      this.#answerTo = question;
      this.#askWhatIsKnown(hass, entryId, question);
    }
    if (this.#subscribedFor === about) return;
    this.#subscribedFor = about;
    this.#unsubscribe();
    this.#endSubscription = this.#subscribe(hass, entryId);
  }

  /**
   * @param {Hass} hass
   * @param {string} entryId
   * @param {string} question
   */
  async #askWhatIsKnown(hass, entryId, question) {
    /** @type {typeof this._answer} */
    let answer;
    try {
      answer = { known: await askSettings(hass, entryId) };
    } catch (error) {
      answer = { failure: await messageOf(hass, error) };
    }
    if (this.#answerTo === question) this._answer = answer;
  }

  /**
   * @param {Hass} hass
   * @param {string} entryId
   */
  async #subscribe(hass, entryId) {
    const kept = keptOf(hass, entryId);
    try {
      return await followBackups(hass, entryId, (backups) => kept.hear(backups));
    } catch (error) {
      kept.fail(await messageOf(hass, error));
      return undefined;
    }
  }

  async #unsubscribe() {
    const end = this.#endSubscription;
    this.#endSubscription = Promise.resolve(undefined);
    (await end)?.();
  }

  #openQuestion() {
    const dialog = this.renderRoot.querySelector("dialog");
    const isAsked = this.#place?.question !== undefined;
    if (isAsked && !dialog?.open) dialog?.showModal();
    if (!isAsked && dialog?.open) dialog.close();
  }

  #closeQuestion = () => {
    this.#place?.ask(undefined);
  };
}
