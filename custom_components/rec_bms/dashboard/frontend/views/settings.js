// @ts-check
/** @import { Context } from "../types.d.ts" */
import { WHOLE_WIDTH, entitiesOf, heading, section, view } from "./parts.js";

/** @type {Record<string, string>} */
const ICONS = {
  cell: "mdi:battery-outline",
  temperature: "mdi:thermometer",
  amperage: "mdi:current-dc",
  pack: "mdi:battery-high",
  soc: "mdi:battery-60",
  victron: "mdi:sine-wave",
  error: "mdi:alert-outline",
  bms: "mdi:chip",
};

/**
 * The limits, in the groups and the order of the BMS's instructions.
 * @param {Context} context
 */
export function settingsView(context) {
  const { say, hass, settings, battery } = context;
  const groups = settings.map(({ category, keys }) => {
    const entities = entitiesOf(context, keys);
    if (!entities.length) return section([]);
    return section([
      heading(nameOf(hass, category), ICONS[category]),
      {
        type: "entities",
        show_header_toggle: false,
        entities: entities.map((entity) => ({ entity, name: { type: "entity" } })),
        grid_options: { columns: "full" },
      },
    ]);
  });
  const shown = groups.filter((group) => group.cards.length);
  const [kind, text] =
    battery.way === "wifi" ? ["info", "dashboard.read_only"] : ["warning", "dashboard.warning"];
  const warning = {
    type: "markdown",
    text_only: true,
    content: `<ha-alert alert-type="${kind}">\n\n${say(text)}\n\n</ha-alert>`,
    grid_options: { columns: "full" },
  };
  return view(
    context,
    "settings",
    shown.length ? [section([warning], { columns: WHOLE_WIDTH }), ...shown] : [],
    { max_columns: 2 },
  );
}

/**
 * @param {Context["hass"]} hass
 * @param {string} category
 */
function nameOf(hass, category) {
  const key = `component.rec_bms.selector.instruction_category.options.${category}`;
  return hass.localize(key) || category;
}
