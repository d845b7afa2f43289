// @ts-check
/** @import { Hass } from "./types.d.ts" */
import { words } from "./words.js";

export const CELLS_CARD = "rec-bms-cells-card";

const TEXTS = ["type", "device", "entity", "title"];
const SWITCHES = ["show_limits", "show_resistance", "show_temperature"];
const OWN = [...TEXTS, ...SWITCHES, "units", "scale"];
/** Options that Home Assistant itself gives to any card. */
const OF_ANY_CARD = [
  "view_layout",
  "layout_options",
  "grid_options",
  "visibility",
  "disabled",
  "card_mod",
];

/**
 * Throws what is wrong with a configuration, in the user's language.
 * @param {any} config
 */
export function assertConfig(config) {
  const say = words();
  const fail = (/** @type {string} */ key, values = {}) => {
    throw new Error(say(`config.${key}`, values));
  };
  if (config === null || typeof config !== "object" || Array.isArray(config)) fail("no_object");
  for (const [option, value] of Object.entries(config)) {
    if (OF_ANY_CARD.includes(option)) continue;
    if (!OWN.includes(option)) {
      fail("unknown_option", { option, options: OWN.slice(1).join(", ") });
    }
    if (value === undefined || value === null) continue;
    if (TEXTS.includes(option) && typeof value !== "string") fail("not_text", { option });
    if (SWITCHES.includes(option) && typeof value !== "boolean") fail("not_yes_or_no", { option });
  }
  if (config.units != null && !areUnits(config.units)) fail("not_units");
  if (config.scale != null && !["limits", "cells"].includes(config.scale)) fail("not_scale");
  if (!config.device && !config.entity) fail("nothing_chosen");
}

/** @param {unknown} units */
function areUnits(units) {
  return Array.isArray(units) && units.every((unit) => Number.isInteger(unit) && unit >= 1);
}

/** The visual editor, which Home Assistant makes from this description. */
export function configForm() {
  const say = words();
  const onlyOurs = { filter: { integration: "rec_bms" } };
  return {
    schema: [
      { name: "device", selector: { device: onlyOurs } },
      { name: "entity", selector: { entity: onlyOurs } },
      { name: "title", selector: { text: {} } },
      {
        name: "scale",
        selector: {
          select: {
            mode: "dropdown",
            options: ["limits", "cells"].map((value) => ({
              value,
              label: say(`config.scale_${value}`),
            })),
          },
        },
      },
      {
        name: "",
        type: "grid",
        schema: SWITCHES.map((name) => ({ name, default: true, selector: { boolean: {} } })),
      },
    ],
    computeLabel: (/** @type {{name: string}} */ { name }) => say(`config.${name}`),
    assertConfig: (/** @type {any} */ config) => {
      // A card that was just picked has no BMS yet: the form is where one is chosen.
      assertConfig({ ...config, device: config.device || config.entity || "none yet" });
    },
  };
}

/**
 * The device of the BMS that an entity belongs to, undefined for others' entities.
 * @param {Hass} hass
 * @param {string} entityId
 * @returns {string | undefined}
 */
export function deviceOf(hass, entityId) {
  const entity = hass.entities?.[entityId];
  return entity?.platform === "rec_bms" ? (entity.device_id ?? undefined) : undefined;
}
