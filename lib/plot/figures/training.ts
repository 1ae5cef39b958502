import { badInput } from "../../core/index.js";
import type { TrainingRecord } from "../../train/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import type { Interval } from "../parts/intervals.js";
import type { LinePanel, PanelSeries } from "../parts/line-panels-layout.js";
import type { Region } from "../parts/lines.js";
import { linePanelsFigure } from "./line-panels.js";

/** A training run, or a phase of one with its own data. */
export interface TrainingPhase {
  /** Default: none is written. */
  name?: string;
  /** In the order of the updates. */
  records: readonly Pick<TrainingRecord, "step" | "loss" | "scores">[];
}

export interface TrainingFigureOptions extends FigureOptions {
  /** Phases in sequence on one axis of updates; each counts its own from 1. */
  phases: readonly TrainingPhase[];
  /** The interval of an accuracy, both from 0 to 1: Wilson's for the number of problems. Default: none are drawn. */
  intervalOf?: (accuracy: number) => Interval;
  /** The name of a score in the legend. Default: the score's own. */
  scoreName?: (score: string) => string;
}

/** More points of a smoothed curve say no more at this width: each is the mean of as many updates as needed. */
const MOST_POINTS = 150;
/** Updates of the curve behind it. */
const MOST_UPDATES = 900;
const HEIGHTS = { one: 440, two: 620 };
const HELD_OUT = "heldOutLoss";

interface Update {
  at: number;
  loss: number;
  scores: Readonly<Record<string, number>>;
}

/**
 * The curve of a training in one phase or several: the loss, smoothed over bold and each update's thin behind it, and the
 * loss on held-out examples; below it the scores whose names begin with "accuracy", in percent. Phases are shaded.
 * Table: panel, series, x, y, and low and high where there are intervals.
 * @throws bad-input if there are no records, updates are not in order, or a number is not finite
 */
export function trainingFigure(options: TrainingFigureOptions): Figure {
  const { updates, regions } = onOneAxis(options.phases);
  const scores = [...new Set(updates.flatMap((update) => Object.keys(update.scores)))];
  const accuracies = scores.filter((score) => /^accuracy\b/.test(score));
  const loss: LinePanel = {
    // A loss can become 0 on very few examples.
    ...(updates.every((update) => update.loss > 0 && (update.scores[HELD_OUT] ?? 1) > 0)
      ? { yTitle: "Loss (nats a token, log scale)", yScale: "log" }
      : { yTitle: "Loss (nats a token)" }),
    series: lossSeries(updates),
  };
  const accuracy: LinePanel = {
    yTitle: "Accuracy (%)",
    series: accuracies.map((score) => accuracySeries(updates, score, options)),
  };
  const panels = accuracies.length > 0 ? [loss, accuracy] : [loss];
  return linePanelsFigure({
    height: panels.length > 1 ? HEIGHTS.two : HEIGHTS.one,
    ...options,
    panels,
    panelColumn: "measure",
    columns: 1,
    sharedX: true,
    sharedY: false,
    fromZero: true,
    xTitle: "Updates",
    yTitle: "",
    regions: options.phases.length > 1 ? regions : [],
  });
}

/** Number the updates of all phases one after another. */
function onOneAxis(phases: readonly TrainingPhase[]): { updates: Update[]; regions: Region[] } {
  const updates: Update[] = [];
  const regions: Region[] = [];
  for (const { name = "", records } of phases) {
    const from = updates.at(-1)?.at ?? 0;
    for (const { step, loss, scores = {} } of records) updates.push({ at: from + step, loss, scores });
    const to = updates.at(-1)?.at ?? 0;
    if (to > from) regions.push({ name, from, to });
  }
  if (updates.length > 0) return { updates, regions };
  throw badInput("no records of a training: expected at least one", "Give the records of its folder, records.jsonl.");
}

function lossSeries(updates: readonly Update[]): PanelSeries[] {
  const size = Math.ceil(updates.length / MOST_POINTS);
  const groups = Array.from({ length: Math.ceil(updates.length / size) }, (_, index) =>
    updates.slice(index * size, (index + 1) * size),
  );
  const smooth = {
    name: "training",
    x: groups.map((group) => group.at(-1)!.at),
    y: groups.map((group) => group.reduce((sum, { loss }) => sum + loss, 0) / group.length),
  };
  const every = Math.ceil(updates.length / MOST_UPDATES);
  const some = updates.filter((_, index) => index % every === 0);
  const single = {
    name: "training, single updates",
    behind: "training",
    x: some.map(({ at }) => at),
    y: some.map(({ loss }) => loss),
  };
  const heldOut = updates.filter(({ scores }) => scores[HELD_OUT] !== undefined);
  return [
    ...(size > 1 ? [single] : []),
    smooth,
    ...(heldOut.length > 0
      ? [{ name: "held out", x: heldOut.map(({ at }) => at), y: heldOut.map(({ scores }) => scores[HELD_OUT]!) }]
      : []),
  ];
}

function accuracySeries(
  updates: readonly Update[],
  score: string,
  { intervalOf, scoreName = (name) => name }: TrainingFigureOptions,
): PanelSeries {
  const known = updates.filter(({ scores }) => scores[score] !== undefined);
  const shares = known.map(({ scores }) => scores[score]!);
  const percent = (share: number) => 100 * share;
  return {
    name: scoreName(score),
    x: known.map(({ at }) => at),
    y: shares.map(percent),
    ...(intervalOf ? { intervals: shares.map((share) => intervalOf(share).map(percent) as [number, number]) } : {}),
  };
}
