// @ts-check
/** @import { Facts } from "./facts.js" */
import { placed } from "../battery.js";
import { isKnown } from "./facts.js";

/**
 * What is shown is based on, or why it cannot be told: of an entity by its key, or of a part of the page.
 * @type {Record<string, (facts: Facts) => string[]>}
 */
export const SENTENCES = {
  measured_capacity: capacityOf,
  measured_health: healthOf,
  headroom_high: (facts) => headroomOf(facts, "headroom_high"),
  headroom_low: (facts) => headroomOf(facts, "headroom_low"),
  charge_current_limit: (facts) => limitOf(facts, "charge"),
  discharge_current_limit: (facts) => limitOf(facts, "discharge"),
  last_full_charge: fullOf,
  charge_since_full: sinceFullOf,
  state_of_charge_correction: correctionOf,
  cell_spread_rest: (facts) => spreadOf(facts, "rest"),
  cell_spread_top: (facts) => spreadOf(facts, "top"),
  most_drifting_cell: driftOf,
  resistance: (facts) => [...resistanceNow(facts), ...resistanceChange(facts)],
  lifetime: lifetimeOf,
};

/** @param {Facts} facts */
function capacityOf(facts) {
  return facts.about(
    "measured_capacity",
    (state, { uncertainty, from, to, measured_at: at }) => [
      facts.sentence("health.capacity", {
        at: facts.day(at),
        uncertainty: facts.value(state, uncertainty),
        from: facts.percent(from),
        to: facts.percent(to),
      }),
    ],
    "health.no_capacity",
  );
}

/** @param {Facts} facts */
function healthOf(facts) {
  if (isUnknown(facts, "measured_capacity")) return [];
  const rated = facts.state("capa");
  return facts.about(
    "measured_health",
    () => [facts.sentence("health.measured_health", { capacity: rated && facts.value(rated) })],
    "health.no_measured_health",
  );
}

/**
 * @param {Facts} facts
 * @param {string} key
 */
function headroomOf(facts, key) {
  return facts.about(
    key,
    (state, { unit, cell, minutes }) => {
      const limit = facts.attribute(state, "limit");
      const first = facts.cell(unit, cell);
      const isBeyond = Number(state.state) < 0;
      return [
        facts.sentence(isBeyond ? "health.headroom_beyond" : "health.headroom", { cell: first, limit }) ??
          facts.sentence("health.headroom_limit", { limit }),
        facts.sentence("health.headroom_soon", { time: facts.span(minutes) }),
      ];
    },
    `health.no_${key}`,
  );
}

/**
 * @param {Facts} facts
 * @param {string} way
 */
function limitOf(facts, way) {
  return facts.about(
    `${way}_current_limit`,
    (state) => [
      facts.sentence("health.current_limit", { limit: facts.attribute(state, "limited_by") }),
    ],
    `health.no_${way}_limit`,
  );
}

/** @param {Facts} facts */
function fullOf(facts) {
  return facts.about(
    "last_full_charge",
    ({ state }) => [facts.sentence("health.full", { at: facts.day(state) })],
    "health.no_full_charge",
  );
}

/** @param {Facts} facts */
function sinceFullOf(facts) {
  if (isUnknown(facts, "last_full_charge")) return [];
  return facts.about(
    "charge_since_full",
    (state, { charged, discharged }) => [
      facts.sentence("health.since_full", {
        charged: facts.value(state, charged),
        discharged: facts.value(state, discharged),
      }),
    ],
    "health.no_charge_since_full",
  );
}

/** @param {Facts} facts */
function correctionOf(facts) {
  if (isUnknown(facts, "last_full_charge")) return [];
  return facts.about(
    "state_of_charge_correction",
    (state, { at }) => [
      facts.sentence("health.correction", { by: facts.signed(state), at: facts.day(at) }),
    ],
    "health.no_correction",
  );
}

/**
 * @param {Facts} facts
 * @param {string} where
 */
function spreadOf(facts, where) {
  return facts.about(
    `cell_spread_${where}`,
    (_, told) => [
      facts.sentence(`health.spread_${where}`, {
        at: facts.day(told.at),
        lowest: facts.cell(told.lowest_unit, told.lowest_cell),
        highest: facts.cell(told.highest_unit, told.highest_cell),
      }),
    ],
    `health.no_spread_${where}`,
  );
}

/** @param {Facts} facts */
function driftOf(facts) {
  return facts.about(
    "most_drifting_cell",
    (_, { unit, cell, since }) => [
      facts.sentence("health.drift", { cell: facts.cell(unit, cell), since: facts.day(since) }),
    ],
    "health.no_drift",
  );
}

/** @param {Facts} facts */
function resistanceNow(facts) {
  const cells = facts.cells("cell_resistance").sort((one, other) => one.value - other.value);
  const [lowest, highest] = [cells.at(0), cells.at(-1)];
  if (lowest === undefined || highest === undefined) return [];
  const sentence = facts.sentence("health.resistance_now", {
    lowest: facts.value(lowest.state),
    lowest_cell: lowest.cell,
    highest: facts.value(highest.state),
    highest_cell: highest.cell,
  });
  return sentence === undefined ? [] : [sentence];
}

/** @param {Facts} facts */
function resistanceChange(facts) {
  const kind = "cell_resistance_change";
  const places = placed(facts.battery, kind);
  if (!places.length) return [facts.say("health.resistance_disabled")];
  const [most] = facts.cells(kind).sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
  if (most !== undefined) {
    const told = { cell: most.cell, change: facts.signed(most.state) };
    return [facts.sentence("health.resistance_change", told)].filter((each) => each !== undefined);
  }
  const isThere = places.some(({ unit, number }) => isUnknown(facts, `${kind}_${unit}_${number}`));
  return isThere ? [facts.say("health.no_resistance_change")] : [];
}

/** @param {Facts} facts */
function lifetimeOf(facts) {
  const since = facts.about("lifetime_charged", (_, attributes) => [
    facts.sentence("health.counted_since", { since: facts.day(attributes.since) }),
  ]);
  const extremes = ["highest", "lowest"].flatMap((end) =>
    facts.about(
      `${end}_cell_voltage_ever`,
      (_, { unit, cell, at }) => [
        facts.sentence(`health.${end}_ever`, { cell: facts.cell(unit, cell), at: facts.day(at) }),
      ],
      `health.no_${end}_ever`,
    ),
  );
  const deepest = facts.about(
    "deepest_discharge",
    (_, { at }) => [facts.sentence("health.deepest", { at: facts.day(at) })],
    "health.no_deepest",
  );
  return [...since, ...extremes, ...deepest];
}

/**
 * @param {Facts} facts
 * @param {string} key
 */
function isUnknown(facts, key) {
  const state = facts.state(key);
  return state !== undefined && !isKnown(state);
}
