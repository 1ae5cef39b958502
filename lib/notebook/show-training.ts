import { notebookDisplay } from "../core/index.js";
import type { TrainingRecord } from "../train/index.js";
import { showFigure } from "./show-figure.js";

export interface ShowTrainingOptions {
  /** Name of the figure's files. */
  name: string;
  title: string;
  /** What is trained on, for the note in its corner: "32 problems". Default: what `noteFigures` was given. */
  problems?: string | undefined;
  /** Seconds between two drawings: one takes about 0.2 s, in which nothing is trained. Default: 5. */
  every?: number;
}

let curves = 0;

/**
 * Curves of the loss, and of the accuracies where they are scored, that grow in one output while a model is trained: give
 * it to `onRecord` of `trainLanguageModel`.
 * Outside of a notebook nothing is shown but the title, at the end.
 */
export function showTraining({ name, title, problems, every = 5 }: ShowTrainingOptions) {
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
    const { trainingFigure } = await import("../plot/index.js");
    await showFigure(trainingFigure({ name, title, phases: [{ records }] }), { displayId, update, problems });
    update = true;
    drawn = performance.now();
  };
}
