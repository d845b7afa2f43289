// @ts-check
/** @import { BankContext, Context } from "../types.d.ts" */
import { placed } from "../battery.js";
import { bankSection } from "./bank.js";
import { battery } from "./overview.js";
import { WHOLE_WIDTH, alerts, cellsCards, heading, section, tiles } from "./parts.js";

/** Of more cells than these, the first page shows the extremes only. */
const FEW_CELLS = 48;

/**
 * The first page where there are several batteries: all together, then each by itself. What their
 * owner has made a bank of is together as that bank; without one, all are summed up.
 * @param {Context[]} contexts
 * @param {BankContext[]} banks
 */
export function sumView(contexts, banks) {
  const { say } = [...banks, ...contexts][0];
  return {
    type: "sections",
    title: say("dashboard.all"),
    icon: "mdi:battery-high",
    path: "batteries",
    max_columns: Math.min(WHOLE_WIDTH, Math.max(contexts.length, 1)),
    sections: [
      ...[...banks, ...contexts].flatMap(alerts),
      ...(banks.length ? banks.map(bankSection) : [sumSection(contexts[0])]),
      ...contexts.map(summaryOf),
    ],
  };
}

/** @param {Context} context */
function sumSection({ say }) {
  return section([heading(say("sum.title"), "mdi:sigma"), { type: "custom:rec-bms-sum-card" }], {
    columns: WHOLE_WIDTH,
  });
}

/** @param {Context} context */
function summaryOf(context) {
  const more = {
    heading: context.battery.title,
    tap_action: { action: "navigate", navigation_path: `${context.prefix}overview` },
  };
  const whole = battery(context, { more });
  const cells = placed(context.battery, "cell_voltage").length;
  const shown =
    cells <= FEW_CELLS
      ? cellsCards(context, { show_resistance: false, show_temperature: false })
      : tiles(context, ["min_cell_voltage", "max_cell_voltage", "cell_voltage_delta"]);
  return { ...whole, cards: [...whole.cards, ...shown] };
}
