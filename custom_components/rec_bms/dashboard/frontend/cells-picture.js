// @ts-check
/** @import { Battery, Cell, Hass, KnownCell, Limit, Say, Scale, Unit } from "./types.d.ts" */
import { written } from "./numbers.js";
import { isOnScale, placeOn, scaleFor, spreadApart } from "./scale.js";
import { guard, html, keyed, nothing } from "./vendor/lit.js";

/** With more cells than this, bars are drawn smaller and without a label of their own. */
const MANY_CELLS = 48;
const ROOMY = { pitch: 42, plot: 168, gutter: 44, unit: "100%" };
/** As high as would be scrolled through on a phone, with labels all the same. */
const LOW = { pitch: 40, plot: 84, gutter: 0, unit: "100%" };
const DENSE = { pitch: 24, plot: 84, gutter: 0, unit: "22rem" };
/** In px: on a phone, more than a row of high bars is more than its screen. */
const NARROW = 400;
/** In px: what the label of a cell needs, and what a label of the gutter needs. */
const LABEL_WIDTH = 40;
const LABEL_WITH_UNIT = 64;
const LABEL_HEIGHT = 13;

const GLYPHS = { lowest: "▼", highest: "▲" };

/**
 * @typedef {object} Shown what there is to draw
 * @property {string} title
 * @property {Say} say
 * @property {Unit[]} units
 * @property {Cell[]} cells
 * @property {Limit[]} limits
 * @property {{lowest: KnownCell, highest: KnownCell}} extremes
 * @property {Battery} battery
 * @property {string} signature another one where other cells have to be drawn
 *
 * @typedef {object} Options
 * @property {boolean} resistance
 * @property {boolean} temperature
 * @property {boolean} magnified
 * @property {string | undefined} current the cell that the tab key goes to
 * @property {() => void} magnify
 *
 * @typedef {ReturnType<typeof arrangementOf>} Arrangement
 *
 * @typedef {object} Drawing what all parts of a picture are drawn from
 * @property {Hass} hass
 * @property {Shown} shown
 * @property {Arrangement} arrangement
 * @property {Options} options
 * @property {Scale} scale
 * @property {Record<string, number | undefined>} cutOffs
 * @property {string} current
 *
 * @typedef {Limit & {at: number}} PlacedLimit
 */

/**
 * How large the cells are, and how many there are in a row: none before their width is known.
 * @param {Shown} shown
 * @param {number} width of a unit, in px
 */
export function arrangementOf({ cells, units }, width) {
  const most = Math.max(...units.map((unit) => unit.cells.length));
  const sizes = sizesFor(cells.length, most, width);
  const room = width - sizes.gutter;
  const fitting = fittingIn(width, sizes);
  const perRow = room > 0 ? Math.ceil(most / Math.ceil(most / fitting)) : 0;
  const classes = [
    room / perRow < LABEL_WIDTH ? "tight" : "",
    room / perRow < LABEL_WITH_UNIT ? "snug" : "",
  ].join(" ");
  const style = `--plot: ${sizes.plot}px; --gutter: ${sizes.gutter}px; --narrowest-unit: ${sizes.unit}; --per-row: ${perRow}`;
  return { sizes, perRow, classes, style };
}

/**
 * @param {number} cells
 * @param {number} most of them in a unit
 * @param {number} width of a unit, in px
 */
function sizesFor(cells, most, width) {
  if (cells > MANY_CELLS) return DENSE;
  const isHigh = width < NARROW && most > fittingIn(width, ROOMY);
  return isHigh ? LOW : ROOMY;
}

/**
 * @param {number} width in px
 * @param {typeof ROOMY} sizes
 */
function fittingIn(width, { pitch, gutter }) {
  return Math.max(1, Math.floor((width - gutter) / pitch));
}

/**
 * @param {Hass} hass
 * @param {Shown} shown
 * @param {Arrangement} arrangement
 * @param {Options} options
 */
export function cellsPicture(hass, shown, arrangement, options) {
  const { title, say, cells, limits, signature } = shown;
  const scale = scaleFor(
    options.magnified ? "cells" : "limits",
    cells.flatMap((cell) => cell.volts ?? []),
    limits.map((limit) => limit.volts),
  );
  const cutOffs = Object.fromEntries(limits.map((limit) => [limit.key, limit.volts]));
  const current = cells.find(({ id }) => id === options.current)?.id ?? cells[0].id;
  const drawing = { hass, shown, arrangement, options, scale, cutOffs, current };
  const magnify = say("card.magnify");
  return html`<div class="head">
      <h2 class="title">${title}</h2>
      <div class="figures">${figures(drawing)}</div>
      <button
        class="magnify"
        type="button"
        aria-pressed=${String(options.magnified)}
        aria-label=${magnify}
        title=${magnify}
        @click=${options.magnify}
      >
        <ha-icon icon="mdi:magnify-plus-outline"></ha-icon>
      </button>
    </div>
    <div class="units" role="group" aria-describedby="hint" aria-label=${title}>
      ${keyed(`${signature} ${arrangement.perRow}`, unitsOf(drawing))}
    </div>
    <ul class="limits" aria-label=${say("card.limits")} ?hidden=${!limits.length}>
      ${limits.map((limit) => legend(hass, limit))}
    </ul>
    <p class="visually-hidden" id="hint">${say("card.cells_hint", { count: cells.length })}</p>`;
}

/** @param {Drawing} drawing */
function figures({ hass, shown }) {
  const { say, extremes, battery, units } = shown;
  const { lowest, highest } = extremes;
  const place = (/** @type {Cell} */ cell) =>
    units.length > 1 ? `${cell.unit}.${cell.number}` : String(cell.number);
  const extreme = (/** @type {"lowest" | "highest"} */ name, /** @type {KnownCell} */ cell) =>
    figure(
      name,
      `${GLYPHS[name]} ${say(`card.${name}`)} · ${place(cell)}`,
      `${written(hass, cell.volts, 3)} V`,
      cell.entityId,
    );
  return [
    figure(
      "spread",
      say("card.spread"),
      `${written(hass, (highest.volts - lowest.volts) * 1000, 0)} mV`,
      battery.entities.cell_voltage_delta ?? highest.entityId,
    ),
    extreme("lowest", lowest),
    extreme("highest", highest),
  ];
}

/**
 * @param {string} name
 * @param {string} what
 * @param {string} value
 * @param {string} entityId
 */
function figure(name, what, value, entityId) {
  return html`<button type="button" data-figure=${name} data-entity=${entityId}>
    <span class="what">${what}</span><span class="value">${value}</span>
  </button>`;
}

/** @param {Drawing} drawing */
function unitsOf(drawing) {
  const { hass, shown, scale } = drawing;
  const placed = shown.limits
    .map((limit) => ({ ...limit, at: placeOn(scale, limit.volts) }))
    .filter((limit) => isOnScale(limit.at));
  // Every row has the same lines and the same labels.
  const lines = linesOf(placed, bandOf(shown.limits, scale));
  const labels = drawing.arrangement.sizes.gutter ? labelsOf(hass, placed, drawing.arrangement) : [];
  return shown.units.map(
    (unit) => html`<section class="unit" data-unit=${unit.number}>
      ${headOf(drawing, unit)}
      <div class="rows">${rowsOf(drawing, unit, lines, labels)}</div>
    </section>`,
  );
}

/**
 * @param {Drawing} drawing
 * @param {Unit} unit
 */
function headOf({ hass, shown, options }, unit) {
  const only = shown.units.length === 1;
  const ids = options.temperature ? unit.temperatureIds : [];
  const name = html`<h3 class="unit-title">${shown.say("card.unit", { number: unit.number })}</h3>
    <span class="unit-range">${rangeOf(hass, shown.say, unit)}</span>`;
  return html`<div class="unit-head" ?hidden=${only && !ids.length}>
    ${only ? nothing : name}
    <ul class="temperatures" aria-label=${shown.say("card.temperatures")}>
      ${ids.map((id) => temperature(hass, id))}
    </ul>
  </div>`;
}

/**
 * @param {Hass} hass
 * @param {Say} say
 * @param {Unit} unit
 */
function rangeOf(hass, say, { cells }) {
  const volts = cells.flatMap((cell) => cell.volts ?? []);
  if (!volts.length) return say("card.no_value");
  const lowest = Math.min(...volts);
  const highest = Math.max(...volts);
  const spread = written(hass, (highest - lowest) * 1000, 0);
  return `${written(hass, lowest, 3)} – ${written(hass, highest, 3)} V · ${spread} mV`;
}

/**
 * @param {Hass} hass
 * @param {string} id
 */
function temperature(hass, id) {
  const text = knownText(hass, id);
  const label = text === undefined ? nothing : `${nameOf(hass, id)}: ${text}`;
  return html`<li ?hidden=${text === undefined}>
    <button class="temperature" type="button" data-entity=${id} aria-label=${label}>${text ?? ""}</button>
  </li>`;
}

/**
 * @param {Drawing} drawing
 * @param {Unit} unit
 * @param {unknown} lines
 * @param {unknown} labels
 */
function rowsOf(drawing, unit, lines, labels) {
  const { perRow } = drawing.arrangement;
  const rows = [];
  for (let start = 0; perRow > 0 && start < unit.cells.length; start += perRow) {
    const cells = unit.cells.slice(start, start + perRow);
    rows.push(
      html`<div class="row">
        <div class="gutter" aria-hidden="true">${labels}</div>
        <div class="field">
          <div class="lines">${lines}</div>
          <div class="cells">${cells.map((each) => cell(drawing, each))}</div>
        </div>
      </div>`,
    );
  }
  return rows;
}

/**
 * @param {PlacedLimit[]} placed
 * @param {{at: number, tall: number} | undefined} band
 */
function linesOf(placed, band) {
  const { at, tall } = band ?? { at: 0, tall: 0 };
  const place = `--at: ${at.toFixed(4)}; --tall: ${tall.toFixed(4)}`;
  return html`<div class="band" style=${place} ?hidden=${band === undefined}></div>
    ${placed.map(
      (limit) =>
        html`<div class="line" data-limit=${limit.key} style="--at: ${limit.at.toFixed(4)}"></div>`,
    )}`;
}

/**
 * @param {Hass} hass
 * @param {PlacedLimit[]} placed
 * @param {Arrangement} arrangement
 */
function labelsOf(hass, placed, { sizes }) {
  const known = new Map(
    placed.map(({ volts, at }) => [written(hass, volts, digitsNeeded(volts)), at]),
  );
  const places = spreadApart([...known.values()], LABEL_HEIGHT / sizes.plot);
  return [...known.keys()].map(
    (label, index) =>
      html`<span style="--label-at: ${places[index].toFixed(4)}">${label}</span>`,
  );
}

/**
 * Of most cells nothing changes when something does: they are passed over quickly.
 * @param {Drawing} drawing
 * @param {Cell} cell
 */
function cell({ hass, shown, options, scale, cutOffs, current }, cell) {
  const { id, volts, balancing, resistanceId } = cell;
  const { cmax = Infinity, cmin = -Infinity } = cutOffs;
  const mark = markOf(cell, shown.extremes);
  const beyond = volts !== undefined && (volts > cmax || volts < cmin);
  const place = volts === undefined ? "0" : placeOn(scale, volts).toFixed(4);
  const ohms = options.resistance && resistanceId ? hass.states[resistanceId] : undefined;
  const { locale, formatEntityState } = hass;
  return guard(
    [shown.say, locale, formatEntityState, volts, balancing, mark, beyond, place, ohms, id === current],
    () => bar(hass, shown, cell, {
      mark,
      beyond,
      place,
      resistance: ohms && knownText(hass, resistanceId),
      isCurrent: id === current,
    }),
  );
}

/**
 * @param {Hass} hass
 * @param {Shown} shown
 * @param {Cell} cell
 * @param {{mark: "lowest" | "highest" | undefined, beyond: boolean, place: string, resistance: string | undefined, isCurrent: boolean}} looks
 */
function bar(hass, { say, units }, cell, { mark, beyond, place, resistance, isCurrent }) {
  const volts = cell.volts === undefined ? undefined : written(hass, cell.volts, 3);
  const [ohms, ohmsUnit] = splitUnit(resistance ?? "");
  const name =
    units.length > 1 || cell.unit > 1
      ? say("card.cell_of_unit", { unit: cell.unit, cell: cell.number })
      : say("card.cell", { number: cell.number });
  const label = [
    name,
    volts === undefined ? say("card.no_value") : `${volts} V`,
    mark && say(`card.${mark}`),
    beyond && say("card.beyond"),
    cell.balancing && say("card.balancing"),
    resistance,
  ]
    .filter((part) => part)
    .join(", ");
  return html`<button
    class="cell"
    type="button"
    data-cell=${cell.id}
    data-entity=${cell.entityId}
    tabindex=${isCurrent ? "0" : "-1"}
    data-mark=${mark ?? nothing}
    ?data-beyond=${beyond}
    ?data-balancing=${cell.balancing}
    ?data-empty=${volts === undefined}
    aria-label=${label}
    title=${label}
  >
    <div class="well"><div class="bar" style="--at: ${place}"></div></div>
    <span class="mark glyph" .textContent=${mark === undefined ? "" : GLYPHS[mark]}></span>
    <span class="volts" .textContent=${volts ?? "–"}></span>
    <span class="ohms"
      ><span .textContent=${ohms}></span><span class="ohms-unit" .textContent=${ohmsUnit}></span
    ></span>
    <span class="number" .textContent=${String(cell.number)}></span>
  </button>`;
}

/**
 * @param {Cell} cell
 * @param {Shown["extremes"]} extremes
 */
function markOf(cell, { lowest, highest }) {
  if (highest.volts <= lowest.volts) return undefined;
  if (cell === lowest) return "lowest";
  return cell === highest ? "highest" : undefined;
}

/**
 * @param {Hass} hass
 * @param {Limit} limit
 */
function legend(hass, { key, entityId }) {
  const state = hass.states[entityId];
  return html`<li>
    <button type="button" data-limit=${key} data-entity=${entityId}>
      <span class="swatch" aria-hidden="true"></span>
      <span class="name">${nameOf(hass, entityId)}</span>
      <span class="value">${state && hass.formatEntityState(state)}</span>
    </button>
  </li>`;
}

/**
 * What an entity shows, undefined where it shows nothing.
 * @param {Hass} hass
 * @param {string | undefined} entityId
 */
function knownText(hass, entityId) {
  const state = entityId === undefined ? undefined : hass.states[entityId];
  if (state === undefined || ["unavailable", "unknown"].includes(state.state)) return undefined;
  return hass.formatEntityState(state);
}

/**
 * A number and the unit behind it, which is left out where there is no room for it.
 * @param {string} text
 * @returns {[string, string]}
 */
function splitUnit(text) {
  const unit = /[^\d]*$/.exec(text)?.[0] ?? "";
  return [text.slice(0, text.length - unit.length), unit];
}

/**
 * The name of an entity without that of its device.
 * @param {Hass} hass
 * @param {string} entityId
 */
function nameOf(hass, entityId) {
  const state = hass.states[entityId];
  return (
    hass.formatEntityName?.(state, { type: "entity" }) ||
    state?.attributes.friendly_name ||
    entityId
  );
}

/**
 * Two digits read more easily, but a limit is never rounded to another one.
 * @param {number} volts
 */
function digitsNeeded(volts) {
  return Math.round(volts * 1000) % 10 === 0 ? 2 : 3;
}

/**
 * Where balancing goes on: between its start and its end.
 * @param {Limit[]} limits
 * @param {Scale} scale
 */
function bandOf(limits, scale) {
  const start = limits.find((limit) => limit.key === "bmin");
  const end = limits.find((limit) => limit.key === "bvol");
  if (start === undefined || end === undefined) return undefined;
  const bottom = Math.max(0, placeOn(scale, start.volts));
  const top = Math.min(1, placeOn(scale, end.volts));
  return top > bottom ? { at: bottom, tall: top - bottom } : undefined;
}
