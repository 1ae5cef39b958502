import { badInput } from "../../core/index.js";
import type { GrpoResults, PlannedResult } from "../../grpo/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import type { Interval } from "../parts/intervals.js";
import type { LinePanel, PanelSeries } from "../parts/line-panels-layout.js";
import { linePanelsFigure } from "./line-panels.js";

export interface OptimizationFigureOptions extends FigureOptions {
  /** Optimisations: those of one arm are its seeds. */
  results: GrpoResults["results"];
  /** What the x axis counts: updates, or the attempts that were learned from. Default: `step`. */
  against?: "step" | "completions";
}

const X_TITLES = { step: "Updates", completions: "Attempts" } as const;
/** Updates of a smoothed curve: one update's attempts are few. */
const MOST_POINTS = 40;

/**
 * The course of optimisations: reward, divergence from the model before training, entropy, and greedy accuracy on held-out
 * problems. Rewards, divergences and entropies are means of neighbouring updates and of seeds; of several seeds their interval is the
 * range. Accuracy has Wilson's interval for one seed, and the range of several.
 *
 * Table: measure, series, x, y, low, high.
 * @throws bad-input if there are no results
 */
export function optimizationFigure(options: OptimizationFigureOptions): Figure {
  const { results, against = "step" } = options;
  if (results.length === 0) throw badInput("no optimisations: expected at least one", "Run a plan of them first.");
  const arms = [...new Set(results.map(({ arm }) => arm))].map((arm) => results.filter((each) => each.arm === arm));
  const panel = (title: string, series: readonly (PanelSeries | undefined)[]): LinePanel[] => {
    const own = series.filter((each) => each !== undefined);
    return own.length === 0 ? [] : [{ yTitle: title, series: own }];
  };
  const curve = (metric: string) => arms.map((own) => metricSeries(own, metric, against));
  return linePanelsFigure({
    height: 620,
    uncertainty: "band",
    ...options,
    panels: [
      ...panel("Reward", curve("reward")),
      ...panel(
        "Held-out accuracy (%)",
        arms.map((own) => accuracySeries(own, against)),
      ),
      ...panel("Divergence (nats a token)", curve("kl")),
      ...panel("Entropy (nats a token)", curve("entropy")),
    ],
    panelColumn: "measure",
    columns: 2,
    sharedX: true,
    sharedY: false,
    xTitle: X_TITLES[against],
    yTitle: "",
  });
}

function metricSeries(
  seeds: readonly PlannedResult[],
  metric: string,
  against: "step" | "completions",
): PanelSeries | undefined {
  const known = seeds.filter(({ records }) => records.every((record) => Number.isFinite(record[metric])));
  if (known.length === 0) return undefined;
  const length = Math.min(...known.map(({ records }) => records.length));
  const size = Math.ceil(length / MOST_POINTS);
  const parts = Array.from({ length: Math.ceil(length / size) }, (_, at) => [
    at * size,
    Math.min(length, (at + 1) * size),
  ]);
  const points = parts.map(([first, end]) => ({
    x: known[0]!.records[end! - 1]![against],
    values: known.map(({ records }) => meanOf(records.slice(first, end).map((record) => record[metric]!))),
  }));
  return { name: known[0]!.title, ...overSeeds(points) };
}

function accuracySeries(seeds: readonly PlannedResult[], against: "step" | "completions"): PanelSeries {
  const { evaluations, title } = seeds[0]!;
  const points = evaluations.flatMap((first) => {
    const values = seeds.flatMap((each) => each.evaluations.find(({ step }) => step === first.step)?.accuracy ?? []);
    // Only where all seeds were measured.
    if (values.length < seeds.length) return [];
    const { interval } = values[0]!;
    return [
      {
        x: first[against],
        values: values.map(({ value }) => 100 * value),
        ...(seeds.length === 1 && interval ? { alone: interval.map((end) => 100 * end) as [number, number] } : {}),
      },
    ];
  });
  return { name: title, ...overSeeds(points) };
}

/** Means and, of several values, their range. */
function overSeeds(points: readonly { x: number; values: readonly number[]; alone?: Interval }[]) {
  return {
    x: points.map(({ x }) => x),
    y: points.map(({ values }) => meanOf(values)),
    intervals: points.map(({ values, alone }): Interval | null => {
      if (values.length === 1) return alone ?? null;
      return [Math.min(...values), Math.max(...values)];
    }),
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
