import { acu } from "../../eval/index.js";
import type { BaselineResult } from "./run-baselines.js";

/** A point of the figure: a method on a data set under a budget. Shares in percent. */
export interface BaselineRow {
  /** The data set, and the model where there are several. */
  panel: string;
  method: string;
  budget: number;
  accuracy: number;
  low: number | null;
  high: number | null;
  /** Mean new tokens that a problem costs, of all its texts. */
  length: number | null;
  acu: number | null;
}

/**
 * The rows of a figure of accuracy against tokens. Of several samples the majority's accuracy counts, and the tokens of all of
 * them. Accuracy is under the strict policy.
 */
export function baselineRows(results: readonly BaselineResult[]): BaselineRow[] {
  const models = new Set(results.map(({ model }) => model));
  const most = (panel: string) =>
    Math.max(...results.filter((each) => panelOf(each) === panel).map(({ problems }) => problems));
  const panelOf = ({ model, task }: BaselineResult) => `${models.size > 1 ? `${model}: ` : ""}${task}`;
  return results.flatMap((result) => {
    const { problems, samples, budgets, strategy, demonstrations } = result;
    const panel = panelOf(result);
    const parts = [
      strategy,
      ...(demonstrations ? [`${demonstrations} demonstrations`] : []),
      ...(samples > 1 ? [`majority of ${samples}`] : []),
      ...(problems < most(panel) ? [`${problems} problems`] : []),
    ];
    return budgets.map((measures): BaselineRow => {
      const estimate = samples > 1 ? measures.majority! : measures.accuracy.strict!;
      const length = measures.length === undefined ? null : measures.length.value * samples;
      const [low = null, high = null] = estimate.interval?.map((end) => 100 * end) ?? [];
      return {
        panel,
        method: parts.join(", "),
        budget: measures.budget,
        accuracy: 100 * estimate.value,
        low,
        high,
        length,
        acu: length === null ? null : (acu(estimate.value, length) ?? null),
      };
    });
  });
}
