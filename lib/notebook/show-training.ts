import { notebookDisplay } from "../core/index.js";
import type { TrainingRecord } from "../train/index.js";
import { showFigure } from "./show-figure.js";

export interface ShowTrainingOptions {
  /** Name of the figure's files. */
  name: string;
  title: string;
  /** Seconds between two drawings: one takes about 0.2 s, in which nothing is trained. Default: 5. */
  every?: number;
}

/** More points say no more in a figure of this width: each is the mean of as many updates as needed. */
const MOST_POINTS = 150;

let curves = 0;

/**
 * A curve of the loss that grows in one output while a model is trained: give it to `onRecord` of `trainLanguageModel`.
 * Outside of a notebook nothing is shown but the title, at the end.
 */
export function showTraining({ name, title, every = 5 }: ShowTrainingOptions) {
  curves++;
  const displayId = `training-${curves}`;
  const records: TrainingRecord[] = [];
  let update = false;
  let drawn = performance.now();
  return async (record: TrainingRecord, { steps }: { steps: number }): Promise<void> => {
    records.push(record);
    const isLast = record.step === steps;
    const isTime = notebookDisplay() !== undefined && performance.now() - drawn > every * 1000;
    if (!isLast && !isTime) return;
    await showFigure(await curveOf(records, name, title), { displayId, update });
    update = true;
    drawn = performance.now();
  };
}

async function curveOf(records: readonly TrainingRecord[], name: string, title: string) {
  const { lineFigure } = await import("../plot/index.js");
  const size = Math.ceil(records.length / MOST_POINTS);
  const groups = Array.from({ length: Math.ceil(records.length / size) }, (_, i) =>
    records.slice(i * size, (i + 1) * size),
  );
  const heldOut = records.filter(({ scores }) => scores?.heldOutLoss !== undefined);
  return lineFigure({
    name,
    title,
    xTitle: "updates",
    yTitle: "loss (nats a token)",
    series: [
      {
        name: "training",
        x: groups.map((group) => group.at(-1)!.step),
        y: groups.map((group) => group.reduce((sum, { loss }) => sum + loss, 0) / group.length),
      },
      ...(heldOut.length > 0
        ? [
            {
              name: "held out",
              x: heldOut.map(({ step }) => step),
              y: heldOut.map(({ scores }) => scores!.heldOutLoss!),
            },
          ]
        : []),
    ],
  });
}
