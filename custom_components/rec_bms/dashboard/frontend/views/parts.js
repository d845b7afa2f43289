// @ts-check
/** @import { Context } from "../types.d.ts" */

export const WHOLE_WIDTH = 3;

export const PAGES = ["overview", "cells", "health", "history", "settings"];

/** @type {Record<string, string>} */
const ICONS = {
  overview: "mdi:battery-high",
  cells: "mdi:chart-bar",
  health: "mdi:battery-heart-variant",
  history: "mdi:chart-line",
  settings: "mdi:tune-vertical",
};

/**
 * A page of a battery; where there is nothing to show, it says so.
 * @param {Context} context
 * @param {string} page
 * @param {any[]} sections
 * @param {object} [more]
 */
export function view(context, page, sections, more = {}) {
  const { say, several, prefix, battery } = context;
  const isOverview = page === "overview";
  const shown = sections.filter((section) => section.cards.some(isContent));
  if (!shown.length) {
    shown.push(section([{ type: "markdown", content: say("dashboard.empty") }], { columns: WHOLE_WIDTH }));
  }
  const name = say(`dashboard.${page}`);
  const title = isOverview ? battery.title : `${battery.title}: ${name}`;
  return {
    type: "sections",
    title: several ? title : name,
    path: `${prefix}${page}`,
    icon: several ? undefined : ICONS[page],
    subview: several && !isOverview,
    back_path: several && !isOverview ? `${prefix}overview` : undefined,
    max_columns: WHOLE_WIDTH,
    dense_section_placement: true,
    sections: [...alerts(context), ...shown],
    ...more,
  };
}

/** @param {any} card */
function isContent(card) {
  return card.type !== "heading";
}

/**
 * @param {any[]} cards
 * @param {{columns?: number, visibility?: any[]}} [options]
 */
export function section(cards, { columns = 1, visibility = undefined } = {}) {
  return { type: "grid", cards, column_span: columns, ...(visibility && { visibility }) };
}

/**
 * @param {string} text
 * @param {string} icon
 * @param {object} [more]
 */
export function heading(text, icon, more = {}) {
  return { type: "heading", heading: text, icon, ...more };
}

/**
 * Cards with a heading, or nothing where there are none.
 * @param {string} text
 * @param {string} icon
 * @param {any[]} cards
 */
export function group(text, icon, cards) {
  return cards.length ? [heading(text, icon), ...cards] : [];
}

/** Buttons to a battery's other pages, where they have no tab of their own. */
export function pageButtons(/** @type {Context} */ { say, prefix }, pages = PAGES.slice(1)) {
  return pages.map((page) => ({
    type: "button",
    name: say(`dashboard.${page}`),
    icon: ICONS[page],
    icon_height: "32px",
    grid_options: { columns: 6, rows: 2 },
    tap_action: { action: "navigate", navigation_path: `${prefix}${page}` },
  }));
}

/**
 * A tile for each of these keys that has an entity.
 * @param {Context} context
 * @param {string[]} keys
 * @param {object} [more]
 */
export function tiles(context, keys, more = {}) {
  return entitiesOf(context, keys).map((entity) => ({
    type: "tile",
    entity,
    name: { type: "entity" },
    grid_options: { columns: 6 },
    ...more,
  }));
}

/**
 * The entities of these keys that there are and that their owner has not hidden.
 * @param {Context} context
 * @param {string[]} keys
 * @returns {string[]}
 */
export function entitiesOf({ battery, hass }, keys) {
  return keys
    .map((key) => battery.entities[key])
    .flatMap((id) => (id === undefined || hass.entities?.[id]?.hidden ? [] : id));
}

/**
 * The device of the BMS itself.
 * @param {Context} context
 * @returns {string | undefined}
 */
export function mainDevice({ battery }) {
  return Object.keys(battery.devices).find((device) => battery.devices[device] === 1);
}

/**
 * The cells card, where there is a cell to show.
 * @param {Context} context
 * @param {object} [more]
 */
export function cellsCards(context, more = {}) {
  const hasCells = Object.keys(context.battery.entities).some((key) =>
    key.startsWith("cell_voltage_"),
  );
  const device = mainDevice(context);
  if (!hasCells || device === undefined) return [];
  return [{ type: "custom:rec-bms-cells-card", device, ...more }];
}

/**
 * What must be seen on every page: that the BMS is away, and that it reports an error.
 * @param {Context} context
 */
export function alerts(context) {
  return [away(context), ...errorAlerts(context)].filter((each) => each);
}

/** An entity that is there whenever the BMS is. */
function sign(/** @type {Context} */ context) {
  const { entities } = context.battery;
  return ["state_of_charge", "problem", "error", "voltage", "current", "power"]
    .map((key) => entities[key])
    .find((id) => id);
}

/** @param {Context} context */
function away(context) {
  const { say, battery } = context;
  const entity = sign(context);
  if (entity === undefined) return undefined;
  const content = say(`dashboard.away_${battery.way}`, { title: battery.title });
  return section([banner(`<ha-alert alert-type="warning">\n\n${content}\n\n</ha-alert>`)], {
    columns: WHOLE_WIDTH,
    visibility: [{ condition: "state", entity, state: "unavailable" }],
  });
}

/** @param {string} content */
function banner(content) {
  return { type: "markdown", content, text_only: true, grid_options: { columns: "full" } };
}

/**
 * The integration's own advice on each error, as in its repair issues.
 * @param {Context} context
 */
function errorAlerts(context) {
  const { battery, hass } = context;
  const entity = battery.entities.error;
  if (entity === undefined) return [];
  const options = hass.states[entity]?.attributes.options ?? [];
  const advice = Object.fromEntries(
    options.flatMap((/** @type {string} */ name) => {
      const text = adviceOn(hass, name);
      return text ? [[name, text]] : [];
    }),
  );
  const known = ["no_error", "unavailable", "unknown"];
  return [
    section([banner(adviceTemplate(entity, advice, battery.title))], {
      columns: WHOLE_WIDTH,
      visibility: [{ condition: "state", entity, state_not: known }],
    }),
  ];
}

/**
 * @param {Context["hass"]} hass
 * @param {string} name
 */
function adviceOn(hass, name) {
  const holes = { title: "⟦title⟧", number: "⟦number⟧", unit: "⟦unit⟧", location: "⟦location⟧" };
  const key = `component.rec_bms.issues.error_${name}`;
  const title = hass.localize(`${key}.title`, holes);
  const description = hass.localize(`${key}.description`, holes);
  return title && description ? `**${title}**\n\n${description}` : undefined;
}

/**
 * A template that picks the advice and fills in where the error is. Home Assistant renders it anew
 * when the error changes. Texts go in as quoted strings, so that nothing in them is taken for code.
 * @param {string} entity
 * @param {Record<string, string>} advice
 * @param {string} title
 */
function adviceTemplate(entity, advice, title) {
  const id = JSON.stringify(entity);
  const fill = ["number", "unit", "location"]
    .map((name) => [`"⟦${name}⟧"`, `state_attr(${id}, "${name}") | string`])
    .map(([hole, filling]) => `| replace(${hole}, ${filling} | replace("None", "?"))`)
    .join(" ");
  return `{%- set advice = ${JSON.stringify(advice)} -%}
<ha-alert alert-type="error">

{{ advice.get(states(${id}), states(${id})) ${fill} | replace("⟦title⟧", ${JSON.stringify(title)}) }}

</ha-alert>`;
}
