import { badInput } from "../../core/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import type { Interval } from "../parts/intervals.js";
import { isOwnMethod } from "../style/method-style.js";
import { linePanelsFigure } from "./line-panels.js";

/** Result of a method under a budget: a row of a paper's table, or of a summary of ours. */
export interface BudgetRow {
  /** Panel of the row: a base model, or "ours". */
  panel: string;
  method: string;
  /** Maximum tokens of an answer. */
  budget: number;
  /** In percent. */
  accuracy: number;
  /** The 95 % interval of the accuracy. Default: none is drawn. */
  low?: number | null | undefined;
  high?: number | null | undefined;
  /** Mean length of an answer in tokens. */
  length: number | null;
  /** Accuracy per computation unit, 100 · accuracy / length. */
  acu: number | null;
  /** The 95 % interval of the ACU. Default: none is drawn. */
  acuLow?: number | null | undefined;
  acuHigh?: number | null | undefined;
}

export interface BudgetFigureOptions extends FigureOptions {
  rows: readonly BudgetRow[];
  /** Default: "accuracy". */
  measure?: "accuracy" | "acu" | "length";
  /**
   * The x axis: the budget, or the mean length of the answers, which is what a method really spends. Default: "budget".
   */
  against?: "budget" | "length";
  /** Whether all panels share the y scale; false if the panels' answers differ much in length. Default: true. */
  sharedY?: boolean;
  /** Whether all panels share the x range. Default: false. */
  sharedX?: boolean;
  /** How intervals are drawn. Default: "bars". */
  uncertainty?: "bars" | "band";
  /** Maximum panels side by side. Default: as many as there is room for. */
  columns?: number;
}

const Y_TITLES = {
  accuracy: "Accuracy (%)",
  acu: "ACU (% per 100 tokens)",
  length: "Mean length (tokens)",
};
const X_TITLES = { budget: "Token budget (log scale)", length: "Mean length of an answer (tokens, log scale)" };

/**
 * A measure of methods by token budget, on a logarithmic axis of budgets: one line a method, one panel a base model, as
 * in the A*-Thought paper's figures of accuracy and of ACU. With `against: "length"` each line is what a method reaches for
 * the tokens that it spends, from budget to budget. Methods look the same in all figures: baselines dashed, A*-Thought
 * solid, bold and on top. Rows without the measure are left out.
 * Table: panel, series, x, y, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, a method has two rows for a budget in a panel, or a number is not right
 */
export function budgetFigure(options: BudgetFigureOptions): Figure {
  const { rows, measure = "accuracy", against = "budget" } = options;
  const points = rows.flatMap((row) => {
    const [x, y] = [row[against], row[measure]];
    return x === null || y === null ? [] : [{ ...row, x, y, interval: intervalOf(row, measure) }];
  });
  checkOnce(points);
  const panelNames = [...new Set(points.map(({ panel }) => panel))];
  // The one to be looked at is drawn last, over the others.
  const methods = [...new Set(points.map(({ method }) => method))].sort(
    (a, b) => Number(isOwnMethod(a)) - Number(isOwnMethod(b)),
  );
  return linePanelsFigure({
    ...options,
    xTitle: X_TITLES[against],
    yTitle: Y_TITLES[measure],
    xScale: "log",
    fromZero: true,
    path: against === "length",
    ticksAtData: against === "budget",
    panels: panelNames.map((title) => ({
      title,
      series: methods.flatMap((name) => {
        const own = points.filter(({ panel, method }) => panel === title && method === name);
        own.sort((a, b) => a.budget - b.budget);
        const [x, y] = [own.map((point) => point.x), own.map((point) => point.y)];
        return own.length === 0 ? [] : [{ name, x, y, intervals: own.map(({ interval }) => interval) }];
      }),
    })),
  });
}

function intervalOf(row: BudgetRow, measure: "accuracy" | "acu" | "length"): Interval | null {
  if (measure === "length") return null;
  const [low, high] = measure === "accuracy" ? [row.low, row.high] : [row.acuLow, row.acuHigh];
  return low == null || high == null ? null : [low, high];
}

function checkOnce(rows: readonly BudgetRow[]): void {
  const seen = new Set<string>();
  for (const { panel, method, budget } of rows) {
    const what = `${method} at a budget of ${budget} in "${panel}"`;
    if (seen.has(what)) {
      throw badInput(`two rows for ${what}: expected one`, "Give rows of one benchmark, or means, with their panel.");
    }
    seen.add(what);
  }
}
