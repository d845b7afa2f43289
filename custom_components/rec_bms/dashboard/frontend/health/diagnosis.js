// @ts-check
/** @import { Facts } from "./facts.js" */
import { isKnown } from "./facts.js";

/** @type {Record<string, string | undefined>} */
const ICONS = {
  balanced: "mdi:battery-check",
  unbalanced: "mdi:scale-unbalanced",
  weak_cell: "mdi:battery-alert-variant",
};
const NOT_YET = "not_enough_data";

/**
 * How the battery is, in a sentence, and why; nothing while that is not told.
 * @param {Facts} facts
 */
export function diagnosisOf(facts) {
  const state = facts.state("diagnosis");
  if (state === undefined) return undefined;
  const told = isKnown(state) ? state.state : NOT_YET;
  const finding = ICONS[told] === undefined ? NOT_YET : told;
  const { unit, cell, reasons } = state.attributes;
  return {
    finding,
    icon: ICONS[finding] ?? "mdi:timer-sand",
    headline: headlineOf(facts, finding, facts.cell(unit, cell)),
    lines: [
      ...reasonsOf(facts, finding, reasons),
      ...imbalanceOf(facts, finding, state.attributes),
      ...said(facts, `health.advice_${finding}`),
    ],
  };
}

/**
 * @param {Facts} facts
 * @param {string} finding
 * @param {string | undefined} cell
 */
function headlineOf(facts, finding, cell) {
  const named = finding === "weak_cell" || finding === "unbalanced";
  const sentence = named ? facts.sentence(`health.${finding}`, { cell }) : undefined;
  return sentence ?? facts.say(named ? `health.${finding}_somewhere` : `health.${finding}`);
}

/**
 * @param {Facts} facts
 * @param {string} finding
 * @param {unknown} reasons
 */
function reasonsOf(facts, finding, reasons) {
  const told = Array.isArray(reasons) ? reasons : [];
  const known = told.flatMap((reason) => said(facts, `health.reason_${reason}`));
  return known.length || finding !== NOT_YET ? known : [facts.say("health.reason_none")];
}

/**
 * @param {Facts} facts
 * @param {string} finding
 * @param {Record<string, any>} attributes
 */
function imbalanceOf(facts, finding, { imbalance, balancing_hours: hours }) {
  if (finding !== "unbalanced") return [];
  const charge = facts.ampereHours(imbalance);
  const time = typeof hours === "number" ? facts.span(hours * 60) : undefined;
  const sentences = [
    facts.sentence("health.imbalance", { charge }),
    facts.sentence("health.balancing", { time }),
  ];
  return sentences.filter((each) => each !== undefined);
}

/**
 * The text of a key, where there is one.
 * @param {Facts} facts
 * @param {string} key
 */
function said({ say }, key) {
  const text = say(key);
  return text === key ? [] : [text];
}
