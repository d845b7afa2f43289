// @ts-check
/** @import { Context } from "../types.d.ts" */
import { WHOLE_WIDTH, cellsCards, entitiesOf, heading, section, view } from "./parts.js";
import { placed } from "../battery.js";

/** Of so many cells a graph can still be read. */
const READABLE = 16;

/**
 * Every cell, large.
 * @param {Context} context
 */
export function cellsView(context) {
  const { battery, say, hass } = context;
  const cells = placed(battery, "cell_voltage");
  const keys =
    cells.length <= READABLE
      ? cells.map(({ unit, number }) => `cell_voltage_${unit}_${number}`)
      : ["min_cell_voltage", "max_cell_voltage"];
  const entities = hass.config.components.includes("history") ? entitiesOf(context, keys) : [];
  const graph = {
    type: "history-graph",
    hours_to_show: 24,
    entities: entities.map((entity) => ({ entity, name: { type: "entity" } })),
    grid_options: { columns: "full" },
  };
  return view(context, "cells", [
    section(cellsCards(context), { columns: WHOLE_WIDTH }),
    section(
      entities.length ? [heading(say("dashboard.last_day"), "mdi:chart-line"), graph] : [],
      { columns: WHOLE_WIDTH },
    ),
  ]);
}
