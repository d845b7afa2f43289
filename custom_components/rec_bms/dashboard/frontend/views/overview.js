// @ts-check
/** @import { Context } from "../types.d.ts" */
import { energyButton } from "./energy.js";
import { cellsCards, entitiesOf, group, heading, pageButtons, section, tiles, view } from "./parts.js";
import { placed } from "../battery.js";

/** More temperatures than these are shown with the cells only. */
const FEW_SENSORS = 6;
const WAY_ICONS = { serial: "mdi:serial-port", wifi: "mdi:wifi", bank: "mdi:battery-high" };
const WHOLE = { grid_options: { columns: 12 } };
const UNKNOWN_HIDES = ["time_to_full", "time_to_empty"];
const HEALTH = ["state_of_health", "cycles", "overvoltage_count", "undervoltage_count"];

/** Of so many cells the picture fits beside the battery's figures. */
const FEW_CELLS = 16;
/** Home Assistant's own widths of a phone, on which all is in one column, and of all else. */
const ON_A_PHONE = [{ condition: "screen", media_query: "(max-width: 767px)" }];
const ELSEWHERE = [{ condition: "screen", media_query: "(min-width: 768px)" }];

/**
 * How the battery is, at a glance: what matters most is on the first screen, also on a phone, where
 * details come after the cells.
 * @param {Context} context
 */
export function overviewView(context) {
  const { say, several, battery } = context;
  const few = placed(battery, "cell_voltage").length <= FEW_CELLS;
  const details = detailsOf(context);
  return view(context, "overview", [
    section([...mainOf(context), ...details.map((card) => shownWhere(card, ELSEWHERE))]),
    section(cellsCards(context, { show_resistance: false, show_temperature: false }), {
      columns: few ? 1 : 2,
    }),
    section(details, { visibility: ON_A_PHONE }),
    section([
      ...group(say("dashboard.temperatures"), "mdi:thermometer", temperatures(context)),
      ...group(say("dashboard.health"), "mdi:battery-heart-variant", tiles(context, HEALTH)),
    ]),
    section(group(say("dashboard.energy"), "mdi:lightning-bolt", energyToday(context))),
    ...(several ? [section(pageButtons(context), { columns: 2 })] : []),
  ]);
}

/**
 * All figures of a battery.
 * @param {Context} context
 */
export function battery(context, { more = {} } = {}) {
  return section([...mainOf(context, more), ...detailsOf(context)]);
}

/**
 * @param {Context} context
 * @param {object} [more] about the heading
 */
function mainOf(context, more = {}) {
  const { say } = context;
  return [
    heading(say("dashboard.battery"), "mdi:battery-high", more),
    ...tiles(context, ["state_of_charge"], {
      state_content: ["state"],
      features: [{ type: "bar-gauge" }],
    }),
    ...tiles(context, ["power"], { features: [{ type: "trend-graph", hours_to_show: 6 }] }),
    ...tiles(context, ["error"], WHOLE),
  ];
}

/** @param {Context} context */
function detailsOf(context) {
  const { say, battery } = context;
  return [
    ...tiles(context, ["voltage", "current"]),
    ...UNKNOWN_HIDES.flatMap((key) => whileKnown(context, key)),
    ...tiles(context, ["stored_energy", "remaining_capacity"]),
    ...tiles(context, ["balancing"], WHOLE),
    heading(say(`dashboard.way_${battery.way}`), WAY_ICONS[battery.way], {
      heading_style: "subtitle",
    }),
  ];
}

/**
 * @param {any} card
 * @param {any[]} conditions
 */
function shownWhere(card, conditions) {
  return { ...card, visibility: [...(card.visibility ?? []), ...conditions] };
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
  if (!hass.config.components.includes("recorder")) return [];
  const today = ["energy_charged", "energy_discharged"].flatMap((key) =>
    entitiesOf(context, [key]).map((entity) => ({
      type: "statistic",
      entity,
      name: say(`dashboard.${key}`),
      period: { calendar: { period: "day" } },
      stat_type: "change",
      grid_options: { columns: 6 },
    })),
  );
  return [...today, ...energyButton(context)];
}
