// @ts-check
/** @import { Review, Step } from "../types.d.ts" */
/** @import { Draft, Sent } from "./draft.js" */
import { isDrifting } from "./setting.js";

/**
 * What is asked of the integration.
 * @typedef {object} Ways
 * @property {(changes: Record<string, number | string>) => Promise<Review>} review
 * @property {(step: Step) => Promise<unknown>} send sets and verifies
 * @property {(error: unknown) => Promise<string>} explain
 */

/**
 * Sends one step after the other, in their order, and stops at the first that fails. Before each,
 * what is left is reviewed again: another program may have changed the BMS.
 * @param {Draft} draft
 * @param {Step[]} steps
 * @param {Ways} ways
 * @returns {Promise<"done" | "failed" | "moved">} how it ended
 */
export async function apply(draft, steps, ways) {
  /** @type {import("./draft.js").Run} */
  const run = { steps: steps.map((step) => ({ ...step, status: "waiting" })), ended: undefined };
  draft.forgetReview();
  draft.failures.clear();
  draft.run = run;
  for (const [index, step] of run.steps.entries()) {
    run.ended = await attempt(draft, step, run.steps.slice(index), ways);
    if (run.ended !== undefined) break;
  }
  const ended = (run.ended ??= "done");
  draft.tell();
  return ended;
}

/**
 * @param {Draft} draft
 * @param {Sent} step
 * @param {Sent[]} left this one and all after it
 * @param {Ways} ways
 * @returns {Promise<"failed" | "moved" | undefined>} why to stop here
 */
async function attempt(draft, step, left, ways) {
  step.status = "sending";
  draft.tell();
  try {
    if (!isSame(await ways.review(changesOf(left)), left)) {
      step.status = "waiting";
      return "moved";
    }
    await ways.send(step);
  } catch (error) {
    step.status = "failed";
    step.reason = await ways.explain(error);
    draft.failures.set(step.key, step.reason);
    return "failed";
  }
  step.status = "done";
  draft.edits.delete(step.key);
  draft.tell();
  return undefined;
}

/** @param {Step[]} steps */
function changesOf(steps) {
  return Object.fromEntries(steps.map(({ key, to }) => [key, to]));
}

/**
 * @param {Review} review
 * @param {Step[]} steps
 */
function isSame(review, steps) {
  if (review.problems.length || review.steps.length !== steps.length) return false;
  return steps.every(({ key, from, to }, index) => {
    const other = review.steps[index];
    return other.key === key && other.to === to && (other.from === from || isDrifting(key));
  });
}
