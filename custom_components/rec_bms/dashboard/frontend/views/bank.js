// @ts-check
/** @import { BankContext, Context } from "../types.d.ts" */
import { energyToday, whileKnown } from "./overview.js";
import { WHOLE_WIDTH, alerts, group, heading, pageButtons, section, tiles, view } from "./parts.js";

const EXTREMES = ["min_cell_voltage", "max_cell_voltage", "cell_voltage_delta", "max_temperature"];
const OF_A_MEMBER = ["state_of_charge", "power", "voltage", "current", "stored_energy", "error"];

/**
 * A bank: its batteries as one, and then each of them.
 * @param {BankContext} context
 */
export function bankView(context) {
  const { say, members } = context;
  return view(context, "overview", [
    ...members.flatMap(alerts),
    section([wired(context), ...asOne(context)]),
    section([
      ...group(say("dashboard.extremes"), "mdi:arrow-expand-vertical", extremes(context)),
      ...group(say("dashboard.energy"), "mdi:lightning-bolt", energyToday(context)),
      ...pageButtons(context, ["health", "history"]),
    ]),
    ...members.map(memberOf),
  ]);
}

/**
 * A bank on the first page, across all of it.
 * @param {BankContext} context
 */
export function bankSection(context) {
  const { battery, prefix } = context;
  const more = {
    heading: battery.title,
    tap_action: { action: "navigate", navigation_path: `${prefix}overview` },
  };
  return section([wired(context, more), ...asOne(context), ...extremes(context)], {
    columns: WHOLE_WIDTH,
  });
}

/**
 * The lowest and the highest, with the battery at which they are.
 * @param {Context} context
 */
function extremes(context) {
  return tiles(context, EXTREMES, {
    grid_options: { columns: 12 },
    state_content: ["state", "battery"],
  });
}

/** How many batteries it is made of, and how they are wired. */
function wired(/** @type {BankContext} */ { say, bank }, more = {}) {
  const text = say(`dashboard.bank_${bank.wiring}`, { count: bank.members.length });
  return heading(text, "mdi:battery-high", more);
}

/** @param {Context} context */
function asOne(context) {
  return [
    ...tiles(context, ["state_of_charge"], {
      grid_options: { columns: 12 },
      state_content: ["state"],
      features: [{ type: "bar-gauge" }],
    }),
    ...tiles(context, ["power"], {
      grid_options: { columns: 12 },
      features: [{ type: "trend-graph", hours_to_show: 6 }],
    }),
    ...tiles(context, ["voltage", "current"]),
    ...["time_to_full", "time_to_empty"].flatMap((key) => whileKnown(context, key)),
    ...tiles(context, ["stored_energy", "problem"]),
  ];
}

/** @param {Context} context */
function memberOf(context) {
  const { battery, prefix } = context;
  const more = { tap_action: { action: "navigate", navigation_path: `${prefix}overview` } };
  const shown = tiles(context, OF_A_MEMBER);
  return section(shown.length ? [heading(battery.title, "mdi:battery", more), ...shown] : []);
}
