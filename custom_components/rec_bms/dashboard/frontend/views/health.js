// @ts-check
/** @import { BankContext, Context } from "../types.d.ts" */
import { placed } from "../battery.js";
import { entitiesOf, group, heading, mainDevice, section, tiles, view } from "./parts.js";

/** What there is a history of. */
export const SPREADS = ["cell_spread_rest", "cell_spread_top"];

const COLUMNS = 2;
const SPREAD_DAYS = 90;
const WHOLE = { grid_options: { columns: 12 } };
const CAPACITY = ["measured_capacity", "measured_health"];
const HEADROOMS = ["headroom_high", "headroom_low"];
const CURRENT_LIMITS = ["charge_current_limit", "discharge_current_limit"];
const FULL = ["last_full_charge", "charge_since_full", "state_of_charge_correction"];
const LIFETIME = [
  "highest_cell_voltage_ever",
  "lowest_cell_voltage_ever",
  "deepest_discharge",
  "cycles",
  "lifetime_charged",
  "lifetime_discharged",
  "time_above_limits",
  "time_below_limits",
];
const OF_A_MEMBER = [...CAPACITY, ...HEADROOMS];

/**
 * How the battery is, and what that is based on. What matters first is at the left, and on a phone
 * above; both columns are about as long, whether much is known or nothing yet.
 * @param {Context} context
 */
export function healthView(context) {
  const cutOff = part(context, [...HEADROOMS, ...CURRENT_LIMITS]);
  const cells = part(context, [...SPREADS, "most_drifting_cell"]);
  const sections = [
    section(sentences(context, "diagnosis", ["diagnosis"]), { columns: COLUMNS }),
    section([
      ...titled(context, "capacity", "mdi:battery-medium", part(context, CAPACITY)),
      ...titled(context, "cut_off", "mdi:arrow-expand-vertical", cutOff),
    ]),
    section([
      ...titled(context, "full", "mdi:battery-check", part(context, FULL)),
      ...titled(context, "cells", "mdi:chart-bar", [...cells, ...resistance(context)]),
    ]),
    section(titled(context, "spread", "mdi:chart-line", graph(context)), { columns: COLUMNS }),
    section(titled(context, "lifetime", "mdi:history", lifetime(context)), { columns: COLUMNS }),
  ];
  return view(context, "health", sections, { max_columns: COLUMNS });
}

/**
 * How each battery of a bank is: together they have no health.
 * @param {BankContext} context
 */
export function membersHealthView(context) {
  return view(context, "health", context.members.map(memberOf));
}

/** @param {Context} context */
function memberOf(context) {
  const { battery, prefix } = context;
  const more = { tap_action: { action: "navigate", navigation_path: `${prefix}health` } };
  const shown = [
    ...sentences(context, "diagnosis", ["diagnosis"]),
    ...OF_A_MEMBER.flatMap((key) => tileOf(context, key)),
  ];
  return section(shown.length ? [heading(battery.title, "mdi:battery", more), ...shown] : []);
}

/**
 * Cards with a heading, or nothing where there are none.
 * @param {Context} context
 * @param {string} name
 * @param {string} icon
 * @param {object[]} cards
 */
function titled({ say }, name, icon, cards) {
  return group(say(`health.title_${name}`, { days: SPREAD_DAYS }), icon, cards);
}

/**
 * Each entity, and below it what it is based on.
 * @param {Context} context
 * @param {string[]} keys
 */
function part(context, keys) {
  return keys.flatMap((key) => [...tileOf(context, key), ...sentences(context, key, [key])]);
}

/**
 * A tile that is there while it has something to show; why it has not, is said below.
 * @param {Context} context
 * @param {string} key
 */
function tileOf(context, key) {
  return tiles(context, [key], WHOLE).map((tile) => ({
    ...tile,
    visibility: [{ condition: "state", entity: tile.entity, state_not: "unknown" }],
  }));
}

/** @param {Context} context */
function resistance(context) {
  const kinds = ["cell_resistance", "cell_resistance_change"];
  const keys = kinds.flatMap((kind) =>
    placed(context.battery, kind).map(({ unit, number }) => `${kind}_${unit}_${number}`),
  );
  const title = heading(context.say("health.title_resistance"), "mdi:omega", { heading_style: "subtitle" });
  const said = sentences(context, "resistance", keys);
  return said.length ? [title, ...said] : [];
}

/**
 * Several columns wide, so that two fit beside each other; of some it is said below when it was.
 * @param {Context} context
 */
function lifetime(context) {
  const own = LIFETIME.filter((key) => key !== "cycles");
  if (!entitiesOf(context, own).length) return [];
  return [...LIFETIME.flatMap((key) => tileOf(context, key)), ...sentences(context, "lifetime", own)];
}

/**
 * What a part is based on, where there is any of its entities.
 * @param {Context} context
 * @param {string} about
 * @param {string[]} keys
 */
function sentences(context, about, keys) {
  const device = mainDevice(context);
  if (device === undefined || !entitiesOf(context, keys).length) return [];
  return [{ type: "custom:rec-bms-health-card", device, about }];
}

/**
 * The spread over the months, once Home Assistant has added something up.
 * @param {Context} context
 */
function graph(context) {
  const entities = entitiesOf(context, SPREADS).filter((id) => context.hass.withStatistics.has(id));
  if (!entities.length) return [];
  return [
    {
      type: "statistics-graph",
      days_to_show: SPREAD_DAYS,
      period: "day",
      chart_type: "line",
      stat_types: ["mean"],
      entities,
      grid_options: { columns: "full" },
    },
  ];
}
