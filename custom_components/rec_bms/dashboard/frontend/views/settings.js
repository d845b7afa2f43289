// @ts-check
/** @import { Context } from "../types.d.ts" */
import { WHOLE_WIDTH, entitiesOf, mainDevice, section, view } from "./parts.js";

/**
 * The limits, with what was changed when, and backups of them.
 * @param {Context} context
 */
export function settingsView(context) {
  const { say, settings, battery } = context;
  const device = mainDevice(context);
  const hasSettings = settings.some(({ keys }) => entitiesOf(context, keys).length);
  const warning = {
    type: "markdown",
    text_only: true,
    content: `<ha-alert alert-type="warning">\n\n${say("dashboard.warning")}\n\n</ha-alert>`,
    grid_options: { columns: "full" },
  };
  const card = { type: "custom:rec-bms-settings-card", device, title: battery.title };
  // Of what can only be seen, the card says so.
  const cards = battery.way === "wifi" ? [card] : [warning, card];
  return view(
    context,
    "settings",
    hasSettings && device !== undefined ? [section(cards, { columns: WHOLE_WIDTH })] : [],
  );
}
