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

/** What the last month is shown of. */
export const STATISTICS = GRAPHS.flat();

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
  const kept = graphs
    .map((ids) => ids.filter((id) => hass.withStatistics.has(id)))
    .filter((ids) => ids.length);
  const month = kept.map((entities) => ({
    type: "statistics-graph",
    days_to_show: 30,
    period: "day",
    chart_type: "line",
    stat_types: ["min", "mean", "max"],
    entities: entities,
    ...size,
  }));
  const later = { type: "markdown", content: say("dashboard.no_statistics"), ...size };
  return view(
    context,
    "history",
    [
      section(has("history") ? [heading(say("dashboard.last_day"), "mdi:chart-line"), ...day] : []),
      section(
        has("recorder") && graphs.length
          ? [heading(say("dashboard.last_month"), "mdi:calendar-month"), ...(month.length ? month : [later])]
          : [],
      ),
    ],
    { max_columns: 2 },
  );
}

/** @param {string[]} entities */
function named(entities) {
  return entities.map((entity) => ({ entity, name: { type: "entity" } }));
}
