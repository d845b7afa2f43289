// @ts-check
import { css } from "../vendor/lit.js";

export const STYLE = css`
:host {
  --quiet: color-mix(in srgb, var(--primary-text-color) 72%, var(--card-background-color, #fff));
  --well: color-mix(in srgb, var(--primary-text-color) 7%, transparent);
  --edge: color-mix(in srgb, var(--primary-text-color) 55%, var(--card-background-color, #fff));
  --wrong: color-mix(in srgb, var(--error-color, #db4437) 60%, var(--primary-text-color));
  --right: color-mix(in srgb, var(--success-color, #43a047) 50%, var(--primary-text-color));
  display: block;
}
ha-card { color: var(--primary-text-color); font-variant-numeric: tabular-nums; }
.content { padding: 16px; display: grid; gap: 28px; container-type: inline-size; }
h1, h2, h3, p, ul, ol { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2 { font-size: 1.25rem; font-weight: 500; line-height: 1.3; display: flex; gap: 8px; align-items: center; }
h3 { font-size: 1rem; font-weight: 500; line-height: 1.4; overflow-wrap: anywhere; }
/* What the focus is moved to is to be seen with what follows it. */
[tabindex="-1"] { scroll-margin: 80px 0 50vh; }
[tabindex="-1"]:focus { outline: none; }
p { line-height: 1.45; overflow-wrap: anywhere; }
.quiet, .what p, .label, .factory, .when, .group > p { font-size: 0.875rem; color: var(--quiet); }
.group, .panel, .outcome { display: grid; gap: 12px; min-width: 0; }

button, input, select { font: inherit; color: inherit; box-sizing: border-box; min-height: 40px; border-radius: 8px; }
button { padding: 6px 16px; border: 1px solid var(--edge); background: none; cursor: pointer; }
button.main { background: var(--primary-text-color); color: var(--card-background-color, #fff); border-color: var(--primary-text-color); font-weight: 500; }
button.icon { padding: 0; width: 40px; border-color: transparent; display: grid; place-items: center; flex: none; }
button:disabled, input:disabled, select:disabled { opacity: 0.55; cursor: default; }
input:not([type="checkbox"]), select { width: 100%; padding: 6px 10px; border: 1px solid var(--edge); background: var(--card-background-color, #fff); scroll-margin: 80px 0 120px; }
input[aria-invalid="true"] { border-color: var(--wrong); border-width: 2px; }
input[type="checkbox"] { width: 24px; height: 24px; min-height: 24px; flex: none; margin: 0; accent-color: var(--primary-text-color); }
:focus-visible { outline: 2px solid var(--primary-text-color); outline-offset: 2px; }
a { color: inherit; text-decoration: underline; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; }

.locked { display: flex; gap: 12px; padding: 12px 16px; border-radius: 8px; background: var(--well); }

.row { display: grid; grid-template-columns: minmax(0, 1fr) 8.5rem 13rem; gap: 8px 20px; padding: 14px 0 14px 12px; border-top: 1px solid var(--divider-color, var(--well)); border-inline-start: 4px solid transparent; align-items: start; }
.row[data-staged] { border-inline-start-color: var(--primary-text-color); background: var(--well); }
.row[data-wrong] { border-inline-start-color: var(--wrong); }
.what { display: grid; gap: 4px; min-width: 0; }
.present, .wanted { display: grid; gap: 4px; min-width: 0; }
.present .value { font-size: 1.125rem; min-height: 40px; display: flex; align-items: center; overflow-wrap: anywhere; }
.field { display: flex; gap: 6px; align-items: center; }
.unit { color: var(--quiet); }
.factory { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; }
.factory button { min-height: 32px; padding: 2px 10px; font-size: 0.875rem; color: var(--primary-text-color); }
.notes { grid-column: 1 / -1; display: grid; gap: 4px; font-size: 0.875rem; }
.notes:not(:has(p)) { display: none; }
.complaint { color: var(--wrong); font-weight: 500; }

.panel { padding: 16px; border-radius: 12px; border: 2px solid var(--edge); }
.steps, .problems, .history, .differences { display: grid; gap: 10px; }
.steps > li { display: flex; gap: 10px; align-items: start; }
.steps > li > div { flex: 1; min-width: 0; }
.problems li { color: var(--wrong); }
.status { font-size: 0.875rem; color: var(--quiet); }
[data-status="done"] > ha-icon { color: var(--right); }
[data-status="failed"] > ha-icon { color: var(--wrong); }
.change { display: flex; flex-wrap: wrap; gap: 0 16px; justify-content: space-between; flex: 1; min-width: 0; }
.change .values { white-space: normal; }
.history li { border-top: 1px solid var(--divider-color, var(--well)); padding-top: 8px; }

.line { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; }
.grow { flex: 1 1 12rem; display: grid; gap: 4px; min-width: 0; }
.differences label { display: flex; gap: 12px; align-items: center; min-height: 40px; }
.news:not(:has(p)) { display: none; }

.bar { position: sticky; bottom: 0; z-index: 2; margin: 0 -16px -16px; padding: 12px 16px calc(12px + env(safe-area-inset-bottom)); display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; background: var(--card-background-color, #fff); border-top: 2px solid var(--edge); border-radius: 0 0 12px 12px; }

dialog { color: var(--primary-text-color); background: var(--card-background-color, #fff); border: 1px solid var(--edge); border-radius: 16px; padding: 20px; width: min(480px, calc(100vw - 32px)); max-height: calc(100vh - 48px); box-sizing: border-box; overflow: auto; }
dialog[open] { display: grid; gap: 16px; }
dialog::backdrop { background: rgb(0 0 0 / 0.5); }

.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (max-width: 640px) {
  .row { grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr); }
  .what { grid-column: 1 / -1; }
}
@media (forced-colors: active) {
  .row[data-staged], .row[data-wrong] { border-inline-start-color: CanvasText; }
}
`;
