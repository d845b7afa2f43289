// @ts-check
/** @import { Battery, Hass, Step } from "../types.d.ts" */
/** @import { Question } from "./confirm-dialog.js" */
/** @import { Draft } from "./draft.js" */
/** @import { Kept } from "./kept.js" */
/** @import { Setting } from "./setting.js" */
/** @import { Actions } from "./view.js" */
import { html } from "../vendor/lit.js";
import { words } from "../words.js";
import { apply } from "./apply.js";
import { askReview, messageOf, send } from "./ask.js";
import { differenceOf } from "./backups-panel.js";
import { staged } from "./draft.js";
import { changeOf } from "./review-panel.js";
import { statesOf } from "./setting.js";

/**
 * What the card lends to what is done on it.
 * @typedef {object} Lent
 * @property {() => Hass} hass as it is by then
 * @property {Battery} battery
 * @property {Setting[]} settings
 * @property {Draft} draft
 * @property {Kept} kept
 * @property {(question: Question) => void} ask
 * @property {(text: string) => void} announce
 * @property {(id: string) => void} focus once it is there
 */

const PANEL = "review-title";
const PAGE = "settings-title";

/**
 * @param {Lent} lent
 * @returns {Actions}
 */
export function actionsOf(lent) {
  const { hass, battery, draft, kept, announce, focus } = lent;
  const say = words(hass());
  const back = () => {
    const [first] = draft.edits.keys();
    draft.forgetReview();
    focus(first === undefined ? PAGE : `new-${first}`);
  };
  return {
    edit: (setting, text) => draft.edit(setting, text),
    undo: (setting) => {
      draft.edit(setting, "");
      focus(`new-${setting.key}`);
    },
    discard: () => {
      draft.discard();
      announce(say("settings.discarded"));
      focus(PAGE);
    },
    review: () => review(lent),
    back,
    apply: (steps) => askToApply(lent, steps),
    close: back,
    backUp: (name) => kept.backUp(hass(), battery.entry_id, name),
    compare: async () => {
      await kept.compare(hass(), battery.entry_id);
      focus("compared-title");
    },
    restore: () => askToRestore(lent),
  };
}

/**
 * Has the staged values reviewed; where one is none at all, goes there instead.
 * @param {Lent} lent
 */
async function review({ hass, battery, settings, draft, announce, focus }) {
  const edits = staged(hass(), draft, settings);
  const malformed = edits.find(({ wanted }) => "problem" in wanted);
  draft.forgetReview();
  for (const { edit } of edits) edit.left = true;
  if (malformed !== undefined) {
    draft.tell();
    announce(words(hass())("settings.mend_first", { name: malformed.setting.name }));
    return focus(`new-${malformed.setting.key}`);
  }
  const { edition } = draft;
  const basis = statesOf(settings);
  const changes = Object.fromEntries(
    edits.flatMap(({ setting, wanted }) => ("value" in wanted ? [[setting.key, wanted.value]] : [])),
  );
  draft.review = "asking";
  draft.tell();
  const answer = await answered(hass(), () => askReview(hass(), battery.entry_id, changes));
  // What was typed meanwhile is not what was reviewed.
  if (draft.edition !== edition) return;
  draft.review = "reason" in answer ? undefined : { ...answer, basis };
  draft.refusal = "reason" in answer ? answer.reason : undefined;
  draft.tell();
  focus(PANEL);
}

/**
 * @template Answer
 * @param {Hass} hass
 * @param {() => Promise<Answer>} ask
 * @returns {Promise<Answer | {reason: string}>}
 */
async function answered(hass, ask) {
  try {
    return await ask();
  } catch (error) {
    return { reason: await messageOf(hass, error) };
  }
}

/**
 * @param {Lent} lent
 * @param {Step[]} steps
 */
function askToApply(lent, steps) {
  const { hass, battery } = lent;
  const say = words(hass());
  const view = { ...lent, hass: hass(), say };
  lent.ask({
    title: say("settings.confirm", { count: steps.length, title: battery.title }),
    yes: say("settings.confirm_yes"),
    what: html`<ul class="steps">
      ${steps.map((step) => html`<li>${changeOf(view, step)}</li>`)}
    </ul>`,
    go: () => sendAll(lent, steps),
  });
}

/**
 * @param {Lent} lent
 * @param {Step[]} steps
 */
async function sendAll(lent, steps) {
  const { hass, battery, settings, draft, announce, focus } = lent;
  const say = words(hass());
  const nameOf = (/** @type {string} */ key) => settings.find((each) => each.key === key)?.name ?? key;
  focus(PANEL);
  const ended = await apply(draft, steps, {
    review: (changes) => askReview(hass(), battery.entry_id, changes),
    send: async ({ key, to }) => {
      announce(say("settings.setting_now", { name: nameOf(key) }));
      await send(hass(), battery.entities[key] ?? "", to);
      announce(say("settings.set_now", { name: nameOf(key) }));
    },
    explain: (error) => messageOf(hass(), error),
  });
  announce(say(`settings.run_${ended}`));
  focus(PANEL);
}

/** @param {Lent} lent */
function askToRestore(lent) {
  const { hass, battery, kept, ask, focus } = lent;
  const say = words(hass());
  const view = { ...lent, hass: hass(), say };
  const differences = Object.entries(kept.comparison?.differences ?? {});
  const chosen = differences.filter(([code]) => kept.chosen.has(code));
  ask({
    title: say("settings.confirm_restore", { count: chosen.length, title: battery.title }),
    yes: say("settings.confirm_restore_yes"),
    what: html`<ul class="steps">
      ${chosen.map(([code, values]) => html`<li>${differenceOf(view, code, values)}</li>`)}
    </ul>`,
    go: async () => {
      await kept.restore(hass(), battery.entry_id);
      focus("outcome-title");
    },
  });
}
