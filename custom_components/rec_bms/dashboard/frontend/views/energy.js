// @ts-check
/** @import { Context } from "../types.d.ts" */
import { WHOLE_WIDTH, entitiesOf, section, view } from "./parts.js";

/** Home Assistant's own words for the fields of its dialog. */
const DIALOG = "ui.panel.config.energy.battery";
/** Fields of the dialog that take an entity, in its order, and whose entity that is. */
const FIELDS = [
  ["energy_into_battery", "energy_charged"],
  ["energy_out_of_battery", "energy_discharged"],
  ["state_of_charge", "state_of_charge"],
];
const PAGE = "energy_dashboard";
const NEEDED = ["energy_charged", "energy_discharged"];

/**
 * What to pick where in the dialog of the Energy dashboard.
 * @param {Context} context
 */
export function energyView(context) {
  const content = isPossible(context)
    ? [{ type: "markdown", content: adviceOf(context), grid_options: { columns: "full" } }, open(context)]
    : [];
  return {
    ...view(context, PAGE, [section(content, { columns: WHOLE_WIDTH })]),
    subview: true,
    back_path: `${context.prefix}overview`,
    icon: undefined,
  };
}

/**
 * The way to that page, where there is an Energy dashboard, and energy to show on it.
 * @param {Context} context
 */
export function energyButton(context) {
  if (!isPossible(context)) return [];
  return [button(context, "energy_button", `${context.prefix}${PAGE}`)];
}

/**
 * Only administrators get to Home Assistant's settings.
 * @param {Context} context
 */
function isPossible(context) {
  const { hass } = context;
  const may = hass.config.components.includes("energy") && hass.user?.is_admin !== false;
  return may && entitiesOf(context, NEEDED).length === NEEDED.length;
}

/** @param {Context} context */
function open(context) {
  return button(context, "energy_open", "/config/energy?historyBack=1");
}

/**
 * @param {Context} context
 * @param {string} name
 * @param {string} path
 */
function button({ say }, name, path) {
  return {
    type: "button",
    name: say(`dashboard.${name}`),
    icon: "mdi:lightning-bolt-circle",
    icon_height: "24px",
    grid_options: { columns: 12, rows: 1 },
    tap_action: { action: "navigate", navigation_path: path },
  };
}

/** @param {Context} context */
function adviceOf(context) {
  const { say, hass, battery } = context;
  const named = (/** @type {string} */ id) => `{{ state_attr(${JSON.stringify(id)}, "friendly_name") }}`;
  const field = (/** @type {string} */ key) => hass.ui(`${DIALOG}.dialog.${key}`) || key;
  const rows = FIELDS.flatMap(([name, key]) =>
    entitiesOf(context, [key]).map((id) => [field(name), named(id)]),
  );
  rows.push([field("display_name"), battery.title]);
  for (const id of entitiesOf(context, ["usable_capacity"])) {
    rows.push([field("capacity"), `{{ states(${JSON.stringify(id)}, rounded=True) }}`]);
  }
  for (const id of entitiesOf(context, ["power"])) {
    rows.push([field("sensor_type"), field("type_inverted")], [field("power"), named(id)]);
  }
  const way = hass.ui(`${DIALOG}.add_battery_system`) || "Energy";
  const list = rows.map(([name, pick]) => `- ${name}: **${pick}**`).join("\n");
  return `${say("dashboard.energy_advice", { way })}\n\n${list}`;
}
