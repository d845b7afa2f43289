// @ts-check
import { css } from "./vendor/lit.js";

/** Colours come from the theme; each can be changed by a theme or card-mod by its own name. */
export const STYLE = css`
:host {
  --cell: var(--rec-bms-cell-color, var(--primary-color));
  --lowest: var(--rec-bms-lowest-color, var(--purple-color, #926bc7));
  --highest: var(--rec-bms-highest-color, var(--orange-color, #ff9800));
  --cut-off: var(--rec-bms-cut-off-color, var(--error-color, #db4437));
  --caution: var(--rec-bms-caution-color, var(--warning-color, #ffa600));
  --full: var(--rec-bms-full-color, var(--success-color, #43a047));
  --balancing: var(--rec-bms-balancing-color, var(--info-color, #039be5));
  --well: color-mix(in srgb, var(--primary-text-color) 7%, transparent);
  --quiet: color-mix(in srgb, var(--primary-text-color) 72%, var(--card-background-color, #fff));
  display: block;
}
ha-card {
  display: flow-root;
  height: 100%;
  box-sizing: border-box;
  color: var(--primary-text-color);
  font-variant-numeric: tabular-nums;
}
.content { padding: 16px; display: grid; gap: 16px; container-type: inline-size; }
button {
  font: inherit;
  color: inherit;
  background: none;
  border: 0;
  padding: 0;
  margin: 0;
  cursor: pointer;
  border-radius: 8px;
  -webkit-tap-highlight-color: transparent;
}
button:focus-visible { outline: 2px solid var(--primary-text-color); outline-offset: 2px; }

.head { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 24px; }
.title { margin: 0; font-size: 1.25rem; font-weight: 500; line-height: 1.3; flex: 1 1 auto; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; }
.figures button { display: grid; text-align: start; padding: 2px 4px; margin: 0 -4px; min-height: 40px; }
.figures .what { font-size: 0.75rem; color: var(--quiet); display: flex; gap: 4px; align-items: center; }
.figures .value { font-size: 1.125rem; font-weight: 500; }
.magnify {
  display: grid;
  place-items: center;
  width: 40px;
  height: 40px;
  border-radius: 50%;
  color: var(--quiet);
}
.magnify[aria-pressed="true"] { color: var(--primary-text-color); background: var(--well); }

.units { display: grid; gap: 20px 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--narrowest-unit)), 1fr)); }
.unit { display: grid; gap: 8px; align-content: start; min-width: 0; }
.unit-head { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; }
.unit-title { margin: 0; font-size: 0.875rem; font-weight: 500; }
.unit-range { font-size: 0.875rem; color: var(--quiet); flex: 1 1 auto; }
.temperatures { display: flex; flex-wrap: wrap; gap: 4px; margin: 0; padding: 0; list-style: none; }
.temperature {
  font-size: 0.8125rem;
  padding: 0 10px;
  min-height: 28px;
  border-radius: 14px;
  background: var(--well);
}

.rows { display: grid; gap: 16px; }
.row { display: grid; grid-template-columns: var(--gutter) 1fr; }
.gutter { position: relative; height: var(--plot); font-size: 0.6875rem; color: var(--quiet); }
.gutter span {
  position: absolute;
  inset-inline-end: 8px;
  bottom: calc(var(--label-at) * 100%);
  transform: translateY(50%);
  line-height: 1;
}
.field { position: relative; min-width: 0; }
.lines { position: absolute; inset: 0 0 auto 0; height: var(--plot); pointer-events: none; z-index: 1; }
.line {
  position: absolute;
  inset-inline: 0;
  bottom: calc(var(--at) * 100%);
  border-bottom: 1.5px solid var(--color);
  transform: translateY(50%);
  transition: bottom 0.6s ease;
}
.band {
  position: absolute;
  inset-inline: 0;
  bottom: calc(var(--at) * 100%);
  height: calc(var(--tall) * 100%);
  background: color-mix(in srgb, var(--balancing) 14%, transparent);
  transition: bottom 0.6s ease, height 0.6s ease;
}
[data-limit="cmax"], [data-limit="cmin"] { --color: var(--cut-off); }
[data-limit="clow"] { --color: var(--caution); --style: dashed; }
[data-limit="char"] { --color: var(--full); }
[data-limit="bmin"], [data-limit="bvol"] { --color: var(--balancing); --style: dashed; }
.line, .swatch { border-bottom-style: var(--style, solid); }

.cells { display: grid; grid-template-columns: repeat(var(--per-row), minmax(0, 1fr)); }
.cell { display: grid; justify-items: center; align-content: start; gap: 3px; min-width: 0; padding-bottom: 2px; }
.cell:focus-visible { outline-offset: -1px; z-index: 2; }
.well {
  position: relative;
  box-sizing: border-box;
  width: min(72%, 56px);
  height: var(--plot);
  border-radius: 6px;
  background: var(--well);
}
.cell:hover .well { background: color-mix(in srgb, var(--primary-text-color) 12%, transparent); }
.bar {
  position: absolute;
  inset: auto 0 0 0;
  height: calc(var(--at) * 100%);
  border-radius: 4px 4px 6px 6px;
  box-sizing: border-box;
  border-top: 4px solid var(--fill, var(--cell));
  background: color-mix(in srgb, var(--fill, var(--cell)) 38%, transparent);
  transition: height 0.6s ease, background-color 0.3s ease, border-color 0.3s ease;
}
.cell[data-mark="lowest"] { --fill: var(--lowest); }
.cell[data-mark="highest"] { --fill: var(--highest); }
.cell[data-beyond] { --fill: var(--cut-off); }
.cell[data-balancing] .bar { background-image: repeating-linear-gradient(45deg, transparent 0 4px, color-mix(in srgb, var(--card-background-color) 45%, transparent) 4px 7px); }
.cell[data-empty] .bar { display: none; }
.cell[data-empty] .well { background: none; border: 1.5px dashed var(--quiet); }
.mark { font-size: 0.625rem; line-height: 1; height: 0.625rem; }
.volts { font-size: 0.75rem; line-height: 1.2; }
.cell[data-mark] .volts, .cell[data-mark] .number { font-weight: 700; }
.ohms { font-size: 0.6875rem; line-height: 1.2; color: var(--quiet); }
.number { font-size: 0.75rem; line-height: 1.2; color: var(--quiet); }
.tight .volts, .tight .ohms { display: none; }
.snug .ohms-unit { display: none; }
.glyph { color: var(--fill); }

.limits { display: flex; flex-wrap: wrap; gap: 0 16px; margin: 0; padding: 0; list-style: none; }
.limits button { display: flex; align-items: center; gap: 8px; min-height: 32px; font-size: 0.8125rem; text-align: start; }
.swatch { flex: none; width: 18px; border-bottom-width: 2px; border-bottom-color: var(--color); }
.limits .value { color: var(--quiet); }

.notice { display: grid; justify-items: center; gap: 8px; padding: 24px 8px; text-align: center; }
.notice ha-icon { --mdc-icon-size: 40px; color: var(--quiet); }
.notice h3 { margin: 0; font-size: 1.125rem; font-weight: 500; }
.notice p { margin: 0; color: var(--quiet); max-width: 48ch; }
.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@container (max-width: 520px) {
  .figures { order: 1; flex-basis: 100%; justify-content: space-between; }
}
[hidden] { display: none !important; }
@media (prefers-reduced-motion: reduce) {
  .bar, .line, .band { transition: none; }
}
@media (forced-colors: active) {
  .bar { border-color: CanvasText; }
  .line { border-bottom-color: CanvasText; }
  .well { border: 1px solid CanvasText; }
}
`;
