// @ts-check
/** @import { Context } from "../types.d.ts" */
import { entitiesOf, heading, section, view } from "./parts.js";

const GRAPHS = [
  ["state_of_charge"],
  ["voltage"],
  ["current"],
  ["power"],
  ["min_cell_voltage", "max_cell_voltage"],
  ["cell_voltage_delta"],
  ["max_temperature", "bms_temperature"],
];

/**
 * The last day in full, and the last month by the day.
 * @param {Context} context
 */
export function historyView(context) {
  const { say, hass } = context;
  const graphs = GRAPHS.map((keys) => entitiesOf(context, keys)).filter((ids) => ids.length);
  const has = (/** @type {string} */ component) => hass.config.components.includes(component);
  const size = { grid_options: { columns: "full" } };
  const day = graphs.map((entities) => ({
    type: "history-graph",
    hours_to_show: 24,
    entities: named(entities),
    ...size,
  }));
  const month = graphs.map((entities) => ({
    type: "statistics-graph",
    days_to_show: 30,
    period: "day",
    chart_type: "line",
    stat_types: ["min", "mean", "max"],
    entities: entities,
    ...size,
  }));
  return view(
    context,
    "history",
    [
      section(has("history") ? [heading(say("dashboard.last_day"), "mdi:chart-line"), ...day] : []),
      section(
        has("recorder") ? [heading(say("dashboard.last_month"), "mdi:calendar-month"), ...month] : [],
      ),
    ],
    { max_columns: 2 },
  );
}

/** @param {string[]} entities */
function named(entities) {
  return entities.map((entity) => ({ entity, name: { type: "entity" } }));
}
