import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { fileSystemError, mean, readJsonl, ThoughtbookError } from "../core/index.js";
import type { Scores } from "./evaluations.js";
import { pretrainFolders } from "./pretrain/folders.js";
import type { Phase } from "./pretrain/recipe.js";
import type { TrainingRecord } from "./update-record.js";

export const CURVE_FILE = "curve.csv";

/** Updates whose losses a row of the curve is the mean of. */
const UPDATES_PER_ROW = 25;

/** A phase of a published model's training, as `trainingFigure` of `thoughtbook/plot` takes it. */
export interface CurvePhase {
  name: string;
  /** The loss is the mean of the updates since the record before. */
  records: { step: number; loss: number; scores?: Scores }[];
}

/** Loss (mean of some updates) and accuracies by update and tokens over all phases, as CSV. */
export async function trainingCurve(phases: readonly Phase[], out: string): Promise<string> {
  const rows: Record<string, string | number>[] = [];
  let [updatesBefore, tokensBefore] = [0, 0];
  for (const phase of phases) {
    let losses: number[] = [];
    let last: TrainingRecord | undefined;
    for await (const { value } of readJsonl<TrainingRecord>(join(pretrainFolders(out).run(phase), "records.jsonl"))) {
      last = value;
      losses.push(value.loss);
      if (value.step % UPDATES_PER_ROW > 0 && !value.scores) continue;
      rows.push({
        phase: phase.name,
        update: updatesBefore + value.step,
        tokens: tokensBefore + value.tokens,
        loss: mean(losses).toFixed(4),
        ...value.scores,
      });
      losses = [];
    }
    updatesBefore += last?.step ?? 0;
    tokensBefore += last?.tokens ?? 0;
  }
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return stringify(rows, { header: true, columns });
}

/**
 * The curve of a model that `publishModels` wrote, by phase.
 *
 * @param folder of the model
 * @throws not-found, file-system, corrupt-data
 */
export async function readTrainingCurve(folder: string): Promise<CurvePhase[]> {
  const file = join(folder, CURVE_FILE);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read the training curve", file);
  });
  const phases: CurvePhase[] = [];
  let before = 0;
  for (const { phase, update, tokens: _, loss, ...cells } of parse(text, { columns: true }) as Record<
    string,
    string
  >[]) {
    const at = Number(update);
    if (phase === undefined || !(at > 0) || loss === undefined) {
      throw new ThoughtbookError("corrupt-data", `${file} is no training curve: phase, update or loss are missing`, {
        hint: "Publish the model again.",
      });
    }
    if (phases.at(-1)?.name !== phase) {
      before += phases.at(-1)?.records.at(-1)?.step ?? 0;
      phases.push({ name: phase, records: [] });
    }
    const scores = Object.entries(cells).filter(([, cell]) => cell !== "");
    phases.at(-1)!.records.push({
      step: at - before,
      loss: Number(loss),
      ...(scores.length > 0 ? { scores: Object.fromEntries(scores.map(([name, cell]) => [name, Number(cell)])) } : {}),
    });
  }
  return phases;
}
