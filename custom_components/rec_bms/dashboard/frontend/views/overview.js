// @ts-check
/** @import { Context } from "../types.d.ts" */
import { cellsCards, entitiesOf, group, heading, pageButtons, section, tiles, view } from "./parts.js";
import { placed } from "../battery.js";

/** More temperatures than these are shown with the cells only. */
const FEW_SENSORS = 6;
const WAY_ICONS = { serial: "mdi:serial-port", wifi: "mdi:wifi", bank: "mdi:battery-high" };
const UNKNOWN_HIDES = ["time_to_full", "time_to_empty"];
const HEALTH = ["state_of_health", "cycles", "overvoltage_count", "undervoltage_count"];

/**
 * How the battery is, at a glance.
 * @param {Context} context
 */
export function overviewView(context) {
  const { say, several } = context;
  return view(context, "overview", [
    battery(context),
    section(
      [
        ...cellsCards(context, { show_resistance: false, show_temperature: false }),
        ...group(say("dashboard.temperatures"), "mdi:thermometer", temperatures(context)),
        ...group(say("dashboard.health"), "mdi:battery-heart-variant", tiles(context, HEALTH)),
      ],
      { columns: 2 },
    ),
    section(group(say("dashboard.energy"), "mdi:lightning-bolt", energyToday(context))),
    ...(several ? [section(pageButtons(context), { columns: 2 })] : []),
  ]);
}

/** @param {Context} context */
export function battery(context, { more = {} } = {}) {
  const { say } = context;
  const whole = { grid_options: { columns: 12 } };
  return section([
    heading(say("dashboard.battery"), "mdi:battery-high", more),
    ...tiles(context, ["state_of_charge"], {
      ...whole,
      state_content: ["state"],
      features: [{ type: "bar-gauge" }],
    }),
    ...tiles(context, ["power"], { ...whole, features: [{ type: "trend-graph", hours_to_show: 6 }] }),
    ...tiles(context, ["voltage", "current"]),
    ...UNKNOWN_HIDES.flatMap((key) => whileKnown(context, key)),
    ...tiles(context, ["stored_energy", "remaining_capacity"]),
    ...tiles(context, ["balancing"], whole),
    ...tiles(context, ["error"], whole),
    heading(say(`dashboard.way_${context.battery.way}`), WAY_ICONS[context.battery.way], {
      heading_style: "subtitle",
    }),
  ]);
}

/**
 * A time that there is only while the battery is going that way.
 * @param {Context} context
 * @param {string} key
 */
export function whileKnown(context, key) {
  return tiles(context, [key]).map((tile) => ({
    ...tile,
    grid_options: { columns: 12 },
    visibility: [
      { condition: "state", entity: tile.entity, state_not: ["unknown", "unavailable"] },
    ],
  }));
}

/** @param {Context} context */
function temperatures(context) {
  const sensors = placed(context.battery, "temperature");
  const keys = sensors.map(({ unit, number }) => `temperature_${unit}_${number}`);
  const shown = keys.length > FEW_SENSORS ? [] : keys;
  return tiles(context, ["max_temperature", "bms_temperature", ...shown]);
}

/**
 * What went in and out since midnight, which the recorder knows.
 * @param {Context} context
 */
export function energyToday(context) {
  const { say, hass } = context;
  const keys = hass.config.components.includes("recorder")
    ? ["energy_charged", "energy_discharged"]
    : [];
  return keys.flatMap((key) =>
    entitiesOf(context, [key]).map((entity) => ({
      type: "statistic",
      entity,
      name: say(`dashboard.${key}`),
      period: { calendar: { period: "day" } },
      stat_type: "change",
      grid_options: { columns: 6 },
    })),
  );
}
